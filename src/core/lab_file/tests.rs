//! Lab files good and bad, and any text at all.

mod link;

use super::field::{CLUSTER, FLOW, LAB, LINK};
use super::*;
use crate::core::spec::sample::any_spec;
use crate::core::spec::scenario;
use crate::core::spec::{ClusterSpec, DEFAULT_LAB, Spec};
use proptest::prelude::*;
use std::fmt::Write as _;

const TWO: &str = "clusters:\n  - name: a\n  - name: b\nflows:\n  - from: a\n    to: b\n";

#[track_caller]
fn good(text: &str) -> Spec {
    read(text)
        .unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
        .spec
}

/// Each problem as `line:column what`.
#[track_caller]
fn bad(text: &str) -> Vec<String> {
    let problems = read(text).expect_err(text);
    let shown = |problem: &Problem| match problem.place {
        Some(place) => format!("{place} {}", problem.what),
        None => problem.what.to_string(),
    };
    problems.iter().map(shown).collect()
}

#[test]
fn what_init_writes_is_the_default_lab() {
    let spec = scenario::dr(DEFAULT_LAB);
    assert_eq!(good(&write(&spec)), spec);
}

#[test]
fn init_names_every_field_and_its_examples_are_right() {
    let text = write(&scenario::dr(DEFAULT_LAB));
    for table in [&LAB, &CLUSTER, &FLOW] {
        for field in table.fields {
            assert!(text.contains(&format!("{}:", field.name)), "{}", field.name);
            assert!(
                text.contains(&format!("# {}\n", field.about)),
                "{}",
                field.about
            );
        }
    }
    for (table, head) in [
        (&LAB, ""),
        (&CLUSTER, "  - name: z\n    "),
        (&FLOW, "  - from: a\n    to: b\n    "),
    ] {
        let usual = good(&format!("{}{TWO}", ""));
        for field in table
            .fields
            .iter()
            .filter(|field| !field.is_required && !field.example.is_empty())
        {
            let needed = if field.about.starts_with("With `bootstrap`") {
                "bootstrap: h:1\n    "
            } else {
                ""
            };
            let line = format!("{head}{needed}{}: {}\n", field.name, field.example);
            let text = match table.owner {
                "a cluster" => {
                    // a target, as several MirrorMakers need
                    let into = "flows:\n  - from: a\n    to: z\n";
                    TWO.replace("flows:\n", &format!("{line}{into}"))
                }
                "a flow" => format!("{}{line}", &TWO[..TWO.find("  - from").unwrap()]),
                _ => format!("{line}{TWO}"),
            };
            let mut compared = usual.clone();
            if table.owner == "a cluster" {
                let bootstrap = if needed.is_empty() { &[][..] } else { &["h:1"] };
                compared.clusters.push(match bootstrap {
                    [] => ClusterSpec::new("z"),
                    there => ClusterSpec::existing("z", there),
                });
                let flow = crate::core::spec::FlowSpec::new("a", "z");
                compared.flows.insert(0, flow);
            }
            assert_ne!(
                good(&text),
                compared,
                "{} makes no difference:\n{text}",
                field.name
            );
        }
    }
}

#[test]
fn texts_stay_as_they_are_written() {
    let spec = good(
        "lab: no\nkafka: 4.10\nmemory: 1g\nclusters:\n  - name: on\n    settings: {z.z: 1e3, a.b: true, c: 010}\n",
    );
    assert_eq!((spec.lab.as_str(), spec.memory), ("no", Some(1024)));
    assert_eq!(spec.image.as_deref(), Some("apache/kafka:4.10"));
    let settings: Vec<&str> = spec.clusters[0]
        .settings
        .values()
        .map(String::as_str)
        .collect();
    assert_eq!(settings, ["true", "010", "1e3"]);
}

