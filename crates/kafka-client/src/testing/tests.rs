//! That the fake broker answers as Kafka's documentation says.

use super::FakeBroker;
use crate::message::Record;
use crate::wait::{Interrupt, Limit};
use crate::{Admin, At};
use std::collections::BTreeMap;
use std::time::Duration;

fn soon() -> Limit {
    Limit::new(Duration::from_secs(5), &Interrupt::default())
}

/// Topic `t` with a record at each of these times.
fn with_times(times: &[i64]) -> (FakeBroker, Admin) {
    let fake = FakeBroker::start();
    fake.topic("t", 1, &[]);
    for time in times {
        fake.write("t", 0, &[Record::sample(0, *time, "value")]);
    }
    let admin = Admin::connect(&[fake.endpoint()], &soon()).unwrap();
    (fake, admin)
}

#[test]
fn offsets_by_time_and_at_both_ends() {
    let (_fake, mut admin) = with_times(&[10, 30, 20]);
    for (at, offset) in [
        (At::Earliest, 0),
        (At::Latest, 3),
        (At::Time(11), 1),
        (At::Time(31), 3),
        (At::MaxTime, 1),
    ] {
        let found = admin.offsets(&["t".to_owned()], at, &soon()).unwrap();
        assert_eq!(found[&("t".to_owned(), 0)], offset, "{at:?}");
    }
}

#[test]
fn records_that_were_deleted_are_neither_counted_nor_read() {
    let (fake, mut admin) = with_times(&[1, 2, 3]);
    let place = ("t".to_owned(), 0);
    let before = BTreeMap::from([(place.clone(), 2)]);
    let begins = admin.delete_records(&before, &soon()).unwrap();
    assert_eq!(begins, BTreeMap::from([(place.clone(), 2)]));
    let offsets = |records: Vec<Record>| records.iter().map(|one| one.offset).collect::<Vec<_>>();
    assert_eq!(offsets(fake.records("t", 0)), [2]);
    assert_eq!(offsets(admin.read("t", 0, 2, 9, &soon()).unwrap()), [2]);
    let beyond = BTreeMap::from([(place, 4)]);
    let error = admin.delete_records(&beyond, &soon()).unwrap_err();
    assert!(
        error.to_string().ends_with("OFFSET_OUT_OF_RANGE"),
        "{error}"
    );
}

#[test]
fn where_the_broker_gives_the_time_all_records_have_its_clocks() {
    let (fake, mut admin) = with_times(&[1]);
    fake.set_default("message.timestamp.type", "LogAppendTime");
    fake.set_clock(1_000);
    fake.append("t", 0, &[(None, Some("a")), (None, Some("b"))]);
    let read = admin.read("t", 0, 0, 9, &soon()).unwrap();
    assert_eq!(read, fake.records("t", 0));
    let times: Vec<Option<i64>> = read.iter().map(|one| one.time).collect();
    assert_eq!(times, [Some(1), Some(1_000), Some(1_000)]);
}

#[test]
fn a_batch_that_is_too_large_for_the_topic_is_refused() {
    let fake = FakeBroker::start();
    fake.topic("t", 1, &[("max.message.bytes", "100")]);
    let (small, large) = ("x".repeat(20), "x".repeat(200));
    fake.append("t", 0, &[(None, Some(&small))]);
    let bytes = |value: &str| {
        let mut batch = crate::Batch::default();
        batch.push(0, None, Some(value.as_bytes()), 0);
        let mut bytes = Vec::new();
        let chunk = batch.chunks().next().unwrap();
        crate::protocol::batch::encode(chunk, crate::Compression::None, None, &mut bytes).unwrap();
        bytes
    };
    let mut state = fake.state();
    assert_eq!(state.append("t", 0, &bytes(&small)), Ok(1));
    let refused = state.append("t", 0, &bytes(&large)).unwrap_err();
    assert_eq!(refused.code(), 10);
}

#[test]
fn whoever_is_gone_does_not_answer() {
    let (fake, _admin) = with_times(&[]);
    let endpoint = fake.endpoint();
    drop(fake);
    let limit = Limit::new(Duration::from_millis(300), &Interrupt::default());
    let error = Admin::connect(&[endpoint], &limit).unwrap_err();
    assert!(error.to_string().contains("Connection refused"), "{error}");
}
