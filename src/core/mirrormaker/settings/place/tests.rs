//! Keys at places, judged.

use super::*;
use crate::core::mirrormaker::settings::keys;
use proptest::prelude::*;

const READ: Use = Use {
    is_read: true,
    is_written: false,
    has_worker: false,
};
const WRITTEN: Use = Use {
    is_read: false,
    is_written: true,
    has_worker: true,
};

fn cluster(side: Side, key: &str) -> Right {
    Right::Cluster(side, key.to_owned())
}

#[test]
fn each_kind_of_key_where_it_is_read() {
    use Place::{Cluster, Flow, Top};
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
            matches!(verdict, Verdict::Known(_)),
            "{place:?} {key}: {verdict:?}"
        );
    }
}

#[test]
fn real_keys_at_the_wrong_place() {
    use Place::{Cluster, Flow, Top};
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
            Right::Flow("use.defaults.from".to_owned()),
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
        (Flow, "listeners", Right::Top("listeners".to_owned())),
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
        (Cluster(WRITTEN), "topics", Right::Flow("topics".to_owned())),
        (
            Cluster(WRITTEN),
            "listeners",
            Right::Top("listeners".to_owned()),
        ),
    ] {
        match known_for(place, key, None) {
            Verdict::Misplaced(rights) => {
                assert!(rights.contains(&right), "{place:?} {key}: {rights:?}");
            }
            other => panic!("{place:?} {key}: {other:?}"),
        }
    }
    let Verdict::Misplaced(rights) = known_for(Flow, "ssl.protocol", None) else {
        panic!("a flow's clients connect as their clusters say");
    };
    assert!(
        rights.contains(&cluster(Side::Either, "ssl.protocol")),
        "{rights:?}"
    );
}

#[test]
fn clients_that_do_not_carry_the_records() {
    for (place, key, right) in [
        (
            Place::Flow,
            "producer.linger.ms",
            cluster(Side::Target, "producer.linger.ms"),
        ),
        (
            Place::Cluster(READ),
            "producer.linger.ms",
            cluster(Side::Target, "producer.linger.ms"),
        ),
        (
            Place::Cluster(WRITTEN),
            "consumer.max.poll.records",
            cluster(Side::Source, "consumer.max.poll.records"),
        ),
        (
            Place::Cluster(WRITTEN),
            "batch.size",
            cluster(Side::Target, "producer.batch.size"),
        ),
    ] {
        match known_for(place, key, None) {
            Verdict::Partly { rights, .. } => assert_eq!(rights, [right], "{place:?} {key}"),
            other => panic!("{place:?} {key}: {other:?}"),
        }
    }
}

#[test]
fn what_mirrormaker_sets_itself() {
    for key in ["config.storage.partitions", "offset.storage.cleanup.policy"] {
        assert!(
            matches!(known_for(Place::Top, key, None), Verdict::Overruled(_)),
            "{key}"
        );
    }
}

#[test]
fn keys_that_are_none() {
    let flow = |key: &str| vec![Right::Flow(key.to_owned())];
    for (place, key, expected) in [
        (
            Place::Flow,
            "emit.heartbeats",
            flow("emit.heartbeats.enabled"),
        ),
        (
            Place::Flow,
            "emit.heartbeat.enabled",
            flow("emit.heartbeats.enabled"),
        ),
        (Place::Flow, "topic.exclude", flow("topics.exclude")),
        (Place::Flow, "topic.blacklist", flow("topics.exclude")),
        (Place::Flow, "max.tasks", flow("tasks.max")),
        (Place::Flow, "replication.enabled", flow("enabled")),
        (
            Place::Top,
            "max.tasks",
            vec![Right::Top("tasks.max".to_owned())],
        ),
        (Place::Top, "heartbeats.topic.retention.ms", Vec::new()),
        (Place::Top, "log.retention.hours", Vec::new()),
        (
            Place::Top,
            "offset.flush.intervall.ms",
            vec![cluster(Side::Target, "offset.flush.interval.ms")],
        ),
        (
            Place::Cluster(READ),
            "consumer.fetch.wait.max.ms",
            vec![cluster(Side::Either, "consumer.fetch.max.wait.ms")],
        ),
        (Place::Top, "zzz", Vec::new()),
        (Place::Top, "", Vec::new()),
    ] {
        let verdict = known_for(place, key, None);
        assert_eq!(verdict, Verdict::Unknown { meant: expected }, "{key}");
    }
}

#[test]
fn a_key_of_the_other_kafka() {
    let three = Some(Generation::Three);
    let four = Some(Generation::Four);
    let old = known_for(Place::Flow, "topics.blacklist", four);
    assert_eq!(old, Verdict::OnlyIn(Generation::Three));
    let new = known_for(Place::Flow, "heartbeats.replication.enabled", three);
    assert_eq!(new, Verdict::OnlyIn(Generation::Four));
    assert!(matches!(
        known_for(Place::Flow, "topics.blacklist", three),
        Verdict::Known(_)
    ));
}

#[test]
fn every_key_of_the_table_is_read_somewhere() {
    let places = [
        Place::Top,
        Place::Flow,
        Place::Cluster(READ),
        Place::Cluster(WRITTEN),
    ];
    for key in keys(&Kind::OF_MIRRORMAKER, None) {
        if overruled(key).is_some()
            || (find(key, &[Kind::Topic], None).is_some() && rights(key, None).is_empty())
        {
            continue;
        }
        let is_known = places
            .iter()
            .any(|place| !matches!(known_for(*place, key, None), Verdict::Unknown { .. }));
        assert!(is_known, "{key}");
    }
}

fn place() -> impl Strategy<Value = Place> {
    let used = any::<[bool; 3]>().prop_map(|[is_read, is_written, has_worker]| {
        Place::Cluster(Use {
            is_read,
            is_written,
            has_worker,
        })
    });
    prop_oneof![Just(Place::Top), Just(Place::Flow), used]
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
        let rights = match known_for(place, &key, None) {
            Verdict::Misplaced(rights) | Verdict::Partly { rights, .. } | Verdict::Unknown { meant: rights } => rights,
            _ => Vec::new(),
        };
        for right in rights {
            let verdict = match &right {
                Right::Top(key) => known_for(Place::Top, key, None),
                Right::Flow(key) => known_for(Place::Flow, key, None),
                Right::Cluster(Side::Source, key) => known_for(Place::Cluster(READ), key, None),
                Right::Cluster(_, key) => known_for(Place::Cluster(Use { is_read: true, ..WRITTEN }), key, None),
            };
            prop_assert!(matches!(verdict, Verdict::Known(_) | Verdict::Overruled(_)), "{key}: {right:?}: {verdict:?}");
        }
    }

    #[test]
    fn no_key_is_too_odd(place in place(), key in any::<String>()) {
        known_for(place, &key, None);
    }
}
