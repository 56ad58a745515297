//! Brokers that answer as a test tells them to.

use super::serve::{Asked, Reply, Server};
use super::{FakeBroker, Fault, everything};
use crate::endpoint::Endpoint;
use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use std::sync::{Arc, Mutex};

/// A broker that answers each request as `reply` says, on any number of connections; it greets by itself.
pub(crate) fn broker(reply: impl FnMut(&Asked) -> Reply + Send + 'static) -> Endpoint {
    let reply = Arc::new(Mutex::new(reply));
    listen(move |asked| match asked.api {
        ApiKey::ApiVersions => asked.with(&everything()),
        _ => (reply.lock().unwrap())(asked),
    })
}

/// As [`broker`], greetings included.
pub(crate) fn listen(reply: impl FnMut(&Asked) -> Reply + Clone + Send + 'static) -> Endpoint {
    let server = Server::start(0, reply).unwrap();
    Endpoint::new("127.0.0.1", server.port)
}

/// The fake broker, where `instead` has no answer. It listens at the end of this alone.
pub(crate) fn before(
    fake: &FakeBroker,
    instead: impl FnMut(&Asked) -> Option<Reply> + Send + 'static,
) -> Endpoint {
    let (shared, instead) = (Arc::clone(&fake.shared), Arc::new(Mutex::new(instead)));
    let endpoint = listen(move |asked| {
        let reply = (instead.lock().unwrap())(asked);
        reply.unwrap_or_else(|| shared.reply(asked))
    });
    fake.state().port = endpoint.port;
    endpoint
}

impl FakeBroker {
    /// The next requests of a kind are refused with these error codes; 0 for one that is not.
    pub(crate) fn refuse(&self, api: &str, codes: &[i16]) {
        for code in codes {
            self.fail(api, Fault::Code(*code));
        }
    }

    /// How many requests of a kind are still to go wrong.
    pub(crate) fn pending(&self, api: &str) -> usize {
        let faults = self.shared.faults.lock().unwrap();
        faults.iter().filter(|(of, _)| of == api).count()
    }

    /// Lets somebody be in a group who says this of itself.
    pub(crate) fn other(&self, group: &str, id: &str, words: Bytes) {
        self.member(group, id, "", &[]);
        let mut state = self.state();
        state.groups.get_mut(group).unwrap().say(id, words);
    }

    /// Lets another lead a group.
    pub(crate) fn lead(&self, group: &str, id: &str) {
        let mut state = self.state();
        state.groups.entry(group.to_owned()).or_default().leader = Some(id.to_owned());
    }

    /// Throws a member out.
    pub(crate) fn expel(&self, group: &str, id: &str) {
        self.state().groups.get_mut(group).unwrap().forget(id);
    }
}
