//! Whole files, judged.

use super::*;
use proptest::prelude::*;

const START: &str = "clusters = a, b\na.bootstrap.servers = a:9092\nb.bootstrap.servers = b:9092\na->b.enabled = true\n";

/// Findings of a file that begins with [`START`], as "line kind instead".
fn found(rest: &str) -> Vec<String> {
    let findings = lint(&format!("{START}{rest}"), None);
    let lines = findings.iter().map(|finding| {
        let instead = finding.problem.instead().join(" or ");
        format!("{} {} {instead}", finding.line, finding.problem.kind())
            .trim()
            .to_owned()
    });
    lines.collect()
}

#[test]
fn a_file_without_a_fault() {
    assert_eq!(found(""), [""; 0]);
    assert_eq!(
        found("b.offset.flush.interval.ms = 1000\n a.consumer.max.poll.records: 5"),
        [""; 0]
    );
}

#[test]
fn names_that_clusters_does_not_have() {
    assert_eq!(found("c.bootstrap.servers = c:9092"), ["5 unknown-alias"]);
    assert_eq!(found("a->c.enabled = true"), ["5 unknown-alias"]);
    assert_eq!(found("a->a.enabled = true"), ["5 self-flow"]);
    assert_eq!(found("a -> b.topics = x"), ["5 space-in-key"]);
    let findings = lint(
        "clusters = us-west, us-east\nus-west.bootstrap.servers = x:1\nus-east.bootstrap.servers = y:1\nus-west->us-east.enabled = true\nus-west->us.east.topics = foo",
        None,
    );
    let expected = Problem::UnknownAlias {
        name: "us.east".to_owned(),
        nearest: Some("us-east".to_owned()),
        instead: vec!["us-west->us-east.topics".to_owned()],
    };
    assert_eq!(findings[0].problem, expected);
    assert_eq!(findings.len(), 1);
}

#[test]
fn where_a_misplaced_key_belongs() {
    assert_eq!(
        found("offset.flush.interval.ms = 1"),
        ["5 misplaced b.offset.flush.interval.ms"]
    );
    assert_eq!(
        found("a->b.offset.flush.interval.ms = 1"),
        ["5 misplaced b.offset.flush.interval.ms"]
    );
    assert_eq!(
        found("consumer.fetch.max.wait.ms = 1"),
        ["5 misplaced a.consumer.fetch.max.wait.ms"]
    );
    assert_eq!(
        found("a->b.producer.linger.ms = 1"),
        ["5 partly b.producer.linger.ms"]
    );
    assert_eq!(found("b.topics = x"), ["5 misplaced a->b.topics or topics"]);
    assert_eq!(
        found("a->b.emit.heartbeats = false"),
        ["5 unknown a->b.emit.heartbeats.enabled"]
    );
}

#[test]
fn a_worker_runs_for_every_pair_that_beats() {
    let key = "a.offset.flush.interval.ms = 1";
    assert_eq!(found(key), [""; 0]);
    let off = format!("b->a.emit.heartbeats.enabled = false\n{key}");
    assert_eq!(found(&off), ["6 misplaced b.offset.flush.interval.ms"]);
    let all_off = format!("emit.heartbeats.enabled = false\n{key}");
    assert_eq!(found(&all_off), ["6 misplaced b.offset.flush.interval.ms"]);
}

#[test]
fn values_and_what_stands_behind_them() {
    assert_eq!(found("a->b.sync.group.offsets.enabled = yes"), ["5 value"]);
    assert_eq!(found("offset.lag.max = ${env:LAG}"), ["5 no-provider"]);
    assert_eq!(
        found(
            "config.providers = env\nconfig.providers.env.class = E\noffset.lag.max = ${env:LAG}"
        ),
        [""; 0]
    );
    assert_eq!(found("a->b.topics = x # all"), ["5 comment"]);
    assert_eq!(found("a->b.topics = \\u12"), ["5 malformed"]);
    assert_eq!(found("topics = x\ntopics = y"), ["5 duplicate-key"]);
}

#[test]
fn what_the_whole_file_lacks() {
    let kinds =
        |text: &str| -> Vec<&str> { lint(text, None).iter().map(|f| f.problem.kind()).collect() };
    assert_eq!(kinds("topics = x"), ["no-clusters"]);
    assert_eq!(
        kinds("clusters = a, b\na->b.enabled = true"),
        ["no-bootstrap"; 2]
    );
    assert_eq!(
        kinds("clusters = a, b\nbootstrap.servers = x:1"),
        ["no-flow"]
    );
}

