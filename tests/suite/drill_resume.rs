//! A drill whose kmk was killed, completed.

use crate::drill::{KILL_MIRROR, KILL_PRIMARY, Lab, docker, report, spec};
use crate::kmk::Kmk;
use crate::mirror::Habits;
use crate::report::{Reports, flags};
use rustix::process::Signal;
use serde_json::{Value, json};

const START_PRIMARY: &str = "start id-demo-primary";

/// A lab whose containers are down once they were killed.
fn lab() -> Lab {
    let kmk = Kmk::on(|kmk| {
        let spec = spec(kmk, "same", &json!({}));
        let lab = kmk.lab().spec(spec.clone());
        let without_source = lab.clone().exited("primary", 137);
        let without_both = without_source.clone().exited("mm2-secondary", 137);
        let back = lab.exited("mm2-secondary", 137);
        [
            (KILL_PRIMARY, without_source),
            (KILL_MIRROR, without_both),
            (START_PRIMARY, back),
        ]
        .into_iter()
        .fold(docker(kmk, spec), |docker, (call, lab)| {
            docker.rules(lab.rules().into_iter().map(|rule| rule.from(call)))
        })
    });
    Lab::on(kmk, Habits::default())
}

/// The changing calls of docker so far.
fn changes(kmk: &Kmk) -> Vec<String> {
    let calls = kmk.noted("calls").into_iter();
    let verbs = [
        "kill ",
        "start ",
        "stop ",
        "network connect",
        "network disconnect",
    ];
    calls
        .filter(|call| verbs.iter().any(|verb| call.starts_with(verb)))
        .collect()
}

/// Whether the journal says that a drill has begun a step.
fn reached(kmk: &Kmk, step: &str) -> bool {
    let volumes = std::fs::read_dir(kmk.path("fake/volumes")).unwrap();
    volumes.into_iter().any(|volume| {
        let text = std::fs::read_to_string(volume.unwrap().path());
        text.is_ok_and(|text| text.contains(step))
    })
}

/// Dies once docker was called so, or before the fault; what was left to do is done, and what was measured is unknown.
fn dies(at: Option<&str>) {
    let mut lab = lab();
    let kmk = std::mem::replace(&mut lab.kmk, Kmk::new());
    let running = kmk.start("drill failover --warm-up 2s --detect 3s");
    running.until("records cross", || {
        lab.has_topic() && Lab::values(&lab.secondary, &lab.topic()).len() > 3_000
    });
    if let Some(call) = at {
        running.until_called(KILL_PRIMARY);
        lab.primary.go_down();
        running.until_called(call);
    }
    let step = at.map_or("Warming up for", |call| match call {
        KILL_PRIMARY => "Waiting until applications notice",
        _ => "Switching to secondary",
    });
    running.until(step, || reached(&kmk, step));
    running.signal(Signal::KILL);
    drop(running);
    if at.is_some() {
        lab.primary.come_back();
    }
    let told = kmk.run("status");
    let told = told.stderr_has(&format!(
        "a drill of primary->secondary is running, or died: the last step noted is `{step}"
    ));
    told.stderr_has(
        "`, <time> ago; `kmk drill resume` completes it, `kmk drill abort` takes it back\n",
    );
    let listed = kmk.run("list").code(0);
    listed
        .stderr_has(&format!(
            "note: demo: a drill of primary->secondary is not over: the last step noted is `{step}"
        ))
        .stderr_has("`, <time> ago; `kmk drill resume` ends it\n");
    let ran = kmk.run(&format!("drill resume --json {}", flags())).code(0);
    let ran = ran.stderr_has(&format!(
        "note: the drill did not end: the last step noted is `{step}"
    ));
    assert_eq!(changes(&kmk), [KILL_PRIMARY, KILL_MIRROR, START_PRIMARY]);
    let resumed = report(&ran);
    assert_eq!(
        (&resumed["rpo"], &resumed["rto"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(resumed["phase"], "failed-over");
    assert_eq!(resumed["moving"], json!([]));
    let reports = Reports::of(&kmk);
    let kept = reports.agree("?", "COMPLETED", &[]);
    assert_eq!(kept["offsets"], resumed["offsets"]);
    let places = resumed["offsets"].as_array().unwrap().len();
    assert_eq!(reports.rows("Groups").len(), places);
    let topic = lab.topic();
    for place in resumed["offsets"].as_array().unwrap() {
        let group = place["group"].as_str().unwrap();
        let at = (
            topic.clone(),
            i32::try_from(place["partition"].as_i64().unwrap()).unwrap(),
        );
        for (key, broker) in [("committed", &lab.primary), ("synced", &lab.secondary)] {
            let there = broker
                .groups()
                .get(group)
                .and_then(|all| all.get(&at).copied());
            assert_eq!(place[key].as_i64(), there, "{place}");
        }
    }
    kmk.run("status")
        .code(1)
        .stderr_has("hint: a drill has failed over from primary to secondary");
    let again = kmk.run("drill resume").code(2);
    again.stderr_has(
        "error: the drill of flow primary->secondary cannot be resumed: it has come to its end",
    );
}

#[test]
fn a_drill_that_died_before_the_fault_is_completed() {
    dies(None);
}

#[test]
fn a_drill_that_died_before_mirrormaker_was_stopped_is_completed() {
    dies(Some(KILL_PRIMARY));
}

#[test]
fn a_drill_that_died_with_mirrormaker_stopped_is_completed() {
    dies(Some(KILL_MIRROR));
}

#[test]
fn without_a_drill_there_is_nothing_to_resume() {
    let ran = lab().kmk.run("drill resume").code(2);
    ran.stderr_has("error: lab `demo` has no drill");
}
