//! Message sets of format 0, as the `kafka` crate writes and reads them.
//!
//! The crate has no door but its client, so that one talks over the loopback device to a broker that does nothing: it
//! takes what is produced, and gives it back to whoever fetches.

use crate::payload;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use kafka::client::{Compression, FetchPartition, KafkaClient, ProduceMessage, RequiredAcks};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

const TOPIC: &str = "bench";

/// Records to a request.
#[divan::bench(consts = [100, 1_000], args = Codec::ALL)]
fn produce<const SIZE: usize>(bencher: Bencher<'_, '_>, codec: Codec) {
    let values = payload::full(SIZE);
    let mut client = client(codec);
    bencher
        .counter(ItemsCount::new(values.len()))
        .counter(BytesCount::new(payload::bytes(&values)))
        .bench_local(|| send(&mut client, &values));
}

/// An answer to records. Not of snappy: the crate writes it without the frame that it wants to read, which real brokers
/// put around it.
#[divan::bench(consts = [100, 1_000], args = [Codec::None, Codec::Gzip])]
fn fetch<const SIZE: usize>(bencher: Bencher<'_, '_>, codec: Codec) {
    let values = payload::full(SIZE);
    let mut client = client(codec);
    send(&mut client, &values);
    assert_eq!(receive(&mut client), values.len());
    bencher
        .counter(ItemsCount::new(values.len()))
        .counter(BytesCount::new(payload::bytes(&values)))
        .bench_local(|| receive(&mut client));
}

/// What the crate compresses with.
#[derive(Debug, Clone, Copy)]
enum Codec {
    None,
    Gzip,
    Snappy,
}

impl Codec {
    const ALL: [Self; 3] = [Self::None, Self::Gzip, Self::Snappy];
}

fn client(codec: Codec) -> KafkaClient {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a port of its own");
    // it ends with its client
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        // the client has gone, or there is an answer missing and the bench says so
        let _ = Broker::new(stream, address.port()).serve();
    });
    let mut client = KafkaClient::new(vec![address.to_string()]);
    client.set_client_id("bench".to_owned());
    client.set_compression(match codec {
        Codec::None => Compression::NONE,
        Codec::Gzip => Compression::GZIP,
        Codec::Snappy => Compression::SNAPPY,
    });
    client.load_metadata_all().expect("metadata");
    client
}

fn send(client: &mut KafkaClient, values: &[Vec<u8>]) {
    let messages = values
        .iter()
        .map(|value| ProduceMessage::new(TOPIC, 0, None, Some(value)));
    let confirms = client.produce_messages(RequiredAcks::All, Duration::from_secs(10), messages);
    let confirms = confirms.expect("an answer");
    assert_eq!(confirms[0].partition_confirms[0].offset, Ok(0));
}

/// How many records are there.
fn receive(client: &mut KafkaClient) -> usize {
    let answers = client.fetch_messages([FetchPartition::new(TOPIC, 0, 0)]);
    let answers = answers.expect("an answer");
    let partition = &answers[0].topics()[0].partitions()[0];
    let messages = partition.data().expect("no error").messages();
    messages
        .iter()
        .filter(|m| !black_box(m).value.is_empty())
        .count()
}

/// A broker with one topic of one partition.
struct Broker {
    stream: TcpStream,
    port: u16,
    /// The last message set that was produced, its length before it.
    set: Vec<u8>,
}

impl Broker {
    fn new(stream: TcpStream, port: u16) -> Self {
        Self {
            stream,
            port,
            set: 0_i32.to_be_bytes().to_vec(),
        }
    }

    /// Answers until the client is gone.
    fn serve(mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        let mut request = Vec::new();
        loop {
            let mut length = [0; 4];
            self.stream.read_exact(&mut length)?;
            let length = u32::from_be_bytes(length) as usize;
            request.resize(length, 0);
            self.stream.read_exact(&mut request)?;
            let answer = self.answer(&request);
            let length = u32::try_from(answer.len()).map_err(io::Error::other)?;
            self.stream.write_all(&length.to_be_bytes())?;
            self.stream.write_all(&answer)?;
        }
    }

    /// Key, version, number and the client's name stand before what is asked.
    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let mut answer = request[4..8].to_vec();
        let number = |number: i32, to: &mut Vec<u8>| to.extend(number.to_be_bytes());
        match request[1] {
            0 => {
                let topic = 2 + 4 + 4 + (2 + TOPIC.len()) + 4 + 4;
                let body = request[10 + "bench".len()..].split_at(topic).1;
                self.set.clear();
                self.set.extend_from_slice(body);
                partition(&mut answer);
                answer.extend(0_i64.to_be_bytes());
            }
            1 => {
                partition(&mut answer);
                answer.extend(1_000_000_i64.to_be_bytes());
                answer.extend_from_slice(&self.set);
            }
            _ => {
                // one broker, number 0
                number(1, &mut answer);
                number(0, &mut answer);
                text("127.0.0.1", &mut answer);
                number(self.port.into(), &mut answer);
                // one topic without an error, and one partition, which it leads: nothing is copied
                number(1, &mut answer);
                answer.extend([0, 0]);
                text(TOPIC, &mut answer);
                number(1, &mut answer);
                answer.extend([0, 0]);
                for field in [0; 4] {
                    number(field, &mut answer);
                }
            }
        }
        answer
    }
}

/// One topic, one partition, no error.
fn partition(answer: &mut Vec<u8>) {
    answer.extend(1_i32.to_be_bytes());
    text(TOPIC, answer);
    answer.extend(1_i32.to_be_bytes());
    answer.extend(0_i32.to_be_bytes());
    answer.extend([0, 0]);
}

fn text(text: &str, to: &mut Vec<u8>) {
    to.extend(u16::try_from(text.len()).unwrap_or_default().to_be_bytes());
    to.extend_from_slice(text.as_bytes());
}
