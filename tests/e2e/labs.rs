//! Labs side by side, and labs that are stopped and started: none loses a record, none harms another.

use crate::engine::docker_words;
use crate::kcat::CROSSING;
use crate::lab::{Lab, kafka_tool};
use crate::process::until;
use serde_json::Value;
use std::collections::BTreeSet;

const RECORDS: usize = 100;

#[test]
#[ignore = "needs Docker"]
fn a_lab_that_was_stopped_goes_on_where_it_was() {
    goes_on_after(1);
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn three_labs_at_once_and_one_destroyed() {
        let mut labs: Vec<Lab> = Vec::new();
        for name in ["side-a", "side-b", "side-c"] {
            // no flag but this: each finds ports of its own
            let lab = Lab::new(name);
            lab.kmk("deploy --any-port").code(0);
            labs.push(lab);
        }
        let ports: BTreeSet<u64> = labs.iter().flat_map(|lab| ports(&listed(lab))).collect();
        assert_eq!(
            ports.len(),
            6,
            "each cluster has a port of its own: {ports:?}"
        );
        for lab in &labs {
            let lines = records(lab).join("\n") + "\n";
            lab.kmk_reading("produce --topic orders --file -", lines.as_bytes())
                .code(0);
        }
        for lab in &labs {
            until_all_are_there(lab);
            let listed = listed(lab);
            assert_eq!(listed["state"], "running");
            assert_eq!(listed["flows"][0], "primary->secondary");
            assert_eq!(listed["scenario"], "dr");
            assert_eq!(
                (&listed["running"], &listed["containers"]),
                (&3.into(), &3.into())
            );
            assert_eq!(listed["directory"], lab.directory().to_str().unwrap());
        }
        println!("{}", labs[0].bash("kmk list --verbose").code(0).text());

        let gone = labs.remove(1);
        let before: Vec<_> = labs.iter().map(Lab::ids).collect();
        gone.kmk("destroy").code(0);
        gone.assert_gone();
        assert_eq!(listed(&gone), Value::Null);
        for (lab, before) in labs.iter().zip(&before) {
            assert_eq!(&lab.ids(), before, "the same containers");
            lab.kmk("status").code(0).prints("healthy");
            until_all_are_there(lab);
            // and it still works
            lab.kmk("produce --topic orders --value more").code(0);
            let copies = || lab.kmk("consume --topic primary.orders --cluster secondary");
            until("one more has crossed", CROSSING, || {
                (copies().code(0).lines().len() == RECORDS + 1).then_some(())
            });
        }

        println!("a lab that is stopped keeps its ports");
        let lab = &labs[0];
        let before = super::ports(&listed(lab));
        lab.kmk("stop").code(0);
        gone.kmk("deploy --any-port").code(0);
        let others = super::ports(&listed(&gone));
        assert!(
            others.iter().all(|port| !before.contains(port)),
            "{others:?}"
        );
        lab.kmk("start").code(0);
        let again = lab.kmk("deploy --any-port").code(0);
        again.prints("already runs as requested");
        assert_eq!(super::ports(&listed(lab)), before);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_lab_that_is_stopped_repeatedly_resumes_where_it_was() {
        goes_on_after(3);
    }
}

fn goes_on_after(rounds: usize) {
    let lab = Lab::deployed("asleep", "");
    let all: Vec<String> = records(&lab);
    lab.primary().produce("orders", &(all.join("\n") + "\n"));
    let mut sent: BTreeSet<String> = all.iter().cloned().collect();
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);
    let reading = "consume --topic orders --cluster primary --group billing";
    let read = lab.kmk(&format!("{reading} --messages 40")).code(0).lines();
    assert_eq!(read, all[..40]);
    let ids = lab.ids();
    assert_eq!(ids.len(), 3);

    for round in 1..=rounds {
        println!("stop and start, time {round}");
        let memory = memory(&lab);
        assert!(memory > 100 << 20, "{memory} bytes");
        lab.kmk("stop").code(0).prints("was stopped in");
        assert!(lab.ids().is_empty(), "nothing runs");
        assert_eq!(self::memory(&lab), 0);
        println!("  {} MiB of memory are free again", memory >> 20);
        assert_eq!(listed(&lab)["state"], "stopped");
        lab.kmk("stop").code(0).prints("is already stopped");
        lab.kmk("status")
            .code(1)
            .prints("stopped")
            .says("kmk start");
        for line in ["produce --topic orders --value x", "consume --topic orders"] {
            lab.kmk(line).code(3).says("is stopped").says("kmk start");
        }
        lab.kmk("start")
            .code(0)
            .prints("is running again and replicates");
        assert_eq!(lab.ids(), ids, "the same containers");
        lab.kmk("start")
            .code(0)
            .prints("is already running and replicates");
        lab.kmk("status").code(0).prints("healthy");

        let later = format!("after start {round}");
        lab.primary().produce("orders", &format!("{later}\n"));
        sent.insert(later);
        lab.secondary()
            .until_it_has("primary.orders", &sent, CROSSING);
        assert_eq!(lab.primary().values("orders").len(), sent.len());
        let copies = lab.secondary().values("primary.orders").len();
        assert_eq!(copies, sent.len(), "nothing was copied twice");
    }
    let rest = lab.kmk(reading).code(0).lines();
    assert_eq!(
        rest[..60],
        all[40..],
        "the group resumes at its committed offset"
    );
    let end = sent.len().to_string();
    let tool = "--bootstrap-server secondary:9092 --describe --offsets --all-groups";
    until("the group's place is on the other side", CROSSING, || {
        let container = lab.container("secondary");
        let places = kafka_tool(&container, "kafka-consumer-groups.sh", tool, b"");
        let mut rows = places
            .lines()
            .map(|row| row.split_whitespace().collect::<Vec<_>>());
        rows.any(|row| row.len() > 3 && row[..4] == ["billing", "primary.orders", "0", &end])
            .then_some(())
    });

    println!("what was removed is for a deploy");
    lab.kmk("stop").code(0);
    docker_words(&["rm", "-f", &lab.container("primary")], b"");
    lab.kmk("start")
        .code(3)
        .says("is missing containers: primary")
        .says("kmk deploy");
    assert_eq!(listed(&lab)["state"], "incomplete");
    lab.kmk("deploy").code(0);
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);
}

