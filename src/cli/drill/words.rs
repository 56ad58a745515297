//! The words for what a drill has found.

use super::super::quantity::count;
use kafka_mirror_kit::core::judge::drill::Expectation;
use kafka_mirror_kit::core::judge::drill::equality::OffsetRange;
use kafka_mirror_kit::core::judge::failover::Amount;
use kafka_mirror_kit::core::lab::drill::{DrillState, Phase, Sibling};
use kmk_kafka::wait::seconds;
use std::time::{Duration, SystemTime};

pub(super) fn amount(amount: Option<Amount>) -> String {
    match amount {
        None => "-".to_owned(),
        Some(Amount::Exactly(number)) => number.to_string(),
        Some(Amount::AtMost(most)) => format!("≤ {most}"),
    }
}

/// Ranges that are named in a sentence.
const SHOWN: usize = 5;

/// `offset 7`, or `offsets 1201..1274, 1280`.
pub(super) fn offsets(ranges: &[OffsetRange]) -> String {
    let shown = ranges.iter().take(SHOWN).map(ToString::to_string);
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if ranges.len() > SHOWN {
        text.push_str(", ...");
    }
    match ranges {
        [only] if only.first == only.last => format!("offset {text}"),
        _ => format!("offsets {text}"),
    }
}

/// To a tenth.
pub(super) fn one_decimal(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

pub(super) fn part(name: &str, group: &str, partition: i32) -> String {
    match name {
        "first_new_record" => {
            format!("first new record of the slowest group ({group}, partition {partition})")
        }
        other => other.replace('_', " "),
    }
}

/// What has to hold.
pub(super) fn expected(expectation: &Expectation) -> String {
    match expectation {
        Expectation::AsPredicted { group } => {
            format!("group {group} is given again, and skips, what was predicted")
        }
        Expectation::Served { group } => {
            format!("group {group} is given new records in every partition")
        }
        Expectation::Written { topic } => format!("topic {topic} is written to on the target"),
        Expectation::Committed { group } => format!("group {group} commits on the target"),
        Expectation::NothingLost => "a planned failover loses nothing".to_owned(),
        Expectation::OnlyWhatWasSent => "the target has only records that were sent".to_owned(),
        Expectation::RpoMax { records } => format!("at most {records} records are lost"),
        Expectation::RtoMax { millis } => {
            format!(
                "it takes at most {}",
                seconds(Duration::from_millis(*millis))
            )
        }
    }
}

/// What did not hold.
pub(super) fn expectation(expectation: &Expectation) -> String {
    match expectation {
        Expectation::AsPredicted { group } => {
            format!(
                "group {group} was given other records again, or skipped others, than predicted"
            )
        }
        Expectation::Served { group } => {
            format!("group {group} was not given new records in every partition")
        }
        Expectation::Written { topic } => format!("topic {topic} was not written to on the target"),
        Expectation::Committed { group } => format!("group {group} did not commit on the target"),
        Expectation::NothingLost => "a planned failover lost records".to_owned(),
        Expectation::OnlyWhatWasSent => "the target has records that were never sent".to_owned(),
        Expectation::RpoMax { records } => format!("more than {records} records were lost"),
        Expectation::RtoMax { millis } => {
            format!(
                "it took longer than {}",
                seconds(Duration::from_millis(*millis))
            )
        }
    }
}

/// How a flow of the same MirrorMaker was found after the switch.
pub(super) fn sibling(sibling: &Sibling) -> String {
    let flow = &sibling.flow;
    if !sibling.stopped {
        return format!("Flow {flow} of the same MirrorMaker runs.");
    }
    let waiting = match (sibling.behind, &sibling.problem) {
        (Some(behind), _) => format!("{} wait to be copied", count(behind, "record")),
        (None, why) => format!(
            "how many records wait to be copied is unknown{}",
            why.as_ref()
                .map_or_else(String::new, |why| format!(" ({why})"))
        ),
    };
    format!("Flow {flow} stopped too, as the same MirrorMaker runs it: {waiting}.")
}

/// Where a drill has left the lab, and how it comes back.
pub(in crate::cli) fn drilled(drill: &DrillState, lab: &str) -> String {
    let (source, target) = (&drill.source, &drill.target);
    let way = drill.way_home();
    let died = drill.reached().map_or_else(
        || "died".to_owned(),
        |reached| {
            let age = seconds(reached.age(SystemTime::now()));
            format!("died: the last step noted is `{}`, {age} ago", reached.step)
        },
    );
    match drill.phase {
        _ if drill.is_kept() => {
            let name = drill.name.as_deref().unwrap_or_default();
            let what = match &drill.back {
                Some(_) => format!("a failback to {source}"),
                None => format!("drill {name} of {}", drill.flow),
            };
            format!(
                "{what} has ended, and its topics were kept; `kmk drill abort{lab}` removes them"
            )
        }
        _ if drill.back.is_some() => format!(
            "a failback to {source} is running, or {died}; {}",
            resume_or_abort(drill, lab, "runs it again")
        ),
        Phase::FailedOver if drill.observed => format!(
            "a drill has failed over from {source} to {target}, around your own producers and consumers; `kmk drill abort{lab}` takes it back"
        ),
        Phase::FailedOver => format!(
            "a drill has failed over from {source} to {target}; `kmk drill failback{way}{lab}` fails back, `kmk drill abort{lab}` takes it back"
        ),
        Phase::Running if drill.name.is_some() => format!(
            "drill {} of {} is running, or {died}; {}",
            drill.name.as_deref().unwrap_or_default(),
            drill.flow,
            resume_or_abort(drill, lab, "")
        ),
        Phase::Running | Phase::Kept => format!(
            "a drill of {} is running, or {died}; {}",
            drill.flow,
            resume_or_abort(drill, lab, "completes it")
        ),
    }
}

fn resume_or_abort(drill: &DrillState, lab: &str, what: &str) -> String {
    let abort = format!("`kmk drill abort{lab}` takes it back");
    match drill.not_resumable() {
        Some(_) => format!("it cannot be resumed: {abort}"),
        None => format!("`kmk drill resume{lab}` {what}, {abort}"),
    }
}
