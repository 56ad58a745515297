//! The five commands, one after the other.

use crate::kcat::{CROSSING, Kcat};
use crate::lab::Lab;
use kafka_mirror_kit::core::topology::NEXT_KAFKA_VERSION;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
#[ignore = "needs Docker"]
fn the_five_commands_do_what_they_say() {
    main_line("main-line", "");
}

/// The same with other Kafkas: for `make matrix`.
mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn the_five_commands_on_kafka_4() {
        main_line(
            "main-line-4",
            &format!("--kafka-version {NEXT_KAFKA_VERSION}"),
        );
    }

    #[test]
    #[ignore = "needs Docker"]
    fn the_five_commands_from_kafka_3_to_4() {
        main_line(
            "main-line-3-to-4",
            &format!("--kafka-version secondary={NEXT_KAFKA_VERSION}"),
        );
    }

    #[test]
    #[ignore = "needs Docker"]
    fn the_five_commands_from_kafka_4_to_3() {
        main_line(
            "main-line-4-to-3",
            &format!("--kafka-version primary={NEXT_KAFKA_VERSION}"),
        );
    }
}

fn main_line(theme: &str, flags: &str) {
    let lab = Lab::new(theme);
    lab.deploy(flags)
        .code(0)
        .prints(&format!("Lab `{}` is up and replicates", lab.name))
        .prints(&lab.primary().0)
        .prints(&lab.secondary().0);
    assert_eq!(
        lab.mounted_volumes(),
        lab.volumes(),
        "no others, no anonymous ones"
    );

    lab.kmk("produce --topic my_topic --messages 10")
        .code(0)
        .prints("10 records acknowledged in topic `my_topic`");
    let consumed = lab
        .kmk("consume --topic primary.my_topic --cluster secondary --messages 10")
        .code(0)
        .lines();
    assert_eq!(consumed, lab.primary().values("my_topic"));
    assert_eq!(consumed.len(), 10);
    let on_primary = times(&lab.primary(), "my_topic");
    assert_eq!(on_primary, times(&lab.secondary(), "primary.my_topic"));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis();
    for (value, &time) in &on_primary {
        assert!(
            now.abs_diff(time) < CROSSING.as_millis(),
            "{value} is of {time}, and now is {now}"
        );
    }

    lab.kmk("status")
        .code(0)
        .prints("healthy")
        .prints("my_topic");
    let status = lab.kmk("status --json").code(0).json();
    assert_eq!(status["lab"], lab.name);
    assert_eq!(status["healthy"], true);
    assert_eq!(status["containers"].as_array().unwrap().len(), 3);
    assert_eq!(status["clusters"][0]["bootstrap"], lab.primary().0);
    assert_eq!(status["flows"][0]["name"], "primary->secondary");
    let topics = status["flows"][0]["topics"].as_array().unwrap();
    let mine = topics.iter().find(|topic| topic["source"] == "my_topic");
    assert_eq!(mine.unwrap()["remote"], "primary.my_topic");

    lab.kmk("destroy").code(0).prints("was removed in");
    lab.assert_gone();
    lab.kmk("destroy").code(0).prints("Nothing to remove: ");
    lab.kmk("status").code(3).says("there is no lab");
}

/// The time of every record in a topic, in ms, by value.
fn times(cluster: &Kcat, topic: &str) -> BTreeMap<String, u128> {
    let records = cluster.read(topic, "%T:%s");
    let split = records.iter().map(|record| record.split_once(':').unwrap());
    split
        .map(|(time, value)| (value.to_owned(), time.parse().unwrap()))
        .collect()
}
