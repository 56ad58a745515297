//! A lab that a file describes, on real Kafka: what the file says is what runs, and a change touches only what it must.

use crate::engine::docker_words;
use crate::kcat::CROSSING;
use crate::lab::{Lab, kafka_tool};
use crate::process::Ran;
use kafka_mirror_kit::core::compose::{self, ClassCache, Delivery};
use kafka_mirror_kit::core::lab_file;
use kafka_mirror_kit::core::mirrormaker::config;
use kafka_mirror_kit::core::spec::{ClusterSpec, FlowSpec, Naming, Piece, Spec, names_in, pieces};
use kafka_mirror_kit::core::topology::Topology;
use proptest::prelude::*;
use proptest::string::string_regex;
use proptest::test_runner::{Config, TestRunner};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

const SECRET: &str = "swordfish-4711";

fn text(ports: [u16; 2]) -> String {
    let [east, west] = ports;
    format!(
        "memory: 200m
clusters:
  - name: east
    port: {east}
    settings:
      log.retention.ms: 7200000
      log.segment.bytes: ${{env:KMK_E2E_SEGMENT}}
  - name: west
    port: {west}
flows:
  - from: east
    to: west
    topics: ['orders.*']
    settings:
      sync.topic.configs.enabled: false
      offset-syncs.topic.location: ${{env:KMK_E2E_WHERE}}
      consumer.ssl.keystore.password: ${{env:KMK_E2E_SECRET}}
"
    )
}

/// `kmk` with a line, and the variables that the file refers to.
fn kmk(lab: &Lab, line: &str) -> Ran {
    let mut command = lab.command(line);
    command
        .env("KMK_E2E_SEGMENT", "1048576")
        .env("KMK_E2E_WHERE", "target")
        .env("KMK_E2E_SECRET", SECRET);
    Ran::of(&mut command, b"")
}

fn setting(lab: &Lab, cluster: &str, key: &str) -> String {
    let line =
        "--bootstrap-server localhost:9092 --describe --all --entity-type brokers --entity-name 1";
    let said = kafka_tool(&lab.container(cluster), "kafka-configs.sh", line, b"");
    let found = said
        .split_whitespace()
        .find_map(|word| word.strip_prefix(&format!("{key}=")));
    found
        .unwrap_or_else(|| panic!("no {key} in {said}"))
        .to_owned()
}

