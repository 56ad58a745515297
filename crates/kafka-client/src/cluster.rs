//! The brokers of one cluster: who they are, connections to them, and who answers for what.

pub(crate) mod connect_error;
mod connection;
mod dial;
pub(crate) mod groups;
pub(crate) mod line;
pub(crate) mod metadata;
pub(crate) mod offsets;
pub(crate) mod peek;
pub(crate) mod settings;
mod sizes;
pub(crate) mod topics;

use crate::cluster::connect_error::ConnectError;
use crate::cluster::metadata::Metadata;
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::printable;
use crate::wait::{Limit, Stop};
use connection::{Connection, Ticket};
use kafka_protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::{Request, StrBytes};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// The first pause before what failed is tried again; each one after is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How soon an interruption is noticed while brokers are waited for.
const REACTION: Duration = Duration::from_millis(25);

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To<'a> {
    /// Whichever broker is at hand.
    Any,
    /// The broker with this node id.
    Broker(i32),
    /// The same, over one of several connections: a broker works on the requests of one in turn, and on several at once.
    Connection(ConnectionId),
    /// The broker that answers for the controller.
    Controller,
    /// The broker that coordinates this consumer group.
    Coordinator(&'a str),
}

/// One of several connections to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId {
    /// Its node id.
    pub(crate) broker: i32,
    /// Which of them, from 0: the one that everything else goes over too.
    pub(crate) number: u8,
}

/// A connection's name: where it leads, and which of several it is.
type Route = (Endpoint, u8);

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Pending<R> {
    route: Route,
    ticket: Ticket<R>,
}

/// Connections to the brokers of one cluster, made when first needed and again after every error.
#[derive(Debug)]
pub(crate) struct Cluster {
    bootstrap: Vec<Endpoint>,
    connections: HashMap<Route, Connection>,
    pub(crate) known: Metadata,
    coordinators: HashMap<String, i32>,
    /// Whether every broker that was met speaks version 0 of the requests that carry records.
    version_0: bool,
}

impl Cluster {
    /// Connects to the first of `bootstrap` that answers, once.
    pub(crate) fn connect(bootstrap: &[Endpoint], limit: &Limit) -> Result<Self, KafkaError> {
        let mut cluster = Self {
            bootstrap: bootstrap.to_vec(),
            connections: HashMap::new(),
            known: Metadata::default(),
            coordinators: HashMap::new(),
            version_0: true,
        };
        cluster.any(limit)?;
        Ok(cluster)
    }

    /// Asks and waits for the answer. One attempt; the answer's own error codes are the caller's.
    pub(crate) fn call<R: Request>(
        &mut self,
        to: To<'_>,
        request: &R,
        limit: &Limit,
    ) -> Result<R::Response, KafkaError> {
        let asked = self.ask(to, request, limit)?;
        self.answer(&asked, limit)
    }

    /// Asks without waiting. Several requests may be on their way to one broker; it answers them in order.
    pub(crate) fn ask<R: Request>(
        &mut self,
        to: To<'_>,
        request: &R,
        limit: &Limit,
    ) -> Result<Pending<R>, KafkaError> {
        let route = match to {
            To::Any => self.any(limit)?,
            To::Broker(id) => (self.broker(id, limit)?, 0),
            To::Connection(id) => (self.broker(id.broker, limit)?, id.number),
            To::Controller => match self.controller(limit)? {
                Some(id) => (self.broker(id, limit)?, 0),
                None => self.any(limit)?,
            },
            To::Coordinator(group) => {
                let id = self.coordinator(group, limit)?;
                (self.broker(id, limit)?, 0)
            }
        };
        let ticket = self.connection(&route, limit)?.send(request, limit)?;
        Ok(Pending { route, ticket })
    }

