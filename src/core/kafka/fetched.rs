//! Records that arrived together, looked at where they lie in the answers. Knows nothing of connections.

use super::{v0, wire};
use crate::core::message::RecordRef;

/// Records that arrived together.
#[derive(Debug)]
pub struct Fetched(Answers);

#[derive(Debug)]
enum Answers {
    V0(v0::Fetched),
    Wire(wire::Fetched),
}

impl From<v0::Fetched> for Fetched {
    fn from(answers: v0::Fetched) -> Self {
        Self(Answers::V0(answers))
    }
}

impl From<wire::Fetched> for Fetched {
    fn from(answers: wire::Fetched) -> Self {
        Self(Answers::Wire(answers))
    }
}

impl Fetched {
    /// The records, those of a partition in order.
    pub fn records(&self) -> Box<dyn Iterator<Item = RecordRef<'_>> + '_> {
        match &self.0 {
            Answers::V0(answers) => Box::new(answers.records()),
            Answers::Wire(answers) => Box::new(answers.records()),
        }
    }
}
