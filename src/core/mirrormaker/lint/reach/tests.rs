//! Keys that win, and keys that nothing reads. What is right stands in `dev/lint-truth/truth.txt`, from Kafka's own classes.

use crate::core::mirrormaker::lint::{Problem, lint};

const START: &str = "clusters = a, b\na.bootstrap.servers = a:9092\nb.bootstrap.servers = b:9092\na->b.enabled = true\n";

/// What is found in a file that begins with [`START`], as "key kind instead".
fn found(rest: &str) -> Vec<String> {
    let findings = lint(&format!("{START}{rest}"), None).into_iter();
    let lines = findings.map(|finding| {
        let instead = match &finding.problem {
            Problem::Shadowed(winners) => winners.join(" and "),
            Problem::NotEnabled(flow) => flow.clone(),
            other => other.instead().join(" or "),
        };
        format!("{} {} {instead}", finding.key, finding.problem.kind())
    });
    lines.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn the_alias_that_topics_are_named_after_is_a_setting() {
    let text = "clusters = source, target\nsource.bootstrap.servers = a:1\ntarget.bootstrap.servers = b:1\n\
        source->target.enabled = true\nsource.cluster.alias =\ntarget.cluster.alias = there\n";
    assert_eq!(lint(text, None), []);
    // as any cluster's, it is none
    assert_eq!(found("a.cluster.alias = x"), ["a.cluster.alias unknown"]);
}

#[test]
fn connects_overrides_reach_its_producer_only() {
    assert_eq!(
        found("a->b.consumer.override.max.poll.records = 5"),
        ["a->b.consumer.override.max.poll.records misplaced a.consumer.max.poll.records"]
    );
    assert_eq!(
        found("a->b.admin.override.request.timeout.ms = 5"),
        ["a->b.admin.override.request.timeout.ms misplaced b.admin.request.timeout.ms"]
    );
    assert_eq!(found("a->b.producer.override.batch.size = 5"), [""; 0]);
    // with exactly-once, Connect reads its own offsets
    assert_eq!(
        found(
            "b.exactly.once.source.support = enabled\na->b.consumer.override.max.poll.records = 5"
        ),
        ["a->b.consumer.override.max.poll.records partly a.consumer.max.poll.records"]
    );
}

#[test]
fn a_cluster_wins_over_its_flow() {
    assert_eq!(
        found("a.consumer.max.poll.records = 5\na->b.consumer.max.poll.records = 6"),
        ["a->b.consumer.max.poll.records partly a.consumer.max.poll.records"]
    );
    for client in ["consumer", "producer", "admin", "source.cluster"] {
        let key = format!("a->b.{client}.bootstrap.servers");
        let lines = found(&format!("{key} = x:1"));
        assert_eq!(lines.len(), 1, "{key}: {lines:?}");
        assert!(
            lines[0].starts_with(&format!("{key} shadowed ")),
            "{lines:?}"
        );
        assert!(lines[0].contains("a.bootstrap.servers"), "{lines:?}");
    }
    for key in [
        "source.consumer",
        "source.producer",
        "source.admin",
        "target.admin",
    ] {
        assert_eq!(
            found(&format!("a->b.{key}.bootstrap.servers = x:1")),
            [""; 0]
        );
    }
    assert_eq!(found("a->b.source.cluster.ssl.protocol = TLSv1.2"), [""; 0]);
    assert_eq!(
        found("offset.storage.replication.factor = 1\nb.offset.storage.replication.factor = 2"),
        ["b.offset.storage.replication.factor shadowed offset.storage.replication.factor"]
    );
}

#[test]
fn an_old_name_loses_to_the_new_one_wherever_it_stands() {
    for (old, new) in [
        ("topics.blacklist", "topics.exclude"),
        ("a->b.topics.blacklist", "topics.exclude"),
        ("a->b.topics.blacklist", "a->b.topics.exclude"),
    ] {
        let text = format!("{old} = x\n{new} = y");
        assert_eq!(found(&text), [format!("{old} shadowed {new}")]);
    }
    // alone it counts, before Kafka 4
    assert_eq!(
        found("topics.blacklist = x"),
        ["topics.blacklist other-version topics.exclude"]
    );
}

#[test]
fn what_is_said_for_all_may_be_said_otherwise_for_one() {
    for text in [
        "topics = x\na->b.topics = y",
        "b.producer.linger.ms = 5\na->b.producer.override.linger.ms = 6",
        "a.consumer.max.poll.records = 5\na->b.source.consumer.max.poll.records = 6",
        "security.protocol = SSL\na.security.protocol = PLAINTEXT\nb.security.protocol = PLAINTEXT",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

#[test]
fn a_value_counts_for_whoever_reads_it() {
    let key = "b->a.producer.override.linger.ms";
    let expected = [format!("{key} partly"), format!("{key} value")];
    assert_eq!(found(&format!("{key} = soon")), expected);
    // nobody looks at it
    let key = "b->a.producer.linger.ms";
    let expected = [format!("{key} not-enabled b->a")];
    assert_eq!(found(&format!("{key} = soon")), expected);
}

#[test]
fn a_flow_that_is_not_enabled_only_emits_heartbeats() {
    for key in [
        "topics",
        "sync.topic.acls.enabled",
        "consumer.max.poll.records",
    ] {
        let line = format!("b->a.{key} not-enabled b->a");
        assert_eq!(found(&format!("b->a.{key} = 1")).last(), Some(&line));
    }
    assert_eq!(found("b->a.emit.heartbeats.interval.seconds = 5"), [""; 0]);
    assert_eq!(
        found("b->a.producer.override.linger.ms = 5"),
        ["b->a.producer.override.linger.ms partly"]
    );
    let off = "b->a.emit.heartbeats.enabled = false\nb->a.emit.heartbeats.interval.seconds = 5";
    assert_eq!(
        found(off),
        ["b->a.emit.heartbeats.interval.seconds not-enabled b->a"]
    );
}

#[test]
fn offset_syncs_are_written_where_they_are_said_to_be() {
    let key = "a->b.target.producer.linger.ms";
    let here = "a->b.source.producer.linger.ms";
    let other = |key: &str, kind: &str| vec![format!("{key} {kind} b.producer.linger.ms")];
    assert_eq!(found(&format!("{key} = 5")), other(key, "misplaced"));
    assert_eq!(found(&format!("{here} = 5")), other(here, "partly"));
    let there = "a->b.offset-syncs.topic.location = target";
    assert_eq!(found(&format!("{there}\n{key} = 5")), other(key, "partly"));
    assert_eq!(
        found(&format!("{there}\n{here} = 5")),
        other(here, "misplaced")
    );
    assert_eq!(
        found("a->b.target.consumer.max.poll.records = 5"),
        ["a->b.target.consumer.max.poll.records partly a.consumer.max.poll.records"]
    );
}

#[test]
fn where_no_flow_is_enabled_that_is_all_that_is_wrong() {
    let rest = "source.consumer.max.poll.records = 5\nsource.consumer.isolation.level = read_committed\n\
        target.producer.linger.ms = 5\nsource->target.topics = x\n";
    let start = "clusters = source, target\nsource.bootstrap.servers = a:1\ntarget.bootstrap.servers = b:1\n";
    let kinds = |more: &str| -> Vec<&str> {
        let findings = lint(&format!("{start}{rest}{more}"), None);
        findings
            .iter()
            .map(|finding| finding.problem.kind())
            .collect()
    };
    assert_eq!(kinds(""), ["no-flow"]);
    assert_eq!(kinds("source->target.enabled = true"), [""; 0]);
    // `enabled` of all starts no worker; heartbeats do
    assert_eq!(kinds("enabled = true"), [""; 0]);
    assert_eq!(
        kinds("enabled = true\nemit.heartbeats.enabled = false"),
        ["no-flow"]
    );
}
