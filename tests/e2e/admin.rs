//! Topics and groups, made and changed by kmk, as Kafka's own tools see them.

use crate::kcat::Kcat;
use crate::lab::{Lab, kafka_tool};
use crate::process::{PATIENCE, Ran, until};
use kafka_mirror_kit::core::topology::{KAFKA_VERSION, NEXT_KAFKA_VERSION};
use kmk_kafka::wait::{Interrupt, Limit};
use kmk_kafka::{Admin, At};

/// A cluster of the lab, asked through kmk, through kcat, and through Kafka's own tools.
struct Side<'a> {
    lab: &'a Lab,
    cluster: &'static str,
    kcat: Kcat,
}

impl Side<'_> {
    fn kmk(&self, line: &str) -> Ran {
        self.lab.kmk(&format!("{line} --cluster {}", self.cluster))
    }

    #[track_caller]
    fn tool(&self, bin: &str, line: &str, input: &str) -> String {
        let container = self.lab.container(self.cluster);
        let line = format!("--bootstrap-server {}:9092 {line}", self.cluster);
        kafka_tool(&container, bin, &line, input.as_bytes())
    }

    /// What Kafka's own tool says of a topic, its partitions left out.
    fn topic(&self, name: &str) -> String {
        let told = self.tool("kafka-topics.sh", &format!("--describe --topic {name}"), "");
        told.lines().next().unwrap_or_default().to_owned()
    }

    fn topics(&self) -> Vec<String> {
        let listed = self.tool("kafka-topics.sh", "--list", "");
        listed.lines().map(str::to_owned).collect()
    }

    /// Committed offset, end and lag of a group in a partition of a topic, as Kafka's own tool says.
    fn group(&self, group: &str, topic: &str, partition: usize) -> Option<[String; 3]> {
        let line = format!("--describe --offsets --group {group}");
        let told = self.tool("kafka-consumer-groups.sh", &line, "");
        let partition = partition.to_string();
        let mut rows = told
            .lines()
            .map(|row| row.split_whitespace().collect::<Vec<_>>());
        let row = rows.find(|row| row.len() > 5 && row[1..3] == [topic, &partition])?;
        Some([row[3], row[4], row[5]].map(str::to_owned))
    }
}

#[test]
#[ignore = "needs Docker"]
fn topics_and_groups_are_what_kafkas_own_tools_say() {
    all_is_as_kafka_says(KAFKA_VERSION);
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn topics_and_groups_are_what_the_tools_of_kafka_4_say() {
        all_is_as_kafka_says(NEXT_KAFKA_VERSION);
    }
}

fn all_is_as_kafka_says(kafka: &str) {
    let lab = Lab::deployed("admin", &format!("--kafka-version {kafka}"));
    let side = Side {
        lab: &lab,
        cluster: "primary",
        kcat: lab.primary(),
    };
    topics(&side);
    groups(&side);
    times(&side);
    nothing_is_made_by_looking(&side);
    println!("a topic that MirrorMaker writes is left alone");
    lab.primary().produce("mirrored", "one\n");
    until("the copy is there", PATIENCE, || {
        let topics = lab.secondary().topics();
        topics.contains_key("primary.mirrored").then_some(())
    });
    lab.kmk("topic delete primary.mirrored --cluster secondary")
        .code(2)
        .says("MirrorMaker writes to it");
    let told = lab.kmk("topics --json").code(0).json();
    let of = |cluster: usize, topic: &str| {
        let topics = told["clusters"][cluster]["topics"].as_array().unwrap();
        let found = topics.iter().find(|found| found["topic"] == topic);
        found.unwrap_or_else(|| panic!("{told:#}")).clone()
    };
    assert!(
        of(0, "mirrored")["mirrored_to"]
            .to_string()
            .contains("secondary")
    );
    assert!(
        of(1, "primary.mirrored")["mirrored_from"]
            .to_string()
            .contains("primary")
    );
}

fn topics(side: &Side<'_>) {
    side.kmk("topic create things --partitions 3 --config retention.ms=3600000")
        .code(0)
        .prints("Created topic `things`");
    let told = side.topic("things");
    assert!(
        told.contains("PartitionCount: 3") && told.contains("retention.ms=3600000"),
        "{told}"
    );
    side.kmk("topic create things")
        .code(1)
        .says("TOPIC_ALREADY_EXISTS");
    side.kmk("topic create things --if-not-exists").code(0);

    side.kmk(
        "topic alter things --partitions 5 --config cleanup.policy=compact --unset retention.ms",
    )
    .code(0);
    let told = side.topic("things");
    assert!(
        told.contains("PartitionCount: 5")
            && told.contains("cleanup.policy=compact")
            && !told.contains("retention.ms"),
        "{told}"
    );
    side.kmk("topic alter things --partitions 5")
        .code(0)
        .prints("Nothing to alter: topic `things` on ")
        .prints(" already has 5 partitions.");
    side.kmk("topic alter things --partitions 4")
        .code(2)
        .says("INVALID_PARTITIONS");
    side.kmk("topic alter things --config cleanup.polic=compact")
        .code(2)
        .says("did you mean `cleanup.policy`?");
    side.kmk("topic alter things --config cleanup.policy=delete")
        .code(0);

    let ten = "a record\n".repeat(10);
    side.kcat.produce_with("things", "-p 1", &ten);
    side.kmk("topic truncate things --before 4 --partition 1")
        .code(0)
        .prints("Removed 4 records");
    let first = side.tool("kafka-get-offsets.sh", "--topic things --time -2", "");
    assert!(first.contains("things:1:4"), "{first}");
    let told = side.kmk("topic describe things --json").code(0).json();
    assert_eq!(told["records"], 6);
    assert_eq!(told["partition_details"][1]["first"], 4);
    assert_eq!(told["partition_details"][1]["end"], 10);
    assert_eq!(told["settings"]["cleanup.policy"], "delete");
    assert_eq!(told["partition_details"][4]["leader"], 1);

    side.kmk("topic truncate things --before end").code(0);
    assert_eq!(side.kcat.values("things"), Vec::<String>::new());
    side.kmk("topic delete things").code(0);
    assert!(!side.topics().contains(&"things".to_owned()));
    side.kmk("topic delete things")
        .code(2)
        .says("there is no topic");
    side.kmk("topic delete things --if-exists").code(0);
}

