//! Which client speaks when, and what only our own can do: times, headers, nulls, every compression, transactions.

use crate::kcat::Kcat;
use crate::lab::Lab;
use crate::process::{PATIENCE, Running, until};
use kafka_mirror_kit::core::topology::NEXT_KAFKA_VERSION;
use serde_json::Value;
use std::fmt::Write as _;
use std::process::Command;

const KCAT_FORMAT: &str = "%T|%h|%k|%s|%S";

#[test]
#[ignore = "needs Docker"]
fn what_the_crate_cannot_do_our_own_client_does() {
    let lab = Lab::deployed("clients", "");
    let status = lab.kmk("status --verbose --json").code(0).json();
    assert_eq!(clients(&status), ["kafka", "kafka"]);

    println!("small runs of plain records of Kafka 3 go through the crate, unless told otherwise");
    let by = |flags: &str| {
        let line = format!("produce --topic plain --cluster primary --json {flags}");
        lab.kmk(&line).code(0).json()["client"].clone()
    };
    assert_eq!(by(""), "kafka");
    assert_eq!(by("--client wire"), "wire");
    assert_eq!(by("--header a=b"), "wire");
    assert_eq!(by("--compression gzip"), "kafka");
    assert_eq!(by("--compression lz4"), "wire");
    assert_eq!(by("--idempotent"), "wire");
    assert_eq!(by("--messages 10000"), "kafka");
    assert_eq!(by("--messages 10001"), "wire");
    assert_eq!(by("--messages 10001 --client kafka"), "kafka");
    std::fs::write(lab.home.path().join("lines.txt"), "line\n").unwrap();
    assert_eq!(by("--file lines.txt"), "wire");
    for (flags, client) in [
        ("--messages 10", "the kafka crate"),
        ("", "the wire client (a stream, or more than 10000 records)"),
        (
            "--messages 10001",
            "the wire client (a stream, or more than 10000 records)",
        ),
    ] {
        lab.kmk(&format!("consume plain -c primary -v {flags}"))
            .code(0)
            .says(&format!("reading topic `plain` with {client}"));
    }
    lab.kmk("produce --topic plain --client kafka --header a=b")
        .code(2)
        .says("record headers");
    lab.kmk("consume --topic plain --cluster primary --client kafka --isolation read_committed")
        .code(2)
        .says("committed");

    what_only_ours_does(&lab);
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn our_own_client_does_all_of_it_on_kafka_4() {
        let kafka = format!("--kafka-version {NEXT_KAFKA_VERSION}");
        let lab = Lab::deployed("clients", &kafka);
        let status = lab.kmk("status --verbose --json").code(0).json();
        assert_eq!(clients(&status), ["wire", "wire"]);
        lab.kmk("produce --topic plain --client kafka --timeout 5s")
            .code(2)
            .says("Kafka 4");
        what_only_ours_does(&lab);
    }
}

/// What produces to the first cluster and consumes from it, as status tells.
fn clients(status: &Value) -> [&Value; 2] {
    ["produce", "consume"].map(|what| &status["clusters"][0]["clients"][what])
}

fn what_only_ours_does(lab: &Lab) {
    let (cluster, kcat) = ("primary", lab.primary());
    marks(lab, cluster, &kcat);
    compressions(lab, cluster, &kcat);
    transactions(lab, cluster, &kcat);
}

/// Times, headers and nulls.
fn marks(lab: &Lab, cluster: &str, kcat: &Kcat) {
    // its brokers stamp records: the time that was asked for would be lost
    lab.kmk("produce --topic stamped --cluster primary --value v --timestamp -10m")
        .code(2)
        .says("message.timestamp.type=LogAppendTime")
        .says("kmk topic create stamped");
    assert!(!kcat.topics().contains_key("stamped"), "nothing is made");
    lab.kmk(&format!(
        "topic create marked --cluster {cluster} --config message.timestamp.type=CreateTime --config retention.ms=-1"
    ))
    .code(0);
    let send = |flags: &str| {
        let line = format!("produce --topic marked --cluster {cluster} --key k {flags}");
        lab.kmk(&line).code(0);
    };
    send("--value v --timestamp 2026-01-01T00:00:00Z --header trace=1 --header trace=2");
    send("--tombstone --timestamp 2026-01-01T00:00:01Z");
    send("--value= --timestamp 1767225602000");
    assert_eq!(
        kcat.read("marked", KCAT_FORMAT),
        [
            "1767225600000|trace=1,trace=2|k|v|1",
            "1767225601000||k||-1",
            "1767225602000||k||0",
        ]
    );
    let consume = format!("consume --topic marked --cluster {cluster} --format");
    assert_eq!(
        lab.kmk(&format!("{consume} %T|%h|%k|%v")).code(0).lines(),
        [
            "1767225600000|trace=1,trace=2|k|v",
            "1767225601000||k|",
            "1767225602000||k|",
        ]
    );
    let lines = lab.kmk(&format!("{consume} json")).code(0).lines();
    let records: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records[0]["headers"][1]["value"], "2");
    assert_eq!(records[1]["value"], serde_json::Value::Null);
    assert_eq!(
        (&records[2]["value"], &records[2]["timestamp"]),
        (&"".into(), &1_767_225_602_000u64.into())
    );
}

/// Every compression, written by us and by kcat.
fn compressions(lab: &Lab, cluster: &str, kcat: &Kcat) {
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        let mut thousand = String::new();
        for number in 0..1_000 {
            writeln!(thousand, "{codec} {number}").unwrap();
        }
        let expected: Vec<&str> = thousand.lines().collect();
        let (ours, theirs) = (format!("ours.{codec}"), format!("theirs.{codec}"));
        let line =
            format!("produce --topic {ours} --cluster {cluster} --compression {codec} --file -");
        lab.kmk_reading(&line, thousand.as_bytes()).code(0);
        assert_eq!(kcat.values(&ours), expected);
        // the crate may begin: it hands over when it meets what it cannot read
        kcat.produce(&theirs, "plain\n");
        kcat.produce_with(&theirs, &format!("-z {codec}"), &thousand);
        for client in ["auto", "wire"] {
            let line = format!("consume --topic {theirs} --cluster {cluster} --client {client}");
            let read = lab.kmk(&line).code(0).lines();
            assert_eq!(read[0], "plain");
            assert_eq!(read[1..], expected, "{client}");
        }
    }
}

/// What a transaction has not ended is not there for who asks for what is committed.
fn transactions(lab: &Lab, cluster: &str, kcat: &Kcat) {
    lab.kmk(&format!("topic create ledger --cluster {cluster}"))
        .code(0);
    let container = lab.container(cluster);
    let perf = "/opt/kafka/bin/kafka-producer-perf-test.sh --topic ledger --num-records 60 --record-size 10 \
                --throughput 20 --transactional-id t --transaction-duration-ms 60000 --producer-props";
    let mut writing = Command::new("docker");
    writing
        .args(["exec", &container])
        .args(perf.split_whitespace())
        .arg(format!("bootstrap.servers={cluster}:9092"));
    let writing = Running::start(&mut writing, b"");
    let read = |isolation: &str| {
        let line = format!("consume --topic ledger --cluster {cluster} --isolation {isolation}");
        lab.kmk(&line).code(0).lines().len()
    };
    until("a transaction is under way", PATIENCE, || {
        (read("read_uncommitted") >= 20).then_some(())
    });
    assert_eq!(read("read_committed"), 0);
    writing.finish().code(0);
    kcat.produce("ledger", "behind its marker\n");
    for isolation in ["read_uncommitted", "read_committed"] {
        assert_eq!(read(isolation), 61, "{isolation}");
    }
}