    /// Waits for the answer to what was asked.
    pub(crate) fn answer<R: Request>(
        &mut self,
        asked: &Pending<R>,
        limit: &Limit,
    ) -> Result<R::Response, KafkaError> {
        let Some(connection) = self.connections.get_mut(&asked.route) else {
            return Err(lost(&asked.route.0));
        };
        let answer = connection.finish(&asked.ticket, limit);
        if connection.is_broken() {
            self.connections.remove(&asked.route);
        }
        answer
    }

    /// Whether an answer, or the end of its connection, has arrived.
    pub(crate) fn is_answered<R>(&mut self, asked: &Pending<R>) -> bool {
        match self.connections.get_mut(&asked.route) {
            Some(connection) => connection.has_answer(&asked.ticket),
            None => true,
        }
    }

    /// Waits a moment, until one of these may have been answered.
    pub(crate) fn wait_for_any<R>(&self, asked: &[&Pending<R>], limit: &Limit) -> Result<(), Stop> {
        let connections = asked
            .iter()
            .filter_map(|asked| self.connections.get(&asked.route));
        let mut sockets: Vec<PollFd<'_>> = connections
            .map(|connection| PollFd::new(connection.stream(), PollFlags::IN))
            .collect();
        let patience = limit.remaining().min(REACTION);
        let patience = Timespec {
            tv_sec: 0,
            tv_nsec: patience.subsec_nanos().into(),
        };
        // a signal only makes the caller look sooner
        let _ = poll(&mut sockets, Some(&patience));
        limit.check(|| "no answer".to_owned())
    }

