//! `kmk verify` while things break: what comes back costs nothing but time, and what does not is told.

use crate::engine::docker;
use crate::lab::{Lab, kafka_tool};
use crate::process::{PATIENCE, Running};
use crate::verify::missing;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
#[ignore = "needs Docker"]
fn the_account_stays_right_when_things_break() {
    let lab = Lab::deployed("verify-faults", "");
    // the topic is there, and MirrorMaker has seen it
    lab.kmk("verify --messages 100").code(0);
    mirror_maker_is_killed(&lab);
    mirror_maker_is_killed_as_the_last_record_arrives(&lab);
    a_broker_is_killed(&lab, "primary");
    partitions_are_added(&lab);
    the_copy_is_deleted(&lab);
    the_source_topic_is_deleted(&lab);
    the_target_takes_no_more(&lab);
}

/// What comes back, once more.
mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn the_account_stays_right_when_the_target_or_the_link_comes_back() {
        let lab = Lab::deployed("verify-faults", "");
        lab.kmk("verify --messages 100").code(0);
        a_broker_is_killed(&lab, "secondary");
        the_link_is_cut(&lab);
    }
}

/// A run that has begun to arrive.
fn begun(lab: &Lab, line: &str) -> Running {
    let mut running = lab.start(&format!("verify --json {line}"));
    running.until_it_says("acknowledged, arrived: ");
    running
}

fn account(report: &Value) -> &Value {
    let account = &report["flows"][0]["account"];
    let counts = [
        "sent",
        "acknowledged",
        "arrived",
        "missing",
        "duplicated",
        "unacknowledged_present",
        "unacknowledged_absent",
    ];
    for count in counts {
        println!("  {count}: {}", account[count]);
    }
    account
}

/// Nothing is missing, whatever happened, and the witness counts the same.
fn all_there(report: &Value) {
    let account = account(report);
    assert_eq!(
        (&report["verified"], &report["end"]),
        (&json!(true), &json!("complete"))
    );
    for none in ["missing", "reordered", "never_sent"] {
        assert_eq!(account[none], 0, "{none}");
    }
    assert_eq!(account["acknowledged"], account["sent"]);
    assert_eq!(account["arrived"], account["sent"]);
}

fn mirror_maker_is_killed(lab: &Lab) {
    println!("MirrorMaker is killed at full speed");
    let mirror = lab.container("mm2-secondary");
    lab.kmk("topic create killed --partitions 3").code(0);
    let running = begun(lab, "--topic killed --for 3s --timeout 60s");
    docker(&format!("kill {mirror}"));
    docker(&format!("start {mirror}"));
    let report = running.finish().code(0).json();
    all_there(&report);
    let account = account(&report);
    let deliveries = ["arrived", "duplicated"].map(|name| account[name].as_u64().unwrap());
    let there = lab.secondary().read("primary.killed", "%p").len() as u64;
    assert_eq!(deliveries.iter().sum::<u64>(), there, "what kcat counts");
}

/// What it had copied and not noted comes once more when it is back: the run must not be over by then.
fn mirror_maker_is_killed_as_the_last_record_arrives(lab: &Lab) {
    const SENT: u64 = 3_000;
    println!("MirrorMaker is killed as the last record arrives");
    let (mirror, notes) = (
        lab.container("mm2-secondary"),
        "mm2-offsets.primary.internal",
    );
    let set = |limit: &str| {
        let config = format!("--cluster secondary --config max.message.bytes={limit} --force");
        lab.kmk(&format!("topic alter {notes} {config}")).code(0);
    };
    lab.kmk("topic create last --partitions 1").code(0);
    lab.kmk("verify --topic last --messages 100 --exactly-once")
        .code(0);
    let begin = lab.secondary().end("primary.last");
    // none of its notes is taken
    set("10");
    let line = format!("--topic last --messages {SENT} --exactly-once --timeout 60s");
    let running = begun(lab, &line);
    lab.secondary()
        .until_it_is_past("primary.last", begin + SENT - 1, PATIENCE);
    docker(&format!("kill {mirror}"));
    set("1048588");
    docker(&format!("start {mirror}"));
    let report = running.finish().code(1).json();
    let account = account(&report);
    assert_eq!(
        (&report["end"], &account["missing"]),
        (&json!("complete"), &json!(0))
    );
    let duplicated = account["duplicated"].as_u64().unwrap();
    assert!(duplicated > 0);
    assert_eq!(
        lab.secondary().end("primary.last"),
        begin + SENT + duplicated
    );
    // and none comes later: the next record lies right behind them
    lab.primary().produce("last", "behind\n");
    lab.secondary()
        .until_it_is_past("primary.last", begin + SENT + duplicated, PATIENCE);
    assert_eq!(
        lab.secondary().values("primary.last").pop().unwrap(),
        "behind"
    );
    assert_eq!(
        lab.secondary().end("primary.last"),
        begin + SENT + duplicated + 1
    );

    println!("it is killed, and stays away");
    set("10");
    let running = begun(
        lab,
        "--topic last --messages 100 --exactly-once --timeout 4s",
    );
    let end = begin + SENT + duplicated + 100;
    lab.secondary()
        .until_it_is_past("primary.last", end, PATIENCE);
    docker(&format!("kill {mirror}"));
    let report = running.finish().code(1).json();
    let unknown = report["flows"][0]["unknown"].as_str().unwrap();
    assert!(unknown.starts_with("more may still come: "), "{unknown}");
    assert_eq!(report["flows"][0]["account"]["duplicated"], 0);
    set("1048588");
    docker(&format!("start {mirror}"));
}

