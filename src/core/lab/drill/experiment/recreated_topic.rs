//! A topic is deleted on the source and created again under its name while MirrorMaker is down.

use super::run::PARTITIONS;
use super::{Experiment, Run};
use crate::core::judge::drill::experiment::Verdict;
use crate::core::judge::drill::experiment::recreated_topic::{self, Recreated};
use crate::core::lab::Lab;
use crate::core::lab::drill::{DrillError, uncut};
use crate::core::lab::{lag, positions};
use kmk_kafka::Admin;

pub(super) static DRILL: Experiment = Experiment {
    name: "recreated-topic",
    lab: "any",
    shows: "a topic is deleted and created again: its first records are not mirrored, which lag and status name",
    teaches: "MirrorMaker knows a topic by its name. If a topic is deleted on the source and created again while MirrorMaker \
              does not look, it continues at the offset that it had committed for the old one: as many records as the \
              old topic had are passed over, its lag is 0, and it reports nothing. Records of both topics are then in \
              one mirrored topic. `lag` and `status` know topics by their ids, and say what was passed over. \
              `topic delete --force` of the mirrored topic also resets MirrorMaker's position, so that the new topic is \
              mirrored from its first record. Better: give a new topic a new name, or delete topics with `topic delete`.",
    restarts: true,
    unfit: |_, _| Vec::new(),
    run,
};

fn run(run: &Run<'_>) -> Result<Verdict, DrillError> {
    run.create_topic(&[])?;
    let portion = run.choice.time / 4;
    let old = run.write_first(portion)?;
    // the id by which the topic is known
    run.look()?;
    run.step("Stopping MirrorMaker", "Stopped MirrorMaker", || {
        Ok(run.docker.stop(&run.mirrors, &uncut())?)
    })?;
    let what = format!("topic `{}` on {}", run.topic, run.source.name);
    let (begins, done) = (format!("Deleting {what}"), format!("Deleted {what}"));
    run.step(&begins, &done, || {
        let limit = run.limit();
        let mut admin = Admin::connect_patiently(&run.source.endpoints, &limit)?;
        Ok(admin.delete_topic(&run.topic, &limit)?)
    })?;
    run.create_topic(&[])?;
    run.mark("recreated");
    // beyond where the old one ended, so that MirrorMaker finds its position
    let new = run.write(portion * 2)?;
    run.step("Starting MirrorMaker", "Started MirrorMaker", || {
        Ok(run.docker.start(&run.mirrors, &run.docker_limit())?)
    })?;
    run.mark("started");
    run.until_mirrored(new.written.max(old.written))?;
    let (missing, told) = (run.missing(&[new])?, run.told()?);
    let what = format!("`{}` and MirrorMaker's position", run.mirrored);
    let (begins, done) = (format!("Deleting {what}"), format!("Deleted {what}"));
    run.step(&begins, &done, || begin_again(run))?;
    run.mark("mirrored topic deleted");
    run.until_mirrored(new.written)?;
    let seen = Recreated {
        old: old.written,
        new: new.written,
        missing,
        told,
        missing_at_the_end: run.missing(&[new])?,
    };
    Ok(recreated_topic::judge(&run.flow.name(), &seen))
}

/// As `topic delete` does: with MirrorMaker stopped, the mirrored topic is deleted and MirrorMaker's position is reset.
fn begin_again(run: &Run<'_>) -> Result<(), DrillError> {
    let limit = run.limit();
    run.docker.stop(&run.mirrors, &limit)?;
    let mut admin = Admin::connect_patiently(&run.target.endpoints, &limit)?;
    admin.delete_topic(&run.mirrored, &limit)?;
    let lab = Lab::find(run.docker, &run.lab.spec.lab, &limit)?;
    let beginnings = (0..PARTITIONS).map(|id| ((run.topic.clone(), id), 0));
    positions::begin_at(&lab, run.flow, &beginnings.collect(), &limit)?;
    lag::forget(run.docker, &lab, [run.flow], &run.topic, &limit);
    Ok(run.docker.start(&run.mirrors, &limit)?)
}
