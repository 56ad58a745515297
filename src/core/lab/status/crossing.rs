//! What becomes of a canary sent through each flow, all at once; where none may be sent, or none arrives, whether
//! MirrorMaker writes heartbeats.

use super::workers::Workers;
use crate::core::judge::health::{CanaryStatus, Life, is_slow};
use crate::core::lab::{Lab, link};
use crate::core::observe::canary::{Canary, CanaryError};
use crate::core::observe::heartbeat::{self, Heartbeats};
use crate::core::observe::{connect, side_by_side};
use crate::core::topology::{Flow, Proof};
use kmk_kafka::KafkaError;
use kmk_kafka::wait::{Limit, Probe, Stop};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a canary is waited for: it takes 10 to 30 ms where all is well, and up to 600 while millions of records are
/// worked off.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(3);
/// After so long without a canary, signs of life are looked for too.
const DOUBT: Duration = Duration::from_millis(200);

/// What was seen of one flow.
#[derive(Debug, Default)]
pub(super) struct Crossing {
    pub(super) canary: Option<CanaryStatus>,
    pub(super) life: Life,
}

/// Looks at all flows that a MirrorMaker is there to carry; by their names.
pub(super) fn of_all(lab: &Lab, limit: &Limit) -> BTreeMap<String, Crossing> {
    let flows = lab.topology.flows.iter();
    let carried = flows.filter(|flow| Workers::of(lab, flow).can_carry(lab, flow));
    let crossings = side_by_side(carried, |flow| (flow.name(), of_one(lab, flow, limit)));
    crossings.into_iter().collect()
}

fn of_one(lab: &Lab, flow: &Flow, limit: &Limit) -> Crossing {
    match flow.proof {
        Proof::ConnectorStatus => Crossing {
            canary: None,
            life: life(lab, flow, limit).unwrap_or_default(),
        },
        Proof::Canary => {
            let line = link::delay(flow, &lab.journal);
            let first = send(lab, flow, limit);
            // it may have met one bad moment
            match first.canary {
                Some(CanaryStatus::Arrived { micros }) if is_slow(micros, line) => {
                    let second = send(lab, flow, limit);
                    let is_better = matches!(second.canary, Some(CanaryStatus::Arrived { .. }));
                    if is_better { second } else { first }
                }
                _ => first,
            }
        }
    }
}

/// Sends one canary, and waits for it.
fn send(lab: &Lab, flow: &Flow, limit: &Limit) -> Crossing {
    let sent = Canary::send(&lab.topology, flow, &limit.at_most(PATIENCE));
    let mut canary = match sent {
        Ok(canary) => canary,
        Err(error) => {
            let canary = match error {
                CanaryError::Source(error) => CanaryStatus::NotSent {
                    cause: error.to_string(),
                },
                CanaryError::Target(error) => CanaryStatus::Unknown {
                    cause: error.to_string(),
                },
            };
            return Crossing {
                canary: Some(canary),
                life: Life::Unknown,
            };
        }
    };
    let limit = limit.at_most(PATIENCE + link::delay(flow, &lab.journal));
    let mut heartbeats = Heartbeats::new();
    let mut crossed = wait(&mut canary, &limit.at_most(DOUBT));
    // a target that is slow to answer has only been given the time of a doubt
    if !matches!(crossed, CanaryStatus::Arrived { .. }) {
        let _ = look(lab, flow, &mut heartbeats, &limit);
        crossed = wait(&mut canary, &limit);
    }
    let mut life = Life::Unknown;
    if matches!(crossed, CanaryStatus::Missing { .. }) {
        // by now one must have come
        let heard = look(
            lab,
            flow,
            &mut heartbeats,
            &limit.restarted().at_most(PATIENCE / 3),
        );
        life = match (heard, heartbeats.age(), heartbeat::interval(flow)) {
            (Ok(true), Some(age), _) => Life::Heard(age),
            (Ok(false), Some(age), Some(interval)) if age > interval * 2 => Life::Silent(age),
            _ => Life::Unknown,
        };
    }
    Crossing {
        canary: Some(crossed),
        life,
    }
}

fn wait(canary: &mut Canary, limit: &Limit) -> CanaryStatus {
    let (mut trouble, mut was_seen) = (None, false);
    let crossed = limit.until(LOOK, || match canary.has_arrived(limit) {
        Ok(true) => Ok(Probe::Ready(canary.age())),
        Ok(false) => {
            (trouble, was_seen) = (None, true);
            Ok(Probe::NotYet(String::new()))
        }
        Err(KafkaError::Stopped(stop)) => Err(stop),
        // the last look ends with the time, whatever it would have seen
        Err(_) if was_seen && limit.remaining().is_zero() => Ok(Probe::NotYet(String::new())),
        Err(error) => {
            trouble = Some(error.to_string());
            Ok(Probe::NotYet(String::new()))
        }
    });
    let number = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
    match (crossed, trouble) {
        (Ok(age), _) => CanaryStatus::Arrived {
            micros: number(age.as_micros()),
        },
        (Err(_), Some(cause)) => CanaryStatus::Unknown { cause },
        (Err(_), None) => CanaryStatus::Missing {
            millis: number(canary.age().as_millis()),
        },
    }
}

fn look(
    lab: &Lab,
    flow: &Flow,
    heartbeats: &mut Heartbeats,
    limit: &Limit,
) -> Result<bool, KafkaError> {
    let mut admin = connect(&lab.topology, &flow.spec.target, limit)?;
    heartbeats.look(&mut admin, flow, limit)
}

/// Signs of life alone. Where the last one seems to be old, another is waited for: the clocks of two machines may differ.
fn life(lab: &Lab, flow: &Flow, limit: &Limit) -> Result<Life, KafkaError> {
    let Some(interval) = heartbeat::interval(flow) else {
        return Ok(Life::Unknown);
    };
    let mut heartbeats = Heartbeats::new();
    let limit = limit.at_most(PATIENCE + interval);
    look(lab, flow, &mut heartbeats, &limit)?;
    let due = interval * 2 + PATIENCE / 3;
    match heartbeats.age() {
        Some(age) if age <= due => return Ok(Life::Heard(age)),
        Some(_) => {}
        None => return Ok(Life::Unknown),
    }
    let heard = limit.until(LOOK * 10, || {
        match look(lab, flow, &mut heartbeats, &limit) {
            Ok(true) => Ok(Probe::Ready(Duration::ZERO)),
            Ok(false) => Ok(Probe::NotYet(String::new())),
            Err(error) => Err(error),
        }
    });
    match heard {
        Ok(age) => Ok(Life::Heard(age)),
        Err(KafkaError::Stopped(Stop::Deadline { .. })) => {
            Ok(heartbeats.age().map_or(Life::Unknown, Life::Silent))
        }
        Err(error) => Err(error),
    }
}
