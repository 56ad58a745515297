//! Drills: what is refused, what would be done, and whole failovers between brokers in memory.

use crate::docker::{Docker, Rule};
use crate::kmk::Kmk;
use crate::mirror::{Habits, Mirror};
use crate::ran::Ran;
use crate::report::{Reports, fits_the_schema, flags};
use crate::toxiproxy::FakeToxiproxy;
use kmk_kafka::message::Record;
use kmk_kafka::testing::FakeBroker;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A lab whose brokers answer, and whose MirrorMaker copies topics under their own names: a fake group has one member only.
pub(crate) struct Lab {
    pub(crate) kmk: Kmk,
    pub(crate) primary: Arc<FakeBroker>,
    pub(crate) secondary: Arc<FakeBroker>,
    pub(crate) mirror: Option<Mirror>,
}

pub(crate) const KILL_PRIMARY: &str = "kill id-demo-primary";
pub(crate) const KILL_MIRROR: &str = "kill id-demo-mm2-secondary";
const DISCONNECT: &str = "network disconnect --force kmk-demo_primary id-demo-mm2-secondary";
pub(crate) const FAILOVER: &str = "drill failover --warm-up 1s --rate 300 --json";

pub(crate) fn spec(kmk: &Kmk, naming: &str, more: &Value) -> Value {
    let [primary, secondary] = kmk.ports();
    let cluster =
        |name: &str, port: u16| json!({"name": name, "brokers": 1, "partitions": 1, "port": port});
    let mut flow = json!({"source": "primary", "target": "secondary", "naming": naming});
    let more = more.as_object().cloned().unwrap_or_default();
    flow.as_object_mut().unwrap().extend(more);
    json!({
        "lab": "demo",
        "clusters": [cluster("primary", primary), cluster("secondary", secondary)],
        "flows": [flow],
    })
}

/// A docker that does whatever a drill asks.
pub(crate) fn docker(kmk: &Kmk, spec: Value) -> Docker {
    let docker = Docker::works().with(&kmk.lab().spec(spec));
    [
        "logs *",
        "kill *",
        "stop *",
        "start *",
        "network disconnect *",
        "network connect *",
    ]
    .iter()
    .fold(docker, |docker, pattern| docker.rule(Rule::on(pattern)))
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::mirrored_as(Habits::default())
    }

    pub(crate) fn mirrored_as(habits: Habits) -> Self {
        let kmk = Kmk::on(|kmk| docker(kmk, spec(kmk, "same", &json!({}))));
        Self::on(kmk, habits)
    }

    /// Between the clusters of this kmk.
    pub(crate) fn on(kmk: Kmk, habits: Habits) -> Self {
        let [primary, secondary] = kmk
            .ports()
            .map(|port| Arc::new(FakeBroker::start_on(port).unwrap()));
        let mut lab = Self {
            kmk,
            primary,
            secondary,
            mirror: None,
        };
        lab.mirror = Some(lab.mirror_as(habits));
        lab
    }

    fn mirror_as(&self, habits: Habits) -> Mirror {
        let habits = Habits {
            keeps_names: true,
            ..habits
        };
        Mirror::start_as(
            ("primary", Arc::clone(&self.primary)),
            ("secondary", Arc::clone(&self.secondary)),
            habits,
        )
    }

    /// Runs a failover in which the source dies and, a while before, MirrorMaker; the last of it is done behind its back.
    pub(crate) fn killed(&mut self, line: &str, once_stopped: impl Fn(&Self, &str)) -> Ran {
        let kmk = std::mem::replace(&mut self.kmk, Kmk::new());
        let running = kmk.start(line);
        running.until_called(KILL_PRIMARY);
        self.primary.go_down();
        self.mirror = None;
        running.until_called(KILL_MIRROR);
        once_stopped(self, &self.topic());
        running.until_called("start id-demo-primary");
        self.primary.come_back();
        let ran = running.finish();
        self.kmk = kmk;
        ran
    }

    pub(crate) fn has_topic(&self) -> bool {
        let topics = self.primary.topics();
        topics
            .iter()
            .any(|(name, _)| name.starts_with("kmk-drill-"))
    }

    /// The drill's topic.
    pub(crate) fn topic(&self) -> String {
        let topics = self.primary.topics().into_iter();
        let mut topics = topics.map(|(name, _)| name);
        topics.find(|name| name.starts_with("kmk-drill-")).unwrap()
    }

    /// The records of a topic that were written before the switch, each as the text on it.
    pub(crate) fn values(broker: &FakeBroker, topic: &str) -> Vec<String> {
        let records = (0..6).flat_map(|partition| broker.records(topic, partition));
        let value = |record: Record| String::from_utf8(record.value.unwrap()).unwrap();
        records.map(value).collect()
    }
}

