//! Gives MirrorMaker's own topics back the policy that it made them with: a broker that makes one of its own accord, after
//! it was deleted, leaves them without. Changes nothing else.

use crate::core::event::{Event, Observer};
use crate::core::judge::health::{COMPACT, NotCompacted, POLICY};
use crate::core::lab::addresses;
use crate::core::observe::{policy, side_by_side};
use crate::core::topology::{Cluster, Topology};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, KafkaError, Subject};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long one cluster may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Mends what is wrong on all clusters; the services of MirrorMakers that do not start, or would not again, and so have to
/// be recreated.
pub(super) fn policies(topology: &Topology, limit: &Limit, observer: &dyn Observer) -> Vec<String> {
    let mut workers = BTreeSet::new();
    let limit = &limit.at_most(PATIENCE);
    let mended = side_by_side(&topology.clusters, |cluster| {
        (cluster, mend(topology, cluster, limit))
    });
    for (cluster, mended) in mended {
        // what cannot be mended shows when the flow is waited for
        for wrong in mended.unwrap_or_default() {
            let NotCompacted {
                topic,
                policy,
                is_vital,
                flow,
                ..
            } = wrong;
            let again = if is_vital {
                "; MirrorMaker restarts, and mirrors again what it has no position for"
            } else {
                ""
            };
            observer.on(Event::Note(format!(
                "topic `{topic}` on {} had {POLICY}={policy}: set back to {COMPACT}{again}",
                cluster.name
            )));
            let mirror = topology.mirror_of(&flow.1).filter(|_| is_vital);
            workers.extend(mirror.into_iter().flat_map(|mirror| mirror.workers.clone()));
        }
    }
    workers.into_iter().collect()
}

fn mend(
    topology: &Topology,
    cluster: &Cluster,
    limit: &Limit,
) -> Result<Vec<NotCompacted>, KafkaError> {
    let mut admin = Admin::connect(&addresses(cluster)?, limit)?;
    let there = admin.topics(limit)?;
    let wrong = policy::wrong(&mut admin, (topology, &cluster.name), &there, limit)?;
    let compact = BTreeMap::from([(POLICY.to_owned(), Some(COMPACT.to_owned()))]);
    for one in &wrong {
        admin.alter_settings(&Subject::Topic(one.topic.clone()), &compact, limit)?;
    }
    Ok(wrong)
}
