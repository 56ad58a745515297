//! Ctrl-C in deploy: what this deploy made is taken back, and nothing else.

use crate::engine::{docker_words, things};
use crate::kcat::CROSSING;
use crate::lab::Lab;
use std::collections::{BTreeMap, BTreeSet};

#[test]
#[ignore = "needs Docker"]
fn ctrl_c_at_any_moment_leaves_nothing() {
    let lab = Lab::new("ctrl-c");
    let filter = format!("label=kmk.lab={}", lab.name);
    let there_is = |kind: &str| things(&filter).iter().any(|thing| thing.starts_with(kind));
    let deploy = || lab.start(&lab.deploy_line(""));

    println!("as soon as there is a network");
    let mut running = deploy();
    running.until("there is a network", |_| there_is("network"));
    running.interrupt();
    running.finish().code(130).says("interrupted");
    lab.assert_gone();

    println!("as soon as there is a container");
    let mut running = deploy();
    running.until("there is a container", |_| there_is("container"));
    running.interrupt();
    running.finish().code(130);
    lab.assert_gone();

    println!("while it waits for the canary");
    let mut running = deploy();
    running.until_it_says("Waiting until a canary has crossed");
    running.interrupt();
    let ended = running.finish().code(130);
    assert_eq!(ended.text(), "", "no result");
    lab.assert_gone();
}

#[test]
#[ignore = "needs Docker"]
fn a_deploy_that_fails_leaves_nothing_unless_asked_to() {
    let lab = Lab::new("fails");
    lab.deploy("--timeout 2s").code(3).says("--timeout");
    lab.assert_gone();
    lab.deploy("--timeout 2s --keep").code(3);
    let kept = lab.remains();
    assert!(
        kept.iter().any(|thing| thing.starts_with("container")),
        "{kept:?}"
    );
    lab.kmk("destroy").code(0).prints("was removed in");
    lab.assert_gone();
}

#[test]
#[ignore = "needs Docker"]
fn a_lab_that_runs_outlives_a_second_deploy() {
    let lab = Lab::deployed("outlives", "");
    lab.primary().produce("orders", "kept\n");
    let sent = BTreeSet::from(["kept".to_owned()]);
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);
    let before = lab.ids();

    println!("interrupted while the brokers are recreated");
    let mut running = lab.start("deploy --partitions 2");
    running.until("a broker is recreated", |_| {
        lab.ids().get("primary") != before.get("primary")
    });
    running.interrupt();
    running.finish().code(130);
    still_there(&lab);

    lab.kmk("deploy").code(0);
    assert_eq!(containers(&lab), lab.whole());

    println!("interrupted just when compose had two containers of one service");
    half_made_twin(&lab, "secondary");
    lab.kmk("deploy").code(0);
    assert_eq!(containers(&lab), lab.whole());

    println!("interrupted while it waits");
    let mut running = lab.start("deploy --partitions 3");
    running.until_it_says("Waiting for the brokers");
    running.interrupt();
    running.finish().code(130);
    still_there(&lab);
    assert_eq!(lab.ids().len(), 3, "{:?}", lab.ids());

    println!("failing for lack of time");
    lab.kmk("deploy --partitions 4 --timeout 1s").code(3);
    still_there(&lab);

    lab.kmk("deploy").code(0);
    assert_eq!(containers(&lab), lab.whole(), "none half made");
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);
    lab.primary().until_it_has("orders", &sent, CROSSING);
    lab.kmk("status").code(0);
}

/// What holds the records, and the files.
fn still_there(lab: &Lab) {
    let remains = lab.remains();
    for thing in ["volume", "network"] {
        let count = remains
            .iter()
            .filter(|name| name.starts_with(thing))
            .count();
        assert_eq!(count, 2, "{remains:?}");
    }
    assert!(lab.directory().join("docker-compose.yml").exists());
    println!("  there are {remains:?}");
}

/// What compose leaves when it is stopped between creating the new container and removing the old one.
fn half_made_twin(lab: &Lab, service: &str) {
    let name = lab.container(service);
    let of = |format: &str| docker_words(&["inspect", "--format", format, &name], b"");
    let (id, image) = (of("{{.Id}}"), of("{{.Config.Image}}"));
    let labels: BTreeMap<String, String> =
        serde_json::from_str(&of("{{json .Config.Labels}}")).unwrap();
    let mut labels: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    labels.push(format!("com.docker.compose.replace={id}"));
    let twin = format!("{}_{name}", &id[..12]);
    let mut words = vec!["create", "--name", &twin];
    words.extend(labels.iter().flat_map(|label| ["--label", label]));
    words.push(&image);
    docker_words(&words, b"");
}