pub(crate) fn report(ran: &Ran) -> Value {
    // ports are numbers
    let text = ran.text().replace(": $PRIMARY", ": 1");
    let report: Value = serde_json::from_str(&text.replace(": $SECONDARY", ": 2")).unwrap();
    fits_the_schema(&report);
    report
}

pub(crate) fn group<'a>(report: &'a Value, name: &str) -> &'a Value {
    let groups = report["groups"].as_array().unwrap();
    groups.iter().find(|group| group["group"] == name).unwrap()
}

pub(crate) fn failed(report: &Value) -> Vec<&str> {
    let checks = report["checks"].as_array().unwrap().iter();
    let failed = checks.filter(|check| check["held"] == false);
    failed
        .map(|check| check["expectation"].as_str().unwrap())
        .collect()
}

#[test]
fn a_planned_failover_loses_nothing_and_gives_nothing_again_that_was_synced() {
    let lab = Lab::new();
    let ran = lab.kmk.run(&format!("{FAILOVER} --planned --rpo-max 0"));
    let ran = ran.code(0).changed(&["stop id-demo-mm2-secondary"]);
    let report = report(&ran);
    assert_eq!(report["rpo"]["records"], 0, "{report:#}");
    assert_eq!(report["rpo"]["in_doubt"]["records"], 0);
    assert_eq!(report["passed"], true);
    let caught_up = group(&report, "caught-up");
    assert_eq!(caught_up["again"], 0, "{report:#}");
    assert_eq!(caught_up["start"], "synced_offsets");
    assert_eq!(group(&report, "fresh")["start"], "never_committed");
}

#[test]
fn a_planned_failover_waits_for_the_copy_of_every_topic_that_is_mirrored() {
    let mut lab = Lab::mirrored_as(Habits {
        omits: Some("invoices"),
        ..Habits::default()
    });
    lab.primary.topic("invoices", 2, &[]);
    let kmk = std::mem::replace(&mut lab.kmk, Kmk::new());
    let running = kmk.start("drill failover --planned --warm-up 100ms --timeout 4s");
    running.until("a topic of the drill", || lab.has_topic());
    lab.primary
        .append("invoices", 1, &[(Some("1"), Some("one"))]);
    running.until("the drill's topic is removed", || !lab.has_topic());
    lab.mirror = None;
    lab.mirror = Some(lab.mirror_as(Habits::default()));
    let ran = running.finish().code(1);
    ran.stderr_has(
        "error: not everything was copied within <time>: records of topic `invoices` that are not copied: 1 (partition 1)",
    );
}

