//! Why one address led to no broker.

use crate::wait::span;
use std::io;
use std::time::Duration;

/// Why one address led to no broker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("{0}")]
    NoSuchHost(io::Error),
    #[error("{0}")]
    Connect(io::Error),
    #[error("it accepts connections, but is no Kafka broker or not ready yet ({0})")]
    Greeting(String),
    #[error("no answer within {}", span(*.0))]
    Silent(Duration),
    #[error("interrupted")]
    Interrupted,
}

impl ConnectError {
    /// Whether waiting is pointless: nothing listens there, or the name stands for no host.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::NoSuchHost(_) => true,
            Self::Connect(error) => error.kind() == io::ErrorKind::ConnectionRefused,
            _ => false,
        }
    }
}
