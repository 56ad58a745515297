//! Records that are silently lost, by Kafka's own tools, while MirrorMaker continues as if nothing had happened: the next look
//! tells it, from what was seen last. kcat counts what is missing.

use crate::engine::{docker, docker_words};
use crate::kcat::CROSSING;
use crate::lab::{Lab, kafka_tool};
use crate::process::until;
use kafka_mirror_kit::core::topology::NEXT_KAFKA_VERSION;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const MIRRORMAKER: &str = "mm2-secondary";

#[test]
#[ignore = "needs Docker"]
fn what_was_removed_before_it_was_copied_is_told_after_mirrormaker_went_on() {
    removed_before_it_was_copied(&Lab::deployed("silent-purged", ""));
}

fn removed_before_it_was_copied(lab: &Lab) {
    lab.primary().produce("orders", &lines(0, 100));
    mirrored(lab, 100);
    lab.kmk("lag --max 0").code(0);

    docker(&format!("stop -t 10 {}", lab.container(MIRRORMAKER)));
    lab.primary().produce("orders", &lines(100, 250));
    println!("where the position still shows it, it is exact");
    let removal = r#"{"version":1,"partitions":[{"topic":"orders","partition":0,"offset":200}]}"#;
    let primary = lab.container("primary");
    docker_words(
        &[
            "exec",
            "-i",
            &primary,
            "sh",
            "-c",
            "cat > /tmp/removal.json",
        ],
        removal.as_bytes(),
    );
    let line = "--bootstrap-server primary:9092 --offset-json-file /tmp/removal.json";
    kafka_tool(&primary, "kafka-delete-records.sh", line, b"");
    told(
        lab,
        "100 records of `orders` removed on primary before they were mirrored: partition 0 begins at 200, and MirrorMaker's position is 99",
    );

    println!("and after MirrorMaker has gone on it is told all the same");
    docker(&format!("start {}", lab.container(MIRRORMAKER)));
    mirrored(lab, 150);
    assert_eq!(missing(lab, 250), 100);
    let loss =
        "at least 100 records of `orders` removed on primary before they were mirrored, between 20";
    told(lab, loss);
    told(lab, loss);
    // whatever else is mirrored and removed by then
    lab.primary().produce("orders", &lines(250, 300));
    mirrored(lab, 200);
    told(lab, loss);

    println!("until a deploy has taken note");
    lab.kmk("deploy").code(1).says(loss);
    lab.kmk("lag --max 0").code(0);
    lab.kmk("status").code(0);
    lab.kmk("explain orders").code(0);

    println!("a journal is nothing on a cluster, and is gone with the lab");
    assert!(
        lab.remains()
            .iter()
            .any(|thing| thing.contains("_journal-"))
    );
    lab.kmk("destroy").code(0);
    lab.assert_gone();
}

#[test]
#[ignore = "needs Docker"]
fn a_topic_recreated_between_two_looks_is_reported_with_what_was_passed_over() {
    recreated_between_two_looks(&Lab::deployed("silent-recreated", ""));
}

fn recreated_between_two_looks(lab: &Lab) {
    lab.primary().produce("orders", &lines(0, 100));
    mirrored(lab, 100);
    lab.kmk("lag --max 0").code(0);

    println!("one that grew beyond the old position");
    docker(&format!("stop -t 10 {}", lab.container(MIRRORMAKER)));
    topic(lab, "--delete --topic orders");
    topic(lab, "--create --topic orders --partitions 1");
    lab.primary().produce("orders", &lines(1_000, 1_150));
    docker(&format!("start {}", lab.container(MIRRORMAKER)));
    mirrored(lab, 150);
    let copied: BTreeSet<String> = lab
        .secondary()
        .values("primary.orders")
        .into_iter()
        .collect();
    let there = (1_000..1_150).filter(|n: &i32| copied.contains(&n.to_string()));
    assert_eq!(there.count(), 50, "100 are missing");
    told(
        lab,
        "at least 100 records of `orders` never mirrored: it was deleted and recreated on primary between 20",
    );
    println!("the advice brings them, and the loss is no longer reported");
    lab.kmk("topic delete primary.orders --cluster secondary --force")
        .code(0);
    mirrored(lab, 150);
    lab.kmk("lag --max 0").code(0);
    lab.kmk("status").code(0);

    println!("one of which nothing is missing");
    topic(lab, "--delete --topic orders");
    topic(lab, "--create --topic orders --partitions 1");
    lab.primary().produce("orders", &lines(0, 10));
    until("MirrorMaker has found out", CROSSING, || {
        (lab.secondary().end("primary.orders") >= 160).then_some(())
    });
    until("it is noted", CROSSING, || {
        let lag = lab.command("lag --max 0").output().unwrap();
        lag.status.success().then_some(())
    });
    lab.kmk("lag")
        .code(0)
        .says("note: primary->secondary: `orders` was deleted and recreated on primary between 20");
}

#[test]
#[ignore = "needs Docker"]
fn an_end_that_moved_back_is_told() {
    end_that_moved_back(&Lab::deployed("silent-back", ""));
}

