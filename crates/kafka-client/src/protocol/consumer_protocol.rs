//! What members of a group tell each other through the coordinator: what they subscribe to, and what they are given.
//!
//! A version and then a message of that version. We write version 0 of both, which says all that we have to say and
//! which every client reads. Newer ones begin like it; what they add (partitions owned, generation, rack) is for ways
//! of sharing out that we do not offer. Bytes from other members are read by hand: kafka-protocol reserves memory by
//! the counts in them.

use crate::cluster::metadata::topic_name;
use bytes::{BufMut as _, Bytes, BytesMut};
use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition;
use kafka_protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use kafka_protocol::protocol::{Encodable, StrBytes};
use std::collections::{BTreeMap, BTreeSet};

/// Partitions by topic.
pub(crate) type Share = BTreeMap<String, Vec<i32>>;

/// The version that is written.
const VERSION: i16 = 0;

/// Bytes of another member that make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no message of a consumer at byte {at}")]
pub(crate) struct ProtocolError {
    /// Where.
    at: usize,
}

/// The bytes that say: this topic, please.
pub(crate) fn subscription(topic: &str) -> Bytes {
    let message = ConsumerProtocolSubscription::default()
        .with_topics(vec![StrBytes::from_string(topic.to_owned())]);
    written(&message)
}

/// The bytes that say what a member gets.
pub(crate) fn assignment(share: &Share) -> Bytes {
    let topic = |(topic, partitions): (&String, &Vec<i32>)| {
        TopicPartition::default()
            .with_topic(topic_name(topic))
            .with_partitions(partitions.clone())
    };
    let message = ConsumerProtocolAssignment::default()
        .with_assigned_partitions(share.iter().map(topic).collect());
    written(&message)
}

/// A text that is too long for its length field (Kafka's names have at most 249 characters) leaves nothing, which says
/// nothing.
fn written(message: &impl Encodable) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(VERSION);
    match message.encode(&mut bytes, VERSION) {
        Ok(()) => bytes.freeze(),
        Err(_) => Bytes::new(),
    }
}

/// The topics that a member subscribes to.
pub(crate) fn read_subscription(bytes: &[u8]) -> Result<BTreeSet<String>, ProtocolError> {
    let mut bytes = FieldReader::versioned(bytes)?;
    let count = bytes.count(2)?;
    (0..count).map(|_| bytes.text()).collect()
}

/// The partitions that a member is given; no bytes at all give none.
pub(crate) fn read_assignment(bytes: &[u8]) -> Result<Share, ProtocolError> {
    let mut share = Share::new();
    if bytes.is_empty() {
        return Ok(share);
    }
    let mut bytes = FieldReader::versioned(bytes)?;
    for _ in 0..bytes.count(6)? {
        let partitions: &mut Vec<i32> = share.entry(bytes.text()?).or_default();
        for _ in 0..bytes.count(4)? {
            partitions.push(bytes.number()?);
        }
    }
    Ok(share)
}

