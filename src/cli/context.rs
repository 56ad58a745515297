//! The context that every verb is given: output, interrupt, and the lab, cluster or flow to work on.

use super::output::Output;
use crate::cli::CliError;
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::lab::{Lab, State, addresses};
use kafka_mirror_kit::core::spec::in_lab;
use kafka_mirror_kit::core::topology::{Cluster, Topology};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::{Interrupt, Limit};
use std::path::PathBuf;
use std::time::Duration;

/// How long docker may take to answer a question.
const QUESTION: Duration = Duration::from_secs(30);

/// What every verb needs to know.
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) interrupt: Interrupt,
    pub(crate) lab: String,
    /// Whether that is what was typed, rather than what KMK_LAB or a lab file says, or the default.
    pub(crate) is_lab_typed: bool,
    pub(crate) directory: Option<PathBuf>,
}

/// Which cluster is meant when none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefaultCluster {
    FirstSource,
    FirstTarget,
}

impl DefaultCluster {
    pub(crate) fn of(self, topology: &Topology) -> Option<&str> {
        let flow = &topology.flows.first()?.spec;
        Some(match self {
            Self::FirstSource => &flow.source,
            Self::FirstTarget => &flow.target,
        })
    }
}

/// A cluster of a running lab, and the lab.
pub(crate) struct Place {
    pub(crate) lab: Lab,
    pub(crate) cluster: Cluster,
}

impl Place {
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.cluster.endpoints()
    }
}

impl Context {
    /// A limit for one question to docker.
    pub(crate) fn question(&self) -> Limit {
        Limit::new(QUESTION, &self.interrupt)
    }

    /// The lab that is meant; where it is the engine that does not answer, that is said instead.
    pub(crate) fn find_lab(&self) -> Result<(Docker, Lab), CliError> {
        let docker = Docker::find()?;
        match Lab::find(&docker, &self.lab, &self.question()) {
            Ok(lab) => Ok((docker, lab)),
            Err(error) => {
                // asked only now: a running lab is found faster without
                docker.engine(&self.question())?;
                Err(error.into())
            }
        }
    }

    /// The same, and it is not stopped: then nothing answers, and its ports may belong to another lab by now.
    pub(crate) fn find_awake(&self) -> Result<(Docker, Lab), CliError> {
        let (docker, lab) = self.find_lab()?;
        if lab.state() == State::Stopped {
            let hint = format!("`kmk start{}` starts it again", in_lab(&self.lab));
            let stopped = CliError::unusable(format!("lab `{}` is stopped", self.lab));
            return Err(stopped.hint(hint));
        }
        Ok((docker, lab))
    }

    /// The same, where docker is not needed any more.
    pub(crate) fn awake_lab(&self) -> Result<Lab, CliError> {
        Ok(self.find_awake()?.1)
    }

    /// The cluster of that name, or the one that is meant when none is named.
    pub(crate) fn place(
        &self,
        cluster: Option<&str>,
        default: impl FnOnce(&Topology) -> Option<&str>,
    ) -> Result<Place, CliError> {
        let lab = self.awake_lab()?;
        let name = cluster
            .or_else(|| default(&lab.topology))
            .ok_or_else(|| CliError::usage("the lab has no flow: name a cluster with --cluster"))?;
        match lab.topology.cluster(name).cloned() {
            Some(cluster) => {
                addresses(&cluster)?;
                Ok(Place { lab, cluster })
            }
            None => Err(unknown_cluster(name, &lab)),
        }
    }

    /// Says which cluster is meant where none was named and another might have been.
    pub(crate) fn say_which(&self, named: Option<&str>, place: Option<&Place>) {
        if let (None, Some(place)) = (named, place)
            && place.lab.topology.flows.len() > 1
        {
            let cluster = &place.cluster.name;
            let note = format!("note: using cluster {cluster}; choose another with --cluster");
            self.output.talk(&note);
        }
    }
}

/// kcat's `-c` is a number of records: who types one here means `-n`.
fn unknown_cluster(name: &str, lab: &Lab) -> CliError {
    let told = CliError::unknown("cluster", name, &lab.spec.cluster_names());
    if name.parse::<u64>().is_ok() {
        told.hint(format!(
            "-c names a cluster; use `-n {name}` for a number of records"
        ))
    } else {
        told
    }
}
