//! The outcome of a run of produce.

use super::LinesError;
use kmk_kafka::{Backend, KafkaError, Tally};
use std::time::Duration;

/// The outcome.
#[derive(Debug)]
pub struct ProduceReport {
    /// What was acknowledged, by partition, and what is uncertain.
    pub tally: Tally,
    /// How many records were taken from the input and never acknowledged. What comes later in the input does not
    /// count; nor do those of [`Tally::in_doubt`] that were written all the same.
    pub not_acknowledged: u64,
    /// From the first record to the last acknowledgement.
    pub elapsed: Duration,
    /// Which client wrote, and why; none where there was nothing to write.
    pub backend: Option<Backend>,
    /// How it ended.
    pub end: ProduceEnd,
}

/// How sending ended.
#[derive(Debug)]
pub enum ProduceEnd {
    /// Every record is acknowledged.
    Complete,
    /// The same, and the input had fewer than were asked for.
    Short {
        /// How many were asked for.
        asked: u64,
    },
    /// The person interrupted.
    Interrupted,
    /// The broker refused permanently, or for too long.
    GaveUp(KafkaError),
    /// The input broke off; every record before is acknowledged.
    Input(LinesError),
}

impl ProduceReport {
    /// With fewer records than were asked for, an end of the input is none of the run.
    pub(super) fn measured(mut self, asked: Option<u64>) -> Self {
        let all = self.tally.acknowledged();
        if let (ProduceEnd::Complete, Some(asked)) = (&self.end, asked.filter(|asked| *asked > all))
        {
            self.end = ProduceEnd::Short { asked };
        }
        self
    }

    pub(super) fn nothing(end: ProduceEnd) -> Self {
        Self {
            tally: Tally::default(),
            not_acknowledged: 0,
            elapsed: Duration::ZERO,
            backend: None,
            end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_ends_too_soon_makes_no_complete_run() {
        let end = |asked| {
            ProduceReport::nothing(ProduceEnd::Complete)
                .measured(asked)
                .end
        };
        assert!(matches!(end(None), ProduceEnd::Complete));
        assert!(matches!(end(Some(5)), ProduceEnd::Short { asked: 5 }));
        let stopped = ProduceReport::nothing(ProduceEnd::Interrupted).measured(Some(5));
        assert!(matches!(stopped.end, ProduceEnd::Interrupted));
    }
}
