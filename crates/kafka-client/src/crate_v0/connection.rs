//! A broker's client on a thread of its own, so that no broker can hold a caller past its deadline.
//!
//! The crate connects without a deadline and reads with one of 120 s. A caller that gives up simply leaves the thread
//! behind: it ends with its socket. After any error the client is thrown away, because the crate keeps broken
//! connections in its pool and would read the answer to one request as that to another.

use super::error_of;
use super::worker::Worker;
use crate::cluster::connect_error::ConnectError;
use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::wait::{Limit, Stop};
use kafka::client::KafkaClient;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// No attempt is given up sooner than this, as long as the caller's own limit allows.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(5);

/// How long a broker may take to greet a new client, as long as there are more attempts.
const GREET: Duration = Duration::from_secs(5);

/// And no less, even when time is up: a port where nobody listens says so at once, and that is worth knowing.
const SHORTEST_GREETING: Duration = Duration::from_millis(100);

type Answer<T> = Result<T, kafka::Error>;

/// A client of one cluster, connected when first needed and again after every error.
#[derive(Debug)]
pub(super) struct Connection {
    addresses: Vec<Endpoint>,
    /// Brokers that the cluster has named since: one of them may outlive all of `addresses`.
    learnt: Vec<Endpoint>,
    worker: Option<Worker>,
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
            // the caller may have given up since
            let _ = sender.send(job(client));
        });
        self.worker(limit)?.give(run);
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
            Ok(Some(Err(error))) => error_of(&error, &address, &pending.doing),
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

    /// Throws the client away: the next request reconnects and refreshes the metadata.
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
            let share = (limit.remaining() / left).clamp(SHORTEST_GREETING, GREET);
            let share = Limit::new(share, limit.interrupt());
            match Worker::start(address, &share) {
                Ok((worker, learnt)) => {
                    self.learnt = learnt;
                    return Ok(worker);
                }
                Err(ConnectError::Interrupted) => return Err(Stop::Interrupted.into()),
                Err(failure) => failures.push(failure),
            }
        }
        let told = addresses.iter().zip(&failures);
        let told: Vec<String> = told
            .map(|(address, failure)| format!("{address}: {failure}"))
            .collect();
        Err(KafkaError::Unreachable {
            refused: failures.iter().all(ConnectError::is_final),
            cause: told.join("; "),
            addresses,
        })
    }
}

/// One attempt may take half of what is left, so that a broker that stays silent leaves time to find out.
fn attempt(limit: &Limit) -> Limit {
    limit.at_most((limit.remaining() / 2).max(SHORTEST_ATTEMPT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::Interrupt;
    use std::io::{Read as _, Write as _};
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
        // what waits for its limit does not end
        let error = connect_to(port, Duration::MAX);
        assert!(
            matches!(error, KafkaError::Unreachable { refused: true, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(&port.to_string()));
    }

    #[test]
    fn a_listener_that_says_nothing_cannot_hold_the_caller() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = connect_to(
            listener.local_addr().unwrap().port(),
            Duration::from_millis(200),
        );
        assert!(
            matches!(error, KafkaError::Unreachable { refused: false, .. }),
            "{error:?}"
        );
        // by the caller's limit, not by the client's own
        let told = error.to_string();
        assert!(told.contains("no answer within"), "{told}");
    }

    #[test]
    fn an_answer_that_announces_too_much_is_not_taken() {
        for length in [i32::MAX, -1, 161 * 1024 * 1024] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let mut stream = stream.unwrap();
                    let _ = stream.write_all(&length.to_be_bytes());
                    // a caller that sets that much aside gets it, and fills it
                    let _ = std::io::copy(&mut std::io::repeat(0).take(1 << 31), &mut stream);
                }
            });
            let error = connect_to(port, Duration::from_secs(10));
            let told = error.to_string();
            let announced = format!("it announces an answer of {length} bytes");
            assert!(told.contains(&announced), "{told}");
        }
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
