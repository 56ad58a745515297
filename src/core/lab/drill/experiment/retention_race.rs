//! Retention removes records while the link is cut.

use super::{Experiment, Run};
use crate::core::judge::drill::experiment::Verdict;
use crate::core::judge::drill::experiment::retention_race::{self, Race};
use crate::core::judge::lag::TopicLag;
use crate::core::lab::drill::DrillError;
use kmk_kafka::wait::Probe;
use kmk_kafka::{Admin, At, KafkaError, Subject};
use std::time::Duration;

/// A broker looks every five minutes which records are too old, but its log cleaner every 15 seconds: so the topic is compacted
/// too, for that moment, with a lag that keeps it from being really compacted.
const EXPIRES: [(&str, &str); 3] = [
    ("cleanup.policy", "compact,delete"),
    ("min.compaction.lag.ms", "9223372036854775807"),
    ("retention.ms", "1"),
];
/// How often it is looked whether records are gone.
const LOOK: Duration = Duration::from_millis(200);

pub(super) static DRILL: Experiment = Experiment {
    name: "retention-race",
    lab: "any",
    shows: "retention removes records before they are mirrored: they are lost, counted, and named by lag and status",
    teaches: "Retention does not wait for MirrorMaker. Where the source removes records that are not mirrored yet, MirrorMaker \
              finds its position gone, begins at the oldest record that is left (auto.offset.reset=earliest), and reports \
              nothing: its task runs, its lag is 0, and the records are on neither side. `lag` and `status` compare \
              what crossed with what MirrorMaker's position passed, and keep saying what is lost until a deploy has taken \
              note. Let retention on the source outlast the longest outage that you plan for, with room to catch up.",
    restarts: false,
    unfit: |_, _| Vec::new(),
    run,
};

fn run(run: &Run<'_>) -> Result<Verdict, DrillError> {
    run.create_topic(&[])?;
    let portion = run.choice.time / 4;
    let mirrored = run.write_first(portion)?;
    // what crosses from now on is counted from here
    run.look()?;
    run.cut_link()?;
    let waiting = run.write(portion)?;
    run.step(
        "Waiting until retention removes them",
        "Retention removed them",
        || expire(run),
    )?;
    run.mark("removed");
    let seen = run.look()?;
    let words = |lag: TopicLag| {
        let losses = lag.losses(&run.source.name, &run.target.name).join("; ");
        // without the offsets of each partition
        let words = losses.split(": partition").next();
        words.unwrap_or_default().to_owned()
    };
    let removed = (
        seen.as_ref().map_or(0, |lag| lag.never_copied),
        seen.map(words).unwrap_or_default(),
    );
    let late = run.write(portion)?;
    run.restore_link()?;
    run.until_mirrored(mirrored.written + late.written)?;
    let portions = [mirrored, waiting, late];
    let race = Race {
        waiting: waiting.written,
        removed,
        written: portions.iter().map(|one| one.written).sum(),
        missing: run.missing(&[waiting])?,
        others_missing: run.missing(&[mirrored, late])?,
        told: run.told()?,
    };
    Ok(retention_race::judge(&run.flow.name(), &race))
}

/// Has retention remove whatever the topic holds on the source.
fn expire(run: &Run<'_>) -> Result<(), DrillError> {
    let limit = run.limit();
    let mut admin = Admin::connect_patiently(&run.source.endpoints, &limit)?;
    let topic = Subject::Topic(run.topic.clone());
    let settings = |is_set: bool| {
        let each = EXPIRES.into_iter();
        each.map(|(key, value)| (key.to_owned(), is_set.then(|| value.to_owned())))
            .collect()
    };
    admin.alter_settings(&topic, &settings(true), &limit)?;
    let topics = [run.topic.clone()];
    limit.until(LOOK, || {
        let first = admin.offsets(&topics, At::Earliest, &limit)?;
        let end = admin.offsets(&topics, At::Latest, &limit)?;
        let left: i64 = (end.iter())
            .map(|(place, end)| end - first.get(place).copied().unwrap_or(0))
            .sum();
        Ok::<_, KafkaError>(match left {
            0 => Probe::Ready(()),
            left => Probe::NotYet(format!("{left} records are left")),
        })
    })?;
    Ok(admin.alter_settings(&topic, &settings(false), &limit)?)
}
