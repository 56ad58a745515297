//! The settings of a lab's flows, judged by Kafka's own definitions: what would MirrorMaker do with them?

use crate::core::mirrormaker::lint::{MOST, has_own_code, is_readable};
use crate::core::mirrormaker::settings::{
    Alternative, Generation, KeyVerdict, Scope, Side, Type, failure, known_for,
};
use crate::core::spec::{self, Fault, Finding, Instead, Part, Problem, Subject};
use crate::core::topology::{Flow, Topology, Version};
use std::collections::BTreeMap;

/// The first Kafka with an `EnvVarConfigProvider` (KIP-887).
const VARIABLES: (u32, u32) = (3, 5);
/// Characters of a value that are shown.
const SHOWN: usize = 40;

/// Every setting of a flow that MirrorMaker would ignore, or could not read. What is wrong with it by itself, or is
/// kmk's own to set, is for [`Spec::findings`](spec::Spec::findings) to say.
///
/// Stops after [`MOST`] settings that are not known: to look for what was meant takes its time.
pub fn findings(topology: &Topology) -> Vec<Finding> {
    let (mut findings, mut looked_for) = (Vec::new(), 0);
    for (index, flow) in topology.flows.iter().enumerate() {
        let flow = Judged::new(flow, topology);
        for (key, value) in &flow.flow.spec.settings {
            let verdict = known_for(Scope::Flow, key, flow.kafka);
            looked_for += usize::from(!matches!(verdict, KeyVerdict::Known(_)));
            if looked_for > MOST {
                return findings;
            }
            if let Some((fault, instead)) = flow.fault(key, verdict, value) {
                findings.push(Finding {
                    subject: Subject::Flow(index),
                    part: Part::Setting(key.clone()),
                    problem: Problem::FlowSetting {
                        flow: flow.flow.name(),
                        key: key.clone(),
                        fault: Box::new(fault),
                        instead,
                    },
                });
            }
        }
    }
    findings
}

/// A flow, and the MirrorMaker that carries it.
struct Judged<'a> {
    flow: &'a Flow,
    /// The Kafka that MirrorMaker runs, if its image tells.
    version: Option<Version>,
    kafka: Option<Generation>,
    /// Whether classes that are not Kafka's read settings of their own here.
    has_own_code: bool,
}

impl<'a> Judged<'a> {
    fn new(flow: &'a Flow, topology: &Topology) -> Self {
        let mut mirrors = topology.mirrors.iter();
        let mirror = mirrors.find(|mirror| mirror.target == flow.spec.target);
        let version = mirror.and_then(|mirror| mirror.image.version());
        let settings = flow.spec.settings.iter();
        let settings: BTreeMap<&str, &str> = settings
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        Self {
            flow,
            kafka: version.as_ref().map(Generation::of),
            version,
            has_own_code: has_own_code(&settings),
        }
    }

    fn fault(&self, key: &str, verdict: KeyVerdict, value: &str) -> Option<(Fault, Vec<Instead>)> {
        match verdict {
            KeyVerdict::Known(kind) => self
                .of_value(key, kind, value)
                .map(|fault| (fault, Vec::new())),
            KeyVerdict::Partly {
                reaches,
                alternatives,
            } => Some((Fault::Partly(reaches), self.instead(alternatives))),
            KeyVerdict::Overruled(why) => Some((Fault::Overruled(why), Vec::new())),
            KeyVerdict::OnlyIn(only) => {
                let runs = self.runs();
                let has = only.kafka();
                Some((Fault::OtherKafka { has, runs }, Vec::new()))
            }
            KeyVerdict::Misplaced(alternatives) => {
                Some((Fault::Misplaced, self.instead(alternatives)))
            }
            KeyVerdict::Unknown { meant } if meant.is_empty() && self.has_own_code => None,
            KeyVerdict::Unknown { meant } => Some((Fault::Unknown, self.instead(meant))),
        }
    }

    fn of_value(&self, key: &str, kind: Type, value: &str) -> Option<Fault> {
        let has_variable = !spec::names_in(value).is_empty();
        let is_old = |version: &Version| version.is_below(VARIABLES);
        if has_variable && self.version.as_ref().is_some_and(is_old) {
            let (major, minor) = VARIABLES;
            return Some(Fault::NoVariables {
                runs: self.runs(),
                first: format!("{major}.{minor}"),
            });
        }
        (!is_readable(kind, value)).then(|| {
            let mut shown: String = value.chars().take(SHOWN).collect();
            if shown.len() < value.len() {
                shown.push('…');
            }
            Fault::Value {
                expected: kind.to_string(),
                value: shown,
                failure: failure(Scope::Flow, key, self.kafka).to_string(),
            }
        })
    }