#[test]
fn what_is_missing_after_a_kill_is_what_the_ledger_says() {
    let mut lab = Lab::new();
    let ran = lab.killed(FAILOVER, |_, _| {}).code(0);
    let ran = ran.changed(&[KILL_PRIMARY, KILL_MIRROR, "start id-demo-primary"]);
    let report = report(&ran);
    // by the logs themselves
    let topic = lab.topic();
    let there: BTreeSet<String> = Lab::values(&lab.secondary, &topic).into_iter().collect();
    let source = Lab::values(&lab.primary, &topic);
    let missing = source
        .iter()
        .filter(|value| !there.contains(*value))
        .count() as u64;
    let rpo = &report["rpo"];
    let open = rpo["in_doubt"]["only_on_source"].as_u64().unwrap();
    assert_eq!(
        rpo["records"].as_u64().unwrap() + open,
        missing,
        "{report:#}"
    );
    assert_eq!(rpo["stranded"], rpo["records"]);
    assert_eq!(rpo["gone_for_good"], 0);
    let parts = report["rto"]["parts"].as_array().unwrap().iter();
    let sum: f64 = parts.map(|part| part["seconds"].as_f64().unwrap()).sum();
    assert!((sum - report["rto"]["seconds"].as_f64().unwrap()).abs() < 1e-6);
    assert!(report["rto"]["parts"][0]["seconds"].as_f64().unwrap() >= 2.0);
    // and then as it was
    lab.kmk.run("drill failover --dry-run").code(2).stderr_has(
        "error: an earlier drill of flow primary->secondary has not been taken back\n  hint: `kmk drill abort` takes it back",
    );
    lab.kmk.run("status").code(1).stderr_has(
        "hint: a drill has failed over from primary to secondary; `kmk drill failback --by rebuild` fails back, `kmk drill abort` takes it back\n",
    );
    let ends = "note: demo: a drill of primary->secondary is not over; `kmk drill failback --by rebuild` ends it\n";
    lab.kmk.run("list").code(0).stderr_has(ends);
}

#[test]
fn a_link_that_is_cut_leaves_a_source_that_is_still_written_to() {
    let mut lab = Lab::new();
    let kmk = std::mem::replace(&mut lab.kmk, Kmk::new());
    let running = kmk.start(&format!("{FAILOVER} --fault cut"));
    running.until_called(DISCONNECT);
    lab.mirror = None;
    let ran = running.finish().code(0).changed(&[DISCONNECT, KILL_MIRROR]);
    let report = report(&ran);
    let rpo = &report["rpo"];
    let number = |key: &str| rpo[key].as_u64().unwrap();
    let topic = lab.topic();
    let there: BTreeSet<String> = Lab::values(&lab.secondary, &topic).into_iter().collect();
    let source = Lab::values(&lab.primary, &topic);
    let missing = source.iter().filter(|value| !there.contains(*value));
    let told = number("records") + number("acknowledged_after_fault") + number("late_writes");
    // the last ones crossed while the link was being cut
    let crossed = told.checked_sub(missing.count() as u64);
    assert!(crossed.is_some_and(|crossed| crossed < 50), "{report:#}");
    // nobody told the producer for as long as the detection took
    assert!(number("acknowledged_after_fault") >= 500, "{report:#}");
    assert!(number("late_writes") >= 500, "{report:#}");
    kmk.run("status").stderr_has("a drill has failed over");
}

