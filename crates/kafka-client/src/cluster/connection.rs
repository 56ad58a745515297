//! One connection to one broker: requests go out one behind the other, answers come back in the same order. No broker
//! holds a caller past its limit.

use crate::client_id::client_id;
use crate::cluster::connect_error::ConnectError;
use crate::cluster::dial::dial;
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::protocol::api::{Mismatch, Versions, version_of_versions};
use crate::protocol::bounds;
use crate::protocol::frame::{self, Incoming};
use crate::wait::{Limit, Stop};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse, RequestHeader};
use kafka_protocol::protocol::{Decodable, Encodable as _, Request, StrBytes};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Write as _};
use std::marker::PhantomData;
use std::net::TcpStream;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// The version in which a broker is asked which versions it speaks.
const GREETING: i16 = 3;

/// The memory of larger requests is given back, in bytes.
const WORTH_KEEPING: usize = 16 * 1024 * 1024;

/// The correlation id of the next request.
static NEXT: AtomicI32 = AtomicI32::new(1);

/// How soon an interruption is noticed while a socket is waited for.
const REACTION: Duration = Duration::from_millis(25);

/// How long a broker may take to greet a new client, as long as there are more attempts.
const GREET: Duration = Duration::from_secs(5);

/// An attempt is given up after half of what is left, yet not sooner than this: a broker that stays silent
/// leaves time to find out.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(5);

/// A connection to a broker whose versions are known.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    address: String,
    versions: Versions,
    /// Requests that are not answered yet, in order.
    waiting: VecDeque<i32>,
    /// Memory of the last request, for the next.
    outgoing: BytesMut,
    incoming: Incoming,
    /// Answers that came while another was waited for.
    arrived: HashMap<i32, Bytes>,
    /// Bytes of all answers so far.
    received: u64,
    is_broken: bool,
}

/// A request on its way.
#[derive(Debug)]
pub(super) struct Ticket<R> {
    id: i32,
    version: i16,
    since: Instant,
    request: PhantomData<R>,
}

impl Connection {
    /// Connects, and asks the broker which versions it speaks.
    pub(super) fn open(endpoint: &Endpoint, limit: &Limit) -> Result<Self, ConnectError> {
        let limit = limit.at_most(GREET);
        let stream = dial(endpoint, &limit)?;
        stream
            .set_read_timeout(Some(REACTION))
            .and_then(|()| stream.set_write_timeout(Some(REACTION)))
            .map_err(ConnectError::Connect)?;
        let mut connection = Self {
            stream,
            address: endpoint.to_string(),
            versions: Versions::default(),
            waiting: VecDeque::new(),
            outgoing: BytesMut::new(),
            incoming: Incoming::default(),
            arrived: HashMap::new(),
            received: 0,
            is_broken: false,
        };
        connection.greet(&limit).map_err(|error| match error {
            KafkaError::Stopped(Stop::Interrupted) => ConnectError::Interrupted,
            KafkaError::Silent { waited, .. } => ConnectError::Silent(waited),
            KafkaError::Lost { cause, .. } | KafkaError::Garbled { cause, .. } => {
                ConnectError::Greeting(cause)
            }
            other => ConnectError::Greeting(other.to_string()),
        })?;
        Ok(connection)
    }