#[test]
#[ignore = "needs Docker"]
fn what_a_file_says_is_what_runs_and_a_change_touches_only_what_it_must() {
    let lab = Lab::new("file");
    let file = lab.home.path().join("kmk.yml");
    fs::write(&file, text(lab.ports)).unwrap();
    lab.kmk("deploy")
        .code(2)
        .says("variable KMK_E2E_SECRET is not set");
    kmk(&lab, "deploy")
        .code(0)
        .says("Using kmk.yml; flags override it.");

    assert_eq!(setting(&lab, "east", "log.retention.ms"), "7200000");
    assert_eq!(setting(&lab, "east", "log.segment.bytes"), "1048576");
    assert_eq!(setting(&lab, "west", "log.segment.bytes"), "1073741824");
    for service in ["east", "west", "mm2-west"] {
        let format = "{{.HostConfig.Memory}} {{json .Config.Env}}";
        let seen = docker_words(
            &["inspect", "--format", format, &lab.container(service)],
            b"",
        );
        assert!(seen.starts_with(&(456 * 1024 * 1024).to_string()), "{seen}");
        assert!(seen.contains("-Xms64m -Xmx200m"), "{seen}");
        // as the documentation says: docker itself keeps the variables of a container
        assert_eq!(seen.contains(SECRET), service == "mm2-west", "{seen}");
    }
    // resolved by MirrorMaker, not by us: the syncs lie at the target
    let topics = |cluster: &str| {
        let line = "--bootstrap-server localhost:9092 --list";
        kafka_tool(&lab.container(cluster), "kafka-topics.sh", line, b"")
    };
    assert!(
        topics("west").contains("mm2-offset-syncs.east.internal"),
        "{}",
        topics("west")
    );
    assert!(!topics("east").contains("mm2-offset-syncs"));
    no_secret_in(&lab);

    let sent: BTreeSet<String> = (0..20).map(|number| format!("record {number}")).collect();
    let lines: Vec<String> = sent.iter().cloned().collect();
    lab.primary().produce("orders", &(lines.join("\n") + "\n"));
    lab.secondary().until_it_has("east.orders", &sent, CROSSING);

    let before = lab.ids();
    kmk(&lab, "deploy")
        .code(0)
        .prints("already runs as requested");
    assert_eq!(lab.ids(), before);
    println!("a flow's setting: MirrorMaker only");
    let changed = text(lab.ports).replace("configs.enabled: false", "configs.enabled: true");
    fs::write(&file, &changed).unwrap();
    kmk(&lab, "deploy").code(0).prints("Recreated: mm2-west.");
    let after = lab.ids();
    assert_eq!(different(&before, &after), ["mm2-west"]);
    println!("a broker's setting: its broker only");
    let changed = changed.replace("7200000", "7300000");
    fs::write(&file, &changed).unwrap();
    kmk(&lab, "deploy").code(0).prints("Recreated: east.");
    assert_eq!(different(&after, &lab.ids()), ["east"]);
    assert_eq!(setting(&lab, "east", "log.retention.ms"), "7300000");
    println!("a flag overrides the file");
    kmk(&lab, "deploy --partitions 4").code(0);
    assert_eq!(setting(&lab, "west", "num.partitions"), "4");
    lab.secondary().until_it_has("east.orders", &sent, CROSSING);
    println!("other clusters are refused, and the way out is named");
    fs::write(&file, changed.replace("flows:", "  - name: third\nflows:")).unwrap();
    kmk(&lab, "deploy")
        .code(2)
        .says("they cannot be changed to east, west, third")
        .says("hint: ");
    println!("the flow is taken out, and MirrorMaker with it");
    fs::write(&file, &changed[..changed.find("flows:").unwrap()]).unwrap();
    kmk(&lab, "deploy").code(0);
    assert_eq!(lab.ids().keys().collect::<Vec<_>>(), ["east", "west"]);
    lab.kmk("destroy").code(0);
    fs::remove_file(&file).unwrap();
    lab.assert_gone();
}

fn different(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let changed = after
        .iter()
        .filter(|(service, id)| before.get(*service) != Some(id));
    changed.map(|(service, _)| service.clone()).collect()
}

/// Neither in the files, nor in a label, nor in what MirrorMaker logs of a setting of the type password.
#[track_caller]
fn no_secret_in(lab: &Lab) {
    for file in ["docker-compose.yml", "mm2.properties"] {
        let text = fs::read_to_string(lab.directory().join(file)).unwrap();
        assert!(!text.contains(SECRET), "{file}");
    }
    let mirror = lab.container("mm2-west");
    let labels = docker_words(
        &["inspect", "--format", "{{json .Config.Labels}}", &mirror],
        b"",
    );
    assert!(labels.contains("kmk.spec") && !labels.contains(SECRET));
    let log = lab.kmk("logs mm2-west").code(0);
    assert!(!log.text().contains(SECRET));
}

