//! A topic on a cluster, as far as it can be seen.

use crate::core::judge::explain::{Contents, OpenTransaction, Sight};
use crate::core::observe::ClusterSnapshot;
use crate::core::topology::Access;

/// The topic of that name.
pub(super) fn of(cluster: &ClusterSnapshot, topic: &str) -> Sight {
    if cluster.access == Access::Secured {
        return Sight::Secured;
    }
    if cluster.ends.is_none() {
        let problem = cluster.why_silent();
        return Sight::Unreachable { problem };
    }
    let Some(info) = cluster.topics.get(topic) else {
        return Sight::Absent;
    };
    let (mut records, mut ever) = (0, 0);
    for (_, ends) in cluster.bounds(topic) {
        records += ends.length();
        ever += u64::try_from(ends.end).unwrap_or(0);
    }
    Sight::There(Contents {
        partitions: info.partitions.len(),
        records,
        ever,
    })
}

/// Where transactions began that have not ended, in a topic that is read only as far as it is committed.
pub(super) fn open_transactions(cluster: &ClusterSnapshot, topic: &str) -> Vec<OpenTransaction> {
    let bounds = cluster.bounds(topic);
    let open = bounds.filter_map(|(partition, ends)| {
        let stable = *cluster.stable.get(&(topic.to_owned(), partition))?;
        (stable < ends.end).then_some(OpenTransaction {
            partition,
            offset: stable,
        })
    });
    open.collect()
}
