//! From healthy to healthy: what is told of a drill meanwhile, and what is told of the failback before it is begun.

use crate::docker::{Docker, Rule};
use crate::failback::{Lab, cases, docker, docker_of, report, spec};
use crate::kmk::{DEPLOY, Kmk};
use crate::mirror::{Habits, Mirror};
use crate::report::{Reports, flags};
use kmk_kafka::testing::FakeBroker;
use serde_json::{Value, json};
use std::sync::Arc;

#[test]
fn a_drill_that_was_not_taken_back_is_told_to_scripts() {
    let drill = |naming: &str, phase: &str| -> Value {
        let kmk = Kmk::on(|kmk| docker(kmk, naming, phase));
        let ran = kmk.run("status --json").code(1);
        let text = ran.text().replace(": $PRIMARY", ": 1");
        let status: Value = serde_json::from_str(&text.replace(": $SECONDARY", ": 2")).unwrap();
        status["drill"].clone()
    };
    assert_eq!(
        drill("prefix", "failed-over"),
        json!({
            "what": "failover", "flow": "primary->secondary", "phase": "failed_over", "since": "1970-01-01T00:00:00Z",
            "step": null, "next": ["kmk drill failback", "kmk drill abort"],
        })
    );
    let begun = drill("prefix", "running");
    assert_eq!(
        (&begun["phase"], &begun["next"]),
        (
            &json!("begun"),
            &json!(["kmk drill resume", "kmk drill abort"])
        )
    );
}

#[test]
fn a_dry_run_of_a_failback_lists_what_is_stranded_and_touches_nothing() {
    let lab = Lab::new();
    let before = [lab.primary.topics(), lab.secondary.topics()];
    let ran = lab.kmk.run("drill failback --dry-run").code(0).changed(&[]);
    ran.stdout_has("A failback of primary->secondary would:\n  1. check that no mirrored topic grows on primary")
        .stdout_has("  2. start secondary->primary\n")
        .stdout_has("  7. start primary->secondary again: it mirrors what is only on primary, late\n")
        .stdout_has("\n  9. remove the drill's topics and groups\n\nOnly on primary now: 6 records:\n")
        .stdout_has("kmk-drill-1-orders  1          10..12   3        mirrored late\n");
    let ran = lab
        .kmk
        .run("drill failback --dry-run --keep --json")
        .code(0);
    let rehearsal: Value = serde_json::from_str(ran.text()).unwrap();
    assert_eq!(
        (&rehearsal["stranded_records"], &rehearsal["adds_flow"]),
        (&json!(6), &json!(false))
    );
    assert_eq!(rehearsal["steps"].as_array().unwrap().len(), 8);
    assert_eq!([lab.primary.topics(), lab.secondary.topics()], before);
}

#[test]
fn a_dry_run_says_what_cannot_be_read_and_which_flow_is_added() {
    let kmk = Kmk::new();
    kmk.run(&format!("{DEPLOY} --dry-run")).code(0);
    let written = std::fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    let lab = kmk.lab().made_from(&written).exited("primary", 137);
    let kmk = kmk.docker(&docker_of(lab, "prefix", "failed-over"));
    let ran = kmk.run("drill failback --dry-run").code(0).changed(&[]);
    ran.stdout_has("would:\n  1. start primary\n")
        .stdout_has("  3. add and start secondary->primary\n")
        .stdout_has("  10. remove the drill's topics and groups, and flow secondary->primary\n")
        .stdout_has("note: secondary->primary is added, and primary->secondary is removed until the switch back")
        .stdout_has("\n\nRecords that are only on primary cannot be read: primary is down.\n");
}

/// A healthy lab whose mirrors copy: with flows both ways, or one that keeps names.
pub(crate) struct Healthy {
    pub(crate) kmk: Kmk,
    pub(crate) brokers: [Arc<FakeBroker>; 2],
    _mirrors: Vec<Mirror>,
}

impl Healthy {
    pub(crate) fn new(naming: &str) -> Self {
        let keeps_names = naming == "same";
        let habits = Habits {
            keeps_names,
            ..Habits::default()
        };
        Self::with(habits, None)
    }