#[test]
fn what_is_no_lab_file_at_all() {
    for (text, expected) in [
        ("", "1:1 the file is empty"),
        ("# nothing\n---\n", "1:1 the file is empty"),
        ("{", "not valid YAML"),
        ("a: b: c\n", "not valid YAML"),
        (
            "clusters:\n\t- name: a\n",
            "2:1 YAML is indented with spaces, and this is a tab",
        ),
        ("hello\n", "1:1 a lab must be a mapping with `lab`, "),
        ("[a]\n", "got a list"),
        ("lab: !x y\nclusters: [{name: a}]", "1:6 tags"),
        (
            "lab: a\nclusters: [{name: a}]\n---\nlab: b\n",
            "4:1 a second document",
        ),
        (
            "? [a]\n: b\nclusters: [{name: a}]",
            "1:3 the key before a `:`",
        ),
    ] {
        let problems = bad(text);
        assert!(
            problems.iter().any(|problem| problem.contains(expected)),
            "{text}: {problems:#?}"
        );
        assert_eq!(problems.len(), 1, "{text}: {problems:#?}");
    }
}

#[test]
fn anchors_do_not_explode_and_depth_ends() {
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..30 {
        let before = format!("*a{}", level - 1);
        let nine = [before.as_str(); 9].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{nine}]");
    }
    let problems = bad(&bomb);
    assert_eq!(
        problems
            .iter()
            .filter(|problem| problem.contains("anchors and aliases"))
            .count(),
        1
    );
    assert!(problems.len() <= 51);
    for opening in ["[", "{a: ", "- ", "? "] {
        let problems = bad(&opening.repeat(60_000));
        assert!(
            problems[0].contains("nested too deeply"),
            "{opening} {problems:#?}"
        );
    }
}

#[test]
fn many_flows_in_a_circle_come_to_an_end() {
    let mut text = "clusters:\n".to_owned();
    for index in 0..100 {
        let _ = writeln!(text, "- name: c{index}");
    }
    text += "flows:\n";
    for index in (0..1000).rev() {
        let (from, to) = (index % 100, (index + 1 + index / 100) % 100);
        let _ = writeln!(text, "- {{from: c{from}, to: c{to}, naming: same}}");
    }
    // one that tried every way through them would run for ever
    assert!(bad(&text).last().unwrap().contains("form a cycle"));
    let more = text.replace("flows:\n", &"- name: x\n".repeat(2));
    assert!(!bad(&more).is_empty());
}

#[test]
fn a_cluster_in_no_flow_and_a_plain_secret_are_warned_of() {
    let text = "clusters:\n  - name: a\n  - name: b\n  - name: c\nflows:\n  - from: a\n    to: b\n    settings:\n      consumer.ssl.key.password: hunter2\n      producer.ssl.key.password: ${env:KEY}\n";
    let reading = read(text).unwrap();
    let shown: Vec<String> = reading
        .warnings
        .iter()
        .map(|w| format!("{} {}", w.place.unwrap(), w.what))
        .collect();
    assert_eq!(shown.len(), 2, "{shown:#?}");
    assert!(shown[0].starts_with("4:11 cluster `c` is in no flow"));
    assert!(shown[1].starts_with("9:7 `consumer.ssl.key.password` looks like a secret"));
}

#[test]
fn a_cluster_that_is_there_already() {
    let spec = good(
        "clusters:\n  - name: a\n    bootstrap: localhost:9092, b.example:9093\n    canary: true\n    properties:\n      sasl.jaas.config: ${env:JAAS}\n  - name: b\n    bootstrap: [c:1]\nflows:\n  - {from: a, to: b}\n",
    );
    let [a, b] = &spec.clusters[..] else {
        panic!("two clusters");
    };
    assert_eq!(a.bootstrap, ["localhost:9092", "b.example:9093"]);
    assert!(a.canary && !b.canary);
    assert_eq!(a.properties["sasl.jaas.config"], "${env:JAAS}");
    assert_eq!(*b, ClusterSpec::existing("b", &["c:1"]));
    let file = "clusters:\n  - name: a\n    bootstrap: h:1\n    properties:\n      sasl.mechanisn: PLAIN\n      consumer.client.id: x\n      security.protocol: SSL\n  - name: b\nflows: [{from: a, to: b}]\n";
    let warnings = read(file).unwrap().warnings;
    let shown: Vec<String> = warnings
        .iter()
        .map(|one| format!("{} {}", one.place.unwrap(), one.what))
        .collect();
    assert_eq!(
        shown,
        [
            "5:7 MirrorMaker would silently ignore `sasl.mechanisn` there; did you mean `sasl.mechanism`?"
        ]
    );
    let file = "clusters:\n  - name: a\n    bootstrap: h:1\n    properties: {ssl.truststore.location: /x, ssl.truststore.password: y}\n  - name: b\nflows: [{from: a, to: b}]\n";
    let warnings = read(file).unwrap().warnings;
    let shown: Vec<String> = warnings.iter().map(|one| one.what.to_string()).collect();
    assert_eq!(shown.len(), 2, "{shown:#?}");
    assert!(shown[0].starts_with("`ssl.truststore.location` names a file"));
    assert!(shown[1].contains("looks like a secret"));
}

