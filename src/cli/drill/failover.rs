use super::super::output::Steps;
use super::super::produce::rate;
use super::super::quantity::counted;
use super::args::{FlowArgs, RunArgs};
use super::repeated::{Repeated, completed};
use super::report::{self, Json};
use super::{document, observed};
use crate::cli::report::{Link, Provenance, command_line};
use crate::cli::{CliError, Context, Exit, patience};
use clap::ValueEnum;
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::judge::drill::Budget;
use kafka_mirror_kit::core::lab::drill::{
    self as drill, DrillError, Failover, FailoverReport, Fault, Habit, Observe, abort, check,
    failover,
};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::wait::{Interrupt, Limit, Stop};
use std::time::{Duration, SystemTime};

/// How long taking a drill back may take, between runs.
const TAKE_BACK: Duration = Duration::from_secs(120);

/// Fail over from a flow's source to its target, and account for every record
///
/// Writes keyed, numbered records to the source while consumer groups read them, lets the source fail, detects that as an
/// application would, stops MirrorMaker, and switches producer and groups to the target. Then every record is accounted
/// for: lost, stranded, in doubt, given again, skipped. See docs/drill.md for each number's definition.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    options: FailoverOptions,
    /// Run the drill this many times, and print the least, the median and the greatest; it is taken back between runs
    #[arg(long, value_name = "N", default_value = "1", hide_default_value = true, allow_negative_numbers = true,
          value_parser = counted::<u32>(1..=100))]
    repeat: u32,
    /// Drill around producers and consumers of your own instead: topics, as they are called on the source. kmk says when to
    /// switch, and compares ends and committed offsets
    #[arg(long, value_name = "TOPIC,...", value_delimiter = ',',
          conflicts_with_all = ["rate", "partitions", "keys", "groups", "repeat"])]
    observe: Vec<String>,
    /// Consumer groups that read these topics
    #[arg(
        long,
        value_name = "GROUP,...",
        value_delimiter = ',',
        requires = "observe"
    )]
    observe_groups: Vec<String>,
    /// How long you may take to switch your producers and consumers, once kmk has said so
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = patience, requires = "observe")]
    switch_within: Duration,
    #[command(flatten)]
    run: RunArgs,
}

/// What a whole cycle takes too.
#[derive(clap::Args)]
pub(super) struct FailoverOptions {
    #[command(flatten)]
    flow: FlowArgs,
    /// What happens: kill (SIGKILL of all brokers of the source at once), cut (MirrorMaker loses the connection to the source;
    /// one producer stays there) or half-open (the same, but connections stay open and nothing passes; needs a relay)
    #[arg(
        long,
        value_name = "FAULT",
        default_value = "kill",
        hide_possible_values = true
    )]
    fault: TypedFault,
    /// Make a planned switchover instead: stop the producer, check that nothing is written any more, wait for the copy
    #[arg(long, conflicts_with = "fault")]
    planned: bool,
    /// How many records to write per second
    #[arg(long, value_name = "N[/s]", default_value = "500/s", value_parser = rate, allow_hyphen_values = true)]
    rate: u64,
    /// How many partitions the drill's topic has
    #[arg(long, value_name = "N", default_value = "6", allow_negative_numbers = true, value_parser = counted::<i32>(1..=100))]
    partitions: i32,
    /// How many different keys the records have
    #[arg(long, value_name = "N", default_value = "200", allow_negative_numbers = true, value_parser = counted::<u32>(1..=99_999))]
    keys: u32,
    /// Which consumer groups read: caught-up commits every second, lagging has thousands of records left, fresh never commits
    #[arg(
        long,
        value_name = "GROUP,...",
        value_delimiter = ',',
        default_value = "caught-up,lagging,fresh",
        hide_possible_values = true
    )]
    groups: Vec<TypedHabit>,
    /// How long records cross and groups read before the source fails
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = patience)]
    warm_up: Duration,
    /// The source counts as failed once nothing was acknowledged and nothing arrived on the target for this long
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = patience)]
    detect: Duration,
    /// How long it takes to decide to fail over [default: no time]
    #[arg(long, value_name = "TIME", value_parser = patience)]
    decide: Option<Duration>,
    /// Fail if more records than this are lost
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = counted::<u64>(0..=1 << 62))]
    rpo_max: Option<u64>,
    /// Fail if it takes longer than this until every group reads new records
    #[arg(long, value_name = "TIME", value_parser = patience)]
    rto_max: Option<Duration>,
    /// Only check whether the drill can run, and print what it would do
    #[arg(long)]
    pub(super) dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk drill failover --dry-run
  kmk drill failover --rpo-max 500 --rto-max 30s
  kmk drill failover 'primary->secondary' --rate 2000/s --json
  kmk drill failover primary:secondary --planned
  kmk drill failover --observe orders,payments --observe-groups billing

