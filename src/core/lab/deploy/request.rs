//! What a person wants of a lab, and what that would write. Asks no Docker.

use super::ports;
use crate::core::compose;
use crate::core::docker::Container;
use crate::core::mm2;
use crate::core::scenario;
use crate::core::spec::{self, Spec};
use crate::core::topology::Topology;
use crate::core::workdir::PROPERTIES_FILE;
use std::path::PathBuf;

/// Where the files go when nobody says, in the current directory.
const DEFAULT_DIRECTORY: &str = "kmk-lab";

/// What is asked of a deploy.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name of the lab.
    pub lab: String,
    /// What is to differ from the lab as it is, or from the default one.
    pub change: Change,
    /// Give clusters without a port of their own the next free one.
    pub any_port: bool,
    /// Where the files go; without, where the lab's files are, or [`default_directory`].
    pub directory: Option<PathBuf>,
    /// Overwrite files that kmk did not write, or that were edited since.
    pub overwrite: bool,
    /// Leave what was made when the deploy fails.
    pub keep: bool,
}

/// What is to differ; `None` and empty leave things as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Java regular expressions of the topics to mirror, on every flow.
    pub topics: Option<Vec<String>>,
    /// Java regular expressions of the topics to leave out, on every flow.
    pub exclude: Option<Vec<String>>,
    /// Partitions of new topics, on every cluster.
    pub partitions: Option<u32>,
    /// First port of clusters, by name.
    pub ports: Vec<(String, u16)>,
    /// The Kafka image.
    pub image: Option<String>,
}

/// What a deploy would write.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// What would run.
    pub topology: Topology,
    /// Text of the compose file, without its header.
    pub compose: String,
    /// Text of MirrorMaker's properties, without its header.
    pub properties: String,
}

impl Change {
    /// The spec with the change, and all that is wrong with it but for ports that clash: those are known once all are chosen.
    fn apply(&self, mut spec: Spec) -> (Spec, Vec<spec::Problem>) {
        let mut problems = Vec::new();
        for (index, (name, port)) in self.ports.iter().enumerate() {
            if self.ports[..index]
                .iter()
                .any(|(earlier, _)| earlier == name)
            {
                problems.push(spec::Problem::TwoPorts(name.clone()));
            }
            let known = spec.cluster_names();
            match spec
                .clusters
                .iter_mut()
                .find(|cluster| cluster.name == *name)
            {
                Some(cluster) => cluster.port = Some(*port),
                None => problems.push(spec::Problem::UnknownCluster {
                    name: name.clone(),
                    known,
                }),
            }
        }
        for cluster in &mut spec.clusters {
            cluster.partitions = self.partitions.unwrap_or(cluster.partitions);
        }
        for flow in &mut spec.flows {
            flow.topics = self.topics.clone().unwrap_or_else(|| flow.topics.clone());
            flow.exclude = self.exclude.clone().unwrap_or_else(|| flow.exclude.clone());
        }
        spec.image = self.image.clone().or(spec.image);
        problems.extend(spec.validate().err().unwrap_or_default());
        (spec, problems)
    }
}

impl Request {
    /// What is asked for, on the grounds of what is there.
    pub(super) fn spec(
        &self,
        base: Spec,
        existing: &[Container],
    ) -> Result<Spec, Vec<spec::Problem>> {
        let (mut spec, mut problems) = self.change.apply(base);
        if self.any_port && problems.is_empty() {
            ports::choose(&mut spec, existing);
        }
        problems.extend(Topology::new(&spec).port_clashes());
        if problems.is_empty() {
            Ok(spec)
        } else {
            Err(problems)
        }
    }
}

/// What a deploy of a new lab would write. Needs no Docker.
///
/// # Errors
/// All problems of the spec.
pub fn render(request: &Request) -> Result<Rendered, Vec<spec::Problem>> {
    let spec = request.spec(scenario::dr(&request.lab), &[])?;
    Ok(Rendered::new(&spec))
}

impl Rendered {
    pub(super) fn new(spec: &Spec) -> Self {
        let topology = Topology::new(spec);
        let properties = mm2::render(&topology);
        Self {
            compose: compose::render(&topology, &format!("./{PROPERTIES_FILE}"), &properties),
            properties,
            topology,
        }
    }
}

/// Where a lab's files go when nobody says.
pub fn default_directory(lab: &str) -> PathBuf {
    PathBuf::from(if lab == spec::DEFAULT_LAB {
        DEFAULT_DIRECTORY.to_owned()
    } else {
        format!("{DEFAULT_DIRECTORY}-{lab}")
    })
}
