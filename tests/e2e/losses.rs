//! Records that are lost, or would be: what kmk itself deletes or makes again is mirrored from its first record, and what
//! others removed is told, by every verb, with exit code 1. kcat counts.

use crate::engine::{docker, docker_words};
use crate::kcat::{CROSSING, Kcat};
use crate::lab::{Lab, kafka_tool};
use crate::process::{PATIENCE, until};
use kafka_mirror_kit::core::lab::lock::{Lock, runtime_directory};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const MIRRORMAKER: &str = "mm2-secondary";

#[test]
#[ignore = "needs Docker"]
fn what_is_made_again_is_mirrored_from_its_first_record() {
    let lab = Lab::deployed("losses-again", "");
    let sent = |from: usize, to: usize| (from..to).map(|n| n.to_string()).collect::<BTreeSet<_>>();
    lab.primary().produce("orders", &lines(0, 1_000));
    lab.secondary().until_it_ends_at("primary.orders", 1_000);
    until_noted(&lab);

    println!("a topic is deleted with kmk, and made again");
    lab.kmk("topic delete orders")
        .code(0)
        .says("MirrorMaker's positions for it on secondary were reset");
    lab.primary().produce("orders", &lines(1_000, 3_000));
    lab.secondary().until_it_ends_at("primary.orders", 3_000);
    assert_eq!(
        lab.secondary().values("primary.orders"),
        sorted(0, 3_000),
        "each once, and none passed over"
    );
    until_noted(&lab);

    println!("the source's volume is lost");
    lose(&lab, "primary");
    lab.kmk("deploy")
        .code(1)
        .says("primary lost its data")
        .says("MirrorMaker's positions for primary on secondary were reset");
    lab.primary().produce("orders", &lines(3_000, 8_000));
    lab.secondary().until_it_ends_at("primary.orders", 8_000);
    lab.secondary()
        .until_it_has("primary.orders", &sent(0, 8_000), CROSSING);
    until_noted(&lab);

    println!("the target's volume is lost");
    lose(&lab, "secondary");
    lab.kmk("deploy")
        .code(1)
        .says("secondary lost its data")
        .says("MirrorMaker mirrors to secondary again everything that primary still has");
    lab.secondary().until_it_ends_at("primary.orders", 5_000);
    let told = kafka_tool(
        &lab.container("secondary"),
        "kafka-configs.sh",
        "--bootstrap-server secondary:9092 --describe --entity-type topics --entity-name mm2-offsets.primary.internal",
        b"",
    );
    assert!(told.contains("cleanup.policy=compact"), "{told}");
    // and the flow survives the next start of MirrorMaker
    docker(&format!("restart -t 5 {}", lab.container(MIRRORMAKER)));
    lab.primary().produce("orders", &lines(8_000, 8_010));
    lab.secondary()
        .until_it_has("primary.orders", &sent(3_000, 8_010), CROSSING);
    until("all is well", PATIENCE, || {
        let status = lab.command("status").output().unwrap();
        status.status.success().then_some(())
    });
}

#[test]
#[ignore = "needs Docker"]
fn what_others_removed_is_told_and_no_lab_is_healthy_that_has_lost_it() {
    let lab = Lab::deployed("losses-told", "");
    let topics = ["gone", "cut", "old", "longer"];
    for topic in topics {
        lab.primary().produce(topic, &lines(0, 100));
    }
    for topic in topics {
        lab.secondary()
            .until_it_ends_at(&format!("primary.{topic}"), 100);
    }
    until_noted(&lab);
    lab.kmk("lag --max 0").code(0);
    let topic = |cluster: &str, line: &str| {
        let line = format!("--bootstrap-server {cluster}:9092 {line}");
        kafka_tool(&lab.container(cluster), "kafka-topics.sh", &line, b"");
    };

    println!("mirrored topics are deleted, and truncated");
    topic("secondary", "--delete --topic primary.gone");
    lab.primary().produce("gone", "more\n");
    lab.secondary().until_it_ends_at("primary.gone", 1);
    lab.kmk("topic truncate primary.cut --before end --cluster secondary --force")
        .code(0)
        .says("they are lost on secondary");
    until_noted(&lab);
    told(
        &lab,
        "100 records of `gone` lost on secondary: mirrored topic `primary.gone` was deleted and recreated",
    );
    told(
        &lab,
        "100 records of `cut` lost on secondary: mirrored topic `primary.cut` was truncated",
    );
    assert_eq!(answer(&lab, "gone", 1), "mirrored_records_lost");
    assert_eq!(answer(&lab, "cut", 1), "mirrored_records_lost");
    assert_eq!(lab.kmk("status --json").code(1).json()["healthy"], false);

    println!("what is advised brings them back, each once");
    for (name, count) in [("gone", 101), ("cut", 100)] {
        lab.kmk(&format!(
            "topic delete primary.{name} --cluster secondary --force"
        ))
        .code(0)
        .says(&format!("mirrors `{name}` from primary again"));
        lab.secondary()
            .until_it_ends_at(&format!("primary.{name}"), count);
    }
    until_noted(&lab);
    lab.kmk("lag --max 0").code(0);

    println!(
        "the source drops what was not mirrored, and is made again, while MirrorMaker is away"
    );
    docker(&format!("stop -t 5 {}", lab.container(MIRRORMAKER)));
    lab.primary().produce("old", &lines(100, 250));
    lab.kmk("topic truncate old --before end")
        .code(0)
        .says("up to 150 records had not been mirrored to secondary");
    for name in ["gone", "longer"] {
        topic("primary", &format!("--delete --topic {name}"));
    }
    lab.primary().produce("gone", &lines(0, 3));
    lab.primary().produce("longer", &lines(1_000, 1_150));
    let beyond = "MirrorMaker's position 100 is beyond the end of `gone`, 3";
    lab.kmk("lag --max 1000").code(1).says(beyond);
    lab.kmk("deploy")
        .code(1)
        .says("MirrorMaker's positions for gone were reset")
        .says("150 records of `old` removed on primary before they were mirrored");
    lab.secondary().until_it_ends_at("primary.gone", 104);
    lab.secondary().until_it_ends_at("primary.longer", 150);
    until_noted(&lab);
    told(
        &lab,
        "150 records of `old` removed on primary before they were mirrored: partition 0 begins at 250, and MirrorMaker's position is 99",
    );
    assert_eq!(answer(&lab, "old", 1), "never_copied");
    // 100 of 150 never came: its position is at the end, and its first record is not there
    assert_eq!(answer(&lab, "longer", 1), "started_midway");
    assert_eq!(answer(&lab, "gone", 0), "up_to_date");
    lab.primary().produce("old", "again\n");
    lab.secondary().until_it_ends_at("primary.old", 101);
}

