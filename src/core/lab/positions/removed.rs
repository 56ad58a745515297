//! Whether records that were removed from a source had been mirrored, by MirrorMaker's positions. Removes nothing.

use super::super::topics::Truncated;
use super::{Positions, Target};
use crate::core::judge::lag::NeverCopied;
use crate::core::mirrormaker::config;
use crate::core::observe::connect_patiently;
use crate::core::topology::{Flow, TRANSACTIONS, Topology};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long MirrorMaker may take to note what it has copied already.
const NOTES: Duration = Duration::from_millis(400);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(50);

/// What one look shows of a partition, and whether MirrorMaker's position is behind what is removed.
type Look = (NeverCopied, bool);

/// Both ends of a flow, and its topic.
struct Ends<'a> {
    source: Admin,
    target: Target<'a>,
    topic: &'a str,
    has_transactions: bool,
}

impl<'a> Ends<'a> {
    fn of(
        topology: &Topology,
        flow: &'a Flow,
        topic: &'a str,
        limit: &Limit,
    ) -> Result<Self, KafkaError> {
        let mut source = connect_patiently(topology, &flow.spec.source, limit)?;
        Ok(Self {
            has_transactions: source.topics(limit)?.contains_key(TRANSACTIONS),
            source,
            target: Target::of(topology, flow, limit)?,
            topic,
        })
    }

    fn look(&mut self, removed: &[Truncated], limit: &Limit) -> Result<Vec<Look>, KafkaError> {
        let topics = [self.topic.to_owned()];
        look(
            (self.topic, removed),
            self.has_transactions,
            || self.target.positions(limit),
            || self.source.offsets(&topics, At::Latest, limit),
        )
    }
}

/// Of records that are about to be removed from a topic of the flow's source, those that do not seem to be mirrored. What
/// MirrorMaker has copied already, it is given time to note.
///
/// # Errors
/// When an end of the flow does not answer.
pub fn not_yet_copied(
    topology: &Topology,
    flow: &Flow,
    topic: &str,
    meant: &[Truncated],
    limit: &Limit,
) -> Result<Vec<NeverCopied>, KafkaError> {
    let mut ends = Ends::of(topology, flow, topic, limit)?;
    let patience = limit.at_most(NOTES);
    loop {
        let seen = ends.look(meant, limit)?.into_iter();
        let seen: Vec<NeverCopied> = seen.map(|(never, _)| never).collect();
        if is_nothing(&seen) || patience.remaining().is_zero() {
            return Ok(seen);
        }
        patience.pause(LOOK)?;
    }
}

/// Of records that were removed, those that were not mirrored before. `before` is what was seen before that
/// ([`not_yet_copied`]).
///
/// # Errors
/// When an end of the flow does not answer.
pub fn never_copied(
    topology: &Topology,
    flow: &Flow,
    topic: &str,
    (removed, before): (&[Truncated], &[NeverCopied]),
    limit: &Limit,
) -> Result<NeverCopied, KafkaError> {
    if is_nothing(before) {
        return Ok(NeverCopied::default());
    }
    limit.pause(config::NOTED * 3 / 2)?;
    let later = Ends::of(topology, flow, topic, limit)?.look(removed, limit)?;
    Ok(in_both(before, later))
}

fn is_nothing(never: &[NeverCopied]) -> bool {
    never.iter().all(|one| *one == NeverCopied::default())
}

fn in_both(before: &[NeverCopied], later: Vec<Look>) -> NeverCopied {
    let both = before.iter().zip(later);
    both.map(|(before, (later, is_past))| before.seen_again(later, is_past))
        .sum()
}

fn look(
    (topic, removed): (&str, &[Truncated]),
    has_transactions: bool,
    positions: impl FnOnce() -> Result<Positions, KafkaError>,
    ends: impl FnOnce() -> Result<BTreeMap<(String, i32), i64>, KafkaError>,
) -> Result<Vec<Look>, KafkaError> {
    // before the ends: a position committed meanwhile is no older than they are
    let positions = positions()?;
    let ends = ends()?;
    let judged = removed.iter().map(|one| {
        let place = (topic.to_owned(), one.partition);
        let position = positions.get(&place).map(|position| position.offset);
        let end = ends.get(&place).copied().unwrap_or(one.now);
        let range = (one.was, one.now);
        let never = NeverCopied::among_removed(range, end, position, has_transactions);
        (never, position >= Some(one.now))
    });
    Ok(judged.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::mirrormaker::state::Position;
    use std::cell::Cell;

    /// Of 100 offsets that were removed: what is told where the first look finds the position and the end at these, and each
    /// later question finds both that much further.
    fn told(position: i64, end: i64, grows: i64) -> NeverCopied {
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
        let one = || {
            look(
                ("t", &removed),
                false,
                || {
                    let position = Position {
                        offset: position + further(),
                        key: Vec::new(),
                        time: None,
                        kept_in: 0,
                    };
                    Ok(BTreeMap::from([(("t".to_owned(), 0), position)]))
                },
                || Ok(BTreeMap::from([(("t".to_owned(), 0), end + further())])),
            )
            .unwrap()
        };
        let before: Vec<NeverCopied> = one().into_iter().map(|(never, _)| never).collect();
        in_both(&before, one())
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