fn end_that_moved_back(lab: &Lab) {
    let primary = lab.container("primary");
    lab.primary().produce("orders", &lines(0, 100));
    mirrored(lab, 100);
    docker(&format!("stop -t 20 {primary}"));
    in_data(lab, "cp -a /data/kmk/orders-0 /data/saved");
    docker(&format!("start {primary}"));
    lab.primary().until_it_answers();
    lab.primary().produce("orders", &lines(100, 150));
    mirrored(lab, 150);
    lab.kmk("lag --max 0").code(0);

    println!("the broker comes back with the partition as it was before");
    let mirror = lab.container(MIRRORMAKER);
    docker(&format!("stop -t 10 {mirror}"));
    docker(&format!("stop -t 20 {primary}"));
    in_data(
        lab,
        "rm -r /data/kmk/orders-0 /data/kmk/*checkpoint* && mv /data/saved /data/kmk/orders-0",
    );
    docker(&format!("start {primary}"));
    lab.primary().until_it_answers();
    assert_eq!(lab.primary().end("orders"), 100);
    let back = "primary has lost the newest 50 records of `orders`: its end moved back between 20";
    told(lab, back);
    told(
        lab,
        "MirrorMaker's position 149 is beyond the end of `orders`, 100: primary has lost its newest records",
    );
    docker(&format!("start {mirror}"));
    println!("and after it has grown past where it was");
    lab.primary().produce("orders", &lines(200, 300));
    assert_eq!(lab.primary().end("orders"), 200);
    told(lab, back);
}

/// Runs a script where the volume of the source's broker is `/data`.
fn in_data(lab: &Lab, script: &str) {
    let volume = format!("kmk-{}_primary-data:/data", lab.name);
    let format = "inspect --format {{.Config.Image}}";
    let image = docker(&format!("{format} {}", lab.container("primary")));
    let run = [
        "run",
        "--rm",
        "--user",
        "0",
        "-v",
        &volume,
        "--entrypoint",
        "sh",
        &image,
        "-c",
        script,
    ];
    docker_words(&run, b"");
}

fn lines(from: usize, to: usize) -> String {
    let lines: Vec<String> = (from..to).map(|n| n.to_string()).collect();
    lines.join("\n") + "\n"
}

/// Kafka's own tool for topics, on the source.
fn topic(lab: &Lab, line: &str) {
    let line = format!("--bootstrap-server primary:9092 {line}");
    kafka_tool(&lab.container("primary"), "kafka-topics.sh", &line, b"");
}

/// Waits until the mirrored topic has so many records. kmk is not asked: it would look.
#[track_caller]
fn mirrored(lab: &Lab, records: u64) {
    let secondary = lab.secondary();
    secondary.until_it_is_past("primary.orders", records - 1, 2 * CROSSING);
    assert_eq!(secondary.end("primary.orders"), records);
    // and MirrorMaker has committed that
    std::thread::sleep(std::time::Duration::from_millis(300));
}

/// How many of the first so many numbers were never mirrored.
fn missing(lab: &Lab, numbers: usize) -> usize {
    let copied: BTreeSet<String> = lab
        .secondary()
        .values("primary.orders")
        .into_iter()
        .collect();
    let numbers = 0..numbers;
    numbers
        .filter(|number| !copied.contains(&number.to_string()))
        .count()
}

fn orders(lag: &Value) -> Option<&Value> {
    let mut topics = lag["flows"][0]["topics"].as_array()?.iter();
    topics.find(|topic| topic["source"] == "orders")
}

/// Every verb says it, and says no.
#[track_caller]
fn told(lab: &Lab, loss: &str) {
    lab.kmk("lag").code(1).says(loss);
    lab.kmk("status").code(1).prints("NOT HEALTHY").prints(loss);
    lab.kmk("explain orders").code(1).prints(loss);
    let status = lab.kmk("status --json").code(1).json();
    assert_eq!(status["healthy"], json!(false));
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn silent_loss_on_the_newest_kafka() {
        let kafka = format!("--kafka-version {NEXT_KAFKA_VERSION}");
        removed_before_it_was_copied(&Lab::deployed("silent-next", &kafka));
        recreated_between_two_looks(&Lab::deployed("silent-next", &kafka));
        end_that_moved_back(&Lab::deployed("silent-next", &kafka));
    }

    #[test]
    #[ignore = "needs Docker"]
    fn what_retention_removed_between_two_looks_is_told() {
        let lab = Lab::deployed("silent-retention", "");
        let settings = "--config segment.bytes=102400 --config retention.ms=-1";
        lab.kmk(&format!("topic create orders --partitions 1 {settings}"))
            .code(0);
        lab.primary().produce("orders", &lines(0, 100));
        mirrored(&lab, 100);
        lab.kmk("lag --max 0").code(0);
        docker(&format!("stop -t 10 {}", lab.container(MIRRORMAKER)));
        // more than a segment, in batches that fit one
        for from in (100..10_100).step_by(2_000) {
            lab.primary().produce("orders", &lines(from, from + 2_000));
        }
        let primary = lab.container("primary");
        let alter = "--bootstrap-server primary:9092 --alter --entity-type topics --entity-name orders --add-config retention.bytes=1";
        kafka_tool(&primary, "kafka-configs.sh", alter, b"");
        // the broker looks every five minutes, and half a minute after its start
        docker(&format!("restart -t 20 {primary}"));
        let first = until("retention has removed records", 2 * CROSSING, || {
            let lag = lab.command("lag --json").output().unwrap();
            let lag: Value = serde_json::from_slice(&lag.stdout).ok()?;
            let first = orders(&lag)?["partitions"][0]["first"].as_u64()?;
            (first > 100).then_some(first)
        });
        docker(&format!("start {}", lab.container(MIRRORMAKER)));
        lab.primary().produce("orders", "last\n");
        mirrored(&lab, 10_101 - (first - 100));
        let lost = first - 100;
        told(
            &lab,
            &format!(
                "at least {lost} records of `orders` removed on primary before they were mirrored, between 20"
            ),
        );
    }
}
