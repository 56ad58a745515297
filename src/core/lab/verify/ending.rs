//! The order of the checks at the end of a run that decide what a topic finally holds.

use crate::core::judge::ledger::Guarantee;
use kmk_kafka::KafkaError;

/// What can be done once nothing more is waited for.
pub(super) trait Steps {
    /// Reads on to where the topic ends.
    fn read_on(&mut self) -> Result<(), KafkaError>;
    /// Reads it again, unless it has gone on as it was.
    fn read_again(&mut self) -> Result<(), KafkaError>;
    /// Whether all that was sent has been read.
    fn is_complete(&self) -> bool;
    /// Waits until nothing more may come.
    fn settle(&mut self) -> Result<(), KafkaError>;
}

/// What is behind the last record that was waited for counts too: the verdict is on what the target holds in the end. With
/// exactly once, a topic that is complete is settled before that, whichever way of reading it shows it complete.
pub(super) fn look_at_the_end<S: Steps>(
    guarantee: Guarantee,
    steps: &mut S,
) -> Result<(), KafkaError> {
    let mut is_settled = guarantee != Guarantee::ExactlyOnce;
    for read in [S::read_on, S::read_again] {
        read(steps)?;
        if !is_settled && steps.is_complete() {
            is_settled = true;
            steps.settle()?;
            // what came meanwhile
            read(steps)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A topic that is complete only once it was read in these ways; what was done.
    struct Fake {
        completed_by: &'static str,
        done: Vec<&'static str>,
    }

    impl Steps for Fake {
        fn read_on(&mut self) -> Result<(), KafkaError> {
            self.done.push("on");
            Ok(())
        }

        fn read_again(&mut self) -> Result<(), KafkaError> {
            self.done.push("again");
            Ok(())
        }

        fn is_complete(&self) -> bool {
            self.done.contains(&self.completed_by)
        }

        fn settle(&mut self) -> Result<(), KafkaError> {
            self.done.push("settle");
            Ok(())
        }
    }

    #[test]
    fn what_is_found_complete_is_settled_and_then_read_to_its_end() {
        let done = |completed_by, guarantee| {
            let done = Vec::new();
            let mut fake = Fake { completed_by, done };
            look_at_the_end(guarantee, &mut fake).unwrap();
            fake.done.join(" ")
        };
        let exactly = Guarantee::ExactlyOnce;
        assert_eq!(done("on", exactly), "on settle on again");
        assert_eq!(done("again", exactly), "on again settle again");
        assert_eq!(done("nothing", exactly), "on again");
        assert_eq!(done("on", Guarantee::AtLeastOnce), "on again");
    }
}
