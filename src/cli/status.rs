mod dashboard;

use super::drill::drilled;
use super::output::seconds;
use super::table::{row, table};
use super::watch::{Frame, Watch};
use super::{CliError, Context, Exit};
use dashboard::Look;
use kafka_mirror_kit::core::judge::lag::{FlowLag, Past, TopicState};
use kafka_mirror_kit::core::lab::State;
use kafka_mirror_kit::core::lab::status::{
    self, COPIES, CanaryStatus, ConnectorStatus, FlowState, FlowStatus, Status, TopicStatus,
};
use kafka_mirror_kit::core::spec::in_lab;
use kafka_mirror_kit::core::topology::{Access, Proof};
use kmk_kafka::printable;
use kmk_kafka::wait::Stop;
use std::time::{Duration, SystemTime};

/// Show the lab's health: containers, clusters, flows, and how far mirrored topics are behind
///
/// The exit code is 0 if everything is healthy, otherwise 1. `kmk lag` shows more about what is behind. With --verbose, also
/// shows the memory of the containers, MirrorMaker's tasks, and the client that kmk uses: `kafka` (the crate) or `wire`
/// (kmk's own).
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print JSON, for scripts. With --watch, one object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    watch: Watch,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    if args.watch.watch {
        return watch(args, context);
    }
    let (docker, lab) = context.find_lab()?;
    let status = status::status(&docker, &lab, context.output.verbose, &context.question())?;
    if context.interrupt.is_raised() {
        // a broker that was still being asked would be shown as silent
        return Err(Stop::Interrupted.into());
    }
    let text = if args.json {
        serde_json::to_string_pretty(&status)?
    } else {
        describe(&status, context.output.verbose)
    };
    context.output.result(&text)?;
    if !args.json {
        print_notes(&status, context);
    }
    let drill = lab.journal.drill.as_ref();
    let lab = in_lab(&context.lab);
    let drill = drill.map(|drill| drilled(drill, &lab));
    if status.healthy {
        if let Some(drill) = drill.filter(|_| !args.json) {
            context.output.talk(&format!("note: {drill}"));
        }
        return Ok(Exit::Done);
    }
    let mut links = status.flows.iter().map(|flow| &flow.link);
    let hint = if let Some(drill) = drill {
        drill
    } else if status.state == State::Stopped {
        format!("`kmk start{lab}` starts it again")
    } else if let Some(link) = links.find(|link| link.cut.is_some()) {
        format!(
            "`{}` restores the link; `kmk deploy{lab}` repairs everything else",
            link.heal()
        )
    } else {
        format!("`kmk logs{lab}` shows more; `kmk deploy{lab}` repairs what can be repaired")
    };
    context.output.talk(&format!("\nhint: {hint}"));
    Ok(Exit::No)
}

fn watch(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let mut before: Option<Look> = None;
    args.watch.run(args.json, context, |frame| {
        let (docker, lab) = context.find_lab()?;
        let status = status::status(&docker, &lab, false, &context.question())?;
        let look = before.insert(Look::new(status, before.as_ref()));
        if args.json {
            return Ok(look.json()?);
        }
        Ok(match frame {
            Frame::Picture { lines, .. } => look.picture(lines),
            Frame::Lines => look.lines(),
        })
    })
}

