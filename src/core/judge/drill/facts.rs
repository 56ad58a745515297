//! What a drill has seen.

use crate::core::judge::failover::Amount;
use crate::core::judge::ledger::RecordPosition;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A moment in microseconds since the drill began, by one clock that only goes forward.
pub type Micros = u64;

/// All that was seen.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// When what happened.
    pub times: Times,
    /// Whether the failover was planned: then nothing may be lost.
    pub is_planned: bool,
    /// How many records were sent to the source, by partition: their sequence numbers go from 0 up to this.
    pub sent: BTreeMap<i32, u64>,
    /// What of it the source acknowledged.
    pub acknowledged: Vec<Acknowledged>,
    /// What was found on either side.
    pub sides: Sides,
    /// Records that the old side acknowledged to a producer that did not know of the switch; none where there was no such
    /// producer.
    pub late_writes: Option<u64>,
    /// What the target acknowledged after the switch.
    pub written_after: Vec<Acknowledged>,
    /// The groups.
    pub groups: Vec<GroupFacts>,
}

/// Where the records were found.
#[derive(Debug, Clone, Default)]
pub struct Sides {
    /// On the target once MirrorMaker had ended, with the offset of each copy, in order.
    pub target: BTreeMap<RecordId, Vec<i64>>,
    /// Other records that were found on the target: changed, in another partition, or of somebody else.
    pub unknown: Vec<RecordPosition>,
    /// On the source once it was back; none where it was not read.
    pub source: Option<BTreeSet<RecordId>>,
}

/// One of the drill's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The partition that it was sent to.
    pub partition: i32,
    /// Its number in that partition, from 0.
    pub sequence: u64,
}

/// Records that were acknowledged together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// Their partition.
    pub partition: i32,
    /// Their sequence numbers.
    pub sequences: Range<u64>,
    /// The offset of the first of them; none where the cluster did not say. The others follow it.
    pub offset: Option<i64>,
    /// When the acknowledgement was there.
    pub at: Micros,
}

/// Two readings of the clock, around something that cannot be timed itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bracket {
    /// Before it.
    pub from: Micros,
    /// After it.
    pub until: Micros,
}

/// When what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// The fault, or the last record of a planned failover.
    pub fault: Bracket,
    /// An acknowledgement no later than this was given before the fault. Where the source died all were: what dies
    /// acknowledges nothing.
    pub acknowledged_before: Micros,
    /// Applications noticed.
    pub detected: Micros,
    /// Somebody decided to fail over.
    pub decided: Micros,
    /// Nothing is written to the source or copied from it any more.
    pub fenced: Micros,
    /// Consumers and producers are connected to the target.
    pub switched: Micros,
    /// The target acknowledged the first record; none where it did not.
    pub first_write: Option<Micros>,
}

/// When a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Era {
    /// To the source, before the switch.
    Before,
    /// To the target, after the switch.
    After,
}

/// A record that a group was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// When.
    pub at: Micros,
    /// When it was written.
    pub era: Era,
    /// Which one.
    pub record: RecordId,
    /// Its offset where it was read.
    pub offset: i64,
    /// Its key.
    pub key: u32,
}

/// What is known of a group.
#[derive(Debug, Clone, Default)]
pub struct GroupFacts {
    /// What the drill calls it.
    pub name: String,
    /// What it was given on the source, in order.
    pub before: Vec<Given>,
    /// What it was given on the target, in order.
    pub after: Vec<Given>,
    /// The offsets that it committed on the source, by partition.
    pub committed: BTreeMap<i32, i64>,
    /// The same, with those of a commit that got no answer: the source may have taken it.
    pub asked: BTreeMap<i32, i64>,
    /// What was predicted for it just before the fault, by partition.
    pub predicted: BTreeMap<i32, Predicted>,
    /// Where it stood on the target when it was switched: partitions without a committed offset there are left out.
    pub synced: BTreeMap<i32, i64>,
}

/// What was predicted for a group in a partition, as if it went on at the target at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Predicted {
    /// Records that it would be given again.
    pub again: Amount,
    /// Records that it would not be given.
    pub skipped: Amount,
    /// Its committed offset on the source then.
    pub committed: i64,
    /// Its committed offset on the target then, if there was one.
    pub synced: Option<i64>,
    /// Where the mirrored partition ended then; 0 where that was not known.
    pub target_end: i64,
}

impl Facts {
    /// Whether a record was sent.
    pub(super) fn was_sent(&self, record: RecordId) -> bool {
        let sent = self.sent.get(&record.partition);
        sent.is_some_and(|sent| record.sequence < *sent)
    }

    pub(super) fn is_on_target(&self, record: RecordId) -> bool {
        self.sides.target.contains_key(&record)
    }
}
