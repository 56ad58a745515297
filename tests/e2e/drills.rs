//! Drills of one fault on real clusters: each passes, leaves the lab as it was, and counts what kcat counts.

use crate::engine::docker;
use crate::kcat::{CROSSING, Kcat};
use crate::lab::Lab;
use crate::process::{PATIENCE, Running, until};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;

/// A drill that had to pass, and what kcat found of its topics before they were removed.
struct Passed {
    report: Value,
    counted: Counted,
}

/// What kcat finds of a topic and of its copy.
#[derive(Debug)]
struct Counted {
    /// Records that were ever written to the topic.
    written: u64,
    /// Different records that it has.
    source: u64,
    /// Different records of the copy.
    target: u64,
    /// Records of the topic that its copy does not have.
    missing: u64,
    /// Records of the copy beyond the first of each.
    repeated: u64,
}

impl Counted {
    fn of(lab: &Lab, topic: &str) -> Self {
        let distinct = |values: &[String]| -> BTreeSet<String> { values.iter().cloned().collect() };
        let count = |number: usize| u64::try_from(number).unwrap();
        let source = distinct(&lab.primary().committed(topic));
        let copies = lab.secondary().committed(&format!("primary.{topic}"));
        let target = distinct(&copies);
        let counted = Self {
            written: (0..3).map(|id| lab.primary().end_of(topic, id)).sum(),
            source: count(source.len()),
            target: count(target.len()),
            missing: count(source.difference(&target).count()),
            repeated: count(copies.len() - target.len()),
        };
        println!("  kcat: {counted:?}");
        counted
    }
}

impl Passed {
    fn measured(&self, key: &str) -> f64 {
        let report = &self.report;
        let mut measured = report["measured"].as_array().unwrap().iter();
        let found = measured.find(|one| one["key"] == key);
        let found = found.unwrap_or_else(|| panic!("{key} in {report:#}"));
        found["value"].as_f64().unwrap()
    }

    /// A count of records, as the report has it and as kcat has it.
    #[track_caller]
    fn is(&self, key: &str, counted: u64) {
        let measured = self.measured(key);
        assert!(
            (measured - u32::try_from(counted).map_or(f64::NAN, f64::from)).abs() < 0.5,
            "{key} is {measured}, kcat counts {counted}: {:?}",
            self.counted
        );
    }

    /// Every record that was acknowledged is on both sides; whatever is there more than once, the report says.
    #[track_caller]
    fn nothing_is_missing(&self) {
        assert_eq!(self.counted.missing, 0, "{:?}", self.counted);
        self.is("acknowledged", self.counted.source);
        self.is("duplicates", self.counted.repeated);
    }
}

fn passed(lab: &Lab, line: &str) -> Passed {
    passed_while(lab, line, |_| {})
}

/// Runs a drill that has to pass, while something else is done.
fn passed_while(lab: &Lab, line: &str, meanwhile: impl FnOnce(&mut Running)) -> Passed {
    println!("{line}");
    let mut running = lab.start(&format!("drill {line} --keep --json"));
    meanwhile(&mut running);
    let report = running.finish().code(0).json();
    assert_eq!(report["passed"], true, "{report:#}");
    println!("  took {:.1} s", report["seconds"].as_f64().unwrap());
    let counted = Counted::of(lab, report["topic"].as_str().unwrap());
    let name = line.split(' ').next().unwrap();
    lab.kmk("status").says(&format!(
        "drill {name} of primary->secondary has ended, and its topics were kept"
    ));
    taken_back(lab);
    Passed { report, counted }
}

/// Ctrl-C at a step, and a kill there.
fn ends_early(lab: &Lab, line: &str, step: &str) {
    println!("{line}: Ctrl-C at: {step}");
    let mut running = lab.start(&format!("drill {line}"));
    running.until_it_says(step);
    running.interrupt();
    let ended = running.finish().code(130);
    ended.says("The drill was taken back: the lab is as it was before.");
    whole(lab);
    println!("{line}: killed at: {step}");
    let mut running = lab.start(&format!("drill {line}"));
    running.until_it_says(step);
    running.signal(Signal::KILL);
    drop(running);
    let name = line.split(' ').next().unwrap();
    lab.kmk("status").says(&format!(
        "drill {name} of primary->secondary is running, or died"
    ));
    taken_back(lab);
}

