//! What a deploy tells docker, and what it takes back when it fails.

use crate::docker::{CLASSES, Docker, FORGET_CLASSES, Rule, UP};
use crate::kmk::Kmk;
use indoc::{formatdoc, indoc};
use serde_yaml::Value;
use std::fs;

pub(crate) const UP_COMMAND: &str = "compose --ansi never -p kmk-demo -f kmk-lab/docker-compose.yml up --detach --quiet-pull --no-recreate";
const MAKE_CLASSES: &str = "volume create --label kmk.classes=1 kmk-classes";
const REMOVE_CONTAINERS: &str =
    "rm --force --volumes id-demo-mm2-secondary id-demo-primary id-demo-secondary";
const REMOVE_NETWORKS: &str = "network rm kmk-demo_primary kmk-demo_secondary";
const REMOVE_VOLUMES: &str = "volume rm --force kmk-demo_primary-data kmk-demo_secondary-data";
pub(crate) const ROLLED_BACK: [&str; 4] = [
    UP_COMMAND,
    REMOVE_CONTAINERS,
    REMOVE_VOLUMES,
    REMOVE_NETWORKS,
];

/// An engine on which `compose up` makes the whole lab, and then fails.
pub(crate) fn up_fails(kmk: &Kmk, said: &str) -> Docker {
    Docker::works()
        .up_makes(&kmk.lab())
        .rule(Rule::on(UP).fails(1, said))
}

#[test]
fn every_docker_command_of_a_deploy() {
    let kmk = Kmk::new().docker(&Docker::works().rule(Rule::on(UP).fails(1, "no\n")));
    let info = "info --format {\"id\":{{json .ID}},\"memory\":{{json .MemTotal}},\"root\":{{json .DockerRootDir}},\
                \"errors\":{{json .ServerErrors}}}";
    let labelled = [
        "ps --all --no-trunc --quiet --filter label=kmk.lab=demo",
        "network ls --no-trunc --quiet --filter label=kmk.lab=demo",
        "volume ls --quiet --filter label=kmk.lab=demo",
    ];
    let calls = [
        info,
        labelled[0],
        labelled[1],
        labelled[2],
        "compose version --short",
        "ps --all --no-trunc --quiet --filter label=com.docker.compose.project=kmk-demo",
        "volume ls --quiet --filter label=com.docker.compose.project=kmk-demo",
        "network ls --no-trunc --quiet --filter label=com.docker.compose.project=kmk-demo",
        "image inspect apache/kafka:3.9.2",
        CLASSES,
        UP_COMMAND,
        labelled[0],
        labelled[1],
        labelled[2],
    ];
    kmk.deploy("").code(3).calls(&calls);
    assert_eq!(kmk.noted("images"), ["KMK_KAFKA_IMAGE=apache/kafka:3.9.2"]);
}

#[test]
fn the_first_deploy_makes_a_volume_for_classes_and_takes_it_back_with_all_else() {
    let kmk = Kmk::on(|kmk| {
        let none_yet = Rule::on(CLASSES).until("volume create*");
        up_fails(kmk, "no\n")
            .rule(Rule::on("volume create *"))
            .rule(none_yet)
    });
    let [up, containers, volumes, networks] = ROLLED_BACK;
    kmk.deploy("").code(3).changed(&[
        MAKE_CLASSES,
        up,
        containers,
        volumes,
        networks,
        FORGET_CLASSES,
    ]);
}

#[test]
fn the_volume_for_classes_stays_where_another_lab_may_be_about_to_use_it() {
    let kmk = Kmk::on(|kmk| {
        up_fails(kmk, "no\n")
            .with(&kmk.lab_named("other"))
            .rule(Rule::on("volume create *"))
            .rule(Rule::on(CLASSES).until("volume create*"))
    });
    let [up, containers, volumes, networks] = ROLLED_BACK;
    kmk.deploy("")
        .code(3)
        .changed(&[MAKE_CLASSES, up, containers, volumes, networks]);
}

#[test]
fn mirrormaker_keeps_its_classes_in_a_volume_of_no_labs_and_all_else_is_as_in_the_reference_file() {
    let compose = |kmk: &Kmk| -> Value {
        let text = fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
        serde_yaml::from_str(&text).unwrap()
    };
    let kmk = Kmk::on(|kmk| up_fails(kmk, "no\n"));
    kmk.deploy("--dry-run").code(0);
    let mut expected = compose(&kmk);
    kmk.deploy("--keep").code(3);
    let volume: Value = serde_yaml::from_str("{name: kmk-classes, external: true}").unwrap();
    let mount = "{type: volume, source: classes, target: /usr/logs}";
    let mount: Value = serde_yaml::from_str(mount).unwrap();
    expected["volumes"]["classes"] = volume;
    let mounts = &mut expected["services"]["mm2-secondary"]["volumes"];
    mounts.as_sequence_mut().unwrap().push(mount);
    assert_eq!(compose(&kmk), expected);
}

