//! A failback after a failover, between brokers in memory: what is stranded, what is there twice, and what is missing.

use crate::docker::{Docker, Rule};
use crate::kmk::Kmk;
use crate::lab::FakeLab;
use crate::mirror::{Habits, Mirror};
use crate::ran::Ran;
use crate::report::{Reports, fits_the_schema, flags};
use kmk_kafka::testing::FakeBroker;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) const TOPIC: &str = "kmk-drill-1-orders";
const LIST: &str = "volume ls --quiet --filter label=kmk.lab=demo --filter label=kmk.journal";
const STOP: &str = "stop id-demo-mm2-primary id-demo-mm2-secondary";
pub(crate) const START_BACK: &str = "start id-demo-mm2-primary";
pub(crate) const START_FORWARD: &str = "start id-demo-mm2-secondary";
const START: &str = "start id-demo-mm2-primary id-demo-mm2-secondary";
const JOURNAL: &str = "kmk-demo_journal-7";

/// A lab that failed over from primary to secondary. Flows lead both ways, and no MirrorMaker runs.
pub(crate) struct Lab {
    pub(crate) kmk: Kmk,
    pub(crate) primary: Arc<FakeBroker>,
    pub(crate) secondary: Arc<FakeBroker>,
}

pub(crate) fn spec(kmk: &Kmk, naming: &str) -> Value {
    let [primary, secondary] = kmk.ports();
    let cluster =
        |name: &str, port: u16| json!({"name": name, "brokers": 1, "partitions": 1, "port": port});
    let flow = |source: &str, target: &str, naming: &str| json!({"source": source, "target": target, "naming": naming});
    let mut flows = vec![flow("primary", "secondary", naming)];
    if naming == "prefix" {
        flows.push(flow("secondary", "primary", naming));
    }
    json!({
        "lab": "demo",
        "clusters": [cluster("primary", primary), cluster("secondary", secondary)],
        "flows": flows,
    })
}

/// A docker that knows of a failover.
pub(crate) fn docker(kmk: &Kmk, naming: &str, phase: &str) -> Docker {
    let lab = kmk.lab().spec(spec(kmk, naming));
    let lab = match naming {
        "same" => lab,
        _ => lab.also(&["mm2-primary"]),
    };
    docker_of(lab, naming, phase)
}

/// The same with another lab.
pub(crate) fn docker_of(lab: FakeLab, naming: &str, phase: &str) -> Docker {
    docker_with(lab, &drill(naming, phase))
}

/// What the journal says of a failover.
pub(crate) fn drill(naming: &str, phase: &str) -> Value {
    let (fault, mirrored) = match naming {
        "same" => ("planned", TOPIC.to_owned()),
        _ => ("kill", format!("primary.{TOPIC}")),
    };
    // an older kmk notes no watermark
    let mut drill = json!({
        "flow": "primary->secondary", "source": "primary", "target": "secondary", "fault": fault, "phase": phase, "since": 1,
        "topics": {"source": TOPIC, "mirrored": mirrored, "target": TOPIC}, "groups": [],
    });
    if naming == "same" {
        drill["watermark"] = json!({"0": 10, "1": 10});
    }
    drill
}

/// A docker that knows of this drill.
pub(crate) fn docker_with(lab: FakeLab, drill: &Value) -> Docker {
    let journal = json!({"drill": drill}).to_string();
    let labels =
        json!({"kmk.lab": "demo", "kmk.format": "1", "kmk.journal": "1", "kmk.journal.1": journal});
    let volume = json!([{"Name": JOURNAL, "Labels": labels}]).to_string();
    let lab = lab.journal(7);
    let mut killed = lab.clone().exited("mm2-secondary", 137);
    if lab.has("mm2-primary") {
        killed = killed.exited("mm2-primary", 137);
    }
    let running = lab.rules().into_iter();
    let changed = "volume create *_journal-*";
    Docker::works()
        .with(&killed)
        .rules(running.map(|rule| rule.from(START_FORWARD)))
        .rule(Rule::on(START_BACK))
        .rule(Rule::on(START_FORWARD))
        .rule(Rule::on("logs *"))
        .rule(Rule::on(START))
        // the mirrors of the test stop meanwhile
        .rule(Rule::on(STOP).takes(1))
        .rule(Rule::on(LIST).says(&format!("{JOURNAL}\n")).until(changed))
        .rule(Rule::on(&format!("volume inspect {JOURNAL}")).says(&volume))
}

