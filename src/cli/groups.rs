mod flows;

use super::cluster_choice::BootstrapFlag;
use super::cluster_choice::group_word;
use super::quantity::{count, or_dash};
use super::table::{row, table};
use super::{CliError, Context, Exit, cluster_choice, consume, flow_name, flow_named};
use kafka_mirror_kit::core::lab::groups::{
    ClusterGroups, GroupPartition, GroupReport, groups_and_flows, groups_at,
};
use kafka_mirror_kit::core::nearest::nearest;
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::printable;
use kmk_kafka::wait::Limit;
use serde::Serialize;
use std::time::Duration;

/// Show the consumer groups of each cluster: members, lag, and what a failover would mean
///
/// For each flow it shows what would happen if the group failed over to the target now: how many records it would read
/// again, how many it would skip, and why. With --verbose, every partition: the committed offset, the end, and the member
/// that reads it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// As `kmk group describe`
    #[arg(long, short, hide = true, value_name = "GROUP", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    group: Option<String>,
    /// Include the groups of MirrorMaker and Kafka Connect
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    answer: Answer,
}

/// Show one consumer group, partition by partition, on every cluster that has it
///
/// For each partition: the committed offset, the end, and the member that reads it. For each flow: what would happen if the
/// group failed over to the target now.
#[derive(clap::Args)]
#[command(after_help = DESCRIBE_EXAMPLES)]
pub(super) struct Describe {
    /// The group
    #[arg(value_name = "GROUP", value_parser = clap::builder::NonEmptyStringValueParser::new(), required_unless_present = "group")]
    bare: Option<String>,
    /// The group, as a flag
    #[arg(long, short, value_name = "GROUP", value_parser = clap::builder::NonEmptyStringValueParser::new(), conflicts_with = "bare")]
    group: Option<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    answer: Answer,
}

/// Where groups are looked for.
#[derive(clap::Args)]
struct Which {
    /// Only this cluster of the lab [default: all]
    #[arg(long, short, value_name = "NAME")]
    cluster: Option<String>,
    #[command(flatten)]
    elsewhere: BootstrapFlag,
    /// Only failovers through this flow, as 'primary->secondary' or primary:secondary [default: all flows]
    #[arg(long, value_name = "SOURCE->TARGET", value_parser = flow_name, conflicts_with_all = ["cluster", "bootstrap"])]
    flow: Option<String>,
}

/// How the answer is given, and how long that may take.
#[derive(clap::Args)]
struct Answer {
    /// Print JSON, for scripts, always partition by partition
    #[arg(long)]
    json: bool,
    /// How long to wait for the brokers
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = super::patience)]
    timeout: Duration,
}

const EXAMPLES: &str = "\
Examples:
  kmk group list
  kmk group list --cluster secondary --verbose
  kmk group list --flow 'primary->secondary'
  kmk group list --json | jq '.clusters[].groups[] | {group, lag}'

LAG counts the offsets from the committed offset to the end of the partition,
including transaction markers and compacted records. Partitions with records but
no committed offset are `not started`: auto.offset.reset decides where clients
start. `ahead N` means that the committed offset is N offsets beyond the end:
someone set it, or records are lost.

Below a group, a line for each flow shows what would happen if the group failed
over to the target now: how many records would be `redelivered`, and how many
records `ahead` the group is there (it read them there, or was moved). Without a
committed offset there, auto.offset.reset decides: with `earliest`, records are
redelivered; with `latest`, they are SKIPPED, which means never read. `at most`
marks an upper bound. If a cluster does not answer, its groups are shown as
MirrorMaker last saw them. docs/groups.md explains each number.";

const DESCRIBE_EXAMPLES: &str = "\
Examples:
  kmk group describe billing
  kmk group describe billing --flow 'primary->secondary'
  kmk group describe billing --json | jq '.clusters[].groups[].partitions'

`kmk group list --help` says what each column means.";

/// The answer for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Json<'a> {
    clusters: &'a [ClusterGroups],
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let group = args.group.as_deref();
    show(group, args.all, &args.which, &args.answer, context)
}

pub(super) fn describe_one(args: &Describe, context: &Context) -> Result<Exit, CliError> {
    let group = args.bare.as_deref().or(args.group.as_deref());
    show(group, true, &args.which, &args.answer, context)
}