    fn runs(&self) -> String {
        let version = self.version.as_ref();
        version.map(ToString::to_string).unwrap_or_default()
    }

    /// What to write instead: in the flow if that is possible at all, and where else it is read if not.
    fn instead(&self, alternatives: Vec<Alternative>) -> Vec<Instead> {
        let mut all: Vec<Instead> = Vec::new();
        for right in alternatives {
            let one = self.place(right);
            if !all.contains(&one) {
                all.push(one);
            }
        }
        if all.iter().any(|one| matches!(one, Instead::Flow(_))) {
            all.retain(|one| matches!(one, Instead::Flow(_)));
        }
        // what a cluster has is nearer to a flow than what MirrorMaker has
        all.sort_by_key(|one| matches!(one, Instead::Lab(_)));
        all
    }

    fn place(&self, right: Alternative) -> Instead {
        let known = |key: &str| known_for(Scope::Flow, key, self.kafka);
        let is_read = |key: &str| matches!(known(key), KeyVerdict::Known(_));
        let (side, key) = match right {
            Alternative::Flow(key) => return Instead::Flow(key),
            Alternative::Top(key) if is_read(&key) => return Instead::Flow(key),
            Alternative::Top(key) => return Instead::Lab(key),
            Alternative::Cluster(side, key) => (side, key),
        };
        // what a flow has as `producer.` is for offset syncs, this for the records
        let of_producer = key.strip_prefix("producer.");
        let over = of_producer.map(|bare| format!("producer.override.{bare}"));
        if let Some(key) = over
            .into_iter()
            .chain([key.clone()])
            .find(|key| is_read(key))
        {
            return Instead::Flow(key);
        }
        let ends = &self.flow.spec;
        let cluster = match side {
            Side::Source => ends.source.clone(),
            Side::Target | Side::Either => ends.target.clone(),
        };
        Instead::Cluster { cluster, key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::mirrormaker::config;
    use crate::core::mirrormaker::lint::{self, lint};
    use crate::core::spec::sample::any_spec;
    use crate::core::spec::scenario;
    use proptest::prelude::*;

    /// What is said of one setting of the flow primary->secondary, and what to write instead.
    fn judged(key: &str, value: &str, image: Option<&str>) -> Vec<String> {
        let mut spec = scenario::dr("demo");
        spec.image = image.map(str::to_owned);
        spec.flows[0]
            .settings
            .insert(key.to_owned(), value.to_owned());
        let findings = findings(&Topology::new(&spec));
        let shown = findings.iter().map(|finding| {
            assert_eq!(finding.subject, Subject::Flow(0));
            assert_eq!(finding.part, Part::Setting(key.to_owned()));
            let Problem::FlowSetting { fault, instead, .. } = &finding.problem else {
                panic!("{finding:?}");
            };
            format!("{fault} {instead:?}")
        });
        shown.collect()
    }

    #[track_caller]
    fn is_refused(key: &str, value: &str, image: Option<&str>, said: &str) {
        let found = judged(key, value, image);
        assert!(
            found.len() == 1 && found[0].contains(said),
            "{key} {found:?}"
        );
    }

    #[test]
    fn what_mirrormaker_reads_is_right() {
        for (key, value) in [
            ("tasks.max", "4"),
            ("tasks.max", "${env:TASKS}"),
            ("emit.checkpoints.enabled", "False"),
            ("consumer.max.poll.records", "500"),
            ("source.consumer.max.poll.records", "500"),
            ("producer.override.linger.ms", "20"),
            ("transforms", "mine"),
            ("transforms.mine.type", "com.example.Mine"),
            ("topic.creation.default.cleanup.policy", "compact"),
        ] {
            assert_eq!(judged(key, value, None), [""; 0], "{key}");
        }
    }

    #[test]
    fn what_is_no_setting_and_what_was_meant() {
        is_refused(
            "task.max",
            "4",
            None,
            "not a MirrorMaker setting and would be silently ignored [Flow(\"tasks.max\")]",
        );
        is_refused(
            "emit.heartbeats",
            "false",
            None,
            "[Flow(\"emit.heartbeats.enabled\")]",
        );
        is_refused("zzz", "4", None, "silently ignored []");
        is_refused(
            "offset.flush.intervall.ms",
            "4",
            None,
            "not a MirrorMaker setting and would be silently ignored [Cluster { cluster: \"secondary\", key: \"offset.flush.interval.ms\" }]",
        );
        // where a class of one's own may read it
        let mut spec = scenario::dr("demo");
        let own = [
            ("config.property.filter.class", "com.example.Mine"),
            ("zzz", "4"),
            ("task.max", "4"),
        ];
        spec.flows[0].settings = own
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        let found = findings(&Topology::new(&spec));
        assert!(
            found.len() == 1 && found[0].part == Part::Setting("task.max".to_owned()),
            "{found:?}"
        );
    }

    #[test]
    fn what_is_read_elsewhere_and_what_a_flow_can_say_instead() {
        for (key, instead) in [
            (
                "fetch.max.wait.ms",
                "[Flow(\"consumer.fetch.max.wait.ms\")]",
            ),
            (
                "retries",
                "[Flow(\"producer.override.retries\"), Flow(\"admin.retries\")]",
            ),
            (
                "offset.flush.interval.ms",
                "[Cluster { cluster: \"secondary\", key: \"offset.flush.interval.ms\" }]",
            ),
            (
                "security.protocol",
                "[Cluster { cluster: \"secondary\", key: \"security.protocol\" }, Lab(\"security.protocol\")]",
            ),
            (
                "dedicated.mode.enable.internal.rest",
                "[Lab(\"dedicated.mode.enable.internal.rest\")]",
            ),
        ] {
            is_refused(
                key,
                "1",
                None,
                &format!("is not read there and would be silently ignored {instead}"),
            );
        }
    }

    #[test]
    fn what_is_read_and_does_not_do_what_it_looks_like() {
        is_refused(
            "producer.linger.ms",
            "20",
            None,
            "applies only to the producer of offset syncs, not the one that writes records [Flow(\"producer.override.linger.ms\")]",
        );
        is_refused(
            "consumer.enable.auto.commit",
            "true",
            None,
            "silently ignored: MirrorMaker always sets it",
        );
    }

    #[test]
    fn what_only_another_kafka_has() {
        let old = "config.properties.blacklist";
        is_refused(
            old,
            "x",
            Some("apache/kafka:4.2.0"),
            "by MirrorMaker 4.2.0: of the versions known to kmk only 3.9.2 has it",
        );
        assert_eq!(judged(old, "x", None), [""; 0]);
        assert_eq!(judged(old, "x", Some("my/kafka:latest")), [""; 0]);
    }

    #[test]
    fn values_that_kafka_cannot_read() {
        is_refused(
            "tasks.max",
            "many",
            None,
            "must be a number from 1 to 2147483647, got `many`: MirrorMaker starts, but without its connectors (",
        );
        let heeded = "emit.checkpoints.enabled";
        is_refused(heeded, "yes", None, "must be true or false, got `yes`");
        is_refused(
            "offset-syncs.topic.location",
            "destination",
            None,
            "must be one of source, target, got `destination`: MirrorMaker starts, but without MirrorSourceConnector and",
        );
        is_refused(
            "tasks.max",
            &"9".repeat(60),
            None,
            &format!("got `{}…`", "9".repeat(40)),
        );
    }

    #[test]
    fn variables_are_read_from_kafka_3_5_on() {
        let key = "consumer.ssl.key.password";
        let old = Some("apache/kafka:3.4.1");
        is_refused(
            key,
            "a${env:KEY}",
            old,
            "MirrorMaker 3.4.1 would not replace it: EnvVarConfigProvider exists from Kafka 3.5 on",
        );
        assert_eq!(judged(key, "a", old), [""; 0]);
        assert_eq!(
            judged(key, "${env:KEY}", Some("apache/kafka:3.5.0")),
            [""; 0]
        );
        assert_eq!(judged(key, "${env:KEY}", Some("my/kafka:old")), [""; 0]);
    }

    #[test]
    fn a_lab_of_nothing_but_mistakes_is_given_up_soon() {
        let mut spec = scenario::dr("demo");
        let keys = (0..9_000).map(|n| (format!("offsett.flush.interval.{n}"), "1".to_owned()));
        spec.flows[0].settings = keys.collect();
        assert_eq!(findings(&Topology::new(&spec)).len(), MOST);
    }

    /// Whether it is about where a setting stands, and not about what its value may look like to a person.
    fn is_of_key(problem: &lint::Problem) -> bool {
        use lint::Problem::{BlankInKey, Comment};
        !matches!(problem, BlankInKey | Comment)
    }

    proptest! {
        #[test]
        fn every_setting_that_kmk_renders_is_read(spec in any_spec()) {
            let topology = Topology::new(&spec);
            prop_assert_eq!(findings(&topology), []);
            for kafka in [None, Some(Generation::Three), Some(Generation::Four)] {
                let mut ignored = lint(&config::render(&topology), kafka);
                ignored.retain(|finding| is_of_key(&finding.problem));
                // a lab without flows has no MirrorMaker to read anything
                prop_assert!(ignored.is_empty() || spec.flows.is_empty(), "{:?}", ignored);
            }
        }

        #[test]
        fn no_setting_is_too_odd(key in "[a-z.]{1,30}", value in any::<String>()) {
            prop_assert!(judged(&key, &value, None).len() <= 1);
        }
    }
}
