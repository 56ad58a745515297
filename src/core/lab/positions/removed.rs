//! Whether records that were removed from a source had been mirrored, by MirrorMaker's positions. Removes nothing.

use super::super::addresses;
use super::super::topics::Truncated;
use super::{Positions, Target};
use crate::core::kafka::{Admin, At, KafkaError};
use crate::core::lag::NeverCopied;
use crate::core::mm2;
use crate::core::topology::{Flow, TRANSACTIONS, Topology};
use crate::core::wait::Limit;
use std::collections::BTreeMap;

/// Of records that were removed from a topic of the flow's source, those that were not mirrored before. A position that is
/// merely late looks like a loss: it is looked at twice.
///
/// # Errors
/// When an end of the flow does not answer.
pub fn never_copied(
    topology: &Topology,
    flow: &Flow,
    topic: &str,
    removed: &[Truncated],
    limit: &Limit,
) -> Result<NeverCopied, KafkaError> {
    let source = topology.cluster(&flow.spec.source);
    let mut source = Admin::connect_patiently(&source.map_or(Ok(Vec::new()), addresses)?, limit)?;
    let has_transactions = source.topics(limit)?.contains_key(TRANSACTIONS);
    let mut target = Target::of(topology, flow, limit)?;
    let topics = [topic.to_owned()];
    among(
        (topic, removed),
        has_transactions,
        || target.positions(limit),
        || source.offsets(&topics, At::Latest, limit),
        || Ok(limit.pause(mm2::NOTED * 3 / 2)?),
    )
}

/// The same, by what `positions` and `ends` tell, before a `pause` and after it.
fn among(
    (topic, removed): (&str, &[Truncated]),
    has_transactions: bool,
    mut positions: impl FnMut() -> Result<Positions, KafkaError>,
    mut ends: impl FnMut() -> Result<BTreeMap<(String, i32), i64>, KafkaError>,
    pause: impl FnOnce() -> Result<(), KafkaError>,
) -> Result<NeverCopied, KafkaError> {
    let mut look = || {
        // before the ends: one that is noted meanwhile is no older than they are
        let positions = positions()?;
        let ends = ends()?;
        let judged = removed.iter().map(|one| {
            let place = (topic.to_owned(), one.partition);
            let noted = positions.get(&place).map(|position| position.offset);
            let end = ends.get(&place).copied().unwrap_or(one.now);
            let range = (one.was, one.now);
            let never = NeverCopied::among_removed(range, end, noted, has_transactions);
            (never, noted >= Some(one.now))
        });
        Ok::<Vec<(NeverCopied, bool)>, KafkaError>(judged.collect())
    };
    let first = look()?;
    let of_first = || first.iter().map(|(never, _)| *never);
    if of_first().sum::<NeverCopied>() == NeverCopied::default() {
        return Ok(NeverCopied::default());
    }
    pause()?;
    let again = of_first().zip(look()?);
    Ok(again
        .map(|(first, (later, is_past))| first.seen_again(later, is_past))
        .sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::mirror_state::Position;
    use std::cell::Cell;

    /// Of 100 offsets that were removed: what is told where the first look finds the position and the end at these, and each
    /// later question finds both so many further.
    fn told(noted: i64, end: i64, grows: i64) -> NeverCopied {
        let asked = Cell::new(-1);
        let further = || {
            asked.set(asked.get() + 1);
            asked.get() * grows
        };
        let removed = [Truncated {
            partition: 0,
            was: 0,
            now: 100,
        }];
        let never = among(
            ("t", &removed),
            false,
            || {
                let position = Position {
                    offset: noted + further(),
                    key: Vec::new(),
                    time: None,
                    kept_in: 0,
                };
                Ok(BTreeMap::from([(("t".to_owned(), 0), position)]))
            },
            || Ok(BTreeMap::from([(("t".to_owned(), 0), end + further())])),
            || Ok(()),
        );
        never.unwrap()
    }

    #[test]
    fn what_is_copied_while_more_is_produced_is_not_told_as_lost() {
        let of_records = |records| NeverCopied {
            records,
            ..NeverCopied::default()
        };
        assert_eq!(told(150, 151, 20), NeverCopied::default());
        let late = NeverCopied {
            late: 9,
            ..NeverCopied::default()
        };
        assert_eq!(told(90, 110, 20), late);
        assert_eq!(told(90, 110, 0), of_records(9));
        assert_eq!(told(150, 100, 0), of_records(100), "of another topic");
    }
}
