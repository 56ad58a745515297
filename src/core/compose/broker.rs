//! The compose service of one broker.

use super::{DATA, Mount, Networks, Service, UNUSED_VOLUMES, escape, script};
use crate::core::spec::{self, Piece};
use crate::core::topology::{Broker, Cluster, MAX_RECORD_BYTES, Topology};
use std::collections::BTreeMap;

const SCRIPT: &str = include_str!("broker.sh");

pub(super) fn service(topology: &Topology, cluster: &Cluster, broker: &Broker) -> Service {
    let mut service = Service::new(topology.memory, &cluster.image);
    service.command = script(SCRIPT, ["broker".to_owned()]);
    service.ports = vec![format!("{}:{}", broker.outside, broker.outside.port)];
    service.environment.extend(environment(cluster, broker));
    service.networks = Networks::List(vec![cluster.name.clone()]);
    service.volumes = vec![Mount {
        r#type: "volume",
        source: broker.volume.clone(),
        target: DATA,
        read_only: false,
        bind: None,
    }];
    service.tmpfs = UNUSED_VOLUMES.to_vec();
    service.labelled(topology, cluster.image.expression(), "")
}

fn environment(cluster: &Cluster, broker: &Broker) -> BTreeMap<String, Option<String>> {
    let replicas = cluster.replication_factor.to_string();
    let in_sync = if cluster.replication_factor > 2 {
        "2"
    } else {
        "1"
    };
    let stamp = if cluster.stamps_time {
        "LogAppendTime"
    } else {
        "CreateTime"
    };
    let settings = [
        ("node.id", broker.node_id.to_string()),
        ("process.roles", "broker,controller".to_owned()),
        ("controller.quorum.voters", cluster.quorum()),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        (
            "listeners",
            format!(
                "INSIDE://:{},OUTSIDE://:{},CONTROLLER://:9093",
                broker.inside.port, broker.outside.port
            ),
        ),
        (
            "advertised.listeners",
            format!("INSIDE://{},OUTSIDE://{}", broker.inside, broker.outside),
        ),
        (
            "listener.security.protocol.map",
            "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned(),
        ),
        ("inter.broker.listener.name", "INSIDE".to_owned()),
        ("log.dirs", format!("{DATA}/kmk")),
        ("num.partitions", cluster.partitions.to_string()),
        ("default.replication.factor", replicas.clone()),
        ("min.insync.replicas", in_sync.to_owned()),
        ("message.max.bytes", MAX_RECORD_BYTES.to_string()),
        ("replica.fetch.max.bytes", MAX_RECORD_BYTES.to_string()),
        ("log.message.timestamp.type", stamp.to_owned()),
        // a broker that was killed is let in again once its old session has ended: after 9 s by default
        ("broker.session.timeout.ms", "2000".to_owned()),
        ("broker.heartbeat.interval.ms", "500".to_owned()),
        // fewer partitions and no waiting: a lab starts faster
        ("group.initial.rebalance.delay.ms", "0".to_owned()),
        ("offsets.topic.num.partitions", "1".to_owned()),
        ("offsets.topic.replication.factor", replicas.clone()),
        ("transaction.state.log.num.partitions", "1".to_owned()),
        ("transaction.state.log.replication.factor", replicas),
        ("transaction.state.log.min.isr", in_sync.to_owned()),
        // 128 MiB of heap by default, for a cleaner that has little to clean
        (
            "log.cleaner.dedupe.buffer.size",
            (4 * 1024 * 1024).to_string(),
        ),
    ];
    let own = settings.iter().map(|(key, value)| (*key, escape(value)));
    let asked_for = cluster.settings.iter();
    // the last one counts
    own.chain(asked_for.map(|(key, value)| (key.as_str(), resolved(value))))
        .map(|(key, value)| (variable(key), Some(value)))
        .chain([("CLUSTER_ID".to_owned(), Some(cluster.id.clone()))])
        .collect()
}

/// The variable that the image makes a broker's setting of: it reads `_` as `.`, `__` as `_` and `___` as `-`.
fn variable(key: &str) -> String {
    let key = key.replace('_', "__").replace('-', "___");
    format!("KAFKA_{}", key.replace('.', "_").to_uppercase())
}

/// A setting's value as compose fills it in: references to the environment are its own, and an empty one is refused.
fn resolved(value: &str) -> String {
    let one = |piece: &Piece<'_>| match piece {
        Piece::Text(text) => escape(text),
        Piece::Variable(name) => format!("${{{name}:?}}"),
    };
    let pieces = spec::pieces(value).unwrap_or_else(|_| vec![Piece::Text(value)]);
    pieces.iter().map(one).collect()
}