#[test]
#[ignore = "needs Docker"]
fn a_topic_that_is_not_deleted_is_not_mirrored_again() {
    let lab = Lab::deployed("losses-kept", "");
    lab.primary().produce("orders", &lines(0, 1_000));
    lab.secondary().until_it_ends_at("primary.orders", 1_000);
    until_noted(&lab);
    let mirror = lab.container(MIRRORMAKER);
    let is = |what: &str| {
        let format = format!("{{{{.State.{what}}}}}");
        docker_words(&["inspect", "--format", &format, &mirror], b"")
    };
    let (delete, began) = (
        "topic delete primary.orders --cluster secondary --force",
        is("StartedAt"),
    );

    println!("another kmk is at it");
    let engine = docker("info --format {{.ID}}");
    let lock = Lock::take(&runtime_directory(), &engine, &lab.name, "deploy").unwrap();
    lab.kmk(delete).code(3).says("is in use by kmk deploy");
    drop(lock);
    assert_eq!(is("StartedAt"), began, "it is left alone");

    println!("interrupted while MirrorMaker stops");
    let mut running = lab.start(delete);
    running.until("MirrorMaker is being stopped", |_| {
        docker(&format!("logs {mirror}")).contains("Kafka MirrorMaker stopping")
    });
    running.interrupt();
    running.finish().code(130);
    assert_ne!(is("StartedAt"), began);
    assert_eq!(is("Running"), "true");
    lab.primary().produce("orders", "1000\n");
    lab.secondary()
        .until_it_is_past("primary.orders", 1_000, CROSSING);
    until_noted(&lab);
    assert_eq!(lab.secondary().values("primary.orders"), sorted(0, 1_001));

    println!("a name that is none, while MirrorMaker hangs");
    docker(&format!("pause {mirror}"));
    let asked = Instant::now();
    lab.kmk("topic delete ordrs")
        .code(2)
        .says("no topic `ordrs`");
    assert!(asked.elapsed() < Duration::from_secs(5), "{asked:?}");
    assert_eq!(is("Paused"), "true", "it is left alone");
    docker(&format!("unpause {mirror}"));
}

fn lines(from: usize, to: usize) -> String {
    sorted(from, to).join("\n") + "\n"
}

fn sorted(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| n.to_string()).collect()
}

/// Loses a cluster: container and volume.
fn lose(lab: &Lab, cluster: &str) {
    docker(&format!("rm -f {}", lab.container(cluster)));
    docker(&format!("volume rm kmk-{}_{cluster}-data", lab.name));
}

/// Waits until MirrorMaker has noted all that it has copied.
#[track_caller]
fn until_noted(lab: &Lab) {
    until("nothing is left to copy", CROSSING, || {
        let ran = lab.command("lag --json").output().unwrap();
        let lag: serde_json::Value = serde_json::from_slice(&ran.stdout).ok()?;
        (lag["flows"][0]["behind"] == 0).then_some(())
    });
}

/// Both verbs say it, and both say no.
#[track_caller]
fn told(lab: &Lab, loss: &str) {
    lab.kmk("lag --max 0").code(1).says(loss);
    lab.kmk("status").code(1).prints("NOT HEALTHY").prints(loss);
}

#[track_caller]
fn answer(lab: &Lab, topic: &str, code: i32) -> String {
    let told = lab
        .kmk(&format!("explain {topic} --json"))
        .code(code)
        .json();
    told["flows"][0]["answer"].as_str().unwrap().to_owned()
}

impl Kcat {
    #[track_caller]
    fn until_it_ends_at(&self, topic: &str, end: u64) {
        self.until_it_is_past(topic, end - 1, CROSSING);
        assert_eq!(self.end(topic), end, "{topic}");
    }
}
