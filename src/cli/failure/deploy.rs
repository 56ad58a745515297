//! The words for a deploy that failed.

use super::docker::{docker, of_docker, of_lab, of_lock};
use super::{Failure, Item, UNUSABLE, USAGE, did_you_mean};
use crate::cli::Context;
use crate::cli::deploy::in_lab;
use kafka_mirror_kit::core::image::ImageError;
use kafka_mirror_kit::core::lab::deploy::{
    Aftermath, DeployError, Failure as DeployFailure, Suspect,
};
use kafka_mirror_kit::core::lab::preflight;
use kafka_mirror_kit::core::lab::start::StartError;
use kafka_mirror_kit::core::lab::workdir::{Owner, WorkdirError};
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec;
use kafka_mirror_kit::core::spec::{Fault, Instead};
use kafka_mirror_kit::core::topology::{
    KAFKA_VERSION, KafkaImage, OFFICIAL_IMAGE, OLDEST_OFFICIAL, STAND_IN_IMAGE, Version,
};

pub(super) fn of_deploy(failure: &DeployFailure, context: &Context) -> Failure {
    let mut shown = of_deploy_error(&failure.cause);
    let lab = in_lab(&context.lab);
    shown.more.extend(match &failure.aftermath {
        Aftermath::NothingMade => None,
        Aftermath::RolledBack(left) => {
            let left: Vec<String> = left.iter().map(|left| format!("; but {left}")).collect();
            let left = if left.is_empty() { ".".to_owned() } else { left.concat() };
            Some(format!("Everything that this deploy had made is gone again{left}"))
        }
        Aftermath::Kept => Some(format!(
            "Left as it is for a look: `kmk logs{lab}`, `kmk status{lab}`; take it away with `kmk destroy{lab}`."
        )),
        Aftermath::LabStays => Some(format!(
            "The lab was there before and stays: `kmk status{lab}` says how it is, `kmk deploy{lab}` tries again."
        )),
        Aftermath::LabIsLess(why) => Some(format!(
            "The lab was there before, and not all of it runs now: {why}\nRepair it with `kmk deploy{lab}`."
        )),
        Aftermath::RollbackFailed(why) => Some(format!(
            "Rolling back failed too: {why}\nTry again with `kmk destroy{lab}`."
        )),
    });
    shown
}

pub(super) fn of_start(error: &StartError, context: &Context) -> Failure {
    let lab = in_lab(&context.lab);
    let error = match error {
        StartError::Lab(error) => return of_lab(error),
        StartError::Lock(error) => return of_lock(error),
        StartError::Docker(error) => return of_docker(error),
        StartError::NotUp(error) => error,
        other => {
            let hint = format!(
                "`kmk deploy{lab}` makes them anew; what is left of its records is used again"
            );
            return Failure::one(Item::new(other).hint(hint), UNUSABLE);
        }
    };
    let mut shown = of_deploy_error(error);
    let hint = match error {
        DeployError::NotReady { .. } => Some("give it more time with --timeout 300s".to_owned()),
        DeployError::Preflight(_) => Some(format!(
            "free it, or give the lab another with `kmk deploy{lab} --port CLUSTER=PORT`"
        )),
        DeployError::Docker(_) => Some(format!("`kmk deploy{lab}` repairs what can be repaired")),
        _ => None,
    };
    for item in shown.items.iter_mut().filter(|_| hint.is_some()) {
        item.hint.clone_from(&hint);
    }
    shown.more.push(format!(
        "What was started goes on: `kmk status{lab}` says how it is, `kmk start{lab}` tries again."
    ));
    shown
}

pub(super) fn of_deploy_error(error: &DeployError) -> Failure {
    match error {
        DeployError::Spec(problems) => Failure {
            items: problems.iter().map(spec_problem).collect(),
            more: Vec::new(),
            code: USAGE,
        },
        DeployError::Preflight(problems) => Failure {
            code: if problems.iter().all(is_usage) { USAGE } else { UNUSABLE },
            items: problems.iter().map(preflight_problem).collect(),
            more: Vec::new(),
        },
        DeployError::Lab(error) => of_lab(error),
        DeployError::OtherScenario { lab, asked, .. } => Failure::one(
            Item::new(error).hint(format!(
                "`kmk destroy{}` takes it away with its records; `kmk deploy --scenario {asked} --lab NAME --any-port` makes another beside it",
                in_lab(lab)
            )),
            USAGE,
        ),
        DeployError::Lock(error) => of_lock(error),
        DeployError::Workdir(error) => Failure::one(workdir(error), USAGE),
        DeployError::NoNetworkLeft => Failure::one(
            Item::new(error).hint("a lab takes one network a cluster and Docker has about 30: destroy a lab (`kmk list` shows them), or `docker network rm` one of yours"),
            UNUSABLE,
        ),
        DeployError::Docker(error) => of_docker(error),
        DeployError::NotReady { suspect, .. } => {
            let item = Item::new(error).hint("give it more time with --timeout 300s, or keep it for a look with --keep");
            let mut failure = Failure::one(item, UNUSABLE);
            failure.more = suspect.as_deref().map_or_else(Vec::new, log);
            failure
        }
        DeployError::DataIsNewer { cluster, before, suspect, .. } => {
            let back = before.as_ref().map_or_else(
                || "the Kafka that it ran".to_owned(),
                |before| asking_for(cluster, before),
            );
            let item = Item::new(error).hint(format!(
                "its records are still there: go on with {back}, or destroy the lab and deploy it anew"
            ));
            let mut failure = Failure::one(item, UNUSABLE);
            failure.more = log(suspect);
            failure
        }
        DeployError::Interrupted => Failure::interrupted(),
        other => Failure::one(Item::new(other), UNUSABLE),
    }
}

