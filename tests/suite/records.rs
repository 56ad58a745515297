//! Produce and consume, as far as they go without a broker.

use crate::docker::Docker;
use crate::flags::refused;
use crate::kmk::Kmk;
use indoc::indoc;

fn lab() -> Kmk {
    Kmk::on(|kmk| Docker::works().with(&kmk.lab()))
}

#[test]
fn topic_names_that_kafka_refuses() {
    let kmk = Kmk::new();
    let long = "a".repeat(250);
    for verb in ["produce", "consume"] {
        for (name, reason) in [
            ("", "a topic's name cannot be empty"),
            (".", "a topic cannot be called `.`"),
            ("..", "a topic cannot be called `..`"),
            (
                "a b",
                "' ' in topic name `a b`: only letters a-z and A-Z, digits, `.`, `_` and `-` are allowed",
            ),
            ("a/b", "'/' in topic name `a/b`: only "),
            ("größe", "'ö' in topic name `größe`: only "),
            (
                &long,
                "a topic's name has at most 249 characters; this one has 250",
            ),
        ] {
            let ran = kmk
                .run_words([verb, &format!("--topic={name}")])
                .code(2)
                .stdout("")
                .no_calls();
            ran.stderr_has(&format!(
                "error: invalid value '{name}' for '--topic <TOPIC>': {reason}"
            ));
        }
        kmk.run(verb).code(2).stderr_has("<TOPIC>").no_calls();
    }
}

#[test]
fn how_many() {
    for verb in ["produce", "consume"] {
        for number in ["0", "-3", "-1k", "x", "1.5", "1,000", "2e12"] {
            let line = format!("{verb} --topic t --messages {number}");
            let part = format!(
                "invalid value '{number}' for '--messages <N>': must be a number from 1 to 1000000000000"
            );
            refused(&[(&line, &part)]);
        }
    }
}

#[test]
fn numbers_in_their_usual_spellings() {
    let kmk = Kmk::new();
    for flags in [
        "produce --topic t --size 10MB --rate 1.5k/s --messages 1e6",
        "produce --topic t --size 10MiB --rate 10k --messages 1_000_000",
        "consume --topic t --messages 1M --from 1e3",
        "verify --messages 10k --size 10kB --rate 1e3/s",
        "lag --max 1k",
        "logs --tail 1k",
    ] {
        // only the lab is missing
        kmk.run(flags).code(3).stderr_has("there is no lab `demo`");
    }
}

#[test]
fn flags_of_produce() {
    refused(&[
        (
            "produce --topic t --value x --file f",
            "'--value <TEXT>' cannot be used with '--file <FILE>'",
        ),
        (
            "produce --topic t --size 200 --file f",
            "'--size <BYTES>' cannot be used with",
        ),
        (
            "produce --topic t --size 200 --value x",
            "'--size <BYTES>' cannot be used with",
        ),
        (
            "produce --topic t --size 3",
            "invalid value '3' for '--size <BYTES>'",
        ),
        (
            "produce --topic t --size -3",
            "invalid value '-3' for '--size <BYTES>'",
        ),
        (
            "produce --topic t --key-separator ,",
            "--key-separator needs lines, but stdin is empty",
        ),
        (
            "produce --topic t --key k --key-separator , --file f",
            "'--key <TEXT>' cannot be used with '--key-separator <TEXT>'",
        ),
        (
            "produce --topic t --value v --key-separator ,",
            "cannot be used with",
        ),
        (
            "produce --topic t --size 200 --key-separator ,",
            "cannot be used with",
        ),
        (
            "produce --topic t --rate 0",
            "'0' for '--rate <N[/s]>': must be a number of records per second from 1 to 100000000, such as 500/s or 10k",
        ),
        (
            "produce --topic t --rate -1",
            "'-1' for '--rate <N[/s]>': must be a number of records per second from 1 to 100000000",
        ),
        ("produce --topic t --rate 5/h", "'5/h' for '--rate <N[/s]>'"),
        (
            "produce --topic t --rate -5/s",
            "'-5/s' for '--rate <N[/s]>'",
        ),
        (
            "produce --topic t --size 96MiB",
            "'96MiB' for '--size <BYTES>': must be a size from ",
        ),
        (
            "produce --topic t --size 10XB",
            "10kB, 1MB (10^6) or 1MiB (2^20)",
        ),
        (
            "produce --topic t --partition -1",
            "invalid value '-1' for '--partition <N>'",
        ),
        (
            "produce --topic t --timeout later",
            "invalid value 'later' for '--timeout <TIME>'",
        ),
        (
            "produce --topic t --header =v",
            "must be NAME=VALUE or NAME",
        ),
        (
            "produce --topic t --timestamp soon",
            "must be a time such as 2026-11-22T10:00:00Z or ...+01:00, milliseconds since 1970, or a time ago such as -10m",
        ),
        (
            "produce --topic t --timestamp 1700000000",
            "must be in milliseconds, which makes it 1970-01-20T16:13:20Z; for 2023-11-14T22:13:20Z, write 1700000000000",
        ),
        (
            "produce --topic t --compression brotli",
            "invalid value 'brotli' for '--compression <CODEC>'",
        ),
        (
            "produce --topic t --acks 0",
            "invalid value '0' for '--acks <all|1>'",
        ),
        (
            "produce --topic t --client java",
            "[possible values: auto, kafka, wire]",
        ),
        (
            "produce --topic t --idempotent --acks 1",
            "--idempotent needs --acks all",
        ),
    ]);
}