fn taken_back(lab: &Lab) {
    lab.kmk("drill abort").code(0).prints("was taken back");
    whole(lab);
}

/// All is well, and nothing of a drill is left.
fn whole(lab: &Lab) {
    lab.kmk("status").code(0);
    for kcat in [lab.primary(), lab.secondary()] {
        until("the drill's topics are gone", PATIENCE, || {
            topics(&kcat).is_empty().then_some(())
        });
    }
}

/// Those of a drill.
fn topics(kcat: &Kcat) -> Vec<String> {
    let topics = kcat.topics().into_keys();
    topics
        .filter(|topic| topic.contains("kmk-drill-"))
        .collect()
}

#[test]
#[ignore = "needs Docker"]
fn a_mirrormaker_that_crashes_and_a_drill_that_dies_with_it() {
    let lab = Lab::deployed("drills", "");
    let crash = passed(&lab, "mirrormaker-crash");
    crash.nothing_is_missing();
    assert!(crash.measured("outage_seconds") > 1.0);
    // MirrorMaker is down, and nobody is left to start it
    let mut running = lab.start("drill mirrormaker-crash");
    running.until_it_says("✓ Killed MirrorMaker");
    running.signal(Signal::KILL);
    drop(running);
    docker(&format!("kill {}", lab.container("mm2-secondary")));
    lab.kmk("status")
        .code(1)
        .says("drill mirrormaker-crash of primary->secondary is running, or died");
    taken_back(&lab);
}

mod matrix {
    use super::*;
    use kafka_mirror_kit::core::topology::{KAFKA_VERSION, NEXT_KAFKA_VERSION};

    fn lab(theme: &str, kafka: &str, flags: &str) -> Lab {
        let theme = format!("{theme}-{}", kafka.split('.').next().unwrap());
        let mut lab = Lab::new(&theme);
        // room for the ports of three brokers, and of a relay
        lab.ports[1] = lab.ports[0] + 20;
        lab.deploy(&format!("--kafka-version {kafka} {flags}"))
            .code(0);
        lab
    }

