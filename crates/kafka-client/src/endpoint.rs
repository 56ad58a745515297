//! An address to connect to.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// `host:port`, as Kafka's `bootstrap.servers` spells one address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// Host name, IPv4 address, or IPv6 address without brackets.
    pub host: String,
    /// TCP port, 1 to 65535.
    pub port: u16,
}

impl Endpoint {
    /// The address of `port` on `host`.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Whether it is this machine's own address, by its name or number.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_end_matches('.');
        host.eq_ignore_ascii_case("localhost") || self.is_loopback_number()
    }

    /// The same, by its number alone: `127.0.0.1` and its like, `::1`.
    pub fn is_loopback_number(&self) -> bool {
        let number = self.host.parse::<std::net::IpAddr>();
        number.is_ok_and(|number| number.is_loopback())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Why a text is no address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EndpointError {
    /// No colon, or nothing before it.
    #[error("`{0}` is not HOST:PORT")]
    NotHostPort(String),
    /// The part after the last colon is not a number from 1 to 65535.
    #[error("`{port}` in `{text}` is not a port (1 to 65535)")]
    Port {
        /// The whole text.
        text: String,
        /// The part that should be a port.
        port: String,
    },
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let not_host_port = || EndpointError::NotHostPort(text.to_owned());
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(not_host_port)?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').ok_or_else(not_host_port)?,
            None if host.contains(':') => return Err(not_host_port()),
            None => host,
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || "/@[],".contains(c)) {
            return Err(not_host_port());
        }
        match port.parse() {
            Ok(port) if port > 0 => Ok(Self::new(host, port)),
            _ => Err(EndpointError::Port {
                text: text.to_owned(),
                port: port.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn says_what_is_wrong() {
        for bad in [
            "",
            "host",
            ":9092",
            "a b:1",
            "http://x:1",
            "::1:9092",
            "[::1:9092",
        ] {
            assert_eq!(
                bad.parse::<Endpoint>(),
                Err(EndpointError::NotHostPort(bad.to_owned())),
                "{bad}"
            );
        }
        for bad in ["h:", "h:0", "h:65536", "h:-1", "h:x"] {
            assert!(
                matches!(bad.parse::<Endpoint>(), Err(EndpointError::Port { .. })),
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_parsed_again(host in "[a-z0-9.-]{1,20}|[0-9a-f:]{2,20}", port in 1u16..) {
            let endpoint = Endpoint::new(host, port);
            prop_assert_eq!(endpoint.to_string().parse::<Endpoint>(), Ok(endpoint));
        }
    }
}
