//! The words for what makes no lab.

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
        Problem::Bind { .. } => "name the address by which clients reach the engine's machine, such as --bind 192.168.1.20".to_owned(),
        Problem::TwoImages(_) => {
            "--kafka-version names an image too: give one of them, and once".to_owned()
        }
        Problem::CannotShare { .. } => {
            "leave --mirrormakers out, or ask for a later Kafka".to_owned()
        }
        Problem::ServiceTwice { .. } => {
            "call one of the clusters something else".to_owned()
        }
        Problem::Filter { .. } => {
            "quote it for the shell, such as --topics 'orders,payments\\..*'".to_owned()
        }
        Problem::GroupFilter { .. } => {
            "a filter of groups is a Java regular expression, as one of topics is".to_owned()
        }
        Problem::Name { kind: "cluster", name } if name.contains('.') => "the dot is what divides a cluster's name from a topic's: nobody could tell whose topic a.b.orders is".to_owned(),
        Problem::Loop { .. } => {
            "let two of them that follow each other be `prefix`, take one out, or give them `topics` of which none can go round: MirrorMaker knows what comes back only by the prefix that the next flow wrote".to_owned()
        }
        Problem::SettingValue { reason, .. } if reason.contains("${") => {
            "a variable of the environment is written as ${env:NAME}; nothing else begins with `${`".to_owned()
        }
        Problem::FlowSetting { fault, instead, .. } => return flow_setting(fault, instead),
        Problem::OtherClusters { lab, .. } => format!(
            "deploy it as another lab with --lab NAME --any-port, or take this one away with its records: `kmk destroy{}`",
            in_lab(lab)
        ),
        Problem::NotMade { field, .. } => format!(
            "take `{field}` away, or `bootstrap` if kmk is to make the cluster"
        ),
        Problem::NoBootstrap { .. } => {
            "say where it is with `bootstrap: host:port`, or take it away".to_owned()
        }
        Problem::Address { .. } => "an address is written as host:port".to_owned(),
        Problem::AddressTwice { .. } => {
            "it is one cluster: MirrorMaker would copy it into itself".to_owned()
        }
        Problem::NothingToRun => {
            "name a flow between them under `flows`, or let kmk make a cluster".to_owned()
        }
        Problem::OtherOrigin { lab, .. } => format!(
            "deploy it as another lab with --lab NAME --any-port, or take this one away first: `kmk destroy{}`",
            in_lab(lab)
        ),
        Problem::OtherBrokers { lab, .. } => format!(
            "leave the number as it is, deploy another lab with --lab NAME --any-port, or `kmk destroy{}` this one first",
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
            format!("as `{cluster}.{key}`, for all that MirrorMaker does with {cluster}"),
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
            "a flow's settings are those of MirrorMaker's connectors, without `source->target.` before them".to_owned()
        }
        (Fault::OtherKafka { has, .. }, None) => {
            format!("take it out, or let the flow's clusters run {has}")
        }
        (Fault::NoVariables { .. }, None) => {
            "let one of the flow's clusters run a later Kafka: MirrorMaker is as new as the newest of them".to_owned()
        }
        (Fault::Overruled(_), None) => "take it out".to_owned(),
        _ => return None,
    })
}
