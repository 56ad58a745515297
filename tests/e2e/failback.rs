//! A failover in which the source is killed, and the way home: judged by what kcat reads on both sides.

use crate::kcat::Kcat;
use crate::lab::Lab;
use crate::process::{PATIENCE, until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

/// The values of a topic, each once, and how many there are beyond that.
pub(crate) fn values(kcat: &Kcat, topic: &str) -> (BTreeSet<String>, u64) {
    let all = kcat.values(topic);
    let set: BTreeSet<String> = all.iter().cloned().collect();
    let surplus = (all.len() - set.len()) as u64;
    (set, surplus)
}

pub(crate) fn text(report: &Value, field: &str) -> String {
    report[field].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs Docker"]
fn what_is_stranded_is_exported_and_both_sides_end_with_the_same_records() {
    let lab = Lab::deployed("failback", "");
    let (primary, secondary) = (lab.primary(), lab.secondary());
    let failover = lab
        .kmk("drill failover --warm-up 3s --rate 2000 --partitions 3 --json")
        .code(0)
        .json();
    let topic = text(&failover, "topic");
    let mirrored = text(&failover, "mirrored_topic");
    // of applications that did not know of the switch
    primary.produce(&topic, "late 1\nlate 2\nlate 3\n");
    let (sent, _) = values(&primary, &topic);
    let (crossed, _) = values(&secondary, &mirrored);
    let only_here: BTreeSet<String> = sent.difference(&crossed).cloned().collect();
    assert!(only_here.len() >= 3, "{only_here:?}");

    let report = lab
        .kmk("drill failback --salvage stranded.jsonl --keep --json")
        .code(0)
        .json();
    assert_eq!(
        report["stranded_records"],
        only_here.len() as u64,
        "{report:#}"
    );
    assert_eq!(report["exported"], report["stranded_records"]);
    let lines = fs::read_to_string(lab.home.path().join("stranded.jsonl")).unwrap();
    let exported = lines.lines().map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        text(&record, "value")
    });
    assert_eq!(exported.collect::<BTreeSet<_>>(), only_here);

    // both sides, as kcat sees them
    let afterwards = &report["afterwards"];
    for (flow, source, copy) in [
        (
            "forward",
            values(&primary, &topic),
            values(&secondary, &mirrored),
        ),
        (
            "back",
            values(&secondary, &topic),
            values(&primary, &format!("secondary.{topic}")),
        ),
    ] {
        assert!(source.0 == copy.0, "{flow}: {report:#}");
        assert_eq!(afterwards[flow]["surplus"], copy.1, "{flow}");
        assert_eq!(afterwards[flow]["source"], source.0.len() as u64, "{flow}");
        assert_eq!(
            (
                &afterwards[flow]["missing"],
                &afterwards[flow]["out_of_order"]
            ),
            (&0.into(), &0.into())
        );
        assert!(!copy.0.is_empty());
    }
    assert!(
        sent.is_subset(&values(&secondary, &mirrored).0),
        "the stranded records came late"
    );
    let at_switch = &report["at_switch"]["forward"];
    assert_eq!(
        (&at_switch["missing"], &report["mirrored_late"]),
        (&report["stranded_records"], &report["stranded_records"]),
        "the flow that failed over ran only after the switch back"
    );
    let repeated = values(&secondary, &mirrored).1 - at_switch["surplus"].as_u64().unwrap();
    assert_eq!(report["repeated"], repeated);

    let groups = report["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 3);
    for group in groups {
        assert_eq!(group["skipped"], 0, "{report:#}");
        assert_eq!(group["as_predicted"], true, "{report:#}");
    }

    lab.kmk("drill abort").code(0);
    for kcat in [&primary, &secondary] {
        let topics = kcat.topics();
        assert!(
            !topics.keys().any(|name| name.contains("kmk-drill-")),
            "{topics:?}"
        );
    }
    lab.kmk("status").code(0);
    assert_eq!(
        lab.ids().keys().collect::<Vec<_>>(),
        ["mm2-secondary", "primary", "secondary"]
    );
    // and a second time, from healthy to healthy
    lab.kmk("drill failover --warm-up 2s --planned").code(0);
    let again = lab.kmk("drill failback --json").code(0).json();
    assert_eq!(again["stranded_records"], 0, "{again:#}");
    lab.kmk("status").code(0);
    lab.kmk("deploy")
        .code(0)
        .prints("already runs as requested");
}

/// Judged by status and kcat: nothing of a drill is left.
pub(crate) fn nothing_is_left(lab: &Lab, before: &[String]) {
    let status = lab.kmk("status --json").code(0).json();
    assert_eq!(status["drill"], Value::Null);
    assert_eq!(lab.ids().into_keys().collect::<Vec<_>>(), before);
    for kcat in [lab.primary(), lab.secondary()] {
        let topics = kcat.topics();
        let mut names = topics.keys();
        assert!(!names.any(|name| name.contains("kmk-drill-")), "{topics:?}");
    }
}

/// A lab whose flow keeps names, and a topic of somebody's in it.
pub(crate) fn migrating(theme: &str) -> Lab {
    let lab = Lab::new(theme);
    let [legacy, cloud] = lab.ports;
    lab.kmk(&format!(
        "deploy --scenario migrate --port legacy={legacy} --port cloud={cloud}"
    ))
    .code(0);
    let theirs: Vec<String> = (0..100).map(|at| format!("theirs {at}")).collect();
    lab.primary().produce("orders", &(theirs.join("\n") + "\n"));
    lab.secondary()
        .until_it_is_past("orders", 99, std::time::Duration::from_secs(20));
    lab
}

mod matrix {
    use super::*;
    use std::time::{Duration, Instant};

    /// Default values, twice: the second one finds what the first one left behind.
    #[test]
    #[ignore = "needs Docker"]
    fn a_cycle_leads_from_healthy_to_healthy() {
        let lab = Lab::deployed("cycle", "");
        let before: Vec<String> = lab.ids().into_keys().collect();
        for flags in ["--json", "--json --planned --rpo-max 0"] {
            let begun = Instant::now();
            let ran = lab.kmk(&format!("drill cycle {flags}")).code(0);
            let took = begun.elapsed();
            println!("  took {:.1} s", took.as_secs_f64());
            assert!(took < Duration::from_secs(120), "{took:?}");
            let ran =
                ran.says("note: secondary->primary was added for the way back, and is removed");
            let report = ran.json();
            assert_eq!(report["passed"], true);
            assert_eq!(report["failback"]["back_was_added"], true);
            assert_eq!(
                report["failback"]["stranded_records"],
                report["failover"]["rpo"]["stranded"]
            );
            nothing_is_left(&lab, &before);
        }
        let line = "written after both";
        lab.primary().produce("orders", &format!("{line}\n"));
        let mirrored = || {
            let topics = lab.secondary().topics();
            let is_there = topics.contains_key("primary.orders");
            (is_there && lab.secondary().values("primary.orders") == [line]).then_some(())
        };
        until("it is mirrored", PATIENCE, mirrored);

        // Ctrl-C on either way
        for step in ["Warming up", "Looking for records", "Writing to secondary"] {
            println!("{step}");
            let mut running = lab.start("drill cycle --warm-up 1s");
            running.until_it_says(step);
            running.interrupt();
            let ended = running.finish().code(130);
            ended.says("The drill was taken back: the lab is as it was before.");
            nothing_is_left(&lab, &before);
        }
    }

    /// Interrupted on the way, or killed and then taken back.
    #[test]
    #[ignore = "needs Docker"]
    fn a_failback_that_ends_early_leaves_the_lab_as_it_was() {
        let lab = Lab::deployed("failback-ends", "");
        let before: Vec<String> = lab.ids().into_keys().collect();
        for (step, is_killed) in [
            ("Looking for records that are only on primary", false),
            ("Waiting until a canary has crossed every flow", true),
            ("Writing to secondary", false),
            ("Switching back to primary", true),
            ("primary->secondary starts again", false),
            ("Comparing both sides once more", false),
        ] {
            println!("{step}");
            lab.kmk("drill failover --planned --warm-up 1s").code(0);
            let mut running = lab.start("drill failback");
            running.until_it_says(step);
            if is_killed {
                running.signal(rustix::process::Signal::KILL);
                drop(running);
                lab.kmk("status").says("`kmk drill abort");
                lab.kmk("drill abort").code(0);
            } else {
                running.interrupt();
                running
                    .finish()
                    .code(130)
                    .says("The drill was taken back: the lab is as it was before.");
            }
            lab.kmk("status").code(0);
            assert_eq!(lab.ids().into_keys().collect::<Vec<_>>(), before);
            for kcat in [lab.primary(), lab.secondary()] {
                let topics = kcat.topics();
                assert!(
                    !topics.keys().any(|name| name.contains("kmk-drill-")),
                    "{topics:?}"
                );
            }
        }
    }

    /// Fails back, and compares the drill's topic and somebody's by kcat: each record of either side is on both, once.
    fn both_are_the_same(lab: &Lab, failover: &Value, line: &str, has: &[&str]) -> Value {
        let topic = text(failover, "topic");
        let report = lab.kmk(&format!("{line} --keep --json")).code(0).json();
        let (legacy, cloud) = (lab.primary(), lab.secondary());
        let (home, away) = (values(&legacy, &topic), values(&cloud, &topic));
        assert_eq!((home.1, away.1), (0, 0), "copies: {report:#}");
        assert!(home.0 == away.0, "{report:#}");
        assert!(has.iter().all(|value| home.0.contains(*value)));
        let written = report["written_on_target"].as_u64().unwrap()
            + report["written_on_source"].as_u64().unwrap();
        assert!(
            written > 1000 && home.0.len() as u64 > written,
            "{report:#}"
        );
        for kcat in [&legacy, &cloud] {
            let (theirs, surplus) = values(kcat, "orders");
            assert_eq!((theirs.len(), surplus), (100, 0));
        }
        for group in report["groups"].as_array().unwrap() {
            assert_eq!(group["skipped"], 0, "{report:#}");
            assert_eq!(group["as_predicted"], true, "{report:#}");
        }
        lab.kmk("drill abort").code(0);
        lab.kmk("status").code(0);
        assert_eq!(
            lab.ids().keys().collect::<Vec<_>>(),
            ["cloud", "legacy", "mm2-cloud"]
        );
        report
    }

    #[test]
    #[ignore = "needs Docker"]
    fn under_the_same_names_each_record_is_on_both_sides_exactly_once() {
        let lab = migrating("watermark");
        for cycle in 1..=2 {
            println!("cycle {cycle}");
            let failover = lab
                .kmk("drill failover --planned --warm-up 2s --partitions 3 --json")
                .code(0)
                .json();
            lab.kmk("drill failback").code(2).says("--by watermark");
            both_are_the_same(&lab, &failover, "drill failback --by watermark", &[]);
        }
    }

    #[test]
    #[ignore = "needs Docker"]
    fn after_a_kill_the_topic_on_the_source_is_recreated_and_mirrored_back() {
        let lab = migrating("rebuild");
        let failover = lab
            .kmk("drill failover --warm-up 2s --rate 2000 --partitions 3 --json")
            .code(0)
            .json();
        let topic = text(&failover, "topic");
        // of applications that did not know of the switch
        lab.primary().produce(&topic, "late 1\nlate 2\nlate 3\n");
        let refused = lab.kmk("drill failback --by watermark").code(2);
        refused.says("Kafka cannot remove the end of a log");
        let report = both_are_the_same(
            &lab,
            &failover,
            "drill failback --by rebuild --salvage replay",
            &["late 1", "late 2", "late 3"],
        );
        assert!(report["stranded_records"].as_u64() >= Some(3), "{report:#}");
        assert_eq!(report["replayed"], report["stranded_records"]);
    }

    /// Interrupted, or killed and then taken back, while either flow or none is part of the lab.
    #[test]
    #[ignore = "needs Docker"]
    fn under_the_same_names_a_failback_that_ends_early_leaves_the_lab_as_it_was() {
        let lab = migrating("watermark-ends");
        for (way, step, is_killed) in [
            ("rebuild", "Emptying `", true),
            ("watermark", "Starting the containers", true),
            ("watermark", "Writing to cloud", false),
            ("rebuild", "legacy->cloud starts again", true),
            ("watermark", "Writing to legacy", false),
        ] {
            println!("{way}: {step}");
            lab.kmk("drill failover --planned --warm-up 1s").code(0);
            let mut running = lab.start(&format!("drill failback --by {way}"));
            running.until_it_says(step);
            if is_killed {
                running.signal(rustix::process::Signal::KILL);
                drop(running);
                lab.kmk(&format!("drill failback --by {way}")).code(2);
                lab.kmk("drill abort").code(0);
            } else {
                running.interrupt();
                running.finish().code(130);
            }
            lab.kmk("status").code(0);
            lab.kmk("deploy")
                .code(0)
                .prints("already runs as requested");
            for kcat in [lab.primary(), lab.secondary()] {
                let topics = kcat.topics();
                assert!(
                    !topics.keys().any(|name| name.contains("kmk-drill-")),
                    "{topics:?}"
                );
                let (theirs, surplus) = values(&kcat, "orders");
                assert_eq!((theirs.len(), surplus), (100, 0));
            }
        }
    }
}
