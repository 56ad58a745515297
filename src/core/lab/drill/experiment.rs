//! Drills of one fault: numbered records cross a flow, something breaks in mid-load and is mended, and what was expected is
//! set beside what was seen. Each is an entry of [`ALL`], made in a module of its own; its verdict is judged in
//! [`judge::drill::experiment`](crate::core::judge::drill::experiment).

mod broker_crash;
mod exactly_once;
mod link_cut;
mod load;
mod mirrormaker_crash;
mod numbered;
mod poison_record;
mod recreated_topic;
mod retention_race;
mod run;
mod slow_link;

use super::plan::{PREFIX, Side, chosen, containers, look, none, number, unfit};
use super::reached::Noting;
use super::state::{DrillState, Line, Phase, Topics};
use super::{DrillError, Finding, Step, siblings, take_back};
use crate::core::docker::Docker;
use crate::core::event::{Event, Observer};
use crate::core::judge::drill::experiment::Verdict;
use crate::core::judge::ledger::RunId;
use crate::core::lab::Lab;
use crate::core::lab::link::network;
use crate::core::lab::lock::{self, Lock};
use crate::core::lab::verify::Clock;
use crate::core::topology::Flow;
use kmk_kafka::message::to_millis;
use kmk_kafka::wait::{Interrupt, Limit};
use run::Run;
use serde::Serialize;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

/// One drill.
#[derive(Debug)]
pub struct Experiment {
    /// As it is typed.
    pub name: &'static str,
    /// Which labs fit.
    pub lab: &'static str,
    /// What it shows, in a line.
    pub shows: &'static str,
    /// What it teaches, in a paragraph.
    pub teaches: &'static str,
    /// Whether MirrorMaker is stopped or restarted, and flows of other sources with it.
    restarts: bool,
    /// What about a lab and a flow does not fit, beside what no drill can do without.
    unfit: fn(&Lab, &Flow) -> Vec<Finding>,
    /// Its steps. What they have changed when they end or fail, [taking it back](take_back) repairs.
    run: fn(&Run<'_>) -> Result<Verdict, DrillError>,
}

/// All of them.
pub static ALL: [&Experiment; 8] = [
    &mirrormaker_crash::DRILL,
    &exactly_once::DRILL,
    &link_cut::DRILL,
    &slow_link::DRILL,
    &broker_crash::DRILL,
    &retention_race::DRILL,
    &recreated_topic::DRILL,
    &poison_record::DRILL,
];

/// What a person may choose.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The flow, by name; none where the lab has only one.
    pub flow: Option<String>,
    /// Records a second.
    pub rate: u64,
    /// How long they are sent.
    pub time: Duration,
    /// How long each step may take that has no time of its own.
    pub timeout: Duration,
    /// Whether the drill's topics stay, to be looked at; [`abort`](super::abort) removes them.
    pub keep: bool,
}

/// A drill that came to its end. As JSON, fields keep their names and meanings; new ones may come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Its name.
    pub drill: &'static str,
    /// The lab.
    pub lab: String,
    /// `source->target`.
    pub flow: String,
    /// The topic on the source.
    pub topic: String,
    /// What MirrorMaker calls it on the target.
    pub mirrored_topic: String,
    /// The whole drill, from the first topic until the lab was as before.
    pub seconds: f64,
    /// What happened when.
    pub steps: Vec<Step>,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What it teaches.
    pub teaches: &'static str,
}

/// Runs a drill, and brings the lab back to how it was.
///
/// # Errors
/// [`DrillError::Unfit`] before anything was touched; [`DrillError::TakenBack`] once something was.
pub fn experiment(
    docker: &Docker,
    name: &str,
    which: &Experiment,
    choice: &Choice,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Result<Report, DrillError> {
    let limit = Limit::new(choice.timeout, interrupt);
    let engine = docker.engine(&limit)?;
    let _lock = Lock::take(&lock::runtime_directory(), &engine.id, name, "drill")?;
    let lab = Lab::find(docker, name, &limit)?;
    let flow = chosen(&lab.topology, choice.flow.as_deref())?;
    let id = RunId::new(SystemTime::now(), std::process::id(), 0);
    let topic = format!("{PREFIX}{}-{}", number(id), which.name);
    let mut findings = unfit(&lab.topology, flow, &topic);
    findings.extend((which.unfit)(&lab, flow));
    none(look(docker, &lab, flow, findings, &limit)?)?;
    let (_, mirrors) = containers(&lab, flow);
    let mirrored = flow.remote_topic(&topic);
    let state = begun(which, &lab, flow, (&topic, &mirrored));
    let run = Run {
        docker,
        lab: &lab,
        flow,
        source: Side::of(&lab.topology, &flow.spec.source),
        target: Side::of(&lab.topology, &flow.spec.target),
        mirrored,
        topic,
        mirrors,
        network: network(&lab.topology, flow),
        choice,
        interrupt,
        observer: &Noting::new(docker, name, observer),
        clock: Clock::start(),
        marks: Mutex::default(),
        state: Mutex::new(state),
    };
    run.save(run.state())?;
    let siblings = siblings::note(&lab.topology, flow).filter(|_| which.restarts);
    if let Some(note) = siblings {
        observer.on(Event::Note(note));
    }
    let done = (which.run)(&run).and_then(|verdict| {
        let limit = run.limit();
        let lab = Lab::find(docker, name, &limit)?;
        if choice.keep {
            take_back::repair(docker, &lab, &run.state(), &limit, observer)?;
            run.save(run.state().kept())?;
        } else {
            take_back::take_back(docker, &lab, &run.state().kept(), &limit, observer)?;
        }
        Ok(verdict)
    });
    match done {
        Ok(verdict) => Ok(Report {
            drill: which.name,
            lab: name.to_owned(),
            flow: flow.name(),
            topic: run.topic.clone(),
            mirrored_topic: run.mirrored.clone(),
            seconds: run.clock.elapsed().as_secs_f64(),
            steps: run.marks(),
            verdict,
            teaches: which.teaches,
        }),
        Err(cause) => {
            let (state, patience) = (run.state(), choice.timeout);
            Err(take_back::after(
                docker, &lab, &state, cause, patience, observer,
            ))
        }
    }
}

fn begun(
    which: &Experiment,
    lab: &Lab,
    flow: &Flow,
    (topic, mirrored): (&str, &str),
) -> DrillState {
    DrillState {
        watermark: None,
        observed: false,
        flow: flow.name(),
        source: flow.spec.source.clone(),
        target: flow.spec.target.clone(),
        fault: None,
        name: Some(which.name.to_owned()),
        phase: Phase::Running,
        since: to_millis(SystemTime::now()),
        reached: None,
        topics: Topics {
            source: topic.to_owned(),
            mirrored: mirrored.to_owned(),
            target: mirrored.to_owned(),
        },
        groups: Vec::new(),
        back: None,
        setting: None,
        line: flow.link.as_ref().map(|_| Line {
            asked: lab.journal.asked(&flow.name()),
        }),
    }
}
