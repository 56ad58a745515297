//! Brokers that answer as a test tells them to. Know nothing of Kafka's rules.

use super::everything;
use super::serve::{Asked, Reply, Server};
use crate::endpoint::Endpoint;
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
