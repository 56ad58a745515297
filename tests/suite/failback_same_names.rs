//! A failback where topics keep their names, between brokers in memory: no record is copied twice.

use crate::docker::{Docker, Rule, UP};
use crate::failback::{TOPIC, docker, failed, numbered, report, spec};
use crate::kmk::Kmk;
use crate::lab::FakeLab;
use crate::mirror::{Habits, Mirror};
use crate::ran::Ran;
use kmk_kafka::testing::FakeBroker;
use serde_json::{Value, json};
use std::sync::Arc;

const STOP_BACK: &str = "stop id-demo-mm2-primary";
const STOP_FORWARD: &str = "stop id-demo-mm2-secondary";
const REMOVE_BACK: &str = "rm --force --volumes id-demo-mm2-primary";
const REMOVE_FORWARD: &str = "rm --force --volumes id-demo-mm2-secondary";

/// Goes on where it is told to.
const RESUMES: Habits = Habits {
    keeps_names: true,
    loses: None,
    omits: None,
    repeats: None,
    resumes: true,
    topics: None,
};
/// The same, of the drill's topic only.
const BACK: Habits = Habits {
    topics: Some("kmk-drill-1-orders, kmk-canary-secondary"),
    ..RESUMES
};

/// A lab that was left as planned. The flow back has a MirrorMaker of its own, which comes and goes.
struct Lab {
    kmk: Kmk,
    primary: Arc<FakeBroker>,
    secondary: Arc<FakeBroker>,
}

/// What docker says of the lab from a command on.
fn from(command: &str, lab: &FakeLab) -> [Rule; 2] {
    let containers = lab.inspected();
    let inspected: Value = serde_json::from_str(&containers).unwrap();
    let ids = inspected.as_array().unwrap().iter();
    let ids: Vec<&str> = ids.map(|one| one["Id"].as_str().unwrap()).collect();
    [
        Rule::on("ps *--filter label=kmk.lab=demo").says(&(ids.join("\n") + "\n")),
        Rule::on(&format!("container inspect {}", ids.join(" "))).says(&containers),
    ]
    .map(|rule| rule.from(command))
}

fn scripted(kmk: &Kmk) -> Docker {
    let forward = spec(kmk, "same");
    let mut back = forward.clone();
    back["flows"] = json!([{"source": "secondary", "target": "primary", "naming": "same"}]);
    let failing_back = kmk
        .lab()
        .without("mm2-secondary")
        .also(&["mm2-primary"])
        .spec(back);
    let home = kmk.lab().spec(forward);
    docker(kmk, "same", "failed-over")
        .rules(from(REMOVE_FORWARD, &failing_back))
        .rules(from(REMOVE_BACK, &home))
        .rules([REMOVE_FORWARD, REMOVE_BACK, UP].map(Rule::on))
        // the mirrors of the test stop meanwhile
        .rules([STOP_BACK, STOP_FORWARD].map(|stop| Rule::on(stop).takes(1)))
}

impl Lab {
    /// In which each partition has 10 records on both sides, and 5 that were written on the secondary since.
    fn new() -> Self {
        let kmk = Kmk::on(scripted);
        let [primary, secondary] = kmk
            .ports()
            .map(|port| Arc::new(FakeBroker::start_on(port).unwrap()));
        let lab = Self {
            kmk,
            primary,
            secondary,
        };
        lab.primary.topic(TOPIC, 2, &[]);
        numbered(&lab.primary, "crossed", 10);
        drop(lab.forward(RESUMES));
        numbered(&lab.secondary, "after", 5);
        lab
    }

    fn mirror(&self, is_back: bool, habits: Habits) -> Mirror {
        let primary = ("primary", Arc::clone(&self.primary));
        let secondary = ("secondary", Arc::clone(&self.secondary));
        let (source, target) = if is_back {
            (secondary, primary)
        } else {
            (primary, secondary)
        };
        Mirror::start_as(source, target, habits)
    }

