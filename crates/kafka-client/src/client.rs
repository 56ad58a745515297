//! Which of the two clients moves the records, and why.

use crate::error::KafkaError;
use std::fmt;

/// Records of a run at most that the `kafka` crate moves: it has one request on its way at a time, which a person notices from
/// here on.
pub const SMALL_RUN: u64 = 10_000;

/// Which of the two clients is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Client {
    /// The `kafka` crate for a small run where it can do what is asked, else the wire client.
    #[default]
    Auto,
    /// The `kafka` crate: version 0 of the protocol.
    Kafka,
    /// The wire client: this crate's own.
    Wire,
}

/// What version 0 of the protocol, or the crate that speaks it, cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Records with headers.
    Headers,
    /// Records with a time, and telling it.
    Time,
    /// Compression with lz4.
    Lz4,
    /// Compression with zstd.
    Zstd,
    /// Writing so that a retry neither repeats nor reorders.
    Idempotence,
    /// Reading only what is committed.
    ReadCommitted,
    /// Sharing partitions among the members of a group.
    Groups,
    /// Telling an empty key or value from none.
    Nulls,
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Headers => "record headers",
            Self::Time => "record times",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::Idempotence => "idempotent writes",
            Self::ReadCommitted => "reading only what is committed",
            Self::Groups => "consumer groups with members",
            Self::Nulls => "telling empty from none",
        })
    }
}

/// What decides the choice about a cluster and a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Whether its brokers speak version 0 of the protocol: up to Kafka 3.9 (KIP-896).
    pub version_0: bool,
    /// Whether the topic keeps the time that its producer gives a record (`message.timestamp.type=CreateTime`): the
    /// crate gives none, so that every record would be of 1969.
    pub keeps_time: bool,
}

/// The client that moves the records, as chosen by [`Client::choose`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The `kafka` crate.
    Crate,
    /// The wire client: this crate's own.
    Wire(Reason),
}

/// Why it is the wire client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It was asked for.
    Asked,
    /// The brokers no longer speak version 0.
    Kafka4,
    /// The topic keeps its producer's times.
    KeepsTime,
    /// Something that the crate cannot do.
    Needs(Feature),
    /// A file, a stream, or more than [`SMALL_RUN`] records.
    Large,
}

impl Backend {
    /// As it is asked for: `kafka` or `wire`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crate => "kafka",
            Self::Wire(_) => "wire",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crate => f.write_str("the kafka crate"),
            Self::Wire(Reason::Asked) => f.write_str("the wire client, as asked"),
            Self::Wire(Reason::Kafka4) => f.write_str(
                "the wire client (the brokers no longer speak version 0 of the protocol)",
            ),
            Self::Wire(Reason::KeepsTime) => {
                f.write_str("the wire client (the topic keeps its producer's times)")
            }
            Self::Wire(Reason::Needs(feature)) => write!(f, "the wire client ({feature})"),
            Self::Wire(Reason::Large) => {
                write!(
                    f,
                    "the wire client (a stream, or more than {SMALL_RUN} records)"
                )
            }
        }
    }
}

impl Client {
    /// Which client it is, for what is needed and as the cluster is. `needs` is what the crate cannot do; a small run ends
    /// by itself after [`SMALL_RUN`] records at most.
    ///
    /// # Errors
    /// [`KafkaError::CannotDo`] when the crate was asked for and cannot do it.
    pub fn choose(
        self,
        needs: &[Feature],
        is_small: bool,
        cluster: Abilities,
    ) -> Result<Backend, KafkaError> {
        let cannot = |what: String| Err(KafkaError::CannotDo { what });
        match (self, needs.first()) {
            (Self::Wire, _) => Ok(Backend::Wire(Reason::Asked)),
            (Self::Kafka, _) if !cluster.version_0 => cannot(
                "version 0 of the protocol, which Kafka 4 no longer speaks (KIP-896)".to_owned(),
            ),
            (Self::Kafka, Some(_)) => {
                let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
                cannot(format!(
                    "version 0 of the protocol, which knows nothing of {}",
                    needs.join(", ")
                ))
            }
            (Self::Auto, _) if !cluster.version_0 => Ok(Backend::Wire(Reason::Kafka4)),
            (Self::Auto, Some(&feature)) => Ok(Backend::Wire(Reason::Needs(feature))),
            (Self::Auto, None) if cluster.keeps_time => Ok(Backend::Wire(Reason::KeepsTime)),
            (Self::Auto, None) if !is_small => Ok(Backend::Wire(Reason::Large)),
            (Self::Auto | Self::Kafka, None) => Ok(Backend::Crate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KAFKA_3: Abilities = Abilities {
        version_0: true,
        keeps_time: false,
    };

    #[test]
    fn plain_records_of_kafka_3_go_through_the_crate() {
        assert_eq!(
            Client::Auto.choose(&[], true, KAFKA_3).unwrap(),
            Backend::Crate
        );
        assert_eq!(
            Client::Kafka.choose(&[], true, KAFKA_3).unwrap(),
            Backend::Crate
        );
        assert_eq!(
            Client::Wire.choose(&[], true, KAFKA_3).unwrap(),
            Backend::Wire(Reason::Asked)
        );
    }

    #[test]
    fn what_is_large_goes_through_our_own_unless_the_crate_is_asked_for() {
        let auto = Client::Auto.choose(&[], false, KAFKA_3).unwrap();
        assert_eq!(auto, Backend::Wire(Reason::Large));
        assert_eq!(
            Client::Kafka.choose(&[], false, KAFKA_3).unwrap(),
            Backend::Crate
        );
    }

    #[test]
    fn whatever_the_crate_cannot_do_goes_through_our_own() {
        let backend = Client::Auto
            .choose(&[Feature::Headers], true, KAFKA_3)
            .unwrap();
        assert_eq!(backend, Backend::Wire(Reason::Needs(Feature::Headers)));
        let times = Abilities {
            keeps_time: true,
            ..KAFKA_3
        };
        let backend = Client::Auto.choose(&[], true, times).unwrap();
        assert_eq!(backend, Backend::Wire(Reason::KeepsTime));
        let kafka_4 = Abilities {
            version_0: false,
            ..KAFKA_3
        };
        let backend = Client::Auto.choose(&[], true, kafka_4).unwrap();
        assert_eq!(backend, Backend::Wire(Reason::Kafka4));
    }

    #[test]
    fn the_crate_is_not_asked_for_what_it_cannot_do() {
        let needs = [Feature::Headers, Feature::Zstd];
        let error = Client::Kafka.choose(&needs, true, KAFKA_3).unwrap_err();
        let told = error.to_string();
        assert!(told.contains("record headers, zstd"), "{told}");
        let kafka_4 = Abilities {
            version_0: false,
            ..KAFKA_3
        };
        assert!(Client::Kafka.choose(&[], true, kafka_4).is_err());
        // what it was told to do with times is the person's own wish
        let times = Abilities {
            keeps_time: true,
            ..KAFKA_3
        };
        assert_eq!(
            Client::Kafka.choose(&[], true, times).unwrap(),
            Backend::Crate
        );
    }
}