    fn greet(&mut self, limit: &Limit) -> Result<(), KafkaError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str(env!("CARGO_PKG_NAME")))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let ticket = self.send_version(&request, GREETING, limit)?;
        let frame = self.receive(ticket.id, ticket.since, limit)?;
        // the header of this one answer has no tags in any version
        let version = version_of_versions(GREETING, frame.get(4..).unwrap_or_default());
        let answer: ApiVersionsResponse = self.decode(ApiKey::ApiVersions, version, frame)?;
        self.versions = Versions::of(&answer);
        Ok(())
    }

    /// The broker this is connected to.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Bytes of all answers so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// As if something had gone wrong.
    #[cfg(test)]
    pub(super) fn break_off(&mut self) {
        self.is_broken = true;
    }

    /// Whether it can no longer be used.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether the broker speaks version 0 of the requests that carry records.
    pub(super) fn speaks_version_0(&self) -> bool {
        [ApiKey::Produce, ApiKey::Fetch, ApiKey::ListOffsets]
            .iter()
            .all(|&api| self.versions.least(api) == Some(0))
    }

    /// The version in which a request would go out.
    pub(super) fn version(&self, api: ApiKey) -> Result<i16, KafkaError> {
        self.versions
            .pick(api)
            .map_err(|mismatch: Mismatch| KafkaError::Version {
                address: self.address.clone(),
                mismatch: mismatch.to_string(),
            })
    }

    /// Sends a request without waiting for the answer.
    pub(super) fn send<R: Request>(
        &mut self,
        request: &R,
        limit: &Limit,
    ) -> Result<Ticket<R>, KafkaError> {
        let version = self.version(api_of::<R>()?)?;
        self.send_version(request, version, limit)
    }

    fn send_version<R: Request>(
        &mut self,
        request: &R,
        version: i16,
        limit: &Limit,
    ) -> Result<Ticket<R>, KafkaError> {
        let ticket = Self::ticket(version);
        let mut frame = std::mem::take(&mut self.outgoing);
        frame.clear();
        encode(request, version, ticket.id, &mut frame).map_err(|cause| KafkaError::Garbled {
            address: self.address.clone(),
            cause: format!("the request cannot be written: {cause}"),
        })?;
        let written = self.write(&frame, ticket.since, limit);
        if frame.capacity() <= WORTH_KEEPING {
            self.outgoing = frame;
        }
        written?;
        self.waiting.push_back(ticket.id);
        Ok(ticket)
    }

    fn ticket<R>(version: i16) -> Ticket<R> {
        Ticket {
            // no two connections share a number: an answer over a new one is never taken for one over the old
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            version,
            since: Instant::now(),
            request: PhantomData,
        }
    }

    /// Waits for the answer to a request.
    ///
    /// # Errors
    /// After any error but an interruption the connection is broken: the answer may come when another is waited for.
    pub(super) fn finish<R: Request>(
        &mut self,
        ticket: &Ticket<R>,
        limit: &Limit,
    ) -> Result<R::Response, KafkaError> {
        let frame = self.receive(ticket.id, ticket.since, limit)?;
        self.decode(api_of::<R>()?, ticket.version, frame)
    }

    /// Whether the answer has come, as far as that can be said without waiting.
    pub(super) fn has_answer<R>(&mut self, ticket: &Ticket<R>) -> bool {
        if self.arrived.contains_key(&ticket.id) {
            return true;
        }
        if self.stream.set_nonblocking(true).is_err() {
            return true;
        }
        while let Ok(true) = self.take_in() {
            if self.arrived.contains_key(&ticket.id) {
                break;
            }
        }
        let blocking = self.stream.set_nonblocking(false);
        // a broken connection, or one that took the place of the one that was asked, answers at once: with its error
        blocking.is_err()
            || self.is_broken
            || self.arrived.contains_key(&ticket.id)
            || !self.waiting.contains(&ticket.id)
    }

    /// For waiting until one of several connections has something to say.
    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn receive(&mut self, id: i32, since: Instant, limit: &Limit) -> Result<Bytes, KafkaError> {
        let attempt = limit.at_most((limit.remaining() / 2).max(SHORTEST_ATTEMPT));
        loop {
            if let Some(frame) = self.arrived.remove(&id) {
                return Ok(frame);
            }
            if !self.waiting.contains(&id) {
                // it was asked over a connection that has broken since; this one is sound
                return Err(KafkaError::Lost {
                    address: self.address.clone(),
                    cause: "it broke before the answer came".to_owned(),
                });
            }
            if self.take_in()? {
                continue;
            }
            self.check(&attempt, since)?;
        }
    }

    /// Reads on; files an answer that is complete. False when nothing more is there yet.
    fn take_in(&mut self) -> Result<bool, KafkaError> {
        let frame = match self.incoming.read(&mut self.stream) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(false),
            Err(error) => return Err(self.failed(&error)),
        };
        // its length stands before it
        self.received += frame.len() as u64 + 4;
        let id = frame.first_chunk().map(|bytes| i32::from_be_bytes(*bytes));
        match self.waiting.pop_front() {
            Some(expected) if id == Some(expected) => {
                self.arrived.insert(expected, frame);
                Ok(true)
            }
            _ => Err(self.garbled("it answers what was not asked".to_owned())),
        }
    }

    fn decode<M: Decodable>(
        &mut self,
        api: ApiKey,
        version: i16,
        mut frame: Bytes,
    ) -> Result<M, KafkaError> {
        let decoded = bounds::header(api, version, &frame)
            .and_then(|header| {
                frame.advance(header);
                bounds::check(api, version, &frame)
            })
            .map_err(|error| error.to_string())
            .and_then(|()| M::decode(&mut frame, version).map_err(|error| error.to_string()));
        decoded
            .map_err(|cause| self.garbled(format!("{api:?} version {version}: {}", cause.trim())))
    }

    fn write(&mut self, mut bytes: &[u8], since: Instant, limit: &Limit) -> Result<(), KafkaError> {
        let attempt = limit.at_most((limit.remaining() / 2).max(SHORTEST_ATTEMPT));
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(0) => return Err(self.failed(&io::ErrorKind::WriteZero.into())),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if frame::is_wait(&error) => {
                    // half a request cannot be taken back
                    self.check(&attempt, since)
                        .inspect_err(|_| self.is_broken = true)?;
                }
                Err(error) => return Err(self.failed(&error)),
            }
        }
        Ok(())
    }

    fn check(&mut self, attempt: &Limit, since: Instant) -> Result<(), KafkaError> {
        match attempt.check(String::new) {
            Ok(()) => Ok(()),
            Err(Stop::Interrupted) => Err(Stop::Interrupted.into()),
            Err(Stop::Deadline { .. }) => {
                self.is_broken = true;
                Err(KafkaError::Silent {
                    address: self.address.clone(),
                    waited: since.elapsed(),
                })
            }
        }
    }

    fn failed(&mut self, error: &io::Error) -> KafkaError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.lost("the broker closed it".to_owned()),
            io::ErrorKind::InvalidData => self.garbled(error.to_string()),
            _ => self.lost(error.to_string()),
        }
    }

    fn lost(&mut self, cause: String) -> KafkaError {
        self.is_broken = true;
        KafkaError::Lost {
            address: self.address.clone(),
            cause,
        }
    }

    fn garbled(&mut self, cause: String) -> KafkaError {
        self.is_broken = true;
        KafkaError::Garbled {
            address: self.address.clone(),
            cause,
        }
    }
}

fn api_of<R: Request>() -> Result<ApiKey, KafkaError> {
    ApiKey::try_from(R::KEY).map_err(|()| KafkaError::Garbled {
        address: String::new(),
        cause: format!("there is no request {}", R::KEY),
    })
}

/// The whole frame of a request.
fn encode<R: Request>(
    request: &R,
    version: i16,
    id: i32,
    frame: &mut BytesMut,
) -> Result<(), String> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(id)
        .with_client_id(Some(StrBytes::from_static_str(client_id())));
    let header_version = R::header_version(version);
    let mut encoded = || {
        let length = header.compute_size(header_version)? + request.compute_size(version)?;
        frame.reserve(4 + length);
        frame.put_i32(i32::try_from(length)?);
        header.encode(frame, header_version)?;
        request.encode(frame, version)?;
        Ok(())
    };
    encoded().map_err(|error: Box<dyn std::error::Error>| error.to_string())
}

#[cfg(test)]
mod tests;
