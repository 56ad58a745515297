//! The verdict on a run through one flow: what was sent against what arrived. Pure: plain values in, plain values out.
//! As JSON, fields keep their names and meanings; new ones may come.

use super::arrivals::{Arrivals, Arrived, DamagedRecords, UnrelatedRecords};
use super::latency::Latency;
use super::sent::{Sent, SentTo};
use super::span::{Span, total};
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::Range;

/// Whether a record that arrives more than once is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// No: each arrives, some more than once after a failure. What MirrorMaker promises unless told otherwise.
    AtLeastOnce,
    /// Yes.
    ExactlyOnce,
}

/// The account of one flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The run's number, which stands on each of its records.
    pub run: String,
    /// Records that were sent.
    pub sent: u64,
    /// Those of them that the source acknowledged.
    pub acknowledged: u64,
    /// Those of the sent ones that arrived, each counted once.
    pub arrived: u64,
    /// Acknowledged records that are not on the target.
    pub missing: u64,
    /// Those of the missing ones that had arrived, and were no longer there in the end.
    #[serde(rename = "disappeared")]
    pub gone: u64,
    /// Deliveries of records that had arrived before.
    pub duplicated: u64,
    /// Records that arrived for the first time behind one that was sent later to the same partition.
    pub reordered: u64,
    /// Records with the beginning of a stamp whose checksum is wrong, or with a key or headers, which none was sent with.
    pub corrupted: DamagedRecords,
    /// Records in another partition than the one they were sent to.
    #[serde(rename = "wrong_partition")]
    pub misplaced: DamagedRecords,
    /// Records that bear this run's number and that it never sent: another run has the same number.
    #[serde(rename = "never_sent")]
    pub impossible: u64,
    /// Records that the source did not acknowledge, and that are on the target all the same. No error.
    pub unacknowledged_present: u64,
    /// Records that the source did not acknowledge, and that are not on the target. No error.
    pub unacknowledged_absent: u64,
    /// Records that are none of this run's.
    pub unrelated: UnrelatedRecords,
    /// How long the records took; none where none arrived.
    pub latency: Option<Latency>,
    /// When the last of them arrived, in microseconds since the run began; none where none did.
    pub last_arrival: Option<u64>,
    /// The partitions that something was sent to, or arrived in.
    pub partitions: Vec<PartitionAccount>,
}

/// The account of one partition. Records are named by their sequence numbers in it, which begin at 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionAccount {
    /// Its number.
    pub partition: i32,
    /// Records that were sent to it.
    pub sent: u64,
    /// Those of them that the source acknowledged.
    pub acknowledged: u64,
    /// Those of the sent ones that arrived, each counted once.
    pub arrived: u64,
    /// Acknowledged records that are not on the target.
    pub missing: Vec<Span>,
    /// Those of the missing ones that had arrived, and were no longer there in the end.
    #[serde(rename = "disappeared")]
    pub gone: Vec<Span>,
    /// How many of the missing ones come after the last one that arrived.
    pub missing_at_the_end: u64,
    /// Records that arrived more than once.
    pub duplicated: Vec<Repeated>,
    /// Records that arrived for the first time behind one that was sent later.
    pub reordered: Vec<Span>,
    /// Records that the source did not acknowledge, and that arrived.
    pub unacknowledged_present: Vec<Span>,
    /// Records that the source did not acknowledge, and that did not arrive.
    pub unacknowledged_absent: Vec<Span>,
    /// Records that were never sent.
    #[serde(rename = "never_sent")]
    pub impossible: Vec<Span>,
}

/// Records that arrived equally often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Repeated {
    /// Which.
    #[serde(flatten)]
    pub span: Span,
    /// How often each of them arrived: 2 or more.
    pub times: u64,
}

