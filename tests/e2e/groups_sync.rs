//! What a group would read again on the other side, told beforehand, and counted: it really goes on there.

use crate::engine::docker;
use crate::kcat::{CROSSING, Kcat};
use crate::lab::{Lab, kafka_tool};
use crate::process::until;
use serde_json::Value;
use std::fs;

/// There, and back without notes of groups.
const FILE: &str = "\
clusters:
  - name: primary
    port: PORT0
  - name: secondary
    port: PORT1
flows:
  - from: primary
    to: secondary
    settings:
      groups.exclude: private.*
  - from: secondary
    to: primary
    settings:
      sync.group.offsets.enabled: false
";

/// Records of which not all are copied when MirrorMaker is killed, and those of them that a group reads.
const MANY: u64 = 200_000;
const READ: u64 = 150_000;

const THERE: &str = "primary->secondary";
const BACK: &str = "secondary->primary";

/// What a flow means for a group, as kmk tells it.
struct Told(Value);

impl Told {
    /// The flow's word on a group, whatever it is; none where it has none.
    fn of(lab: &Lab, flow: &str, group: &str) -> Option<Self> {
        let line = format!("groups --flow {flow} --group {group} --json");
        let ran = lab.command(&line).output().unwrap();
        let told: Value = serde_json::from_slice(&ran.stdout).ok()?;
        let flow = &told["clusters"][0]["groups"][0]["flows"][0];
        flow.is_object().then(|| Self(flow.clone()))
    }

    /// The same, as soon as the only reason is this one.
    #[track_caller]
    fn when(lab: &Lab, flow: &str, group: &str, why: &str) -> Self {
        Self::when_any(lab, flow, group, &[why])
    }

    /// The same, as soon as the only reason is one of these.
    #[track_caller]
    fn when_any(lab: &Lab, flow: &str, group: &str, whys: &[&str]) -> Self {
        let mut last = Value::Null;
        let what = format!("{flow} {group}: {}", whys.join(" or "));
        until(&what, CROSSING, || {
            let told = Self::of(lab, flow, group)?;
            if last != told.0["why"] {
                println!(
                    "  {flow} {group}: {} {}",
                    told.0["why"], told.0["redelivered"]
                );
            }
            last = told.0["why"].clone();
            let is_one = |why: &&str| told.0["why"] == serde_json::json!([why]);
            whys.iter().any(is_one).then_some(told)
        })
    }

    /// Delivered again and skipped, both exact.
    #[track_caller]
    fn exactly(&self) -> (u64, u64) {
        let told = &self.0;
        assert_eq!(
            (&told["redelivered_exact"], &told["skipped_exact"]),
            (&Value::Bool(true), &Value::Bool(true)),
            "{told}"
        );
        (
            told["redelivered"].as_u64().unwrap(),
            told["skipped"].as_u64().unwrap(),
        )
    }

    /// Where it stands on either side, in the first partition.
    fn offsets(&self) -> (Option<u64>, Option<u64>) {
        let place = &self.0["partitions"][0];
        let offset = |field: &str| place[field].as_u64();
        (offset("source_committed"), offset("target_committed"))
    }
}

