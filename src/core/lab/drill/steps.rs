//! The steps of a failover, and what is said of each.

use super::plan::Plan;
use super::{Failover, Fault};
use kmk_kafka::wait::seconds;

/// A step of a failover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailoverStep {
    /// The drill's topics are created, and mirrored.
    CreateTopics,
    /// Records cross, and every group reads.
    SteadyState,
    /// The steady state, for the time of the warm-up.
    WarmUp,
    /// The brokers of the source die.
    Kill,
    /// MirrorMaker loses the connection to the source.
    Cut,
    /// The same, and no client is told.
    HalfOpen,
    /// Applications notice it.
    Detect,
    /// Somebody decides.
    Decide,
    /// MirrorMaker is killed.
    KillMirrorMaker,
    /// Of a planned failover: nothing is written any more.
    Fence,
    /// Of a planned failover: all of it is copied.
    Copy,
    /// Of a planned failover: MirrorMaker is stopped.
    StopMirrorMaker,
    /// Producer and groups move to the target.
    Switch,
    /// A person moves theirs there.
    Observe,
    /// Every record is looked for.
    ReadBothSides,
}

impl FailoverStep {
    /// The steps of a failover, in order; `takes_time` to decide.
    pub fn all_of(fault: Fault, observed: bool, takes_time: bool) -> Vec<Self> {
        let decide = takes_time.then_some(Self::Decide);
        let mut steps = vec![Self::CreateTopics, Self::SteadyState, Self::WarmUp];
        if fault == Fault::Planned {
            steps.extend(decide);
            steps.extend([Self::Fence, Self::Copy, Self::StopMirrorMaker]);
        } else {
            steps.extend([Self::of_fault(fault), Self::Detect]);
            steps.extend(decide);
            steps.push(Self::KillMirrorMaker);
        }
        steps.push(if observed {
            Self::Observe
        } else {
            Self::Switch
        });
        steps.push(Self::ReadBothSides);
        steps
    }

    /// The one in which the source is left, or about to be.
    pub(super) const fn of_fault(fault: Fault) -> Self {
        match fault {
            Fault::Kill => Self::Kill,
            Fault::Cut => Self::Cut,
            Fault::HalfOpen => Self::HalfOpen,
            Fault::Planned => Self::Fence,
        }
    }

    /// How what is said of it begins.
    pub const fn beginning(self) -> &'static str {
        match self {
            Self::CreateTopics => "Creating the drill's topics",
            Self::SteadyState => "Waiting for a steady state",
            Self::WarmUp => "Warming up",
            Self::Kill => "Killing the brokers",
            Self::Cut => "Cutting the link",
            Self::HalfOpen => "Making the link",
            Self::Detect => "Waiting until applications notice",
            Self::Decide => "Deciding",
            Self::KillMirrorMaker => "Killing MirrorMaker",
            Self::Fence => "Checking that no topic grows",
            Self::Copy => "Waiting for the copy",
            Self::StopMirrorMaker => "Stopping MirrorMaker",
            Self::Switch => "Switching",
            Self::Observe => "Waiting until you have switched",
            Self::ReadBothSides => "Reading both sides",
        }
    }

    /// What is said when it begins, and when it is done.
    pub(super) fn words(self, plan: &Plan<'_>, what: &Failover) -> (String, String) {
        let (source, target) = (&plan.source.name, &plan.target.name);
        let flow = plan.flow.name();
        let (rest, done) = match self {
            Self::CreateTopics => (String::new(), "Created the drill's topics".to_owned()),
            Self::SteadyState => (
                String::new(),
                "Records cross, and every group reads".to_owned(),
            ),
            Self::WarmUp => (
                format!(" for {}", seconds(what.warm_up)),
                "Warmed up".to_owned(),
            ),
            Self::Kill => (
                format!(" of {source}"),
                format!("Killed the brokers of {source}"),
            ),
            Self::Cut => (format!(" {flow}"), format!("Cut the link {flow}")),
            Self::HalfOpen => (
                format!(" {flow} half-open"),
                format!("Made the link {flow} half-open"),
            ),
            Self::Detect => (String::new(), "Applications noticed".to_owned()),
            Self::Decide => (String::new(), "Decided".to_owned()),
            Self::KillMirrorMaker => (String::new(), "Killed MirrorMaker".to_owned()),
            Self::Fence => (String::new(), "No mirrored topic grows".to_owned()),
            Self::Copy => (
                String::new(),
                "Every partition is copied, and group offsets had their time to be synced"
                    .to_owned(),
            ),
            Self::StopMirrorMaker => (String::new(), "Stopped MirrorMaker".to_owned()),
            Self::Switch => (format!(" to {target}"), format!("Switched to {target}")),
            Self::Observe => {
                let within = what.observe.as_ref().map(|observe| observe.within);
                (
                    format!(", {} at most", seconds(within.unwrap_or_default())),
                    "Looked at what was switched".to_owned(),
                )
            }
            Self::ReadBothSides => (String::new(), "Read both sides".to_owned()),
        };
        (format!("{}{rest}", self.beginning()), done)
    }
}