    /// The flow back loses a record.
    fn with(habits: Habits, loses: Option<(&'static str, i64)>) -> Self {
        let naming = if habits.keeps_names { "same" } else { "prefix" };
        let kmk = Kmk::on(|kmk| {
            let lab = kmk.lab().also(&["mm2-primary"]).spec(spec(kmk, naming));
            let docker = Docker::works().with(&lab);
            ["logs *", "stop *", "start *", "kill *"]
                .iter()
                .fold(docker, |docker, pattern| docker.rule(Rule::on(pattern)))
        });
        let brokers = kmk
            .ports()
            .map(|port| Arc::new(FakeBroker::start_on(port).unwrap()));
        let end = |at: usize| (["primary", "secondary"][at], Arc::clone(&brokers[at]));
        let mut mirrors = vec![Mirror::start_as(end(0), end(1), habits)];
        if !habits.keeps_names {
            let back = Habits { loses, ..habits };
            mirrors.push(Mirror::start_as(end(1), end(0), back));
        }
        Self {
            kmk,
            _mirrors: mirrors,
            brokers,
        }
    }

    fn has_no_drill(&self) {
        for broker in &self.brokers {
            let topics = broker.topics();
            let of_drill = |(name, _): &(String, usize)| name.contains("kmk-drill-");
            assert!(!topics.iter().any(of_drill), "{topics:?}");
        }
    }
}

#[test]
fn a_dry_run_of_a_cycle_tells_both_ways_and_touches_nothing() {
    let lab = Healthy::new("prefix");
    let line = "drill cycle primary:secondary --dry-run";
    let ran = lab.kmk.run(&format!("{line} --planned --rate 200"));
    ran.code(0)
        .changed(&[])
        .stdout_has("A failover of primary->secondary would:\n  1. create topic `kmk-drill-")
        .stdout_has("\n  6. stop MirrorMaker\n")
        .stdout_has(
            "\n\nThen the failback would:\n  1. check that no mirrored topic grows on primary",
        )
        .stdout_has("\n  3. write 200 records/s with 200 keys to `kmk-drill-");
    lab.has_no_drill();
    let ran = lab.kmk.run(&format!("{line} --json")).code(0);
    let rehearsal: Value = serde_json::from_str(ran.text()).unwrap();
    assert_eq!(rehearsal["failback"]["flow"], "primary->secondary");
}

#[test]
fn a_lab_that_cannot_fail_back_is_not_failed_over() {
    let lab = Healthy::new("same");
    let ran = lab.kmk.run("drill cycle").code(2).changed(&[]);
    ran.stderr_has("error: flow primary->secondary keeps topic names");
    let ran = lab
        .kmk
        .run("drill cycle --by watermark")
        .code(2)
        .changed(&[]);
    ran.stderr_has("error: --by watermark fits only a planned failover");
    lab.has_no_drill();
}

#[test]
fn what_does_not_hold_on_either_way_is_told_together_and_the_lab_is_healthy_again() {
    let lab = Healthy::with(Habits::default(), Some(("kmk-drill-", 40)));
    let how =
        "--planned --warm-up 1s --rate 300 --load 1s --groups fresh --timeout 20s --rto-max 1s";
    let line = format!("drill cycle primary:secondary {how} {} --json", flags());
    let report = report(&lab.kmk.run(&line).code(1));
    assert_eq!(report["passed"], false);
    let [away, home] = [&report["failover"], &report["failback"]];
    assert_eq!(
        (&away["passed"], &home["passed"]),
        (&json!(false), &json!(false))
    );
    let lost = &home["afterwards"]["back"];
    assert_eq!(lost["missing"], 1, "{report:#}");
    let checks = [away, home].map(|half| half["checks"].as_array().unwrap().len());
    let suites = std::fs::read_to_string(lab.kmk.work("r.xml")).unwrap();
    let failed = [
        "it takes at most 1.0 s",
        "every record of the source is on the target",
    ];
    assert_eq!(
        cases(&suites),
        (checks.iter().sum(), failed.map(str::to_owned).to_vec())
    );
    let reports = Reports::of(&lab.kmk);
    reports.agree("✗", "FAILED", &failed);
    let page = std::fs::read_to_string(lab.kmk.work("r.html")).unwrap();
    assert!(page.contains("it took longer than 1.0 s; secondary-&gt;primary lacks 1 record"));
    let [away, home] = &reports.pictures()[..] else {
        panic!("{:?}", reports.pictures())
    };
    assert!(away.contains("recovery: ") && home.contains("Compared both sides, "));
    assert_eq!(reports.rows("Failover: partitions").len(), 6);
    lab.has_no_drill();
    lab.kmk.run("status").code(0).stderr("");
    lab.kmk
        .run("drill abort")
        .code(2)
        .stderr_has("error: lab `demo` has no drill that is under way or failed over");
}

#[test]
fn an_interrupted_cycle_is_taken_back() {
    let lab = Healthy::new("prefix");
    let running = lab.kmk.start("drill cycle primary:secondary --warm-up 20s");
    let has_begun = |(name, _): &(String, usize)| name.contains("kmk-drill-");
    while !lab.brokers[1].topics().iter().any(has_begun) {
        std::thread::yield_now();
    }
    running.signal(rustix::process::Signal::INT);
    let ran = running.finish().code(130).changed(&[
        "stop id-demo-mm2-primary id-demo-mm2-secondary",
        "start id-demo-mm2-primary id-demo-mm2-secondary",
    ]);
    ran.stderr_has("The drill was taken back: the lab is as it was before.");
    lab.kmk.run("status").code(0).stderr("");
}
