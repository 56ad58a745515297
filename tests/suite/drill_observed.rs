//! Drills around producers and consumers of a person's own.

use crate::cycle::Healthy;
use crate::drill::{Lab, docker, report, spec};
use crate::kmk::Kmk;
use crate::mirror::Habits;
use crate::report::{Reports, flags};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const OBSERVE: &str =
    "drill failover --observe orders --observe-groups billing --warm-up 100ms --json";

/// A lab in whose topic `orders` there are four records in partition 1, of which group `billing` has read three.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.primary.topic("orders", 2, &[]);
    let four = [
        (None, Some("a")),
        (None, Some("b")),
        (None, Some("c")),
        (None, Some("d")),
    ];
    lab.primary.append("orders", 1, &four);
    lab.primary.commit("billing", "orders", 1, 3);
    lab
}

fn failed(report: &Value) -> Vec<(&str, &Value)> {
    let checks = report["checks"].as_array().unwrap().iter();
    let failed = checks.filter(|check| check["held"] == false);
    failed
        .map(|check| (check["expectation"].as_str().unwrap(), check))
        .collect()
}

#[test]
fn what_may_be_lost_and_when_everything_was_switched_is_seen_by_offsets() {
    let mut lab = lab();
    let ran = lab.killed(&format!("{OBSERVE} {}", flags()), |lab, _| {
        // MirrorMaker is gone, and had not come so far
        let more = [(None, Some("e")), (None, Some("f"))];
        lab.primary.append("orders", 1, &more);
        let secondary = Arc::clone(&lab.secondary);
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(1_500));
            secondary.append("orders", 0, &[(None, Some("new"))]);
            thread::sleep(Duration::from_millis(500));
            secondary.commit("billing", "orders", 1, 4);
        });
    });
    let ran = ran.code(0);
    let ran = ran.stderr_has("warning: switch your producers and consumers to 127.0.0.1:$SECONDARY now: producers to `orders`, groups billing to `orders`\n");
    for line in ["drill failback", "drill failback --dry-run --by rebuild"] {
        lab.kmk.run(line).code(2).stderr_has(
            "error: the failover of primary->secondary was around producers and consumers of your own: kmk cannot move them back",
        );
    }
    lab.kmk
        .run("status")
        .stderr_has("around your own producers and consumers; `kmk drill abort` takes it back");
    let report = report(&ran);
    assert_eq!(report["rpo_at_most"], 2, "{report:#}");
    let partitions = json!([
        {"partition": 0, "source_end": 0, "copied_to": null, "missing_at_most": 0},
        {"partition": 1, "source_end": 6, "copied_to": 4, "missing_at_most": 2},
    ]);
    let orders = &report["topics"][0];
    assert_eq!(orders["partitions"], partitions);
    let billing = &report["groups"][0];
    let place = json!({"topic": "orders", "partition": 1, "committed": 3, "synced": 3, "after": 4});
    assert_eq!(billing["offsets"][1], place);
    let seconds = |value: &Value| value.as_f64().unwrap();
    let (first, commit) = (
        seconds(&orders["first_write_seconds"]),
        seconds(&billing["first_commit_seconds"]),
    );
    // detected, and then switched one after the other
    assert!(first > 3.0 && commit > first + 0.3, "{first} {commit}");
    assert!((seconds(&report["rto_seconds"]) - commit).abs() < 1e-6);
    let reports = Reports::of(&lab.kmk);
    reports.agree("✓", "MEASURED", &[]);
    assert_eq!(reports.rows("Topics")[1][..4], ["orders-1", "6", "4", "2"]);
    let shown = format!("group billing: until its first commit from 0.0 s to {commit:.1} s");
    assert!(reports.pictures()[0].contains(&shown), "{shown}");
    lab.kmk.run("drill failover --dry-run").code(2);
}

#[test]
fn who_does_not_switch_in_time_is_named() {
    let mut lab = lab();
    let ran = lab.killed(&format!("{OBSERVE} --switch-within 300ms"), |_, _| {});
    let report = report(&ran.code(1));
    assert_eq!(report["rto_seconds"], Value::Null);
    let failed: Vec<&str> = failed(&report).into_iter().map(|(what, _)| what).collect();
    assert_eq!(failed, ["written", "committed"]);
}

#[test]
fn what_cannot_be_observed_is_told_before_anything_is_touched() {
    let lab = lab();
    lab.kmk
        .run("drill failover --observe orders,nothing --observe-groups nobody")
        .code(2)
        .changed(&[])
        .stderr_has("cluster primary does not have topic `nothing`")
        .stderr_has(
            "cluster primary does not have a committed offset of group `nobody` in these topics",
        );
    crate::flags::refused(&[
        (
            "drill failover --observe orders --rate 5",
            "cannot be used with",
        ),
        ("drill failover --observe-groups billing", "--observe"),
    ]);
    let ran = lab
        .kmk
        .run("drill failover --observe orders --dry-run")
        .code(0);
    ran.stdout_has(
        "say when to switch, and wait 5m at most until orders are written to on secondary",
    );
}

#[test]
fn a_flow_that_does_not_mirror_the_topic_of_the_drill_is_told_what_to_add() {
    let kmk = Kmk::on(|kmk| docker(kmk, spec(kmk, "same", &json!({"topics": ["orders"]}))));
    let lab = Lab::on(kmk, Habits::default());
    lab.primary.topic("orders", 1, &[]);
    lab.secondary.topic("orders", 1, &[]);
    let ran = lab.kmk.run("drill failover --observe orders").code(2);
    ran.changed(&[])
        .stderr_has("error: flow primary->secondary does not replicate topic `kmk-drill-")
        .stderr_has(
            "hint: a drill notices the fault by a topic of its own, with --observe too: add `kmk-drill-.*` to the flow's `topics` in the lab file, and run `kmk deploy --config FILE`\n",
        );
}

#[test]
fn a_topic_that_the_target_itself_writes_to_shows_no_switch() {
    let lab = Healthy::new("prefix");
    let [primary, secondary] = &lab.brokers;
    primary.topic("orders", 1, &[]);
    for topic in ["orders", "primary.orders"] {
        secondary.topic(topic, 1, &[]);
    }
    let line = "drill failover primary:secondary --observe orders --dry-run";
    lab.kmk.run(line).code(0);
    let done = AtomicBool::new(false);
    let ran = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                secondary.append("orders", 0, &[(None, Some("local"))]);
                thread::sleep(Duration::from_millis(50));
            }
        });
        let ran = lab.kmk.run(line);
        done.store(true, Ordering::Relaxed);
        ran
    });
    ran.code(2)
        .changed(&[])
        .stderr_has("error: topic `orders` on secondary is written to already");
}
