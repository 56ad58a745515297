//! The steps of a failover: all of them are in one list, and at each of them Ctrl-C leaves the lab as it was.

use crate::docker::Rule;
use crate::drill::{Lab, docker, spec};
use crate::kmk::Kmk;
use crate::mirror::Habits;
use kafka_mirror_kit::core::lab::drill::{FailoverStep, Fault};
use rustix::process::Signal;
use serde_json::json;
use std::thread;

const SHORT: &str = "drill failover --warm-up 100ms --groups caught-up";

/// The list names what is told, and nothing else.
#[track_caller]
fn are_told(told: &str, steps: &[FailoverStep]) {
    let begun: Vec<&str> = told.lines().filter(|line| line.ends_with(" ...")).collect();
    assert_eq!(begun.len(), steps.len(), "{begun:#?} {steps:?}");
    for (line, step) in begun.iter().zip(steps) {
        assert!(line.starts_with(step.beginning()), "{line} {step:?}");
    }
}

#[test]
fn a_failover_tells_the_steps_of_the_list() {
    let mut lab = Lab::new();
    let line = format!("{SHORT} --decide 100ms");
    let ran = lab.killed(&line, |_, _| {}).code(0);
    are_told(ran.said(), &FailoverStep::all_of(Fault::Kill, false, true));

    let mut lab = Lab::new();
    let kmk = std::mem::replace(&mut lab.kmk, Kmk::new());
    let running = kmk.start(&format!("{SHORT} --fault cut"));
    running.until_called("network disconnect");
    lab.mirror = None;
    let ran = running.finish().code(0);
    are_told(ran.said(), &FailoverStep::all_of(Fault::Cut, false, false));
}

#[test]
fn a_failover_that_is_observed_tells_the_steps_of_the_list() {
    let lab = Lab::new();
    for broker in [&lab.primary, &lab.secondary] {
        broker.topic("orders", 1, &[]);
    }
    let line = "drill failover --observe orders --planned --warm-up 100ms --switch-within 100ms";
    // nobody switches
    let ran = lab.kmk.run(line).code(1);
    are_told(
        ran.said(),
        &FailoverStep::all_of(Fault::Planned, true, false),
    );
}

/// A MirrorMaker that is being stopped still runs: if the drill were taken back now, it would end after that.
#[test]
fn ctrl_c_does_not_cut_short_how_mirrormaker_is_stopped() {
    const STOP: &str = "stop id-demo-mm2-secondary";
    let kmk = Kmk::on(|kmk| {
        let spec = spec(kmk, "same", &json!({}));
        let stopped = kmk.lab().spec(spec.clone()).exited("mm2-secondary", 0);
        let stopped = stopped.rules().into_iter();
        docker(kmk, spec)
            .rules(stopped.map(|rule| rule.from(STOP).until("start id-demo-mm2-secondary")))
            .rule(Rule::on("stop *").takes(2))
    });
    let lab = Lab::on(kmk, Habits::default());
    let running = lab.kmk.start(&format!("{SHORT} --planned"));
    running.until_docker_waits();
    running.signal(Signal::INT);
    let ran = running.finish().code(130);
    let ran = ran.changed(&[STOP, "start id-demo-mm2-secondary"]);
    ran.stderr_has("The drill was taken back: the lab is as it was before.");
    assert_eq!(lab.kmk.noted("signals"), [""; 0]);
}

/// Otherwise MirrorMaker would leave the network after it was put back.
#[test]
fn ctrl_c_does_not_cut_short_how_a_link_is_cut() {
    let kmk = Kmk::on(|kmk| {
        let spec = spec(kmk, "same", &json!({}));
        docker(kmk, spec).rule(Rule::on("network disconnect *").takes(2))
    });
    let lab = Lab::on(kmk, Habits::default());
    let running = lab.kmk.start(&format!("{SHORT} --fault cut"));
    running.until_docker_waits();
    running.signal(Signal::INT);
    let ran = running.finish().code(130);
    ran.stderr_has("The drill was taken back: the lab is as it was before.");
    assert_eq!(lab.kmk.noted("signals"), [""; 0]);
}

#[test]
fn ctrl_c_at_each_step_of_a_planned_failover() {
    let steps = FailoverStep::all_of(Fault::Planned, false, true);
    thread::scope(|scope| {
        for step in steps {
            scope.spawn(move || ends_at(step));
        }
    });
}

fn ends_at(step: FailoverStep) {
    let mut lab = Lab::new();
    let kmk = std::mem::replace(&mut lab.kmk, Kmk::new()).shell("exec 2>../said");
    let running = kmk.start(&format!("{SHORT} --planned --decide 1s --rate 50"));
    running.until(step.beginning(), || {
        let said = std::fs::read_to_string(kmk.path("said"));
        said.is_ok_and(|said| said.contains(step.beginning()))
    });
    running.signal(Signal::INT);
    running.finish().code(130);
    let said = std::fs::read_to_string(kmk.path("said")).unwrap();
    assert!(
        said.contains("The drill was taken back: the lab is as it was before."),
        "{step:?}\n{said}"
    );
    for broker in [&lab.primary, &lab.secondary] {
        let topics = broker.topics().into_iter().map(|(name, _)| name);
        let groups = broker.groups().into_keys();
        let left: Vec<String> = topics
            .chain(groups)
            .filter(|name| name.contains("kmk-drill-"))
            .collect();
        assert_eq!(left, [""; 0], "{step:?}");
    }
    kmk.run("drill abort").code(2);
}
