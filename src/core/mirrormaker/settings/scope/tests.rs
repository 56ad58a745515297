//! Keys in scopes, judged.

use super::*;
use crate::core::mirrormaker::settings::keys;
use proptest::prelude::*;

const READ: ClusterUse = ClusterUse {
    is_read: true,
    is_written: false,
    has_worker: false,
};
const WRITTEN: ClusterUse = ClusterUse {
    is_read: false,
    is_written: true,
    has_worker: true,
};

fn cluster(side: Side, key: &str) -> Alternative {
    Alternative::Cluster(side, key.to_owned())
}

#[test]
fn each_kind_of_key_where_it_is_read() {
    use Scope::{Cluster, Flow, Top};
    for (place, key) in [
        (Top, "clusters"),
        (Top, "dedicated.mode.enable.internal.rest"),
        (Top, "listeners"),
        (Top, "listeners.https.ssl.key.password"),
        (Top, "config.providers.env.class"),
        (Top, "bootstrap.servers"),
        (Top, "refresh.topics.interval.seconds"),
        (Top, "emit.heartbeats.enabled"),
        (Top, "consumer.poll.timeout.ms"),
        (Top, "offset.storage.replication.factor"),
        (Top, "offset.storage.segment.bytes"),
        (Top, "task.shutdown.graceful.timeout.ms"),
        (Top, "key.converter.schemas.enable"),
        (Top, "replication.policy.separator"),
        (Top, "plugin.discovery"),
        (Flow, "enabled"),
        (Flow, "topics.exclude"),
        (Flow, "groups"),
        (Flow, "use.defaults.from"),
        (Flow, "consumer.fetch.max.wait.ms"),
        (Flow, "source.consumer.fetch.max.wait.ms"),
        (Flow, "source.cluster.sasl.jaas.config"),
        (Flow, "producer.override.batch.size"),
        (Flow, "producer.client.id"),
        (Flow, "transforms.mask.type"),
        (Flow, "topic.creation.default.partitions"),
        (Cluster(READ), "bootstrap.servers"),
        (Cluster(READ), "ssl.truststore.location"),
        (Cluster(READ), "consumer.isolation.level"),
        (Cluster(READ), "admin.bootstrap.servers"),
        (Cluster(READ), "producer.sasl.jaas.config"),
        (Cluster(WRITTEN), "producer.linger.ms"),
        (Cluster(WRITTEN), "offset.flush.interval.ms"),
        (Cluster(WRITTEN), "exactly.once.source.support"),
        (Cluster(WRITTEN), "status.storage.segment.bytes"),
        (Cluster(WRITTEN), "reconnect.backoff.ms"),
        (Cluster(WRITTEN), "plugin.discovery"),
    ] {
        let verdict = known_for(place, key, None);
        assert!(
            matches!(verdict, KeyVerdict::Known(_)),
            "{place:?} {key}: {verdict:?}"
        );
    }
}

#[test]
fn real_keys_at_the_wrong_place() {
    use Scope::{Cluster, Flow, Top};
    for (place, key, right) in [
        (
            Top,
            "offset.flush.interval.ms",
            cluster(Side::Target, "offset.flush.interval.ms"),
        ),
        (
            Top,
            "consumer.fetch.max.wait.ms",
            cluster(Side::Source, "consumer.fetch.max.wait.ms"),
        ),
        (
            Top,
            "linger.ms",
            cluster(Side::Target, "producer.linger.ms"),
        ),
        (
            Top,
            "use.defaults.from",
            Alternative::Flow("use.defaults.from".to_owned()),
        ),
        (
            Flow,
            "offset.flush.interval.ms",
            cluster(Side::Target, "offset.flush.interval.ms"),
        ),
        (
            Flow,
            "source.cluster.linger.ms",
            cluster(Side::Target, "producer.linger.ms"),
        ),
        (Flow, "listeners", Alternative::Top("listeners".to_owned())),
        (
            Cluster(READ),
            "offset.flush.interval.ms",
            cluster(Side::Target, "offset.flush.interval.ms"),
        ),
        (
            Cluster(READ),
            "reconnect.backoff.ms",
            cluster(Side::Target, "reconnect.backoff.ms"),
        ),
        (
            Cluster(READ),
            "fetch.max.wait.ms",
            cluster(Side::Source, "consumer.fetch.max.wait.ms"),
        ),
        (
            Cluster(READ),
            "consumer.linger.ms",
            cluster(Side::Target, "producer.linger.ms"),
        ),
        (
            Cluster(WRITTEN),
            "topics",
            Alternative::Flow("topics".to_owned()),
        ),
        (
            Cluster(WRITTEN),
            "listeners",
            Alternative::Top("listeners".to_owned()),
        ),
    ] {
        match known_for(place, key, None) {
            KeyVerdict::Misplaced(alternatives) => {
                assert!(
                    alternatives.contains(&right),
                    "{place:?} {key}: {alternatives:?}"
                );
            }
            other => panic!("{place:?} {key}: {other:?}"),
        }
    }
    let KeyVerdict::Misplaced(alternatives) = known_for(Flow, "ssl.protocol", None) else {
        panic!("a flow's clients connect as their clusters say");
    };
    assert!(
        alternatives.contains(&cluster(Side::Either, "ssl.protocol")),
        "{alternatives:?}"
    );
}