#[test]
fn a_tombstone_is_a_key_without_a_value() {
    refused(&[
        (
            "produce --topic t --tombstone",
            "required arguments were not provided",
        ),
        ("produce --topic t --tombstone", "--key <TEXT>"),
        (
            "produce --topic t --tombstone --key k --value v",
            "'--tombstone' cannot be used with '--value <TEXT>'",
        ),
        (
            "produce --topic t --tombstone --key k --size 200",
            "'--tombstone' cannot be used with '--size <BYTES>'",
        ),
        (
            "produce --topic t --tombstone --file f --key-separator ,",
            "'--tombstone' cannot be used with '--key-separator <TEXT>'",
        ),
        (
            "produce --topic t --tombstone --file f --key k",
            "--key cannot be used with --tombstone and --file: each line is a key",
        ),
    ]);
}

#[test]
fn headers_times_and_codecs_are_understood() {
    for flags in [
        "--header a=b --header c --timestamp -10m",
        "--timestamp 2026-11-22T10:00:00+01:00 --acks 1",
        "--timestamp 1795341600000 --compression zstd --idempotent",
        "--key k --tombstone --client wire",
    ] {
        lab()
            .run(&format!("produce --topic t --timeout 1s {flags}"))
            .code(3)
            .stderr_has("no Kafka broker can be reached");
    }
}

#[test]
fn flags_of_consume() {
    refused(&[
        (
            "consume --topic t --from never",
            "must be `earliest`, `latest`, an offset from 0, a time such as 2026-11-22T10:00:00Z",
        ),
        ("consume --topic t --from -5", "or a time ago such as -10m"),
        (
            "consume --topic t --until -1",
            "must be a number from 0, such as",
        ),
        (
            "consume --topic t --until 9 --follow",
            "the argument '--until <OFFSET>' cannot be used with '--follow'",
        ),
        (
            "consume --topic t --from 2026-11-22T10:00:00",
            "must be `earliest`, `latest`, an offset from 0, a time such as 2026-11-22T10:00:00Z",
        ),
        (
            "consume --topic t --isolation serializable",
            "[possible values: read_uncommitted, read_committed]",
        ),
        (
            "consume --topic t --client java",
            "[possible values: auto, kafka, wire]",
        ),
        (
            "consume --topic t --format %x",
            "%x is unknown; use %t, %p, %o, %k, %v, %T, %h and %%",
        ),
        (
            "consume --topic t --format yaml",
            "`yaml` is not `value`, `json` or a template",
        ),
        ("consume --topic t --group=", "--group <GROUP>"),
        (
            "consume --topic t --partition x",
            "invalid value 'x' for '--partition <N>'",
        ),
        ("consume --topic t --timeout 30", "time unit needed"),
    ]);
}

