//! Verdicts on what was read from clusters: plain values in, a verdict out.

pub mod culprit;
pub mod drill;
pub mod explain;
pub mod failover;
pub mod health;
pub mod lag;
pub mod ledger;
pub mod line;
pub mod link;