/// All groups, or one with all its partitions.
fn show(
    group: Option<&str>,
    all: bool,
    which: &Which,
    answer: &Answer,
    context: &Context,
) -> Result<Exit, CliError> {
    let limit = Limit::new(answer.timeout, &context.interrupt);
    let all = all || group.is_some();
    let mut clusters = if which.elsewhere.bootstrap.is_empty() {
        let lab = cluster_choice::lab(context, which.cluster.as_deref())?;
        let flow = which.flow.as_deref();
        let named = flow
            .map(|flow| flow_named(&lab.topology, flow))
            .transpose()?;
        // whose groups the flow takes along
        let source = named.map(|flow| flow.spec.source.as_str());
        let only = source.or(which.cluster.as_deref());
        let looks = groups_and_flows(&lab.topology, only, flow, all, &limit);
        let failed = |name: &str, bootstrap: String, problem: String| ClusterGroups {
            cluster: Some(name.to_owned()),
            bootstrap,
            groups: Vec::new(),
            hidden: 0,
            problem: Some(problem),
        };
        cluster_choice::those_that_answer(&lab, only, looks, failed, &context.interrupt)?
    } else {
        let look = groups_at(&which.elsewhere.bootstrap, all, &limit);
        vec![look.map_err(|error| consume::kafka_error(error, None))?]
    };
    if which.flow.is_some() {
        for cluster in &mut clusters {
            cluster.groups.retain(|group| !group.flows.is_empty());
        }
    }
    if let Some(group) = group {
        keep(group, &mut clusters, &where_asked(which, context))?;
    }
    let in_detail = group.is_some() || context.output.verbose;
    let text = if answer.json {
        let json = Json {
            clusters: &clusters,
        };
        serde_json::to_string_pretty(&json)?
    } else {
        let tables: Vec<String> = clusters
            .iter()
            .map(|cluster| describe(cluster, in_detail))
            .collect();
        tables.join("\n\n")
    };
    context.output.result(&text)?;
    if !answer.json {
        talk(&clusters, in_detail, context);
    }
    let problems = clusters.iter().map(|cluster| {
        let name = cluster.cluster.as_ref().unwrap_or(&cluster.bootstrap);
        (name.as_str(), cluster.problem.as_ref())
    });
    Ok(if cluster_choice::all_answered(problems, context) {
        Exit::Done
    } else {
        Exit::No
    })
}

/// The flags that say where groups were looked for.
fn where_asked(which: &Which, context: &Context) -> String {
    let addresses = which.elsewhere.bootstrap.iter();
    let addresses: Vec<String> = addresses.map(ToString::to_string).collect();
    if addresses.is_empty() {
        in_lab(&context.lab)
    } else {
        format!(" --bootstrap {}", addresses.join(","))
    }
}

/// Drops all other groups, and clusters that know this one not.
fn keep(group: &str, clusters: &mut Vec<ClusterGroups>, asked: &str) -> Result<(), CliError> {
    let names: Vec<String> = clusters
        .iter()
        .flat_map(|cluster| &cluster.groups)
        .map(|one| one.group.clone())
        .collect();
    if !names.iter().any(|name| name == group) {
        let silent = clusters.iter().filter_map(|cluster| {
            let name = cluster.cluster.as_ref().unwrap_or(&cluster.bootstrap);
            Some(format!(
                "{name} does not answer ({})",
                cluster.problem.as_ref()?
            ))
        });
        let silent: Vec<String> = silent.collect();
        if !silent.is_empty() {
            let group = printable::name(group);
            let what = format!(
                "group `{group}` was not found, but it may exist: {}",
                silent.join("; ")
            );
            let hint = format!("`kmk status{asked}` shows what is wrong there");
            return Err(CliError::unusable(what).hint(hint));
        }
        let hint = nearest(group, names.iter().map(String::as_str)).map_or_else(
            || format!("`kmk group list{asked}` lists the existing groups"),
            |meant| format!("did you mean `{}`?", printable::name(meant)),
        );
        let name = printable::name(group);
        return Err(CliError::usage(format!("there is no group `{name}`")).hint(hint));
    }
    for cluster in &mut *clusters {
        cluster.groups.retain(|one| one.group == group);
    }
    clusters.retain(|cluster| !cluster.groups.is_empty() || cluster.problem.is_some());
    Ok(())
}

fn talk(clusters: &[ClusterGroups], in_detail: bool, context: &Context) {
    let hidden: usize = clusters.iter().map(|cluster| cluster.hidden).sum();
    if hidden > 0 {
        let groups = count(hidden, "group");
        context.output.talk(&format!(
            "\n{groups} of MirrorMaker and Kafka Connect hidden; --all shows them"
        ));
    }
    let lab = in_lab(&context.lab);
    let of_lab = clusters
        .iter()
        .find(|cluster| cluster.cluster.is_some() && !cluster.groups.is_empty());
    if let (Some(cluster), false) = (of_lab, in_detail) {
        let group = group_word(&cluster.groups[0].group);
        let command = format!("kmk group describe{lab} {group}");
        context.output.next(&[(command, "show every partition")]);
    }
}

