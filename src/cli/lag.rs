pub(in crate::cli) mod tables;

use super::quantity::counted;
use super::topic_args::MaybeTopic;
use super::watch::{Frame, Watch};
use super::{CliError, Context, Exit, flow_name, flow_named};
use kafka_mirror_kit::core::judge::lag::{FlowLag, Stall, TopicLag};
use kafka_mirror_kit::core::judge::link::LinkStatus;
use kafka_mirror_kit::core::lab::lag::{Lag, lag};
use kafka_mirror_kit::core::nearest::nearest;
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::Limit;
use std::time::{Duration, Instant};

/// Show how far mirrored topics are behind their sources, in records and in seconds
///
/// Lists the topics of each flow, those furthest behind first. With a topic or --verbose, partition by partition.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only this flow, as 'primary->secondary' or primary:secondary [default: all]
    #[arg(long, value_name = "SOURCE->TARGET", value_parser = flow_name)]
    flow: Option<String>,
    #[command(flatten)]
    topic: MaybeTopic,
    /// Fail (exit code 1) if a flow is more than N records behind
    #[arg(long, value_name = "N", value_parser = counted::<u64>(0..=u64::MAX), allow_negative_numbers = true, conflicts_with = "watch")]
    max: Option<u64>,
    /// Fail (exit code 1) if a flow is further behind than this, such as 5s
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, conflicts_with = "watch")]
    max_age: Option<Duration>,
    /// Print JSON, for scripts, always partition by partition. With --watch, one object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    watch: Watch,
    /// How long to wait for the brokers
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = super::patience)]
    timeout: Duration,
}

const EXAMPLES: &str = "\
Examples:
  kmk lag
  kmk lag --watch
  kmk lag orders
  kmk lag --max 0 # is everything mirrored?
  kmk lag --json | jq '.flows[] | {name, behind, seconds_behind}'

BEHIND counts the records of the source after MirrorMaker's committed position;
it commits ten times a second. `<=` means that offsets were counted, some of
which may hold no record. SECONDS is the age of the oldest of these records, `-`
if it has no timestamp. `lost` records were mirrored and are no longer on the
target. docs/lag.md explains where each number comes from, and what it cannot
show.

Exit codes: 0 the lag is known; 1 some of it is unknown, over --max or --max-age,
or makes no progress while one of these is given, or records are or may be lost.";

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    if args.watch.watch {
        let mut before: Option<(Lag, Instant)> = None;
        return args.watch.run(args.json, context, |frame| {
            let mut lag = look(args, context)?;
            let now = Instant::now();
            if let Some((was, at)) = &before {
                for flow in &mut lag.flows {
                    let was = was.flows.iter().find(|was| was.name == flow.name);
                    if let Some(was) = was {
                        flow.remember(was, now - *at);
                    }
                }
            }
            before = Some((lag.clone(), now));
            if args.json {
                return Ok(serde_json::to_string(&lag)?);
            }
            Ok(match frame {
                Frame::Picture { .. } => tables::all(&lag, in_detail(args, context)),
                Frame::Lines => tables::lines(&lag),
            })
        });
    }
    let lag = look(args, context)?;
    let text = if args.json {
        serde_json::to_string_pretty(&lag)?
    } else {
        tables::all(&lag, in_detail(args, context))
    };
    context.output.result(&text)?;
    let mut outcome = Exit::Done;
    for flow in &lag.flows {
        if let Some(problem) = &flow.problem {
            // in words it stands in the place of what is not known
            if args.json || flow.behind.is_some() {
                context.output.warn(&format!("{}: {problem}", flow.name));
            }
            outcome = Exit::No;
        }
        for loss in flow.losses() {
            context.output.talk(&format!("{}: {loss}", flow.name));
            outcome = Exit::No;
        }
        for doubt in flow.doubts() {
            context.output.talk(&format!("{}: {doubt}", flow.name));
            outcome = Exit::No;
        }
        for note in flow.notes() {
            let flow = &flow.name;
            context.output.talk(&format!("note: {flow}: {note}"));
        }
        for over in over(args, flow) {
            context.output.talk(&format!("{}: {over}", flow.name));
            outcome = Exit::No;
        }
    }
    if let Some(step) = next(&lag, &in_lab(&context.lab)).filter(|_| !args.json) {
        context.output.next(&[step]);
    }
    Ok(outcome)
}

/// What to type where something is wrong.
fn next(lag: &Lag, lab: &str) -> Option<(String, &'static str)> {
    if lag.flows.iter().any(|flow| flow.behind.is_none()) {
        return Some((format!("kmk status{lab}"), "see what is wrong"));
    }
    let links = || lag.flows.iter().filter_map(|flow| flow.link.as_ref());
    if let Some(link) = links().find(|link| link.cut.is_some()) {
        return Some((link.heal(), "restore the link"));
    }
    let mut topics = lag.flows.iter().flat_map(FlowLag::copied);
    if topics.any(TopicLag::is_to_be_noted) {
        let deploy = format!("kmk deploy{lab}");
        return Some((deploy, "acknowledge the loss: it is not reported again"));
    }
    let stall = lag.flows.iter().find_map(|flow| flow.stalled.first())?;
    let topic = shell::word(&stall.topic);
    Some((
        format!("kmk explain{lab} {topic}"),
        "see why it makes no progress",
    ))
}

