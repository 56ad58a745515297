//! `MirrorMaker` with exactly-once support dies in mid-load, and is started again at once.

use super::load::crossed;
use super::mirrormaker_crash::crash;
use super::{Experiment, Run};
use crate::core::judge::drill::experiment::{Verdict, exactly_once};
use crate::core::judge::ledger::Guarantee;
use crate::core::lab::drill::{DrillError, Finding};

pub(super) static DRILL: Experiment = Experiment {
    name: "exactly-once",
    lab: "deployed with --exactly-once",
    shows: "the same crash with exactly-once support: nothing is lost, and nothing arrives twice",
    teaches: "With exactly.once.source.support, MirrorMaker writes records and its position in one transaction. What a crash \
              interrupts is aborted, and copied again. Consumers see each record once only if they read with \
              isolation.level=read_committed: others also see what was aborted. The price is the outage: consumers wait at \
              an open transaction until it is aborted, at the latest after transaction.timeout.ms, 60 s by default and 10 s \
              in labs of kmk. It holds from the source topic to the target topic, not for what producers or consumers repeat.",
    restarts: true,
    unfit: |lab, flow| {
        let mirror = lab.topology.mirror_of(&flow.spec.target);
        if mirror.is_some_and(|mirror| mirror.exactly_once) {
            return Vec::new();
        }
        let flow = flow.name();
        vec![Finding::NotOnce { flow }]
    },
    run,
};

fn run(run: &Run<'_>) -> Result<Verdict, DrillError> {
    run.create_topic(&[])?;
    let (outage, report) =
        run.under_load(Guarantee::ExactlyOnce, |crossing| crash(run, crossing))?;
    let allowed = run.choice.timeout;
    Ok(exactly_once::judge(&crossed(&report), outage, allowed))
}
