//! Why a topic is not, or not yet, on the target of a flow: the one answer that comes first, from plain facts.

mod answer;
mod facts;
mod judgement;

pub use answer::{Answer, Whose};
pub use facts::{
    Beyond, Contents, Facts, Failure, Missing, Obstacle, OpenTransaction, Origin, Refresh, Sight,
    Tight, Worker,
};
pub use judgement::judge;
