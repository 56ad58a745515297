//! A million records into a cluster of three brokers that does not hold still: each arrives once, in order.

use crate::engine::{docker, docker_words, image_of};
use crate::lab::Lab;
use crate::process::{PATIENCE, Ran, Running, until};
use kafka_mirror_kit::core::compose::{self, Delivery};
use kafka_mirror_kit::core::spec::{ClusterSpec, Spec};
use kafka_mirror_kit::core::topology::{KAFKA_VERSION, NEXT_KAFKA_VERSION, Topology};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

const RECORDS: usize = 1_000_000;
/// Two for each broker: their batches go over two connections.
const PARTITIONS: usize = 6;

#[test]
#[ignore = "needs Docker"]
fn a_million_idempotent_records_arrive_once_and_in_order_though_a_broker_dies() {
    a_broker_is_killed(&three_brokers(KAFKA_VERSION));
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn idempotent_records_arrive_once_whatever_the_brokers_of_kafka_3_do() {
        whatever_the_brokers_do(KAFKA_VERSION);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn idempotent_records_arrive_once_whatever_the_brokers_of_kafka_4_do() {
        whatever_the_brokers_do(NEXT_KAFKA_VERSION);
    }

    fn whatever_the_brokers_do(kafka: &str) {
        let lab = three_brokers(kafka);
        a_broker_is_killed(&lab);
        its_connections_are_cut(&lab);
        every_leader_moves(&lab);
    }
}

fn a_broker_is_killed(lab: &Lab) {
    println!("a broker is killed, and started again");
    let mut sending = send(lab, "killed");
    until_under_way(lab, &mut sending, "killed");
    let leader = leaders(lab, "killed")[0];
    let container = lab.container(&format!("three-{leader}"));
    docker(&format!("kill {container}"));
    docker(&format!("start {container}"));
    all_there(lab, sending, "killed");
}

fn its_connections_are_cut(lab: &Lab) {
    println!("its connections are cut, and made again");
    let mut sending = send(lab, "cut");
    until_under_way(lab, &mut sending, "cut");
    let leader = leaders(lab, "cut")[1];
    let container = lab.container(&format!("three-{leader}"));
    let network = lab.network("three");
    docker(&format!("network disconnect {network} {container}"));
    until("another broker leads", PATIENCE, || {
        (leaders(lab, "cut")[1] != leader).then_some(())
    });
    docker(&format!(
        "network connect --alias three-{leader} {network} {container}"
    ));
    all_there(lab, sending, "cut");
}

fn every_leader_moves(lab: &Lab) {
    println!("every leader moves");
    let mut sending = send(lab, "moved");
    until_under_way(lab, &mut sending, "moved");
    let before = leaders(lab, "moved");
    move_leaders(lab, &before);
    until("others lead", PATIENCE, || {
        let now = leaders(lab, "moved");
        now.iter()
            .zip(&before)
            .all(|(now, before)| now != before)
            .then_some(())
    });
    all_there(lab, sending, "moved");
}

/// A cluster without flows, which kmk finds by its labels as it finds any other lab.
fn three_brokers(kafka: &str) -> Lab {
    let lab = Lab::new("three");
    let mut records = String::new();
    for number in 0..RECORDS {
        writeln!(records, "{number:010} is its number").unwrap();
    }
    fs::write(lab.home.path().join("records"), records).unwrap();
    let mut cluster = ClusterSpec::new("three");
    cluster.brokers = 3;
    cluster.port = Some(lab.ports[0].max(lab.ports[1]) + 1);
    let spec = Spec {
        lab: lab.name.clone(),
        image: Some(image_of(kafka)),
        memory: None,
        bind: None,
        clusters: vec![cluster],
        flows: Vec::new(),
    };
    let compose = compose::render(
        &Topology::new(&spec),
        Delivery::Mount("./mm2.properties"),
        compose::ClassCache::None,
        "",
    );
    let file = lab.home.path().join("three.yml");
    fs::write(&file, compose.text).unwrap();
    let project = format!("kmk-{}", lab.name);
    let mut up = Command::new("docker");
    up.args(["compose", "-p", &project, "-f"])
        .arg(&file)
        .args(["up", "-d"]);
    Ran::of(&mut up, b"").code(0);
    until("all three answer", PATIENCE, || {
        let ran = lab.kmk("status --json");
        (ran.json()["clusters"][0]["brokers_up"] == 3).then_some(())
    });
    lab
}

fn send(lab: &Lab, topic: &str) -> Running {
    lab.kmk(&format!(
        "topic create {topic} --cluster three --partitions {PARTITIONS} --replicas 3"
    ))
    .code(0);
    // slow enough for something to happen meanwhile
    lab.start(&format!(
        "produce --topic {topic} --cluster three --file records --idempotent --rate 150000/s --timeout 90s --json"
    ))
}

fn until_under_way(lab: &Lab, sending: &mut Running, topic: &str) {
    sending.until("some of it is there", |_| {
        let told = lab.kmk(&format!("topic describe {topic} --cluster three --json"));
        told.json()["records"].as_u64() > Some(100_000)
    });
}

/// The leader of each partition, in order.
fn leaders(lab: &Lab, topic: &str) -> Vec<i64> {
    let told = lab.kmk(&format!("topic describe {topic} --cluster three --json"));
    let told = told.code(0).json();
    let partitions = told["partition_details"].as_array().unwrap();
    partitions
        .iter()
        .map(|partition| partition["leader"].as_i64().unwrap_or(-1))
        .collect()
}

/// Makes another replica of each partition of `moved` the preferred one, and then the leader.
fn move_leaders(lab: &Lab, before: &[i64]) {
    let of = |(partition, leader): (usize, &i64)| {
        let replicas = [leader % 3 + 1, (leader + 1) % 3 + 1, *leader];
        serde_json::json!({"topic": "moved", "partition": partition, "replicas": replicas})
    };
    let partitions: Vec<_> = before.iter().enumerate().map(of).collect();
    let plan = serde_json::json!({"version": 1, "partitions": partitions});
    let container = lab.container("three-1");
    let words = [
        "exec",
        "-i",
        &container,
        "bash",
        "-c",
        "cat >/tmp/plan.json",
    ];
    docker_words(&words, plan.to_string().as_bytes());
    let tool = |class: &str, line: &str| {
        let run = format!("exec {container} /opt/kafka/bin/kafka-run-class.sh {class}");
        docker(&format!("{run} --bootstrap-server three-1:9092 {line}"))
    };
    tool(
        "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
        "--reassignment-json-file /tmp/plan.json --execute",
    );
    tool(
        "org.apache.kafka.tools.LeaderElectionCommand",
        "--election-type preferred --all-topic-partitions",
    );
}

#[track_caller]
fn all_there(lab: &Lab, sending: Running, topic: &str) {
    let report = sending.finish().code(0).json();
    assert_eq!(report["acknowledged"], RECORDS);
    assert_eq!(report["possible_duplicates"], 0);
    assert_eq!(report["in_doubt"], 0);
    let told = lab.kmk("status --json").json();
    let address = told["clusters"][0]["bootstrap"]
        .as_str()
        .unwrap()
        .to_owned();
    let records = crate::kcat::Kcat(address).read(topic, "%p:%s");
    assert_eq!(records.len(), RECORDS, "none missing, none twice");
    let mut last = [None; PARTITIONS];
    for record in &records {
        let (partition, value) = record.split_once(':').unwrap();
        let number: usize = value[..10].parse().unwrap();
        let last = &mut last[partition.parse::<usize>().unwrap()];
        assert!(
            last.is_none_or(|last| last < number),
            "{number} after {last:?}"
        );
        *last = Some(number);
    }
    // as many as there are, none twice in a partition, and each number goes to one partition only
    let in_turn = records.iter().all(|record| {
        let (partition, value) = record.split_once(':').unwrap();
        let number: usize = value[..10].parse().unwrap();
        number % PARTITIONS == partition.parse::<usize>().unwrap()
    });
    assert!(in_turn, "without a key, partitions take turns");
}
