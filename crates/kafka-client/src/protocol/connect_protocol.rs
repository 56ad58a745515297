//! What a worker of Kafka Connect has to do, as the workers of a group tell each other.
//!
//! `IncrementalCooperativeConnectProtocol`, versions 1 and 2: when a worker joins, it says where it can be reached and
//! what it has; the leader answers with what it gets beside that, and what it loses.

use std::collections::BTreeSet;

/// The oldest version in which workers keep their tasks during a rebalance (incremental cooperative rebalancing).
const INCREMENTAL: i16 = 1;
/// The number that stands for a connector itself among its tasks.
const CONNECTOR: i32 = -1;

/// A connector by its name and, where it is not the connector itself, the number of a task of it.
pub type ConnectTask = (String, Option<u32>);

/// What a worker of Kafka Connect has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectWork {
    /// Where the others of its group reach it.
    pub host: String,
    /// Connectors and tasks.
    pub pieces: BTreeSet<ConnectTask>,
}

/// What a worker has to do, from what it said when it joined and what it was answered. Brokers pass both on unread, so
/// that anything may stand in them: none where it is not that.
pub(crate) fn decode(metadata: &[u8], assignment: &[u8]) -> Option<ConnectWork> {
    let mut joined = FieldReader(metadata);
    if joined.number::<2, _>(i16::from_be_bytes)? < INCREMENTAL {
        return None;
    }
    let url = joined.text()?;
    joined.number::<8, _>(i64::from_be_bytes)?;
    let allocation = joined.bytes()?;
    let mut pieces = BTreeSet::new();
    for given in [allocation, assignment] {
        if !given.is_empty() {
            let (assigned, revoked) = shares(given)?;
            pieces.retain(|piece| !revoked.contains(piece));
            pieces.extend(assigned);
        }
    }
    Some(ConnectWork {
        host: host(url)?.to_owned(),
        pieces,
    })
}

/// `http://HOST:PORT/`.
fn host(url: &str) -> Option<&str> {
    let (_, address) = url.split_once("://")?;
    address.rsplit_once(':').map(|(host, _)| host)
}

/// What is assigned, and what is revoked.
fn shares(bytes: &[u8]) -> Option<(BTreeSet<ConnectTask>, BTreeSet<ConnectTask>)> {
    let mut rest = FieldReader(bytes);
    rest.number::<2, _>(i16::from_be_bytes)?;
    let _error = rest.number::<2, _>(i16::from_be_bytes)?;
    let (_leader, _url) = (rest.text()?, rest.text()?);
    rest.number::<8, _>(i64::from_be_bytes)?;
    Some((rest.pieces()?, rest.pieces()?))
}

/// Bytes that are still to be read.
struct FieldReader<'b>(&'b [u8]);

impl<'b> FieldReader<'b> {
    fn number<const N: usize, T>(&mut self, of: impl Fn([u8; N]) -> T) -> Option<T> {
        let (first, after) = self.0.split_first_chunk()?;
        self.0 = after;
        Some(of(*first))
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, after) = self.0.split_at_checked(length)?;
        self.0 = after;
        Some(taken)
    }

    fn text(&mut self) -> Option<&'b str> {
        let length = usize::try_from(self.number(i16::from_be_bytes)?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// Bytes behind their length; a negative one stands for none.
    fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = self.number(i32::from_be_bytes)?;
        self.take(usize::try_from(length).unwrap_or(0))
    }

    /// Connectors with their tasks. No memory is set aside by a count: each element must be there.
    fn pieces(&mut self) -> Option<BTreeSet<ConnectTask>> {
        let mut pieces = BTreeSet::new();
        for _ in 0..self.number(i32::from_be_bytes)?.max(0) {
            let connector = self.text()?;
            for _ in 0..self.number(i32::from_be_bytes)?.max(0) {
                let task = match self.number(i32::from_be_bytes)? {
                    CONNECTOR => None,
                    task => Some(u32::try_from(task).ok()?),
                };
                pieces.insert((connector.to_owned(), task));
            }
        }
        Some(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{BufMut as _, BytesMut};
    use proptest::prelude::*;

    fn text(bytes: &mut BytesMut, text: &str) {
        bytes.put_i16(i16::try_from(text.len()).unwrap());
        bytes.put_slice(text.as_bytes());
    }

    fn list(bytes: &mut BytesMut, pieces: &[(&str, Vec<i32>)]) {
        bytes.put_i32(i32::try_from(pieces.len()).unwrap());
        for (connector, tasks) in pieces {
            text(bytes, connector);
            bytes.put_i32(i32::try_from(tasks.len()).unwrap());
            for task in tasks {
                bytes.put_i32(*task);
            }
        }
    }

    fn assignment(assigned: &[(&str, Vec<i32>)], revoked: &[(&str, Vec<i32>)]) -> BytesMut {
        let mut bytes = BytesMut::new();
        bytes.put_i16(2);
        bytes.put_i16(0);
        text(&mut bytes, "leader");
        text(&mut bytes, "http://leader:8083/");
        bytes.put_i64(7);
        list(&mut bytes, assigned);
        list(&mut bytes, revoked);
        bytes.put_i32(0);
        bytes
    }

    fn metadata(version: i16, allocation: Option<&[u8]>) -> BytesMut {
        let mut bytes = BytesMut::new();
        bytes.put_i16(version);
        text(&mut bytes, "http://mm2-b-1:8083/");
        bytes.put_i64(7);
        match allocation {
            Some(allocation) => {
                bytes.put_i32(i32::try_from(allocation.len()).unwrap());
                bytes.put_slice(allocation);
            }
            None => bytes.put_i32(-1),
        }
        bytes
    }

    fn piece(connector: &str, task: Option<u32>) -> ConnectTask {
        (connector.to_owned(), task)
    }

    #[test]
    fn a_worker_keeps_what_it_has_but_for_what_it_loses() {
        let has = assignment(&[("copy", vec![-1, 0, 1]), ("beat", vec![0])], &[]);
        let gets = assignment(
            &[("copy", vec![3])],
            &[("copy", vec![1]), ("beat", vec![0])],
        );
        let work = decode(&metadata(2, Some(&has)), &gets).unwrap();
        assert_eq!(work.host, "mm2-b-1");
        let expected = [None, Some(0), Some(3)].map(|task| piece("copy", task));
        assert_eq!(work.pieces, BTreeSet::from(expected));
    }

    #[test]
    fn a_worker_that_has_just_come_has_what_it_is_given() {
        let gets = assignment(&[("copy", vec![2])], &[]);
        let work = decode(&metadata(1, None), &gets).unwrap();
        assert_eq!(work.pieces, BTreeSet::from([piece("copy", Some(2))]));
        assert!(decode(&metadata(2, None), &[]).unwrap().pieces.is_empty());
    }

    #[test]
    fn the_protocol_of_old_is_not_guessed_at() {
        assert_eq!(decode(&metadata(0, None), &[]), None);
        assert_eq!(decode(&[], &[]), None);
    }

    proptest! {
        #[test]
        fn whatever_stands_there_does_no_harm(metadata: Vec<u8>, assignment: Vec<u8>) {
            let _ = decode(&metadata, &assignment);
        }

        #[test]
        fn a_message_that_is_cut_short_is_none(end in 0usize..60) {
            let whole = assignment(&[("copy", vec![0, 1])], &[]);
            let cut = &whole[..end.min(whole.len() - 9)];
            prop_assume!(!cut.is_empty());
            prop_assert_eq!(decode(&metadata(2, None), cut), None);
        }
    }
}
