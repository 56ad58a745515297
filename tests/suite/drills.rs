//! Drills of one fault, between brokers in memory: what passes, what fails, and what is taken back.

use crate::docker::{Docker, Rule};
use crate::drill::{docker, report, spec};
use crate::healthy::Well;
use crate::kmk::Kmk;
use crate::mirror::{Habits, Mirror};
use crate::report::{Reports, flags};
use kmk_kafka::wait::{Interrupt, Limit};
use kmk_kafka::{Admin, Subject};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const CRASH: &str = "drill mirrormaker-crash --for 2s --rate 500/s";
const KILL: &str = "kill id-demo-mm2-secondary";
const STOP: &str = "stop id-demo-mm2-secondary";
const START: &str = "start id-demo-mm2-secondary";

fn lab() -> Well {
    Well::of(Kmk::on(|kmk| {
        let docker = Docker::works().with(&kmk.lab());
        let allowed = ["logs *", "kill *", "stop *", "start *"].map(Rule::on);
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
    // records on their way would create the mirrored topic again
    let ran = running.finish().code(130).changed(&[STOP, START]);
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
        .stderr_has("drill mirrormaker-crash of primary->secondary is running, or died")
        .stderr_has("; it cannot be resumed: `kmk drill abort` takes it back");
    lab.kmk
        .run("drill abort")
        .code(0)
        .stdout_has("was taken back")
        .changed(&[STOP, START]);
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
fn a_link_that_is_cut_loses_nothing_and_topics_that_are_kept_stay_until_abort() {
    let lab = Well::of(Kmk::on(|kmk| {
        let cut = kmk.lab().cut("mm2-secondary", "primary").rules();
        let cut = cut.into_iter().map(|rule| {
            let rule = rule.from("network disconnect *");
            rule.until("network connect *")
        });
        let docker = Docker::works().with(&kmk.lab()).rules(cut);
        docker.rules(["logs *", "network *connect *"].map(Rule::on))
    }));
    let line = "drill link-cut --for 3s --rate 500/s --keep --json";
    let running = lab.kmk.start(line);
    running.until_called("network disconnect");
    let cut = lab.mirror.as_ref().unwrap().hold();
    running.until_called("network connect");
    let topic = drilled(&lab);
    let written = || -> i64 { (0..3).map(|id| lab.primary.end(&topic, id)).sum() };
    let then = written();
    until("the drill has seen the backlog", || written() > then + 200);
    drop(cut);
    let ran = running.finish().code(0);
    let ran = ran.stderr_has("kmk drill abort  # remove the drill's topics");
    let report = report(&ran);
    assert_eq!(report["passed"], true, "{report:#}");
    assert!(measured(&report, "backlog").as_u64().unwrap() > 300);
    for (broker, topic) in [
        (&lab.primary, &report["topic"]),
        (&lab.secondary, &report["mirrored_topic"]),
    ] {
        let topic = (topic.as_str().unwrap().to_owned(), 3);
        assert!(broker.topics().contains(&topic));
    }
    lab.kmk.run("status").code(0).stderr_has(
        "drill link-cut of primary->secondary has ended, and its topics were kept; `kmk drill abort` removes them",
    );
    lab.kmk.run("drill link-cut").code(2);
    let aborted = lab.kmk.run("drill abort").code(0);
    // nothing is on its way any more
    let mut calls = aborted.all_calls().iter();
    assert!(!calls.any(|call| call.starts_with("stop ")));
    whole(&lab);
}

#[test]
fn with_exactly_once_support_a_single_duplicate_fails_the_drill() {
    for (resumes, code) in [(true, 0), (false, 1)] {
        let mut lab = Well::of(Kmk::on(|kmk| {
            let mut spec = spec(kmk, "prefix", &json!({}));
            spec["clusters"][1]["exactly_once"] = json!(true);
            docker(kmk, spec)
        }));
        let mirror = lab.mirror.take();
        let running = lab
            .kmk
            .start("drill exactly-once --for 1s --rate 500/s --json");
        running.until_called(KILL);
        drop(mirror);
        running.until_called(START);
        let habits = Habits {
            resumes,
            ..Habits::default()
        };
        let mirror = restarted(&lab, habits);
        let report = report(&running.finish().code(code));
        drop(mirror);
        let twice = measured(&report, "duplicates").as_u64().unwrap();
        assert_eq!(twice == 0, resumes, "{report:#}");
        let last = report["expectations"].as_array().unwrap().last().unwrap();
        assert_eq!(
            last["expected"],
            "consumers with read_committed see no record twice"
        );
        assert_eq!(last["held"], resumes);
        whole(&lab);
    }
}

#[test]
fn what_is_passed_over_in_a_recreated_topic_is_counted_named_and_mirrored_in_the_end() {
    let mut lab = Well::of(Kmk::on(|kmk| {
        // time to stop it here too
        let stops = Rule::on("stop *").takes(1);
        let down = kmk.lab().exited("mm2-secondary", 0).rules().into_iter();
        let down = down.map(|rule| rule.after(2, STOP).before(2, START));
        docker(kmk, spec(kmk, "prefix", &json!({})))
            .rule(stops)
            .rules(down)
    }));
    let mut mirror = lab.mirror.take();
    let line = "drill recreated-topic --for 1s --rate 500/s --json";
    let running = lab.kmk.start(line);
    for times in 1..=2 {
        let called = |what: &str| {
            let calls = lab.kmk.noted("calls").into_iter();
            calls.filter(|call| call.starts_with(what)).count() == times
        };
        running.until("MirrorMaker is stopped", || called(STOP));
        drop(mirror.take());
        running.until("MirrorMaker is started", || called(START));
        let habits = Habits {
            resumes: true,
            ..Habits::default()
        };
        mirror = Some(restarted(&lab, habits));
    }
    let report = report(&running.finish().code(0));
    assert_eq!(report["passed"], true, "{report:#}");
    assert!(measured(&report, "old").as_u64().unwrap() > 50);
    assert_eq!(measured(&report, "passed_over"), measured(&report, "old"));
    whole(&lab);
}

#[test]
fn a_record_that_is_too_large_for_the_target_is_named_and_arrives_in_the_end() {
    let lab = lab();
    for broker in [&lab.primary, &lab.secondary] {
        broker.set_default("max.message.bytes", "16777216");
    }
    let line = "drill poison-record --for 1s --rate 500/s --json";
    let report = report(&lab.kmk.run(line).code(0));
    assert_eq!(report["passed"], true, "{report:#}");
    assert_eq!(measured(&report, "duplicates"), 0);
    let named = "accepts records of up to 1048588 bytes";
    for expectation in &report["expectations"].as_array().unwrap()[1..3] {
        let seen = expectation["seen"].as_str().unwrap();
        assert!(seen.contains(named), "{seen}");
    }
    whole(&lab);
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
    let topic = drilled(lab);
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

/// The drill's topic on the source.
fn drilled(lab: &Well) -> String {
    let mut topics = lab.primary.topics().into_iter().map(|(name, _)| name);
    topics.find(|name| name.contains("kmk-drill-")).unwrap()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
