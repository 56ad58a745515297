//! A lab that kmk 0.1.0 deployed, under this kmk. `tests/fixtures/lab-0.1.0` has its files, and what `docker inspect` told of it
//! on its real engine, with the directory and the containers' ids replaced.

use crate::docker::{Docker, Rule, UP};
use crate::kmk::Kmk;
use crate::lab::rules_of;
use indoc::indoc;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// The ports of the recorded lab are in its files, under their digests.
const PORTS: &str = "--port primary=19871 --port secondary=19872";
const FILES: [&str; 2] = ["docker-compose.yml", "mm2.properties"];

fn recorded(file: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lab-0.1.0");
    fs::read_to_string(directory.join(file)).unwrap()
}

/// A `kmk` beside the recorded lab, each container of which is changed first.
fn beside_it(change: impl Fn(&mut Value)) -> Kmk {
    let kmk = Kmk::on(|kmk| {
        let directory = kmk.work("kmk-lab").display().to_string();
        let told = recorded("inspect.json").replace("$DIRECTORY", &directory);
        let mut told: Value = serde_json::from_str(&told).unwrap();
        let all = |told: &Value, kind: &str| told[kind].as_array().unwrap().clone();
        told["containers"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .for_each(change);
        let [containers, networks, volumes] =
            ["containers", "networks", "volumes"].map(|kind| all(&told, kind));
        Docker::works()
            .rules(rules_of("demo", &containers, &networks, &volumes))
            .rule(Rule::on("image inspect kmk-kafka:3.9.2").says("[]"))
            .rules(["stop *", "start *", "logs *", UP].map(Rule::on))
            .rule(Rule::on("volume create *"))
            .rule(Rule::on(crate::docker::CLASSES).until("volume create *"))
    });
    fs::create_dir(kmk.work("kmk-lab")).unwrap();
    for file in FILES {
        fs::write(kmk.work("kmk-lab").join(file), recorded(file)).unwrap();
    }
    kmk
}

fn running() -> Kmk {
    beside_it(|_| ())
}

fn stopped() -> Kmk {
    beside_it(|container| {
        container["State"] =
            json!({"Status": "exited", "ExitCode": 143, "FinishedAt": "2026-11-30T11:36:00Z"});
    })
}

#[test]
fn it_is_listed_and_shown() {
    running().run("list").code(0).stderr("").stdout(indoc! {"
        LAB   STATE    UP   PORTS        SCENARIO  DIRECTORY
        demo  running  3/3  19871,19872  dr        kmk-lab
    "});
    running()
        .run("env")
        .code(0)
        .stdout_has("export SECONDARY_BOOTSTRAP=127.0.0.1:19872\n");
    // its brokers are not there, its containers are
    running()
        .run("status")
        .code(1)
        .changed(&[])
        .stdout_has(indoc! {"
        CONTAINER      STATE    FOR
        primary        running  <time>
        secondary      running  <time>
        mm2-secondary  running  <time>

        CLUSTER    BROKERS  TOPICS  ADDRESS
        primary    0/1      -       127.0.0.1:19871
        secondary  0/1      -       127.0.0.1:19872
    "});
}

#[test]
fn it_is_stopped_and_started() {
    running().run("stop --quiet").code(0).changed(&[
        "stop id-demo-mm2-secondary",
        "stop id-demo-primary id-demo-secondary",
    ]);
    let kmk = stopped();
    kmk.run("list").code(0).stdout_has("demo  stopped  0/3");
    let ran = kmk.run("start --timeout 300ms").code(3).changed(&[
        "start id-demo-primary id-demo-secondary",
        "start id-demo-mm2-secondary",
    ]);
    ran.stderr_lacks("have been written again");
    assert_eq!(FILES.map(|file| read(&kmk, file)), FILES.map(recorded));
}

#[test]
fn a_deploy_recreates_its_containers_and_keeps_its_ports_volumes_and_image() {
    const UP_AGAIN: &str = "compose --ansi never -p kmk-demo -f $ROOT/here/kmk-lab/docker-compose.yml up --detach --quiet-pull";
    let one_dead = || {
        beside_it(|container| {
            if container["Id"] == "id-demo-primary" {
                container["State"] = json!({"Status": "exited", "ExitCode": 137});
            }
        })
    };
    for (kmk, flags) in [(running(), ""), (running(), PORTS), (one_dead(), "")] {
        let ran = kmk.run(&format!("deploy {flags} --timeout 1s")).code(3);
        ran.changed(&[
            "volume create --label kmk.classes=1 kmk-classes",
            &format!("{UP_AGAIN} --force-recreate --no-deps -- mm2-secondary primary secondary"),
            &format!("{UP_AGAIN} --no-recreate"),
        ]);
        assert_eq!(kmk.noted("images"), ["KMK_KAFKA_IMAGE=kmk-kafka:3.9.2"; 2]);
        for file in FILES {
            assert_ne!(read(&kmk, file), recorded(file), "{file}");
        }
        let written = read(&kmk, "docker-compose.yml");
        for kept in [
            "127.0.0.1:19871:19871",
            "source: primary-data",
            "CLUSTER_ID: T73DiRLBIVEhtfMPMfmg6A",
        ] {
            assert!(
                recorded("docker-compose.yml").contains(kept) && written.contains(kept),
                "{kept}"
            );
        }
    }
}

#[test]
fn its_files_are_not_overwritten_where_a_person_edited_them() {
    let kmk = running();
    let mine = recorded("mm2.properties") + "# mine\n";
    fs::write(kmk.work("kmk-lab/mm2.properties"), &mine).unwrap();
    let ran = kmk.run("deploy --timeout 1s").code(2).changed(&[]);
    ran.stderr_has("kmk-lab/mm2.properties was edited");
    assert_eq!(read(&kmk, "mm2.properties"), mine);
}

#[test]
fn it_is_destroyed_with_its_files() {
    for kmk in [running(), stopped()] {
        kmk.run("destroy").code(0).changed(&[
            "rm --force --volumes id-demo-mm2-secondary id-demo-primary id-demo-secondary",
            "volume rm --force kmk-demo_primary-data kmk-demo_secondary-data",
            "network rm kmk-demo_primary kmk-demo_secondary",
        ]);
        assert!(!kmk.work("kmk-lab").exists());
    }
}

fn read(kmk: &Kmk, file: &str) -> String {
    fs::read_to_string(kmk.work("kmk-lab").join(file)).unwrap()
}
