//! What happened when in a drill, for its report.

use super::report::done;
use crate::cli::report::{Curve, Lane, Mark, Span, Timeline};
use kafka_mirror_kit::core::judge::drill::Part;
use kafka_mirror_kit::core::lab::drill::{
    Counted, FailbackReport, FailoverReport, Fault, ObservedReport, Step,
};
use std::time::Duration;

pub(super) fn of_failover(run: &FailoverReport) -> Timeline {
    let (zero, marks) = since_fault(&run.steps, run.fault, &run.source);
    let parts = run.judgement.rto.iter().flat_map(|rto| &rto.parts);
    let groups = run.judgement.groups.iter().filter_map(|group| {
        let (name, what) = (
            format!("group {}", group.name),
            "until its first new record",
        );
        Some(Lane::of(name, what, 0.0, group.first_new_record_seconds?))
    });
    let curves = run.curves.iter().map(|curve| Curve {
        name: match curve.of {
            Counted::OnSource => format!("acknowledged by {}", run.source),
            Counted::Mirrored => format!("mirrored to {}", run.target),
            Counted::OnTarget => format!("acknowledged by {} after the switch", run.target),
            Counted::Late => format!("written late to {}", run.source),
        },
        points: (curve.points.iter())
            .map(|(at, records)| (at - zero, *records))
            .collect(),
    });
    Timeline {
        title: "Timeline".to_owned(),
        zero: "the fault",
        from: -zero,
        to: run.seconds - zero,
        curves: curves.collect(),
        lanes: recovery(parts).into_iter().chain(groups).collect(),
        marks,
    }
}

pub(super) fn of_observed(run: &ObservedReport) -> Timeline {
    let (zero, marks) = since_fault(&run.steps, run.fault, &run.source);
    let observed = &run.observed;
    let topics = observed.topics.iter().filter_map(|topic| {
        let (name, what) = (
            format!("topic {}", topic.topic),
            "until its first new record",
        );
        Some(Lane::of(name, what, 0.0, topic.first_write_seconds?))
    });
    let groups = observed.groups.iter().filter_map(|group| {
        let (name, what) = (format!("group {}", group.group), "until its first commit");
        Some(Lane::of(name, what, 0.0, group.first_commit_seconds?))
    });
    let recovery = recovery(observed.rto_parts.iter());
    Timeline {
        title: "Timeline".to_owned(),
        zero: "the fault",
        from: -zero,
        to: run.seconds - zero,
        curves: Vec::new(),
        lanes: recovery.into_iter().chain(topics).chain(groups).collect(),
        marks,
    }
}

/// Step by step.
pub(super) fn of_failback(run: &FailbackReport) -> Timeline {
    let seconds = |millis| Duration::from_millis(millis).as_secs_f64();
    let lanes = run.steps.iter().map(|step| {
        let (from, to) = (seconds(step.from_millis), seconds(step.to_millis));
        let name = format!("{}, {:.1} s", step.what, to - from);
        Lane::of(name, &step.what, from, to)
    });
    let end = run.steps.iter().map(|step| step.to_millis).max();
    Timeline {
        title: "Timeline".to_owned(),
        zero: "the failback began",
        from: 0.0,
        to: seconds(end.unwrap_or_default()),
        curves: Vec::new(),
        lanes: lanes.collect(),
        marks: Vec::new(),
    }
}

/// How long after the drill's beginning the fault was, and what happened before and after it.
fn since_fault(steps: &[Step], fault: Fault, source: &str) -> (f64, Vec<Mark>) {
    let zero = steps.iter().find(|step| step.what == "fault");
    let zero = zero.map_or(0.0, |step| step.at_seconds);
    let marks = steps.iter().map(|step| Mark {
        at: step.at_seconds - zero,
        what: match step.what {
            "fault" => format!("fault: {}", done(fault, source)),
            "steady_state" => "steady state: records cross, and every group reads".to_owned(),
            other => other.replace('_', " "),
        },
    });
    (zero, marks.collect())
}

/// One part after the other, where it is known how long it took.
fn recovery<'a>(parts: impl Iterator<Item = &'a Part>) -> Option<Lane> {
    let mut at = 0.0;
    let spans: Vec<Span> = parts
        .map(|part| {
            let from = at;
            at += part.seconds;
            Span {
                name: part.name.replace('_', " "),
                from,
                to: at,
            }
        })
        .collect();
    (!spans.is_empty()).then(|| Lane {
        name: "recovery".to_owned(),
        spans,
    })
}
