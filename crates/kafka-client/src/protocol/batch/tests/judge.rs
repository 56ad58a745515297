//! Our batches read by kafka-protocol, and its batches read by us.

use super::*;
use bytes::BytesMut;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression as Codec, Record as Theirs, RecordBatchDecoder, RecordBatchEncoder,
    RecordEncodeOptions, TimestampType,
};

fn theirs(index: i32, (key, value, time): &Sent, headers: &[Header]) -> Theirs {
    let owned = |bytes: &Option<Vec<u8>>| bytes.clone().map(Bytes::from);
    let text = |key: &[u8]| StrBytes::from_string(String::from_utf8(key.to_vec()).unwrap());
    Theirs {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: 3,
        producer_epoch: 4,
        timestamp_type: TimestampType::Creation,
        offset: index.into(),
        sequence: 5 + index,
        timestamp: *time,
        key: owned(key),
        value: owned(value),
        headers: headers
            .iter()
            .map(|header| (text(&header.key), owned(&header.value)))
            .collect(),
    }
}

/// Times whose distances kafka-protocol can work out.
fn sane_records() -> impl Strategy<Value = Vec<Sent>> {
    vec(
        (any_payload(), any_payload(), -1..2_000_000_000_000i64),
        1..30,
    )
}

/// kafka-protocol keeps one header of each key.
fn sane_headers() -> impl Strategy<Value = Vec<Header>> {
    any_headers().prop_map(|headers| {
        let number = |(number, header): (usize, Header)| Header {
            key: format!("{number}").into_bytes(),
            ..header
        };
        headers.into_iter().enumerate().map(number).collect()
    })
}

proptest! {
    #[test]
    fn kafka_protocol_reads_what_we_write(
        records in sane_records(), headers in sane_headers(), compression in any_compression()
    ) {
        let identity = Identity { producer_id: 3, epoch: 4, sequence: 5 };
        let mut bytes = Vec::new();
        encode(&chunk(&records, &headers), compression, Some(identity), &mut bytes).unwrap();
        let decompress = |bytes: &mut Bytes, codec: Codec| {
            let compression = Compression::of(codec as u8).unwrap();
            Ok(compression.decompress(bytes, 1 << 20)?)
        };
        let read = RecordBatchDecoder::decode_with_custom_compression(
            &mut Bytes::from(bytes), Some(decompress),
        ).unwrap();
        let expected: Vec<Theirs> = (0..)
            .zip(&records)
            .map(|(index, record)| theirs(index, record, &headers))
            .collect();
        prop_assert_eq!(read.compression as u8, compression.id());
        prop_assert_eq!(read.records, expected);
    }

    #[test]
    fn we_read_what_kafka_protocol_writes(records in sane_records(), headers in sane_headers()) {
        let written: Vec<Theirs> = (0..)
            .zip(&records)
            .map(|(index, record)| theirs(index, record, &headers))
            .collect();
        let options = RecordEncodeOptions { version: 2, compression: Codec::None };
        let mut bytes = BytesMut::new();
        RecordBatchEncoder::encode(&mut bytes, &written, &options).unwrap();
        let batch = only(bytes.to_vec());
        prop_assert_eq!((batch.producer_id, batch.producer_epoch, batch.sequence), (3, 4, 5));
        let expected: Vec<Record> = (0..).zip(&records).map(|(offset, (key, value, time))| Record {
            partition: 7,
            offset,
            time: Some(*time),
            key: key.clone(),
            value: value.clone(),
            headers: headers.clone(),
        }).collect();
        prop_assert_eq!(read(&batch), Ok(expected));
    }
}
