//! What the steps of every drill work with.

use super::Choice;
use crate::core::docker::Docker;
use crate::core::event::{Event, Observer, step};
use crate::core::lab::Lab;
use crate::core::lab::deploy::Aftermath;
use crate::core::lab::drill::plan::Side;
use crate::core::lab::drill::state::{DrillState, Setting};
use crate::core::lab::drill::{DOCKER, DrillError, Step, link, setting, uncut};
use crate::core::lab::verify::{Clock, locked};
use crate::core::topology::Flow;
use kmk_kafka::wait::{Interrupt, Limit, Stop, seconds};
use kmk_kafka::{Admin, KafkaError, NewTopic};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How many partitions a drill's topic has.
pub(super) const PARTITIONS: i32 = 3;

/// How often it is looked whether something is so.
const LOOK: Duration = Duration::from_millis(100);

/// A drill under way.
pub(super) struct Run<'a> {
    pub(super) docker: &'a Docker,
    pub(super) lab: &'a Lab,
    pub(super) flow: &'a Flow,
    pub(super) source: Side,
    pub(super) target: Side,
    /// The drill's topic, and what it is called on the target.
    pub(super) topic: String,
    pub(super) mirrored: String,
    /// The containers of the flow's `MirrorMaker`.
    pub(super) mirrors: Vec<String>,
    /// The network on which MirrorMaker reaches the source.
    pub(super) network: Option<String>,
    pub(super) choice: &'a Choice,
    pub(super) interrupt: &'a Interrupt,
    pub(super) observer: &'a dyn Observer,
    pub(super) clock: Clock,
    pub(super) marks: Mutex<Vec<Step>>,
    /// What the lab's journal has of the drill.
    pub(super) state: Mutex<DrillState>,
}

impl Run<'_> {
    /// Creates the drill's topic on the source, with settings of its own.
    pub(super) fn create_topic(&self, settings: &[(&str, &str)]) -> Result<(), DrillError> {
        let what = format!("topic `{}` on {}", self.topic, self.source.name);
        let (begins, done) = (format!("Creating {what}"), format!("Created {what}"));
        self.step(&begins, &done, || {
            let limit = self.limit();
            let mut admin = Admin::connect_patiently(&self.source.endpoints, &limit)?;
            let settings = settings.iter();
            let settings = settings.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            let topic = NewTopic {
                name: self.topic.clone(),
                partitions: Some(PARTITIONS),
                settings: settings.collect(),
                ..NewTopic::default()
            };
            admin.create_topic(&topic, &limit)?;
            Ok(())
        })
    }

    pub(super) fn cut_link(&self) -> Result<(), DrillError> {
        let (flow, limit) = (self.flow.name(), uncut());
        let (what, done) = (
            format!("Cutting the link {flow}"),
            format!("Cut the link {flow}"),
        );
        link::note_cut(self.docker, &self.lab.spec.lab, &flow, false, &limit)?;
        self.step(&what, &done, || {
            let network = self.network.as_deref();
            Ok(link::cut(self.docker, network, &self.mirrors, &limit)?)
        })?;
        self.mark("cut");
        Ok(())
    }

    pub(super) fn restore_link(&self) -> Result<(), DrillError> {
        self.step("Restoring the link", "Restored the link", || {
            let limit = self.docker_limit();
            let now = Lab::find(self.docker, &self.lab.spec.lab, &limit)?;
            link::reconnect(self.docker, &now, &self.flow.name(), &limit, self.observer)
        })?;
        self.mark("restored");
        Ok(())
    }

    pub(super) fn state(&self) -> DrillState {
        locked(&self.state).clone()
    }

    pub(super) fn save(&self, state: DrillState) -> Result<(), DrillError> {
        state.save(self.docker, &self.lab.spec.lab, &self.docker_limit())?;
        *locked(&self.state) = state;
        Ok(())
    }

    /// Recreates MirrorMaker with another setting of the flow, until the drill is taken back.
    pub(super) fn set(&self, key: &str, value: &str) -> Result<(), DrillError> {
        let flow = self.flow.name();
        let mut flows = self.lab.spec.flows.iter().zip(&self.lab.topology.flows);
        let own = flows.find(|(_, resolved)| resolved.name() == flow);
        let own = own.and_then(|(own, _)| own.settings.get(key).cloned());
        let before = self.state();
        self.save(DrillState {
            setting: Some(Setting {
                key: key.to_owned(),
                value: own,
            }),
            ..before.clone()
        })?;
        let words = (
            format!("Recreating MirrorMaker with {key}={value}"),
            format!("Recreated MirrorMaker with {key}={value}"),
        );
        self.step(&words.0, &words.1, || {
            let setting = (key, Some(value));
            let made = setting::set(self.docker, self.lab, &flow, setting, &self.limit());
            made.or_else(|failure| {
                // then there is nothing to take back, and what is in the way would be in the way again
                if failure.aftermath == Aftermath::NothingMade {
                    self.save(before)?;
                }
                Err(DrillError::NotUp(failure.cause))
            })
        })
    }

    /// Notes that something happens now, for the timeline.
    pub(super) fn mark(&self, what: &'static str) {
        let at_seconds = self.clock.elapsed().as_secs_f64();
        locked(&self.marks).push(Step { what, at_seconds });
    }

    pub(super) fn marks(&self) -> Vec<Step> {
        locked(&self.marks).clone()
    }

    pub(super) fn step<T>(
        &self,
        what: &str,
        done: &str,
        run: impl FnOnce() -> Result<T, DrillError>,
    ) -> Result<T, DrillError> {
        step(self.observer, what, done, run)
    }

    /// Waits until something is so. How long that took; none where it is not in the time that a step may take. A broker that does
    /// not answer is asked again.
    pub(super) fn until(
        &self,
        (what, done): (&str, &'static str),
        mut is_so: impl FnMut(&Limit) -> Result<bool, DrillError>,
    ) -> Result<Option<Duration>, DrillError> {
        self.observer.on(Event::Started(what.to_owned()));
        let (begun, limit) = (Instant::now(), self.limit());
        loop {
            match is_so(&limit) {
                Ok(true) => {
                    let (what, took) = (done.to_owned(), begun.elapsed());
                    self.observer.on(Event::Done { what, took });
                    self.mark(done);
                    return Ok(Some(took));
                }
                Ok(false) => {}
                Err(DrillError::Kafka(error))
                    if !matches!(error, KafkaError::Stopped(Stop::Interrupted)) => {}
                Err(error) => return Err(error),
            }
            if limit.remaining() <= LOOK {
                return Ok(None);
            }
            limit.pause(LOOK)?;
        }
    }

    /// Lets everything run for a while.
    pub(super) fn hold(&self, what: &str, done: &str, time: Duration) -> Result<(), DrillError> {
        let what = format!("{what} for {}", seconds(time));
        let pause = || Limit::endless(self.interrupt).pause(time);
        self.step(&what, done, || Ok(pause()?))
    }

    pub(super) fn limit(&self) -> Limit {
        self.limit_of(self.choice.timeout)
    }

    pub(super) fn limit_of(&self, time: Duration) -> Limit {
        Limit::new(time, self.interrupt)
    }

    pub(super) fn docker_limit(&self) -> Limit {
        self.limit_of(DOCKER)
    }
}
