//! Lists all labs on the engine. Asks docker, not the brokers.

use super::drill::DrillStatus;
use super::{Lab, LabError, State, journal, link};
use crate::core::compose::LABEL_LAB;
use crate::core::docker::{self, Container, Docker, DockerError, Labelled};
use crate::core::judge::link::LinkStatus;
use crate::core::spec::is_name;
use crate::core::spec::scenario::Scenario;
use crate::core::topology::Flow;
use kmk_kafka::wait::Limit;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;

/// A lab in a few words. As JSON, fields keep their names and meanings; new ones may come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// Its name.
    pub lab: String,
    /// In one word.
    pub state: State,
    /// The ready-made lab that it is, by its name; none where it has a shape of its own.
    pub scenario: Option<Scenario>,
    /// Its flows as `source->target`, in the order of the spec; none where the labels cannot be read.
    pub flows: Vec<String>,
    /// Its clusters, in the order of the spec.
    pub clusters: Vec<String>,
    /// Containers that run.
    pub running: usize,
    /// Containers that it should have; where the labels cannot be read, those that it has.
    pub containers: usize,
    /// First port of each cluster on this machine, in the order of the spec.
    pub ports: Vec<u16>,
    /// Bytes of memory that its containers use; only where it was asked for.
    pub memory: Option<u64>,
    /// Where its files were written, if that is known.
    pub directory: Option<PathBuf>,
    /// Why no more is known of it.
    pub problem: Option<String>,
    /// The links of its flows, in the order of the spec; none where the labels cannot be read.
    pub links: Vec<LinkStatus>,
    /// The drill that was not taken back; none where the journal cannot be read.
    pub drill: Option<DrillStatus>,
}

impl Listed {
    /// What it is for, in a few words: its scenario, or else its flows, or its clusters where there is no flow.
    pub fn shape(&self) -> String {
        if let Some(scenario) = self.scenario {
            return scenario.to_string();
        }
        let words = if self.flows.is_empty() {
            &self.clusters
        } else {
            &self.flows
        };
        words.join(", ")
    }
}

/// The containers of labs, by their names.
type Labs = BTreeMap<String, Vec<Container>>;

/// Every lab of which anything is left on the engine, in the order of their names. With `memory`, also what each
/// uses: that takes the engine about 2 s.
///
/// # Errors
/// When docker cannot be asked. A lab whose labels cannot be read is listed as such.
pub fn list(docker: &Docker, memory: bool, limit: &Limit) -> Result<Vec<Listed>, DockerError> {
    let (labs, volumes) = find(docker, limit)?;
    let mut used = BTreeMap::new();
    if memory {
        let running = labs.values().flatten().filter(|c| c.is_running());
        let ids: Vec<String> = running.map(|container| container.id.clone()).collect();
        used.extend(docker.memory(&ids, limit)?);
    }
    let labs = labs.into_iter().map(|(name, containers)| {
        let sum = memory.then(|| sum(&containers, &used));
        Listed {
            memory: sum,
            ..describe(&name, containers, &volumes)
        }
    });
    Ok(labs.collect())
}

/// All containers of each lab; none where only networks or volumes are left. And the volumes of all.
fn find(docker: &Docker, limit: &Limit) -> Result<(Labs, Vec<Labelled>), DockerError> {
    let filter = [format!("label={LABEL_LAB}")];
    let (containers, networks, volumes) = thread::scope(|scope| {
        let networks = scope.spawn(|| docker.networks(&filter, limit));
        let volumes = scope.spawn(|| docker.volumes(&filter, limit));
        let containers = docker.containers(&filter, limit);
        let answer = |asked: thread::ScopedJoinHandle<'_, Result<Vec<Labelled>, DockerError>>| {
            asked.join().expect("a question to docker does not panic")
        };
        (containers, answer(networks), answer(volumes))
    });
    let volumes = volumes?;
    let mut labs = Labs::new();
    for container in containers? {
        if let Some(name) = container.label(LABEL_LAB).map(str::to_owned) {
            labs.entry(name).or_default().push(container);
        }
    }
    for remains in networks?.iter().chain(&volumes) {
        if let Some(name) = remains.label(LABEL_LAB) {
            labs.entry(name.to_owned()).or_default();
        }
    }
    Ok((labs, volumes))
}

fn describe(name: &str, containers: Vec<Container>, volumes: &[Labelled]) -> Listed {
    let running = containers.iter().filter(|c| c.is_running()).count();
    let unknown = Listed {
        state: State::Unreadable,
        scenario: None,
        flows: Vec::new(),
        clusters: Vec::new(),
        running,
        containers: containers.len(),
        ports: Vec::new(),
        memory: None,
        directory: directory(&containers),
        problem: None,
        links: Vec::new(),
        drill: None,
        lab: name.to_owned(),
    };
    if !is_name(name) {
        let problem = Some("its name is not a valid lab name".to_owned());
        return Listed { problem, ..unknown };
    }
    match Lab::describe(name, containers) {
        Ok(Some(mut lab)) => {
            // if it cannot be read, who cut a link is unknown
            lab.journal = journal::among(name, volumes).unwrap_or_default();
            let clusters = &lab.topology.clusters;
            let brokers = clusters.iter().filter_map(|c| c.brokers.first());
            Listed {
                state: lab.state(),
                links: link::look(&lab),
                drill: (lab.journal.drill.as_ref()).map(|drill| drill.status(name)),
                scenario: Scenario::of(&lab.spec),
                flows: lab.topology.flows.iter().map(Flow::name).collect(),
                clusters: lab.spec.cluster_names(),
                containers: lab.topology.services().len(),
                ports: brokers.map(|broker| broker.outside.port).collect(),
                ..unknown
            }
        }
        Ok(None) => Listed {
            state: State::Incomplete,
            problem: Some("its containers are gone; networks or volumes remain".to_owned()),
            ..unknown
        },
        Err(error) => Listed {
            problem: Some(match error {
                LabError::Newer { found, .. } => {
                    format!("it was created by a newer kmk (its labels have format {found})")
                }
                other => other.to_string(),
            }),
            ..unknown
        },
    }
}

/// The directory of the newest container's files.
fn directory(containers: &[Container]) -> Option<PathBuf> {
    let newest = containers.iter().max_by(|a, b| a.created.cmp(&b.created))?;
    Some(Path::new(newest.compose_file()?).parent()?.to_owned())
}

fn sum(containers: &[Container], used: &BTreeMap<String, String>) -> u64 {
    let words = containers.iter().filter_map(|c| used.get(&c.id));
    words.filter_map(|words| docker::bytes(words)).sum()
}
