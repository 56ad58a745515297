//! `kmk verify` while things break: what comes back costs nothing but time, and what does not is told.

use crate::engine::docker;
use crate::lab::{Lab, kafka_tool};
use crate::process::{PATIENCE, Running};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
#[ignore = "needs Docker"]
fn the_account_stays_right_when_things_break() {
    let lab = Lab::deployed("verify-faults", "");
    // the topic is there, and MirrorMaker has seen it
    lab.kmk("verify --messages 100").code(0);
    mirror_maker_is_killed(&lab);
    a_broker_is_killed(&lab, "primary");
    a_broker_is_killed(&lab, "secondary");
    the_link_is_cut(&lab);
    partitions_are_added(&lab);
    the_copy_is_deleted(&lab);
    the_source_topic_is_deleted(&lab);
    the_target_takes_no_more(&lab);
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
    for none in ["missing", "reordered", "impossible"] {
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
        [_, acknowledged, arrived] => acknowledged - arrived,
        _ => 0,
    }
}

fn partitions_are_added(lab: &Lab) {
    println!("partitions are added");
    lab.kmk("topic create grows --partitions 1").code(0);
    let running = begun(lab, "--topic grows --rate 500/s --for 8s");
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
    assert_eq!(flow["account"]["foreign"]["of_no_run"], 1);
}

fn the_copy_is_deleted(lab: &Lab) {
    println!("the topic is deleted on the target");
    lab.kmk("topic create doomed --partitions 1").code(0);
    let running = begun(lab, "--topic doomed --rate 500/s --for 6s --timeout 10s");
    kafka_tool(
        &lab.container("secondary"),
        "kafka-topics.sh",
        "--bootstrap-server localhost:9092 --delete --topic primary.doomed",
        b"",
    );
    let ran = running.finish();
    let report = ran.json();
    let account = account(&report);
    let incidents = report["flows"][0]["incidents"].as_array().unwrap();
    println!("  {incidents:?}");
    let is_told = |what: &str| incidents.iter().any(|one| one["incident"] == what);
    // MirrorMaker makes it anew within moments; what had been read by then has arrived
    assert!(is_told("topic_remade"), "{incidents:?}");
    assert_eq!(report["verified"], account["missing"] == 0);
    assert_eq!(account["acknowledged"], account["sent"]);
    ran.code(i32::from(report["verified"] != true));
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
