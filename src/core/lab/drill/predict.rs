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
            let partitions = group.flows.into_iter().flat_map(|flow| flow.partitions);
            let partitions = partitions
                .filter(|partition| partition.topic == topic && partition.begins.is_some());
            let partitions =
                partitions.map(|partition| (partition.partition, predicted(&partition)));
            predictions.insert(group.group, partitions.collect());
        }
    }
    Ok(predictions)
}

/// The drill's consumers begin at the first record where no offset is committed: then nothing is skipped.
fn predicted(partition: &FlowPartition) -> Predicted {
    let told = &partition.prospect;
    let amount = |number: Option<u64>, is_exact| match number {
        Some(number) if is_exact => Amount::Exactly(number),
        Some(number) => Amount::AtMost(number),
        None => Amount::Exactly(0),
    };
    let skipped = match partition.begins {
        Some(Begins::ByAutoOffsetReset) => Amount::Exactly(0),
        _ => {
            amount(told.skipped, told.skipped_exact).plus(amount(told.further, told.further_exact))
        }
    };
    Predicted {
        again: amount(told.again, told.again_exact),
        skipped,
        committed: partition.source_committed,
        synced: partition.target_committed,
        target_end: partition.target_end.unwrap_or(0),
    }
}