fn in_detail(args: &Args, context: &Context) -> bool {
    args.topic.name().is_some() || context.output.verbose
}

/// What is more than it may be.
fn over(args: &Args, flow: &FlowLag) -> Vec<String> {
    let behind = flow.behind.unwrap_or(0);
    let records = args
        .max
        .filter(|max| behind > *max)
        .map(|max| format!("{behind} records behind, more than {max}"));
    let age = args.max_age.filter(|_| behind > 0).and_then(|max| {
        let Some(seconds) = flow.seconds_behind else {
            return Some("the age of the oldest record is unknown".to_owned());
        };
        (seconds > max.as_secs_f64()).then(|| {
            let max = humantime::format_duration(max);
            format!("{seconds:.1} s behind, more than {max}")
        })
    });
    // what does not move will not be there, however little it is
    let is_asked = args.max.is_some() || args.max_age.is_some();
    let stalled = flow.stalled.iter().filter(|_| is_asked);
    let (sure, unsure): (Vec<&Stall>, Vec<&Stall>) = stalled.partition(|stall| stall.is_sure);
    let stands = (!sure.is_empty()).then(|| {
        let topics = sure.iter().map(|stall| format!("`{}`", stall.topic));
        format!("no progress: {}", topics.collect::<Vec<_>>().join(", "))
    });
    let is_waiting = is_asked && behind > 0;
    let link = flow.link.as_ref().filter(|_| is_waiting);
    let cut = link.and_then(LinkStatus::problem);
    let cut = cut.map(|cut| format!("no progress: {cut}"));
    let over = records.into_iter().chain(age).chain(stands).chain(cut);
    over.chain(unsure.into_iter().map(ToString::to_string))
        .collect()
}

/// Looks up the lab again, and returns the lag of the requested flow and topic.
fn look(args: &Args, context: &Context) -> Result<Lag, CliError> {
    let (docker, lab) = context.find_awake()?;
    if let Some(name) = &args.flow {
        flow_named(&lab.topology, name)?;
    }
    let limit = Limit::new(args.timeout, &context.interrupt);
    let mut found = lag(&docker, &lab, &limit)?;
    found
        .flows
        .retain(|flow| args.flow.as_ref().is_none_or(|name| *name == flow.name));
    if let Some(topic) = args.topic.name() {
        keep(topic, &mut found, context)?;
    }
    Ok(found)
}

/// Keeps only this topic, and recalculates the totals.
fn keep(name: &str, lag: &mut Lag, context: &Context) -> Result<(), CliError> {
    let all: Vec<&TopicLag> = lag.flows.iter().flat_map(|flow| &flow.topics).collect();
    let is_known = lag.flows.iter().all(|flow| flow.behind.is_some());
    if is_known && !all.iter().any(|topic| topic.source == name) {
        let names = all.iter().map(|topic| topic.source.as_str());
        let sources = || lag.flows.iter().map(|flow| flow.source.as_str());
        let hint = nearest(name, names).map_or_else(
            || {
                format!(
                    "`kmk topic list{}` lists the existing topics",
                    in_lab(&context.lab)
                )
            },
            |meant| format!("did you mean `{meant}`?"),
        );
        let on: std::collections::BTreeSet<&str> = sources().collect();
        let on = on.into_iter().collect::<Vec<_>>().join(" or ");
        return Err(CliError::usage(format!("there is no topic `{name}` on {on}")).hint(hint));
    }
    for flow in &mut lag.flows {
        flow.keep(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_mirror_kit::core::judge::lag::Stall;

    #[test]
    fn what_to_type_is_said_where_something_is_wrong() {
        let next = |flows: Vec<FlowLag>| {
            let lab = "x".to_owned();
            next(&Lag { lab, flows }, " --lab x").map(|(command, _)| command)
        };
        let names = ("a", "b");
        let mut well = FlowLag::new(names, Vec::new());
        assert_eq!(next(vec![well.clone()]), None);
        well.stalled.push(Stall {
            topic: "t".to_owned(),
            partitions: vec![0],
            behind: 3,
            seconds: 9.0,
            began: None,
            is_sure: true,
        });
        assert_eq!(next(vec![well.clone()]).unwrap(), "kmk explain --lab x t");
        let unknown = FlowLag::unknown(names, "cluster b does not answer".to_owned());
        assert_eq!(next(vec![well, unknown]).unwrap(), "kmk status --lab x");
    }
}