pub(crate) fn numbered(broker: &FakeBroker, name: &str, count: usize) {
    for partition in 0..2 {
        let values: Vec<String> = (0..count)
            .map(|at| format!("{name} {partition} {at}"))
            .collect();
        let records = values
            .iter()
            .map(|value| (Some("key"), Some(value.as_str())));
        broker.append(TOPIC, partition, &records.collect::<Vec<_>>());
    }
}

impl Lab {
    /// In which each partition has 10 records that crossed and 3 that did not, and 5 that were written on the other side.
    pub(crate) fn new() -> Self {
        Self::of(&drill("prefix", "failed-over"))
    }

    /// The same with another drill in its journal.
    pub(crate) fn of(drill: &Value) -> Self {
        let kmk = Kmk::on(|kmk| {
            let lab = kmk.lab().spec(spec(kmk, "prefix"));
            docker_with(lab.also(&["mm2-primary"]), drill)
        });
        let [primary, secondary] = kmk
            .ports()
            .map(|port| Arc::new(FakeBroker::start_on(port).unwrap()));
        let lab = Self {
            kmk,
            primary,
            secondary,
        };
        lab.primary.topic(TOPIC, 2, &[]);
        lab.secondary.topic(TOPIC, 2, &[]);
        numbered(&lab.primary, "crossed", 10);
        drop(lab.forward(Habits::default()));
        numbered(&lab.primary, "stranded", 3);
        numbered(&lab.secondary, "after", 5);
        lab
    }

    pub(crate) fn forward(&self, habits: Habits) -> Mirror {
        let ends = [("primary", &self.primary), ("secondary", &self.secondary)];
        let [source, target] = ends.map(|(name, broker)| (name, Arc::clone(broker)));
        Mirror::start_as(source, target, habits)
    }

    pub(crate) fn back(&self, habits: Habits) -> Mirror {
        let ends = [("secondary", &self.secondary), ("primary", &self.primary)];
        let [source, target] = ends.map(|(name, broker)| (name, Arc::clone(broker)));
        Mirror::start_as(source, target, habits)
    }

    /// Fails back; MirrorMaker starts from the beginning each time.
    fn failed_back(&self, forward: Habits, back: Habits) -> Ran {
        let line = "drill failback --salvage stranded.jsonl --load 1s --rate 300 --json";
        let running = self.kmk.start(&format!("{line} {}", flags()));
        running.until_called(START_BACK);
        assert!(self.kmk.work("stranded.jsonl").exists());
        let back = self.back(back);
        running.until_called(START_FORWARD);
        let mirrors = [self.forward(forward), back];
        running.until_called(STOP);
        drop(mirrors);
        running.until_called(START);
        let _mirrors = [
            self.forward(Habits::default()),
            self.back(Habits::default()),
        ];
        running.finish()
    }
}

pub(crate) fn report(ran: &Ran) -> Value {
    // ports are numbers
    let text = ran.text().replace(": $PRIMARY", ": 1");
    let report: Value = serde_json::from_str(&text.replace(": $SECONDARY", ": 2")).unwrap();
    fits_the_schema(&report);
    report
}

pub(crate) fn failed(report: &Value) -> Vec<(&str, &str)> {
    let checks = report["checks"].as_array().unwrap().iter();
    let failed = checks.filter(|check| check["held"] == false);
    failed
        .map(|check| {
            (
                check["expectation"].as_str().unwrap(),
                check["flow"].as_str().unwrap(),
            )
        })
        .collect()
}

/// How many test cases there are, and the names of those that failed.
pub(crate) fn cases(suites: &str) -> (usize, Vec<String>) {
    let document = roxmltree::Document::parse(suites).unwrap();
    let has = |name: &'static str| {
        let nodes = document.descendants();
        nodes.filter(move |node| node.has_tag_name(name))
    };
    let failed = has("failure").map(|node| {
        let case = node.parent().unwrap();
        case.attribute("name").unwrap().to_owned()
    });
    (has("testcase").count(), failed.collect())
}

