//! The lab while it fails back: which flows it has meanwhile, and afterwards.

use super::{By, Failback};
use crate::core::lab::Lab;
use crate::core::lab::deploy::add_flow;
use crate::core::lab::drill::state::{DrillState, Phase};
use crate::core::lab::drill::{Fault, Finding, Unfit};
use crate::core::spec::{FlowSpec, Naming, Spec};
use crate::core::topology::{Flow, Topology};

/// What a broker does with the time of a record, and what it does where MirrorMaker writes.
const TIME: (&str, &str) = ("log.message.timestamp.type", "CreateTime");

/// Both directions of a lab that fails back.
pub(in crate::core::lab::drill) struct Way {
    /// The lab with both flows. Under the same names it never runs so: records would be mirrored in circles.
    pub(super) topology: Topology,
    /// Places of the flow that failed over, and of the one back.
    forward: usize,
    back: usize,
    /// Whether the one back is not there yet.
    pub(super) is_new: bool,
    /// The lab while records are mirrored back: without the flow that failed over.
    pub(super) reverse: Spec,
    /// The lab after the switch back; with the flow back too, where names tell what is mirrored.
    pub(super) home: Spec,
}

impl Way {
    pub(in crate::core::lab::drill) fn find(
        lab: &Lab,
        state: &DrillState,
        what: &Failback,
    ) -> Result<Self, Unfit> {
        if state.phase != Phase::FailedOver || state.back.is_some() {
            let flow = state.flow.clone();
            return Err(Unfit(vec![Finding::Unfinished { flow }]));
        }
        if state.observed {
            let flow = state.flow.clone();
            return Err(Unfit(vec![Finding::Observed { flow }]));
        }
        let mut both = lab.spec.clone();
        let is_new = place(&both, &state.target, &state.source).is_none();
        if is_new {
            add_flow(&mut both, &state.target, &state.source);
        }
        let forward = place(&both, &state.source, &state.target);
        let back = place(&both, &state.target, &state.source);
        let (Some(forward), Some(back)) = (forward, back) else {
            let (name, known) = (state.flow.clone(), Vec::new());
            return Err(Unfit(vec![Finding::NoFlow { name, known }]));
        };
        fits(what, &both.flows[forward], state)?;
        let keeps_names = both.flows[back].naming == Naming::Same;
        if keeps_names {
            // all else is on both sides already, and would be mirrored back a second time
            both.flows[back].topics = vec![state.topics.target.clone()];
        }
        let reverse = without(&both, forward, &state.target);
        let home = if keeps_names {
            without(&both, back, &state.source)
        } else {
            both.clone()
        };
        let problems = [&reverse, &home].into_iter();
        let problems = problems.flat_map(|spec| spec.validate().err().unwrap_or_default());
        let problems = problems.map(|what| Finding::NoWayBack {
            what: what.to_string(),
        });
        let problems: Vec<Finding> = problems.collect();
        if !problems.is_empty() {
            return Err(Unfit(problems));
        }
        Ok(Self {
            topology: Topology::new(&both),
            forward,
            back,
            is_new,
            reverse,
            home,
        })
    }

    pub(super) fn forward(&self) -> &Flow {
        &self.topology.flows[self.forward]
    }

    pub(super) fn back(&self) -> &Flow {
        &self.topology.flows[self.back]
    }

    /// What adding the flow back to a lab starts and restarts; none where it is there.
    pub(in crate::core::lab::drill) fn ahead(&self, lab: &Lab) -> Option<String> {
        let (forward, back) = (self.forward(), self.back());
        let source = &forward.spec.source;
        let restarts = match lab.topology.cluster(source) {
            Some(cluster) if cluster.stamps_time => {
                format!("; the brokers of {source} restart, as it becomes a target")
            }
            _ => String::new(),
        };
        let (forward, back) = (forward.name(), back.name());
        self.is_new.then(|| {
            format!(
                "{back} is added, and {forward} is removed until the switch back{restarts}; records are kept"
            )
        })
    }

    /// Whether topics have the same name on both sides.
    pub(super) fn keeps_names(&self) -> bool {
        self.forward().spec.naming == Naming::Same
    }
}

fn place(spec: &Spec, source: &str, target: &str) -> Option<usize> {
    let mut flows = spec.flows.iter();
    flows.position(|flow| flow.source == source && flow.target == target)
}

/// Whether the flow and the failover allow this way.
fn fits(what: &Failback, forward: &FlowSpec, state: &DrillState) -> Result<(), Unfit> {
    let flow = state.flow.clone();
    let finding = match (what.by, forward.naming) {
        (By::Prefix, Naming::Same) => Finding::NotPrefixed {
            flow,
            is_planned: state.fault == Some(Fault::Planned),
        },
        (By::Watermark, Naming::Prefix) => Finding::Prefixed { flow },
        (By::Prefix, Naming::Prefix) if what.replay => Finding::ReadAgain { flow },
        (By::Watermark, Naming::Same) if state.watermark.is_none() => Finding::NoWatermark { flow },
        _ => return Ok(()),
    };
    Err(Unfit(vec![finding]))
}