/// A flow with a relay; what it does is read back, and MirrorMaker's copying ends with it.
#[test]
fn a_half_open_link_is_noticed_because_nothing_arrives_and_is_restored_by_abort() {
    let kmk = Kmk::with_room_for_relays();
    let first = kmk.ports()[0];
    let line = json!({"link": {"rtt": "20ms"}});
    let service = "link-primary-secondary";
    let lab = (kmk.lab().spec(spec(&kmk, "same", &line))).relay(service, [first + 10, first + 11]);
    let docker = ["logs *", "kill *", "start *"]
        .iter()
        .fold(Docker::works().with(&lab), |docker, pattern| {
            docker.rule(Rule::on(pattern))
        });
    let kmk = kmk.docker(&docker);
    let relay = FakeToxiproxy::start_on(first + 10);
    let [primary, secondary] = kmk
        .ports()
        .map(|port| Arc::new(FakeBroker::start_on(port).unwrap()));
    let habits = Habits {
        keeps_names: true,
        ..Habits::default()
    };
    let mirror = Mirror::start_as(
        ("primary", Arc::clone(&primary)),
        ("secondary", Arc::clone(&secondary)),
        habits,
    );
    kmk.run("start").code(0);
    assert_eq!(relay.toxics("primary").len(), 2);
    let running = kmk.start(&format!("{FAILOVER} --fault half-open"));
    while relay.toxics("primary").len() < 4 {
        std::thread::yield_now();
    }
    drop(mirror);
    let ran = running.finish().code(0).changed(&[KILL_MIRROR]);
    let report = report(&ran);
    assert_eq!(report["fault"], "half-open");
    for key in ["acknowledged_after_fault", "late_writes"] {
        assert!(report["rpo"][key].as_u64() >= Some(500), "{report:#}");
    }
    let noticed = report["rto"]["parts"][0]["seconds"].as_f64().unwrap();
    assert!((1.9..10.0).contains(&noticed), "{noticed}");
    kmk.run("link show").code(0).stdout_has("half-open");
    let _again = Mirror::start_as(("primary", primary), ("secondary", secondary), habits);
    kmk.run("drill abort")
        .code(0)
        .stderr_has("Told link-primary-secondary how slow to be");
    let toxics = relay.toxics("primary");
    assert!(
        toxics.iter().all(|toxic| toxic.starts_with("latency ")),
        "{toxics:?}"
    );
    kmk.run("link show").code(0).stdout_has("connected");
}

#[test]
fn a_record_that_is_lost_is_named() {
    let mut lab = Lab::mirrored_as(Habits {
        loses: Some(("kmk-drill-", 40)),
        ..Habits::default()
    });
    let ran = lab.killed(&format!("{FAILOVER} --rpo-max 0 {}", flags()), |_, _| {});
    let report = report(&ran.code(1));
    let of_first = &report["rpo"]["partitions"][0];
    assert_eq!(of_first["partition"], 0, "{report:#}");
    assert!(of_first["records"].as_u64().unwrap() >= 1);
    // it was acknowledged at the very beginning
    assert!(of_first["seconds"].as_f64().unwrap() > 1.0, "{report:#}");
    assert_eq!(failed(&report), ["rpo_max"]);
    let reports = Reports::of(&lab.kmk);
    let report = reports.agree("✗", "FAILED", &["at most 0 records are lost"]);
    // every partition, with what it lost
    let partitions = reports.rows("Partitions");
    assert_eq!(partitions.len(), 6);
    for (row, of) in partitions
        .iter()
        .zip(report["by_partition"].as_array().unwrap())
    {
        let number = |cell: usize| row[cell].parse::<u64>().unwrap();
        assert_eq!(number(1), number(2) + number(3), "{row:?}");
        let told = ["acknowledged", "on_target", "missing"].map(|key| of[key].as_u64().unwrap());
        assert_eq!([1, 2, 3].map(number), told);
    }
    assert_eq!(
        partitions[0][3],
        report["rpo"]["partitions"][0]["records"].to_string()
    );
    let acknowledged: u64 = partitions
        .iter()
        .map(|row| row[1].parse::<u64>().unwrap())
        .sum();
    assert_eq!(report["rpo"]["acknowledged"], acknowledged);
    // what was sent in the steady state, and arrived: a second of it
    let histogram = report["latency"]["histogram"].as_array().unwrap().iter();
    let arrived: u64 = histogram.map(|bar| bar["records"].as_u64().unwrap()).sum();
    assert!((150..1_500).contains(&arrived), "{arrived}");
    let bars = reports.rows("Latency in the steady state").into_iter();
    let drawn: u64 = bars
        .map(|bar| bar[1].replace(',', "").parse::<u64>().unwrap())
        .sum();
    assert_eq!(drawn, arrived);
    let picture = &reports.pictures()[0];
    for shown in [
        "recovery: detected from 0.0 s",
        "group lagging: until its first new record from 0.0 s",
        &format!("{acknowledged} records acknowledged by primary in the end"),
        "records acknowledged by secondary after the switch in the end",
    ] {
        assert!(
            picture.replace(',', "").contains(shown),
            "{shown}: {picture}"
        );
    }
}

