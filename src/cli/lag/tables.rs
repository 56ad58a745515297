//! Tables and lines for `kmk lag`.

use super::super::quantity::count;
use super::super::table::{row, table};
use kafka_mirror_kit::core::judge::lag::{FlowLag, LastKnown, PartitionLag, TopicLag, TopicState};
use kafka_mirror_kit::core::judge::link::LinkStatus;
use kafka_mirror_kit::core::lab::lag::Lag;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Up to this many topics with nothing left to copy get a line each.
const UP_TO_DATE: usize = 15;

/// Up to this many topics that are not mirrored are named.
const NAMES: usize = 8;

/// A table for each flow.
pub(super) fn all(lag: &Lag, in_detail: bool) -> String {
    let flows = lag.flows.iter().map(|flow| one(flow, in_detail));
    flows.collect::<Vec<_>>().join("\n\n")
}

/// A line for each flow, to be added to others.
pub(super) fn lines(lag: &Lag) -> String {
    let time = humantime::format_rfc3339_seconds(SystemTime::now());
    let flows = lag.flows.iter().map(|flow| {
        let behind = flow
            .behind
            .map_or_else(|| "-".to_owned(), |n| n.to_string());
        let (name, seconds) = (&flow.name, seconds(flow.seconds_behind));
        let lost = flow.lost;
        let before = last_words(flow.last_known);
        format!("time={time} flow={name} behind={behind} seconds={seconds} lost={lost}{before}")
    });
    flows.collect::<Vec<_>>().join("\n")
}

/// What was known before, as words of a line.
pub(in crate::cli) fn last_words(known: Option<LastKnown>) -> String {
    known.map_or_else(String::new, |known| {
        let (behind, age) = (known.behind, known.age);
        let seconds = seconds(known.seconds_behind);
        format!(" last_behind={behind} last_seconds={seconds} last_age={age:.1}")
    })
}

fn one(flow: &FlowLag, in_detail: bool) -> String {
    let mut parts = vec![heading(flow)];
    parts.extend(standing(flow));
    let topics = table_of(flow, in_detail);
    parts.extend((!topics.is_empty()).then_some(topics));
    parts.extend(not_mirrored(flow, in_detail));
    parts.join("\n")
}

/// What does not move, and because of what.
fn standing(flow: &FlowLag) -> impl Iterator<Item = String> {
    let cut = flow.link.as_ref().and_then(LinkStatus::problem);
    let is_explained = cut.is_some();
    let culprits = flow.culprits.iter().map(ToString::to_string);
    let stalled = flow.stalled.iter().map(ToString::to_string);
    let effects = culprits.chain(stalled).filter(move |_| !is_explained);
    cut.into_iter()
        .chain(effects)
        .map(|line| format!("  - {line}"))
}

fn heading(flow: &FlowLag) -> String {
    let name = &flow.name;
    let never = match flow.never_copied {
        0 => String::new(),
        never => {
            let at_most = if flow.is_never_copied_exact() {
                ""
            } else {
                "at most "
            };
            format!("; {at_most}{} never mirrored", count(never, "record"))
        }
    };
    let past: u64 = flow
        .copied()
        .filter_map(|topic| topic.past.as_ref())
        .map(|past| past.never_copied)
        .sum();
    let never = match past {
        0 => never,
        past => format!("{never}; at least {} passed over", count(past, "record")),
    };
    let lost = match flow.lost {
        0 => never,
        lost => format!("; {} lost on {}{never}", count(lost, "record"), flow.target),
    };
    match (flow.behind, flow.seconds_behind) {
        (None, _) => {
            let why = flow.problem.as_deref().unwrap_or("no cluster answers");
            let before = last_known(flow);
            format!("{name}: unknown: {why}{before}")
        }
        (Some(0), _) => format!("{name}: 0 records behind{lost}"),
        (Some(behind), None) => format!("{name}: {} behind{lost}", count(behind, "record")),
        (Some(behind), Some(age)) => {
            format!(
                "{name}: {} and {age:.1} s behind{lost}",
                count(behind, "record")
            )
        }
    }
}

/// What was seen of a flow before it could not be known any more, or can be seen all the same.
fn last_known(flow: &FlowLag) -> String {
    let known = flow.last_known.map(|known| {
        let age = known.seconds_behind;
        let age = age.map_or_else(String::new, |age| format!(" and {age:.1} s"));
        let behind = count(known.behind, "record");
        format!("; {behind}{age} behind {:.0} s ago", known.age)
    });
    let noted = flow
        .position_age_seconds
        .map(|ago| format!("; MirrorMaker last committed its position {ago:.1} s ago"));
    [known, noted].into_iter().flatten().collect()
}

