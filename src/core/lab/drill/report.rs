//! What came of a drill, as plain values. As JSON, fields keep their names and meanings; new ones may come.

use super::curve::Curve;
use super::plan::Plan;
use super::{Failover, Fault, Rehearsal, Sibling, state};
use crate::core::judge::drill::{Judgement, PartitionOutcome};
use crate::core::judge::ledger::Latency;
use kmk_kafka::wait::seconds;
use serde::Serialize;

/// A drill that came to its end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailoverReport {
    /// The lab.
    pub lab: String,
    /// `source->target`.
    pub flow: String,
    /// The cluster that was left.
    pub source: String,
    /// The cluster that took over.
    pub target: String,
    /// The number that stands on each record written before the switch.
    pub run: String,
    /// What was done to the source.
    pub fault: Fault,
    /// The topic on the source.
    pub topic: String,
    /// What MirrorMaker calls it on the target.
    pub mirrored_topic: String,
    /// What was written to after the switch.
    pub target_topic: String,
    /// Records a second that were asked for.
    pub rate: u64,
    /// Partitions of the topic.
    pub partitions: i32,
    /// Keys of the records.
    pub keys: u32,
    /// Records sent to the source.
    pub sent: u64,
    /// Records that the target acknowledged after the switch.
    pub written_after: u64,
    /// The whole drill, from the first topic on.
    pub seconds: f64,
    /// What happened when.
    pub steps: Vec<Step>,
    /// Every partition of the topic.
    pub by_partition: Vec<PartitionOutcome>,
    /// How long records took to the target in the steady state; none where none arrived.
    pub latency: Option<Latency>,
    /// The verdict.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// Other flows of the same MirrorMaker, as they were found after the switch.
    pub siblings: Vec<Sibling>,
    /// Worth knowing.
    pub notes: Vec<String>,
    /// How many records there were when.
    #[serde(skip)]
    pub curves: Vec<Curve>,
}

impl FailoverReport {
    /// What `kmk drill failback` has to be told to fail back.
    pub fn way_home(&self) -> &'static str {
        let keeps_names = self.mirrored_topic == self.target_topic;
        state::way_home(keeps_names, self.fault == Fault::Planned)
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// What.
    pub what: &'static str,
    /// When, in seconds since the drill began.
    pub at_seconds: f64,
}

impl Rehearsal {
    pub(super) fn of(plan: &Plan<'_>, what: &Failover) -> Self {
        let (source, target) = (&plan.source.name, &plan.target.name);
        let groups: Vec<&str> = what.groups.iter().map(|habit| habit.name()).collect();
        let observe = what.observe.as_ref();
        let workload = match observe {
            Some(_) => format!(
                "write {} records/s to it, to notice what applications notice",
                what.rate
            ),
            None => format!(
                "write {} records/s with {} keys to {} partitions; groups {} read",
                what.rate,
                what.keys,
                what.partitions,
                groups.join(", ")
            ),
        };
        let predict = match observe {
            Some(_) => "",
            None => ", then predict what each group would be given again",
        };
        let mut steps = vec![
            format!(
                "create topic `{}` on {source}, and wait until it is mirrored to {target}",
                plan.topic
            ),
            workload,
            format!("wait {}{predict}", seconds(what.warm_up)),
        ];
        match what.fault {
            Fault::Kill => steps.extend([
                format!("kill {}", counted(plan.brokers.len(), "broker", source)),
                format!(
                    "wait until nothing is acknowledged and nothing arrives for {}",
                    seconds(what.detect)
                ),
                "stop the producer, and kill MirrorMaker".to_owned(),
            ]),
            Fault::Cut | Fault::HalfOpen => steps.extend([
                if what.fault == Fault::Cut {
                    format!("take MirrorMaker off the network of {source}")
                } else {
                    let relays = plan.flow.link.iter().flat_map(|link| &link.relays);
                    let relays: Vec<&str> = relays.map(|one| one.service.as_str()).collect();
                    format!(
                        "tell {} to keep connections open, and to pass nothing on",
                        relays.join(", ")
                    )
                },
                format!(
                    "wait until nothing arrives on {target} for {}",
                    seconds(what.detect)
                ),
                format!("kill MirrorMaker; one producer stays on {source}"),
            ]),
            Fault::Planned => steps.extend([
                "stop the producer, and check that no mirrored topic grows for 3 s".to_owned(),
                "wait until every mirrored topic is copied and the groups are synced".to_owned(),
                "stop MirrorMaker".to_owned(),
            ]),
        }
        steps.push(match observe {
            Some(observe) => format!(
                "say when to switch, and wait {} at most until {} are written to on {target}{}",
                seconds(observe.within),
                observe.topics.join(", "),
                match observe.groups.as_slice() {
                    [] => String::new(),
                    groups => format!(", and groups {} commit there", groups.join(", ")),
                }
            ),
            None => format!(
                "switch the groups to `{}` and the producer to `{}` on {target}",
                plan.mirrored, plan.target_topic
            ),
        });
        let account = match observe {
            Some(_) => "compare ends and committed offsets",
            None => "account for every record",
        };
        steps.push(match what.fault {
            Fault::Kill => format!("start {source} again, and {account}"),
            _ => account.to_owned(),
        });
        Self {
            flow: plan.flow.name(),
            steps,
            notes: plan.notes.clone(),
        }
    }
}

fn counted(brokers: usize, what: &str, of: &str) -> String {
    match brokers {
        1 => format!("the {what} of {of}"),
        brokers => format!("all {brokers} {what}s of {of} at once"),
    }
}