/// Bytes, and how far they have been read.
struct FieldReader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> FieldReader<'b> {
    /// Behind the version.
    fn versioned(bytes: &'b [u8]) -> Result<Self, ProtocolError> {
        let mut reader = Self { bytes, at: 0 };
        match i16::from_be_bytes(reader.take()?) {
            0.. => Ok(reader),
            _ => Err(ProtocolError { at: 0 }),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        let at = self.at;
        let taken = self.bytes.get(at..).and_then(|rest| rest.first_chunk());
        self.at += N;
        taken.copied().ok_or(ProtocolError { at })
    }

    /// A number that is not negative.
    fn number(&mut self) -> Result<i32, ProtocolError> {
        let at = self.at;
        let number = i32::from_be_bytes(self.take()?);
        if number < 0 {
            Err(ProtocolError { at })
        } else {
            Ok(number)
        }
    }

    /// How many elements follow, each of at least this many bytes.
    fn count(&mut self, least: usize) -> Result<usize, ProtocolError> {
        let at = self.at;
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let room = (self.bytes.len() - self.at) / least;
        if count > room {
            Err(ProtocolError { at })
        } else {
            Ok(count)
        }
    }

    fn text(&mut self) -> Result<String, ProtocolError> {
        let at = self.at;
        let error = ProtocolError { at };
        let length = usize::try_from(i16::from_be_bytes(self.take()?)).map_err(|_| error)?;
        let end = self.at + length;
        let bytes = self.bytes.get(self.at..end).ok_or(error)?;
        self.at = end;
        let text = std::str::from_utf8(bytes).map_err(|_| error)?;
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::consumer_protocol_subscription;
    use proptest::prelude::*;

    fn set(topics: &[&str]) -> BTreeSet<String> {
        topics.iter().map(|&topic| topic.to_owned()).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(
            read_subscription(&subscription("orders")).unwrap(),
            set(&["orders"])
        );
        let share: Share = [("a".to_owned(), vec![0, 2]), ("b".to_owned(), vec![1])].into();
        assert_eq!(read_assignment(&assignment(&share)).unwrap(), share);
        assert_eq!(
            read_assignment(&assignment(&Share::new())).unwrap(),
            Share::new()
        );
        assert_eq!(read_assignment(b"").unwrap(), Share::new());
    }

    /// The bytes of the two messages in Kafka's own documentation of the protocol, written by hand.
    #[test]
    fn the_bytes_are_those_of_the_protocol() {
        let subscribed = b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff";
        assert_eq!(&subscription("t")[..], subscribed);
        let share: Share = [("t".to_owned(), vec![7])].into();
        let assigned = b"\0\0\0\0\0\x01\0\x01t\0\0\0\x01\0\0\0\x07\xff\xff\xff\xff";
        assert_eq!(&assignment(&share)[..], assigned);
    }

    #[test]
    fn what_newer_versions_add_is_passed_over() {
        let owned = consumer_protocol_subscription::TopicPartition::default()
            .with_topic(topic_name("x"))
            .with_partitions(vec![1, 2]);
        let message = ConsumerProtocolSubscription::default()
            .with_topics(vec![
                StrBytes::from_static_str("x"),
                StrBytes::from_static_str("y"),
            ])
            .with_user_data(Some(Bytes::from_static(b"mine")))
            .with_owned_partitions(vec![owned])
            .with_generation_id(5)
            .with_rack_id(Some(StrBytes::from_static_str("here")));
        let mut bytes = BytesMut::new();
        bytes.put_i16(3);
        message.encode(&mut bytes, 3).unwrap();
        assert_eq!(read_subscription(&bytes).unwrap(), set(&["x", "y"]));
        let given = TopicPartition::default()
            .with_topic(topic_name("x"))
            .with_partitions(vec![1, 2]);
        let message = ConsumerProtocolAssignment::default()
            .with_assigned_partitions(vec![given])
            .with_user_data(Some(Bytes::from_static(b"mine")));
        for version in 0..=3 {
            let mut bytes = BytesMut::new();
            bytes.put_i16(version);
            message.encode(&mut bytes, version).unwrap();
            let expected: Share = [("x".to_owned(), vec![1, 2])].into();
            assert_eq!(read_assignment(&bytes), Ok(expected));
        }
    }

    #[test]
    fn a_count_that_cannot_be_true_is_refused_before_anything_is_set_aside() {
        let mut bytes = vec![0, 0];
        bytes.extend(i32::MAX.to_be_bytes());
        let error = ProtocolError { at: 2 };
        assert_eq!(read_subscription(&bytes), Err(error));
        assert_eq!(read_assignment(&bytes), Err(error));
        let minus_one = [0, 0, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(read_subscription(&minus_one), Err(error));
        assert_eq!(read_assignment(&[0xff, 0xff]), Err(ProtocolError { at: 0 }));
        let negative = b"\0\0\0\0\0\x01\0\x01t\0\0\0\x01\xff\xff\xff\xff";
        assert_eq!(read_assignment(negative), Err(ProtocolError { at: 13 }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_subscription(&bytes);
            let _ = read_assignment(&bytes);
        }

        #[test]
        fn a_message_cut_off_or_changed_is_read_or_refused(
            topics in proptest::collection::btree_map("[a-z]{0,9}", proptest::collection::vec(0i32..99, 0..5), 0..5),
            cut: proptest::sample::Index, at: proptest::sample::Index, byte: u8
        ) {
            let bytes = assignment(&topics);
            prop_assert_eq!(read_assignment(&bytes), Ok(topics.clone()));
            let cut = cut.index(bytes.len());
            // what is cut off may be the last field alone, which is not read
            if let Ok(read) = read_assignment(&bytes[..cut]) {
                prop_assert!(cut == 0 || read == topics);
            }
            let mut changed = bytes.to_vec();
            changed[at.index(bytes.len())] = byte;
            let _ = read_assignment(&changed);
            let _ = read_subscription(&changed);
        }
    }
}