    fn forward(&self, habits: Habits) -> Mirror {
        self.mirror(false, habits)
    }

    /// Fails back; MirrorMaker of either flow has these habits.
    fn failed_back(&self, way: &str, back: Habits, forward: Habits) -> Ran {
        let running = self
            .kmk
            .start(&format!("drill failback {way} --load 1s --rate 300 --json"));
        running.until_called(REMOVE_FORWARD);
        let mirror = self.mirror(true, back);
        running.until_called(STOP_BACK);
        drop(mirror);
        running.until_called(REMOVE_BACK);
        let mirror = self.forward(forward);
        running.until_called(STOP_FORWARD);
        drop(mirror);
        while self.has_the_topic() {
            std::thread::yield_now();
        }
        let _mirror = self.forward(RESUMES);
        running.finish()
    }

    fn has_the_topic(&self) -> bool {
        let brokers = [&self.primary, &self.secondary].into_iter();
        let mut topics = brokers.flat_map(|broker| broker.topics());
        topics.any(|(name, _)| name == TOPIC)
    }
}

#[test]
fn only_what_lies_behind_the_watermark_is_copied_back() {
    let lab = Lab::new();
    let ran = lab.failed_back("--by watermark", BACK, RESUMES).code(0);
    let report = report(&ran);
    let written = |side: &str| report[side].as_u64().unwrap();
    let (there, home) = (written("written_on_target"), written("written_on_source"));
    assert!(there > 0 && home > 0);
    let at_switch = 20 + 10 + there;
    for (when, records) in [("at_switch", at_switch), ("afterwards", at_switch + home)] {
        for flow in ["forward", "back"] {
            let one = &report[when][flow];
            let counts = [
                "source",
                "target",
                "missing",
                "surplus",
                "foreign",
                "out_of_order",
            ];
            let counts = counts.map(|count| one[count].as_u64().unwrap());
            assert_eq!(counts, [records, records, 0, 0, 0, 0], "{report:#}");
        }
    }
    assert_eq!(report["by"], "watermark");
}

/// A MirrorMaker that does not heed where it is to begin copies everything a second time, and that is seen.
#[test]
fn a_record_that_is_copied_back_twice_fails_the_failback() {
    let lab = Lab::new();
    let repeats = Habits {
        repeats: Some((TOPIC, 11)),
        ..BACK
    };
    let ran = lab.failed_back("--by watermark", repeats, RESUMES).code(1);
    let report = report(&ran);
    assert_eq!(report["afterwards"]["back"]["surplus"], 1, "{report:#}");
    assert_eq!(
        failed(&report),
        [("nothing_missing", "primary->secondary")],
        "the secondary has it once"
    );
}

/// Killed while the flow back runs: that has positions of its own by then, and the watermark is not written over them.
#[test]
fn a_failback_that_was_killed_is_run_again_and_nothing_is_copied_twice() {
    let lab = Lab::new();
    let running = lab
        .kmk
        .start("drill failback --by watermark --load 1s --rate 300");
    running.until_called(REMOVE_FORWARD);
    let back = lab.mirror(true, BACK);
    running.until("records are mirrored back", || {
        lab.primary.end(TOPIC, 0) > 15
    });
    running.signal(rustix::process::Signal::KILL);
    drop(running);
    let calls = lab.kmk.noted("calls").len();

    let running = lab.kmk.start("drill resume --json");
    let called_since = |what: &str| {
        let calls = lab.kmk.noted("calls").into_iter().skip(calls);
        calls.filter(|call| call.starts_with(what)).count()
    };
    running.until("MirrorMaker is stopped", || called_since(STOP_BACK) > 0);
    drop(back);
    running.until("the flow back starts", || called_since("compose ") > 0);
    let back = lab.mirror(true, BACK);
    running.until_called(REMOVE_BACK);
    drop(back);
    let mirror = lab.forward(RESUMES);
    running.until_called(STOP_FORWARD);
    drop(mirror);
    while lab.has_the_topic() {
        std::thread::yield_now();
    }
    let _mirror = lab.forward(RESUMES);
    let report = report(&running.finish().code(0));
    for flow in ["forward", "back"] {
        let one = &report["afterwards"][flow];
        let counts = ["missing", "surplus", "foreign", "out_of_order"];
        let counts = counts.map(|count| one[count].as_u64().unwrap());
        assert_eq!(counts, [0; 4], "{report:#}");
    }
}

