//! One topic that cannot be mirrored: no flow that it holds up is called healthy, it is named with its cure, to itself and to
//! the others, and the cure helps.

use crate::engine::docker;
use crate::kcat::CROSSING;
use crate::lab::{Lab, kafka_tool};
use crate::process::{PATIENCE, until};
use std::collections::{BTreeMap, BTreeSet};

/// Waits until a status that is not healthy says these words.
#[track_caller]
fn until_it_says(lab: &Lab, words: &str) {
    let mut last = String::new();
    until(&format!("a status says {words}"), PATIENCE, || {
        let ran = lab.kmk("status");
        last = ran.text();
        let is_told = last.contains(words) && !last.contains(": healthy");
        is_told.then(|| ran.code(1))
    });
}

#[track_caller]
fn until_healthy(lab: &Lab) {
    until("it is healthy", PATIENCE, || {
        (lab.kmk("status --json").json()["healthy"] == true).then_some(())
    });
}

fn lines(from: usize, count: usize) -> BTreeSet<String> {
    let filling = "x".repeat(1_000);
    let numbers = from..from + count;
    numbers
        .map(|number| format!("{number}-{filling}"))
        .collect()
}

fn send(lab: &Lab, topic: &str, lines: &BTreeSet<String>) {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let text = lines.join("\n") + "\n";
    // batches that the topic takes
    let few = "-X batch.num.messages=20";
    lab.primary().produce_with(topic, few, &text);
}

#[test]
#[ignore = "needs Docker"]
fn a_topic_that_takes_less_than_mirrormaker_sends_is_named_and_a_deploy_mends_it() {
    let lab = Lab::deployed("small", "");
    let create = |topic: &str| drop(lab.kmk(&format!("topic create {topic}")).code(0));
    create("small --config max.message.bytes=100000");
    let sent = lines(0, 3_000);
    lab.primary().produce("orders", "one\n");
    send(&lab, "small", &sent);

    let cure = "accepts batches of up to 100000 bytes (max.message.bytes), and MirrorMaker sends 262144; `kmk deploy --lab ";
    until_it_says(&lab, cure);
    lab.kmk("lag --max 100000").code(1).prints(cure);
    lab.kmk("explain small").code(1).prints(cure);
    lab.kmk("explain orders").code(0).prints("up to date");
    let status = lab.kmk("status --json").json();
    let flow = &status["flows"][0];
    assert_eq!(flow["stalled"][0]["topic"], "small", "{flow}");
    assert_eq!(flow["culprits"][0]["why"], "batch_too_large", "{flow}");

    lab.deploy("").code(0);
    let remote = "primary.small";
    lab.secondary().until_it_has(remote, &sent, CROSSING);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for value in lab.secondary().values(remote) {
        *times.entry(value).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1) && times.len() == sent.len());
    lab.kmk("lag --max 0").code(0);

    println!("what a file of a log does not hold ends the task");
    create("files --config segment.bytes=50000");
    send(&lab, "files", &sent);
    until_it_says(&lab, "topic `files` blocks the whole flow");
    lab.kmk("explain files").code(1).prints("(segment.bytes)");
    lab.deploy("").code(0);
    lab.secondary()
        .until_it_has("primary.files", &sent, CROSSING);
    until_healthy(&lab);
    let ids = lab.ids();
    lab.deploy("").code(0).prints("already runs as requested");
    assert_eq!(lab.ids(), ids);
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn a_stall_that_no_deploy_cures_is_not_called_replication_however_long_it_is_waited_for() {
        let lab = Lab::deployed("incurable", "");
        lab.primary().produce("orders", "one\n");
        let mut all = BTreeSet::from(["one".to_owned()]);
        lab.secondary()
            .until_it_has("primary.orders", &all, CROSSING);
        let takes = |bytes: u32| {
            let remote = "topic alter primary.orders --cluster secondary --force";
            lab.kmk(&format!("{remote} --config max.message.bytes={bytes}"))
                .code(0);
        };
        takes(200);
        send(&lab, "orders", &lines(0, 10));
        let why = "`primary.orders` accepts records of up to 200 bytes";
        until_it_says(&lab, "position has not moved");
        for verb in ["deploy", "start"] {
            lab.kmk(verb)
                .code(3)
                .says("not all topics replicate")
                .says(why);
        }
        takes(1_000_000);
        all.extend(lines(0, 10));
        lab.secondary()
            .until_it_has("primary.orders", &all, CROSSING);
        lab.deploy("").code(0).prints("replicates");
        until_healthy(&lab);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_topic_whose_name_clashes_on_the_target_is_named_with_its_cure() {
        let lab = Lab::deployed("held", "");
        lab.primary().produce("orders", "one\n");
        lab.kmk("topic create primary_new --cluster secondary")
            .code(0);
        lab.primary().produce("new", "x\n");
        let told = "`primary.new` collides with topic `primary_new`";
        until_it_says(&lab, told);
        lab.kmk("explain new")
            .code(1)
            .prints("it blocks the whole flow");
        lab.kmk("explain orders").code(1).prints(told);
        lab.kmk("topic delete primary_new --cluster secondary --force")
            .code(0);
        let all = BTreeSet::from(["one".to_owned()]);
        lab.secondary()
            .until_it_has("primary.orders", &all, CROSSING);
        until_healthy(&lab);
    }
}