/// The lab without a flow, whose target is not to restart for it.
fn without(spec: &Spec, flow: usize, target: &str) -> Spec {
    let mut spec = spec.clone();
    spec.flows.remove(flow);
    let is_no_target = spec.flows.iter().all(|flow| flow.target != target);
    let mut clusters = spec.clusters.iter_mut();
    if let Some(cluster) = clusters.find(|one| is_no_target && one.name == target) {
        let (key, value) = TIME;
        let setting = cluster.settings.entry(key.to_owned());
        setting.or_insert_with(|| value.to_owned());
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::lab::drill::state::{Back, Stage, Topics};
    use crate::core::lab::journal::Journal;
    use crate::core::spec::scenario::Scenario;
    use std::time::Duration;

    fn lab(spec: &Spec) -> Lab {
        Lab {
            topology: Topology::new(spec),
            spec: spec.clone(),
            containers: Vec::new(),
            journal: Journal::default(),
        }
    }

    fn state(spec: &Spec, phase: Phase) -> DrillState {
        let (source, target) = (spec.flows[0].source.clone(), spec.flows[0].target.clone());
        let topics = Topics {
            source: "t".to_owned(),
            mirrored: Topology::new(spec).flows[0].remote_topic("t"),
            target: "t".to_owned(),
        };
        DrillState {
            flow: format!("{source}->{target}"),
            source,
            target,
            fault: Some(Fault::Planned),
            name: None,
            observed: false,
            setting: None,
            line: None,
            phase,
            since: 0,
            reached: None,
            topics,
            groups: Vec::new(),
            watermark: Some([(0, 5)].into()),
            back: None,
        }
    }

    fn way(scenario: Scenario, by: By) -> Result<Way, Unfit> {
        let spec = scenario.spec("demo");
        Way::find(&lab(&spec), &state(&spec, Phase::FailedOver), &what(by))
    }

    fn what(by: By) -> Failback {
        Failback {
            by,
            replay: false,
            rate: 1,
            keys: 1,
            load: Duration::ZERO,
            keep: false,
            timeout: Duration::ZERO,
        }
    }

    fn flows(spec: &Spec) -> Vec<String> {
        let flows = spec.flows.iter();
        flows
            .map(|flow| format!("{}->{}", flow.source, flow.target))
            .collect()
    }

    fn refusal(way: Result<Way, Unfit>) -> Finding {
        let Err(Unfit(mut found)) = way else {
            panic!("it is not refused");
        };
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn the_flow_back_runs_alone_until_the_switch_back() {
        let dr = way(Scenario::Dr, By::Prefix).unwrap();
        assert!(dr.is_new);
        assert_eq!(flows(&dr.reverse), ["secondary->primary"]);
        assert_eq!(
            flows(&dr.home),
            ["primary->secondary", "secondary->primary"]
        );
        assert_eq!(dr.forward().name(), "primary->secondary");
        let both = way(Scenario::ActiveActive, By::Prefix).unwrap();
        assert!(!both.is_new);
        assert_eq!(both.back().remote_topic("t"), "west.t");
        assert_eq!(both.home, Scenario::ActiveActive.spec("demo"));
        assert_eq!(flows(&both.reverse), ["west->east"]);
    }

    #[test]
    fn under_the_same_names_both_directions_never_run_at_once() {
        for by in [By::Watermark, By::Rebuild] {
            let migrate = way(Scenario::Migrate, by).unwrap();
            assert_eq!(flows(&migrate.reverse), ["cloud->legacy"]);
            assert_eq!(flows(&migrate.home), ["legacy->cloud"]);
            assert_eq!(
                migrate.back().spec.topics,
                ["t"],
                "nobody else's topics are mirrored back"
            );
            assert_eq!(migrate.back().remote_topic("t"), "t");
        }
    }

    #[test]
    fn no_broker_restarts_while_applications_write_to_it() {
        let stamps = |spec: &Spec, cluster: &str| {
            let topology = Topology::new(spec);
            let cluster = topology.cluster(cluster).unwrap();
            let asked = cluster.settings.get(TIME.0);
            asked.map_or(cluster.stamps_time, |asked| asked == "LogAppendTime")
        };
        let dr = way(Scenario::Dr, By::Prefix).unwrap();
        assert!(!stamps(&dr.reverse, "secondary") && !stamps(&dr.home, "secondary"));
        let migrate = way(Scenario::Migrate, By::Watermark).unwrap();
        for spec in [&migrate.reverse, &migrate.home] {
            assert!(!stamps(spec, "cloud") && !stamps(spec, "legacy"));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let is_not_prefixed = refusal(way(Scenario::Migrate, By::Prefix));
        assert!(matches!(is_not_prefixed, Finding::NotPrefixed { .. }));
        let is_prefixed = refusal(way(Scenario::Dr, By::Watermark));
        assert!(matches!(is_prefixed, Finding::Prefixed { .. }));
        let spec = Scenario::Dr.spec("demo");
        let replay = Failback {
            replay: true,
            ..what(By::Prefix)
        };
        let twice = Way::find(&lab(&spec), &state(&spec, Phase::FailedOver), &replay);
        assert!(matches!(refusal(twice), Finding::ReadAgain { .. }));
        let begun = DrillState {
            back: Some(Back {
                is_added: true,
                topic: "t".to_owned(),
                lab: None,
                what: None,
                stage: Stage::Begun,
            }),
            ..state(&spec, Phase::FailedOver)
        };
        for unfinished in [begun, state(&spec, Phase::Running)] {
            let way = Way::find(&lab(&spec), &unfinished, &what(By::Prefix));
            assert!(matches!(refusal(way), Finding::Unfinished { .. }));
        }
        let spec = Scenario::Migrate.spec("demo");
        let older = DrillState {
            watermark: None,
            ..state(&spec, Phase::FailedOver)
        };
        let older = Way::find(&lab(&spec), &older, &what(By::Watermark));
        assert!(matches!(refusal(older), Finding::NoWatermark { .. }));
    }
}
