//! Answers of real brokers, recorded by `dev/fixtures/record.py`: what passes there must pass here, and mean the same.

use super::samples::decode;
use super::{check, header};
use crate::protocol::api::APIS;
use crate::protocol::batch::batches;
use bytes::Bytes;
use kafka_protocol::messages::{ApiKey, FetchResponse, MetadataResponse};
use kafka_protocol::protocol::Decodable as _;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const RECORDED: [&str; 2] = ["3.9.2", "4.2.0"];

/// Every body recorded from one Kafka, by request and version.
fn bodies(kafka: &str) -> BTreeMap<(i16, i16), Bytes> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wire");
    let files = fs::read_dir(directory.join(kafka)).unwrap();
    let body = |file: std::io::Result<fs::DirEntry>| {
        let path = file.unwrap().path();
        let (key, version) = path.file_stem()?.to_str()?.split_once('-')?;
        let place = (key.parse().unwrap(), version.parse().unwrap());
        let frame = Bytes::from(fs::read(&path).unwrap());
        let api = ApiKey::try_from(place.0).unwrap();
        let start = header(api, place.1, &frame).unwrap();
        Some((place, frame.slice(start..)))
    };
    files.filter_map(body).collect()
}

fn body(kafka: &str, api: ApiKey, version: i16) -> Bytes {
    bodies(kafka)[&(api as i16, version)].clone()
}

#[test]
fn every_request_of_the_client_is_recorded_from_both() {
    for kafka in RECORDED {
        let recorded = bodies(kafka);
        for api in APIS {
            // groups of the new protocol need a Kafka that has them by default
            let known = api.key != ApiKey::ConsumerGroupDescribe || kafka == "4.2.0";
            let mut versions = api.speaks.min..=api.speaks.max;
            let is_there = versions.any(|v| recorded.contains_key(&(api.key as i16, v)));
            assert_eq!(is_there, known, "{:?} of Kafka {kafka}", api.key);
        }
        for (key, version) in recorded.keys() {
            let mut spoken = APIS.iter().filter(|api| api.key as i16 == *key);
            assert!(
                spoken.any(|api| (api.speaks.min..=api.speaks.max).contains(version)),
                "{key}-{version} of Kafka {kafka} is none of ours"
            );
        }
    }
}

#[test]
fn what_a_real_broker_says_passes_and_no_part_of_it_does() {
    for kafka in RECORDED {
        for ((key, version), body) in bodies(kafka) {
            let api = ApiKey::try_from(key).unwrap();
            assert_eq!(check(api, version, &body), Ok(()), "{api:?} of {kafka}");
            assert_eq!(decode(api, version, body.clone()), Ok(0), "{api:?}");
            for end in 0..body.len() {
                assert!(
                    check(api, version, &body[..end]).is_err(),
                    "{api:?} of {kafka}, cut after {end} bytes"
                );
            }
        }
    }
}

#[test]
fn metadata_names_the_broker_and_the_topic() {
    for kafka in RECORDED {
        let mut body = body(kafka, ApiKey::Metadata, 12);
        let answer = MetadataResponse::decode(&mut body, 12).unwrap();
        let broker = &answer.brokers[0];
        assert_eq!((broker.node_id.0, &*broker.host), (1, "127.0.0.1"));
        let names = answer.topics.iter().filter_map(|topic| topic.name.as_ref());
        assert!(
            names
                .map(|name| name.as_str())
                .any(|name| name == "fixture")
        );
    }
}

#[test]
fn records_of_every_compression_come_out_as_they_were_sent() {
    for kafka in RECORDED {
        let mut body = body(kafka, ApiKey::Fetch, 12);
        let answer = FetchResponse::decode(&mut body, 12).unwrap();
        let mut shown = BTreeMap::new();
        for partition in &answer.responses[0].partitions {
            let records = partition.records.clone().unwrap_or_default();
            for batch in batches(records) {
                let batch = batch.unwrap();
                let records = batch.records(partition.partition_index).unwrap();
                for record in records.iter() {
                    let record = record.unwrap().to_record();
                    shown.insert((record.partition, record.offset), record);
                }
            }
        }
        let first = &shown[&(0, 0)];
        assert_eq!(first.key.as_deref(), Some(&b"k1"[..]));
        assert_eq!(first.time, Some(1_795_341_600_000));
        let headers: Vec<_> = first
            .headers
            .iter()
            .map(|h| (&*h.key, h.value.as_deref()))
            .collect();
        assert_eq!(
            headers,
            [(&b"trace"[..], Some(&b"abc"[..])), (b"empty", Some(b""))]
        );
        assert_eq!(shown[&(0, 3)].value, None, "a tombstone");
        for (offset, codec) in (0..).zip(["gzip", "snappy", "lz4", "zstd"]) {
            for offset in [2 * offset, 2 * offset + 1] {
                let value = shown[&(1, offset)].value.clone().unwrap();
                let expected = format!("some text, some text, {codec}");
                assert_eq!(String::from_utf8(value).unwrap(), expected);
            }
        }
        assert_eq!(shown.len(), 12);
    }
}

proptest! {
    #[test]
    fn a_real_answer_with_bytes_changed_is_refused_or_decoded_to_its_end(
        kafka in proptest::sample::select(&RECORDED[..]),
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let bodies: Vec<_> = bodies(kafka).into_iter().collect();
        let ((key, version), body) = which.get(&bodies);
        let mut changed = body.to_vec();
        for (at, byte) in changes {
            let at = at.index(changed.len());
            changed[at] = byte;
        }
        let api = ApiKey::try_from(*key).unwrap();
        if check(api, *version, &changed).is_ok()
            && let Ok(left) = decode(api, *version, Bytes::from(changed))
        {
            prop_assert_eq!(left, 0);
        }
    }
}