#[test]
fn stranded_records_are_exported_and_mirrored_late_and_copies_are_counted() {
    let lab = Lab::new();
    let ran = lab.failed_back(Habits::default(), Habits::default());
    let ran = ran
        .code(0)
        .changed(&[START_BACK, START_FORWARD, STOP, START]);
    let report = report(&ran);
    assert_eq!(report["passed"], true);
    assert_eq!(
        (&report["stranded_records"], &report["exported"]),
        (&json!(6), &json!(6))
    );
    let stranded = &report["stranded"][1];
    assert_eq!(
        (&stranded["partition"], &stranded["later"]),
        (&json!(1), &json!([{"first": 10, "last": 12, "records": 3}])),
        "{report:#}"
    );
    // the mirror of the test starts from the beginning: everything mirrored before is there twice
    for (when, surplus, missing) in [("at_switch", 0, 6), ("afterwards", 20, 0)] {
        assert_eq!(report[when]["forward"]["surplus"], surplus, "{report:#}");
        assert_eq!(report[when]["forward"]["missing"], missing);
        assert_eq!(report[when]["back"]["surplus"], 0);
    }
    assert_eq!(
        (&report["mirrored_late"], &report["repeated"]),
        (&json!(6), &json!(20))
    );
    let written = report["written_on_source"].as_u64().unwrap();
    assert!(written > 0);
    let read = |name: &str| std::fs::read_to_string(lab.kmk.work(name)).unwrap();
    assert_eq!(
        cases(&read("r.xml")),
        (report["checks"].as_array().unwrap().len(), vec![])
    );
    let kept: Value = serde_json::from_str(&read("r.json")).unwrap();
    assert_eq!(kept["checks"], report["checks"]);
    let partition = &report["afterwards"]["partitions"][0]["partitions"][1]["difference"];
    let (source, target) = (&partition["source"], &partition["target"]);
    let row = format!("| primary.{TOPIC}-1 | {source} | {target} | 0 | 10 | 0 | 0 |");
    assert!(read("r.md").contains(&row), "{row}: {}", read("r.md"));
    let reports = Reports::of(&lab.kmk);
    reports.agree("✓", "PASSED", &[]);
    let picture = &reports.pictures()[0];
    for step in [
        "Wrote to secondary, 1.",
        "Removed the drill's topics and groups, 0.",
    ] {
        assert!(picture.contains(step), "{step}: {picture}");
    }
    assert_eq!(report["afterwards"]["forward"]["source"], written + 26);
    let lines = std::fs::read_to_string(lab.kmk.work("stranded.jsonl")).unwrap();
    let values = lines.lines().map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["topic"], TOPIC);
        record["value"].as_str().unwrap().to_owned()
    });
    let values: BTreeSet<String> = values.collect();
    let all =
        (0..2).flat_map(|partition| (0..3).map(move |at| format!("stranded {partition} {at}")));
    assert_eq!(values, all.collect::<BTreeSet<_>>());
    // as it was before the failover
    for broker in [&lab.primary, &lab.secondary] {
        let topics = broker.topics();
        assert!(
            !topics.iter().any(|(name, _)| name.contains("kmk-drill-")),
            "{topics:?}"
        );
    }
    lab.kmk
        .run("drill failback")
        .code(2)
        .stderr_has("error: lab `demo` has no drill that is under way or failed over");
}

#[test]
fn where_somebody_still_writes_to_the_old_side_nothing_is_removed() {
    let lab = Lab::new();
    let before = lab.secondary.topics();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                lab.primary.append(TOPIC, 0, &[(None, Some("late"))]);
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
        });
        let ran = lab.kmk.run("drill failback");
        done.store(true, Ordering::Relaxed);
        ran.code(1)
            .changed(&[])
            .stderr_has("error: the fence does not hold: ");
    });
    assert_eq!(lab.secondary.topics(), before);
    assert!(!lab.primary.records(TOPIC, 1).is_empty());
    lab.kmk
        .run("drill failback --dry-run")
        .code(0)
        .stdout_has("10..12   3        mirrored late\n");
}

