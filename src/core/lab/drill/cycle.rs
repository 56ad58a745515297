//! From healthy to healthy: a failover, and then the failback.

use super::failback::{Way, steps};
use super::plan::Plan;
use super::sides::Ends;
use super::{
    By, DrillError, DrillState, Failback, FailbackReport, Failover, FailoverReport, Fault, Finding,
    Rehearsal, Salvage, Unfit, abort, failback, failover,
};
use crate::core::docker::Docker;
use crate::core::event::{Event, Observer};
use crate::core::lab::Lab;
use crate::core::lab::verify::Clock;
use kmk_kafka::wait::{Interrupt, Limit};
use serde::Serialize;
use std::time::Duration;

/// How long taking the failover back may take.
const TAKE_BACK: Duration = Duration::from_secs(120);

/// What came of both halves.
#[derive(Debug)]
pub struct CycleReport {
    /// The failover.
    pub failover: FailoverReport,
    /// The failback; where it did not come to its end, the drill was taken back.
    pub failback: Result<FailbackReport, DrillError>,
    /// From healthy to healthy.
    pub seconds: f64,
}

/// What both halves would do. As JSON, fields keep their names and meanings; new ones may come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CycleRehearsal {
    /// The failover.
    pub failover: Rehearsal,
    /// The failback.
    pub failback: Rehearsal,
}

/// Fails over, fails back, and leaves the lab as it was. Whether it can fail back is checked first.
///
/// # Errors
/// [`DrillError::Unfit`] before anything was touched; whatever ends the failover, with the drill taken back.
pub fn cycle(
    docker: &Docker,
    name: &str,
    (away, home): (&Failover, &Failback),
    salvage: Option<&mut dyn Salvage>,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Result<CycleReport, DrillError> {
    let clock = Clock::start();
    rehearse_cycle(docker, name, (away, home), interrupt)?;
    let failover = failover(docker, name, away, interrupt, observer)?;
    let failback = failback(docker, name, home, salvage, interrupt, observer)
        .map_err(|cause| taken_back(docker, name, cause, observer));
    Ok(CycleReport {
        failover,
        failback,
        seconds: clock.elapsed().as_secs_f64(),
    })
}

/// A failback that could not begin leaves the lab failed over: not what a cycle is for.
fn taken_back(
    docker: &Docker,
    name: &str,
    cause: DrillError,
    observer: &dyn Observer,
) -> DrillError {
    if matches!(cause, DrillError::TakenBack { .. }) {
        return cause;
    }
    observer.on(Event::Note("the drill is taken back".to_owned()));
    // an interruption has ended the drill, and must not end this
    let limit = Limit::new(TAKE_BACK, &Interrupt::default());
    let problem = match abort(docker, name, &limit, observer) {
        Ok(_) | Err(DrillError::NoDrill { .. }) => None,
        Err(error) => Some(error.to_string()),
    };
    DrillError::TakenBack {
        cause: Box::new(cause),
        problem,
    }
}

/// Looks whether both halves can be drilled, and touches nothing.
///
/// # Errors
/// [`DrillError::Unfit`] with all that was found; whatever does not allow the flow back.
pub fn rehearse_cycle(
    docker: &Docker,
    name: &str,
    (away, home): (&Failover, &Failback),
    interrupt: &Interrupt,
) -> Result<CycleRehearsal, DrillError> {
    let limit = Limit::new(away.timeout, interrupt);
    let lab = Lab::find(docker, name, &limit)?;
    let plan = Plan::make(docker, &lab, away, &limit)?;
    let state = DrillState::begin(&plan, away.fault).failed_over(Ends::default());
    let way = Way::find(&lab, &state, home)?;
    if home.by == By::Watermark && away.fault != Fault::Planned {
        return Err(Unfit(vec![Finding::NotPlanned]).into());
    }
    Ok(CycleRehearsal {
        failover: Rehearsal::of(&plan, away),
        failback: Rehearsal {
            flow: state.flow.clone(),
            steps: steps(&way, &state, home, false),
            notes: way.ahead(&lab).into_iter().collect(),
        },
    })
}