#[test]
#[ignore = "needs Docker"]
fn what_is_delivered_again_is_told_before_it_happens() {
    let lab = Lab::new("groups-sync");
    let text = FILE
        .replace("PORT0", &lab.ports[0].to_string())
        .replace("PORT1", &lab.ports[1].to_string());
    fs::write(lab.home.path().join("kmk.yml"), text).unwrap();
    lab.kmk("deploy").code(0);
    // a sync behind each of these: MirrorMaker may note none in between
    for (from, to) in [(1, 100), (101, 250), (251, 500)] {
        send(&lab.primary(), "orders", from, to);
        read(&lab, "primary", "orders", "follows", to + 1 - from);
        let told = Told::when(&lab, THERE, "follows", "in_sync");
        assert_eq!(told.offsets(), (Some(to), Some(to)));
    }
    lab.secondary().produce("own", &numbers(1, 50));
    lab.primary()
        .until_it_is_past("secondary.own", 49, CROSSING);

    println!("at the end, and further back");
    read(&lab, "primary", "orders", "at-the-end", 500);
    let told = Told::when(&lab, THERE, "at-the-end", "in_sync");
    assert_eq!(told.exactly(), (0, 0));
    assert_offsets(&lab, "at-the-end", &told);
    let (behind, place, told) = between_syncs(&lab);
    let (again, skipped) = told.exactly();
    assert!(
        again > 0 && again < place && skipped == 0,
        "{again} {skipped}"
    );
    assert_offsets(&lab, &behind, &told);
    lab.kmk("groups")
        .code(0)
        .prints("primary->secondary: resumes exactly where it stopped")
        .prints(&format!(
            "primary->secondary: {again} redelivered (sparse syncs)"
        ));

    println!("left out, and not noted on the way back");
    read(&lab, "primary", "orders", "private-1", 300);
    let told = Told::when(&lab, THERE, "private-1", "excluded");
    assert_eq!(told.offsets(), (Some(300), None));
    assert_eq!(told.exactly(), (300, 200));
    read(&lab, "secondary", "own", "local", 20);
    let told = Told::when(&lab, BACK, "local", "sync_off");
    assert_eq!(told.offsets(), (Some(20), None));
    assert_eq!(told.exactly(), (20, 30));
    // it stands on the secondary too by now, in a topic that came from here: back at home it resumes at its committed offset
    let told = Told::when(&lab, BACK, &behind, "in_sync");
    assert_eq!(told.exactly(), (0, 0));

    println!("not synced yet");
    docker(&format!("pause {}", lab.container("mm2-secondary")));
    read(&lab, "primary", "orders", "late", 120);
    let told = Told::when(&lab, THERE, "late", "not_synced_yet");
    assert_eq!(told.offsets(), (Some(120), None));
    assert_eq!(told.exactly(), (120, 380));
    docker(&format!("unpause {}", lab.container("mm2-secondary")));
    let noted = ["sparse_syncs", "in_sync"];
    let told = Told::when_any(&lab, THERE, "late", &noted);
    assert_offsets(&lab, "late", &told);

    println!("active on the target, and then further on");
    read(&lab, "primary", "orders", "moves", 100);
    let mut reader = lab.start(
        "consume --topic primary.orders --cluster secondary --group moves --from earliest --follow",
    );
    let told = Told::when(&lab, THERE, "moves", "active_on_target");
    assert_eq!(told.0["active_on_target"], true);
    reader.until("it reads all", |reader| {
        String::from_utf8_lossy(&reader.stdout()).contains("\n500\n")
    });
    reader.interrupt();
    reader.finish().code(130);
    let told = Told::when(&lab, THERE, "moves", "ahead");
    let number = |field: &str| told.0[field].as_u64();
    let numbers = ["redelivered", "ahead", "skipped"].map(number);
    // it read 100 here, and 500 there: nothing of it is lost
    assert_eq!(numbers, [Some(0), Some(400), None]);
    lab.kmk("groups --group moves")
        .code(0)
        .prints("400 records ahead there (read there, or moved)");

    println!("the proof");
    let seen = go_on(&lab, "primary.orders", &behind);
    let repeated = seen.iter().filter(|number| **number <= place).count();
    assert_eq!(repeated as u64, again, "as it was told");
    assert_eq!(seen.last(), Some(&500), "and nothing is missing");
    assert!(seen.contains(&(place + 1)));

    copied_more_than_once(&lab);
    there_and_back(&lab);
    the_source_is_gone(&lab);
}

