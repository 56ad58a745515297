//! An empty log directory needs no formatter's JVM up to Kafka 3.9, and is the same as with it.

use crate::engine::docker_words;
use crate::lab::Lab;
use std::collections::BTreeMap;

#[test]
#[ignore = "needs Docker"]
fn a_log_directory_is_as_the_images_own_formatter_leaves_it() {
    let lab = Lab::deployed("formatting", "");
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
