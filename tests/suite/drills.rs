//! Drills of one fault, between brokers in memory: what passes, what fails, and what is taken back.

use crate::docker::{Docker, Rule};
use crate::drill::report;
use crate::healthy::Well;
use crate::kmk::Kmk;
use crate::mirror::{Habits, Mirror};
use crate::report::{Reports, flags};
use kmk_kafka::wait::{Interrupt, Limit};
use kmk_kafka::{Admin, Subject};
use rustix::process::Signal;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CRASH: &str = "drill mirrormaker-crash --for 2s --rate 500/s";
const KILL: &str = "kill id-demo-mm2-secondary";
const START: &str = "start id-demo-mm2-secondary";

fn lab() -> Well {
    Well::of(Kmk::on(|kmk| {
        let docker = Docker::works().with(&kmk.lab());
        let allowed = ["logs *", "kill *", "start *"].map(Rule::on);
        docker.rules(allowed)
    }))
}

/// Another MirrorMaker, which begins from the first record.
fn restarted(lab: &Well, habits: Habits) -> Mirror {
    Mirror::start_as(
        ("primary", Arc::clone(&lab.primary)),
        ("secondary", Arc::clone(&lab.secondary)),
        habits,
    )
}

/// Nothing of a drill is left.
fn whole(lab: &Well) {
    for broker in [&lab.primary, &lab.secondary] {
        let mut topics = broker.topics().into_iter();
        assert_eq!(topics.find(|(name, _)| name.contains("kmk-drill-")), None);
    }
}

fn measured(report: &Value, key: &str) -> Value {
    let measured = report["measured"].as_array().unwrap();
    let found = measured.iter().find(|one| one["key"] == key);
    found.unwrap_or_else(|| panic!("{key} in {report:#}"))["value"].clone()
}

#[test]
fn the_list_names_each_drill_and_the_labs_that_fit() {
    let kmk = Kmk::new();
    let ran = kmk.run("drill list").code(0).no_calls();
    let ran = ran.stdout_has("NAME ");
    for name in ["failover", "mirrormaker-crash", "retention-race"] {
        assert!(ran.text().contains(&format!("\n{name} ")), "{}", ran.text());
    }
    let list: Value = serde_json::from_str(kmk.run("drill list --json").text()).unwrap();
    for drill in list["drills"].as_array().unwrap() {
        let name = drill["name"].as_str().unwrap();
        let help = kmk.run(&format!("drill {name} --help")).code(0);
        help.stdout_has(&format!("Usage: kmk drill {name}"));
    }
}

#[test]
fn a_crash_loses_nothing_and_its_duplicates_are_counted() {
    let mut lab = lab();
    let mirror = lab.mirror.take();
    let running = lab.kmk.start(&format!("{CRASH} --json {}", flags()));
    running.until_called(KILL);
    drop(mirror);
    running.until_called(START);
    let mirror = restarted(&lab, Habits::default());
    let ran = running.finish().code(0).changed(&[KILL, START]);
    drop(mirror);
    let report = report(&ran);
    assert_eq!(report["passed"], true, "{report:#}");
    // what had arrived before came again
    let duplicates = measured(&report, "duplicates").as_u64().unwrap();
    let sent = measured(&report, "acknowledged").as_u64().unwrap();
    assert!((50..sent).contains(&duplicates), "{report:#}");
    let outage = measured(&report, "outage_seconds").as_f64().unwrap();
    assert!((0.0..3.0).contains(&outage), "{outage}");
    let kept = Reports::of(&lab.kmk).agree("✓", "PASSED", &[]);
    let expected = kept["expectations"].as_array().unwrap().iter();
    let expected: Vec<&Value> = expected.map(|one| &one["expected"]).collect();
    assert!(
        expected.contains(&&Value::from("new records arrive after the restart")),
        "{expected:?}"
    );
    whole(&lab);
    lab.kmk.run("drill abort").code(2);
}

#[test]
fn a_record_that_is_lost_fails_the_drill_and_the_lab_is_whole_all_the_same() {
    let mut lab = lab();
    let mirror = lab.mirror.take();
    let running = lab.kmk.start(&format!("{CRASH} --timeout 2s"));
    running.until_called(KILL);
    drop(mirror);
    running.until_called(START);
    let loses = Some(("kmk-drill-", 200));
    let mirror = restarted(
        &lab,
        Habits {
            loses,
            ..Habits::default()
        },
    );
    let ran = running.finish().code(1);
    drop(mirror);
    ran.stdout_has("FAILED: every acknowledged record arrives on secondary: 1 of ");
    whole(&lab);
}

