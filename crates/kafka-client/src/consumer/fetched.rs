//! Records that arrived together, read in place in the answers.

use super::wire;
use crate::crate_v0;
use crate::error::KafkaError;
use crate::message::RecordRef;
use std::ops::ControlFlow;

/// Records that arrived together.
#[derive(Debug)]
pub struct Fetched(Answers);

#[derive(Debug)]
enum Answers {
    V0(crate_v0::Fetched),
    Wire(wire::Fetched),
}

impl From<crate_v0::Fetched> for Fetched {
    fn from(answers: crate_v0::Fetched) -> Self {
        Self(Answers::V0(answers))
    }
}

impl From<wire::Fetched> for Fetched {
    fn from(answers: wire::Fetched) -> Self {
        Self(Answers::Wire(answers))
    }
}

impl Fetched {
    /// Shows the records to `take`, those of a partition in order, until it has enough.
    ///
    /// # Errors
    /// [`KafkaError::Garbled`] at a record that makes no sense; or what `take` returns.
    pub fn each<E: From<KafkaError>>(
        &self,
        mut take: impl FnMut(RecordRef<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        match &self.0 {
            Answers::V0(answers) => {
                for record in answers.records() {
                    if take(record)?.is_break() {
                        break;
                    }
                }
                Ok(())
            }
            Answers::Wire(answers) => answers.each(take),
        }
    }

    /// Where partitions go on once all of these records are dealt with, behind what is not for readers too: the marks
    /// that end a transaction. The crate tells nothing of it.
    pub fn reached(&self) -> &[(i32, i64)] {
        match &self.0 {
            Answers::V0(_) => &[],
            Answers::Wire(answers) => answers.reached(),
        }
    }
}