/// What kmk may not do, or cannot, on clusters that it did not make.
fn print_notes(status: &Status, context: &Context) {
    let mut notes = Vec::new();
    for cluster in &status.clusters {
        if cluster.access == Access::Secured {
            notes.push(format!(
                "kmk connects without credentials and cannot check {}; MirrorMaker can connect",
                cluster.name
            ));
        }
    }
    for flow in &status.flows {
        let ends = status.clusters.iter().filter(|cluster| {
            cluster.existing && [&flow.source, &flow.target].contains(&&cluster.name)
        });
        let open: Vec<&str> = ends
            .filter(|cluster| cluster.access == Access::Open)
            .map(|cluster| cluster.name.as_str())
            .collect();
        let copies = |part: &ConnectorStatus| part.connector == COPIES && part.task.is_some();
        let mut clusters = status.clusters.iter();
        let is_empty =
            clusters.any(|cluster| cluster.name == flow.source && cluster.topics == Some(0));
        let is_idle = !flow.parts.is_empty() && !flow.parts.iter().any(copies) && !is_empty;
        if flow.proof == Proof::ConnectorStatus && flow.healthy && is_idle {
            notes.push(format!(
                "MirrorMaker runs {} but mirrors nothing: the flow includes no topic of {}, or MirrorMaker cannot connect to it (`kmk logs{}` shows more)",
                flow.name,
                flow.source,
                in_lab(&status.lab)
            ));
        }
        if flow.proof == Proof::ConnectorStatus && !open.is_empty() {
            notes.push(format!(
                "no canary is sent through {}; its state is what MirrorMaker reports{}; set `canary: true` for {} in the lab file to let kmk send one",
                flow.name,
                heartbeat(flow),
                open.join(" and ")
            ));
        }
    }
    if status.state == State::Stopped {
        // of one that runs it is the first of the problems
        notes.extend(status.flows.iter().filter_map(|flow| flow.link.note()));
    }
    let lags = status.flows.iter().filter_map(|flow| flow.lag.as_ref());
    notes.extend(lags.flat_map(FlowLag::notes));
    for flow in status.flows.iter().filter(|flow| flow.behind.is_none()) {
        if let Some(ago) = flow.position_age_seconds {
            notes.push(format!(
                "the lag of {} is unknown while {} does not answer; MirrorMaker last committed its position {ago:.1} s ago",
                flow.name, flow.source
            ));
        }
    }
    for (index, note) in notes.iter().enumerate() {
        let gap = if index == 0 { "\n" } else { "" };
        context.output.talk(&format!("{gap}note: {note}"));
    }
}

/// When it was last given.
fn heartbeat(flow: &FlowStatus) -> String {
    flow.heartbeat_age_ms.map_or_else(String::new, |millis| {
        let age = seconds(Duration::from_millis(millis));
        format!(" (last heartbeat {age} ago)")
    })
}

fn describe(status: &Status, verbose: bool) -> String {
    let mut parts = vec![format!("Lab `{}`: {}", status.lab, health(status))];
    if status.state != State::Stopped {
        parts.extend(problems(status));
    }
    parts.push(String::new());
    parts.push(containers(status, verbose));
    parts.push(String::new());
    parts.push(clusters(status, verbose));
    parts.push(String::new());
    parts.push(flows(status));
    if verbose {
        parts.extend(status.flows.iter().map(connectors));
    }
    parts.join("\n")
}

fn health(status: &Status) -> &'static str {
    match status.state {
        State::Stopped => "stopped",
        _ if status.healthy => "healthy",
        _ if status.is_degraded() => "DEGRADED",
        _ if status.is_unknown() => "UNKNOWN",
        _ => "NOT HEALTHY",
    }
}

fn problems(status: &Status) -> Vec<String> {
    let containers = status
        .containers
        .iter()
        .filter_map(|container| container.problem.clone());
    let clusters = status.clusters.iter().filter_map(|cluster| {
        let problem = cluster.problem.as_ref()?;
        Some(format!("cluster {}: {problem}", cluster.name))
    });
    let flows = status.flows.iter().flat_map(|flow| {
        flow.problems
            .iter()
            .map(|problem| format!("flow {}: {problem}", flow.name))
    });
    containers
        .chain(clusters)
        .chain(flows)
        .map(|problem| format!("  - {}", printable::line(&problem)))
        .collect()
}

