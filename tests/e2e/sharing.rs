//! Several readers in one group share the partitions of a topic, Java's among them: every record is read by one of them.

use crate::engine::docker_words;
use crate::kcat::Kcat;
use crate::lab::Lab;
use crate::process::{Running, until};
use kafka_mirror_kit::core::topology::{KAFKA_VERSION, NEXT_KAFKA_VERSION};
use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::process::Command;
use std::time::Duration;

const PARTITIONS: usize = 6;
/// Ends the console consumers in a container, as Ctrl-C does.
const END: &str = "for process in /proc/[0-9]*; do grep -q '[C]onsoleConsumer' $process/cmdline \
                   && kill -INT ${process#/proc/}; done 2>/dev/null; true";

#[test]
#[ignore = "needs Docker"]
fn every_record_is_read_by_one_member_of_a_group() {
    each_is_read_once(KAFKA_VERSION);
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn every_record_is_read_by_one_member_of_a_group_on_kafka_4() {
        each_is_read_once(NEXT_KAFKA_VERSION);
    }
}

fn each_is_read_once(kafka: &str) {
    let lab = Lab::deployed("sharing", &format!("--kafka-version {kafka}"));
    let (cluster, kcat) = ("primary", lab.primary());
    lab.kmk(&format!(
        "topic create parcels --cluster {cluster} --partitions {PARTITIONS}"
    ))
    .code(0);
    two_of_ours(&lab, cluster, &kcat);
    one_of_ours_and_one_of_javas(&lab, cluster, &kcat);
}

/// One leaves, and the other takes over where it stood.
fn two_of_ours(lab: &Lab, cluster: &str, kcat: &Kcat) {
    let follow = format!("consume --topic parcels --cluster {cluster} --group ours --follow");
    let mut readers = [(); 2].map(|()| lab.start(&follow));
    until_shared(lab, cluster, "ours", 2);
    send(kcat, "first", 3_000);
    let reads = |reader: &Running| reader.stdout().lines().count();
    until("both have read all", Duration::from_secs(60), || {
        (readers.iter().map(reads).sum::<usize>() == 3_000).then_some(())
    });
    assert!(
        readers.iter().all(|reader| reads(reader) > 0),
        "each has a share"
    );
    let [first, second] = &mut readers;
    first.interrupt();
    until_shared(lab, cluster, "ours", 1);
    send(kcat, "second", 3_000);
    second.until("it reads the rest", |second| {
        reads(first) + reads(second) >= 6_000
    });
    second.interrupt();
    let all = readers.map(|reader| reader.finish().code(130).lines());
    assert_each_once(&all, &[("first", 3_000), ("second", 3_000)]);
}

fn one_of_ours_and_one_of_javas(lab: &Lab, cluster: &str, kcat: &Kcat) {
    let container = lab.container(cluster);
    let mut java = Command::new("docker");
    java.args([
        "exec",
        &container,
        "/opt/kafka/bin/kafka-console-consumer.sh",
    ])
    .args(["--bootstrap-server", &format!("{cluster}:9092")])
    .args(["--topic", "parcels", "--group", "mixed"]);
    let java = Running::start(&mut java, b"");
    until_shared(lab, cluster, "mixed", 1);
    let ours = lab.start(&format!(
        "consume --topic parcels --cluster {cluster} --group mixed --follow --from latest"
    ));
    until_shared(lab, cluster, "mixed", 2);
    send(kcat, "third", 3_000);
    until("both have read all", Duration::from_secs(60), || {
        let lines = [java.stdout(), ours.stdout()].concat();
        (lines.lines().count() >= 3_000).then_some(())
    });
    ours.interrupt();
    let ours = ours.finish().code(130).lines();
    docker_words(&["exec", &container, "bash", "-c", END], b"");
    // the image's console consumer also logs there, at the end
    let mut java = java.finish().lines();
    java.retain(|line| line.starts_with("third "));
    assert!(!ours.is_empty() && !java.is_empty(), "each has a share");
    assert_each_once(&[ours, java], &[("third", 3_000)]);
}

/// Waits until so many members have all partitions between them.
fn until_shared(lab: &Lab, cluster: &str, group: &str, members: usize) {
    let what = format!("{members} in group {group}");
    until(&what, Duration::from_secs(60), || {
        let told = lab.kmk(&format!(
            "groups --cluster {cluster} --group {group} --json"
        ));
        let told: serde_json::Value = serde_json::from_slice(&told.stdout).ok()?;
        let group = &told["clusters"][0]["groups"][0];
        let places = group["partitions"].as_array()?;
        let held = places.iter().filter(|place| place["client"].is_string());
        let is_so = group["state"] == "Stable"
            && group["members"].as_array()?.len() == members
            && held.count() == PARTITIONS;
        is_so.then_some(())
    });
}

/// With keys, so that they are spread over the partitions.
fn send(kcat: &Kcat, what: &str, count: usize) {
    let line = |number| format!("{number}:{what} {number}\n");
    kcat.produce_with("parcels", "-K :", &(0..count).map(line).collect::<String>());
}

#[track_caller]
fn assert_each_once(readers: &[Vec<String>], sent: &[(&str, usize)]) {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for line in readers.iter().flatten() {
        *times.entry(line).or_default() += 1;
    }
    for (what, count) in sent {
        for number in 0..*count {
            let line = format!("{what} {number}");
            assert_eq!(times.remove(line.as_str()), Some(1), "{line}");
        }
    }
    assert_eq!(times, BTreeMap::new(), "nothing else");
    let shares: Vec<usize> = readers.iter().map(Vec::len).collect();
    println!("  shares: {shares:?}");
}
