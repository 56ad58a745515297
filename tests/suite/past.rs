//! Records that were lost between two looks, when MirrorMaker has gone on since: told from what the journal has.

use crate::docker::{Docker, Rule, UP};
use crate::healthy::Well;
use crate::kmk::Kmk;
use kmk_kafka::testing::FakeBroker;
use kmk_kafka::wait::{Interrupt, Limit};
use kmk_kafka::{Admin, NewTopic};
use serde_json::{Value, json};
use std::time::Duration;

const LOST: &str = "primary->secondary: at least 3 records of `orders` removed on primary before they were mirrored, between 20";
const RECREATED: &str = "primary->secondary: at least 3 records of `orders` never mirrored: it was deleted and recreated on primary between 20";

/// Three records in `orders`, all of them mirrored, and seen by kmk.
fn seen() -> Well {
    let lab = Well::of(Kmk::on(|kmk| {
        let docker = Docker::works().with(&kmk.lab()).rule(Rule::on("logs *"));
        docker.rules([UP, "stop *", "start *"].map(Rule::on))
    }));
    let lab = lab.and_orders();
    lab.kmk.run("lag --max 0").code(0);
    assert_eq!(written(&lab), 1);
    lab
}

/// How often a journal was written.
fn written(lab: &Well) -> usize {
    let calls = lab.kmk.noted("calls");
    let made = calls
        .iter()
        .filter(|call| call.starts_with("volume create "));
    made.filter(|call| call.contains("_journal-")).count()
}

fn limit() -> Limit {
    Limit::new(Duration::from_secs(20), &Interrupt::default())
}

fn admin(broker: &FakeBroker) -> Admin {
    Admin::connect(&[broker.endpoint()], &limit()).unwrap()
}

fn produce(lab: &Well, partition: i32, records: usize) {
    let records = vec![(None, Some("more")); records];
    lab.primary.append("orders", partition, &records);
}

/// Removes what lies before an offset of the first partition, as retention does.
fn purge(lab: &Well, before: i64) {
    let places = [(("orders".to_owned(), 0), before)].into();
    admin(&lab.primary)
        .delete_records(&places, &limit())
        .unwrap();
}

fn until_copied(lab: &Well, records: i64) {
    while lab.secondary.end("primary.orders", 0) < records {
        std::thread::yield_now();
    }
}

/// Both verbs say it and say no, and so does `explain`.
fn told(lab: &Well, loss: &str) {
    lab.kmk.run("lag").code(1).stderr_has(loss);
    let status = lab.kmk.run("status").code(1);
    status
        .stdout_has("NOT HEALTHY")
        .stdout_has(&format!("  - flow {loss}"));
    let part = loss.strip_prefix("primary->secondary: ").unwrap();
    lab.kmk.run("explain orders").code(1).stdout_has(part);
}

fn orders(lab: &Well) -> Value {
    let lag: Value = serde_json::from_str(lab.kmk.run("lag --json").text()).unwrap();
    let topics = lag["flows"][0]["topics"].as_array().unwrap().clone();
    topics
        .into_iter()
        .find(|topic| topic["source"] == "orders")
        .unwrap()
}

#[test]
fn what_was_removed_before_it_was_copied_is_told_when_mirrormaker_has_gone_on() {
    let lab = seen();
    {
        let _held = lab.mirror.as_ref().unwrap().hold();
        produce(&lab, 0, 5);
        purge(&lab, 5);
        // where the position still shows it, it is counted
        told(
            &lab,
            "primary->secondary: 3 records of `orders` removed on primary before they were mirrored: partition 0 begins at 5, and MirrorMaker's position is 1\n",
        );
    }
    until_copied(&lab, 4);
    told(&lab, LOST);
    let past = &orders(&lab)["between_looks"];
    assert_eq!(
        (&past["never_copied"], &past["recreated"]),
        (&json!(3), &json!(false))
    );
    let times = written(&lab);
    told(&lab, LOST);
    assert_eq!(written(&lab), times, "nothing is new");

    lab.kmk.run("deploy").code(1).stderr_has(LOST);
    lab.kmk.run("lag --max 0").code(0).stderr_lacks("orders");
    lab.kmk.run("status").code(0);
}

#[test]
fn what_is_removed_after_it_was_copied_is_no_loss() {
    let lab = seen();
    for round in 1..4 {
        produce(&lab, 0, 5);
        until_copied(&lab, 2 + 5 * round);
        purge(&lab, 2 + 5 * round);
        lab.kmk.run("lag --max 0").code(0).stderr_lacks("orders");
    }
    let times = written(&lab);
    lab.kmk.run("status").code(0);
    assert_eq!(
        written(&lab),
        times,
        "positions alone are no reason within a minute"
    );
}

#[test]
fn a_recreated_topic_is_reported_with_what_was_passed_over() {
    let lab = seen();
    {
        let _held = lab.mirror.as_ref().unwrap().hold();
        let mut admin = admin(&lab.primary);
        admin.delete_topic("orders", &limit()).unwrap();
        let orders = NewTopic {
            name: "orders".to_owned(),
            partitions: Some(2),
            replicas: Some(1),
            settings: [].into(),
        };
        admin.create_topic(&orders, &limit()).unwrap();
        produce(&lab, 0, 4);
        produce(&lab, 1, 1);
    }
    until_copied(&lab, 4);
    told(&lab, RECREATED);
    assert_eq!(orders(&lab)["between_looks"]["recreated"], true);
    lab.kmk.run("topic delete orders").code(0);
    lab.kmk.run("lag --max 0").code(0).stderr_lacks("orders");
}

#[test]
fn what_kmk_itself_removes_is_told_once() {
    let lab = seen();
    {
        let _held = lab.mirror.as_ref().unwrap().hold();
        produce(&lab, 0, 5);
        lab.kmk
            .run("topic truncate orders --before 5 --partition 0")
            .code(0)
            .stderr_has("up to 3 records had not been mirrored to secondary, and never will be");
    }
    until_copied(&lab, 4);
    lab.kmk.run("lag --max 0").code(0).stderr_lacks("orders");
}

#[test]
fn a_journal_that_cannot_be_written_keeps_nobody_from_looking() {
    let lab = Well::of(Kmk::on(|kmk| {
        let docker = Docker::works().with(&kmk.lab()).rule(Rule::on("logs *"));
        docker.rule(Rule::on("volume create *_journal-*").fails(1, "no space left\n"))
    }));
    let lab = lab.and_orders();
    lab.kmk.run("lag --max 0").code(0).stderr("");
    lab.kmk.run("status").code(0).stderr("");
}
