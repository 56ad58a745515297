//! What crossed to the target before the switch, record by record.

use super::facts::Micros;
use crate::core::judge::ledger::{Latencies, Latency, Stamp};
use std::collections::BTreeMap;

/// The drill's records as they were read on the target.
#[derive(Debug, Default)]
pub struct Crossed {
    /// By partition: the sequence number after the last one that was read.
    next: BTreeMap<i32, u64>,
    latencies: Latencies,
    arrived: Vec<(Micros, u64)>,
}

impl Crossed {
    /// A record was read; whether for the first time. How long it took counts if it was sent in the steady state.
    pub fn read(&mut self, stamp: &Stamp, at: Micros, steady: Option<Micros>) -> bool {
        let next = self.next.entry(stamp.partition).or_default();
        if stamp.sequence < *next {
            return false;
        }
        *next = stamp.sequence + 1;
        match self.arrived.last_mut() {
            Some((last, records)) if *last == at => *records += 1,
            _ => self.arrived.push((at, 1)),
        }
        if steady.is_some_and(|since| stamp.sent_at >= since) {
            self.latencies.add(at.saturating_sub(stamp.sent_at));
        }
        true
    }

    /// From sending to reading on the target, in the steady state; none where nothing was read.
    pub fn latency(&self) -> Option<Latency> {
        self.latencies.latency()
    }

    /// When how many records were read together.
    pub fn arrived(&self) -> &[(Micros, u64)] {
        &self.arrived
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::judge::ledger::RunId;
    use std::time::SystemTime;

    #[test]
    fn a_record_counts_once_and_its_time_only_in_the_steady_state() {
        let stamp = |sequence, sent_at| Stamp {
            run: RunId::new(SystemTime::UNIX_EPOCH, 1, 1),
            partition: 0,
            sequence,
            sent_at,
        };
        let mut crossed = Crossed::default();
        assert!(crossed.read(&stamp(0, 100), 900, None));
        assert!(crossed.read(&stamp(1, 200), 900, Some(300)));
        assert!(crossed.read(&stamp(2, 300), 1_100, Some(300)));
        assert!(crossed.read(&stamp(3, 1_000), 1_150, Some(300)));
        assert!(
            !crossed.read(&stamp(2, 300), 9_000, Some(300)),
            "read again"
        );
        assert_eq!(crossed.arrived(), [(900, 2), (1_100, 1), (1_150, 1)]);
        let latency = crossed.latency().unwrap();
        assert_eq!((latency.min, latency.max), (150, 800));
        let records: u64 = latency.histogram.iter().map(|one| one.records).sum();
        assert_eq!(records, 2);
    }
}