fn any_lab() -> impl Strategy<Value = Spec> {
    let value = "[ -~]{0,12}(\\$\\{env:KMK_E2E_[A-Z]{2}\\})?";
    let value = value.prop_filter("no stray reference", |value| pieces(value).is_ok());
    // what a class of one's own would read: all else is Kafka's, and judged
    let settings = |prefix: &str| {
        let key = format!("{prefix}sample(\\.[a-z]{{1,4}}|[-_][0-9]){{0,3}}");
        proptest::collection::btree_map(string_regex(&key).unwrap(), value.clone(), 0..3)
    };
    let cluster = (1u16..=9, 1u32..1000, settings(""));
    let flow = (
        0usize..6,
        0usize..6,
        settings("transforms\\."),
        any::<bool>(),
    );
    let parts = (
        proptest::collection::vec(cluster, 1..6),
        proptest::collection::vec(flow, 0..6),
        proptest::option::of(128u32..4096),
    );
    parts.prop_map(|(clusters, flows, memory)| {
        let count = clusters.len();
        let mut spec = Spec {
            lab: "any".to_owned(),
            image: None,
            memory,
            bind: None,
            clusters: Vec::new(),
            flows: Vec::new(),
        };
        for (index, (brokers, partitions, settings)) in clusters.into_iter().enumerate() {
            spec.clusters.push(ClusterSpec {
                brokers,
                partitions,
                settings,
                ..ClusterSpec::new(&format!("c{index}"))
            });
        }
        let mut seen = BTreeSet::new();
        for (from, to, settings, keeps) in flows {
            let (from, to) = (from % count, to % count);
            if from != to && seen.insert((from, to)) {
                let naming = if keeps { Naming::Same } else { Naming::Prefix };
                let flow = FlowSpec::new(&format!("c{from}"), &format!("c{to}"));
                spec.flows.push(FlowSpec {
                    naming,
                    settings,
                    ..flow
                });
            }
        }
        // names that are kept may lead round
        for index in 0..spec.flows.len() {
            if spec.validate().is_err() {
                spec.flows[index].naming = Naming::Prefix;
            }
        }
        spec
    })
}

#[test]
#[ignore = "needs Docker"]
fn compose_takes_whatever_a_lab_is_rendered_to() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("docker-compose.yml");
    let config = Config {
        cases: 30,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let checked = runner.run(&any_lab(), |spec| {
        prop_assert_eq!(spec.validate(), Ok(()));
        let read = lab_file::read(&lab_file::write(&spec)).unwrap().spec;
        prop_assert_eq!(&read, &spec);
        let topology = Topology::new(&spec);
        let properties = config::render(&topology);
        for (delivery, classes) in [
            (Delivery::Mount("./mm2.properties"), ClassCache::Shared),
            (Delivery::Inline, ClassCache::None),
        ] {
            let compose = compose::render(&topology, delivery, classes, &properties);
            fs::write(&file, compose.text).unwrap();
            let settings = spec.clusters.iter().flat_map(|c| c.settings.values());
            let settings = settings.chain(spec.flows.iter().flat_map(|f| f.settings.values()));
            let names = settings.flat_map(|value| names_in(value));
            let mut command = Command::new("docker");
            command
                .args(["compose", "-f"])
                .arg(&file)
                .args(["config", "--format", "json"]);
            command.envs(names.map(|name| (name, "its$value")));
            let output = command.output().unwrap();
            prop_assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            // what compose makes of it is what was asked for
            let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            if delivery == Delivery::Inline && !topology.mirrors.is_empty() {
                let content = &made["configs"]["mm2-properties"]["content"];
                prop_assert_eq!(
                    content.as_str().unwrap().replace("$$", "$"),
                    properties.as_str()
                );
            }
            for cluster in &topology.clusters {
                let environment = &made["services"][&cluster.brokers[0].service]["environment"];
                for (key, value) in &cluster.settings {
                    let name = key.replace('_', "__").replace('-', "___").replace('.', "_");
                    let found = &environment[format!("KAFKA_{}", name.to_uppercase())];
                    let parts = pieces(value).unwrap();
                    let expected: String = parts
                        .iter()
                        .map(|piece| match piece {
                            Piece::Text(text) => *text,
                            Piece::Variable(_) => "its$value",
                        })
                        .collect();
                    // `config` escapes what it prints, so that it can be read again
                    prop_assert_eq!(
                        found.as_str().unwrap_or_default().replace("$$", "$"),
                        expected
                    );
                }
            }
        }
        Ok(())
    });
    checked.unwrap();
}
