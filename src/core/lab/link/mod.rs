//! The link of a flow, from the source to its MirrorMaker beside the target.

mod relay;
mod shape;
mod shaped;

pub use relay::RelayError;
pub(super) use shaped::{delay, problems, put_all};