Exit code 0: the failover was measured; 1: the flow is not healthy, a group was given
what was not predicted, or a budget was exceeded; 2: the drill does not fit the lab.
A loss is a result, and an error only with --rpo-max.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TypedFault {
    Kill,
    Cut,
    HalfOpen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TypedHabit {
    CaughtUp,
    Lagging,
    Fresh,
}

impl Args {
    fn observe(&self) -> Option<Observe> {
        (!self.observe.is_empty()).then(|| Observe {
            topics: unique(&self.observe),
            groups: unique(&self.observe_groups),
            within: self.switch_within,
        })
    }
}

impl FailoverOptions {
    pub(super) fn what(&self, timeout: Duration) -> Failover {
        let habit = |typed: &TypedHabit| match typed {
            TypedHabit::CaughtUp => Habit::CaughtUp,
            TypedHabit::Lagging => Habit::Lagging,
            TypedHabit::Fresh => Habit::Fresh,
        };
        let mut groups: Vec<Habit> = self.groups.iter().map(habit).collect();
        groups.sort_unstable();
        groups.dedup();
        Failover {
            flow: self.flow.name(),
            fault: match self.fault {
                _ if self.planned => Fault::Planned,
                TypedFault::Kill => Fault::Kill,
                TypedFault::Cut => Fault::Cut,
                TypedFault::HalfOpen => Fault::HalfOpen,
            },
            rate: self.rate,
            partitions: self.partitions,
            keys: self.keys,
            groups,
            warm_up: self.warm_up,
            detect: self.detect,
            decide: self.decide.unwrap_or_default(),
            budget: Budget {
                rpo: self.rpo_max,
                rto: self.rto_max,
            },
            observe: None,
            timeout,
        }
    }
}

/// In the order in which they were named.
fn unique(names: &[String]) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        if !unique.contains(name) {
            unique.push(name.clone());
        }
    }
    unique
}

pub(super) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let what = Failover {
        observe: args.observe(),
        ..args.options.what(args.run.timeout)
    };
    let begun = SystemTime::now();
    let (docker, lab) = context.find_awake()?;
    if args.options.dry_run {
        let rehearsal = check(&docker, &context.lab, &what, &context.interrupt)?;
        args.run.rehearsed(context, &rehearsal, report::rehearsal)?;
        return Ok(Exit::Done);
    }
    let given = args.run.prepare()?;
    let links = Link::all(&lab, &Limit::endless(&context.interrupt));
    if let Some(observe) = &what.observe {
        let steps = context.output.steps();
        let report = drill::observe(
            &docker,
            &context.lab,
            (&what, observe),
            &context.interrupt,
            &steps,
        )?;
        drop(steps);
        let provenance = Provenance::new(&lab, command_line(), begun, links);
        let json = report::json(observed::Json::of(&report), &provenance)?;
        let document = observed::document(&report, provenance);
        given.give(context, &document, &json, &observed::text(&report))?;
        next(context, None);
        let passed = report.observed.passed();
        return Ok(if passed { Exit::Done } else { Exit::No });
    }
    let mut runs: Vec<FailoverReport> = Vec::new();
    let mut ended_early = None;
    let steps = context.output.steps();
    for nth in 1..=args.repeat {
        match once(&docker, &what, context, &steps, nth) {
            Ok(run) => runs.push(run),
            // what was measured before is told
            Err(error) if nth > 1 => {
                ended_early = Some(error);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    drop(steps);
    let provenance = Provenance::new(&lab, command_line(), begun, links);
    let (json, text) = match runs.as_slice() {
        [only] if args.repeat == 1 => (
            report::json(Json::of(only), &provenance)?,
            report::text(only),
        ),
        several => {
            let repeated = Repeated::of(several, args.repeat);
            (report::json(&repeated, &provenance)?, repeated.text())
        }
    };
    given.give(
        context,
        &document::document(&runs, args.repeat, provenance),
        &json,
        &text,
    )?;
    if let Some(error) = ended_early {
        let told = completed(runs.len(), args.repeat);
        return Err(error.then(&format!("{told}.")));
    }
    next(context, runs.last().map(FailoverReport::way_home));
    let passed = runs.iter().all(|run| run.judgement.passed());
    Ok(if passed { Exit::Done } else { Exit::No })
}

fn next(context: &Context, way_home: Option<&str>) {
    let lab = in_lab(&context.lab);
    let failback = way_home.map(|way| {
        let command = format!("kmk drill failback{way}{lab}");
        (command, "fail back, and compare both clusters")
    });
    let abort = (
        format!("kmk drill abort{lab}"),
        "start MirrorMaker again, and remove the drill's topics",
    );
    let commands: Vec<_> = failback.into_iter().chain([abort]).collect();
    context.output.next(&commands);
}

fn once(
    docker: &Docker,
    what: &Failover,
    context: &Context,
    steps: &Steps,
    nth: u32,
) -> Result<FailoverReport, CliError> {
    if nth > 1 {
        // Ctrl-C ends the drill, and must leave the lab as it was
        let limit = Limit::new(TAKE_BACK, &Interrupt::default());
        abort(docker, &context.lab, &limit, steps)?;
        if context.interrupt.is_raised() {
            let taken_back = DrillError::TakenBack {
                cause: Box::new(Stop::Interrupted.into()),
                problem: None,
            };
            return Err(taken_back.into());
        }
    }
    Ok(failover(
        docker,
        &context.lab,
        what,
        &context.interrupt,
        steps,
    )?)
}