fn groups(side: &Side<'_>) {
    side.kmk("topic create parcels --partitions 2").code(0);
    for partition in [0, 1] {
        let five = "a record\n".repeat(5);
        side.kcat
            .produce_with("parcels", &format!("-p {partition}"), &five);
    }
    let read = "--topic parcels --group java --from-beginning --max-messages 10 --timeout-ms 20000";
    side.tool("kafka-console-consumer.sh", read, "");
    let three = "a\nb\nc\n";
    side.kcat.produce_with("parcels", "-p 0", three);
    let told = side.kmk("groups --group java --json").code(0).json();
    let group = &told["clusters"][0]["groups"][0];
    assert_eq!(
        (&group["group"], &group["lag"]),
        (&"java".into(), &3.into())
    );
    for partition in [0, 1] {
        let place = &group["partitions"][partition];
        let ours = ["committed", "end", "lag"].map(|field| place[field].to_string());
        assert_eq!(side.group("java", "parcels", partition), Some(ours));
    }

    side.kmk("group reset java --topic parcels --to 2 --partition 0")
        .code(0);
    let [committed, _, lag] = side.group("java", "parcels", 0).unwrap();
    assert_eq!((&*committed, &*lag), ("2", "6"));
    side.kmk("group reset java --topic parcels --to latest")
        .code(0);
    let [committed, ..] = side.group("java", "parcels", 0).unwrap();
    assert_eq!(committed, "8");
    side.kmk("group reset java --topic parcels --to earliest --dry-run")
        .code(0);
    let [committed, ..] = side.group("java", "parcels", 0).unwrap();
    assert_eq!(committed, "8", "a dry run changes nothing");

    println!("a group that someone reads for is left alone");
    let follow = format!(
        "consume --topic parcels --group java --follow --verbose --cluster {}",
        side.cluster
    );
    let mut running = side.lab.start(&follow);
    running.until_it_says("partitions 0, 1");
    side.kmk("group delete java").code(1).says("is in use");
    running.interrupt();
    let left = running.finish().code(130);
    assert!(!left.stderr.contains("error"), "{}", left.stderr);
    side.kmk("group delete java").code(0);
    let listed = side.tool("kafka-consumer-groups.sh", "--list", "");
    assert!(!listed.lines().any(|group| group == "java"), "{listed}");
    side.kmk("topic delete parcels").code(0);
}

/// The second of three records is the latest, and the last lies between the others.
fn times(side: &Side<'_>) {
    side.kmk(
        "topic create times --config message.timestamp.type=CreateTime --config retention.ms=-1",
    )
    .code(0);
    for hour in [10, 12, 11] {
        side.kmk(&format!(
            "produce --topic times --value {hour} --timestamp 2026-01-01T{hour}:00:00Z"
        ))
        .code(0);
    }
    let read = |from: &str| {
        let line = format!("consume --topic times --from {from} --format %o:%v");
        side.kmk(&line).code(0).lines()
    };
    assert_eq!(read("2026-01-01T10:00:00Z"), ["0:10", "1:12", "2:11"]);
    assert_eq!(read("2026-01-01T13:30:00+02:00"), ["1:12", "2:11"]);
    assert_eq!(read("2026-01-01T12:00:00.001Z"), [""; 0]);
    let limit = Limit::new(PATIENCE, &Interrupt::default());
    let mut admin = Admin::connect(&[side.kcat.0.parse().unwrap()], &limit).unwrap();
    let latest = admin.offsets(&["times".to_owned()], At::MaxTime, &limit);
    assert_eq!(latest.unwrap()[&("times".to_owned(), 0)], 1);
}

fn nothing_is_made_by_looking(side: &Side<'_>) {
    let before = side.topics();
    for line in [
        "topic describe nowhere",
        "topic alter nowhere --partitions 2",
        "groups --group nobody",
        "group delete nobody",
    ] {
        side.kmk(line).code(2).says("there is no ");
    }
    side.kmk("consume --topic nowhere --messages 1 --timeout 1s")
        .code(1);
    side.kmk("consume --topic nowhere --group nobody --timeout 1s")
        .code(1);
    side.kmk("topic truncate nowhere --before end").code(2);
    side.kmk("group reset nobody --topic nowhere --to earliest")
        .code(2)
        .says("there is no group `nobody`");
    side.kmk("topics").code(0);
    assert_eq!(side.topics(), before);
}
