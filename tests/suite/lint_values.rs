//! `kmk lint` of values and of how a file is written. Each was given to Kafka's own classes, of 3.9.2 and 4.2.0.

use crate::kmk::Kmk;
use indoc::indoc;
use std::fs;

const GOOD: &str = "\
clusters = a, b
a.bootstrap.servers = a:9092
b.bootstrap.servers = b:9092
a->b.enabled = true
";

fn linted(text: impl AsRef<[u8]>, flags: &str, expected: &str) {
    let kmk = Kmk::new().without_docker();
    fs::write(kmk.work("f"), text).unwrap();
    kmk.run(&format!("lint {flags} f"))
        .code(i32::from(!expected.is_empty()))
        .stdout(expected);
}

/// What is said of lines that stand behind [`GOOD`], whichever Kafka it is.
#[track_caller]
fn says(lines: &str, expected: &str) {
    for flags in ["", "--kafka-version 3.9.2", "--kafka-version 4.2.0"] {
        linted(format!("{GOOD}{lines}"), flags, expected);
    }
}

/// The same, where 3.9 takes what 4.2 refuses.
#[track_caller]
fn says_from_4_on(lines: &str, expected: &str) {
    linted(format!("{GOOD}{lines}"), "--kafka-version 3.9.2", "");
    linted(format!("{GOOD}{lines}"), "", expected);
    linted(format!("{GOOD}{lines}"), "--kafka-version 4.2.0", expected);
}