#[test]
fn where_reading_begins_may_be_a_time() {
    for from in [
        "-10m",
        "-1h30m",
        "2026-11-22T10:00:00Z",
        "2026-11-22T10:00:00.5+05:30",
        "7",
    ] {
        lab()
            .run(&format!(
                "consume --topic t --cluster primary --timeout 1s --from {from}"
            ))
            .code(3)
            .stderr_has("no Kafka broker can be reached");
    }
}

#[test]
fn addresses() {
    for verb in ["produce", "consume"] {
        for (address, part) in [
            ("x", "`x` is not HOST:PORT"),
            (":1", "`:1` is not HOST:PORT"),
            ("a:b", "`b` in `a:b` is not a port (1 to 65535)"),
            ("a:0", "`0` in `a:0` is not a port (1 to 65535)"),
            ("a:1,b", "`b` is not HOST:PORT"),
        ] {
            refused(&[(&format!("{verb} --topic t --bootstrap {address}"), part)]);
        }
        let line = format!("{verb} --topic t --bootstrap a:1 --cluster primary");
        refused(&[(&line, "cannot be used with")]);
    }
}

#[test]
fn files_that_cannot_be_read() {
    let kmk = lab();
    kmk.run("produce --topic t --file nope")
        .code(2)
        .stdout("")
        .stderr_has("error: cannot read nope: No such file");
    kmk.run("produce --topic t --file $ROOT")
        .code(2)
        .stdout("")
        .stderr_has(": is a directory\n");
}

#[test]
fn clusters_that_are_not_there() {
    let kmk = lab();
    for verb in ["produce", "consume"] {
        kmk.run(&format!("{verb} --topic t --cluster secondry"))
            .code(2)
            .stdout("")
            .stderr(indoc! {"
            error: there is no cluster `secondry`
              hint: did you mean `secondary`?
        "});
    }
}

#[test]
fn a_mirrored_topic_is_mirrormakers_to_write() {
    let ran = lab()
        .run("produce --topic primary.orders --cluster secondary")
        .code(2)
        .stdout("");
    ran.stderr(indoc! {"
        error: `primary.orders` on secondary is the mirrored topic of `orders` on primary: MirrorMaker writes to it, and what you add exists nowhere else
          hint: send to --topic orders --cluster primary, or use --force
    "});
    // and where nothing is mirrored to, the name means nothing
    lab()
        .run("produce --topic primary.orders --cluster primary --timeout 1s")
        .code(3)
        .stderr_has("no Kafka broker can be reached");
}

#[test]
fn brokers_that_cannot_be_reached() {
    for line in [
        "produce --topic t --timeout 1s",
        "consume --topic t --cluster primary --timeout 1s",
    ] {
        lab().run(line).code(3).stdout("").stderr(indoc! {"
            error: no Kafka broker can be reached: 127.0.0.1:$PRIMARY: Connection refused (os error 111)
              hint: `kmk status` shows the lab's health; `kmk deploy` repairs it
        "});
    }
}

#[test]
fn a_cluster_that_is_no_labs_is_not_explained_with_one() {
    let kmk = Kmk::new();
    for verb in ["produce", "consume"] {
        let ran = kmk
            .run(&format!(
                "{verb} --topic t --bootstrap 127.0.0.1:$PRIMARY --timeout 1s"
            ))
            .code(3)
            .stdout("")
            .no_calls();
        ran.stderr_has(
            "error: no Kafka broker can be reached: 127.0.0.1:$PRIMARY: Connection refused",
        )
        .stderr_lacks("kmk deploy");
    }
}

#[test]
fn hints_name_the_lab() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab_named("two")));
    kmk.run("consume --topic t --lab two --timeout 1s")
        .code(3)
        .stderr_has("`kmk status --lab two`");
}
