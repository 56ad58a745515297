//! What a member of a classic group was given to read, as the members tell each other (`ConsumerProtocolAssignment`). Knows nothing of
//! who gave it.

use std::collections::BTreeSet;

/// The topics and partitions in it. The brokers pass it on unread, so that anything may stand in it: none where it is not that.
///
/// All versions, 0 to 3, begin alike; what follows is the assignor's own.
pub(super) fn decode(bytes: &[u8]) -> Option<BTreeSet<(String, i32)>> {
    let mut rest = bytes;
    let _version = take::<2>(&mut rest)?;
    let mut reads = BTreeSet::new();
    // no memory is set aside by a count: each element must be there
    for _ in 0..i32::from_be_bytes(take(&mut rest)?).max(0) {
        let length = usize::try_from(i16::from_be_bytes(take(&mut rest)?)).ok()?;
        let (name, after) = rest.split_at_checked(length)?;
        let name = std::str::from_utf8(name).ok()?;
        rest = after;
        for _ in 0..i32::from_be_bytes(take(&mut rest)?).max(0) {
            reads.insert((name.to_owned(), i32::from_be_bytes(take(&mut rest)?)));
        }
    }
    Some(reads)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{BufMut as _, BytesMut};
    use kafka_protocol::messages::ConsumerProtocolAssignment;
    use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition;
    use kafka_protocol::protocol::Encodable as _;
    use proptest::prelude::*;

    use crate::core::kafka::wire::metadata::topic_name;

    fn encoded(topics: &[(String, Vec<i32>)], version: i16) -> BytesMut {
        let topics = topics.iter().map(|(name, partitions)| {
            TopicPartition::default()
                .with_topic(topic_name(name))
                .with_partitions(partitions.clone())
        });
        let assignment =
            ConsumerProtocolAssignment::default().with_assigned_partitions(topics.collect());
        let mut bytes = BytesMut::new();
        bytes.put_i16(version);
        assignment.encode(&mut bytes, version).unwrap();
        bytes
    }

    #[test]
    fn nothing_given_is_nothing_to_read() {
        assert_eq!(decode(&encoded(&[], 3)), Some(BTreeSet::new()));
        assert_eq!(decode(&[]), None);
    }

    #[test]
    fn a_count_without_elements_takes_no_memory() {
        assert_eq!(
            decode(&[
                0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 1, b'a', 0x7f, 0xff, 0xff, 0xff
            ]),
            None
        );
    }

    proptest! {
        #[test]
        fn what_members_tell_each_other_is_understood(
            topics in proptest::collection::vec(("[a-z.]{0,9}", proptest::collection::vec(0i32.., 0..5)), 0..5),
            version in 0i16..=3,
        ) {
            let expected: BTreeSet<(String, i32)> = topics
                .iter()
                .flat_map(|(name, ids)| ids.iter().map(|id| (name.clone(), *id)))
                .collect();
            prop_assert_eq!(decode(&encoded(&topics, version)), Some(expected));
        }

        #[test]
        fn whatever_else_stands_there_does_no_harm(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
