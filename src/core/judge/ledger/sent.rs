//! Records what a run has sent into one topic, and what of it is acknowledged.

use super::stamp::RunId;
use std::collections::BTreeMap;
use std::ops::Range;

/// The source's side of the ledger.
#[derive(Debug, Clone)]
pub struct Sent {
    pub(super) run: RunId,
    pub(super) partitions: BTreeMap<i32, SentTo>,
}

/// The same for one partition.
#[derive(Debug, Clone, Default)]
pub(super) struct SentTo {
    /// How many were sent: the sequence number of the next one.
    pub(super) sent: u64,
    /// Those that are acknowledged: disjoint, in order, none beside another.
    pub(super) acknowledged: Vec<Range<u64>>,
}

impl Sent {
    /// Of a run that has sent nothing.
    pub fn new(run: RunId) -> Self {
        Self {
            run,
            partitions: BTreeMap::new(),
        }
    }

    /// The run.
    pub fn run(&self) -> RunId {
        self.run
    }

    /// Counts one more record as sent to a partition. Its sequence number.
    pub fn next(&mut self, partition: i32) -> u64 {
        let to = self.partitions.entry(partition).or_default();
        to.sent += 1;
        to.sent - 1
    }

    /// Takes note that the records of a partition with these sequence numbers are acknowledged.
    pub fn acknowledge(&mut self, partition: i32, sequences: Range<u64>) {
        if sequences.is_empty() {
            return;
        }
        let to = self.partitions.entry(partition).or_default();
        match to.acknowledged.last_mut() {
            Some(last) if last.end == sequences.start => last.end = sequences.end,
            Some(last) if last.end > sequences.start => to.mend(sequences),
            _ => to.acknowledged.push(sequences),
        }
    }

    /// How many records were sent.
    pub fn sent(&self) -> u64 {
        self.partitions.values().map(|to| to.sent).sum()
    }

    /// How many of them are acknowledged.
    pub fn acknowledged(&self) -> u64 {
        let all = self.partitions.values().flat_map(|to| &to.acknowledged);
        all.map(|range| range.end - range.start).sum()
    }
}

impl SentTo {
    /// Puts a range where it belongs: acknowledgements of a partition come in order as a rule.
    fn mend(&mut self, range: Range<u64>) {
        self.acknowledged.push(range);
        self.acknowledged.sort_by_key(|range| range.start);
        let mut joined: Vec<Range<u64>> = Vec::with_capacity(self.acknowledged.len());
        for range in self.acknowledged.drain(..) {
            match joined.last_mut() {
                Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        self.acknowledged = joined;
    }

    /// What was sent and is not acknowledged.
    pub(super) fn unacknowledged(&self) -> Vec<Range<u64>> {
        let mut gaps = Vec::new();
        let mut from = 0;
        for range in &self.acknowledged {
            if from < range.start {
                gaps.push(from..range.start);
            }
            from = range.end;
        }
        if from < self.sent {
            gaps.push(from..self.sent);
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::super::stamp::tests::run;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_begin_at_0_in_each_partition() {
        let mut sent = Sent::new(run(1));
        let numbers: Vec<u64> = [0, 1, 0, 0, 1].map(|partition| sent.next(partition)).into();
        assert_eq!(numbers, [0, 0, 1, 2, 1]);
        assert_eq!((sent.sent(), sent.acknowledged()), (5, 0));
    }

    proptest! {
        #[test]
        fn every_record_is_acknowledged_or_not(
            count in 1..60_u64, ranges in proptest::collection::vec((0..60_u64, 0..9_u64), 0..12)
        ) {
            let mut sent = Sent::new(run(1));
            for _ in 0..count {
                sent.next(0);
            }
            let mut acknowledged = BTreeSet::new();
            for (start, length) in ranges {
                let range = start.min(count)..(start + length).min(count);
                acknowledged.extend(range.clone());
                sent.acknowledge(0, range);
            }
            prop_assert_eq!(sent.acknowledged(), acknowledged.len() as u64);
            let open: Vec<u64> = sent.partitions[&0].unacknowledged().into_iter().flatten().collect();
            let expected: Vec<u64> = (0..count).filter(|n| !acknowledged.contains(n)).collect();
            prop_assert_eq!(open, expected);
        }
    }
}
