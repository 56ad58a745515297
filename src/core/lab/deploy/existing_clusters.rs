//! The existing clusters, looked at before anything is made: whether they answer, whether MirrorMaker's
//! container will reach them, whether two are one, and what it will make there. Changes nothing.

use super::same_cluster;
use crate::core::docker::{Engine, EngineHost};
use crate::core::event::{Event, Observer};
use crate::core::lab::port;
use crate::core::lab::preflight::Problem;
use crate::core::mirrormaker::state;
use crate::core::topology::{Access, Cluster, Existing, Footprint, Topology};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, KafkaError, Metadata};
use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

/// How long a cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What one of them answered.
struct ClusterAnswer {
    answer: Metadata,
    topics: BTreeSet<String>,
    problems: Vec<Problem>,
}

/// Looks at all of them at once, and tells what will be made there. `is_new` says whether the lab's own clusters are.
pub(super) fn check(
    topology: &Topology,
    machine: (&EngineHost, &Engine),
    is_new: bool,
    limit: &Limit,
    observer: &dyn Observer,
) -> Vec<Problem> {
    let clusters = topology.clusters.iter();
    let there: Vec<(&Cluster, &Existing)> = clusters
        .filter_map(|cluster| Some((cluster, cluster.existing()?)))
        .collect();
    let limit = &limit.at_most(PATIENCE);
    let looks: Vec<Option<Result<ClusterAnswer, Problem>>> = thread::scope(|scope| {
        let looks: Vec<_> = there
            .iter()
            .map(|(cluster, existing)| {
                let look = move || ClusterAnswer::of(cluster, existing, machine, limit);
                (existing.access == Access::Open).then(|| scope.spawn(look))
            })
            .collect();
        let looks = looks.into_iter();
        looks
            .map(|look| Some(look?.join().expect("a look at a cluster does not panic")))
            .collect()
    });
    let mut problems: Vec<Problem> = there
        .iter()
        .filter_map(|(cluster, existing)| other_machine(cluster, existing, machine.0))
        .collect();
    problems.extend(one_cluster(topology, &there, &looks, limit));
    for ((cluster, footprint), look) in there
        .iter()
        .map(|(cluster, _)| *cluster)
        .zip(topology.footprints())
        .zip(looks)
    {
        match look {
            None => {
                let locked = KafkaError::NoLogin {
                    cluster: cluster.name.clone(),
                };
                observer.on(Event::Note(format!("{locked}. kmk does not check it")));
                announce(&footprint, observer);
            }
            Some(Err(problem)) => problems.push(problem),
            Some(Ok(seen)) => {
                problems.extend(seen.problems);
                if is_new {
                    problems.extend(left_behind(topology, cluster, &seen.topics));
                    warn_of_syncs(topology, cluster, &seen.topics, observer);
                }
                let new = footprint.clone().without(&seen.topics);
                if new.topics().next().is_some() {
                    announce(&footprint, observer);
                }
            }
        }
    }
    problems
}

/// Clusters that are one under two names: the existing ones, and those of the lab that run and have its id.
fn one_cluster(
    topology: &Topology,
    there: &[(&Cluster, &Existing)],
    looks: &[Option<Result<ClusterAnswer, Problem>>],
    limit: &Limit,
) -> Vec<Problem> {
    let seen = there.iter().zip(looks).filter_map(|((cluster, _), look)| {
        let seen = look.as_ref()?.as_ref().ok()?;
        Some((*cluster, &seen.answer))
    });
    let seen: Vec<(&Cluster, &Metadata)> = seen.collect();
    let is_twin = |cluster: &&Cluster| {
        let mut ids = seen.iter().filter_map(|(_, answer)| answer.id.as_ref());
        cluster.existing().is_none() && ids.any(|id| *id == cluster.id)
    };
    let made = topology.clusters.iter().filter(is_twin);
    let made: Vec<(&Cluster, Metadata)> = made
        .filter_map(|cluster| {
            let mut admin = Admin::connect(&cluster.endpoints(), limit).ok()?;
            Some((cluster, admin.describe(limit).ok()?))
        })
        .collect();
    let made = made.iter().map(|(cluster, answer)| (*cluster, answer));
    same_cluster::problems(&made.chain(seen.iter().copied()).collect::<Vec<_>>())
}

/// What is on this machine, where MirrorMaker will not be.
fn other_machine(
    cluster: &Cluster,
    existing: &Existing,
    engine_host: &EngineHost,
) -> Option<Problem> {
    match engine_host {
        EngineHost::Remote { address } if existing.is_on_this_machine() => {
            Some(Problem::OtherMachine {
                cluster: cluster.name.clone(),
                bootstrap: cluster.bootstrap_outside(),
                engine: address.clone(),
            })
        }
        _ => None,
    }
}

fn announce(footprint: &Footprint, observer: &dyn Observer) {
    if footprint.topics().next().is_some() {
        observer.on(Event::Note(footprint.to_string()));
    }
}