    /// Tries again whatever time may heal, until `limit`: a new leader, a broker that comes back, a group on the move.
    ///
    /// # Errors
    /// The first failure that time does not heal, or the last one seen when time was up.
    pub(crate) fn patiently<T>(
        &mut self,
        limit: &Limit,
        mut attempt: impl FnMut(&mut Self, &Limit) -> Result<T, KafkaError>,
    ) -> Result<T, KafkaError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match attempt(self, limit) {
                Err(error) if error.is_retriable() && !limit.remaining().is_zero() => {
                    self.forget();
                    limit.pause(pause)?;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                settled => return settled,
            }
        }
    }

    /// What was learnt about leaders, coordinators and the controller is asked for again when it is next needed.
    pub(crate) fn forget(&mut self) {
        self.known.topics.clear();
        self.known.controller = None;
        self.coordinators.clear();
        self.connections
            .retain(|_, connection| !connection.is_broken());
    }

    /// Whether every broker that was met speaks version 0 of the requests that carry records.
    pub(crate) fn speaks_version_0(&self) -> bool {
        self.version_0
    }

    /// The broker that is at hand, or the first that would be tried.
    pub(crate) fn address(&self) -> String {
        let open = self.connections.values().map(Connection::address).next();
        match (open, self.bootstrap.first()) {
            (Some(address), _) => address.to_owned(),
            (None, Some(first)) => first.to_string(),
            (None, None) => "(no address)".to_owned(),
        }
    }

    /// The advertised address of a broker, as far as it is known.
    pub(crate) fn address_of(&self, broker: i32) -> String {
        let endpoint = self.known.brokers.get(&broker);
        endpoint.map_or_else(|| format!("(broker {broker})"), ToString::to_string)
    }

    fn controller(&mut self, limit: &Limit) -> Result<Option<i32>, KafkaError> {
        if self.known.controller.is_none() {
            self.metadata(Some(&[]), limit)?;
        }
        Ok(self.known.controller)
    }

    fn coordinator(&mut self, group: &str, limit: &Limit) -> Result<i32, KafkaError> {
        if let Some(&id) = self.coordinators.get(group) {
            return Ok(id);
        }
        let key = StrBytes::from_string(group.to_owned());
        let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![key]);
        let answer: FindCoordinatorResponse = self.call(To::Any, &request, limit)?;
        let doing = || format!("name the coordinator of group `{}`", printable::name(group));
        let Some(found) = answer.coordinators.first() else {
            return Err(KafkaError::Garbled {
                address: self.address(),
                cause: format!("it does not {}", doing()),
            });
        };
        KafkaError::check_said(found.error_code, found.error_message.as_deref(), doing)?;
        let id = found.node_id.0;
        let endpoint = u16::try_from(found.port)
            .map(|port| Endpoint::new(found.host.to_string(), port))
            .map_err(|_| KafkaError::Garbled {
                address: self.address(),
                cause: format!("port {} of the coordinator", found.port),
            })?;
        self.known.brokers.insert(id, endpoint);
        self.coordinators.insert(group.to_owned(), id);
        Ok(id)
    }

    fn broker(&mut self, id: i32, limit: &Limit) -> Result<Endpoint, KafkaError> {
        if let Some(endpoint) = self.known.brokers.get(&id) {
            return Ok(endpoint.clone());
        }
        self.metadata(Some(&[]), limit)?;
        let endpoint = self.known.brokers.get(&id).cloned();
        endpoint.ok_or_else(|| KafkaError::Unreachable {
            addresses: Vec::new(),
            refused: false,
            cause: format!("broker {id} is not in the cluster at the moment"),
        })
    }

    fn connection(&mut self, route: &Route, limit: &Limit) -> Result<&mut Connection, KafkaError> {
        self.connections
            .retain(|_, connection| !connection.is_broken());
        if !self.connections.contains_key(route) {
            let opened = Connection::open(&route.0, limit)
                .map_err(|failure| unreachable(vec![(route.0.clone(), failure)]))?;
            self.keep(route, opened);
        }
        Ok(self
            .connections
            .get_mut(route)
            .expect("it was there or has been inserted"))
    }

    fn keep(&mut self, route: &Route, connection: Connection) {
        self.version_0 &= connection.speaks_version_0();
        self.connections.insert(route.clone(), connection);
    }

    /// A broker with an open connection; one is made where there is none.
    fn any(&mut self, limit: &Limit) -> Result<Route, KafkaError> {
        let open = self
            .connections
            .iter()
            .filter(|(_, connection)| !connection.is_broken())
            .min_by_key(|((_, number), _)| *number);
        if let Some((route, _)) = open {
            return Ok(route.clone());
        }
        // a broker that the cluster has named since may outlive all addresses that were given
        let mut candidates = self.bootstrap.clone();
        let learnt = self.known.brokers.values();
        candidates.extend(
            learnt
                .filter(|learnt| !self.bootstrap.contains(learnt))
                .cloned(),
        );
        let mut failures = Vec::new();
        for (tried, endpoint) in candidates.iter().enumerate() {
            let left = u32::try_from(candidates.len() - tried).unwrap_or(u32::MAX);
            let share = limit.at_most(limit.remaining() / left);
            match Connection::open(endpoint, &share) {
                Ok(connection) => {
                    let route = (endpoint.clone(), 0);
                    self.keep(&route, connection);
                    return Ok(route);
                }
                Err(failure) => failures.push((endpoint.clone(), failure)),
            }
            if limit.interrupt().is_raised() {
                break;
            }
        }
        Err(unreachable(failures))
    }
}

fn unreachable(failures: Vec<(Endpoint, ConnectError)>) -> KafkaError {
    if failures
        .iter()
        .any(|(_, failure)| matches!(failure, ConnectError::Interrupted))
    {
        return Stop::Interrupted.into();
    }
    let told: BTreeMap<&Endpoint, &ConnectError> = failures
        .iter()
        .map(|(endpoint, failure)| (endpoint, failure))
        .collect();
    let told: Vec<String> = told
        .iter()
        .map(|(endpoint, failure)| format!("{endpoint}: {failure}"))
        .collect();
    KafkaError::Unreachable {
        refused: failures.iter().all(|(_, failure)| failure.is_final()),
        cause: told.join("; "),
        addresses: failures.into_iter().map(|(endpoint, _)| endpoint).collect(),
    }
}

fn lost(endpoint: &Endpoint) -> KafkaError {
    KafkaError::Lost {
        address: endpoint.to_string(),
        cause: "it broke over another request".to_owned(),
    }
}

#[cfg(test)]
mod tests;
