//! A broker's client on a thread of its own, so that no broker can hold a caller past its deadline. Knows nothing of
//! what is asked.
//!
//! The crate connects without a deadline and reads with one of 120 s. A caller that gives up simply leaves the thread
//! behind: it ends with its socket. After any error the client is thrown away, because the crate keeps broken
//! connections in its pool and would read the answer to one request as that to another.

use super::error::KafkaError;
use super::metadata;
use crate::core::endpoint::Endpoint;
use crate::core::wait::{Limit, Stop};
use kafka::client::{GroupOffsetStorage, KafkaClient};
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

/// What brokers see in their logs and quotas.
const CLIENT_ID: &str = "kmk";

/// No attempt is given up sooner than this, as long as the caller's own limit allows.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(5);

/// How long a TCP connection may take to be made. While a container is restarted its packets are lost in silence; a
/// new attempt then gets through sooner than TCP's own, which come ever more slowly.
const CONNECT: Duration = Duration::from_secs(1);

/// How long a broker may take to greet a new client, as long as there are more attempts.
const GREET: Duration = Duration::from_secs(5);

type Answer<T> = Result<T, kafka::Error>;
type Job = Box<dyn FnOnce(&mut KafkaClient) + Send>;

/// A client of one cluster, connected when first needed and again after every error.
#[derive(Debug)]
pub(super) struct Connection {
    addresses: Vec<Endpoint>,
    /// Brokers that the cluster has named since: one of them may outlive all of `addresses`.
    learnt: Vec<Endpoint>,
    worker: Option<Worker>,
}

/// The thread that holds the crate's client; it ends when this is dropped and its last job is done.
#[derive(Debug)]
struct Worker {
    jobs: Sender<Job>,
    address: String,
}

/// A request on its way.
#[derive(Debug)]
pub(super) struct Pending<T> {
    answer: Receiver<Answer<T>>,
    doing: String,
    since: Instant,
}

impl Connection {
    /// Connects to the first of `bootstrap` that answers, once.
    pub(super) fn open(bootstrap: &[Endpoint], limit: &Limit) -> Result<Self, KafkaError> {
        let mut connection = Self {
            addresses: bootstrap.to_vec(),
            learnt: Vec::new(),
            worker: None,
        };
        connection.worker(limit)?;
        Ok(connection)
    }

    /// The broker this is connected to, or the first that would be tried.
    pub(super) fn address(&self) -> String {
        match (&self.worker, self.addresses.first()) {
            (Some(worker), _) => worker.address.clone(),
            (None, Some(first)) => first.to_string(),
            (None, None) => "(no address)".to_owned(),
        }
    }

    /// Runs `job` on the client and waits for its answer. `doing` finishes the sentence "refused to …".
    pub(super) fn call<T: Send + 'static>(
        &mut self,
        doing: &str,
        limit: &Limit,
        job: impl FnOnce(&mut KafkaClient) -> Answer<T> + Send + 'static,
    ) -> Result<T, KafkaError> {
        let pending = self.start(doing, limit, job)?;
        self.finish(&pending, limit)
    }

    /// Runs `job` on the client without waiting; a connection is made first if there is none.
    pub(super) fn start<T: Send + 'static>(
        &mut self,
        doing: &str,
        limit: &Limit,
        job: impl FnOnce(&mut KafkaClient) -> Answer<T> + Send + 'static,
    ) -> Result<Pending<T>, KafkaError> {
        let (sender, answer) = mpsc::sync_channel(1);
        let run = Box::new(move |client: &mut KafkaClient| {
            // whoever asked may have given up since
            let _ = sender.send(job(client));
        });
        // should the thread have died, the answer's channel is closed, and `finish` says so
        let _ = self.worker(limit)?.jobs.send(run);
        Ok(Pending {
            answer,
            doing: doing.to_owned(),
            since: Instant::now(),
        })
    }

    /// Waits for the answer to a request that was started.
    pub(super) fn finish<T>(
        &mut self,
        pending: &Pending<T>,
        limit: &Limit,
    ) -> Result<T, KafkaError> {
        let address = self.address();
        let error = match attempt(limit).receive(&pending.answer) {
            Ok(Some(Ok(value))) => return Ok(value),
            // what was asked goes on behind; the next request waits its turn
            Err(Stop::Interrupted) => return Err(Stop::Interrupted.into()),
            Ok(Some(Err(error))) => KafkaError::of(&error, &address, &pending.doing),
            Ok(None) => KafkaError::Garbled {
                address,
                cause: "the client came to grief over it".to_owned(),
            },
            Err(Stop::Deadline { .. }) => KafkaError::Silent {
                address,
                waited: pending.since.elapsed(),
            },
        };
        self.forget();
        Err(error)
    }

    /// Throws the client away: the next request connects anew and learns who leads what.
    pub(super) fn forget(&mut self) {
        self.worker = None;
    }

    fn worker(&mut self, limit: &Limit) -> Result<&Worker, KafkaError> {
        let worker = match self.worker.take() {
            Some(worker) => worker,
            None => self.connect(limit)?,
        };
        Ok(self.worker.insert(worker))
    }

    fn connect(&mut self, limit: &Limit) -> Result<Worker, KafkaError> {
        let more = self
            .learnt
            .iter()
            .filter(|learnt| !self.addresses.contains(learnt));
        let addresses: Vec<Endpoint> = self.addresses.iter().chain(more).cloned().collect();
        let mut failures = Vec::new();
        for (tried, address) in addresses.iter().enumerate() {
            let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            let share = limit.at_most((limit.remaining() / left).min(GREET));
            match Worker::start(address, &share) {
                Ok((worker, learnt)) => {
                    self.learnt = learnt;
                    return Ok(worker);
                }
                Err(Failure::Interrupted) => return Err(Stop::Interrupted.into()),
                Err(failure) => failures.push(failure),
            }
        }
        let told = addresses.iter().zip(&failures);
        let told: Vec<String> = told
            .map(|(address, failure)| format!("{address}: {failure}"))
            .collect();
        Err(KafkaError::Unreachable {
            refused: failures.iter().all(Failure::is_final),
            cause: told.join("; "),
            addresses,
        })
    }
}

