//! How far mirrored topics are behind their sources, from plain offsets and a look at records. What each number means,
//! and what it cannot know, is in `docs/lag.md`.

mod judge;
mod loss;
mod never;
mod pace;
mod past;
mod report;
mod stall;

pub use judge::{Ends, Facts, Outlook, Replica, begins_later, may_have_expired};
pub use never::NeverCopied;
pub use pace::{Pace, pace};
pub use past::{Countable, FlowMemory, Ids, Later, Past};
pub(in crate::core) use report::seconds;
pub use report::{FlowLag, LastKnown, PartitionLag, Seen, TopicLag, TopicState};
pub use stall::{Since, Stall, Standing, Watch};