#[test]
fn what_does_not_fit_is_told_before_anything_is_done() {
    let lab = lab();
    let ran = lab.kmk.run("drill link-cut a:b").code(2).changed(&[]);
    ran.stderr_has("error: there is no flow `a->b`");
    let ran = lab.kmk.run("drill exactly-once").code(2).changed(&[]);
    ran.stderr_has("error: MirrorMaker of flow primary->secondary has no exactly-once support\n  hint: `kmk deploy --exactly-once` recreates MirrorMaker with it");
    let ran = lab.kmk.run("drill broker-crash").code(2).changed(&[]);
    ran.stderr_has("error: primary has 1 broker, and this drill kills one: it needs 3")
        .stderr_has("secondary has 1 broker")
        .stderr_has("--scenario ha");
    // nobody answers
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()).rule(Rule::on("logs *")));
    let ran = kmk.run("drill mirrormaker-crash").code(1).changed(&[]);
    ran.stderr_has("error: cluster primary is not healthy");
}

#[test]
fn a_drill_that_is_interrupted_is_taken_back() {
    let lab = lab();
    let running = lab.kmk.start("drill mirrormaker-crash --for 60s");
    until_records_cross(&lab);
    running.signal(Signal::INT);
    let ran = running.finish().code(130).changed(&[]);
    ran.stderr_has("The drill was taken back: the lab is as it was before.");
    whole(&lab);
}

#[test]
fn a_drill_that_died_is_taken_back_by_abort() {
    let lab = lab();
    let running = lab.kmk.start("drill mirrormaker-crash --for 60s");
    until_records_cross(&lab);
    running.signal(Signal::KILL);
    drop(running);
    lab.kmk
        .run("drill link-cut")
        .code(2)
        .stderr_has("`kmk drill abort` takes it back");
    lab.kmk
        .run("status")
        .stderr_has("drill mirrormaker-crash of primary->secondary is running, or died");
    lab.kmk
        .run("drill abort")
        .code(0)
        .stdout_has("was taken back");
    whole(&lab);
}

fn until_records_cross(lab: &Well) {
    until("a record crosses", || {
        let mut topics = lab.secondary.topics().into_iter();
        let topic = topics.find(|(name, _)| name.contains("kmk-drill-"));
        topic.is_some_and(|(name, _)| !lab.secondary.records(&name, 0).is_empty())
    });
}

#[test]
fn what_retention_removed_while_the_link_was_cut_is_counted_and_named() {
    let lab = Well::of(Kmk::on(|kmk| {
        let docker = Docker::works().with(&kmk.lab());
        // time to cut it here too
        let cut = Rule::on("network disconnect *").takes(1);
        docker.rule(Rule::on("logs *")).rule(cut)
    }));
    let line = "drill retention-race --for 1s --rate 500/s --json";
    let running = lab.kmk.start(line);
    running.until_called("network disconnect");
    let cut = lab.mirror.as_ref().unwrap().hold();
    let (topic, ends) = expired(&lab);
    until("records come again", || {
        lab.primary.end(&topic, 0) > ends[0]
    });
    drop(cut);
    let report = report(&running.finish().code(0));
    assert_eq!(report["passed"], true, "{report:#}");
    let removed = measured(&report, "removed");
    assert!(removed.as_u64().unwrap() > 50, "{report:#}");
    assert_eq!(measured(&report, "lost"), removed);
    whole(&lab);
}

/// Removes the drill's records from the source as retention does, once that is set. The topic, and where it begins then.
fn expired(lab: &Well) -> (String, Vec<i64>) {
    let never = Interrupt::default();
    let limit = Limit::new(Duration::from_secs(20), &never);
    let mut admin = Admin::connect(&[lab.primary.endpoint()], &limit).unwrap();
    let mut topics = lab.primary.topics().into_iter();
    let (topic, _) = topics
        .find(|(name, _)| name.contains("kmk-drill-"))
        .unwrap();
    let subject = [Subject::Topic(topic.clone())];
    until("retention is set", || {
        let found = admin.settings_named(&subject, &["retention.ms"], &limit);
        let mut settings = found.unwrap().into_values().flatten();
        settings.any(|one| one.value.as_deref() == Some("1"))
    });
    let ends: Vec<i64> = (0..3).map(|id| lab.primary.end(&topic, id)).collect();
    let before = (0..3).map(|id| ((topic.clone(), id), -1)).collect();
    admin.delete_records(&before, &limit).unwrap();
    (topic, ends)
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
