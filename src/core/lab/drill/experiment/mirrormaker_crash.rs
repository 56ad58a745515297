//! `MirrorMaker` dies in mid-load, and is started again at once.

use super::load::{Crossing, crossed};
use super::{Experiment, Run};
use crate::core::judge::drill::experiment::{Verdict, mirrormaker_crash};
use crate::core::judge::ledger::Guarantee;
use crate::core::lab::drill::{DrillError, uncut};
use std::time::{Duration, Instant};

pub(super) static DRILL: Experiment = Experiment {
    name: "mirrormaker-crash",
    lab: "any",
    shows: "MirrorMaker is killed in mid-load: nothing is lost, some records arrive twice",
    teaches: "MirrorMaker delivers at least once. It writes a record to the target first, and commits how far it has \
              read only later, every offset.flush.interval.ms. After a crash it resumes from the last committed position, and \
              copies again what came after it. So nothing is lost, but consumers on the target must tolerate duplicates: \
              make them idempotent, or run MirrorMaker with exactly.once.source.support. Outage is mostly the start of \
              a JVM and a rebalance: watch it, because records wait on the source meanwhile, and retention does not wait.",
    restarts: true,
    unfit: |_, _| Vec::new(),
    run,
};

fn run(run: &Run<'_>) -> Result<Verdict, DrillError> {
    run.create_topic(&[])?;
    let (outage, report) =
        run.under_load(Guarantee::AtLeastOnce, |crossing| crash(run, crossing))?;
    let allowed = run.choice.timeout;
    Ok(mirrormaker_crash::judge(&crossed(&report), outage, allowed))
}

/// From the kill to the first new record on the target, if there is one.
pub(super) fn crash(run: &Run<'_>, crossing: &Crossing) -> Result<Option<Duration>, DrillError> {
    crossing.warm_up(run)?;
    run.mark("killed");
    let killed = Instant::now();
    run.step("Killing MirrorMaker", "Killed MirrorMaker", || {
        Ok(run.docker.kill(&run.mirrors, &uncut())?)
    })?;
    run.step("Starting MirrorMaker", "Started MirrorMaker", || {
        Ok(run.docker.start(&run.mirrors, &run.docker_limit())?)
    })?;
    run.mark("started");
    // a JVM starts for longer than the last record of the killed one is on its way
    let before = crossing.counts().arrived;
    let words = ("Waiting for new records", "New records arrive");
    let again = crossing.until(run, words, |counts| counts.arrived > before)?;
    Ok(again.map(|_| killed.elapsed()))
}
