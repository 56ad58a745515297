//! Topics, as far as they go without a broker.

use crate::docker::Docker;
use crate::flags::refused;
use crate::kmk::Kmk;
use indoc::indoc;

const VERBS: [&str; 5] = ["create", "delete", "alter", "describe", "truncate"];

fn lab() -> Kmk {
    Kmk::on(|kmk| Docker::works().with(&kmk.lab()))
}

/// A line that would do something, if there were a broker.
fn line(verb: &str, topic: &str) -> String {
    let flags = match verb {
        "alter" => " --partitions 2",
        "truncate" => " --before end",
        _ => "",
    };
    format!("topic {verb} {topic}{flags}")
}

#[test]
fn topic_names_that_kafka_refuses() {
    for verb in VERBS {
        for (name, reason) in [
            (".", "a topic cannot be called `.`"),
            ("a/b", "'/' in topic name `a/b`: only letters"),
        ] {
            refused(&[(
                &line(verb, name),
                &format!("error: invalid value '{name}' for '[TOPIC]': {reason}"),
            )]);
        }
        refused(&[(&format!("topic {verb}"), "<TOPIC>")]);
    }
}

#[test]
fn flags_that_make_no_sense() {
    refused(&[
        ("topic", "Usage: kmk topic [OPTIONS] <COMMAND>"),
        ("topic make t", "unrecognized subcommand 'make'"),
        (
            "topic create t --partitions 0",
            "'0' for '--partitions <N>'",
        ),
        (
            "topic create t --partitions -1",
            "'-1' for '--partitions <N>'",
        ),
        ("topic create t --replicas 0", "'0' for '--replicas <N>'"),
        (
            "topic create t --replicas 40000",
            "'40000' for '--replicas <N>'",
        ),
        (
            "topic create t --config retention.ms",
            "write it as NAME=VALUE, such as retention.ms=3600000",
        ),
        ("topic create t --config =1", "write it as NAME=VALUE"),
        (
            "topic alter t",
            "<--partitions <N>|--config <NAME=VALUE>|--unset <NAME>>",
        ),
        ("topic alter t --unset=", "--unset <NAME>"),
        (
            "topic alter t --config a=1 --unset a",
            "`a` cannot be both set and removed",
        ),
        ("topic truncate t", "--before <WHERE>"),
        (
            "topic truncate t --before latest",
            "must be `end`, an offset from 0, a time such as",
        ),
        (
            "topic truncate t --before -5",
            "must be `end`, an offset from 0",
        ),
        (
            "topic truncate t --before 5 --partition -1",
            "'-1' for '--partition <N>'",
        ),
        ("topic describe t --timeout 30", "time unit needed"),
        ("topics --timeout 0s", "it must be longer than zero"),
        ("topics orders", "unexpected argument 'orders'"),
    ]);
    for verb in ["topics".to_owned(), line("describe", "t")] {
        refused(&[
            (
                &format!("{verb} --bootstrap a:1 --cluster primary"),
                "cannot be used with",
            ),
            (&format!("{verb} --bootstrap a"), "`a` is not HOST:PORT"),
        ]);
    }
}

#[test]
fn a_cluster_that_is_not_there() {
    let kmk = lab();
    for line in [
        "topics".to_owned(),
        line("describe", "t"),
        line("delete", "t"),
    ] {
        let ran = kmk
            .run(&format!("{line} --cluster secondry"))
            .code(2)
            .stdout("");
        ran.stderr(indoc! {"
            error: there is no cluster `secondry`
              hint: did you mean `secondary`?
        "});
    }
}

#[test]
fn no_lab() {
    let kmk = Kmk::on(|_| Docker::works());
    for line in ["topics".to_owned(), line("create", "t")] {
        kmk.run(&line).code(3).stdout("").stderr(indoc! {"
            error: there is no lab `demo`
              hint: `kmk deploy` starts it
        "});
    }
}

#[test]
fn brokers_that_cannot_be_reached() {
    let kmk = lab();
    for verb in VERBS {
        let ran = kmk
            .run(&format!("{} --timeout 1s", line(verb, "t")))
            .code(3)
            .stdout("");
        ran.stderr(indoc! {"
            error: no Kafka broker can be reached: 127.0.0.1:$PRIMARY: Connection refused (os error 111)
              hint: `kmk status` shows the lab's health; `kmk deploy` repairs it
        "});
    }
    kmk.run("topics --timeout 1s")
        .code(3)
        .stdout("")
        .stderr_has("error: no Kafka broker can be reached: 127.0.0.1:$PRIMARY");
    kmk.run("topics --cluster secondary --timeout 1s")
        .code(3)
        .stderr_has("127.0.0.1:$SECONDARY");
}

#[test]
fn a_cluster_that_is_no_labs_is_not_explained_with_one() {
    let kmk = Kmk::new();
    for line in [
        "topics".to_owned(),
        line("describe", "t"),
        line("create", "t"),
    ] {
        let ran = kmk
            .run(&format!(
                "{line} --bootstrap 127.0.0.1:$PRIMARY --timeout 1s"
            ))
            .code(3)
            .stdout("")
            .no_calls();
        ran.stderr_has("error: no Kafka broker can be reached: 127.0.0.1:$PRIMARY")
            .stderr_lacks("kmk deploy");
    }
}

#[test]
fn what_is_not_a_persons_own_is_changed_only_by_force() {
    let kmk = lab();
    for verb in ["create", "delete", "alter", "truncate"] {
        let copy = format!("{} --cluster secondary", line(verb, "primary.orders"));
        kmk.run(&copy).code(2).stdout("").stderr(indoc! {"
            error: `primary.orders` on secondary is the mirrored topic of `orders` on primary: MirrorMaker writes to it, and keeps it as its source is
              hint: change `orders` with --cluster primary, or use --force
        "});
        for (topic, cluster) in [
            ("__consumer_offsets", "primary"),
            ("mm2-offsets.primary.internal", "secondary"),
        ] {
            let internal = format!("{} --cluster {cluster}", line(verb, topic));
            kmk.run(&internal).code(2).stdout("").stderr(&format!(
                "error: topic name `{topic}` is reserved for Kafka, MirrorMaker or kmk\n  hint: choose another topic, or use --force\n"
            ));
        }
        // whoever insists gets as far as the broker
        kmk.run(&format!("{copy} --force --timeout 1s"))
            .code(3)
            .stderr_has("no Kafka broker can be reached: 127.0.0.1:$SECONDARY");
    }
    kmk.run("produce mm2-offsets.primary.internal --cluster secondary --key k --value v")
        .code(2)
        .stdout("")
        .stderr_has("error: topic name `mm2-offsets.primary.internal` is reserved for Kafka, MirrorMaker or kmk\n");
    kmk.run(
        "produce mm2-offsets.primary.internal --cluster secondary --value v --force --timeout 1s",
    )
    .code(3)
    .stderr_has("no Kafka broker can be reached");
    // heartbeats of no cluster of the lab are a person's
    kmk.run("topic create team.heartbeats --timeout 1s")
        .code(3)
        .stderr_has("no Kafka broker can be reached");
    kmk.run("topic create primary.heartbeats")
        .code(2)
        .stderr_has("is reserved for Kafka, MirrorMaker or kmk");
    // to look at is free
    kmk.run("topic describe primary.orders --cluster secondary --timeout 1s")
        .code(3)
        .stderr_has("no Kafka broker can be reached");
}
