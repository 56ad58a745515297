//! Text for the causes behind an answer: topics that block others, open transactions, misleading names.

use kafka_mirror_kit::core::judge::culprit::Culprit;
use kafka_mirror_kit::core::judge::explain::{OpenTransaction, Origin};

pub(super) fn blocking(culprit: &Culprit) -> String {
    let others = if culprit.stops_flow {
        ", and it blocks the whole flow"
    } else {
        ""
    };
    format!("its records are not mirrored{others}")
}

pub(super) fn blocked(culprits: &[Culprit]) -> String {
    let name = |one: &Culprit| format!("`{}`", one.topic);
    let topics: Vec<String> = culprits.iter().map(name).collect();
    format!("the whole flow is blocked by {}", topics.join(" and "))
}

pub(super) fn transaction(open: &OpenTransaction) -> String {
    let OpenTransaction { partition, offset } = open;
    format!(
        "a transaction that started at offset {offset} of partition {partition} is still open: the flow reads only committed records, and waits for it"
    )
}

/// What stands behind a name, where that is not what it says.
pub(super) fn origin_message(origin: &Origin) -> Option<String> {
    Some(match origin {
        Origin::Mirrored => return None,
        Origin::NoFlow { flow } => format!("no flow created it: there is no flow {flow}"),
        Origin::NoTopic { topic, cluster } => {
            format!("it is not a mirrored topic: there is no `{topic}` on {cluster}")
        }
        Origin::NotIncluded { topic, flow } => {
            format!("no flow created it: flow {flow} does not include `{topic}`")
        }
        Origin::Unknown { cluster } => {
            format!("it is unknown whether it was: {cluster} does not answer")
        }
    })
}
