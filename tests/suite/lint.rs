//! `kmk lint`: what MirrorMaker would ignore, by line; and files that are none.

use crate::kmk::Kmk;
use indoc::indoc;
use kafka_mirror_kit::core::mirrormaker::config;
use kafka_mirror_kit::core::mirrormaker::lint::{Finding, Problem, lint};
use kafka_mirror_kit::core::mirrormaker::settings::Generation;
use kafka_mirror_kit::core::spec::scenario;
use kafka_mirror_kit::core::spec::{ClusterSpec, FlowSpec, Naming, Spec};
use kafka_mirror_kit::core::topology::{Topology, Version};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const GOOD: &str = "\
clusters = primary, secondary
primary.bootstrap.servers = here:9092
secondary.bootstrap.servers = there:9092
primary->secondary.enabled = true
";

fn with(text: impl AsRef<[u8]>) -> Kmk {
    let kmk = Kmk::new().without_docker();
    fs::write(kmk.work("mm2.properties"), text).unwrap();
    kmk
}

#[test]
fn a_file_without_a_fault() {
    with(GOOD)
        .run("lint mm2.properties")
        .code(0)
        .stdout("")
        .stderr("mm2.properties: 4 settings, and MirrorMaker reads all of them\n");
    with(GOOD)
        .run("lint --quiet mm2.properties")
        .code(0)
        .stdout("")
        .stderr("");
}

