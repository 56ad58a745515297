//! Where the time of a start goes, and what is left out of it: of Kafka 3.9 the JVM that formats an empty log directory.

use crate::engine::docker_words;
use crate::lab::Lab;
use serde_json::Value;
use std::collections::BTreeMap;

#[test]
#[ignore = "needs Docker"]
fn every_step_is_timed_and_a_log_directory_is_as_the_images_own_formatter_leaves_it() {
    let lab = Lab::new("start-up");
    let timings = lab.deploy("--timings json").code(0).json();
    is_a_timeline(&timings);
    let again = lab.deploy("--timings json").code(0).json();
    let steps: Vec<&str> = steps(&again)
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["preflight", "canary"], "nothing was made");
    let broker = lab.container("primary");
    let run = |script: &str| docker_words(&["exec", &broker, "bash", "-c", script], b"");
    let formatted = run(
        "sed 's|^log.dirs=.*|log.dirs=/tmp/formatted|' /opt/kafka/config/server.properties >/tmp/formatted.properties; \
         KAFKA_HEAP_OPTS=-Xmx128m /opt/kafka/bin/kafka-storage.sh format --cluster-id=\"$CLUSTER_ID\" -c /tmp/formatted.properties",
    );
    let ids = |directory: &str| {
        let text = run(&format!("cat {directory}/meta.properties"));
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let mut ids: BTreeMap<String, String> = pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        // drawn by lot, for each directory
        let own = ids.insert("directory.id".to_owned(), String::new());
        assert!(own.is_some_and(|id| id.len() == 22), "{text}");
        ids
    };
    assert_eq!(ids("/var/lib/kafka/data/kmk"), ids("/tmp/formatted"));
    let version = |text: &str| {
        let (_, rest) = text.split_once("metadata.version ").expect(text);
        let word = rest.split_whitespace().next().unwrap();
        word.trim_end_matches('.').to_owned()
    };
    let log = docker_words(&["logs", &broker], b"");
    let begun = log
        .lines()
        .find(|line| line.contains("bootstrap record(s)"));
    assert_eq!(version(begun.expect(&log)), version(&formatted));
}

fn steps(timings: &Value) -> impl Iterator<Item = &Value> {
    timings["steps"].as_array().unwrap().iter()
}

/// Every step of every part is there once, and within the whole.
fn is_a_timeline(timings: &Value) {
    let whole = timings["seconds"].as_f64().unwrap();
    let mut found: Vec<(&str, &str)> = Vec::new();
    for step in steps(timings) {
        let service = step["service"].as_str().unwrap_or("-");
        found.push((service, step["step"].as_str().unwrap()));
        let [from, took] = ["from_seconds", "seconds"].map(|key| step[key].as_f64().unwrap());
        assert!(
            from >= 0.0 && took >= 0.0 && from + took < whole + 0.5,
            "{step}"
        );
    }
    found.sort_unstable();
    let mut expected: Vec<(&str, &str)> = ["preflight", "compose", "canary"]
        .map(|step| ("-", step))
        .to_vec();
    for broker in ["primary", "secondary"] {
        expected.extend(["container", "formatter", "broker"].map(|step| (broker, step)));
    }
    let mirror = ["container", "mirror-maker", "connectors"];
    expected.extend(mirror.map(|step| ("mm2-secondary", step)));
    expected.sort_unstable();
    assert_eq!(found, expected);
}