fn a_broker_is_killed(lab: &Lab, cluster: &str) {
    println!("the broker of {cluster} is killed");
    let broker = lab.container(cluster);
    let running = begun(lab, "--rate 2000/s --for 3s --timeout 60s");
    docker(&format!("kill {broker}"));
    docker(&format!("start {broker}"));
    all_there(&running.finish().code(0).json());
}

fn the_link_is_cut(lab: &Lab) {
    println!("the link is cut");
    let (network, mirror) = (lab.network("primary"), lab.container("mm2-secondary"));
    let mut running = begun(lab, "--rate 2000/s --for 4s --timeout 60s");
    docker(&format!("network disconnect {network} {mirror}"));
    running.until("records wait", |running| {
        let said = running.stderr();
        said.lines()
            .last()
            .is_some_and(|line| waiting(line) > 1_000)
    });
    docker(&format!("network connect {network} {mirror}"));
    all_there(&running.finish().code(0).json());
}

/// How many records have not arrived: `2.0 s of 4.0 s: 300 sent, 290 acknowledged, arrived: 250 through a->b`.
fn waiting(line: &str) -> u64 {
    let counts = line.split_once(": ").map_or("", |(_, counts)| counts);
    let numbers: Vec<u64> = counts
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    match numbers[..] {
        [_, acknowledged, arrived] => acknowledged.saturating_sub(arrived),
        _ => 0,
    }
}

fn partitions_are_added(lab: &Lab) {
    println!("partitions are added");
    lab.kmk("topic create grows --partitions 1").code(0);
    let running = begun(lab, "--topic grows --rate 500/s --for 5s");
    lab.kmk("topic alter grows --partitions 2").code(0);
    lab.primary().produce_with("grows", "-p 1", "hello\n");
    let report = running.finish().code(0).json();
    all_there(&report);
    let flow = &report["flows"][0];
    let added = &flow["incidents"][0];
    assert_eq!(
        (&added["incident"], &added["partition"]),
        (&json!("partition_added"), &json!(1))
    );
    assert_eq!(flow["account"]["unrelated"]["no_run"], 1);
}

fn the_copy_is_deleted(lab: &Lab) {
    println!("the topic is deleted on the target");
    lab.kmk("topic create doomed --partitions 1").code(0);
    let running = begun(lab, "--topic doomed --rate 500/s --for 4s --timeout 6s");
    kafka_tool(
        &lab.container("secondary"),
        "kafka-topics.sh",
        "--bootstrap-server localhost:9092 --delete --topic primary.doomed",
        b"",
    );
    let report = running.finish().code(1).json();
    let account = account(&report);
    let incidents = report["flows"][0]["incidents"].as_array().unwrap();
    println!("  {incidents:?}");
    let is_told = |what: &str| incidents.iter().any(|one| one["incident"] == what);
    // MirrorMaker makes it again within moments, and does not bring back what it had copied
    assert!(is_told("topic_recreated"), "{incidents:?}");
    assert_eq!(report["verified"], false);
    assert_eq!(account["acknowledged"], account["sent"]);
    let there: BTreeSet<u64> = (lab.secondary().values("primary.doomed").iter())
        .map(|value| value.split(' ').nth(4).unwrap().parse().unwrap())
        .collect();
    let lacking: Vec<u64> = (0..account["sent"].as_u64().unwrap())
        .filter(|number| !there.contains(number))
        .collect();
    assert!(!lacking.is_empty());
    assert_eq!(
        missing(&report["flows"][0], 0),
        lacking,
        "what kcat finds lacking"
    );
    assert_eq!(account["missing"], lacking.len());
    assert!(account["disappeared"].as_u64().unwrap() > 0);
}

fn the_source_topic_is_deleted(lab: &Lab) {
    println!("the topic is deleted on the source");
    lab.kmk("topic create short-lived --partitions 3").code(0);
    let running = begun(
        lab,
        "--topic short-lived --rate 500/s --for 30s --timeout 5s",
    );
    lab.kmk("topic delete short-lived").code(0);
    let ran = running.finish().code(1);
    let report = ran.json();
    account(&report);
    println!("  {}", report["sources"][0]["gave_up"]);
    assert!(report["sources"][0]["gave_up"].is_string());
    assert!(ran.took < Duration::from_secs(45), "{:?}", ran.took);
}

fn the_target_takes_no_more(lab: &Lab) {
    println!("the target refuses the records");
    lab.kmk("topic create large --partitions 1").code(0);
    lab.kmk("verify --topic large --messages 10").code(0);
    lab.kmk(
        "topic alter primary.large --cluster secondary --config max.message.bytes=1000 --force",
    )
    .code(0);
    let end = lab.secondary().end("primary.large");
    let ran = lab
        .kmk("verify --topic large --messages 50 --size 2000 --timeout 5s")
        .code(1);
    ran.prints("\nNOT VERIFIED: primary->secondary: 50 of 50 records missing\n")
        .prints("missing")
        .prints("0-49")
        .says("kmk status");
    lab.secondary()
        .until_it_is_past("primary.large", end - 1, PATIENCE);
    assert_eq!(lab.secondary().end("primary.large"), end);
}
