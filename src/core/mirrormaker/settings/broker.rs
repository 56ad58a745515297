//! Which settings a broker reads.

use super::{Generation, Kind, Type, find, keys};
use crate::core::nearest::nearest_spelling;

/// What a broker makes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerVerdict {
    /// It is read; its value has this type.
    Known(Type),
    /// Only the other Kafka has it.
    OnlyIn(Generation),
    /// Kafka defines no such setting: only a class of the person's own could read it. What was probably meant.
    Unknown(Option<&'static str>),
}

/// What Kafka's own authorizer reads, without a definition (`StandardAuthorizer`).
const OF_AUTHORIZER: [&str; 2] = ["super.users", "allow.everyone.if.no.acl.found"];
/// What Kafka hands on to plugins of tiered storage and to reporters of metrics, whatever stands behind it.
const OF_PLUGINS: [&str; 3] = ["rsm.config.", "rlmm.config.", "metrics.context."];

/// What brokers make of `key`; of any Kafka, or of one generation.
pub fn known_to_brokers(key: &str, kafka: Option<Generation>) -> BrokerVerdict {
    let of = |kafka| find(key, &[Kind::Broker], kafka);
    if let Some(kind) = of(kafka) {
        return BrokerVerdict::Known(kind);
    }
    if OF_AUTHORIZER.contains(&key) || OF_PLUGINS.iter().any(|prefix| key.starts_with(prefix)) {
        return BrokerVerdict::Known(Type::String);
    }
    match kafka.map(Generation::other) {
        Some(other) if of(Some(other)).is_some() => BrokerVerdict::OnlyIn(other),
        // a topic's setting has another name for a whole broker
        _ => BrokerVerdict::Unknown(nearest_spelling(key, keys(&[Kind::Broker], kafka))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::compose;
    use crate::core::spec::scenario;
    use crate::core::topology::Topology;

    #[test]
    fn what_brokers_read_and_what_was_meant() {
        let known = |key| known_to_brokers(key, None);
        assert_eq!(known("log.retention.ms"), BrokerVerdict::Known(Type::Long));
        assert_eq!(known("super.users"), BrokerVerdict::Known(Type::String));
        assert_eq!(known("rsm.config.x"), BrokerVerdict::Known(Type::String));
        for (key, meant) in [
            ("log.retention.msec", Some("log.retention.ms")),
            ("retention.ms", Some("log.retention.ms")),
            ("zzz", None),
        ] {
            assert_eq!(known(key), BrokerVerdict::Unknown(meant), "{key}");
        }
    }

    #[test]
    fn every_setting_that_kmk_gives_a_broker_is_read() {
        let topology = Topology::new(&scenario::dr("demo"));
        let file = compose::render(
            &topology,
            compose::Delivery::Mount("./mm2.properties"),
            compose::ClassCache::None,
            "",
        );
        // `KAFKA_X: value`, and not the lines of a script
        let lines = file
            .text
            .lines()
            .filter_map(|line| line.trim().split_once(": "));
        let names = lines.filter_map(|(name, _)| name.strip_prefix("KAFKA_"));
        let names: Vec<&str> = names.filter(|name| !name.ends_with("_OPTS")).collect();
        assert!(names.len() > 20, "{names:?}");
        for name in names {
            let key = name.to_lowercase().replace('_', ".");
            for kafka in [Generation::Three, Generation::Four] {
                let verdict = known_to_brokers(&key, Some(kafka));
                assert!(
                    matches!(verdict, BrokerVerdict::Known(_)),
                    "{key} {verdict:?}"
                );
            }
        }
    }

    #[test]
    fn what_only_one_kafka_has() {
        let key = "log.message.format.version";
        let of = |kafka| known_to_brokers(key, Some(kafka));
        assert!(matches!(of(Generation::Three), BrokerVerdict::Known(_)));
        assert_eq!(
            of(Generation::Four),
            BrokerVerdict::OnlyIn(Generation::Three)
        );
    }
}
