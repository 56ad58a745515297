//! The link is cut in mid-load, and restored after a while.

use super::load::{Crossing, crossed};
use super::{Experiment, Run};
use crate::core::judge::drill::experiment::Verdict;
use crate::core::judge::drill::experiment::link_cut::{self, Cut};
use crate::core::judge::ledger::Guarantee;
use crate::core::lab::drill::DrillError;
use std::time::Instant;

pub(super) static DRILL: Experiment = Experiment {
    name: "link-cut",
    lab: "any",
    shows: "the link is cut in mid-load and restored: nothing is lost, and the target catches up",
    teaches: "While the link is cut, records wait on the source, and the target is as old as the cut is long: that is the \
              RPO of a failover in that moment. Once the link is restored, MirrorMaker resumes. It catches up only \
              as fast as it copies faster than producers write, so size MirrorMaker for the backlog, not for the average. \
              Nothing is lost as long as the source's retention outlasts the cut.",
    restarts: false,
    unfit: |_, _| Vec::new(),
    run,
};

fn run(run: &Run<'_>) -> Result<Verdict, DrillError> {
    run.create_topic(&[])?;
    let (cut, report) = run.under_load(Guarantee::AtLeastOnce, |crossing| cut(run, crossing))?;
    Ok(link_cut::judge(&crossed(&report), &cut))
}

fn cut(run: &Run<'_>, crossing: &Crossing) -> Result<Cut, DrillError> {
    crossing.warm_up(run)?;
    run.cut_link()?;
    let begun = Instant::now();
    run.hold("Keeping it cut", "Kept it cut", run.choice.time / 2)?;
    run.restore_link()?;
    let (held, then) = (begun.elapsed(), crossing.counts());
    let words = (
        "Waiting until the target catches up",
        "The target caught up",
    );
    let caught_up = crossing.until(run, words, |counts| counts.arrived >= then.acknowledged)?;
    Ok(Cut {
        held,
        backlog: then.acknowledged.saturating_sub(then.arrived),
        caught_up,
        allowed: run.choice.timeout,
    })
}