#[test]
fn a_record_that_does_not_come_home_is_named_and_one_that_comes_twice_is_counted() {
    let lab = Lab::new();
    let ran = lab.failed_back(
        Habits {
            loses: Some((TOPIC, 11)),
            ..Habits::default()
        },
        Habits {
            repeats: Some((TOPIC, 2)),
            ..Habits::default()
        },
    );
    let report = report(&ran.code(1));
    assert_eq!(
        failed(&report),
        [("nothing_missing", "primary->secondary")],
        "{report:#}"
    );
    let suites = std::fs::read_to_string(lab.kmk.work("r.xml")).unwrap();
    assert_eq!(
        cases(&suites).1,
        ["every record of the source is on the target"]
    );
    let afterwards = &report["afterwards"];
    assert_eq!(afterwards["forward"]["missing"], 1);
    assert_eq!(
        afterwards["partitions"][0]["partitions"][0]["difference"]["missing_at"],
        json!([{"first": 11, "last": 11, "records": 1}])
    );
    assert_eq!(afterwards["back"]["surplus"], 1);
    assert_eq!(
        afterwards["partitions"][1]["partitions"][0]["difference"]["surplus_at"],
        json!([{"first": 3, "last": 3, "records": 1}])
    );
    let page = std::fs::read_to_string(lab.kmk.work("r.md")).unwrap();
    for row in [
        format!("| missing | primary | {TOPIC} | 0 | 11 | 1 |"),
        format!("| surplus | primary | secondary.{TOPIC} | 0 | 3 | 1 |"),
    ] {
        assert!(page.contains(&row), "{row}: {page}");
    }
}

#[test]
fn a_lab_that_is_healthy_says_that_a_drill_is_not_over() {
    let lab = Lab::new();
    let _mirrors = [lab.forward(Habits::default()), lab.back(Habits::default())];
    let kmk = lab.kmk;
    let running = kmk.lab().also(&["mm2-primary"]).spec(spec(&kmk, "prefix"));
    let docker = docker(&kmk, "prefix", "failed-over").with(&running);
    kmk.docker(&docker).run("status").code(0).stderr_has(
        "note: a drill has failed over from primary to secondary; `kmk drill failback` fails back, `kmk drill abort` takes it back\n",
    );
}

#[test]
fn what_cannot_come_home_by_prefix_is_told_and_nothing_is_touched() {
    let kmk = Kmk::on(|kmk| docker(kmk, "same", "failed-over"));
    kmk.run("drill failback")
        .code(2)
        .changed(&[])
        .stderr_has("error: flow primary->secondary keeps topic names")
        .stderr_has("hint: use --by watermark, or --by rebuild");
    let kmk = Kmk::on(|kmk| docker(kmk, "prefix", "failed-over"));
    kmk.run("drill failback --by watermark")
        .code(2)
        .changed(&[])
        .stderr_has("error: flow primary->secondary prefixes topic names")
        .stderr_has("hint: leave --by out, or use --by rebuild");
    kmk.run("drill failback --salvage replay")
        .code(2)
        .changed(&[])
        .stderr_has(
            "error: stranded records cannot be replayed: primary->secondary mirrors them itself",
        );
    let kmk = Kmk::on(|kmk| docker(kmk, "prefix", "running"));
    kmk.run("drill failback")
        .code(2)
        .changed(&[])
        .stderr_has("error: an earlier drill of flow primary->secondary has not been taken back");
    std::fs::write(kmk.work("there.jsonl"), "mine").unwrap();
    kmk.run("drill failback --salvage there.jsonl")
        .code(2)
        .changed(&[])
        .stderr_has("error: there.jsonl exists already");
    assert_eq!(
        std::fs::read_to_string(kmk.work("there.jsonl")).unwrap(),
        "mine"
    );
}

#[test]
fn only_what_is_real_is_offered() {
    crate::flags::refused(&[
        ("drill failback --by hand", "invalid value 'hand'"),
        ("drill failback --load 0s", "it must be longer than zero"),
        (
            "drill failback --salvage none/x.jsonl",
            "cannot write to none/x.jsonl",
        ),
    ]);
}
