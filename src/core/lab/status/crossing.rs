//! What becomes of a canary sent through each flow, all at once; where none may be sent, or none arrives, whether
//! MirrorMaker gives signs of life. Judges nothing.

use super::health::{Life, is_slow};
use super::report::CanaryStatus;
use super::workers::Workers;
use crate::core::lab::canary::{Canary, CanaryError};
use crate::core::lab::pulse::{self, Pulse};
use crate::core::lab::{Lab, addresses};
use crate::core::topology::{Flow, Proof};
use kmk_kafka::wait::{Limit, Probe, Stop};
use kmk_kafka::{Admin, KafkaError};
use std::collections::BTreeMap;
use std::thread;
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
    thread::scope(|scope| {
        let sent: Vec<_> = carried
            .map(|flow| (flow.name(), scope.spawn(|| of_one(lab, flow, limit))))
            .collect();
        let crossing = |look: thread::ScopedJoinHandle<'_, Crossing>| {
            look.join().expect("a look at a flow does not panic")
        };
        sent.into_iter()
            .map(|(name, look)| (name, crossing(look)))
            .collect()
    })
}

fn of_one(lab: &Lab, flow: &Flow, limit: &Limit) -> Crossing {
    match flow.proof {
        Proof::ConnectorStatus => Crossing {
            canary: None,
            life: life(lab, flow, limit).unwrap_or_default(),
        },
        Proof::Canary => {
            let first = send(lab, flow, limit);
            // it may have met one bad moment
            match first.canary {
                Some(CanaryStatus::Arrived { micros }) if is_slow(micros) => {
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
    let limit = limit.at_most(PATIENCE);
    let mut pulse = Pulse::new();
    let mut crossed = wait(&mut canary, &limit.at_most(DOUBT));
    // a target that is slow to answer has only been given the time of a doubt
    if !matches!(crossed, CanaryStatus::Arrived { .. }) {
        let _ = look(lab, flow, &mut pulse, &limit);
        crossed = wait(&mut canary, &limit);
    }
    let mut life = Life::Unknown;
    if matches!(crossed, CanaryStatus::Missing { .. }) {
        // by now one must have come
        let heard = look(
            lab,
            flow,
            &mut pulse,
            &limit.restarted().at_most(PATIENCE / 3),
        );
        life = match (heard, pulse.age(), pulse::interval(flow)) {
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

fn look(lab: &Lab, flow: &Flow, pulse: &mut Pulse, limit: &Limit) -> Result<bool, KafkaError> {
    let Some(target) = lab.topology.cluster(&flow.spec.target) else {
        return Ok(false);
    };
    let mut admin = Admin::connect(&addresses(target)?, limit)?;
    pulse.look(&mut admin, flow, limit)
}

/// Signs of life alone. Where the last one seems to be old, another is waited for: the clocks of two machines may differ.
fn life(lab: &Lab, flow: &Flow, limit: &Limit) -> Result<Life, KafkaError> {
    let Some(interval) = pulse::interval(flow) else {
        return Ok(Life::Unknown);
    };
    let mut pulse = Pulse::new();
    let limit = limit.at_most(PATIENCE + interval);
    look(lab, flow, &mut pulse, &limit)?;
    let due = interval * 2 + PATIENCE / 3;
    match pulse.age() {
        Some(age) if age <= due => return Ok(Life::Heard(age)),
        Some(_) => {}
        None => return Ok(Life::Unknown),
    }
    let heard = limit.until(LOOK * 10, || match look(lab, flow, &mut pulse, &limit) {
        Ok(true) => Ok(Probe::Ready(Duration::ZERO)),
        Ok(false) => Ok(Probe::NotYet(String::new())),
        Err(error) => Err(error),
    });
    match heard {
        Ok(age) => Ok(Life::Heard(age)),
        Err(KafkaError::Stopped(Stop::Deadline { .. })) => {
            Ok(pulse.age().map_or(Life::Unknown, Life::Silent))
        }
        Err(error) => Err(error),
    }
}
