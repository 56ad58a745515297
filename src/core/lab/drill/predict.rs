//! What `kmk group` would say of the drill's groups at this moment.

use crate::core::judge::drill::Predicted;
use crate::core::judge::failover::{Amount, Begins};
use crate::core::lab::groups::{FlowPartition, groups_and_flows};
use crate::core::topology::{Flow, Topology};
use kmk_kafka::KafkaError;
use kmk_kafka::wait::Limit;
use std::collections::BTreeMap;

/// Predictions, by group and partition.
pub(super) type Predictions = BTreeMap<String, BTreeMap<i32, Predicted>>;

/// Of one topic of a flow; asks both ends of it.
pub(super) fn predict(
    topology: &Topology,
    flow: &Flow,
    topic: &str,
    limit: &Limit,
) -> Result<Predictions, KafkaError> {
    let (source, flow) = (&flow.spec.source, flow.name());
    let told = groups_and_flows(topology, Some(source), Some(&flow), false, limit);
    let mut predictions = Predictions::new();
    for cluster in told {
        for group in cluster?.groups {
            let places = group.flows.into_iter().flat_map(|flow| flow.places);
            let places = places.filter(|place| place.topic == topic && place.begins.is_some());
            let places = places.map(|place| (place.partition, predicted(&place)));
            predictions.insert(group.group, places.collect());
        }
    }
    Ok(predictions)
}

/// The drill's consumers begin at the first record where no offset is committed: then nothing is skipped.
fn predicted(place: &FlowPartition) -> Predicted {
    let told = &place.prospect;
    let amount = |number: Option<u64>, is_exact| match number {
        Some(number) if is_exact => Amount::Exactly(number),
        Some(number) => Amount::AtMost(number),
        None => Amount::Exactly(0),
    };
    let skipped = match place.begins {
        Some(Begins::ByAutoOffsetReset) => Amount::Exactly(0),
        _ => {
            amount(told.skipped, told.skipped_exact).plus(amount(told.further, told.further_exact))
        }
    };
    Predicted {
        again: amount(told.again, told.again_exact),
        skipped,
        committed: place.source_committed,
        synced: place.target_committed,
        target_end: place.target_end.unwrap_or(0),
    }
}