#[test]
#[ignore = "needs Docker"]
fn a_topic_that_cannot_be_made_and_one_of_mirrormakers_own_are_named_with_their_cures() {
    let lab = Lab::deployed("held", "");
    let orders = |sent: &[&str]| {
        let all = sent.iter().map(|line| (*line).to_owned()).collect();
        lab.secondary()
            .until_it_has("primary.orders", &all, CROSSING);
    };
    lab.primary().produce("orders", "one\n");
    orders(&["one"]);

    println!("a name that is too long on the target");
    let long = "x".repeat(245);
    let told = "the name of its mirrored topic would have 253 characters, and Kafka allows 249; delete it or exclude it";
    lab.kmk(&format!("topic create {long}")).code(0);
    lab.primary().produce(&long, "x\n");
    until_it_says(&lab, told);
    lab.primary().produce("orders", "two\n");
    until("a victim is told of it", PATIENCE, || {
        let ran = lab.kmk("explain orders");
        let held = ran.text().contains("the whole flow is blocked by");
        (held && ran.text().contains(told)).then(|| ran.code(1))
    });
    until("its lag is, too", PATIENCE, || {
        // between two failures one may slip through, and then nothing waits
        lab.primary().produce("orders", "two\n");
        let ran = lab.kmk("lag --max 1000");
        ran.text().contains(told).then(|| ran.code(1))
    });
    lab.kmk(&format!("explain {long}"))
        .code(1)
        .prints("it blocks the whole flow");
    lab.kmk(&format!("topic delete {long} --force")).code(0);
    orders(&["one", "two"]);
    until_healthy(&lab);

    println!("a topic of MirrorMaker's that a broker has made");
    let own = "mm2-offsets.primary.internal";
    lab.kmk(&format!("topic delete {own} --cluster secondary --force"))
        .code(0);
    until("it is there again", PATIENCE, || {
        lab.secondary().topics().contains_key(own).then_some(())
    });
    let told = "topic `mm2-offsets.primary.internal` has cleanup.policy=delete instead of compact";
    until_it_says(&lab, told);
    docker(&format!("restart -t 1 {}", lab.container("mm2-secondary")));
    until("MirrorMaker has exited", PATIENCE, || {
        let status = lab.kmk("status --json").json();
        status["flows"][0]["ended"].is_string().then_some(())
    });
    until_it_says(&lab, told);
    let explained = lab.kmk("explain orders").code(1).text();
    assert!(explained.contains("MirrorMaker has exited"), "{explained}");
    lab.deploy("").code(0).says("set back to compact");
    let line = format!("--bootstrap-server localhost:9092 --describe --topic {own}");
    let described = kafka_tool(&lab.container("secondary"), "kafka-topics.sh", &line, b"");
    assert!(described.contains("cleanup.policy=compact"), "{described}");
    lab.primary().produce("orders", "three\n");
    orders(&["one", "two", "three"]);
    lab.kmk("status").code(0);

    println!("a new list of topics");
    lab.primary().produce("new", "early\n");
    let early = BTreeSet::from(["early".to_owned()]);
    lab.secondary()
        .until_it_has("primary.new", &early, CROSSING);
    lab.deploy("--topics orders").code(0);
    let before = lab.secondary().end("primary.new");
    lab.primary().produce("new", "late\n");
    lab.primary().produce("orders", "four\n");
    orders(&["one", "two", "three", "four"]);
    lab.kmk("status").code(0);
    assert_eq!(lab.secondary().end("primary.new"), before);
}
