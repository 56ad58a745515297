//! What lies behind an answer: topics that hold up others, transactions that do not end, names.

use kafka_mirror_kit::core::judge::culprit::Culprit;
use kafka_mirror_kit::core::judge::explain::{OpenTransaction, Origin};

pub(super) fn holding(culprit: &Culprit) -> String {
    let others = if culprit.stops_flow {
        ", and hold up the whole flow"
    } else {
        ""
    };
    format!("its records do not get there{others}")
}

pub(super) fn held(culprits: &[Culprit]) -> String {
    let name = |one: &Culprit| format!("`{}`", one.topic);
    let topics: Vec<String> = culprits.iter().map(name).collect();
    format!("the whole flow is held up by {}", topics.join(" and "))
}

pub(super) fn transaction(open: &OpenTransaction) -> String {
    let OpenTransaction { partition, offset } = open;
    format!(
        "a transaction that began at offset {offset} of partition {partition} has not ended: the flow reads only what is committed, and waits for its end"
    )
}

/// What stands behind a name, where that is not what it says.
pub(super) fn origin_of(origin: &Origin) -> Option<String> {
    Some(match origin {
        Origin::Mirrored => return None,
        Origin::NoFlow { flow } => format!("no flow has made it: there is no {flow}"),
        Origin::NoTopic { topic, cluster } => {
            format!("it is no mirrored topic: no `{topic}` on {cluster}")
        }
        Origin::NotIncluded { topic, flow } => {
            format!("no flow has made it: {flow} does not take `{topic}`")
        }
        Origin::Unknown { cluster } => format!("whether it did, {cluster} does not tell"),
    })
}
