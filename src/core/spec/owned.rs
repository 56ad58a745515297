//! Settings that kmk manages itself, and settings with limits.

/// Why a broker setting is kmk's own, if it is.
pub(super) fn of_broker(key: &str) -> Option<&'static str> {
    let under = |prefix: &str| key.starts_with(prefix);
    match key {
        "node.id" | "broker.id" | "process.roles" | "broker.id.generation.enable" => {
            Some("kmk numbers the brokers, and each is also a controller")
        }
        "log.dir" | "log.dirs" | "metadata.log.dir" => {
            Some("records are on the volume that kmk creates for the broker")
        }
        "num.partitions" => Some("use `partitions` of the cluster instead"),
        "message.max.bytes" | "replica.fetch.max.bytes" => Some(
            "kmk gives brokers and MirrorMaker the same limit, and a single larger record would stop the flow",
        ),
        "advertised.listeners"
        | "control.plane.listener.name"
        | "early.start.listeners"
        | "inter.broker.listener.name"
        | "listeners"
        | "security.inter.broker.protocol" => {
            Some("kmk sets the addresses, for the containers and for this machine")
        }
        "heap.opts" | "opts" | "jvm.performance.opts" | "gc.log.opts" | "debug" => {
            Some("this is a JVM option, not a broker setting; use `memory` for the heap")
        }
        _ if under("controller.quorum.") || under("controller.listener.") => {
            Some("kmk sets up the controllers")
        }
        _ if under("listener.") => {
            Some("kmk sets the listeners, for the containers and for this machine")
        }
        _ if under("jmx.") || under("log4j.") || under("tools.log4j.") => {
            Some("this is a JVM option, not a broker setting")
        }
        _ if under("zookeeper.") => Some("kmk runs Kafka without ZooKeeper"),
        _ if under("kafka.") => Some("the image cannot pass on settings that begin with `kafka.`"),
        _ => None,
    }
}

/// Why a setting of MirrorMaker is kmk's own, if it is.
pub(super) fn of_flow(key: &str) -> Option<&'static str> {
    match key {
        "enabled" => Some("remove the flow instead"),
        "topics" | "topics.regex" | "topics.whitelist" => Some("use `topics` of the flow instead"),
        "topics.exclude" | "topics.blacklist" => Some("use `exclude` of the flow instead"),
        "groups" | "groups.whitelist" => Some("use `groups` of the flow instead"),
        "replication.policy.class" => Some("use `naming` of the flow instead"),
        "replication.policy.separator" => Some(
            "kmk recognizes a mirrored topic by the dot between the source's name and the topic's",
        ),
        "bootstrap.servers" | "source.cluster.alias" | "target.cluster.alias" => {
            Some("kmk sets the addresses and names of the clusters")
        }
        "topic.filter.class" | "group.filter.class" => {
            Some("kmk's canary and the flow's filters need MirrorMaker's own")
        }
        _ if key.contains("cluster.bootstrap.servers") => {
            Some("kmk sets the addresses and names of the clusters")
        }
        _ if key.starts_with("config.providers") => {
            Some("kmk sets it where a value has `${env:NAME}`; there are no other providers")
        }
        _ => None,
    }
}

/// Why a property of the clients of an existing cluster is kmk's own, if it is.
pub(super) fn of_client(key: &str) -> Option<&'static str> {
    match key {
        "bootstrap.servers" => Some("use `bootstrap` of the cluster instead"),
        "replication.policy.class" | "replication.policy.separator" => {
            Some("use `naming` of the flow instead")
        }
        _ if key.starts_with("config.providers") => {
            Some("kmk sets it where a value has `${env:NAME}`; there are no other providers")
        }
        _ => None,
    }
}

/// Whether the value of a setting is a number of copies: as many brokers must be there.
pub(super) fn is_copies(key: &str) -> bool {
    key.ends_with("replication.factor") || key == "min.insync.replicas" || key.ends_with(".min.isr")
}

/// A setting's name as Kafka writes it: words of letters and digits with single `.`, `-` or `_` between them.
pub(super) fn is_key(key: &str, takes_upper_case: bool) -> bool {
    let plain = |c: char| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || (takes_upper_case && c.is_ascii_uppercase())
    };
    (1..=200).contains(&key.len())
        && key
            .split(['.', '-', '_'])
            .all(|word| !word.is_empty() && word.chars().all(plain))
}