fn containers(status: &Status, verbose: bool) -> String {
    let mut heading = row(["CONTAINER", "STATE", "FOR"]);
    if verbose {
        heading.push("MEMORY".to_owned());
    }
    let rows = status.containers.iter().map(|container| {
        let since = container
            .since
            .as_deref()
            .and_then(age)
            .unwrap_or_else(|| "-".to_owned());
        let mut cells = row([&container.service, &container.state, &since]);
        if verbose {
            cells.push(container.memory.clone().unwrap_or_else(|| "-".to_owned()));
        }
        cells
    });
    table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

/// How long ago a time in RFC 3339 was.
fn age(time: &str) -> Option<String> {
    let since = humantime::parse_rfc3339(time).ok()?;
    let age = SystemTime::now()
        .duration_since(since)
        .unwrap_or(Duration::ZERO);
    Some(seconds(age))
}

fn clusters(status: &Status, verbose: bool) -> String {
    let mut heading = row(["CLUSTER", "BROKERS", "TOPICS", "ADDRESS"]);
    if verbose {
        heading.extend(row(["PRODUCE", "CONSUME"]));
    }
    let rows = status.clusters.iter().map(|cluster| {
        let brokers = match cluster.brokers {
            0 => "-".to_owned(),
            all => format!("{}/{all}", cluster.brokers_up),
        };
        let topics = cluster
            .topics
            .map_or_else(|| "-".to_owned(), |topics| topics.to_string());
        let mut cells = row([&cluster.name, &brokers, &topics, &cluster.bootstrap]);
        if verbose {
            let (produce, consume) = cluster
                .clients
                .map_or(("-", "-"), |clients| (clients.produce, clients.consume));
            cells.extend(row([produce, consume]));
        }
        cells
    });
    table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

fn flows(status: &Status) -> String {
    let heading = row([
        "FLOW",
        "STATE",
        "CANARY",
        "TOPIC",
        "MIRRORED AS",
        "BEHIND",
        "SECONDS",
    ]);
    let rows = status.flows.iter().flat_map(|flow| {
        let behind = flow
            .behind
            .map_or_else(|| "-".to_owned(), |behind| behind.to_string());
        // while nobody tells, none seen is not none
        let topics = match (flow.behind, flow.topics.len()) {
            (None, 0) => "-".to_owned(),
            (_, seen) => format!("{seen} mirrored"),
        };
        let canary = flow.canary.as_ref().map_or_else(|| "-".to_owned(), canary);
        let sum = row([
            &flow.name,
            state(status, flow),
            &canary,
            &topics,
            "",
            &behind,
            &age_of(flow.seconds_behind),
        ]);
        let topics = flow.topics.iter().map(|topic| {
            row([
                "",
                "",
                "",
                &topic.source,
                &mirrored_as(topic),
                &topic.behind.to_string(),
                &age_of(topic.seconds_behind),
            ])
        });
        [sum].into_iter().chain(topics).collect::<Vec<_>>()
    });
    table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

fn state(status: &Status, flow: &FlowStatus) -> &'static str {
    match (status.state, flow.state) {
        (State::Stopped, _) => "stopped",
        (_, FlowState::Running) => "running",
        (_, FlowState::Degraded) => "degraded",
        (_, FlowState::Unhealthy) => "unhealthy",
    }
}

/// What it is called, and what is the matter with it.
fn mirrored_as(topic: &TopicStatus) -> String {
    let name = &topic.remote;
    match topic.state {
        TopicState::NotCreatedYet => "not created yet".to_owned(),
        TopicState::MirroredTopicGone if topic.lost == 0 => "gone".to_owned(),
        TopicState::MirroredTopicGone => format!("gone: {} lost", topic.lost),
        _ if topic.lost > 0 => format!("{name} ({} lost)", topic.lost),
        _ if topic.never_copied > 0 => format!("{name} ({} never mirrored)", topic.never_copied),
        _ if topic.doubtful > 0 => format!("{name} (unknown whether lost)"),
        _ if topic.recreated => format!("{name} (source recreated)"),
        _ => topic
            .past
            .as_ref()
            .map_or_else(|| name.clone(), |past| earlier(name, past)),
    }
}

/// With what happened to it before.
fn earlier(name: &str, past: &Past) -> String {
    match (past.never_copied, past.moved_back) {
        (0, 0) => format!("{name} (source recreated)"),
        (0, back) => format!("{name} (source end moved back by {back})"),
        (never, _) => format!("{name} (at least {never} never mirrored)"),
    }
}

fn age_of(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1}"))
}

/// How long it took, or that it did not cross.
fn canary(canary: &CanaryStatus) -> String {
    match canary {
        CanaryStatus::Arrived { micros } => format!("{} ms", micros.div_ceil(1000)),
        CanaryStatus::Missing { .. } => "late".to_owned(),
        CanaryStatus::NotSent { .. } => "not sent".to_owned(),
        CanaryStatus::Unknown { .. } => "unknown".to_owned(),
    }
}

fn connectors(flow: &FlowStatus) -> String {
    let is_shared = flow.parts.iter().any(|part| part.worker.is_some());
    // who has died still stands there as running
    let state = match flow.state {
        FlowState::Unhealthy => "LAST STATE",
        FlowState::Running | FlowState::Degraded => "STATE",
    };
    let mut heading = row(["CONNECTOR", "TASK", state]);
    heading.extend(is_shared.then(|| "WORKER".to_owned()));
    let rows = flow.parts.iter().map(|part| {
        let task = part
            .task
            .map_or_else(|| "-".to_owned(), |task| task.to_string());
        let mut cells = row([&part.connector, &task, &part.state]);
        let worker = part.worker.as_deref().unwrap_or("-");
        cells.extend(is_shared.then(|| worker.to_owned()));
        cells
    });
    format!(
        "\n{}",
        table(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_that_may_still_come_is_not_lost() {
        let missing = CanaryStatus::Missing { millis: 1500 };
        assert_eq!(canary(&missing), "late");
    }
}
