//! The words for what is not a valid lab file.

use super::{CliError, Exit, did_you_mean};
use kafka_mirror_kit::core::spec::{Fault, Instead, Problem, in_lab};

impl From<&Problem> for CliError {
    fn from(problem: &Problem) -> Self {
        Self::of(Exit::Usage, problem).maybe(hint(problem))
    }
}

/// What helps, where the problem does not say it all.
fn hint(problem: &Problem) -> Option<String> {
    Some(match problem {
        Problem::UnknownCluster { name, known } => {
            did_you_mean("cluster", name, known)
        }
        Problem::Port { .. } | Problem::PortTwice { .. } => {
            "choose another with --port CLUSTER=PORT, or let kmk choose with --any-port".to_owned()
        }
        Problem::Bind { .. } => "give the address by which clients reach the engine's machine, such as --bind 192.168.1.20".to_owned(),
        Problem::TwoImages(_) => {
            "--kafka-version chooses an image too: give only one of them, once".to_owned()
        }
        Problem::CannotShare { .. } => {
            "leave --mirrormakers out, or choose a later Kafka".to_owned()
        }
        Problem::NotOnce { .. } => "leave --exactly-once out, or choose a later Kafka".to_owned(),
        Problem::ServiceTwice { .. } => {
            "give one of the clusters another name".to_owned()
        }
        Problem::Filter { .. } => {
            "quote it for the shell, such as --topics 'orders,payments\\..*'".to_owned()
        }
        Problem::GroupFilter { .. } => {
            "a group filter is a Java regular expression, like a topic filter".to_owned()
        }
        Problem::Name { kind: "cluster", name } if name.contains('.') => "the dot separates a cluster's name from a topic's: whose topic would a.b.orders be?".to_owned(),
        Problem::Loop { .. } => {
            "use `prefix` for two consecutive flows, remove one, or choose `topics` that cannot loop: MirrorMaker recognizes what comes back only by the prefix that the next flow wrote".to_owned()
        }
        Problem::SettingValue { reason, .. } if reason.contains("${") => {
            "an environment variable is written as ${env:NAME}; nothing else may begin with `${`".to_owned()
        }
        Problem::FlowSetting { fault, instead, .. } => return flow_setting(fault, instead),
        Problem::OtherClusters { lab, .. } => format!(
            "deploy it as another lab with --lab NAME --any-port, or remove this one with its records: `kmk destroy{}`",
            in_lab(lab)
        ),
        Problem::NotMade { field, .. } => format!(
            "remove `{field}`, or `bootstrap` if kmk should create the cluster"
        ),
        Problem::NoBootstrap { .. } => {
            "say where it is with `bootstrap: host:port`, or remove it".to_owned()
        }
        Problem::Address { .. } => "an address is written as host:port".to_owned(),
        Problem::AddressTwice { .. } => {
            "it is one cluster: MirrorMaker would mirror it into itself".to_owned()
        }
        Problem::NothingToRun => {
            "add a flow between them under `flows`, or let kmk create a cluster".to_owned()
        }
        Problem::OtherOrigin { lab, .. } => format!(
            "deploy it as another lab with --lab NAME --any-port, or remove this one first: `kmk destroy{}`",
            in_lab(lab)
        ),
        Problem::OtherBrokers { lab, .. } => format!(
            "keep the number, deploy another lab with --lab NAME --any-port, or `kmk destroy{}` this one first",
            in_lab(lab)
        ),
        _ => return None,
    })
}

fn flow_setting(fault: &Fault, instead: &[Instead]) -> Option<String> {
    let in_flow = instead.iter().filter_map(|instead| match instead {
        Instead::Flow(key) => Some(format!("`{key}`")),
        _ => None,
    });
    let in_flow: Vec<String> = in_flow.collect();
    let elsewhere = instead.iter().find_map(|instead| match instead {
        Instead::Cluster { cluster, key } => Some((
            key,
            format!("as `{cluster}.{key}`, for everything MirrorMaker does with {cluster}"),
        )),
        Instead::Lab(key) => Some((key, format!("as `{key}`, for MirrorMaker as a whole"))),
        Instead::Flow(_) => None,
    });
    Some(match (fault, elsewhere) {
        (Fault::Unknown, _) if !in_flow.is_empty() => {
            format!("did you mean {}?", in_flow.join(" or "))
        }
        (_, _) if !in_flow.is_empty() => format!("write {}", in_flow.join(" or ")),
        (Fault::Unknown, Some((key, place))) => {
            format!("did you mean `{key}`? It is read {place}; no flow can have it")
        }
        (_, Some((_, place))) => format!("it is read {place}; no flow can have it"),
        (Fault::Unknown, None) => {
            "a flow's settings are those of MirrorMaker's connectors, without the prefix `source->target.`".to_owned()
        }
        (Fault::OtherKafka { has, .. }, None) => {
            format!("remove it, or let the flow's clusters run {has}")
        }
        (Fault::NoVariables { .. }, None) => {
            "let one of the flow's clusters run a later Kafka: MirrorMaker runs the newest version of them".to_owned()
        }
        (Fault::Overruled(_), None) => "remove it".to_owned(),
        _ => return None,
    })
}
