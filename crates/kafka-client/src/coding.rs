//! Records as they are in a partition's log, written and read without a broker: for benches, and for whoever has the
//! bytes from elsewhere.
//!
//! What travels to and from brokers is made by the very same code.

use crate::compression::Compression;
use crate::consumer::Fetched;
use crate::consumer::wire;
use crate::error::KafkaError;
use crate::producer::Chunk;
use crate::protocol::batch;

/// Appends the records of `chunk` to `to` as one batch of message format 2, of no producer, the first at offset 0. An
/// empty chunk gives nothing.
///
/// # Errors
/// [`KafkaError::Unsendable`] where they are 2 GiB or more.
pub fn encode(chunk: &Chunk, compression: Compression, to: &mut Vec<u8>) -> Result<(), KafkaError> {
    batch::encode(chunk, compression, None, to).map_err(|cause| KafkaError::Unsendable {
        cause: cause.to_string(),
    })
}

/// The records of the batches among `bytes`, which are all of message format 2 and of one partition. The last batch is
/// left out if its end is missing.
///
/// Checksums are checked here; a batch is decompressed, and its records are looked at, in [`Fetched::each`].
///
/// # Errors
/// [`KafkaError::Garbled`] at a batch that makes no sense.
pub fn decode(partition: i32, bytes: Vec<u8>) -> Result<Fetched, KafkaError> {
    wire::Fetched::of_bytes(partition, bytes.into()).map(Fetched::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Batch;
    use crate::message::Record;
    use proptest::prelude::*;
    use std::ops::ControlFlow;

    fn records(bytes: Vec<u8>) -> Result<Vec<Record>, KafkaError> {
        let mut records = Vec::new();
        decode(3, bytes)?.each(|record| {
            records.push(record.to_record());
            Ok::<_, KafkaError>(ControlFlow::Continue(()))
        })?;
        Ok(records)
    }

    fn one_batch(values: &[Vec<u8>], compression: Compression) -> Vec<u8> {
        let mut batch = Batch::default();
        for value in values {
            batch.push(0, None, Some(value), 7);
        }
        let mut bytes = Vec::new();
        for chunk in batch.chunks() {
            encode(chunk, compression, &mut bytes).unwrap();
        }
        bytes
    }

    #[test]
    fn what_is_damaged_is_not_read() {
        let mut bytes = one_batch(&[b"hello".to_vec()], Compression::None);
        assert_eq!(records(bytes.clone()).unwrap().len(), 1);
        *bytes.last_mut().unwrap() ^= 1;
        let error = records(bytes).unwrap_err();
        assert!(matches!(error, KafkaError::Garbled { .. }), "{error}");
        assert!(error.to_string().contains("checksum"), "{error}");
    }

    #[test]
    fn a_batch_without_its_end_is_left_out() {
        let mut bytes = one_batch(&[b"hello".to_vec()], Compression::None);
        bytes.pop();
        assert_eq!(records(bytes).unwrap(), []);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20),
            compression in prop::sample::select(Compression::ALL.to_vec()),
        ) {
            let read = records(one_batch(&values, compression)).unwrap();
            let there = |record: &Record| (record.partition, record.offset, record.time);
            let expected: Vec<_> = (0..).take(values.len()).map(|n| (3, n, Some(7))).collect();
            prop_assert_eq!(read.iter().map(there).collect::<Vec<_>>(), expected);
            let read: Vec<Vec<u8>> = read.into_iter().filter_map(|record| record.value).collect();
            prop_assert_eq!(read, values);
        }
    }
}