fn table_of(flow: &FlowLag, in_detail: bool) -> String {
    let mut topics: Vec<&TopicLag> = flow.copied().collect();
    // the worst first; names in order among the others
    topics.sort_by_key(|topic| Reverse((topic.behind, topic.lost, topic.never_copied)));
    if topics.is_empty() {
        return String::new();
    }
    let is_quiet = |topic: &&&TopicLag| {
        topic.behind == 0
            && !topic.has_lost()
            && topic.doubtful() == 0
            && topic.past.is_none()
            && topic.state == TopicState::Mirrored
            && !topic.is_partly_unknown()
    };
    let quiet = topics.iter().filter(is_quiet).count();
    let hidden = if in_detail {
        0
    } else {
        quiet.saturating_sub(UP_TO_DATE)
    };
    let mut shown = topics
        .iter()
        .filter(|topic| !is_quiet(topic))
        .collect::<Vec<_>>();
    shown.extend(topics.iter().filter(is_quiet).take(quiet - hidden));
    let mut rows = vec![row(["TOPIC", "PARTITIONS", "BEHIND", "SECONDS", ""])];
    for topic in shown {
        rows.push(topic_row(topic));
        if in_detail && topic.partition_count > 1 {
            rows.extend(topic.partitions.iter().map(partition_row));
        }
    }
    let text = table(&rows);
    if hidden == 0 {
        return text;
    }
    format!(
        "{text}\n… and {} that are up to date; --verbose shows them",
        count(hidden, "more topic")
    )
}

fn topic_row(topic: &TopicLag) -> Vec<String> {
    let mut words = Vec::new();
    match topic.state {
        TopicState::NotCreatedYet => words.push("not created yet".to_owned()),
        TopicState::MirroredTopicGone => words.push("mirrored topic gone".to_owned()),
        _ if topic.was_truncated() => words.push("mirrored topic truncated".to_owned()),
        _ if topic.lost > 0 => words.push("mirrored topic recreated".to_owned()),
        _ => {}
    }
    if topic.lost > 0 {
        words.push(format!("{} lost", topic.lost));
    }
    if topic.never_copied > 0 {
        let at_most = if topic.is_never_copied_exact {
            ""
        } else {
            "at most "
        };
        let never = topic.never_copied;
        words.push(format!(
            "{at_most}{never} removed before they were mirrored"
        ));
    }
    if let Some(past) = &topic.past {
        words.extend(past.recreated.then(|| "source topic recreated".to_owned()));
        let (never, back) = (past.never_copied, past.moved_back);
        words.extend((never > 0).then(|| format!("at least {never} never mirrored")));
        words.extend((back > 0).then(|| format!("its end moved back by {back}")));
    }
    if topic.doubtful() > 0 {
        words.push("unknown whether records were lost".to_owned());
    }
    if topic.recreated {
        words.push("position beyond the end: source topic recreated".to_owned());
    }
    if topic.is_partly_unknown() {
        words.push("some partitions do not answer".to_owned());
    }
    row([
        &topic.source,
        &topic.partition_count.to_string(),
        &behind(topic.behind, topic.exact),
        &seconds(topic.seconds_behind),
        &words.join(", "),
    ])
}

fn partition_row(one: &PartitionLag) -> Vec<String> {
    let mut lost = Vec::new();
    lost.extend((one.lost > 0).then(|| format!("{} lost", one.lost)));
    lost.extend(
        (one.never_copied > 0).then(|| format!("at most {} never mirrored", one.never_copied)),
    );
    let unknown = one.possibly_never_copied;
    lost.extend((unknown > 0).then(|| format!("{unknown} removed, unknown whether records")));
    lost.extend(one.recreated.then(|| "position beyond the end".to_owned()));
    row([
        "",
        &format!("#{}", one.partition),
        &behind(one.behind, one.exact),
        &seconds(one.seconds_behind),
        &lost.join(", "),
    ])
}

fn behind(records: u64, exact: bool) -> String {
    let at_most = if exact { "" } else { "<=" };
    format!("{at_most}{records}")
}

/// With one decimal, as everywhere.
fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1}"))
}

/// Topics that are no lag, by the reason.
fn not_mirrored(flow: &FlowLag, in_detail: bool) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for topic in &flow.topics {
        let reason = match topic.state {
            TopicState::Mirrored | TopicState::NotCreatedYet | TopicState::MirroredTopicGone => {
                continue;
            }
            TopicState::Internal if !in_detail => continue,
            // some of them are mirrored
            TopicState::Internal => "not counted (Kafka's, MirrorMaker's or kmk's own)",
            TopicState::Excluded => "not mirrored (excluded)",
            TopicState::NotListed => "not mirrored (not in the topics list)",
            TopicState::FromTarget => {
                "not mirrored (its name says that it was mirrored from the target)"
            }
            TopicState::NameTooLong => "not mirrored (name too long with its prefix)",
            TopicState::NoMirroredTopic => {
                "not mirrored (no mirrored topic: filtered out, or not created yet)"
            }
        };
        by_reason.entry(reason).or_default().push(&topic.source);
    }
    let line = |(reason, names): (&str, Vec<&str>)| {
        let shown = if in_detail { names.len() } else { NAMES };
        let all = names.iter().take(shown).copied().collect::<Vec<_>>();
        let more = match names.len().saturating_sub(shown) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{reason}: {}{more}", all.join(", "))
    };
    by_reason.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests;