#[test]
fn what_is_only_on_the_old_side_is_named_and_nothing_is_touched() {
    let lab = Lab::new();
    numbered(&lab.primary, "stranded", 3);
    lab.kmk
        .run("drill failback --by watermark --salvage stranded.jsonl")
        .code(2)
        .changed(&[])
        .stderr_has(&format!(
            "error: primary has records that never reached secondary, and Kafka cannot remove the end of a log: {TOPIC}-0 \
             (10..12), {TOPIC}-1 (10..12)"
        ))
        .stderr_has("hint: --by rebuild empties the topic on primary first")
        .stderr_has("`kmk drill abort` takes the failover back");
    assert!(!lab.kmk.work("stranded.jsonl").exists());
    // it is still failed over
    for line in ["", "--dry-run"] {
        let ran = lab
            .kmk
            .run(&format!("drill failback --by watermark {line}"));
        ran.code(2).changed(&[]).stderr_has("never reached");
    }
    for (salvage, then) in [
        ("", "deleted"),
        ("--salvage replay", "written to the target"),
    ] {
        let line = format!("drill failback --by rebuild --dry-run {salvage}");
        let ran = lab.kmk.run(&line).code(0).changed(&[]);
        ran.stdout_has(&format!("10..12   3        {then}\n"));
    }
}

fn values(broker: &FakeBroker) -> Vec<String> {
    let records = (0..2).flat_map(|partition| broker.records(TOPIC, partition));
    let values = records.map(|record| String::from_utf8(record.value.unwrap()).unwrap());
    let mut values: Vec<String> = values.collect();
    values.retain(|value| value.contains("stranded"));
    values.sort();
    values
}

#[test]
fn the_old_side_is_emptied_and_what_was_only_there_is_replayed() {
    let lab = Lab::new();
    numbered(&lab.primary, "stranded", 3);
    let seen = std::thread::scope(|scope| {
        let seen = scope.spawn(|| {
            // once the switch back has begun, both sides have them
            while !lab
                .kmk
                .noted("calls")
                .iter()
                .any(|call| call.starts_with(REMOVE_BACK))
            {
                std::thread::yield_now();
            }
            [&lab.primary, &lab.secondary].map(|broker| values(broker))
        });
        let ran = lab.failed_back("--by rebuild --salvage replay", BACK, RESUMES);
        let ran = ran
            .code(0)
            .stderr_has(&format!(
                "note: topic `{TOPIC}` on primary is deleted with its 26 records, recreated, and filled from secondary; {TOPIC}-0 \
                 (10..12), {TOPIC}-1 (10..12) exist only there: they were written to secondary"
            ));
        let report = report(&ran);
        let of = |field: &str| report[field].as_u64();
        assert_eq!((of("replayed"), of("deleted")), (Some(6), Some(26)));
        let there = of("written_on_target").unwrap();
        for when in ["at_switch", "afterwards"] {
            for flow in ["forward", "back"] {
                let one = &report[when][flow];
                let counts = ["missing", "surplus", "foreign", "out_of_order"];
                let counts = counts.map(|count| one[count].as_u64().unwrap());
                assert_eq!(counts, [0; 4], "{report:#}");
            }
        }
        assert_eq!(
            report["at_switch"]["forward"]["source"],
            20 + 10 + 6 + there
        );
        seen.join().unwrap()
    });
    let all =
        (0..2).flat_map(|partition| (0..3).map(move |at| format!("stranded {partition} {at}")));
    let all: Vec<String> = all.collect();
    assert_eq!(seen, [all.clone(), all]);
}
