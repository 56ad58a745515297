//! Drills of one fault on real clusters: each passes, leaves the lab as it was, and counts what Kafka's own tools count.

use crate::engine::docker;
use crate::kcat::CROSSING;
use crate::lab::Lab;
use crate::process::{PATIENCE, until};
use serde_json::Value;

/// Runs a drill that has to pass.
fn passed(lab: &Lab, line: &str) -> Value {
    println!("{line}");
    let report = lab.kmk(&format!("drill {line} --json")).code(0).json();
    assert_eq!(report["passed"], true, "{report:#}");
    println!("  took {:.1} s", report["seconds"].as_f64().unwrap());
    whole(lab);
    report
}

fn measured(report: &Value, key: &str) -> f64 {
    let measured = report["measured"].as_array().unwrap();
    let found = measured.iter().find(|one| one["key"] == key);
    found.unwrap_or_else(|| panic!("{key} in {report:#}"))["value"]
        .as_f64()
        .unwrap()
}

fn same(report: &Value, one: &str, other: &str) {
    let difference = measured(report, one) - measured(report, other);
    assert!(difference.abs() < 0.5, "{report:#}");
}

/// All is well, and nothing of a drill is left.
fn whole(lab: &Lab) {
    lab.kmk("status").code(0);
    for kcat in [lab.primary(), lab.secondary()] {
        let gone = || {
            let topics = kcat.topics();
            let left = topics.keys().any(|topic| topic.contains("kmk-drill-"));
            (!left).then_some(())
        };
        until("the drill's topics are gone", PATIENCE, gone);
    }
}

#[test]
#[ignore = "needs Docker"]
fn a_mirrormaker_that_crashes_and_a_drill_that_dies_with_it() {
    let lab = Lab::deployed("drills", "");
    let report = passed(&lab, "mirrormaker-crash");
    assert!(measured(&report, "outage_seconds") > 1.0, "{report:#}");
    // MirrorMaker is down, and nobody is left to start it
    let mut running = lab.start("drill mirrormaker-crash");
    running.until_it_says("✓ Killed MirrorMaker");
    running.signal(rustix::process::Signal::KILL);
    drop(running);
    docker(&format!("kill {}", lab.container("mm2-secondary")));
    lab.kmk("status")
        .code(1)
        .says("drill mirrormaker-crash of primary->secondary is running, or died");
    lab.kmk("drill abort").code(0).prints("was taken back");
    whole(&lab);
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn a_link_that_is_cut_loses_nothing_and_the_target_catches_up() {
        let lab = Lab::deployed("drills-link", "");
        let report = passed(&lab, "link-cut");
        assert!(measured(&report, "backlog") > 2_000.0, "{report:#}");
    }

    #[test]
    #[ignore = "needs Docker"]
    fn with_exactly_once_support_a_crash_repeats_nothing() {
        let lab = Lab::deployed("drills-once", "");
        lab.kmk("drill exactly-once")
            .code(2)
            .says("has no exactly-once support");
        lab.kmk("deploy --exactly-once").code(0);
        let report = passed(&lab, "exactly-once");
        assert!(measured(&report, "acknowledged") > 4_000.0, "{report:#}");
        // one record, and the end of its transaction
        let record = ["once".to_owned()].into();
        lab.primary().produce("orders", "once\n");
        lab.secondary()
            .until_it_has("primary.orders", &record, CROSSING);
        assert!(lab.secondary().end("primary.orders") >= 2);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_broker_of_each_side_that_dies_loses_nothing() {
        let mut lab = Lab::new("drills-brokers");
        // room for the ports of three brokers
        lab.ports[1] = lab.ports[0] + 10;
        lab.deploy("--scenario ha").code(0);
        let report = passed(&lab, "broker-crash");
        // no sooner than a broker counts as dead
        assert!(measured(&report, "election_seconds") > 1.0, "{report:#}");
        println!("brokers are dead, and nobody is left to start them");
        let mut running = lab.start("drill broker-crash");
        running.until_it_says("✓ Killed primary-");
        running.signal(rustix::process::Signal::KILL);
        drop(running);
        lab.kmk("drill abort").code(0).prints("was taken back");
        whole(&lab);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_slow_link_makes_records_late_and_is_as_it_was_afterwards() {
        let lab = Lab::deployed("drills-slow", "--link rtt=5ms");
        let report = passed(&lab, "slow-link");
        let measured = report["measured"].as_array().unwrap().iter();
        let late = measured.filter(|one| one["key"] == "latency_p50_ms");
        let late: Vec<f64> = late.map(|one| one["value"].as_f64().unwrap()).collect();
        assert_eq!(late.len(), 4);
        assert!(late.is_sorted(), "{late:?}");
        // as it was deployed
        lab.kmk("deploy --link rtt=5ms")
            .code(0)
            .prints("already runs as requested");
    }

    #[test]
    #[ignore = "needs Docker"]
    fn what_retention_removes_before_it_is_mirrored_is_counted_and_named() {
        let lab = Lab::deployed("drills-retention", "");
        let report = passed(&lab, "retention-race");
        assert!(measured(&report, "lost") > 1_000.0, "{report:#}");
        assert!(measured(&report, "lost") <= measured(&report, "removed"));
    }

    #[test]
    #[ignore = "needs Docker"]
    fn what_is_passed_over_in_a_topic_that_was_recreated_is_counted_and_named() {
        let lab = Lab::deployed("drills-recreated", "");
        let report = passed(&lab, "recreated-topic");
        same(&report, "passed_over", "old");
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_record_that_is_too_large_for_the_target_is_named_and_arrives_in_the_end() {
        let lab = Lab::deployed("drills-poison", "");
        let report = passed(&lab, "poison-record");
        assert!(measured(&report, "named_seconds") > 0.0, "{report:#}");
        println!("of a drill that dies there, nothing holds up the flow");
        let mut running = lab.start("drill poison-record");
        running.until_it_says("✓ status names the topic");
        running.signal(rustix::process::Signal::KILL);
        drop(running);
        lab.kmk("drill abort").code(0).prints("was taken back");
        whole(&lab);
    }
}
