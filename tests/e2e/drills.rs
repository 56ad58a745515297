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
}