#[test]
fn rings_of_flows_that_mirrormaker_does_not_stop() {
    const SAME: &str =
        "replication.policy.class = org.apache.kafka.connect.mirror.IdentityReplicationPolicy";
    let back = "b->a.enabled = true";
    assert_eq!(found(back), [""; 0]);
    assert_eq!(found(&format!("{back}\n{SAME}")), ["4 cycle"]);
    assert_eq!(found(&format!("{back}\nb->a.{SAME}")), ["4 cycle"]);
    assert_eq!(found(&format!("{back}\na->b.{SAME}")), ["4 cycle"]);
    let findings = lint(&format!("{START}{back}\na->b.{SAME}"), None);
    let expected = Problem::Ring {
        flows: vec!["a->b".to_owned(), "b->a".to_owned()],
        grows: Some("b.b.b.TOPIC".to_owned()),
    };
    assert_eq!(findings[0].problem, expected);
    for stopped in [
        "a->b.topics = orders",
        r"a->b.topics.exclude = a\\..*",
        "b->a.topics = payments",
        // who knows what they do
        "topic.filter.class = com.example.Mine",
        "a->b.topics = ${env:TOPICS}\nconfig.providers = env",
        "a->b.enabled = false",
    ] {
        let text = format!("{back}\nb->a.{SAME}\n{stopped}");
        let kinds = found(&text);
        assert!(
            !kinds.iter().any(|kind| kind.ends_with("cycle")),
            "{text}: {kinds:?}"
        );
    }
    // a policy of one's own may stop what it likes
    let own = format!("{back}\nreplication.policy.class = com.example.Mine");
    assert_eq!(found(&own), [""; 0]);
    let separators = format!("{back}\na->b.replication.policy.separator = _");
    assert_eq!(found(&separators), ["4 cycle"]);
    let all = format!("enabled = true\n{SAME}\nb->a.enabled = false");
    assert_eq!(found(&all), [""; 0]);
    let all = lint(
        &format!(
            "clusters = a, b\na.bootstrap.servers = a:1\nb.bootstrap.servers = b:1\n{SAME}\nenabled = true"
        ),
        None,
    );
    assert_eq!(
        (all.len(), all[0].line, all[0].key.as_str()),
        (1, 5, "enabled")
    );
}

#[test]
fn one_cluster_under_two_names() {
    let at = |address: &str| found(&format!("b.bootstrap.servers = {address}"));
    assert_eq!(at("x:9092, A:9092"), ["3 duplicate-key", "5 same-cluster"]);
    assert_eq!(at("x:9092,a:9093"), ["3 duplicate-key"]);
    let usual = lint(
        "clusters = a, b\nbootstrap.servers = x:1\na->b.enabled = true",
        None,
    );
    assert_eq!((usual.len(), usual[0].line), (1, 2));
    assert_eq!(usual[0].problem.kind(), "same-cluster");
}

#[test]
fn settings_of_classes_that_are_not_kafkas() {
    assert_eq!(found("a->b.zzz = 1"), ["5 unknown"]);
    assert_eq!(
        found("replication.policy.class = com.example.Mine\na->b.zzz = 1"),
        [""; 0]
    );
}

#[test]
fn settings_that_are_not_mirrormakers() {
    for key in [
        "log.retention.hours",
        "b.num.partitions",
        "a->b.offsets.topic.num.partitions",
    ] {
        assert_eq!(found(&format!("{key} = 5")), ["5 broker-setting"], "{key}");
    }
    assert_eq!(
        found("heartbeats.topic.retention.ms = 5"),
        ["5 topic-setting"]
    );
}

#[test]
fn only_one_kafka_has_it() {
    let text = format!("{START}a->b.use.incremental.alter.configs = never");
    assert_eq!(lint(&text, Some(Generation::Three)), []);
    assert_eq!(lint(&text, None), []);
    let problem = &lint(&text, Some(Generation::Four))[0].problem;
    assert_eq!(*problem, Problem::OnlyIn(Generation::Three));
    let renamed = found("a->b.topics.blacklist = x");
    assert_eq!(renamed, ["5 other-version a->b.topics.exclude"]);
}

#[test]
fn the_longest_file_is_given_up_soon() {
    let lines: Vec<String> = (0..50_000)
        .map(|n| format!("offsett.flush.interval.{n} = 1"))
        .collect();
    let text = lines.join("\n");
    let findings = lint(&text, None);
    assert_eq!(findings.last().unwrap().problem, Problem::TooMany);
    assert_eq!(findings.len(), MOST + 1);
}

#[test]
fn the_files_of_kafkas_documentation() {
    // ops.html, "Geo-Replication", 3.9
    let text = "clusters = us-west, us-east   # defines cluster aliases\n\
        us-west.bootstrap.servers = broker3-west:9092\n\
        us-east.bootstrap.servers = broker5-east:9092\n\
        topics = .*   # all topics to be replicated by default\n\
        us-west->us-east.enabled = true\n\
        us-west->us.east.topics = foo.*, bar.*  # override the default above\n\
        us-west.offset.storage.topic = my-mirrormaker-offsets\n\
        us-west.consumer.isolation.level = read_committed\n\
        us-west.admin.bootstrap.servers = broker57-primary:9092\n\
        us-east.producer.compression.type = gzip\n\
        us-east.exactly.once.source.support = enabled\n\
        dedicated.mode.enable.internal.rest = true\n\
        listeners = http://localhost:8080\n\
        us-west->us-east.emit.heartbeats = false\n\
        us-east.ssl.truststore.location=/path/to/truststore.jks\n";
    let findings = lint(text, None);
    let kinds: Vec<(usize, &str)> = findings
        .iter()
        .map(|f| (f.line, f.problem.kind()))
        .collect();
    let expected = [
        (1, "comment"),
        (4, "comment"),
        (6, "unknown-alias"),
        (14, "unknown"),
    ];
    assert_eq!(kinds, expected, "{findings:#?}");
}

proptest! {
    #[test]
    fn no_file_is_too_odd(text in any::<String>(), keys in prop::collection::vec("[ab>.\\-=]{1,12}", 0..9)) {
        lint(&text, None);
        let text = format!("{START}{}", keys.join("\n"));
        let last = text.lines().count();
        prop_assert!(lint(&text, None).iter().all(|finding| (1..=last).contains(&finding.line)));
    }
}
