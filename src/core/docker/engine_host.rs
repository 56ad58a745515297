//! Finds out whether the Docker engine runs on this machine or on another one.

use super::{Docker, DockerError, argv};
use kmk_kafka::wait::Limit;
use serde::Deserialize;
use std::fs;
use std::path::PathBuf;

/// Sockets that only a process of this machine can have.
const OWN_SOCKETS: [&str; 3] = ["unix://", "npipe://", "fd://"];
/// What docker calls the context that is none: `DOCKER_HOST`, or else the socket of this machine.
const NO_CONTEXT: &str = "default";

/// Where the engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineHost {
    /// On this machine: its files and addresses are ours.
    Local,
    /// On another machine, or on one of which that cannot be known.
    Remote {
        /// As docker was configured, such as `ssh://me@big-box`.
        address: String,
    },
}

/// What docker's client goes by, in this order.
#[derive(Debug, PartialEq, Eq)]
enum Configured {
    /// `DOCKER_HOST`.
    Host(String),
    /// A context, by `DOCKER_CONTEXT` or `docker context use`: the client knows where it leads.
    Context,
    /// Nothing: the socket of this machine.
    Nothing,
}

impl EngineHost {
    /// Asks docker's client only where a context is in use; the engine is never asked.
    ///
    /// # Errors
    /// When the client cannot tell where its context leads.
    pub fn find(limit: &Limit) -> Result<Self, DockerError> {
        let configured =
            Configured::find(variable("DOCKER_HOST"), variable("DOCKER_CONTEXT"), config);
        Ok(match configured {
            Configured::Host(address) => Self::at(&address),
            Configured::Context => Self::at(&Docker::find()?.context_host(limit)?),
            Configured::Nothing => Self::Local,
        })
    }

    /// The host that an address means to docker; an address without a scheme is `tcp://`.
    fn at(address: &str) -> Self {
        let address = address.trim();
        if address.is_empty() || OWN_SOCKETS.iter().any(|own| address.starts_with(own)) {
            return Self::Local;
        }
        let address = address.to_owned();
        Self::Remote { address }
    }

    /// Whose a lab's files are: labs of one name on several engines are not the same.
    pub fn owner(&self, lab: &str) -> String {
        match self {
            Self::Local => lab.to_owned(),
            Self::Remote { address } => format!("{lab} at {address}"),
        }
    }

    /// The host that an address of it names, without user and port.
    pub fn host(&self) -> Option<&str> {
        let Self::Remote { address } = self else {
            return None;
        };
        let rest = address
            .split_once("://")
            .map_or(&**address, |(_, rest)| rest);
        let place = rest.split('/').next()?;
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let host = match place.strip_prefix('[') {
            Some(rest) => rest.split(']').next()?,
            None => place.split(':').next()?,
        };
        (!host.is_empty()).then_some(host)
    }
}

impl Configured {
    /// A variable that is empty says nothing.
    fn find(
        host: Option<String>,
        context: Option<String>,
        config: impl FnOnce() -> Option<String>,
    ) -> Self {
        let said = |value: Option<String>| value.filter(|value| !value.is_empty());
        if let Some(host) = said(host) {
            return Self::Host(host);
        }
        match said(context).or_else(|| said(config())) {
            Some(name) if name != NO_CONTEXT => Self::Context,
            _ => Self::Nothing,
        }
    }
}

fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?;
    Some(value.to_string_lossy().into_owned())
}

/// The context that the client goes by, where one is configured.
pub(super) fn context() -> Option<String> {
    let configured = [variable("DOCKER_CONTEXT"), config()];
    configured
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
}

/// The context that the client's own configuration names. Reading it spares the usual deploy a question of 10 ms.
fn config() -> Option<String> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(rename = "currentContext")]
        context: Option<String>,
    }
    let directory = std::env::var_os("DOCKER_CONFIG").filter(|directory| !directory.is_empty());
    let directory = match directory {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".docker"),
    };
    let text = fs::read_to_string(directory.join("config.json")).ok()?;
    serde_json::from_str::<Config>(&text).ok()?.context
}

impl Docker {
    /// The address that the current context leads to.
    fn context_host(&self, limit: &Limit) -> Result<String, DockerError> {
        let argv = argv::context();
        let text = self.query(&argv, limit)?;
        serde_json::from_str(&text).map_err(|cause| DockerError::Answer {
            command: argv::line(&argv),
            cause,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn elsewhere(address: &str) -> EngineHost {
        EngineHost::Remote {
            address: address.to_owned(),
        }
    }

    #[test]
    fn only_sockets_of_this_machine_are_here() {
        for own in [
            "",
            "unix:///var/run/docker.sock",
            "npipe:////./pipe/docker_engine",
            "fd://",
        ] {
            assert_eq!(EngineHost::at(own), EngineHost::Local, "{own}");
        }
        for other in ["tcp://127.0.0.1:2375", "ssh://me@box", "10.0.0.1:2375"] {
            assert_eq!(EngineHost::at(other), elsewhere(other));
        }
    }

    #[test]
    fn an_address_names_a_host() {
        for (address, host) in [
            ("tcp://10.0.0.1:2375", Some("10.0.0.1")),
            (
                "ssh://me@box.example:22/run/docker.sock",
                Some("box.example"),
            ),
            ("tcp://[2001:db8::7]:2376", Some("2001:db8::7")),
            ("box:2375", Some("box")),
            ("tcp://", None),
        ] {
            assert_eq!(elsewhere(address).host(), host, "{address}");
        }
        assert_eq!(EngineHost::Local.host(), None);
    }

    #[test]
    fn the_first_that_says_something_is_what_the_client_goes_by() {
        let some = |text: &str| Some(text.to_owned());
        let config = || some("far");
        let host = Configured::Host("tcp://a:1".to_owned());
        assert_eq!(
            Configured::find(some("tcp://a:1"), some("near"), config),
            host
        );
        assert_eq!(
            Configured::find(some(""), some("near"), || None),
            Configured::Context
        );
        assert_eq!(
            Configured::find(None, some("default"), config),
            Configured::Nothing
        );
        assert_eq!(
            Configured::find(None, some(""), config),
            Configured::Context
        );
        assert_eq!(
            Configured::find(None, None, || some("default")),
            Configured::Nothing
        );
        assert_eq!(Configured::find(None, None, || None), Configured::Nothing);
    }

    proptest! {
        #[test]
        fn any_address_is_somewhere(address in ".{0,40}") {
            let _ = EngineHost::at(&address).host();
        }
    }
}