impl ClusterAnswer {
    fn of(
        cluster: &Cluster,
        existing: &Existing,
        (engine_host, engine): (&EngineHost, &Engine),
        limit: &Limit,
    ) -> Result<Self, Problem> {
        let answer = Admin::connect_patiently(&existing.endpoints, limit)
            .and_then(|mut admin| admin.describe_patiently(limit));
        let bootstrap = || cluster.bootstrap_outside();
        let cluster = || cluster.name.clone();
        let answer = answer.map_err(|error| Problem::NoAnswer {
            cluster: cluster(),
            bootstrap: bootstrap(),
            cause: error.to_string(),
        })?;
        let mut problems = Vec::new();
        // a name of this machine's is understood where the lab file says that the cluster is here; a number never is
        let is_here = existing.is_on_this_machine();
        let lost = answer
            .brokers
            .values()
            .filter(|broker| broker.is_loopback_number() || (broker.is_loopback() && !is_here));
        problems.extend(lost.map(|broker| Problem::Advertised {
            cluster: cluster(),
            address: broker.to_string(),
        }));
        if is_on_this_linux(engine_host, engine) {
            let ours = existing.endpoints.iter().filter(|one| one.is_loopback());
            let unreached = ours.filter(|one| port::is_only_on_loopback(one.port));
            problems.extend(unreached.map(|one| Problem::OnlyLoopback {
                cluster: cluster(),
                port: one.port,
            }));
        }
        Ok(Self {
            topics: answer.topics.keys().cloned().collect(),
            answer,
            problems,
        })
    }
}

/// Docker Desktop brings what listens here to its containers, from the loopback address too.
fn is_on_this_linux(engine_host: &EngineHost, engine: &Engine) -> bool {
    cfg!(target_os = "linux") && *engine_host == EngineHost::Local && engine.root.is_dir()
}

/// Notes of an earlier MirrorMaker about clusters that are recreated.
fn left_behind(topology: &Topology, target: &Cluster, there: &BTreeSet<String>) -> Vec<Problem> {
    let into = topology.flows.iter();
    let into = into.filter(|flow| flow.spec.target == target.name);
    let made = into.filter(|flow| {
        let source = topology.cluster(&flow.spec.source);
        source.is_some_and(|source| source.existing().is_none())
    });
    let problem = |source: &String| {
        let topics: Vec<String> = state::topics(source)
            .into_iter()
            .filter(|topic| there.contains(topic))
            .collect();
        (!topics.is_empty()).then(|| Problem::LeftBehind {
            cluster: target.name.clone(),
            bootstrap: target.bootstrap_outside(),
            source_cluster: source.clone(),
            topics,
        })
    };
    made.filter_map(|flow| problem(&flow.spec.source)).collect()
}

/// Offset syncs of an earlier target: the first translated offsets of groups may be those of its time.
fn warn_of_syncs(
    topology: &Topology,
    source: &Cluster,
    there: &BTreeSet<String>,
    observer: &dyn Observer,
) {
    let from = topology.flows.iter();
    for flow in from.filter(|flow| flow.spec.source == source.name) {
        let target = &flow.spec.target;
        let topic = state::offset_syncs_topic(target);
        let is_made = topology
            .cluster(target)
            .is_some_and(|one| one.existing().is_none());
        if is_made && there.contains(&topic) {
            observer.on(Event::Warning(format!(
                "cluster {} already has {topic}, from another cluster {target}: until records are mirrored, group offsets are translated with it; `kmk topic delete {topic} --force --bootstrap {}` removes it before a deploy",
                source.name,
                source.bootstrap_outside()
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;
    use crate::core::spec::{ClusterSpec, Spec};
    use std::sync::Mutex;

    #[test]
    fn what_an_earlier_mirrormaker_noted_of_a_cluster_recreated_stands_in_the_way() {
        let mut spec = scenario::dr("demo");
        spec.clusters[1] = ClusterSpec::existing("secondary", &["h:2"]);
        let there: BTreeSet<String> = ["orders", "mm2-offsets.primary.internal"]
            .map(str::to_owned)
            .into();
        let problems = |spec: &Spec, there: &BTreeSet<String>| {
            let topology = Topology::new(spec);
            let target = topology.cluster("secondary").unwrap();
            left_behind(&topology, target, there)
        };
        let found = problems(&spec, &there);
        let [Problem::LeftBehind { topics, .. }] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(*topics, ["mm2-offsets.primary.internal"]);
        assert!(problems(&spec, &BTreeSet::new()).is_empty());
        // what existed before is still what was stored
        spec.clusters[0] = ClusterSpec::existing("primary", &["h:1"]);
        assert!(problems(&spec, &there).is_empty());
    }

    #[test]
    fn offset_syncs_of_another_target_are_warned_of() {
        let mut spec = scenario::dr("demo");
        spec.clusters[0] = ClusterSpec::existing("primary", &["h:1"]);
        let warnings = |spec: &Spec| {
            let there = BTreeSet::from(["mm2-offset-syncs.secondary.internal".to_owned()]);
            let told = Mutex::new(Vec::new());
            let observer = |event| told.lock().unwrap().push(event);
            let topology = Topology::new(spec);
            let source = topology.cluster("primary").unwrap();
            warn_of_syncs(&topology, source, &there, &observer);
            told.lock().unwrap().len()
        };
        assert_eq!(warnings(&spec), 1);
        spec.clusters[1] = ClusterSpec::existing("secondary", &["h:2"]);
        assert_eq!(warnings(&spec), 0);
    }
}