    #[test]
    #[ignore = "needs Docker"]
    fn crashes_and_cuts_lose_nothing_on_kafka_3() {
        crashes_and_cuts_lose_nothing(KAFKA_VERSION);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn crashes_and_cuts_lose_nothing_on_kafka_4() {
        crashes_and_cuts_lose_nothing(NEXT_KAFKA_VERSION);
    }

    fn crashes_and_cuts_lose_nothing(kafka: &str) {
        let lab = lab("drills-crash", kafka, "");
        let cut = passed(&lab, "link-cut");
        cut.nothing_is_missing();
        assert!(cut.measured("backlog") > 2_000.0);
        ends_early(&lab, "link-cut", "Keeping it cut");
        passed(&lab, "mirrormaker-crash").nothing_is_missing();
        lab.kmk("drill exactly-once")
            .code(2)
            .says("has no exactly-once support");
        lab.kmk("deploy --exactly-once").code(0);
        let once = passed(&lab, "exactly-once");
        once.nothing_is_missing();
        assert_eq!(once.counted.repeated, 0);
        assert!(once.counted.source > 4_000);
        // one record, and the end of its transaction
        let record = ["once".to_owned()].into();
        lab.primary().produce("orders", "once\n");
        lab.secondary()
            .until_it_has("primary.orders", &record, CROSSING);
        assert!(lab.secondary().end("primary.orders") >= 2);
        ends_early(&lab, "exactly-once", "✓ Killed MirrorMaker");
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_broker_of_each_side_that_dies_loses_nothing_on_kafka_3() {
        a_broker_of_each_side_that_dies_loses_nothing(KAFKA_VERSION);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_broker_of_each_side_that_dies_loses_nothing_on_kafka_4() {
        a_broker_of_each_side_that_dies_loses_nothing(NEXT_KAFKA_VERSION);
    }

    fn a_broker_of_each_side_that_dies_loses_nothing(kafka: &str) {
        let lab = lab("drills-brokers", kafka, "--scenario ha");
        let crash = passed(&lab, "broker-crash");
        crash.nothing_is_missing();
        // no sooner than a broker counts as dead
        assert!(crash.measured("election_seconds") > 1.0);
        ends_early(&lab, "broker-crash", "✓ Killed primary-");
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_slow_link_is_as_it_was_afterwards_on_kafka_3() {
        a_slow_link_is_as_it_was_afterwards(KAFKA_VERSION);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_slow_link_is_as_it_was_afterwards_on_kafka_4() {
        a_slow_link_is_as_it_was_afterwards(NEXT_KAFKA_VERSION);
    }

    fn a_slow_link_is_as_it_was_afterwards(kafka: &str) {
        let lab = lab("drills-slow", kafka, "--link rtt=5ms");
        let slow = passed(&lab, "slow-link");
        assert_eq!(slow.counted.missing, 0);
        let measured = slow.report["measured"].as_array().unwrap().iter();
        let late = measured.filter(|one| one["key"] == "latency_p50_ms");
        let late: Vec<f64> = late.map(|one| one["value"].as_f64().unwrap()).collect();
        // the last one with other fetches
        assert_eq!(late.len(), 5);
        // the busier the machine, the less it shows of short round trips
        assert!(late[3] > late[0] + 100.0, "{late:?}");
        assert!(slow.report["seconds"].as_f64().unwrap() < 60.0);
        as_deployed(&lab);
        ends_early(&lab, "slow-link --for 2s", "Recreating MirrorMaker with");
        as_deployed(&lab);
    }

    fn as_deployed(lab: &Lab) {
        lab.kmk("deploy --link rtt=5ms")
            .code(0)
            .prints("already runs as requested");
    }

    #[test]
    #[ignore = "needs Docker"]
    fn what_is_lost_or_held_up_is_counted_and_named_on_kafka_3() {
        what_is_lost_or_held_up_is_counted_and_named(KAFKA_VERSION);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn what_is_lost_or_held_up_is_counted_and_named_on_kafka_4() {
        what_is_lost_or_held_up_is_counted_and_named(NEXT_KAFKA_VERSION);
    }

    fn what_is_lost_or_held_up_is_counted_and_named(kafka: &str) {
        let lab = lab("drills-lost", kafka, "");
        let race = passed(&lab, "retention-race");
        let lost = race.counted.written - race.counted.target;
        assert!(lost > 1_000, "{:?}", race.counted);
        race.is("written", race.counted.written);
        race.is("lost", lost);
        assert!(race.measured("lost") <= race.measured("removed"));
        // what was written after that is there
        assert_eq!(race.counted.missing, 0);
        ends_early(&lab, "retention-race", "Waiting until retention removes");

        let mut passed_over = None;
        let recreated = passed_while(&lab, "recreated-topic", |running| {
            running.until_it_says("✓ Ran status");
            running.signal(Signal::STOP);
            let topic = topics(&lab.primary()).remove(0);
            passed_over = Some(Counted::of(&lab, &topic));
            running.signal(Signal::CONT);
        });
        let passed_over = passed_over.unwrap();
        recreated.is("new", passed_over.source);
        recreated.is("passed_over", passed_over.missing);
        recreated.is("old", passed_over.missing);
        assert_eq!(recreated.counted.missing, 0);
        recreated.is("new", recreated.counted.target);
        ends_early(&lab, "recreated-topic", "✓ Deleted topic");

        let poison = passed(&lab, "poison-record");
        assert!(poison.measured("named_seconds") > 0.0);
        assert_eq!(poison.counted.missing, 0);
        poison.is("duplicates", poison.counted.repeated);
        ends_early(&lab, "poison-record", "✓ status names the topic");
    }
}