#[test]
fn what_is_wrong_with_a_cluster_that_is_there_already_is_told_at_its_place() {
    let text = "clusters:
  - name: a
    bootstrap: [localhost:9092, nowhere]
    brokers: 3
    kafka: 4.2.0
    settings: {a.b: 1}
  - name: b
    properties: {client.id: x}
    canary: true
  - name: c
    bootstrap: 127.0.0.1:9092
    properties: {bootstrap.servers: x}
    canary: \"true\"
  - name: d
    bootstrap: []
    properties: {client.id: x}
flows: [{from: a, to: c}]
";
    let problems = bad(text);
    let expected = [
        "3:33 `nowhere` of cluster `a` is not an address",
        "4:14 cluster `a` is an existing cluster (`bootstrap`): kmk cannot set its `brokers`",
        "5:12 cluster `a` is an existing cluster",
        "6:16 cluster `a` is an existing cluster",
        "8:18 `properties` is only for an existing cluster, and `b` has no `bootstrap`",
        "9:13 `canary` is only for",
        "11:16 clusters `a` and `c` have the same address 127.0.0.1:9092",
        "12:18 setting `bootstrap.servers` is managed by kmk: use `bootstrap` of the cluster instead",
        "13:13 `canary` must be `true` or `false`",
        "15:16 `bootstrap` must be an address",
    ];
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}\n{expected}");
    }
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
}

#[test]
fn every_field_stands_in_the_documentation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/lab-file.md");
    let text = std::fs::read_to_string(path).unwrap();
    for field in [&LAB, &CLUSTER, &FLOW, &LINK]
        .iter()
        .flat_map(|table| table.fields)
    {
        assert!(
            text.contains(&format!("| `{}` |", field.name)),
            "{}",
            field.name
        );
    }
}

#[test]
fn the_schema_that_is_shipped_is_the_one_that_is_printed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/kmk.schema.json");
    if std::env::var_os("KMK_BLESS").is_some() {
        std::fs::write(path, schema()).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap_or_default(),
        schema(),
        "KMK_BLESS=1 updates it"
    );
}

/// Pieces of which files that are nearly right are made.
fn nearly() -> impl Strategy<Value = String> {
    let words = [
        "lab",
        "kafka",
        "image",
        "memory",
        "clusters",
        "flows",
        "name",
        "from",
        "to",
        "settings",
        "tasks.max: ",
        "producer.",
        "offset.",
        "topics",
        "a",
        "b",
        ": ",
        ":\n",
        "\n",
        "\n  ",
        "\n  - ",
        "\n    ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&x ",
        "*x",
        "!t ",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "\t",
        "# ",
        "---\n",
        "...\n",
        "? ",
        "<<: ",
        "%YAML 1.2\n",
        "${env:A}",
        "\u{feff}",
        "\u{85}",
        "\0",
        "9",
        "é",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..60)
        .prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_lab_is_written_and_read_back(spec in any_spec()) {
        prop_assert_eq!(spec.validate(), Ok(()));
        prop_assert_eq!(good(&write(&spec)), spec);
    }

    #[test]
    fn any_text_is_read_to_an_end(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn any_text_that_is_nearly_right_is_read_to_an_end(text in nearly()) {
        if let Err(problems) = read(&text) {
            prop_assert!(!problems.is_empty() && problems.len() <= 51);
        }
    }

    #[test]
    fn a_good_file_with_a_few_bytes_changed_is_read_to_an_end(
        spec in any_spec(), changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<char>()), 1..6)
    ) {
        let mut text: Vec<char> = write(&spec).chars().collect();
        for (at, c) in changes {
            let at = at.index(text.len());
            text[at] = c;
        }
        if let Ok(reading) = read(&text.into_iter().collect::<String>()) {
            prop_assert_eq!(reading.spec.validate(), Ok(()));
        }
    }
}
