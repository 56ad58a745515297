//! What clusters and MirrorMaker's internal topics say at one moment, read for others to judge: one [`ClusterSnapshot`] of
//! each cluster, all side by side, and what is sent through flows to see that they replicate.

pub(in crate::core) mod assignment;
pub(in crate::core) mod canary;
pub(in crate::core) mod groups;
pub(in crate::core) mod heartbeat;
pub(in crate::core) mod internal;
pub(in crate::core) mod policy;
mod snapshot;

pub(in crate::core) use snapshot::{
    ClusterSnapshot, FlowSnapshot, Snapshots, Wanted, of_stopped, snapshots,
};

use crate::core::topology::{Access, Cluster, Topology};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, KafkaError};
use std::thread;

/// The addresses of a cluster on this machine.
///
/// # Errors
/// [`KafkaError::NoLogin`] where clients have to log in.
pub fn addresses(cluster: &Cluster) -> Result<Vec<Endpoint>, KafkaError> {
    match cluster.access() {
        Access::Open => Ok(cluster.endpoints()),
        Access::Secured => Err(KafkaError::NoLogin {
            cluster: cluster.name.clone(),
        }),
    }
}

/// A connection to a cluster of a lab, by its name.
pub(in crate::core) fn connect(
    topology: &Topology,
    cluster: &str,
    limit: &Limit,
) -> Result<Admin, KafkaError> {
    let cluster = topology.cluster(cluster);
    Admin::connect(&cluster.map_or(Ok(Vec::new()), addresses)?, limit)
}

/// As [`connect`], waiting for a broker that is still starting.
pub(in crate::core) fn connect_patiently(
    topology: &Topology,
    cluster: &str,
    limit: &Limit,
) -> Result<Admin, KafkaError> {
    let cluster = topology.cluster(cluster);
    Admin::connect_patiently(&cluster.map_or(Ok(Vec::new()), addresses)?, limit)
}

/// Asks about all of these at once; the answers in their order.
pub(in crate::core) fn side_by_side<T: Send, R: Send>(
    all: impl IntoIterator<Item = T>,
    ask: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let ask = &ask;
    thread::scope(|scope| {
        let all = all.into_iter();
        let asked: Vec<_> = all.map(|one| scope.spawn(move || ask(one))).collect();
        let asked = asked.into_iter();
        asked
            .map(|one| one.join().expect("asking does not panic"))
            .collect()
    })
}

/// Takes these steps with all of them at once, none before all have taken the one before.
fn in_steps<T: Send>(all: Vec<T>, steps: &[&(dyn Fn(T) -> T + Sync)]) -> Vec<T> {
    steps.iter().fold(all, |all, step| side_by_side(all, step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmk_kafka::wait::Interrupt;
    use std::sync::Mutex;
    use std::time::Duration;

    #[test]
    fn positions_of_all_clusters_are_read_before_the_ends_of_any() {
        let limit = Limit::new(Duration::from_secs(60), &Interrupt::default());
        let (limit, taken) = (&limit, &Mutex::new(Vec::new()));
        let step = |name| {
            move |slow: u64| {
                limit.pause(Duration::from_millis(slow)).unwrap();
                taken.lock().unwrap().push(name);
                slow
            }
        };
        let all = in_steps(vec![50, 0], &[&step("positions"), &step("ends")]);
        assert_eq!(all, [50, 0]);
        let taken = taken.lock().unwrap();
        assert_eq!(*taken, ["positions", "positions", "ends", "ends"]);
    }
}
