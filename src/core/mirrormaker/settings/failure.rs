//! What happens when Kafka cannot read a value: who reads it, and when.
//!
//! `MirrorMakerConfig` and the `DistributedConfig` of each worker are made before anything runs. Connectors are configured later
//! (`MirrorHerder.configureConnector`): what Connect refuses is logged, and the rest goes on. Clients are made last.

use super::reader::is_of_workers_at_top;
use super::scope::{PLUGINS, of_client};
use super::{Generation, Kind, Scope, find};
use std::fmt;

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// MirrorMaker ends before anything runs.
    NoStart,
    /// Connect refuses the configuration of these connectors.
    Refused(Connectors),
    /// Connectors, tasks or topics fail as they are made.
    Later,
}

/// Connectors of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connectors {
    source: bool,
    checkpoint: bool,
    heartbeat: bool,
}

/// What comes of a value at a place where the key is read.
pub fn failure(place: Scope, key: &str, kafka: Option<Generation>) -> Consequence {
    let is = |kind| find(key, &[kind], kafka).is_some();
    let at_top = is_of_workers_at_top(key);
    let of_side = ["source.", "target."].iter();
    match place {
        Scope::Top if is(Kind::Top) => Consequence::NoStart,
        Scope::Top if is(Kind::Worker) && (at_top || is(Kind::Client)) => Consequence::NoStart,
        Scope::Top if PLUGINS.contains(&key) => Consequence::NoStart,
        Scope::Cluster(used) if is(Kind::Worker) && used.has_worker => Consequence::NoStart,
        Scope::Cluster(_) => Consequence::Later,
        Scope::Top if at_top && !is(Kind::Source) => Consequence::Later,
        Scope::Flow if of_client(key).is_some() => Consequence::Later,
        Scope::Flow if of_side.clone().any(|side| key.starts_with(side)) => Consequence::Later,
        Scope::Top | Scope::Flow => Consequence::Refused(connectors(is)),
    }
}

/// What has a setting of its own; what every connector of Connect has, all three have.
fn connectors(is: impl Fn(Kind) -> bool) -> Connectors {
    let [source, checkpoint, heartbeat] = [Kind::Source, Kind::Checkpoint, Kind::Heartbeat].map(is);
    let none = !(source || checkpoint || heartbeat);
    Connectors {
        source: source || none,
        checkpoint: checkpoint || none,
        heartbeat: heartbeat || none,
    }
}

impl fmt::Display for Consequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStart => f.write_str("MirrorMaker does not start"),
            Self::Refused(connectors) => write!(
                f,
                "MirrorMaker starts, but without {connectors} (an earlier configuration stays in use)"
            ),
            Self::Later => f.write_str("MirrorMaker starts, but what uses it fails"),
        }
    }
}

impl fmt::Display for Connectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.source, "MirrorSourceConnector"),
            (self.checkpoint, "MirrorCheckpointConnector"),
            (self.heartbeat, "MirrorHeartbeatConnector"),
        ];
        let names: Vec<&str> = all
            .into_iter()
            .filter_map(|(is_one, name)| is_one.then_some(name))
            .collect();
        f.write_str(if names.len() == all.len() {
            "its connectors"
        } else {
            return f.write_str(&names.join(" and "));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::mirrormaker::settings::ClusterUse;

    // each was tried with Kafka's classes, 3.9.2 and 4.2.0
    #[test]
    fn who_reads_it_and_when() {
        let worker = |has_worker| {
            Scope::Cluster(ClusterUse {
                has_worker,
                ..ClusterUse::default()
            })
        };
        let said = |place, key: &str| failure(place, key, None).to_string();
        let starts = "MirrorMaker does not start";
        let later = "MirrorMaker starts, but what uses it fails";
        for (place, key, expected) in [
            (Scope::Top, "clusters", starts),
            (Scope::Top, "security.protocol", starts),
            (Scope::Top, "bootstrap.servers", starts),
            (Scope::Top, "plugin.discovery", starts),
            (Scope::Top, "offset.storage.replication.factor", starts),
            (Scope::Top, "offset.storage.segment.bytes", later),
            (worker(true), "exactly.once.source.support", starts),
            (worker(true), "security.protocol", starts),
            (worker(false), "security.protocol", later),
            (worker(true), "producer.acks", later),
            (Scope::Flow, "producer.override.acks", later),
            (Scope::Flow, "source.consumer.max.poll.records", later),
            (Scope::Flow, "source.cluster.security.protocol", later),
        ] {
            assert_eq!(said(place, key), expected, "{key}");
        }
        for place in [Scope::Top, Scope::Flow] {
            for (key, without) in [
                ("tasks.max", "its connectors"),
                ("enabled", "its connectors"),
                ("topics", "MirrorSourceConnector"),
                ("emit.heartbeats.enabled", "MirrorHeartbeatConnector"),
                (
                    "offset-syncs.topic.location",
                    "MirrorSourceConnector and MirrorCheckpointConnector",
                ),
            ] {
                let expected = format!(
                    "MirrorMaker starts, but without {without} (an earlier configuration stays in use)"
                );
                assert_eq!(said(place, key), expected, "{key}");
            }
        }
    }
}
