//! The client of the `kafka` crate, which no other module may name: version 0 of the protocol, as Kafka speaks it up to
//! 3.9 (KIP-896). Moves plain records, and nothing else.
//!
//! Nothing here holds its caller past a [`Limit`](crate::wait::Limit): every request runs on a thread of its own (see
//! `connection`), because the crate itself may block for two minutes.

mod connection;
mod cursor;
mod fetch;
mod fetched;
mod metadata;
mod producer;
mod reader;
mod worker;
mod write;

pub(super) use fetched::Fetched;
pub(super) use producer::Producer;
pub(super) use reader::Reader;

use super::code::Code;
use super::error::KafkaError;
use kafka::error::{Error, KafkaCode};
use std::io;

/// What the crate reported, in our words. `address` is the broker that was asked to do `doing`.
fn error_of(error: &Error, address: &str, doing: &str) -> KafkaError {
    let lost = |cause: String| KafkaError::Lost {
        address: address.to_owned(),
        cause,
    };
    match error {
        Error::ArcSelf(inner) => error_of(inner, address, doing),
        Error::Kafka(code)
        | Error::TopicPartitionError {
            error_code: code, ..
        } => refused(*code, doing.to_owned()),
        Error::Io(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            lost("the broker closed it".to_owned())
        }
        Error::Io(cause) => lost(cause.to_string()),
        Error::NoHostReachable => lost("it cannot be connected to any more".to_owned()),
        // in half a message: the connection was cut, or never was Kafka's
        other => KafkaError::Garbled {
            address: address.to_owned(),
            cause: other.to_string(),
        },
    }
}

fn refused(code: KafkaCode, doing: String) -> KafkaError {
    let unknown = Code(kafka_protocol::error::ResponseError::UnknownServerError);
    KafkaError::Refused {
        doing,
        code: Code::of(code as i16).unwrap_or(unknown),
        said: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_connection_may_heal_and_may_have_written() {
        let broken = Error::Io(io::ErrorKind::UnexpectedEof.into());
        let error = error_of(&broken, "localhost:19092", "write");
        assert!(error.is_retriable() && error.leaves_a_write_in_doubt());
        assert!(error.to_string().contains("localhost:19092"));
    }

    #[test]
    fn a_refusal_keeps_its_code() {
        let refused = Error::Kafka(KafkaCode::TopicAuthorizationFailed);
        let error = error_of(&refused, "a:1", "write to topic `x`");
        assert_eq!(error.code().map(Code::number), Some(29));
    }
}