fn records(lab: &Lab) -> Vec<String> {
    (0..RECORDS)
        .map(|n| format!("{n} of {}", lab.name))
        .collect()
}

/// Its own records on both sides, and nobody else's.
#[track_caller]
fn until_all_are_there(lab: &Lab) {
    for flags in [
        "--topic orders --cluster primary",
        "--topic primary.orders --cluster secondary",
    ] {
        let line = format!("consume {flags} --messages {RECORDS} --timeout 60s");
        assert_eq!(lab.kmk(&line).code(0).lines(), records(lab));
    }
}

/// What `kmk list` says of it; null where it is not listed.
#[track_caller]
fn listed(lab: &Lab) -> Value {
    listed_with(lab, "")
}

#[track_caller]
fn listed_with(lab: &Lab, flags: &str) -> Value {
    let labs = lab.bash(&format!("kmk list --json {flags}")).code(0).json();
    let mut labs = labs.as_array().unwrap().iter();
    labs.find(|one| one["lab"] == lab.name.as_str())
        .cloned()
        .unwrap_or_default()
}

/// Bytes that it uses.
#[track_caller]
fn memory(lab: &Lab) -> u64 {
    listed_with(lab, "--verbose")["memory"].as_u64().unwrap()
}

fn ports(listed: &Value) -> Vec<u64> {
    let ports = listed["ports"].as_array().unwrap();
    ports.iter().map(|port| port.as_u64().unwrap()).collect()
}
