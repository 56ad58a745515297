mod document;

use super::super::output::{DONE, ERROR, styled};
use super::args::RunArgs;
use super::failback::{self, SalvageFile};
use super::report::{self, json, numbered};
use super::{failover, report::Json};
use crate::cli::report::{Link, Provenance, command_line};
use crate::cli::{CliError, Context, Exit};
use kafka_mirror_kit::core::lab::drill::{
    CycleRehearsal, CycleReport, FailbackReport, Rehearsal, Salvage, cycle, rehearse_cycle,
};
use kmk_kafka::wait::Limit;
use serde::Serialize;
use std::path::Path;
use std::time::SystemTime;

/// Fail over and fail back, from healthy to healthy
///
/// Runs `kmk drill failover`, then `kmk drill failback`, and gives one verdict on both. Whether the lab can fail back is
/// checked before anything is touched. In the end the lab is as it was: what a failback needs and the lab did not have, such
/// as the flow back, is removed again. Ctrl-C on either way does the same at once.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, mut_arg("timeout", |arg| arg.default_value("120s")))]
pub(super) struct Args {
    #[command(flatten)]
    failover: failover::FailoverOptions,
    #[command(flatten)]
    failback: failback::FailbackOptions,
    #[command(flatten)]
    run: RunArgs,
}

const EXAMPLES: &str = "\
Examples:
  kmk drill cycle --dry-run
  kmk drill cycle --salvage stranded.jsonl --report cycle.html
  kmk drill cycle --planned --rpo-max 0

Exit code 0: the failover was measured, and both sides have every record; 1: a check of
either failed, or a step was not done in time; 2: the drill does not fit the lab.";

/// The report for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Both<'a> {
    /// Whether everything held that had to.
    passed: bool,
    failover: Json<'a>,
    /// None where it did not come to its end.
    failback: Option<failback::Json<'a>>,
    /// Why it did not.
    problem: Option<String>,
    seconds: f64,
}

impl<'a> Both<'a> {
    fn of(report: &'a CycleReport) -> Self {
        let failback = report.failback.as_ref();
        Self {
            passed: passed(report),
            failover: Json::of(&report.failover),
            failback: failback.ok().map(failback::Json::of),
            problem: failback.err().map(ToString::to_string),
            seconds: report.seconds,
        }
    }
}

pub(super) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let timeout = args.run.timeout;
    let away = args.failover.what(timeout);
    let home = args.failback.what(away.rate, away.keys, timeout);
    let begun = SystemTime::now();
    let (docker, lab) = context.find_awake()?;
    if args.failover.dry_run {
        let rehearsal = rehearse_cycle(&docker, &context.lab, (&away, &home), &context.interrupt)?;
        args.run.rehearsed(context, &rehearsal, rehearsed)?;
        return Ok(Exit::Done);
    }
    let mut salvage = args.failback.salvage()?;
    let given = args.run.prepare()?;
    let links = Link::all(&lab, &Limit::endless(&context.interrupt));
    let steps = context.output.steps();
    let into = salvage.as_mut().map(|file| file as &mut dyn Salvage);
    let report = cycle(
        &docker,
        &context.lab,
        (&away, &home),
        into,
        &context.interrupt,
        &steps,
    )?;
    drop(steps);
    let provenance = Provenance::new(&lab, command_line(), begun, links);
    let json = json(Both::of(&report), &provenance)?;
    let text = text(&report, salvage.as_ref().map(SalvageFile::path));
    let document = document::document(&report, provenance);
    given.give(context, &document, &json, &text)?;
    let passed = passed(&report);
    failback::tell_what_stays(&report.failback?, context);
    Ok(if passed { Exit::Done } else { Exit::No })
}

fn passed(report: &CycleReport) -> bool {
    let home = report.failback.as_ref();
    report.failover.judgement.passed() && home.is_ok_and(FailbackReport::passed)
}

fn rehearsed(rehearsal: &CycleRehearsal) -> String {
    let heading = format!("A failover of {} would:", rehearsal.failover.flow);
    let away = one(&heading, &rehearsal.failover);
    let home = one("Then the failback would:", &rehearsal.failback);
    format!("{away}\n\n{home}")
}

fn one(heading: &str, half: &Rehearsal) -> String {
    numbered(heading, &half.steps, &half.notes)
}

fn text(report: &CycleReport, salvage: Option<&Path>) -> String {
    let away = report::measured(&report.failover);
    let Ok(home) = &report.failback else {
        return away;
    };
    let failed = failures(report);
    let verdict = if failed.is_empty() {
        let passed = styled(DONE.bold(), "PASSED:");
        format!(
            "{passed} from healthy to healthy in {:.0} s: every record is accounted for, and both sides have every record of the drill's topics.",
            report.seconds
        )
    } else {
        format!("{} {}", styled(ERROR, "FAILED:"), failed.join("; "))
    };
    [away, failback::compared(home, salvage), verdict].join("\n\n")
}

/// What did not hold, on both ways.
fn failures(report: &CycleReport) -> Vec<String> {
    let mut failed = report::failures(&report.failover.judgement.checks);
    match &report.failback {
        Ok(home) => failed.extend(failback::failures(home)),
        Err(error) => failed.push(error.to_string()),
    }
    failed
}
