//! A record is too large for the mirrored topic, until that accepts it.

use super::{Experiment, Run};
use crate::core::judge::culprit::{Culprit, Why};
use crate::core::judge::drill::experiment::Verdict;
use crate::core::judge::drill::experiment::poison_record::{self, Poison};
use crate::core::judge::explain::Answer;
use crate::core::lab::Lab;
use crate::core::lab::drill::DrillError;
use crate::core::lab::explain::explain;
use kmk_kafka::wait::{Limit, Probe, Stop};
use kmk_kafka::{Admin, KafkaError, Subject};
use std::time::{Duration, Instant};

/// Kafka's default limit of a batch, 1 MiB and a bit. Brokers of a lab accept more.
const LIMIT: (&str, &str) = ("max.message.bytes", "1048588");
/// Twice as much.
const SIZE: usize = 2 * 1024 * 1024;
/// How often it is looked whether the topic is named, or up to date.
const LOOK: Duration = Duration::from_millis(500);

pub(super) static DRILL: Experiment = Experiment {
    name: "poison-record",
    lab: "any",
    shows: "a record is too large for the target: it holds up the flow, is named, and nothing is lost once it is accepted",
    teaches: "A record that the source accepts and the target refuses ends MirrorMaker's task. Whenever the task is started \
              again, it reads the same record and ends again: one record of one topic holds up every topic of the flow. \
              Connect itself never restarts a failed task; labs of kmk restart MirrorMaker, and each restart repeats records \
              that were not committed. Keep max.message.bytes on the target at least as high as on the source, and \
              MirrorMaker's max.request.size too, and have an alert on tasks that are FAILED. The cure is to raise the limit, \
              or to exclude the topic.",
    unfit: |_, _| Vec::new(),
    run,
};

fn run(run: &Run<'_>) -> Result<Verdict, DrillError> {
    run.create_topic(&[])?;
    let portion = run.choice.time / 4;
    let mirrored = run.write(portion)?;
    run.until_mirrored(mirrored.written)?;
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
    let status = run.step(
        "Waiting until status names the topic",
        "Waited for status",
        || {
            named(run, |lab, limit| {
                let status = run.status(lab, limit)?;
                let culprits = status.into_iter().flat_map(|flow| flow.culprits);
                Ok(culprits.collect())
            })
        },
    )?;
    let named_after = (!status.is_empty()).then(|| written.elapsed());
    let explained = run.step(
        "Waiting until explain names the topic",
        "Waited for explain",
        || {
            named(run, |lab, limit| {
                let flow = run.flow.name();
                let found = explain(run.docker, lab, &run.topic, Some(&flow), limit)?;
                let culprit = |answer| match answer {
                    Answer::Blocking { culprit } => Some(culprit),
                    _ => None,
                };
                let answers = found.into_iter().map(|one| one.answer);
                Ok(answers.filter_map(culprit).collect())
            })
        },
    )?;
    let waiting = run.missing(&[later])?;
    let raised = Instant::now();
    run.step(
        &format!("Raising {what}"),
        &format!("Raised {what}"),
        || limit_records(run, None),
    )?;
    run.mark("raised");
    let recovered = up_to_date(run)?.then(|| raised.elapsed());
    let portions = [mirrored, large, later];
    let written: u64 = portions.iter().map(|one| one.written).sum();
    let missing = run.missing(&portions)?;
    let arrived = run.mirrored_records(&run.limit())?;
    let poison = Poison {
        named: named_after,
        status,
        explain: explained,
        later: later.written,
        waiting,
        recovered,
        written,
        missing,
        duplicates: (arrived + missing).saturating_sub(written),
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
    look: impl Fn(&Lab, &Limit) -> Result<Vec<Culprit>, DrillError>,
) -> Result<String, DrillError> {
    let limit = run.limit();
    loop {
        let lab = Lab::find(run.docker, &run.lab.spec.lab, &limit)?;
        let culprits = look(&lab, &limit)?;
        let is_meant = |one: &&Culprit| {
            one.topic == run.topic && matches!(one.why, Why::RecordTooLarge { .. })
        };
        if let Some(culprit) = culprits.iter().find(is_meant) {
            return Ok(culprit.to_string());
        }
        if limit.remaining() < LOOK {
            return Ok(String::new());
        }
        limit.pause(LOOK)?;
    }
}

fn up_to_date(run: &Run<'_>) -> Result<bool, DrillError> {
    let limit = run.limit();
    let (what, done) = (
        "Waiting until MirrorMaker is up to date",
        "Waited for MirrorMaker",
    );
    run.step(what, done, || {
        let seen = limit.until(LOOK, || {
            let behind = run.lag(&limit)?.map_or(1, |lag| lag.behind);
            Ok::<_, DrillError>(match behind {
                0 => Probe::Ready(()),
                behind => Probe::NotYet(format!("{behind} records behind")),
            })
        });
        match seen {
            Ok(()) => Ok(true),
            Err(DrillError::Kafka(KafkaError::Stopped(Stop::Deadline { .. }))) => Ok(false),
            Err(error) => Err(error),
        }
    })
}