/// One attempt may take half of what is left: a broker that has gone silent for good leaves time to find out.
fn attempt(limit: &Limit) -> Limit {
    limit.at_most((limit.remaining() / 2).max(SHORTEST_ATTEMPT))
}

/// Why one address led to no broker.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    NoSuchHost(io::Error),
    #[error("{0}")]
    Connect(io::Error),
    #[error("it accepts connections, but is no Kafka broker or not ready yet ({0})")]
    Greeting(String),
    #[error("no answer within {}", humantime::format_duration(*.0))]
    Silent(Duration),
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// Whether waiting is pointless: nothing listens there, or the name stands for no host.
    fn is_final(&self) -> bool {
        match self {
            Self::NoSuchHost(_) => true,
            Self::Connect(error) => error.kind() == io::ErrorKind::ConnectionRefused,
            _ => false,
        }
    }
}

impl Worker {
    /// Starts the thread and waits until it has a client that knows the cluster; its brokers come with it.
    fn start(address: &Endpoint, limit: &Limit) -> Result<(Self, Vec<Endpoint>), Failure> {
        let (jobs, to_do) = mpsc::channel::<Job>();
        let (ready, greeted) = mpsc::sync_channel(1);
        let endpoint = address.clone();
        let patience = limit.remaining().min(CONNECT);
        std::thread::Builder::new()
            .name("kmk-kafka".to_owned())
            .spawn(move || match greet(&endpoint, patience) {
                Ok(mut client) => {
                    let _ = ready.send(Ok(metadata::brokers(&client)));
                    for job in to_do {
                        job(&mut client);
                    }
                }
                Err(failure) => {
                    let _ = ready.send(Err(failure));
                }
            })
            .map_err(Failure::Connect)?;
        match limit.receive(&greeted) {
            Ok(Some(Ok(learnt))) => {
                let address = address.to_string();
                Ok((Self { jobs, address }, learnt))
            }
            Ok(Some(Err(failure))) => Err(failure),
            Ok(None) => Err(Failure::Greeting("its answer makes no sense".to_owned())),
            Err(Stop::Interrupted) => Err(Failure::Interrupted),
            Err(Stop::Deadline { .. }) => Err(Failure::Silent(limit.allowed())),
        }
    }
}

/// A client that has read the cluster's metadata from this address.
fn greet(address: &Endpoint, patience: Duration) -> Result<KafkaClient, Failure> {
    probe(address, patience)?;
    let mut client = KafkaClient::new(vec![address.to_string()]);
    client.set_client_id(CLIENT_ID.to_owned());
    client.set_group_offset_storage(Some(GroupOffsetStorage::Kafka));
    // with its default the crate spins without a pause once its attempts are used up; the caller's limit is ours
    client.set_retry_max_attempts(u32::MAX);
    client.set_fetch_min_bytes(1);
    client
        .load_metadata_all()
        .map_err(|error| Failure::Greeting(error.to_string()))?;
    Ok(client)
}

/// Opens and closes a TCP connection: the crate would wait without end for an address that swallows packets.
fn probe(address: &Endpoint, patience: Duration) -> Result<(), Failure> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for socket in (address.host.as_str(), address.port)
        .to_socket_addrs()
        .map_err(Failure::NoSuchHost)?
    {
        match TcpStream::connect_timeout(&socket, patience) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(Failure::Connect(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::wait::Interrupt;
    use std::net::TcpListener;

    fn connect_to(port: u16, patience: Duration) -> KafkaError {
        let addresses = [Endpoint::new("127.0.0.1", port)];
        Connection::open(&addresses, &Limit::new(patience, &Interrupt::default())).unwrap_err()
    }

    #[test]
    fn a_port_where_nobody_listens_is_refused_at_once_and_named() {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let since = Instant::now();
        let error = connect_to(port, Duration::from_secs(30));
        assert!(since.elapsed() < Duration::from_secs(5));
        assert!(
            matches!(error, KafkaError::Unreachable { refused: true, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(&port.to_string()));
    }

    #[test]
    fn a_listener_that_says_nothing_cannot_hold_the_caller() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let since = Instant::now();
        let error = connect_to(
            listener.local_addr().unwrap().port(),
            Duration::from_millis(200),
        );
        assert!(since.elapsed() < Duration::from_secs(2));
        assert!(
            matches!(error, KafkaError::Unreachable { refused: false, .. }),
            "{error:?}"
        );
    }

    #[test]
    fn a_listener_that_hangs_up_may_become_a_broker() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                drop(stream);
            }
        });
        let error = connect_to(port, Duration::from_secs(5));
        assert!(
            matches!(error, KafkaError::Unreachable { refused: false, .. }),
            "{error:?}"
        );
    }
}
