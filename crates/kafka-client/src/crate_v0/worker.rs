//! The thread that holds the crate's client, and how it gets one.

use super::metadata;
use crate::client_id::client_id;
use crate::cluster::connect_error::ConnectError;
use crate::endpoint::Endpoint;
use crate::wait::{Limit, Stop};
use kafka::client::KafkaClient;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

/// How long opening a TCP connection may take. While a container restarts, its packets are silently dropped; a
/// new attempt then gets through sooner than TCP's own, which come ever more slowly.
const CONNECT: Duration = Duration::from_secs(1);

/// How long an answer may take to begin.
const ANSWER: Duration = Duration::from_secs(30);

/// The largest answer taken, in bytes: as the wire client has it.
const LARGEST: i32 = 160 * 1024 * 1024;

/// Something to do with the client.
pub(super) type Job = Box<dyn FnOnce(&mut KafkaClient) + Send>;

/// The thread that holds the crate's client; it ends when this is dropped and its last job is done.
#[derive(Debug)]
pub(super) struct Worker {
    jobs: Sender<Job>,
    pub(super) address: String,
}

impl Worker {
    /// Hands `job` to the thread. Should the thread have died, nothing happens, and the one that waits for the answer finds
    /// its channel closed.
    pub(super) fn give(&self, job: Job) {
        let _ = self.jobs.send(job);
    }

    /// Starts the thread and waits until it has a client that knows the cluster; its brokers come with it.
    pub(super) fn start(
        address: &Endpoint,
        limit: &Limit,
    ) -> Result<(Self, Vec<Endpoint>), ConnectError> {
        let (jobs, to_do) = mpsc::channel::<Job>();
        let (ready, greeted) = mpsc::sync_channel(1);
        let endpoint = address.clone();
        let patience = limit.remaining().min(CONNECT);
        std::thread::Builder::new()
            .name("kafka-crate".to_owned())
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
            .map_err(ConnectError::Connect)?;
        match limit.receive(&greeted) {
            Ok(Some(Ok(learnt))) => {
                let address = address.to_string();
                Ok((Self { jobs, address }, learnt))
            }
            Ok(Some(Err(failure))) => Err(failure),
            Ok(None) => Err(ConnectError::Greeting(
                "its answer makes no sense".to_owned(),
            )),
            Err(Stop::Interrupted) => Err(ConnectError::Interrupted),
            Err(Stop::Deadline { .. }) => Err(ConnectError::Silent(limit.allowed())),
        }
    }
}

/// A client that has read the cluster's metadata from this address.
fn greet(address: &Endpoint, patience: Duration) -> Result<KafkaClient, ConnectError> {
    probe(address, patience)?;
    let mut client = KafkaClient::new(vec![address.to_string()]);
    client.set_client_id(client_id().to_owned());
    // with its default the crate spins without a pause once its attempts are used up; the caller's limit is ours
    client.set_retry_max_attempts(u32::MAX);
    client.set_fetch_min_bytes(1);
    client
        .load_metadata_all()
        .map_err(|error| ConnectError::Greeting(error.to_string()))?;
    Ok(client)
}

/// Asks for what the crate asks for first, and looks how long the answer says it is: the crate sets aside whatever is announced, up
/// to 2 GiB, and would wait without end for an address that swallows packets.
fn probe(address: &Endpoint, patience: Duration) -> Result<(), ConnectError> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for socket in (address.host.as_str(), address.port)
        .to_socket_addrs()
        .map_err(ConnectError::NoSuchHost)?
    {
        match TcpStream::connect_timeout(&socket, patience) {
            Ok(stream) => {
                let announced = announced(stream);
                let length =
                    announced.map_err(|error| ConnectError::Greeting(error.to_string()))?;
                return match length {
                    0..=LARGEST => Ok(()),
                    _ => Err(ConnectError::Greeting(format!(
                        "it announces an answer of {length} bytes"
                    ))),
                };
            }
            Err(error) => last = error,
        }
    }
    Err(ConnectError::Connect(last))
}

/// The length of the answer to a question for all topics, which is not read.
fn announced(mut stream: TcpStream) -> io::Result<i32> {
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    stream.write_all(&all_topics(client_id()))?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    Ok(i32::from_be_bytes(length))
}

/// Metadata, version 0: its length, 3, 0, a number to know the answer by, the client's name, no topic named.
fn all_topics(client_id: &str) -> Vec<u8> {
    let name = u8::try_from(client_id.len()).unwrap_or(0);
    let name = [&[0, name], &client_id.as_bytes()[..name.into()]].concat();
    let request = [&b"\0\x03\0\0\0\0\0\0"[..], &name, &[0; 4]].concat();
    let length = u32::try_from(request.len()).unwrap_or(0);
    [&length.to_be_bytes()[..], &request].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_for_all_topics_is_what_the_protocol_has() {
        let asked = b"\0\0\0\x11\0\x03\0\0\0\0\0\0\0\x03abc\0\0\0\0";
        assert_eq!(all_topics("abc"), asked);
    }
}