/// Sets what was sent against what arrived.
pub fn judge(sent: &Sent, arrivals: &Arrivals) -> Account {
    let numbers: BTreeSet<i32> = sent
        .partitions
        .keys()
        .chain(arrivals.partitions.keys())
        .copied()
        .collect();
    let nothing = (SentTo::default(), Arrived::default());
    let partitions: Vec<PartitionAccount> = numbers
        .into_iter()
        .map(|number| {
            let to = sent.partitions.get(&number).unwrap_or(&nothing.0);
            let arrived = arrivals.partitions.get(&number).unwrap_or(&nothing.1);
            let came = arrivals.came.get(&number).unwrap_or(&nothing.1);
            partition(number, to, arrived, came)
        })
        .collect();
    let sum = |of: fn(&PartitionAccount) -> u64| partitions.iter().map(of).sum();
    let arrived = arrivals.partitions.values();
    Account {
        run: sent.run.to_string(),
        sent: sent.sent(),
        acknowledged: sent.acknowledged(),
        arrived: sum(|one| one.arrived),
        missing: sum(|one| total(&one.missing)),
        gone: sum(|one| total(&one.gone)),
        duplicated: arrived.map(|one| one.deliveries - one.distinct()).sum(),
        reordered: sum(|one| total(&one.reordered)),
        corrupted: arrivals.corrupted.clone(),
        misplaced: arrivals.misplaced.clone(),
        impossible: sum(|one| total(&one.impossible)),
        unacknowledged_present: sum(|one| total(&one.unacknowledged_present)),
        unacknowledged_absent: sum(|one| total(&one.unacknowledged_absent)),
        unrelated: arrivals.unrelated,
        latency: arrivals.times.latency(),
        last_arrival: arrivals.last_at,
        partitions,
    }
}

fn partition(number: i32, sent: &SentTo, arrived: &Arrived, came: &Arrived) -> PartitionAccount {
    let present = arrived.spans(0..sent.sent, true);
    let within = |ranges: &[Range<u64>], there| {
        let spans = ranges
            .iter()
            .flat_map(|range| arrived.spans(range.clone(), there));
        spans.map(|range| Span::of(&range)).collect::<Vec<_>>()
    };
    let unacknowledged = sent.unacknowledged();
    let missing = within(&sent.acknowledged, false);
    let end = present.last().map_or(0, |range| range.end);
    let gone = missing
        .iter()
        .flat_map(|span| came.spans(span.first..span.last + 1, true));
    let gone = gone.map(|range| Span::of(&range)).collect();
    let behind = missing.iter().filter(|span| span.first >= end);
    PartitionAccount {
        partition: number,
        sent: sent.sent,
        acknowledged: sent
            .acknowledged
            .iter()
            .map(|range| range.end - range.start)
            .sum(),
        arrived: present.iter().map(|range| range.end - range.start).sum(),
        missing_at_the_end: behind.map(|span| span.count()).sum(),
        missing,
        gone,
        duplicated: repeated(arrived),
        reordered: spans(&arrived.late.spans(0..u64::MAX, true)),
        unacknowledged_present: within(&unacknowledged, true),
        unacknowledged_absent: within(&unacknowledged, false),
        impossible: spans(&arrived.spans(sent.sent..u64::MAX, true)),
    }
}

fn spans(ranges: &[Range<u64>]) -> Vec<Span> {
    ranges.iter().map(Span::of).collect()
}

/// What came more than once, those beside each other together that came equally often.
fn repeated(arrived: &Arrived) -> Vec<Repeated> {
    let mut all: Vec<Repeated> = Vec::new();
    for sequence in arrived.repeated().into_iter().flatten() {
        let times = arrived.times(sequence);
        match all.last_mut() {
            Some(last) if last.times == times && last.span.last + 1 == sequence => {
                last.span.last = sequence;
            }
            _ => all.push(Repeated {
                span: Span::of(&(sequence..sequence + 1)),
                times,
            }),
        }
    }
    all
}

impl Account {
    /// Whether every acknowledged record arrived unchanged and in its order, and nothing came up that cannot be.
    pub fn is_sound(&self, guarantee: Guarantee) -> bool {
        let spoilt = self.corrupted.records + self.misplaced.records + self.impossible;
        let repeats = match guarantee {
            Guarantee::AtLeastOnce => 0,
            Guarantee::ExactlyOnce => self.duplicated,
        };
        self.missing + self.reordered + spoilt + repeats == 0
    }
}

impl PartitionAccount {
    /// Whether records were acknowledged and none of all that were sent arrived.
    pub fn is_lost(&self) -> bool {
        self.acknowledged > 0 && self.arrived == 0
    }
}