fn log(suspect: &Suspect) -> Vec<String> {
    let heading = format!(
        "Container {} {}; the last lines of its log:",
        suspect.container, suspect.state
    );
    [heading]
        .into_iter()
        .chain(suspect.log.iter().map(|line| format!("  | {line}")))
        .collect()
}

pub(super) fn spec_problem(problem: &spec::Problem) -> Item {
    let item = Item::new(problem);
    match problem {
        spec::Problem::UnknownCluster { name, known } => {
            item.hint(did_you_mean("cluster", name, known))
        }
        spec::Problem::Port { .. } | spec::Problem::PortTwice { .. } => {
            item.hint("choose another with --port CLUSTER=PORT, or let kmk choose with --any-port")
        }
        spec::Problem::Bind { .. } => item.hint(
            "name the address by which clients reach the engine's machine, such as --bind 192.168.1.20",
        ),
        spec::Problem::TwoImages(_) => {
            item.hint("--kafka-version names an image too: give one of them, and once")
        }
        spec::Problem::CannotShare { .. } => {
            item.hint("leave --mirrormakers out, or ask for a later Kafka")
        }
        spec::Problem::ServiceTwice { .. } => {
            item.hint("call one of the clusters something else")
        }
        spec::Problem::Filter { .. } => {
            item.hint("quote it for the shell, such as --topics 'orders,payments\\..*'")
        }
        spec::Problem::GroupFilter { .. } => {
            item.hint("a filter of groups is a Java regular expression, as one of topics is")
        }
        spec::Problem::Name { kind: "cluster", name } if name.contains('.') => item.hint(
            "the dot is what divides a cluster's name from a topic's: nobody could tell whose topic a.b.orders is",
        ),
        spec::Problem::Loop { .. } => {
            item.hint("let two of them that follow each other be `prefix`, take one out, or give them `topics` of which none can go round: MirrorMaker knows what comes back only by the prefix that the next flow wrote")
        }
        spec::Problem::SettingValue { reason, .. } if reason.contains("${") => {
            item.hint("a variable of the environment is written as ${env:NAME}; nothing else begins with `${`")
        }
        spec::Problem::FlowSetting { fault, instead, .. } => Item {
            hint: flow_setting(fault, instead),
            ..item
        },
        spec::Problem::OtherClusters { lab, .. } => item.hint(format!(
            "deploy it as another lab with --lab NAME --any-port, or take this one away with its records: `kmk destroy{}`",
            in_lab(lab)
        )),
        spec::Problem::NotMade { field, .. } => item.hint(format!(
            "take `{field}` away, or `bootstrap` if kmk is to make the cluster"
        )),
        spec::Problem::NoBootstrap { .. } => {
            item.hint("say where it is with `bootstrap: host:port`, or take it away")
        }
        spec::Problem::Address { .. } => item.hint("an address is written as host:port"),
        spec::Problem::AddressTwice { .. } => {
            item.hint("it is one cluster: MirrorMaker would copy it into itself")
        }
        spec::Problem::NothingToRun => {
            item.hint("name a flow between them under `flows`, or let kmk make a cluster")
        }
        spec::Problem::OtherOrigin { lab, .. } => item.hint(format!(
            "deploy it as another lab with --lab NAME --any-port, or take this one away first: `kmk destroy{}`",
            in_lab(lab)
        )),
        spec::Problem::OtherBrokers { lab, .. } => item.hint(format!(
            "leave the number as it is, deploy another lab with --lab NAME --any-port, or `kmk destroy{}` this one first",
            in_lab(lab)
        )),
        _ => item,
    }
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

fn is_usage(problem: &preflight::Problem) -> bool {
    matches!(
        problem,
        preflight::Problem::Workdir(_)
            | preflight::Problem::Variable { .. }
            | preflight::Problem::NoBind { .. }
            | preflight::Problem::NotItsAddress { .. }
            | preflight::Problem::Image(ImageError::TooOld { .. })
    )
}

pub(super) fn preflight_problem(problem: &preflight::Problem) -> Item {
    match problem {
        preflight::Problem::Docker(error) => docker(error),
        preflight::Problem::ComposeTooOld { .. }
        | preflight::Problem::ComposeTooOldForRemote { .. } => {
            Item::new(problem).hint("update Docker Desktop, or Docker's compose plugin")
        }
        preflight::Problem::NoBind { host, .. } => {
            let address = host.map_or_else(|| "ADDRESS".to_owned(), |host| host.to_string());
            Item::new(problem).hint(format!(
                "publish them on the address by which clients reach that machine: --bind {address}; whoever reaches it can then read and write"
            ))
        }
        preflight::Problem::NotItsAddress { .. } => Item::new(problem)
            .hint("give --bind an address that `ip address` shows on that machine"),
        preflight::Problem::Port { cluster, port, .. } => Item::new(problem).hint(format!(
            "choose another with --port {cluster}={}, or let kmk choose with --any-port",
            if *port < 40_000 {
                port + 10_000
            } else {
                port - 10_000
            }
        )),
        preflight::Problem::Variable { name, .. } => Item::new(problem).hint(format!(
            "set it for kmk, such as with `export {name}=...`: it is passed on by its name"
        )),
        preflight::Problem::Workdir(error) => workdir(error),
        preflight::Problem::Image(error) => image(error),
        preflight::Problem::Memory { .. } => Item::new(problem).hint(
            "end something else, or give Docker more memory (Docker Desktop: Settings, Resources)",
        ),
        preflight::Problem::Disk { .. } => {
            Item::new(problem).hint("see what takes space with `docker system df`")
        }
        preflight::Problem::NoAnswer { .. } => Item::new(problem).hint(
            "kmk does not start it: bring it up, or correct `bootstrap` in the lab file",
        ),
        preflight::Problem::OneCluster { bootstrap, .. } => Item::new(problem).hint(format!(
            "name it once; two that were formatted with one id are told apart as soon as one of them has a topic: `kmk topic create NAME --bootstrap {}`",
            bootstrap[1]
        )),
        preflight::Problem::Advertised { address, .. } => {
            Item::new(problem).hint(if address.starts_with("localhost") {
                "if it runs on this machine, say `bootstrap: localhost:PORT`; else let it advertise an address that leads to it"
            } else {
                "let the broker advertise `localhost`, which kmk leads to this machine there too, or this machine's name; a number cannot be led elsewhere"
            })
        }
        preflight::Problem::OnlyLoopback { .. } => Item::new(problem).hint(
            "let the broker listen on all addresses (listeners=PLAINTEXT://:PORT), or publish its port without 127.0.0.1: before it",
        ),
        preflight::Problem::OtherMachine { .. } => Item::new(problem).hint(
            "write an address of this machine that the engine's machine reaches, and let the broker advertise it too",
        ),
        preflight::Problem::LeftBehind {
            bootstrap, topics, ..
        } => {
            let commands = topics
                .iter()
                .map(|topic| format!("`kmk topic delete {topic} --force --bootstrap {bootstrap}`"));
            Item::new(problem).hint(format!(
                "unless another lab uses them, remove them: {}",
                commands.collect::<Vec<_>>().join(", ")
            ))
        }
        preflight::Problem::NotOurs { .. } => Item::new(problem)
            .hint("choose another name with --lab, or remove it with docker if it is yours"),
        other => Item::new(other),
    }
}

fn image(error: &ImageError) -> Item {
    let item = Item::new(error);
    match error {
        ImageError::NotFound { image, .. } if never_was(image) => item.hint(format!(
            "{OFFICIAL_IMAGE} begins with {}.{}.0; name another image of that version with --image",
            OLDEST_OFFICIAL.0, OLDEST_OFFICIAL.1
        )),
        ImageError::NotFound { .. } => {
            item.hint("check the name and the network, or name one that is here with --image (`docker images` lists them)")
        }
        ImageError::TooOld { .. } => item.hint(format!("leave --image and --kafka-version out, or ask for a later one such as --kafka-version {KAFKA_VERSION}")),
        ImageError::NoKafka { .. } => item.hint("kmk runs apache/kafka, or an image that is laid out like it"),
        ImageError::Docker(error) => docker(error),
        _ => item,
    }
}

/// The flag that asks for an image; a stand-in stays what it stands in for.
fn asking_for(cluster: &str, image: &str) -> String {
    let tag = [OFFICIAL_IMAGE, STAND_IN_IMAGE]
        .iter()
        .find_map(|name| image.strip_prefix(name)?.strip_prefix(':'));
    match tag.filter(|tag| Version::parse(tag).is_some()) {
        Some(version) => format!("--kafka-version {cluster}={version}"),
        None => format!("--image {}", shell::word(&format!("{cluster}={image}"))),
    }
}

/// Whether it is an official image of a Kafka that there is none of.
fn never_was(image: &str) -> bool {
    let image = KafkaImage::new(Some(image));
    let is_older = |version: Version| version.is_below(OLDEST_OFFICIAL);
    image.stand_in().is_some() && image.version().is_some_and(is_older)
}

pub(super) fn workdir(error: &WorkdirError) -> Item {
    let item = Item::new(error);
    match error {
        WorkdirError::Io { .. } => item.hint("choose another directory with --dir"),
        WorkdirError::NotOurs {
            owner: Owner::Lab(_),
            ..
        } => item.hint("choose another directory with --dir, or replace it with --overwrite"),
        WorkdirError::NotOurs { .. } => {
            item.hint("replace it with --overwrite, or choose another directory with --dir")
        }
    }
}
