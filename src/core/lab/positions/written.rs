//! Positions written for MirrorMaker before it starts: it begins exactly there, also where it never ran before.

use super::{Note, PositionError, Positions, Target, workers};
use crate::core::lab::Lab;
use crate::core::mirrormaker::state::{self, offsets_topic};
use crate::core::topology::Flow;
use kmk_kafka::NewTopic;
use kmk_kafka::wait::Limit;
use std::collections::BTreeMap;

/// The partition of a topic of positions that has only one, as kmk has MirrorMaker make it.
const ONLY: i32 = 0;

/// The first offset that is to be copied of each topic and partition of the source.
pub type Beginnings = BTreeMap<(String, i32), i64>;

/// Has the flow's MirrorMaker begin at these offsets when it starts next; how many positions were written or taken back.
/// Partitions that are not named keep theirs.
///
/// # Errors
/// [`PositionError`]: MirrorMaker runs, or its target does not answer or does not take it.
pub fn begin_at(
    lab: &Lab,
    flow: &Flow,
    beginnings: &Beginnings,
    limit: &Limit,
) -> Result<usize, PositionError> {
    if workers(lab, flow).any(|(_, runs)| runs) {
        return Err(PositionError::Runs(flow.name()));
    }
    let mut target = Target::of(&lab.topology, flow, limit)?;
    let stored = target.positions(limit)?;
    let notes = notes(&flow.spec.source, beginnings, &stored);
    let topic = offsets_topic(&flow.spec.source);
    if !notes.is_empty() && !target.there.contains_key(&topic) {
        let cluster = lab.topology.cluster(&flow.spec.target);
        let replicas = cluster.and_then(|cluster| i16::try_from(cluster.replication_factor).ok());
        let made = NewTopic {
            name: topic.clone(),
            partitions: Some(1),
            replicas: replicas.filter(|replicas| *replicas > 0),
            // Connect refuses to start on another
            settings: [("cleanup.policy".to_owned(), "compact".to_owned())].into(),
        };
        target.admin.create_topic(&made, limit)?;
    }
    Ok(target.write(&notes, limit)?)
}

/// What is to be written where these positions are stored.
fn notes(source: &str, beginnings: &Beginnings, stored: &Positions) -> Vec<Note> {
    let note = |(place, begin): (&(String, i32), &i64)| {
        let stored = stored.get(place);
        let last = begin - 1;
        let (partition, key) = match stored {
            // stored under the same bytes, or it would be another position
            Some(stored) => (stored.kept_in, stored.key.clone()),
            None => (ONLY, state::key_of(source, &place.0, place.1)),
        };
        match stored {
            Some(stored) if stored.offset == last => None,
            // before the first record there is no position
            Some(_) if last < 0 => Some((partition, key, None)),
            None if last < 0 => None,
            _ => Some((partition, key, Some(state::value_of(last)))),
        }
    };
    beginnings.iter().filter_map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::lab::journal::Journal;
    use crate::core::mirrormaker::state::{Position, positions};
    use crate::core::spec::ClusterSpec;
    use crate::core::spec::scenario::Scenario;
    use crate::core::topology::Topology;
    use kmk_kafka::message::Record;
    use kmk_kafka::testing::FakeBroker;
    use kmk_kafka::wait::Interrupt;
    use proptest::prelude::*;
    use std::time::Duration;

    fn record((partition, key, value): &Note) -> Record {
        Record {
            partition: *partition,
            offset: 0,
            time: None,
            key: Some(key.clone()),
            value: value.clone(),
            headers: Vec::new(),
        }
    }

    #[test]
    fn a_position_is_written_over_under_its_own_key() {
        let key = br#"["MirrorSourceConnector",{"topic":"orders","partition":0,"cluster":"a"}]"#;
        let stored = Position {
            offset: 9,
            key: key.to_vec(),
            time: None,
            kept_in: 3,
        };
        let place = ("orders".to_owned(), 0);
        let stored: Positions = [(place.clone(), stored)].into();
        let note = |begin| notes("a", &[(place.clone(), begin)].into(), &stored);
        assert_eq!(
            note(5),
            [(3, key.to_vec(), Some(br#"{"offset":4}"#.to_vec()))]
        );
        assert_eq!(note(0), [(3, key.to_vec(), None)]);
        assert_eq!(note(10), [], "that position is already committed");
    }

    /// The topic is made as Connect wants it where MirrorMaker never ran.
    #[test]
    fn positions_are_written_before_mirrormaker_s_first_start_and_over_those_of_an_earlier_one() {
        let target = FakeBroker::start();
        let mut spec = Scenario::Dr.spec("demo");
        spec.clusters[1] = ClusterSpec::existing("secondary", &[&target.endpoint().to_string()]);
        let lab = Lab {
            topology: Topology::new(&spec),
            spec,
            containers: Vec::new(),
            journal: Journal::default(),
        };
        let flow = &lab.topology.flows[0];
        let limit = Limit::new(Duration::from_secs(20), &Interrupt::default());
        let places = |orders: i64, idle: i64| -> Beginnings {
            let place = |partition| ("orders".to_owned(), partition);
            [(place(0), orders), (place(1), idle)].into()
        };
        assert_eq!(begin_at(&lab, flow, &places(7, 0), &limit).unwrap(), 1);
        assert_eq!(
            target.topics(),
            [("mm2-offsets.primary.internal".to_owned(), 1)]
        );
        assert_eq!(begin_at(&lab, flow, &places(7, 0), &limit).unwrap(), 0);
        assert_eq!(begin_at(&lab, flow, &places(9, 2), &limit).unwrap(), 2);
        let log = target.records("mm2-offsets.primary.internal", 0);
        let stored = positions(&log, "primary");
        let offsets: Vec<i64> = stored.values().map(|position| position.offset).collect();
        assert_eq!(offsets, [8, 1]);
    }

    proptest! {
        /// What MirrorMaker reads after that is where it is to begin, whatever was stored; nothing else changes.
        #[test]
        fn mirrormaker_reads_what_was_written(
            stored in proptest::collection::btree_map(("[ab]", 0i32..3), 0i64..50, 0..6),
            asked in proptest::collection::btree_map(("[ab]", 0i32..3), 0i64..50, 0..6),
        ) {
            let before: Vec<Note> = stored
                .iter()
                .map(|((topic, partition), offset)| (0, state::key_of("s", topic, *partition), Some(state::value_of(*offset))))
                .collect();
            let mut log: Vec<Record> = before.iter().map(record).collect();
            let written = notes("s", &asked, &positions(&log, "s"));
            log.extend(written.iter().map(record));
            let after = positions(&log, "s");
            let mut expected: BTreeMap<(String, i32), i64> = stored;
            for (place, begin) in asked {
                if begin == 0 { expected.remove(&place); } else { expected.insert(place, begin - 1); }
            }
            let after: BTreeMap<(String, i32), i64> = after.into_iter().map(|(place, position)| (place, position.offset)).collect();
            prop_assert_eq!(after, expected);
        }
    }
}
