//! Partitions that differ, by what the records say, on brokers in memory.

use super::*;
use crate::core::judge::drill::equality::ranges;
use crate::core::mirrormaker::state::{key_of, offsets_topic, value_of};
use crate::core::spec::ClusterSpec;
use crate::core::spec::scenario::Scenario;
use kmk_kafka::testing::{FakeBroker, Fault};
use kmk_kafka::wait::Interrupt;
use std::time::Duration;

const TOPIC_AUTHORIZATION_FAILED: i16 = 29;

fn limit() -> Limit {
    Limit::new(Duration::from_secs(20), &Interrupt::default())
}

/// The default lab on two brokers in memory.
struct Two {
    source: FakeBroker,
    target: FakeBroker,
    topology: Topology,
}

impl Two {
    /// With `orders` on the source and its mirrored topic, both of two partitions.
    fn new() -> Self {
        let (source, target) = (FakeBroker::start(), FakeBroker::start());
        let mut spec = Scenario::Dr.spec("demo");
        for (cluster, broker) in spec.clusters.iter_mut().zip([&source, &target]) {
            let name = cluster.name.clone();
            *cluster = ClusterSpec::existing(&name, &[&broker.endpoint().to_string()]);
        }
        source.topic("orders", 2, &[]);
        target.topic("primary.orders", 2, &[]);
        Self {
            source,
            target,
            topology: Topology::new(&spec),
        }
    }

    fn flow(&self) -> &Flow {
        &self.topology.flows[0]
    }

    fn write(&self, partition: i32, sent: &[&str], arrived: &[&str]) {
        for (broker, topic, says) in [
            (&self.source, "orders", sent),
            (&self.target, "primary.orders", arrived),
        ] {
            let records = says.iter().map(|says| (Some("k"), Some(*says)));
            broker.append(topic, partition, &records.collect::<Vec<_>>());
        }
    }

    /// As if MirrorMaker had copied a partition to here.
    fn position(&self, partition: i32, offset: i64) {
        let topic = offsets_topic("primary");
        self.target.topic(&topic, 1, &[]);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (key, value) = (
            text(key_of("primary", "orders", partition)),
            text(value_of(offset)),
        );
        self.target.append(&topic, 0, &[(Some(&key), Some(&value))]);
    }

    fn compared(&self) -> TopicComparison {
        let topic = ["orders".to_owned()];
        let compared = topics(&self.topology, self.flow(), &topic, &limit());
        compared.unwrap().remove(0)
    }
}

#[test]
fn partitions_are_compared_by_what_their_records_say() {
    let two = Two::new();
    two.write(0, &["a", "b", "c"], &["a", "b", "c"]);
    two.write(1, &["1", "2", "3", "4", "5"], &["1", "1", "3", "x"]);
    two.position(1, 2);
    let compared = two.compared();
    assert_eq!(
        (compared.topic.as_str(), compared.mirrored.as_str()),
        ("orders", "primary.orders")
    );
    assert!(!compared.is_same());
    let [first, second] = &compared.partitions[..] else {
        panic!("{compared:?}")
    };
    assert!(first.difference.as_ref().unwrap().is_none() && first.position.is_none());
    let expected = Difference {
        source: 5,
        target: 4,
        missing: 3,
        missing_at: ranges([1, 3, 4]),
        surplus: 1,
        surplus_at: ranges([1]),
        foreign: 1,
        foreign_at: ranges([3]),
        out_of_order: 0,
    };
    assert_eq!(second.difference, Some(expected));
    assert_eq!(second.stranded(), (ranges([3, 4]), ranges([1])));
}

#[test]
fn what_cannot_be_read_is_not_called_the_same() {
    let two = Two::new();
    two.write(0, &["a"], &["a"]);
    two.write(1, &["b"], &["b"]);
    assert!(two.compared().is_same());
    two.target
        .fail("Fetch", Fault::Code(TOPIC_AUTHORIZATION_FAILED));
    let compared = two.compared();
    assert!(!compared.is_same());
    let unknown = compared.partitions[0].unknown.as_ref().unwrap();
    assert!(unknown.contains("TOPIC_AUTHORIZATION_FAILED"), "{unknown}");
    assert_eq!(compared.partitions[0].difference, None);
    assert!(compared.partitions[1].unknown.is_none());
}

#[test]
fn a_topic_that_never_came_is_missing_as_a_whole_and_one_that_is_not_there_is_an_error() {
    let two = Two::new();
    two.source.topic("late", 1, &[]);
    two.source
        .append("late", 0, &[(None, Some("1")), (None, None)]);
    let topic = |name: &str| topics(&two.topology, two.flow(), &[name.to_owned()], &limit());
    let late = topic("late").unwrap().remove(0);
    let difference = late.partitions[0].difference.clone().unwrap();
    assert_eq!((difference.missing, difference.target), (2, 0));
    assert!(matches!(
        topic("nothing"),
        Err(KafkaError::UnknownTopic { .. })
    ));
}

#[test]
fn stranded_records_are_exported_in_order_and_no_others() {
    let two = Two::new();
    two.write(0, &["a", "b", "c", "d"], &["a", "c"]);
    two.write(1, &["1", "2", "3"], &["1"]);
    two.position(0, 2);
    let stranded = Stranded::of(&[two.compared()]);
    assert_eq!(stranded.len(), 2);
    assert_eq!(stranded[0].never, ranges([1]));
    assert_eq!(stranded[0].later, ranges([3]));
    assert_eq!(stranded[1].records(), 2);
    let mut lines = Vec::new();
    let exported = export(
        &two.topology,
        "primary",
        &stranded,
        &limit(),
        |topic, record| {
            let value = String::from_utf8_lossy(record.value.unwrap()).into_owned();
            lines.push((topic.to_owned(), record.partition, record.offset, value));
            Ok(())
        },
    );
    assert_eq!(exported.unwrap(), 4);
    let at =
        |partition, offset, value: &str| ("orders".to_owned(), partition, offset, value.to_owned());
    assert_eq!(
        lines,
        [at(0, 1, "b"), at(0, 3, "d"), at(1, 1, "2"), at(1, 2, "3")]
    );
    let full = export(&two.topology, "primary", &stranded, &limit(), |_, _| {
        Err(std::io::Error::from(std::io::ErrorKind::StorageFull))
    });
    assert!(matches!(full, Err(ExportError::Write(_))), "{full:?}");
}

#[test]
fn what_comes_later_and_what_never_comes_is_told_by_the_position() {
    let of = |position: Option<i64>| {
        let difference = Difference {
            missing: 4,
            missing_at: ranges([3, 4, 8, 9]),
            ..Difference::default()
        };
        PartitionComparison {
            partition: 0,
            difference: Some(difference),
            unknown: None,
            position,
        }
        .stranded()
    };
    assert_eq!(of(Some(7)), (ranges([8, 9]), ranges([3, 4])));
    assert_eq!(of(Some(20)), (vec![], ranges([3, 4, 8, 9])));
    // without a position all is copied again
    assert_eq!(of(None), (ranges([3, 4, 8, 9]), vec![]));
}