/// A group of an application that reads on both sides what both sides produce: kcat is given what was told beforehand.
fn there_and_back(lab: &Lab) {
    println!("there and back, with what came from the other side");
    let (primary, secondary) = (lab.primary(), lab.secondary());
    send(&primary, "tills", 1, 300);
    send(&secondary, "shops", 1_001, 1_050);
    secondary.until_it_is_past("primary.tills", 299, CROSSING);
    primary.until_it_is_past("secondary.shops", 49, CROSSING);
    let mut read = primary.given("app", "tills secondary.shops");
    assert_eq!(read.len(), 350);
    let told_of = |flow: &str, is_ready: &dyn Fn(&Told) -> bool| {
        until(&format!("{flow} is told"), CROSSING, || {
            Told::of(lab, flow, "app").filter(is_ready)
        })
    };
    let mut goes_on = |kcat: &Kcat, topics: &str, told: &Told| {
        let given = kcat.given("app", topics);
        let again = given.iter().filter(|value| read.contains(value)).count();
        println!(
            "  told {}, given again {again} of {}",
            told.0["redelivered"],
            given.len()
        );
        assert_eq!(
            told.0["redelivered"].as_u64(),
            Some(again as u64),
            "{}",
            told.0
        );
        read.extend(given);
    };

    // MirrorMaker takes along where it stands in what comes from the primary, and not in what came from the secondary
    let told = told_of(THERE, &|told| {
        told.0["partitions"][1]["target_committed"] == 300
    });
    assert_eq!(told.0["why"], serde_json::json!(["mirrored_from_target"]));
    goes_on(&secondary, "primary.tills shops", &told);

    send(&primary, "tills", 301, 500);
    send(&secondary, "shops", 1_051, 1_060);
    secondary.until_it_is_past("primary.tills", 499, CROSSING);
    primary.until_it_is_past("secondary.shops", 59, CROSSING);
    goes_on(
        &secondary,
        "primary.tills shops",
        &Told(serde_json::json!({"redelivered": 0})),
    );
    let told = told_of(BACK, &|told| {
        told.0["partitions"][0]["source_committed"] == 500
    });
    let again = told.0["partitions"][0]["redelivered"].as_u64();
    assert_eq!(again, Some(200), "{}", told.0);
    let (again, skipped) = told.exactly();
    assert_eq!((again, skipped), (210, 0), "{}", told.0);
    goes_on(&primary, "tills secondary.shops", &told);
}

/// The moment for which one wants to know: what is told rests on what the target holds.
fn the_source_is_gone(lab: &Lab) {
    println!("the source is gone");
    let told = Told::of(lab, THERE, "late").unwrap();
    let place = told.offsets();
    docker(&format!("kill {}", lab.container("primary")));
    let line = format!("groups --flow {THERE} --group late");
    let ran = lab.kmk(&format!("{line} --json")).code(1);
    let now = &ran.json()["clusters"][0];
    assert!(now["problem"].is_string(), "{now}");
    let now = Told(now["groups"][0]["flows"][0].clone());
    assert_eq!(now.offsets(), place, "{}", now.0);
    assert_eq!(
        now.0["redelivered_exact"], false,
        "it may have read on since"
    );
    let said = lab.kmk(&line).code(1);
    let said = said.prints("primary->secondary, last seen ");
    let again = now.0["redelivered"].as_u64().unwrap();
    said.prints(&format!("at most {again}"));
    let given = go_on(lab, "primary.orders", "late").len() as u64;
    assert!(given <= again, "{given} {again}");
}