#[test]
fn of_several_runs_the_least_the_median_and_the_greatest_are_told() {
    let lab = Lab::new();
    let line = "drill failover --planned --repeat 2 --warm-up 200ms --groups fresh --json";
    let ran = lab.kmk.run(&format!("{line} {}", flags())).code(0);
    let report = report(&ran);
    assert_eq!(
        report["rpo_records"],
        json!({"least": 0.0, "median": 0.0, "greatest": 0.0})
    );
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    assert_ne!(runs[0]["topic"], runs[1]["topic"]);
    let reports = Reports::of(&lab.kmk);
    let kept = reports.agree("✓", "MEASURED", &[]);
    assert_eq!(kept["rto_seconds"], report["rto_seconds"]);
    let tenths = |value: &Value| format!("{:.1}", value.as_f64().unwrap());
    let rto = ["least", "median", "greatest"].map(|which| tenths(&kept["rto_seconds"][which]));
    assert_eq!(reports.rows("2 runs")[2][1..], rto);
    let each: Vec<String> = reports
        .rows("Run by run")
        .into_iter()
        .map(|row| row[3].clone())
        .collect();
    let told: Vec<String> = runs
        .iter()
        .map(|run| tenths(&run["rto"]["seconds"]))
        .collect();
    assert_eq!(each, told);
    assert_eq!(reports.rows("Run 2: partitions").len(), 6);
}

#[test]
fn a_record_that_is_copied_twice_is_named_and_no_loss() {
    let mut lab = Lab::mirrored_as(Habits {
        repeats: Some(("kmk-drill-", 40)),
        ..Habits::default()
    });
    let report = report(&lab.killed(FAILOVER, |_, _| {}));
    assert_eq!(report["rpo"]["duplicates"], 1, "{report:#}");
    assert_eq!(report["rpo"]["never_sent"], 0);
}

#[test]
fn a_record_that_a_group_skips_is_named_and_fails_the_drill() {
    let mut lab = Lab::new();
    let ran = lab.killed(FAILOVER, |lab, topic| {
        let groups = lab.secondary.groups();
        let lagging = groups
            .keys()
            .find(|name| name.ends_with("-lagging"))
            .unwrap();
        let at = groups[lagging][&(topic.to_owned(), 0)];
        lab.secondary.commit(lagging, topic, 0, at + 100);
    });
    let report = report(&ran.code(1));
    let lagging = group(&report, "lagging");
    let (again, skipped) = (&lagging["again"], lagging["skipped"].as_u64().unwrap());
    assert!(skipped > 0 && skipped <= 100, "{again} {skipped}");
    assert_eq!(failed(&report), ["as_predicted"]);
}

#[test]
fn a_drill_that_does_not_come_to_its_end_is_taken_back() {
    let lab = Lab::new();
    let running = lab.kmk.start("drill failover --warm-up 20s");
    running.until("records cross", || {
        lab.has_topic() && Lab::values(&lab.secondary, &lab.topic()).len() > 3_000
    });
    running.signal(rustix::process::Signal::INT);
    let ran = running
        .finish()
        .code(130)
        .changed(&["stop id-demo-mm2-secondary", "start id-demo-mm2-secondary"]);
    ran.stderr_has("The drill was taken back: the lab is as it was before.");
    for broker in [&lab.primary, &lab.secondary] {
        let topics = broker.topics();
        assert!(
            !topics
                .iter()
                .any(|(name, _)| name.starts_with("kmk-drill-")),
            "{topics:?}"
        );
        let groups = broker.groups();
        assert!(
            !groups.keys().any(|name| name.starts_with("kmk-drill-")),
            "{groups:?}"
        );
    }
    lab.kmk
        .run("drill abort")
        .code(2)
        .stderr_has("error: lab `demo` has no drill that is under way or failed over");
}