fn describe(cluster: &ClusterGroups, in_detail: bool) -> String {
    let heading = cluster_choice::heading(cluster.cluster.as_deref(), &cluster.bootstrap);
    let heading = match (&cluster.problem, cluster.groups.is_empty()) {
        (Some(_), true) => return format!("{heading}\nno answer"),
        (None, true) => return format!("{heading}\nno groups"),
        (Some(_), false) => {
            format!("{heading}\nno answer; its groups as MirrorMaker last saw them:")
        }
        (None, false) => heading,
    };
    if in_detail {
        let groups: Vec<String> = cluster.groups.iter().map(detail).collect();
        return format!("{heading}\n{}", groups.join("\n\n"));
    }
    format!("{heading}\n{}", summary(&cluster.groups))
}

fn summary(groups: &[GroupReport]) -> String {
    let heading = row(["GROUP", "STATE", "MEMBERS", "TOPICS", "LAG"]);
    let rows = groups.iter().map(|group| {
        row([
            &group.group,
            &group.state,
            &or_dash(group.is_seen().then_some(group.members.len())),
            &group.topics().to_string(),
            &lag_of_all(group),
        ])
    });
    let table = table(&[heading].into_iter().chain(rows).collect::<Vec<_>>());
    let mut lines = table.lines();
    let heading = lines.next().unwrap_or_default();
    let mut text = vec![heading.to_owned()];
    for (line, group) in lines.zip(groups) {
        text.push(line.to_owned());
        let flows = group.flows.iter().flat_map(flows::lines);
        text.extend(flows.map(|line| format!("  {line}")));
    }
    text.join("\n")
}

/// What the sum does not show is said behind it.
fn lag_of_all(group: &GroupReport) -> String {
    let is_ahead = group
        .partitions
        .iter()
        .any(|partition| partition.ahead.is_some());
    let not_begun = group.not_begun();
    let ahead = is_ahead.then(|| "ahead in other partitions".to_owned());
    let not_begun =
        (not_begun > 0).then(|| format!("{} not started", count(not_begun, "partition")));
    let parts = [Some(or_dash(group.lag)), ahead, not_begun];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn detail(group: &GroupReport) -> String {
    if !group.is_seen() {
        let name = format!("{}: {}", printable::name(&group.group), group.state);
        let flows = group.flows.iter().map(flows::detail);
        return [name]
            .into_iter()
            .chain(flows)
            .collect::<Vec<_>>()
            .join("\n");
    }
    let members = count(group.members.len(), "member");
    let lag = if group.partitions.is_empty() {
        String::new()
    } else {
        format!(", lag {}", lag_of_all(group))
    };
    let name = printable::name(&group.group);
    let line = format!("{name}: {}, {members}{lag}", group.state);
    let idle = group.members.iter().filter(|member| member.partitions == 0);
    let idle = idle.map(|member| {
        let client = printable::name(&member.client);
        format!("{client} on {} has no partitions", member.host)
    });
    let lines: Vec<String> = [line].into_iter().chain(idle).collect();
    if group.partitions.is_empty() {
        return lines.join("\n");
    }
    let with_readers = group
        .partitions
        .iter()
        .any(|partition| partition.client.is_some());
    let mut heading = row(["TOPIC", "PARTITION", "OFFSET", "END", "LAG"]);
    if with_readers {
        heading.extend(row(["CLIENT", "HOST"]));
    }
    let rows = group.partitions.iter().map(|partition| {
        let mut cells = row([
            &partition.topic,
            &partition.partition.to_string(),
            &or_dash(partition.committed),
            &or_dash(partition.end),
            &left(partition),
        ]);
        if with_readers {
            cells.push(or_dash(partition.client.as_ref()));
            cells.push(or_dash(partition.host.as_ref()));
        }
        cells
    });
    let rows: Vec<Vec<String>> = [heading].into_iter().chain(rows).collect();
    let partitions = format!("{}\n{}", lines.join("\n"), table(&rows));
    let flows = group.flows.iter().map(flows::detail);
    [partitions]
        .into_iter()
        .chain(flows)
        .collect::<Vec<_>>()
        .join("\n")
}

fn left(partition: &GroupPartition) -> String {
    partition
        .ahead
        .map_or_else(|| or_dash(partition.lag), |over| format!("ahead {over}"))
}

#[cfg(test)]
mod tests;