#[test]
fn clients_that_do_not_carry_the_records() {
    for (place, key, right) in [
        (
            Scope::Flow,
            "producer.linger.ms",
            cluster(Side::Target, "producer.linger.ms"),
        ),
        (
            Scope::Cluster(READ),
            "producer.linger.ms",
            cluster(Side::Target, "producer.linger.ms"),
        ),
        (
            Scope::Cluster(WRITTEN),
            "consumer.max.poll.records",
            cluster(Side::Source, "consumer.max.poll.records"),
        ),
        (
            Scope::Cluster(WRITTEN),
            "batch.size",
            cluster(Side::Target, "producer.batch.size"),
        ),
    ] {
        match known_for(place, key, None) {
            KeyVerdict::Partly { alternatives, .. } => {
                assert_eq!(alternatives, [right], "{place:?} {key}");
            }
            other => panic!("{place:?} {key}: {other:?}"),
        }
    }
}

#[test]
fn what_mirrormaker_sets_itself() {
    for key in ["config.storage.partitions", "offset.storage.cleanup.policy"] {
        assert!(
            matches!(known_for(Scope::Top, key, None), KeyVerdict::Overruled(_)),
            "{key}"
        );
    }
}

#[test]
fn keys_that_are_none() {
    let flow = |key: &str| vec![Alternative::Flow(key.to_owned())];
    for (place, key, expected) in [
        (
            Scope::Flow,
            "emit.heartbeats",
            flow("emit.heartbeats.enabled"),
        ),
        (
            Scope::Flow,
            "emit.heartbeat.enabled",
            flow("emit.heartbeats.enabled"),
        ),
        (Scope::Flow, "topic.exclude", flow("topics.exclude")),
        (Scope::Flow, "topic.blacklist", flow("topics.exclude")),
        (Scope::Flow, "max.tasks", flow("tasks.max")),
        (Scope::Flow, "replication.enabled", flow("enabled")),
        (
            Scope::Top,
            "max.tasks",
            vec![Alternative::Top("tasks.max".to_owned())],
        ),
        (Scope::Top, "heartbeats.topic.retention.ms", Vec::new()),
        (Scope::Top, "log.retention.hours", Vec::new()),
        (
            Scope::Top,
            "offset.flush.intervall.ms",
            vec![cluster(Side::Target, "offset.flush.interval.ms")],
        ),
        (
            Scope::Cluster(READ),
            "consumer.fetch.wait.max.ms",
            vec![cluster(Side::Either, "consumer.fetch.max.wait.ms")],
        ),
        (Scope::Top, "zzz", Vec::new()),
        (Scope::Top, "", Vec::new()),
    ] {
        let verdict = known_for(place, key, None);
        assert_eq!(verdict, KeyVerdict::Unknown { meant: expected }, "{key}");
    }
}

#[test]
fn a_key_of_the_other_kafka() {
    let three = Some(Generation::Three);
    let four = Some(Generation::Four);
    let old = known_for(Scope::Flow, "topics.blacklist", four);
    assert_eq!(old, KeyVerdict::OnlyIn(Generation::Three));
    let new = known_for(Scope::Flow, "heartbeats.replication.enabled", three);
    assert_eq!(new, KeyVerdict::OnlyIn(Generation::Four));
    assert!(matches!(
        known_for(Scope::Flow, "topics.blacklist", three),
        KeyVerdict::Known(_)
    ));
}

#[test]
fn every_key_of_the_table_is_read_somewhere() {
    let places = [
        Scope::Top,
        Scope::Flow,
        Scope::Cluster(READ),
        Scope::Cluster(WRITTEN),
    ];
    for key in keys(&Kind::OF_MIRRORMAKER, None) {
        if overruled(key).is_some()
            || (find(key, &[Kind::Topic], None).is_some() && alternatives(key, None).is_empty())
        {
            continue;
        }
        let is_known = places
            .iter()
            .any(|place| !matches!(known_for(*place, key, None), KeyVerdict::Unknown { .. }));
        assert!(is_known, "{key}");
    }
}

fn place() -> impl Strategy<Value = Scope> {
    let used = any::<[bool; 3]>().prop_map(|[is_read, is_written, has_worker]| {
        Scope::Cluster(ClusterUse {
            is_read,
            is_written,
            has_worker,
        })
    });
    prop_oneof![Just(Scope::Top), Just(Scope::Flow), used]
}

proptest! {
    #[test]
    fn what_is_offered_instead_is_right(
        place in place(),
        prefix in prop::sample::select(vec!["", "producer.", "consumer.", "admin.", "source.", "target.cluster.", "producer.override."]),
        index in any::<prop::sample::Index>(),
    ) {
        let all: Vec<&str> = keys(&Kind::NAMES.map(|(_, kind)| kind), None).into_iter().collect();
        let key = format!("{prefix}{}", index.get(&all));
        let alternatives = match known_for(place, &key, None) {
            KeyVerdict::Misplaced(alternatives) | KeyVerdict::Partly { alternatives, .. } | KeyVerdict::Unknown { meant: alternatives } => alternatives,
            _ => Vec::new(),
        };
        for right in alternatives {
            let verdict = match &right {
                Alternative::Top(key) => known_for(Scope::Top, key, None),
                Alternative::Flow(key) => known_for(Scope::Flow, key, None),
                Alternative::Cluster(Side::Source, key) => known_for(Scope::Cluster(READ), key, None),
                Alternative::Cluster(_, key) => known_for(Scope::Cluster(ClusterUse { is_read: true, ..WRITTEN }), key, None),
            };
            prop_assert!(matches!(verdict, KeyVerdict::Known(_) | KeyVerdict::Overruled(_)), "{key}: {right:?}: {verdict:?}");
        }
    }

    #[test]
    fn no_key_is_too_odd(place in place(), key in any::<String>()) {
        known_for(place, &key, None);
    }
}
