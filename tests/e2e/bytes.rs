//! Records arrive as they were sent, whatever is in them.

use crate::kcat::Kcat;
use crate::lab::{Lab, kafka_tool};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs;

const RECORDS: usize = 100_000;

#[test]
#[ignore = "needs Docker"]
fn a_hundred_thousand_records_arrive_byte_for_byte() {
    let lab = Lab::deployed("bytes", "--partitions 3");
    let file = lab.home.path().join("records");
    let sent = records();
    fs::write(&file, sent.join(&b'\n')).unwrap();
    let report = lab
        .kmk("produce --topic bytes --file records --json")
        .code(0)
        .json();
    assert_eq!(report["acknowledged"], RECORDS);
    assert_eq!(report["partitions"].as_array().unwrap().len(), 3);

    let read = lab
        .kmk(&format!(
            "consume --topic primary.bytes --messages {RECORDS} --format value"
        ))
        .code(0)
        .stdout;
    let (end, lines) = read.split_last().unwrap();
    assert_eq!(*end, b'\n');
    let received: Vec<Vec<u8>> = lines
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    assert_eq!(received.len(), sent.len());
    assert_eq!(digest(received), digest(sent));
    let copies = lab.secondary().read("primary.bytes", "%p");
    assert_eq!(copies.len(), RECORDS, "no record twice");

    println!("a record of 5 MB");
    let large: Vec<u8> = (0..5_000_000u32)
        .map(|at| b'a' + u8::try_from(at / 7 % 23).unwrap())
        .collect();
    fs::write(&file, &large).unwrap();
    lab.kmk("produce --topic large --file records")
        .code(0)
        .prints("1 record acknowledged");
    let read = lab
        .kmk("consume --topic primary.large --messages 1")
        .code(0)
        .stdout;
    assert!(
        read.strip_suffix(b"\n") == Some(&large),
        "{} bytes came back",
        read.len()
    );
    lab.kmk("status").code(0);
}

/// Text, bytes that are no text, nothing at all, carriage returns, tabs, and a few that are long. None holds a newline.
fn records() -> Vec<Vec<u8>> {
    let record = |number: usize| match number % 10 {
        0 => Vec::new(),
        1 => format!("line {number}\r").into_bytes(),
        2 => format!("schön ✓ 記録 {number}").into_bytes(),
        3 => {
            let byte = |at: usize| u8::try_from((number * 31 + at * 7) % 256).unwrap();
            (0..40).map(byte).filter(|&byte| byte != b'\n').collect()
        }
        4 if number % 10_000 == 4 => format!("{number} ").repeat(60_000).into_bytes(),
        5 => format!("\t{number}\0 ").into_bytes(),
        _ => format!("{{\"id\":{number},\"amount\":{}}}", number * 17 % 1_000).into_bytes(),
    };
    (0..RECORDS)
        .map(|number| {
            if number == RECORDS - 1 {
                b"last".to_vec()
            } else {
                record(number)
            }
        })
        .collect()
}

/// Of the sorted values, each with its length: so that no two lists have the same by being cut elsewhere.
fn digest(mut values: Vec<Vec<u8>>) -> String {
    values.sort();
    let mut hash = Sha256::new();
    for value in &values {
        hash.update(value.len().to_le_bytes());
        hash.update(value);
    }
    let mut text = String::new();
    for byte in hash.finalize() {
        write!(text, "{byte:02x}").unwrap();
    }
    println!("  sha256 of {} sorted values: {text}", values.len());
    text
}

#[test]
#[ignore = "needs Docker"]
fn keys_go_where_java_sends_them_and_compressed_topics_are_read() {
    let lab = Lab::deployed("keys", "--partitions 3");
    let keys: Vec<String> = (0..48)
        .map(|number| match number % 3 {
            0 => format!("k{number}"),
            1 => format!("客户-{number}-é"),
            _ => "long key ".repeat(number) + "end",
        })
        .collect();
    let lines: Vec<String> = keys
        .iter()
        .map(|key| format!("{key}#value of {key}\n"))
        .collect();
    let lines = lines.concat();
    let java = "--bootstrap-server primary:9092 --topic java --property parse.key=true --property key.separator=#";
    kafka_tool(
        &lab.container("primary"),
        "kafka-console-producer.sh",
        java,
        lines.as_bytes(),
    );
    lab.kmk_reading(
        "produce --topic ours --file - --key-separator #",
        lines.as_bytes(),
    )
    .code(0);
    let places = |topic: &str| {
        let mut places = lab.primary().read(topic, "%p#%k#%s");
        places.sort();
        places
    };
    let ours = places("ours");
    assert_eq!(ours, places("java"));
    assert_eq!(ours.len(), keys.len());
    for partition in ["0#", "1#", "2#"] {
        let count = ours
            .iter()
            .filter(|place| place.starts_with(partition))
            .count();
        println!("  partition {partition} {count} keys");
        assert!(count > 0);
    }

    println!("compressed topics");
    let lines: Vec<String> = (0..500)
        .map(|number| format!("{number} {}", "again and ".repeat(20)))
        .collect();
    let text = lines.join("\n") + "\n";
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        compress(&lab.primary(), codec, &text);
        for (topic, cluster) in [
            (codec.to_owned(), "primary"),
            (format!("primary.{codec}"), "secondary"),
        ] {
            let consume = format!("consume --topic {topic} --cluster {cluster} --messages 500");
            let mut read = lab.kmk(&consume).code(0).lines();
            let mut expected = lines.clone();
            read.sort();
            expected.sort();
            assert_eq!(read, expected, "{topic}");
        }
    }
    for codec in ["lz4", "zstd"] {
        let words = format!("compressed with {codec}, which the kafka crate cannot read");
        lab.kmk(&format!(
            "consume --topic {codec} --cluster primary --client kafka"
        ))
        .code(3)
        .says(&words)
        .says("--client wire");
    }
}

fn compress(cluster: &Kcat, codec: &str, text: &str) {
    // all in one batch, so that there is something to compress
    cluster.produce_with(codec, &format!("-z {codec} -X linger.ms=500"), text);
}
