//! Tells a relay what to do, and asks what it does: toxiproxy's API.

use super::shape::{Proxy, STREAMS, Shape, Toxic};
use crate::core::topology::Relay;
use kmk_kafka::wait::{Limit, Probe, Stop};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Method, Request};

/// How long one answer may take: it takes a millisecond, and a relay that hangs has hung by then.
const ANSWER: Duration = Duration::from_secs(2);
/// How often a relay that has just been started is asked again.
const LOOK: Duration = Duration::from_millis(50);

/// Why a relay does not do what is asked of it.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Nobody answers.
    #[error("relay {relay} does not answer at {api}: {cause}")]
    NoAnswer {
        /// Its service.
        relay: String,
        /// Its API.
        api: String,
        /// What happened instead.
        cause: String,
    },
    /// It answers, and refuses.
    #[error("relay {relay} refused {what}: {said}")]
    Refused {
        /// Its service.
        relay: String,
        /// The request.
        what: String,
        /// Its answer.
        said: String,
    },
    /// It obeyed, and does something else.
    #[error("relay {relay} was told what to do, but {difference}")]
    NotSo {
        /// Its service.
        relay: String,
        /// What it does instead.
        difference: String,
    },
    /// Time is up, or a person interrupted.
    #[error(transparent)]
    Stopped(#[from] Stop),
}

impl RelayError {
    pub(super) fn not_running(relay: &Relay) -> Self {
        Self::NoAnswer {
            relay: relay.service.clone(),
            api: relay.api.to_string(),
            cause: "its container is not running".to_owned(),
        }
    }
}

/// The API of one relay.
pub(super) struct Api<'a> {
    relay: &'a Relay,
    agent: Agent,
}

impl<'a> Api<'a> {
    pub(super) fn new(relay: &'a Relay, limit: &Limit) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // it is on this machine, or where the engine is
            .proxy(None)
            .timeout_global(Some(limit.remaining().min(ANSWER)))
            .build();
        Self {
            relay,
            agent: config.new_agent(),
        }
    }

    /// What it does.
    pub(super) fn look(&self) -> Result<Option<Proxy>, RelayError> {
        let mut proxies: BTreeMap<String, Proxy> = self.ask(Method::GET, "/proxies", None)?;
        Ok(proxies.remove(&self.relay.broker))
    }

    /// Makes it do what is asked, and looks whether it does. What it did instead, if that was something else.
    pub(super) fn put(&self, asked: &Shape) -> Result<Option<String>, RelayError> {
        let upstream = self.relay.upstream.to_string();
        let found = self.look()?;
        let Some(difference) = asked.difference(found.as_ref(), &upstream) else {
            return Ok(None);
        };
        let name = &self.relay.broker;
        let there = found.filter(|found| found.upstream == upstream);
        let there = match there {
            Some(there) => there,
            None => self.make(&upstream)?,
        };
        let wanted = asked.toxics();
        for stream in STREAMS {
            let of = |toxics: &[Toxic]| -> Vec<Toxic> {
                let its = toxics.iter().filter(|one| one.stream == stream);
                its.cloned().collect()
            };
            self.put_stream(&of(&there.toxics), &of(&wanted))?;
        }
        if !there.enabled {
            let on = json!({ "enabled": true });
            self.tell(Method::POST, &format!("/proxies/{name}"), Some(&on))?;
        }
        match asked.difference(self.look()?.as_ref(), &upstream) {
            None => Ok(Some(difference)),
            Some(difference) => Err(RelayError::NotSo {
                relay: self.relay.service.clone(),
                difference,
            }),
        }
    }

    /// Nothing passes before it is as slow as is asked.
    fn make(&self, upstream: &str) -> Result<Proxy, RelayError> {
        let listen = format!("0.0.0.0:{}", self.relay.listen.port);
        let proxy = json!([{
            "name": self.relay.broker, "listen": listen, "upstream": upstream, "enabled": false,
        }]);
        self.tell(Method::POST, "/populate", Some(&proxy))?;
        Ok(Proxy {
            upstream: upstream.to_owned(),
            enabled: false,
            toxics: Vec::new(),
        })
    }

    /// New ones come last: from the first that is out of order on, all are replaced.
    fn put_stream(&self, there: &[Toxic], wanted: &[Toxic]) -> Result<(), RelayError> {
        let path = format!("/proxies/{}/toxics", self.relay.broker);
        let kept = there.iter().zip(wanted);
        let kept = kept.take_while(|(there, wanted)| there.is_like(wanted));
        let count = kept.clone().count();
        for (there, wanted) in kept.filter(|(there, wanted)| there != wanted) {
            let numbers = json!({ "attributes": wanted.attributes });
            self.tell(
                Method::POST,
                &format!("{path}/{}", there.name),
                Some(&numbers),
            )?;
        }
        for superfluous in &there[count..] {
            let path = format!("{path}/{}", superfluous.name);
            self.tell(Method::DELETE, &path, None)?;
        }
        for new in &wanted[count..] {
            self.tell(Method::POST, &path, Some(&json!(new)))?;
        }
        Ok(())
    }

    fn tell(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(), RelayError> {
        self.request(method, path, body).map(drop)
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, RelayError> {
        let text = self.request(method, path, body)?;
        serde_json::from_str(&text).map_err(|error| self.no_answer(&error))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<String, RelayError> {
        let what = format!("{method} {path}");
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.relay.api))
            .body(body.map(Value::to_string).unwrap_or_default());
        let request = request.map_err(|error| self.no_answer(&error))?;
        let answer = self.agent.run(request);
        let mut answer = answer.map_err(|error| self.no_answer(&error))?;
        let text = answer.body_mut().read_to_string();
        let text = text.map_err(|error| self.no_answer(&error))?;
        if answer.status().is_success() {
            return Ok(text);
        }
        Err(RelayError::Refused {
            relay: self.relay.service.clone(),
            said: format!("{}: {}", answer.status(), text.trim()),
            what,
        })
    }

    fn no_answer(&self, cause: &dyn std::error::Error) -> RelayError {
        RelayError::NoAnswer {
            relay: self.relay.service.clone(),
            api: self.relay.api.to_string(),
            cause: cause.to_string(),
        }
    }
}

/// The same as [`Api::put`] for a relay that may have just been started.
pub(super) fn put(
    relay: &Relay,
    asked: &Shape,
    limit: &Limit,
) -> Result<Option<String>, RelayError> {
    limit.until(LOOK, || match Api::new(relay, limit).put(asked) {
        Err(error @ RelayError::NoAnswer { .. }) => Ok(Probe::NotYet(error.to_string())),
        other => other.map(Probe::Ready),
    })
}
