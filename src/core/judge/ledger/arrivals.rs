//! Records what arrived at a flow's target during a run.

use super::bits::Bits;
use super::latency::Latencies;
use super::sent::Sent;
use super::stamp::{RunId, Stamp, StampCheck};
use kmk_kafka::message::RecordRef;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;

/// How often a record may come before its times are counted singly.
const LAYERS: usize = 4;
/// How many offsets of corrupted records are kept.
const PLACES: usize = 20;

/// The target's side of the ledger.
#[derive(Debug, Clone)]
pub struct Arrivals {
    run: RunId,
    pub(super) partitions: BTreeMap<i32, Arrived>,
    /// What had come, where the target was read once more in the end.
    pub(super) came: BTreeMap<i32, Arrived>,
    pub(super) corrupted: DamagedRecords,
    pub(super) misplaced: DamagedRecords,
    pub(super) unrelated: UnrelatedRecords,
    pub(super) times: Latencies,
    pub(super) last_at: Option<u64>,
}

/// Records that are there, and are not what was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DamagedRecords {
    /// How many.
    pub records: u64,
    /// Where the first twenty of them are on the target.
    pub first: Vec<RecordPosition>,
}

/// Where a record is on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RecordPosition {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
}

/// Records that are none of this run's. They are counted, and not judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UnrelatedRecords {
    /// Those of other runs.
    pub other_runs: u64,
    /// Those of no run.
    pub no_run: u64,
}

/// What arrived of what was sent to one partition, in that partition.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrived {
    /// In the n-th of them (from 0) stands what came more than n times.
    layers: Vec<Bits>,
    /// What came more often than there are layers: how often.
    often: BTreeMap<u64, u64>,
    /// What came for the first time behind one with a higher number.
    pub(super) late: Bits,
    highest: Option<u64>,
    /// How many came, each as often as it came.
    pub(super) deliveries: u64,
}

impl Arrivals {
    /// Of a run of which nothing has arrived.
    pub fn new(run: RunId) -> Self {
        Self {
            run,
            partitions: BTreeMap::new(),
            came: BTreeMap::new(),
            corrupted: DamagedRecords::default(),
            misplaced: DamagedRecords::default(),
            unrelated: UnrelatedRecords::default(),
            times: Latencies::default(),
            last_at: None,
        }
    }

    /// Takes note of a record on the target; those of a partition come in the order of their offsets, each offset once.
    /// `now` is in microseconds since the run began, by the clock of the stamps.
    pub fn arrive(&mut self, record: &RecordRef<'_>, now: u64) {
        let place = RecordPosition {
            partition: record.partition,
            offset: record.offset,
        };
        let stamp = match Stamp::read(record.value.unwrap_or_default()) {
            StampCheck::Unstamped => {
                self.unrelated.no_run += 1;
                return;
            }
            StampCheck::Corrupted => return self.corrupted.add(place),
            StampCheck::Stamped(stamp) if stamp.run != self.run => {
                self.unrelated.other_runs += 1;
                return;
            }
            StampCheck::Stamped(stamp) => stamp,
        };
        // a run sends neither keys nor headers
        if record.key.is_some() || !record.headers.is_empty() {
            return self.corrupted.add(place);
        }
        if stamp.partition != record.partition {
            return self.misplaced.add(place);
        }
        let partition = self.partitions.entry(record.partition).or_default();
        if partition.add(stamp.sequence) {
            self.times.add(now.saturating_sub(stamp.sent_at));
        }
        self.last_at = Some(now);
    }

    /// Goes by what the target holds in the end: what had come by then need not be there any more. When it came stays
    /// known, and that it came spoilt or late.
    pub fn replace(&mut self, held: Self) {
        let came = std::mem::replace(self, held);
        self.corrupted = came.corrupted.or_more(self.corrupted.clone());
        self.misplaced = came.misplaced.or_more(self.misplaced.clone());
        for (number, came) in &came.partitions {
            self.partitions.entry(*number).or_default().keep_late(came);
        }
        self.came = came.partitions;
        self.times = came.times;
        self.last_at = came.last_at;
    }

    /// Whether every acknowledged record has arrived. Cheap as long as that cannot be.
    pub fn has_all(&self, sent: &Sent) -> bool {
        self.distinct() >= sent.acknowledged()
            && sent.partitions.iter().all(|(partition, to)| {
                let arrived = self.partitions.get(partition);
                let mut ranges = to.acknowledged.iter();
                ranges.all(|range| arrived.is_some_and(|arrived| arrived.has_all(range)))
            })
    }

    /// How many different records have arrived.
    pub fn distinct(&self) -> u64 {
        self.partitions.values().map(Arrived::distinct).sum()
    }
}

impl DamagedRecords {
    fn add(&mut self, place: RecordPosition) {
        self.records += 1;
        if self.first.len() < PLACES {
            self.first.push(place);
        }
    }

    /// The one of two accounts of the same topic that knows of more.
    fn or_more(self, other: Self) -> Self {
        if other.records > self.records {
            other
        } else {
            self
        }
    }
}

impl Arrived {
    /// Whether it came for the first time.
    fn add(&mut self, sequence: u64) -> bool {
        self.deliveries += 1;
        let is_new = self.is_new_in(0, sequence);
        if is_new {
            if self.highest > Some(sequence) {
                self.late.insert(sequence);
            }
            self.highest = self.highest.max(Some(sequence));
        } else if (1..LAYERS).all(|layer| !self.is_new_in(layer, sequence)) {
            *self.often.entry(sequence).or_insert(LAYERS as u64) += 1;
        }
        is_new
    }

    /// What came in its order did, though it may lie behind others now that its first delivery is gone.
    fn keep_late(&mut self, came: &Self) {
        let held = std::mem::replace(&mut self.late, came.late.clone());
        for sequence in held.spans(0..u64::MAX, true).into_iter().flatten() {
            if !came.has_all(&(sequence..sequence + 1)) {
                self.late.insert(sequence);
            }
        }
    }

    fn is_new_in(&mut self, layer: usize, sequence: u64) -> bool {
        if self.layers.len() == layer {
            self.layers.push(Bits::default());
        }
        self.layers[layer].insert(sequence)
    }

    fn has_all(&self, range: &Range<u64>) -> bool {
        self.layers.first().is_some_and(|bits| bits.has_all(range))
    }

    pub(super) fn distinct(&self) -> u64 {
        self.layers.first().map_or(0, Bits::count)
    }

    /// What of a range has arrived, or (with `there` false) has not.
    pub(super) fn spans(&self, range: Range<u64>, there: bool) -> Vec<Range<u64>> {
        match self.layers.first() {
            Some(bits) => bits.spans(range, there),
            None => Bits::default().spans(range, there),
        }
    }

    /// What came more than once.
    pub(super) fn repeated(&self) -> Vec<Range<u64>> {
        let again = self.layers.get(1);
        again.map_or_else(Vec::new, |bits| bits.spans(0..u64::MAX, true))
    }

    /// How often a record came.
    pub(super) fn times(&self, sequence: u64) -> u64 {
        let layers = self.layers.iter();
        let times = layers.filter(|bits| bits.contains(sequence)).count() as u64;
        self.often.get(&sequence).copied().unwrap_or(times)
    }
}