#[test]
fn what_comes_of_a_value_that_kafka_cannot_read() {
    let lines = indoc! {"
        tasks.max = many
        a->b.emit.checkpoints.enabled = yes
        offset-syncs.topic.location = destination
        b.exactly.once.source.support = true
        b.producer.acks = 5
        a.consumer.isolation.level = READ_COMMITTED
        security.protocol = TLS
        a.consumer.auto.offset.reset = first
        b.producer.compression.type = GZIP
        sync.group.offsets.interval.seconds = half
        b.offset.storage.segment.bytes = 1
    "};
    let expected = indoc! {"
        f:5: tasks.max: `many` is not a number from 1 to 2147483647: MirrorMaker starts, but without its connectors (an earlier configuration stays in use)
        f:6: a->b.emit.checkpoints.enabled: `yes` is not true or false: MirrorMaker starts, but without MirrorCheckpointConnector (an earlier configuration stays in use)
        f:7: offset-syncs.topic.location: `destination` is not one of source, target: MirrorMaker starts, but without MirrorSourceConnector and MirrorCheckpointConnector (an earlier configuration stays in use)
        f:8: b.exactly.once.source.support: `true` is not one of DISABLED, ENABLED, PREPARING (in upper or lower case): MirrorMaker does not start
        f:9: b.producer.acks: `5` is not one of all, -1, 0, 1: MirrorMaker starts, but what uses it fails
        f:10: a.consumer.isolation.level: `READ_COMMITTED` is not one of read_committed, read_uncommitted: MirrorMaker starts, but what uses it fails
        f:11: security.protocol: `TLS` is not one of SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT (in upper or lower case): MirrorMaker does not start
    "};
    let reset = |more: &str| {
        format!(
            "f:12: a.consumer.auto.offset.reset: `first` is not one of latest, earliest, none{more}: MirrorMaker starts, but what uses it fails\n"
        )
    };
    let compression = "f:13: b.producer.compression.type: `GZIP` is not one of none, gzip, snappy, lz4, zstd: MirrorMaker starts, but what uses it fails\n";
    let seconds = "f:14: sync.group.offsets.interval.seconds: `half` is not a number: MirrorMaker starts, but without MirrorCheckpointConnector (an earlier configuration stays in use)\n";
    let bytes = |said: &str| {
        format!(
            "f:15: b.offset.storage.segment.bytes: `1` is not a number from {said} to 2147483647: MirrorMaker starts, but what uses it fails\n"
        )
    };
    let text = format!("{GOOD}{lines}");
    let old = format!(
        "{expected}{}{compression}{seconds}{}",
        reset(""),
        bytes("14")
    );
    linted(&text, "--kafka-version 3.9.2", &old);
    let new = format!(
        "{expected}{}{compression}{seconds}{}",
        reset(", by_duration:*"),
        bytes("1048576")
    );
    linted(&text, "--kafka-version 4.2.0", &new);
    // what either takes is right
    let either = format!(
        "{expected}{}{compression}{seconds}",
        reset(", by_duration:*")
    );
    linted(&text, "", &either);
}

#[test]
fn values_that_only_look_wrong() {
    says(
        indoc! {"
            tasks.max = 4\u{20}
            a->b.emit.checkpoints.enabled = True
            security.protocol = ssl
            a.consumer.isolation.level = read_committed\u{20}
            b.exactly.once.source.support = enabled
            b.producer.acks = -1
            topics = (a,b)
            groups =
            groups.exclude = [\"x]
            offset-syncs.topic.location = ${env:L}
            config.providers = env
            config.providers.env.class = org.apache.kafka.common.config.provider.EnvVarConfigProvider
        "},
        "",
    );
}

#[test]
fn blanks_that_kafka_does_not_take_away() {
    // the worker runs for the heartbeats, and the connectors trim
    says(
        "a->b.topics = x \na->b.emit.heartbeats.enabled = true \n",
        "",
    );
    let good = GOOD.replace("a->b.enabled = true", "a->b.enabled = true ");
    linted(&good, "", "");
    linted(
        format!("{good}a->b.emit.heartbeats.enabled = false\n"),
        "",
        indoc! {"
            f:1: clusters: no flow is enabled: nothing is mirrored; set `source->target.enabled = true`
            f:4: a->b.enabled: the value ends with a space, which is kept: MirrorMaker reads it as false
        "},
    );
    says(
        indoc! {"
            emit.heartbeats.enabled = true\u{20}
            replication.policy.separator = _\u{20}
            config.providers.env.class = E\u{20}
            plugin.discovery = only_scan\u{20}
        "},
        indoc! {"
            f:5: emit.heartbeats.enabled: the value ends with a space, which is kept: MirrorMaker reads it as false
            f:6: replication.policy.separator: the value ends with a space, which is kept: it becomes part of topic names, and Kafka does not allow such names
            f:7: config.providers.env.class: the value ends with a space, which is kept: there is no such class, and MirrorMaker does not start
            f:8: plugin.discovery: the value ends with a space, which is kept: MirrorMaker does not know this value and does not start
        "},
    );
}

#[test]
fn lists_of_patterns() {
    says(
        indoc! {r#"
            topics.exclude = __.*,*.replica
            a->b.groups = (a
            a->b.topics = ".*"
        "#},
        indoc! {r"
            f:5: topics.exclude: `*.replica` is not a valid regular expression: repetition operator missing expression at character 1; a filter is a regular expression: `.*` matches anything; MirrorMaker starts, but what uses it fails
            f:6: a->b.groups: `(a` is not a valid regular expression: unclosed group at character 1; MirrorMaker starts, but what uses it fails
            f:7: a->b.topics: quotes become part of the names or patterns: remove them
        "},
    );
    let own = "topic.filter.class = com.example.Mine\ntopics = *\n";
    says(own, "");
}

#[test]
fn lists_that_kafka_4_has_no_more() {
    let text = format!("{GOOD}topics.blacklist = \"heartbeat,.*internal\"\n");
    let gone =
        "f:5: topics.blacklist: removed in Kafka 4, which ignores it: use `topics.exclude`\n";
    let quoted =
        "f:5: topics.blacklist: quotes become part of the names or patterns: remove them\n";
    linted(&text, "", &format!("{gone}{quoted}"));
    linted(&text, "--kafka-version 3.9.2", quoted);
    linted(&text, "--kafka-version 4.2.0", gone);
}

#[test]
fn entries_that_are_empty_or_there_twice() {
    let without = "MirrorMaker starts, but without MirrorSourceConnector (an earlier configuration stays in use)";
    says_from_4_on(
        "topics = x,\n",
        &format!("f:5: topics: has an empty entry, which Kafka refuses from 4.2 on: {without}\n"),
    );
    says_from_4_on(
        "a->b.topics.exclude = x, y, x\n",
        &format!(
            "f:5: a->b.topics.exclude: has `x` twice, which Kafka refuses from 4.2 on: {without}\n"
        ),
    );
    says(
        "listeners = http://here:80,\n",
        "f:5: listeners: `http://here:80,` is not a list without empty entries: MirrorMaker does not start\n",
    );
    // a worker and a client take an entry once
    says("b.ssl.enabled.protocols = TLSv1.2,TLSv1.2\n", "");
    for flags in ["", "--kafka-version 3.9.2", "--kafka-version 4.2.0"] {
        linted(
            GOOD.replace("a, b", "a, b, a,"),
            flags,
            "f:1: clusters: has an empty name: from Kafka 4.2 on MirrorMaker does not start; earlier versions create flows for a cluster without a name\n",
        );
        linted(GOOD.replace("a, b", "a, b, a"), flags, "");
    }
}

#[test]
fn providers_and_comments() {
    says(
        indoc! {"
            config.providers = env
            topics = ${env:TOPICS}
            a.ssl.key.password = secret # of the keystore
            groups = # none
            topics.exclude = a,\\
              # b,\\
              c
            a->b.topics.exclude = \\u12
            a->b.topics.exclude = x
        "},
        indoc! {r"
            f:6: topics: a reference to `env` is not resolved: `config.providers.env.class` is missing
            f:7: a.ssl.key.password: a value cannot be followed by a comment: everything from `#` on is part of the value
            f:8: groups: a value cannot be followed by a comment: everything from `#` on is part of the value
            f:9: topics.exclude: line 10 looks like a comment but is part of the value: the line before it ends with `\`
            f:12: a->b.topics.exclude: `\u` without four hex digits: Java cannot read the file
        "},
    );
    // a backslash alone joins nothing
    says("\\\n# topics = x\n", "");
}

#[test]
fn characters_that_java_takes_for_others() {
    says(
        "a.ssl.key.password = päss\ntasks.max = 4\u{a0}\na->b.topics\u{a0}= x\n",
        indoc! {r"
            f:5: a.ssl.key.password: Java reads the file as ISO-8859-1, and so `ä` as `Ã¤`: write `\u00e4`
            f:6: tasks.max: has a no-break space (U+00A0), which Java does not treat as a space: use a plain space
            f:7: a->b.topics\u00a0: has a no-break space (U+00A0), which Java does not treat as a space: use a plain space
        "},
    );
    says("a.ssl.key.password = p\\u00e4ss\n# ä\n", "");
    // in ISO-8859-1 it is what Java reads
    let latin = [GOOD.as_bytes(), b"a.ssl.key.password = p\xe4ss\n"].concat();
    linted(latin, "", "");
    linted(
        format!("\u{feff}{GOOD}"),
        "",
        "f:1: clusters: a byte-order mark precedes it, which Java reads as part of the key: save the file without one\n",
    );
    let kmk = Kmk::new().without_docker();
    fs::write(kmk.work("f"), b"\xff\xfec\0l\0").unwrap();
    kmk.run("lint f")
        .code(2)
        .stdout("")
        .stderr_has("error: f is UTF-16, which Java cannot read\n");
}

#[test]
fn several_files() {
    let kmk = Kmk::new().without_docker();
    let good = GOOD
        .replace("a, b", "east, b")
        .replace("a.b", "east.b")
        .replace("a->", "east->");
    fs::write(kmk.work("good"), &good).unwrap();
    fs::write(kmk.work("bad"), good.replace("east->", "eats->")).unwrap();
    let finding =
        "bad:4: eats->b.enabled: ignored: `clusters` does not name `eats`; did you mean `east`?\n";
    let no_flow = "bad:1: clusters: no flow is enabled: nothing is mirrored; set `source->target.enabled = true`\n";
    kmk.run("lint good good")
        .code(0)
        .stdout("")
        .stderr(indoc! {"
        good: 4 settings, and MirrorMaker reads all of them
        good: 4 settings, and MirrorMaker reads all of them
    "});
    kmk.run("lint good bad")
        .code(1)
        .stdout(&format!("{no_flow}{finding}"));
    kmk.run("lint missing bad good")
        .code(2)
        .stdout(&format!("{no_flow}{finding}"))
        .stderr_has("error: cannot read missing\n")
        .stderr_has("good: 4 settings, and MirrorMaker reads all of them\n");
    let json = indoc! {r#"
        [
          {
            "file": "good",
            "settings": 4,
            "findings": []
          },
          {
            "file": "bad",
            "settings": 4,
            "findings": [
              {
                "file": "bad",
                "line": 1,
                "key": "clusters",
                "problem": "no-flow",
                "text": "no flow is enabled: nothing is mirrored; set `source->target.enabled = true`",
                "instead": []
              },
              {
                "file": "bad",
                "line": 4,
                "key": "eats->b.enabled",
                "problem": "unknown-alias",
                "text": "ignored: `clusters` does not name `eats`; did you mean `east`?",
                "instead": [
                  "east->b.enabled"
                ]
              }
            ]
          }
        ]
    "#};
    kmk.run("lint --json good bad").code(1).stdout(json);
}
