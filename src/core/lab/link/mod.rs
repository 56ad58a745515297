//! The link of a flow, from the source to its MirrorMaker beside the target: cut, restored, and shown.
//!
//! MirrorMaker leaves the network of the source, and joins it again; or relays pass nothing on. Brokers and the clients of this
//! machine do not notice. The journal says which of these cuts were asked for.

mod cut;
mod half_open;
mod heal;
mod kept;
mod look;
mod measure;
mod relay;
mod set;
mod shape;
mod shaped;

pub use cut::{CutLink, cut, hold};
pub(super) use cut::{entry, note};
pub use half_open::half_open;
pub use heal::{Heal, HealedLinks, heal};
pub(super) use kept::KeptCuts;
pub use look::look;
pub(super) use look::{is_cut, network, networks, workers};
pub use measure::{load, measured};
pub(super) use measure::{notes, remove_leftovers};
pub use relay::RelayError;
pub use set::{add, set};
pub(super) use shaped::{delay, longest_answer, problems, put_all, put_some};

use super::{Lab, LabError};
use crate::core::docker::{Docker, DockerError};
use crate::core::lab::deploy::DeployError;
use crate::core::lab::lock::{self, Lock, LockError};
use kmk_kafka::wait::{Interrupt, Limit, Stop};
use std::time::Duration;

/// Why a link is not, or not wholly, cut or restored.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no such lab, or none that this kmk understands.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Another kmk is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Docker refused.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// A relay does not do what is asked of it.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// It was interrupted before anything was done.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// The lab has no such flow any more.
    #[error("there is no flow `{flow}`")]
    NoFlow {
        /// Its name.
        flow: String,
    },
    /// MirrorMaker is on no network of the source.
    #[error(
        "{cluster} is an existing cluster: MirrorMaker reaches it by the address that it advertises, not through a network of the lab"
    )]
    Existing {
        /// The source.
        cluster: String,
    },
    /// The network of the source is all that a MirrorMaker has.
    #[error(
        "{service} is on no other network than that of {cluster}: without it, {target} could not be reached either"
    )]
    OnlyNetwork {
        /// The MirrorMaker.
        service: String,
        /// The source.
        cluster: String,
        /// The target, an existing cluster.
        target: String,
    },
    /// There is nothing to take off the network.
    #[error("MirrorMaker of {flow} has no container")]
    NoContainer {
        /// The flow.
        flow: String,
    },
    /// Only relays keep connections open.
    #[error("flow {flow} has no relay, which could keep connections open")]
    NoRelay {
        /// The flow.
        flow: String,
    },
    /// Something else was done to it before.
    #[error("the link {flow} is {how}: it must be restored first")]
    Otherwise {
        /// The flow.
        flow: String,
        /// In a word.
        how: &'static str,
    },
    /// Docker obeyed, and says that it is not so.
    #[error("according to Docker, {} {} the network of {cluster}", services.join(", "), Self::place(services, *is_on))]
    NotDone {
        /// Services of MirrorMaker.
        services: Vec<String>,
        /// The source.
        cluster: String,
        /// Whether they are on it, and should not be.
        is_on: bool,
    },
    /// MirrorMaker is on the network again, and not all records were seen to cross.
    #[error("{} connected again, but {cause}", flows.join(", "))]
    NotUp {
        /// The flows.
        flows: Vec<String>,
        /// Whether some did.
        has_crossed: bool,
        /// What was waited for.
        #[source]
        cause: Box<DeployError>,
    },
}

impl LinkError {
    fn place(services: &[String], is_on: bool) -> &'static str {
        match (services, is_on) {
            ([_], true) => "is still on",
            (_, true) => "are still on",
            ([_], false) => "is still not on",
            (_, false) => "are still not on",
        }
    }
}

/// A lab, locked for a command that changes a link of it.
fn locked(
    docker: &Docker,
    name: &str,
    command: &'static str,
    limit: &Limit,
) -> Result<(Lab, Lock), LinkError> {
    let engine = docker.engine(limit)?;
    let lock = Lock::take(&lock::runtime_directory(), &engine.id, name, command)?;
    Ok((Lab::find(docker, name, limit)?, lock))
}

/// How long docker may take for all that is not interrupted once it has begun.
const WHOLE: Duration = Duration::from_secs(30);

/// What has begun is completed: no link is left half cut.
fn uninterrupted() -> Limit {
    Limit::new(WHOLE, &Interrupt::default())
}