#[test]
fn findings_by_line_with_what_is_right() {
    let rest = indoc! {"
        # as Kafka's documentation has it
        primary->secondary.emit.heartbeats = false
        primary->secondary.offset.flush.interval.ms = 1000
        primary->third.topics = x
        primary->secondary.producer.linger.ms = 5
        primary->secondary.sync.topic.acls.enabled = no
    "};
    let stdout = indoc! {"
        mm2.properties:6: primary->secondary.emit.heartbeats: not a MirrorMaker setting: ignored; did you mean `primary->secondary.emit.heartbeats.enabled`?
        mm2.properties:7: primary->secondary.offset.flush.interval.ms: ignored here; it is read as `secondary.offset.flush.interval.ms`
        mm2.properties:8: primary->third.topics: ignored: `clusters` does not name `third`
        mm2.properties:9: primary->secondary.producer.linger.ms: applies only to the producer of offset syncs, not the one that writes records; use `secondary.producer.linger.ms` for that
        mm2.properties:10: primary->secondary.sync.topic.acls.enabled: `no` is not true or false: MirrorMaker starts, but without MirrorSourceConnector (an earlier configuration stays in use)
    "};
    with(format!("{GOOD}{rest}"))
        .run("lint mm2.properties")
        .code(1)
        .stdout(stdout)
        .stderr("mm2.properties: 5 findings in 9 settings\n");
}

#[test]
fn who_gets_a_setting() {
    let rest = indoc! {"
        primary->secondary.consumer.bootstrap.servers = x:9092
        secondary->primary.topics = y
        secondary->primary.producer.override.linger.ms = 5
        log.retention.hours = 5
        heartbeats.topic.retention.ms = 5
        connector.class = org.apache.kafka.connect.mirror.MirrorSourceConnector
        third.group.id = mine
        third.bootstrap.servers = other:9092
        primary->third.enabled = true
    "};
    let good = GOOD.replace("primary, secondary", "primary, secondary, third");
    let stdout = indoc! {"
        mm2.properties:5: primary->secondary.consumer.bootstrap.servers: ignored: `primary.bootstrap.servers` and `secondary.bootstrap.servers` take precedence
        mm2.properties:6: secondary->primary.topics: ignored: flow secondary->primary is not enabled; set `secondary->primary.enabled = true`, or remove this
        mm2.properties:7: secondary->primary.producer.override.linger.ms: applies only to the producer of heartbeats, for this flow is not enabled
        mm2.properties:8: log.retention.hours: a broker setting: MirrorMaker ignores it; set it on the brokers
        mm2.properties:9: heartbeats.topic.retention.ms: a topic setting: MirrorMaker ignores it; set it with kafka-configs.sh
        mm2.properties:10: connector.class: turns all three connectors of a flow into a MirrorSourceConnector; remove it
        mm2.properties:11: third.group.id: the workers primary->third, secondary->third would share it, and overwrite each other's connectors; remove it
    "};
    with(format!("{good}{rest}"))
        .run("lint mm2.properties")
        .code(1)
        .stdout(stdout)
        .stderr("mm2.properties: 7 findings in 13 settings\n");
}

#[test]
fn what_would_go_round_for_ever() {
    let rest = indoc! {"
        secondary->primary.enabled = true
        secondary->primary.replication.policy.class = org.apache.kafka.connect.mirror.IdentityReplicationPolicy
        third->primary.enabled = true
        third.bootstrap.servers = there:9092
    "};
    let good = GOOD.replace("primary, secondary", "primary, secondary, third");
    let stdout = indoc! {"
        mm2.properties:4: primary->secondary.enabled: flows primary->secondary, secondary->primary form a cycle that MirrorMaker does not break: each round would create more topics (primary.primary.primary.TOPIC), endlessly
        mm2.properties:8: third.bootstrap.servers: `secondary` and `third` both have the address there:9092: they are the same cluster, and MirrorMaker would copy it into itself endlessly
    "};
    with(format!("{good}{rest}"))
        .run("lint mm2.properties")
        .code(1)
        .stdout(stdout)
        .stderr("mm2.properties: 2 findings in 8 settings\n");
}

/// What lint says of a key that does nothing; the rest is about values, or the whole file (`dev/lint-truth/Truth.java`).
const IGNORED: [&str; 11] = [
    "unknown",
    "misplaced",
    "overruled",
    "shadowed",
    "not-enabled",
    "broker-setting",
    "topic-setting",
    "other-version",
    "unknown-alias",
    "self-flow",
    "space-in-key",
];

/// `dev/lint-truth.sh` has seen what each key of these files does, with Kafka's own classes.
#[test]
fn what_kafkas_own_classes_do_with_each_key() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("dev/lint-truth");
    let truth = fs::read_to_string(dir.join("truth.txt")).unwrap();
    let mut findings = Vec::new();
    let (mut heading, mut files) = ("", BTreeSet::new());
    for line in truth.lines() {
        if let Some(next) = line.strip_prefix("# ") {
            heading = next;
            let (version, file) = heading.split_once(' ').unwrap();
            let text = fs::read_to_string(dir.join("samples").join(file)).unwrap();
            findings = lint(
                &text,
                Some(Generation::of(&Version::parse(version).unwrap())),
            );
            files.insert(file.to_owned());
            continue;
        }
        let (key, effect) = line.split_once('\t').unwrap();
        let effect = effect.strip_prefix("overridden, ").unwrap_or(effect);
        let mut kinds = findings.iter().filter(|finding| finding.key == key);
        let said = kinds.find_map(|finding| match finding.problem.kind() {
            "partly" => Some("partly"),
            kind => IGNORED.contains(&kind).then_some("ignored"),
        });
        assert_eq!(said.unwrap_or("read"), effect, "{heading}: {key}");
    }
    let samples = fs::read_dir(dir.join("samples")).unwrap();
    let samples = samples.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(
        samples.collect::<BTreeSet<_>>(),
        files,
        "run dev/lint-truth.sh"
    );
}

#[test]
fn the_settings_of_one_kafka() {
    let kmk = with(format!("{GOOD}topics.blacklist = x"));
    for right in ["--kafka-version 3.9.2", "--kafka-version 3.7"] {
        kmk.run(&format!("lint {right} mm2.properties")).code(0);
    }
    kmk.run("lint --kafka-version 4.2.0 mm2.properties")
        .code(1)
        .stdout(
            "mm2.properties:5: topics.blacklist: removed in Kafka 4, which ignores it: use `topics.exclude`\n",
        );
    let kmk = with(format!("{GOOD}use.incremental.alter.configs = never"));
    kmk.run("lint mm2.properties").code(0);
    kmk.run("lint --kafka-version 4.2.0 mm2.properties")
        .code(1)
        .stdout("mm2.properties:5: use.incremental.alter.configs: ignored: of the versions known to kmk only 3.9.2 has it\n");
    kmk.run("lint --kafka-version four mm2.properties")
        .code(2)
        .stdout("")
        .stderr_has("must be a version of Kafka, such as 3.9.2 or 4.2");
}

#[test]
fn for_scripts() {
    let kmk = with(format!("{GOOD}linger.ms = 5"));
    let expected = indoc! {r#"
        {
          "file": "mm2.properties",
          "settings": 5,
          "findings": [
            {
              "file": "mm2.properties",
              "line": 5,
              "key": "linger.ms",
              "problem": "misplaced",
              "text": "ignored here; it is read as `secondary.producer.linger.ms`",
              "instead": [
                "secondary.producer.linger.ms"
              ]
            }
          ]
        }
    "#};
    kmk.run("lint --json mm2.properties")
        .code(1)
        .stdout(expected);
}

#[test]
fn standard_input() {
    let kmk = with(GOOD).shell("exec < mm2.properties");
    kmk.run("lint -")
        .code(0)
        .stdout("")
        .stderr("-: 4 settings, and MirrorMaker reads all of them\n");
    with("")
        .run("lint -")
        .code(2)
        .stderr_has("error: - has no settings\n");
}

#[test]
fn bytes_that_are_no_utf_8_are_taken_as_java_takes_them() {
    with([GOOD.as_bytes(), b"# \xe4\ntopics = \xe4"].concat())
        .run("lint mm2.properties")
        .code(0);
}

#[test]
fn files_that_are_none() {
    with("# nothing\n")
        .run("lint mm2.properties")
        .code(2)
        .stdout("")
        .stderr_has("error: mm2.properties has no settings\n");
    with(vec![b'a'; 10_000_000])
        .run("lint mm2.properties")
        .code(2)
        .stdout("")
        .stderr(
            "error: mm2.properties is larger than 1 MiB: not a properties file of MirrorMaker\n",
        );
    with("")
        .run("lint missing.properties")
        .code(2)
        .stdout("")
        .stderr_has("error: cannot read missing.properties\n");
    with("")
        .run("lint .")
        .code(2)
        .stdout("")
        .stderr_has("error: cannot read .\n");
    with("").run("lint").code(2).stdout("");
}

#[test]
fn what_kmk_renders_passes() {
    let kmk = Kmk::new();
    kmk.run("deploy --dry-run").code(0);
    kmk.run("lint kmk-lab/mm2.properties").code(0).stdout("");
}

/// Two to four clusters, and flows between some of them.
fn spec() -> impl Strategy<Value = Spec> {
    let flow = (
        any::<bool>(),
        prop::collection::vec(r"[a-z#!\\.* ]{1,6}", 0..3),
    );
    (2usize..5)
        .prop_flat_map(move |clusters| {
            let pairs = prop::collection::vec(prop::option::of(flow.clone()), clusters * clusters);
            (prop::collection::vec(1u16..4, clusters), pairs)
        })
        .prop_map(|(brokers, flows)| {
            let name = |index: usize| ["one", "two-2", "topics", "b"][index].to_owned();
            let clusters: Vec<ClusterSpec> = (0..)
                .zip(&brokers)
                .map(|(index, brokers)| ClusterSpec {
                    brokers: *brokers,
                    ..ClusterSpec::new(&name(index))
                })
                .collect();
            let flows = flows.into_iter().enumerate().filter_map(|(index, flow)| {
                let (source, target) = (index / brokers.len(), index % brokers.len());
                let (same, topics) = flow.filter(|_| source != target)?;
                Some(FlowSpec {
                    topics: topics.clone(),
                    exclude: topics,
                    naming: if same { Naming::Same } else { Naming::Prefix },
                    ..FlowSpec::new(&name(source), &name(target))
                })
            });
            Spec {
                flows: flows.collect(),
                clusters,
                ..scenario::dr("demo")
            }
        })
        .prop_filter("a flow", |spec| !spec.flows.is_empty())
}

proptest! {
    #[test]
    fn every_key_that_is_rendered_is_read(spec in spec()) {
        let text = config::render(&Topology::new(&spec));
        for kafka in [None, Some(Generation::Three), Some(Generation::Four)] {
            let findings = lint(&text, kafka);
            // names and patterns here are of any kind
            let is_key = |f: &&Finding| !matches!(
                f.problem,
                Problem::Comment
                    | Problem::EmptyEntry(_)
                    | Problem::Pattern { .. }
                    | Problem::Repeated { .. }
                    | Problem::Ring { .. }
            );
            let ignored: Vec<&Finding> = findings.iter().filter(is_key).collect();
            prop_assert!(ignored.is_empty(), "{ignored:#?}");
        }
    }
}
