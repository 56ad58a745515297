//! A record is too large for the mirrored topic, until that accepts it.

use super::{Experiment, Run};
use crate::core::judge::culprit::{Culprit, Why};
use crate::core::judge::drill::experiment::Verdict;
use crate::core::judge::drill::experiment::poison_record::{self, Poison};
use crate::core::judge::explain::Answer;
use crate::core::lab::Lab;
use crate::core::lab::drill::DrillError;
use crate::core::lab::explain::explain;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, Subject};
use std::time::Instant;

/// Kafka's default limit of a batch, 1 MiB and a bit. Brokers of a lab accept more.
const LIMIT: (&str, &str) = ("max.message.bytes", "1048588");
/// Twice as much.
const SIZE: usize = 2 * 1024 * 1024;

pub(super) static DRILL: Experiment = Experiment {
    name: "poison-record",
    lab: "any",
    shows: "a record is too large for the target: it blocks the flow, is named, and nothing is lost once it is accepted",
    teaches: "A record that the source accepts and the target refuses ends MirrorMaker's task. Whenever the task is started \
              again, it reads the same record and ends again: one record of one topic holds up every topic of the flow, and what \
              gets across in between comes again and again. \
              Connect itself never restarts a failed task; labs of kmk restart MirrorMaker, and each restart repeats records \
              that were not committed. Keep max.message.bytes on the target at least as high as on the source, and \
              MirrorMaker's max.request.size too, and have an alert on tasks that are FAILED. The cure is to raise the limit, \
              or to exclude the topic.",
    restarts: true,
    unfit: |_, _| Vec::new(),
    run,
};

fn run(run: &Run<'_>) -> Result<Verdict, DrillError> {
    run.create_topic(&[])?;
    let portion = run.choice.time / 4;
    let mirrored = run.write_first(portion)?;
    let (key, value) = LIMIT;
    let what = format!("{key} of `{}`", run.mirrored);
    run.step(
        &format!("Setting {what} to {value}"),
        &format!("Set {what} to {value}"),
        || limit_records(run, Some(value)),
    )?;
    let large = run.write_one(SIZE)?;
    run.mark("written");
    let written = Instant::now();
    let later = run.write(portion)?;
    let words = (
        "Waiting until status names the topic",
        "status names the topic",
    );
    let status = named(run, words, |lab, limit| {
        let status = run.status(lab, limit)?;
        let culprits = status.into_iter().flat_map(|flow| flow.culprits);
        Ok(culprits.collect())
    })?;
    let named_after = (!status.is_empty()).then(|| written.elapsed());
    let words = (
        "Waiting until explain names the topic",
        "explain names the topic",
    );
    let explained = named(run, words, |lab, limit| {
        let flow = run.flow.name();
        let found = explain(run.docker, lab, &run.topic, Some(&flow), limit)?;
        let culprit = |answer| match answer {
            Answer::Blocking { culprit } => Some(culprit),
            _ => None,
        };
        let answers = found.into_iter().map(|one| one.answer);
        Ok(answers.filter_map(culprit).collect())
    })?;
    let arrived = run.missing(&[large])? == 0;
    let waiting = run.missing(&[later])?;
    let raised = Instant::now();
    run.step(
        &format!("Raising {what}"),
        &format!("Raised {what}"),
        || limit_records(run, None),
    )?;
    run.mark("raised");
    let words = (
        "Waiting until MirrorMaker is up to date",
        "MirrorMaker is up to date",
    );
    let is_up_to_date = |limit: &Limit| Ok(run.lag(limit)?.is_some_and(|lag| lag.behind == 0));
    let recovered = run.until(words, is_up_to_date)?.map(|_| raised.elapsed());
    let portions = [mirrored, large, later];
    let written: u64 = portions.iter().map(|one| one.written).sum();
    let missing = run.missing(&portions)?;
    let arrivals = run.mirrored_records(&run.limit())?;
    let poison = Poison {
        named: named_after,
        status,
        explain: explained,
        arrived,
        waiting,
        recovered,
        written,
        missing,
        duplicates: (arrivals + missing).saturating_sub(written),
        allowed: run.choice.timeout,
    };
    Ok(poison_record::judge(&run.flow.name(), &poison))
}

/// What records the mirrored topic accepts; as its brokers' default where nothing is said.
fn limit_records(run: &Run<'_>, bytes: Option<&str>) -> Result<(), DrillError> {
    let limit = run.limit();
    let mut admin = Admin::connect_patiently(&run.target.endpoints, &limit)?;
    let topic = Subject::Topic(run.mirrored.clone());
    let change = (LIMIT.0.to_owned(), bytes.map(str::to_owned));
    Ok(admin.alter_settings(&topic, &[change].into(), &limit)?)
}

/// The words in which the drill's topic is named for its large record, once it is; none where it is not in the time that a
/// step may take.
fn named(
    run: &Run<'_>,
    words: (&str, &'static str),
    look: impl Fn(&Lab, &Limit) -> Result<Vec<Culprit>, DrillError>,
) -> Result<String, DrillError> {
    let mut named = String::new();
    run.until(words, |limit| {
        let lab = Lab::find(run.docker, &run.lab.spec.lab, limit)?;
        let culprits = look(&lab, limit)?;
        let is_meant = |one: &&Culprit| {
            one.topic == run.topic && matches!(one.why, Why::RecordTooLarge { .. })
        };
        let culprit = culprits.iter().find(is_meant);
        named = culprit.map(ToString::to_string).unwrap_or_default();
        Ok(culprit.is_some())
    })?;
    Ok(named)
}
