//! How far a run had come at which time, for the timeline of its report.

use kafka_mirror_kit::core::lab::verify::Progress;
use std::time::Duration;

/// At most this many are kept, however long the run: a picture shows no more.
const MOST: usize = 600;

/// What was seen, evenly spread over the run.
#[derive(Default)]
pub(super) struct Samples {
    kept: Vec<Progress>,
    /// What came last is kept too.
    last: Option<Progress>,
    every: Duration,
}

impl Samples {
    pub(super) fn add(&mut self, at: &Progress) {
        self.last = Some(at.clone());
        let is_due = |last: &Progress| at.elapsed >= last.elapsed + self.every;
        if !self.kept.last().is_none_or(is_due) {
            return;
        }
        self.kept.push(at.clone());
        if self.kept.len() == MOST {
            let mut at = 0;
            self.kept.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            let spread =
                (self.kept.windows(2)).map(|two| two[1].elapsed.saturating_sub(two[0].elapsed));
            self.every = spread.max().unwrap_or_default();
        }
    }

    /// In order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Progress> {
        let end = self.kept.last().map(|last| last.elapsed);
        let last = self
            .last
            .iter()
            .filter(move |last| Some(last.elapsed) > end);
        self.kept.iter().chain(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_has_as_many_samples_as_a_picture_shows() {
        for count in [1, 10, 599, 600, 601, 36_000] {
            let mut samples = Samples::default();
            for n in 1..=count {
                samples.add(&Progress {
                    elapsed: Duration::from_millis(100 * n),
                    sent: n,
                    acknowledged: n,
                    arrived: Vec::new(),
                });
            }
            let all: Vec<u64> = samples.all().map(|at| at.sent).collect();
            assert!(
                all.len() <= MOST && all.len() as u64 >= count.min(200),
                "{count}: {}",
                all.len()
            );
            assert_eq!((all[0], all[all.len() - 1]), (1, count));
            assert!(all.is_sorted());
            let gaps = all.windows(2).map(|two| two[1] - two[0]);
            assert!(gaps.max().unwrap_or(0) <= count / 200 + 2, "{count}");
        }
    }
}