#[test]
fn a_lab_of_a_kmk_that_kept_no_classes_gets_the_volume_before_anything_is_recreated() {
    let kmk = Kmk::on(|kmk| {
        Docker::works()
            .with(&kmk.lab().exited("primary", 1))
            .rule(Rule::on(CLASSES))
            .rule(Rule::on("volume create *"))
            .rule(Rule::on(UP).fails(1, "something broke\n"))
    });
    kmk.deploy("").code(3).changed(&[
        MAKE_CLASSES,
        "compose --ansi never -p kmk-demo -f $ROOT/here/kmk-lab/docker-compose.yml up --detach --quiet-pull \
         --force-recreate --no-deps -- mm2-secondary primary secondary",
    ]);
}

#[test]
fn a_compose_that_fails_is_rolled_back() {
    let said = "Container kmk-demo-primary-1  Creating\nsomething broke\n";
    // another lab of the machine, of which nothing is removed
    let kmk = Kmk::on(|kmk| up_fails(kmk, said).with(&kmk.lab_named("other")));
    kmk.deploy("")
        .code(3)
        .stdout("")
        .changed(&ROLLED_BACK)
        .stderr(&formatdoc! {"
        Starting the containers ...
          Container kmk-demo-primary-1  Creating
          something broke
        Rolling back ...
        error: `docker {UP_COMMAND}` failed with exit code 1
          caused by: Container kmk-demo-primary-1  Creating
          caused by: something broke
        Rolled back: nothing from this deploy is left.
    "});
    assert!(!kmk.work("kmk-lab").exists());
}

#[test]
fn a_failed_deploy_is_kept_for_a_look() {
    let kmk = Kmk::on(|kmk| up_fails(kmk, "something broke\n"));
    kmk.deploy("--keep")
        .code(3)
        .stdout("")
        .changed(&[UP_COMMAND])
        .stderr(&formatdoc! {"
        Starting the containers ...
          something broke
        error: `docker {UP_COMMAND}` failed with exit code 1
          caused by: something broke
        Kept for inspection: `kmk logs`, `kmk status`; `kmk destroy` removes it.
    "});
    assert!(kmk.work("kmk-lab/docker-compose.yml").exists());
}

#[test]
fn what_is_said_names_the_lab() {
    let kmk = Kmk::new();
    let docker = Docker::works().rule(Rule::on(UP).fails(1, "no\n"));
    let ran = kmk.docker(&docker).deploy("--lab two --keep").code(3);
    ran.stderr_has("`kmk logs --lab two`, `kmk status --lab two`; `kmk destroy --lab two` removes it.")
        .changed(&["compose --ansi never -p kmk-two -f kmk-lab-two/docker-compose.yml up --detach --quiet-pull --no-recreate"]);
}

#[test]
fn a_rollback_that_fails_says_so() {
    let kmk = Kmk::new();
    let docker = up_fails(&kmk, "no\n").rule(Rule::on("compose version*").says("2.26.1"));
    let docker = docker.rule(
        Rule::on("ps *--filter label=kmk.lab=demo")
            .from(UP)
            .fails(1, "engine gone\n"),
    );
    let ran = kmk
        .docker(&docker)
        .deploy("")
        .code(3)
        .changed(&[UP_COMMAND]);
    ran.stderr_has("Rolling back failed too: `docker ps --all --no-trunc --quiet --filter label=kmk.lab=demo` failed with exit code 1")
        .stderr_has("\nTry again with `kmk destroy`.\n");
}

#[test]
fn a_broker_that_died_is_shown_with_its_log() {
    let kmk = Kmk::new();
    let lab = kmk.lab().exited("primary", 137);
    let docker = Docker::works()
        .up_makes(&lab)
        .rule(Rule::on("logs --tail 20 id-demo-primary").says("first\nKilled\n"));
    kmk.docker(&docker).deploy("").code(3).stdout("").changed(&ROLLED_BACK).stderr(indoc! {"
        Starting the containers ...
        ✓ Started the containers (<time>)
        Waiting for the brokers ...
        Rolling back ...
        error: broker primary of cluster `primary` does not answer: its container has exited with code 137
          hint: give it more time with --timeout 300s, or keep everything for inspection with --keep
        Container kmk-demo-primary-1 has exited with code 137; the last lines of its log:
          | first
          | Killed
        Rolled back: nothing from this deploy is left.
    "});
}

#[test]
fn a_broker_that_never_answers_is_shown_at_the_deadline() {
    let kmk = Kmk::new();
    let docker = Docker::works()
        .up_makes(&kmk.lab())
        .rule(Rule::on("logs *").says("still starting\n"));
    kmk.docker(&docker).deploy("--timeout 3s --quiet").code(3).stdout("").changed(&ROLLED_BACK).stderr(indoc! {"
        error: broker primary of cluster `primary` does not answer: not within <time>; last seen: 127.0.0.1:$PRIMARY does not answer yet
          hint: give it more time with --timeout 300s, or keep everything for inspection with --keep
        Container kmk-demo-primary-1 runs; the last lines of its log:
          | still starting
        Rolled back: nothing from this deploy is left.
    "});
}

#[test]
fn verbose_says_what_is_seen_while_waiting() {
    let kmk = Kmk::on(|kmk| Docker::works().up_makes(&kmk.lab().exited("primary", 1)));
    let refused = "Waiting for the brokers ...\n  127.0.0.1:$PRIMARY does not answer yet\n";
    kmk.deploy("--verbose").code(3).stderr_has(refused);
}

#[test]
fn a_container_that_vanished() {
    let kmk = Kmk::new();
    let docker = Docker::works().up_makes(&kmk.lab().without("primary"));
    let ran = kmk.docker(&docker).deploy("").code(3);
    ran.stderr_has(
        "error: broker primary of cluster `primary` does not answer: its container is gone\n",
    );
}

#[test]
fn a_compose_that_hangs_is_ended_at_the_deadline() {
    let kmk = Kmk::new();
    let docker = Docker::works()
        .up_makes(&kmk.lab())
        .rule(Rule::on(UP).takes(60));
    let kmk = kmk.docker(&docker);
    let ran = kmk.deploy("--timeout 4s").code(3).changed(&ROLLED_BACK);
    ran.stderr_has(&format!(
        "error: `docker {UP_COMMAND}`: not within <time>; last seen: "
    ));
    assert_eq!(kmk.noted("signals"), ["INT"]);
}

#[test]
fn a_lab_that_was_there_before_stays() {
    let kmk = Kmk::new();
    // ended, so that there is something to do
    let lab = kmk.lab().exited("primary", 1);
    let kmk = kmk.docker(
        &Docker::works()
            .with(&lab)
            .rule(Rule::on(UP).fails(1, "something broke\n")),
    );
    let ran = kmk.deploy("").code(3).stdout("");
    ran.stderr_has(
        "\nThe lab existed before and is kept: `kmk status` shows its health, `kmk deploy` tries again.\n",
    )
    .stderr_lacks("Rolling back")
    .changed(&[
        "compose --ansi never -p kmk-demo -f $ROOT/here/kmk-lab/docker-compose.yml up --detach --quiet-pull \
         --force-recreate --no-deps -- mm2-secondary primary secondary",
    ]);
    assert!(kmk.work("kmk-lab/docker-compose.yml").exists());
}

#[test]
fn volumes_of_a_lab_without_containers_are_not_rolled_back() {
    let kmk = Kmk::new();
    let lab = kmk.lab().without_containers();
    let docker = Docker::works()
        .with(&lab)
        .rule(Rule::on(UP).fails(1, "something broke\n"));
    kmk.docker(&docker)
        .deploy("")
        .code(3)
        .changed(&[&format!("{UP_COMMAND} --no-deps -- primary secondary")])
        .stderr_has("The lab existed before and is kept");
}

#[test]
fn paused_containers_go_on() {
    let kmk = Kmk::new();
    let paused = serde_json::json!({"Status": "paused", "StartedAt": "2026-01-01T00:00:01Z"});
    let lab = kmk.lab().state("secondary", paused);
    let docker = Docker::works()
        .with(&lab)
        .rule(Rule::on("unpause id-demo-secondary").fails(1, "no\n"));
    kmk.docker(&docker)
        .deploy("")
        .code(3)
        .changed(&["unpause id-demo-secondary"]);
}

#[test]
fn no_address_range_is_left() {
    for said in [
        "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
        "failed to create network kmk-demo_primary: all predefined address pools have been fully subnetted",
    ] {
        let kmk = Kmk::on(|kmk| up_fails(kmk, &format!("{said}\n")));
        kmk.deploy("--quiet").code(3).changed(&ROLLED_BACK).stderr(indoc! {"
            error: Docker has no free address range for another network
              hint: a lab needs one network per cluster, and Docker has about 30: destroy a lab (`kmk list` shows them), or remove a network with `docker network rm`
            Rolled back: nothing from this deploy is left.
        "});
    }
}
