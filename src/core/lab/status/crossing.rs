//! A canary through every flow that may have one, all at once, and what becomes of them. Judges nothing.

use super::report::CanaryStatus;
use super::workers::Workers;
use crate::core::kafka::KafkaError;
use crate::core::lab::Lab;
use crate::core::lab::canary::{Canary, Grounded};
use crate::core::topology::{Flow, Proof};
use crate::core::wait::{Limit, Probe, Stop};
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

/// How long a canary is waited for: it takes 10 to 30 ms where all is well.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(3);

/// Sends them and waits; by the names of their flows.
pub(super) fn of_all(lab: &Lab, limit: &Limit) -> BTreeMap<String, CanaryStatus> {
    let flows = lab.topology.flows.iter();
    // where nobody is to carry it, it is not sent
    let carried = flows.filter(|flow| {
        let workers = Workers::of(lab, flow);
        flow.proof == Proof::Canary && workers.any_runs() && workers.cut_links(lab, flow).is_empty()
    });
    thread::scope(|scope| {
        let sent: Vec<_> = carried
            .map(|flow| (flow.name(), scope.spawn(|| of_one(lab, flow, limit))))
            .collect();
        let status = |look: thread::ScopedJoinHandle<'_, CanaryStatus>| {
            look.join().expect("a look for a canary does not panic")
        };
        sent.into_iter()
            .map(|(name, look)| (name, status(look)))
            .collect()
    })
}

fn of_one(lab: &Lab, flow: &Flow, limit: &Limit) -> CanaryStatus {
    let mut canary = match Canary::send(&lab.topology, flow, &limit.at_most(PATIENCE)) {
        Ok(canary) => canary,
        Err(Grounded::Source(error)) => {
            return CanaryStatus::Unsent {
                cause: error.to_string(),
            };
        }
        Err(Grounded::Target(error)) => {
            return CanaryStatus::Unseen {
                cause: error.to_string(),
            };
        }
    };
    let limit = limit.at_most(PATIENCE);
    let mut trouble = None;
    let crossed = limit.until(LOOK, || match canary.has_arrived(&limit) {
        Ok(true) => Ok(Probe::Ready(canary.age())),
        Ok(false) => {
            trouble = None;
            Ok(Probe::NotYet(String::new()))
        }
        Err(KafkaError::Stopped(stop)) => Err(stop),
        Err(error) => {
            trouble = Some(error.to_string());
            Ok(Probe::NotYet(String::new()))
        }
    });
    match (crossed, trouble) {
        (Ok(age), _) => CanaryStatus::Crossed {
            micros: age.as_micros().try_into().unwrap_or(u64::MAX),
        },
        (Err(Stop::Interrupted | Stop::Deadline { .. }), Some(cause)) => {
            CanaryStatus::Unseen { cause }
        }
        (Err(_), None) => CanaryStatus::Missing {
            millis: canary.age().as_millis().try_into().unwrap_or(u64::MAX),
        },
    }
}