fn containers(lab: &Lab) -> Vec<String> {
    let remains = lab.remains().into_iter();
    let containers =
        remains.filter_map(|thing| thing.strip_prefix("container ").map(str::to_owned));
    containers.collect()
}

/// Every stage of every verb that changes something, on either Kafka: for `make matrix`.
mod matrix {
    use super::*;
    use crate::engine::docker;
    use crate::process::{Ran, Running};
    use kafka_mirror_kit::core::topology::{KAFKA_VERSION, NEXT_KAFKA_VERSION};

    #[test]
    #[ignore = "needs Docker"]
    fn every_stage_of_every_verb_on_kafka_3() {
        every_stage(KAFKA_VERSION);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn every_stage_of_every_verb_on_kafka_4() {
        every_stage(NEXT_KAFKA_VERSION);
    }

    fn every_stage(kafka: &str) {
        let lab = Lab::new("every-stage");
        let deploy = lab.deploy_line(&format!("--kafka-version {kafka}"));
        for stage in [
            "Starting the containers",
            "Waiting for the brokers",
            "Waiting until a canary has crossed",
        ] {
            ctrl_c(&lab, &deploy, stage).says("Rolled back: nothing from this deploy is left.");
            lab.assert_gone();
        }
        lab.kmk(&deploy).code(0);
        lab.primary().produce("orders", "kept\n");
        verify(&lab);
        produce_and_consume(&lab);
        stop_and_start(&lab);
        destroy(&lab);
    }

    /// Interrupts a verb as soon as it says that a stage has begun.
    #[track_caller]
    fn ctrl_c(lab: &Lab, line: &str, stage: &str) -> Ran {
        println!("{line}: {stage}");
        let mut running = lab.start(line);
        running.until_it_says(stage);
        interrupted(running)
    }

    #[track_caller]
    fn interrupted(running: Running) -> Ran {
        running.interrupt();
        running.finish().code(130).says("interrupted")
    }

    fn verify(lab: &Lab) {
        let stages = [
            "waiting for `primary.kmk-verify` on secondary",
            "acknowledged, arrived: ",
        ];
        for stage in stages {
            ctrl_c(lab, "verify --rate 1000/s --for 60s", stage);
            lab.kmk("verify --messages 100").code(0);
            // for the next one, it is new
            lab.kmk("topic delete kmk-verify --force").code(0);
        }
    }

    /// What was said to be there is there, and no more.
    fn produce_and_consume(lab: &Lab) {
        let mut producing = lab.start("produce many --rate 1000/s -n 100000 --json");
        producing.until("some are there", |_| {
            lab.primary().topics().contains_key("many")
        });
        let report = interrupted(producing).json();
        let there = lab.primary().values("many").len();
        assert_eq!(report["acknowledged"], there, "{report}");
        let mut reading = lab.start("consume many --cluster primary --follow");
        reading.until("it reads", |reading| !reading.stdout().is_empty());
        reading.interrupt();
        reading.finish().code(130);
    }

    fn stop_and_start(lab: &Lab) {
        for (stage, slow) in [
            ("Stopping MirrorMaker", "mm2-secondary"),
            ("Stopping the brokers", "primary"),
        ] {
            // it hears nothing of its end, and is killed after its grace
            docker(&format!("kill --signal STOP {}", lab.container(slow)));
            ctrl_c(lab, "stop", stage)
                .says("still run")
                .says("kmk stop");
            lab.kmk("stop").code(0).prints("was stopped in");
            lab.kmk("start").code(0);
        }
        for stage in [
            "Starting the containers",
            "Waiting for the brokers",
            "Waiting until a canary has crossed",
        ] {
            lab.kmk("stop").code(0);
            ctrl_c(lab, "start", stage).says("kmk start");
            lab.kmk("start").code(0);
            lab.kmk("status").code(0);
        }
        let kept = BTreeSet::from(["kept".to_owned()]);
        lab.primary().until_it_has("orders", &kept, CROSSING);
        lab.secondary()
            .until_it_has("primary.orders", &kept, CROSSING);
    }

    fn destroy(lab: &Lab) {
        let mut destroying = lab.start("destroy");
        destroying.until("a container is gone", |_| lab.ids().len() < 3);
        interrupted(destroying);
        assert_ne!(lab.remains(), Vec::<String>::new());
        lab.kmk("destroy").code(0).prints("was removed in");
        lab.assert_gone();
    }
}