/// MirrorMaker is killed while it copies, and begins further back: what is told is never less than what comes.
fn copied_more_than_once(lab: &Lab) {
    println!("with copies of copies");
    let mirror = lab.container("mm2-secondary");
    send(&lab.primary(), "many", 1, MANY);
    lab.secondary()
        .until_it_is_past("primary.many", 5_000, CROSSING);
    docker(&format!("kill {mirror}"));
    docker(&format!("start {mirror}"));
    read(lab, "primary", "many", "twice", READ);
    lab.secondary()
        .until_it_is_past("primary.many", MANY - 1, CROSSING);
    until("all is copied, and the group noted", CROSSING, || {
        let values = lab.secondary().values("primary.many");
        let told = Told::of(lab, THERE, "twice")?;
        (values.last()? == &MANY.to_string() && told.offsets().1.is_some()).then_some(())
    });
    // from here on nobody moves the group but its reader
    docker(&format!("pause {mirror}"));
    let told = Told::of(lab, THERE, "twice").unwrap().0;
    let all = lab.secondary().end("primary.many");
    let seen = go_on(lab, "primary.many", "twice");
    docker(&format!("unpause {mirror}"));
    let repeated = seen.iter().filter(|number| **number <= READ).count() as u64;
    let again = told["redelivered"].as_u64().unwrap();
    println!(
        "  MEASURED {all} copies of {MANY}: told {again} (exact: {}), delivered again {repeated}",
        told["redelivered_exact"]
    );
    if told["redelivered_exact"] == true {
        assert_eq!(repeated, again, "{told}");
    } else {
        assert!(repeated <= again, "{repeated} {told}");
    }
    assert!(seen.contains(&(READ + 1)) && seen.contains(&MANY));
}

/// A group that stands between two syncs: its name, its place, and what is told of it. Where MirrorMaker has syncs is its
/// own choice; a group that stands right at one goes on exactly.
fn between_syncs(lab: &Lab) -> (String, u64, Told) {
    for place in [300, 287, 333, 261, 350] {
        let group = format!("behind-{place}");
        read(lab, "primary", "orders", &group, place);
        let told = Told::when_any(lab, THERE, &group, &["sparse_syncs", "in_sync"]);
        if told.0["why"] == serde_json::json!(["sparse_syncs"]) {
            return (group, place, told);
        }
        assert_eq!(told.exactly(), (0, 0));
    }
    panic!("there is a sync at each of these places");
}

fn numbers(from: u64, to: u64) -> String {
    let numbers: Vec<String> = (from..=to).map(|number| number.to_string()).collect();
    numbers.join("\n") + "\n"
}

fn send(kcat: &Kcat, topic: &str, from: u64, to: u64) {
    kcat.produce(topic, &numbers(from, to));
}

fn read(lab: &Lab, cluster: &str, topic: &str, group: &str, count: u64) {
    lab.kmk(&format!(
        "consume --topic {topic} --cluster {cluster} --group {group} --messages {count}"
    ))
    .code(0);
}

/// The group resumes on the target; what it reads there.
fn go_on(lab: &Lab, topic: &str, group: &str) -> Vec<u64> {
    let line = format!("consume --topic {topic} --cluster secondary --group {group}");
    let lines = lab.kmk(&line).code(0).lines();
    lines.iter().map(|line| line.parse().unwrap()).collect()
}

/// Kafka's own tool sees the same places on both sides.
#[track_caller]
fn assert_offsets(lab: &Lab, group: &str, told: &Told) {
    let offset = |cluster: &str, topic: &str| {
        let line =
            format!("--bootstrap-server {cluster}:9092 --describe --offsets --group {group}");
        let tool = "kafka-consumer-groups.sh";
        let text = kafka_tool(&lab.container(cluster), tool, &line, b"");
        // GROUP TOPIC PARTITION CURRENT-OFFSET …
        let rows = text
            .lines()
            .map(|row| row.split_whitespace().collect::<Vec<_>>());
        let mut mine = rows.filter(|row| row.len() > 3 && row[..3] == [group, topic, "0"]);
        mine.next().and_then(|row| row[3].parse().ok())
    };
    let seen = (
        offset("primary", "orders"),
        offset("secondary", "primary.orders"),
    );
    println!("  {group}: {seen:?}");
    assert_eq!(told.offsets(), seen, "{group}");
}
