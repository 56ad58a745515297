//! What the coordinator's error codes mean to a member.

use crate::code::Code;
use kafka_protocol::error::ResponseError;

/// What an answer of the coordinator comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All is well.
    Fine,
    /// The member has a name now, and joins with it (KIP-394).
    Named,
    /// The group is rebalancing: join again.
    Rebalance,
    /// The group has gone on without this member: join again under the same name.
    Left,
    /// The coordinator does not know the name: join as somebody new.
    Unknown,
    /// Find the coordinator again, and try again.
    Later,
    /// Nothing that joining again would heal.
    Refused,
}

impl Verdict {
    pub(super) fn of(code: i16) -> Self {
        use ResponseError as E;
        match Code::of(code) {
            None => Self::Fine,
            Some(Code(E::MemberIdRequired)) => Self::Named,
            Some(Code(E::RebalanceInProgress)) => Self::Rebalance,
            Some(Code(E::IllegalGeneration)) => Self::Left,
            Some(Code(E::UnknownMemberId | E::FencedInstanceId)) => Self::Unknown,
            Some(code) if code.is_retriable() => Self::Later,
            Some(_) => Self::Refused,
        }
    }

    /// Whether the member's word counts for nothing any more.
    pub(super) fn is_out(self) -> bool {
        matches!(self, Self::Left | Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_of_a_coordinator_has_its_meaning() {
        for (code, verdict) in [
            (0, Verdict::Fine),
            (14, Verdict::Later),
            (15, Verdict::Later),
            (16, Verdict::Later),
            (22, Verdict::Left),
            (23, Verdict::Refused),
            (24, Verdict::Refused),
            (25, Verdict::Unknown),
            (26, Verdict::Refused),
            (27, Verdict::Rebalance),
            (30, Verdict::Refused),
            (79, Verdict::Named),
            (81, Verdict::Refused),
            (82, Verdict::Unknown),
            (-1, Verdict::Refused),
            (999, Verdict::Refused),
        ] {
            assert_eq!(Verdict::of(code), verdict, "{code}");
        }
    }
}
