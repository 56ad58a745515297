//! The cluster that a verb works on: one of the lab, or one given by its addresses.

use super::{CliError, Context, DefaultCluster, Place, consume};
use kafka_mirror_kit::core::lab::Lab;
use kafka_mirror_kit::core::lab::groups::GroupError;
use kafka_mirror_kit::core::lab::topics::TopicError;
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec::in_lab;
use kafka_mirror_kit::core::topology::{Cluster, Topology};
use kmk_kafka::KafkaError;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::{Interrupt, Stop};

/// By its addresses, beside a flag `--cluster` that means one of the lab's.
#[derive(clap::Args)]
pub(super) struct BootstrapFlag {
    /// Use the cluster at these addresses instead; it need not belong to the lab
    #[arg(
        long,
        value_name = "HOST:PORT,...",
        value_delimiter = ',',
        conflicts_with = "cluster"
    )]
    pub(super) bootstrap: Vec<Endpoint>,
}

/// A cluster that was chosen.
pub(super) struct ClusterChoice {
    pub(super) place: Option<Place>,
    bootstrap: Vec<Endpoint>,
    lab: String,
    default: DefaultCluster,
}

impl ClusterChoice {
    /// The cluster at these addresses, or else the one of that name, or the one that is meant when none is named.
    pub(super) fn find(
        context: &Context,
        cluster: Option<&str>,
        bootstrap: &[Endpoint],
        default: DefaultCluster,
    ) -> Result<Self, CliError> {
        let place = match bootstrap {
            [] => Some(context.place(cluster, |lab| default.of(lab))?),
            _ => None,
        };
        Ok(Self {
            bootstrap: place
                .as_ref()
                .map_or_else(|| bootstrap.to_vec(), Place::endpoints),
            place,
            lab: in_lab(&context.lab),
            default,
        })
    }

    pub(super) fn endpoints(&self) -> &[Endpoint] {
        &self.bootstrap
    }

    /// Its name in the lab, or its address.
    pub(super) fn name(&self) -> String {
        match (&self.place, self.bootstrap.first()) {
            (Some(place), _) => place.cluster.name.clone(),
            (None, Some(first)) => first.to_string(),
            (None, None) => String::new(),
        }
    }

    /// The lab it belongs to, and its name there.
    pub(super) fn lab(&self) -> Option<(&Topology, &str)> {
        let place = self.place.as_ref()?;
        Some((&place.lab.topology, &place.cluster.name))
    }

    /// The flags that choose it, for the next command to type.
    pub(super) fn flags(&self) -> String {
        if let Some(place) = &self.place {
            return self.lab.clone() + &shell::flag("--cluster", &place.cluster.name);
        }
        let addresses: Vec<String> = self.bootstrap.iter().map(ToString::to_string).collect();
        shell::flag("--bootstrap", &addresses.join(","))
    }

    /// The same, left out where the verb means this cluster anyway.
    pub(super) fn flags_if_needed(&self) -> String {
        let is_default = self
            .place
            .as_ref()
            .is_some_and(|place| self.default.of(&place.lab.topology) == Some(&place.cluster.name));
        if is_default {
            self.lab.clone()
        } else {
            self.flags()
        }
    }

    pub(super) fn kafka_error(&self, error: KafkaError) -> CliError {
        consume::kafka_error(error, self.place.as_ref())
    }

    /// What went wrong with a topic of it.
    pub(super) fn topic_error(&self, error: TopicError) -> CliError {
        let what = format!("{error} on {}", self.name());
        match error {
            TopicError::Kafka(error) => self.kafka_error(error),
            TopicError::NoTopic { .. } => CliError::from(error).what(what),
            other => other.into(),
        }
    }

    /// What went wrong with a group of it.
    pub(super) fn group_error(&self, error: GroupError) -> CliError {
        let on = self.name();
        let what = format!("{error} on {on}");
        match error {
            GroupError::Topic(error) => self.topic_error(error),
            GroupError::Kafka(error) => self.kafka_error(error),
            GroupError::NoGroup { .. } => CliError::from(error).what(what),
            GroupError::Active { .. } => {
                let what = format!("{error} (on {on})");
                CliError::from(error).what(what)
            }
            GroupError::NoPlace { .. } => CliError::from(error).what(what).hint(format!(
                "`kmk group list{} --verbose` shows its committed offsets",
                self.flags()
            )),
        }
    }
}

/// What to type for something that is not on the cluster asked, but on these.
pub(super) fn it_is_on(others: &[String]) -> Option<String> {
    let first = others.first()?;
    let all = others.join(", ");
    Some(format!("it is on {all}: use --cluster {first}"))
}

/// A group as a word of a command: one that looks like a flag comes with one.
pub(super) fn group_word(group: &str) -> String {
    if group.starts_with('-') {
        shell::flag("--group", group).trim_start().to_owned()
    } else {
        shell::word(group)
    }
}

/// The lab that is meant; it must have a cluster of that name, if one is named.
pub(super) fn lab(context: &Context, cluster: Option<&str>) -> Result<Lab, CliError> {
    let lab = context.awake_lab()?;
    match cluster.filter(|name| lab.topology.cluster(name).is_none()) {
        Some(name) => Err(CliError::unknown(
            "cluster",
            name,
            &lab.spec.cluster_names(),
        )),
        None => Ok(lab),
    }
}

/// What each cluster answered. Where some answered, those that did not stand there with their problem; where none did, that is the error.
pub(super) fn those_that_answer<T>(
    lab: &Lab,
    only: Option<&str>,
    looks: Vec<Result<T, KafkaError>>,
    failed: impl Fn(&str, String, String) -> T,
    interrupt: &Interrupt,
) -> Result<Vec<T>, CliError> {
    // whatever it was that did not answer by then
    if interrupt.is_raised() {
        return Err(Stop::Interrupted.into());
    }
    if let [Err(first), rest @ ..] = looks.as_slice()
        && rest.iter().all(Result::is_err)
    {
        return Err(first.clone().into());
    }
    let meant = |cluster: &&Cluster| only.is_none_or(|only| only == cluster.name);
    let clusters = lab.topology.clusters.iter().filter(meant).zip(looks);
    let answers = clusters.map(|(cluster, look)| match look {
        Err(error) => {
            let bootstrap = cluster.bootstrap_outside();
            failed(&cluster.name, bootstrap, error.to_string())
        }
        Ok(answer) => answer,
    });
    Ok(answers.collect())
}

/// Warns of each cluster that did not answer, by its name and its problem, and says where to look. Whether all answered.
pub(super) fn all_answered<'a>(
    problems: impl Iterator<Item = (&'a str, Option<&'a String>)>,
    context: &Context,
) -> bool {
    let silent = problems.filter_map(|(name, problem)| Some((name, problem?)));
    let silent: Vec<(&str, &String)> = silent.collect();
    for (name, problem) in &silent {
        context.output.warn(&format!("{name}: {problem}"));
    }
    if !silent.is_empty() {
        let lab = in_lab(&context.lab);
        let hint = format!("hint: `kmk status{lab}` shows what is wrong there");
        context.output.talk(&hint);
    }
    silent.is_empty()
}

/// What stands above the table of a cluster.
pub(super) fn heading(cluster: Option<&str>, bootstrap: &str) -> String {
    cluster.map_or_else(
        || bootstrap.to_owned(),
        |cluster| format!("{cluster} ({bootstrap})"),
    )
}
