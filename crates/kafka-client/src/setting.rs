//! What topics and brokers are set to, and where that was said. Knows nothing of how a broker is asked.

use std::fmt;

/// What has settings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The topic of that name.
    Topic(String),
    /// The broker with that node id.
    Broker(i32),
    /// All brokers together: what none of them is told otherwise.
    AllBrokers,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "topic `{name}`"),
            Self::Broker(id) => write!(f, "broker {id}"),
            Self::AllBrokers => f.write_str("all brokers"),
        }
    }
}

/// One setting as it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Such as `retention.ms`.
    pub name: String,
    /// As Kafka writes it; none where there is none, or where it is secret.
    pub value: Option<String>,
    /// Where it was said.
    pub origin: Origin,
    /// Whether it is something like a password, which no broker tells.
    pub secret: bool,
}

/// Where a setting was said (`DescribeConfigsResponse.ConfigSource`); the first that says it wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// For this topic alone.
    Topic,
    /// For this broker alone, while it ran.
    Broker,
    /// For all brokers, while they ran.
    AllBrokers,
    /// In the broker's own properties, or its environment.
    File,
    /// Nowhere: Kafka's default.
    Default,
    /// A source that this kmk has no name for, by its number.
    Other(i8),
}

impl Origin {
    /// As the protocol numbers it.
    pub(super) fn of(number: i8) -> Self {
        match number {
            1 => Self::Topic,
            2 => Self::Broker,
            3 => Self::AllBrokers,
            4 => Self::File,
            5 => Self::Default,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Topic => "topic",
            Self::Broker => "broker",
            Self::AllBrokers => "all-brokers",
            Self::File => "broker-file",
            Self::Default => "default",
            Self::Other(_) => "other",
        })
    }
}
