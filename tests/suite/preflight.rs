//! Whatever stands in the way is found before anything is made, all of it at once.

use crate::docker::{Docker, Rule, UP};
use crate::kmk::{DEPLOY, Kmk};
use crate::lab::stranger;
use indoc::{formatdoc, indoc};
use std::net::TcpListener;

const NO_DOCKER: &str = indoc! {"
    error: `docker` is not on PATH
      hint: install Docker Desktop, or Docker Engine with its compose plugin
"};

#[test]
fn docker_is_missing() {
    for verb in [DEPLOY, "status", "destroy", "env", "logs"] {
        Kmk::new()
            .without_docker()
            .run(verb)
            .code(3)
            .stdout("")
            .stderr(NO_DOCKER);
    }
}

#[test]
fn docker_is_podman() {
    let podman = Docker::down("Error: template: no ServerErrors")
        .rule(Rule::on("--version").says("podman version 5.2.0\n"));
    Kmk::new()
        .docker(&podman)
        .deploy("")
        .code(3)
        .stdout("")
        .stderr(indoc! {"
        error: `docker` is Podman here, which kmk does not support
          hint: install Docker, or put it before Podman on PATH
    "});
}

#[test]
fn podman_without_any_info() {
    let podman = Docker::down("")
        .rule(Rule::on("info *").says("host:\n"))
        .rule(Rule::on("--version").says("podman version 5.2.0\n"));
    for verb in ["destroy", DEPLOY] {
        Kmk::new()
            .docker(&podman)
            .run(verb)
            .code(3)
            .stderr_has("error: `docker` is Podman here");
    }
}

#[test]
fn the_engine_is_down() {
    let said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n";
    let ran = Kmk::new()
        .docker(&Docker::down(said))
        .deploy("")
        .code(3)
        .stdout("")
        .changed(&[]);
    ran.stderr_has(indoc! {"
        error: the Docker engine does not answer: it is not running
          caused by: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?
          hint: start "});
}

#[test]
fn the_engine_is_down_for_every_verb() {
    let failed = Docker::down("Cannot connect\n").rules(
        ["ps *", "volume ls *", "network ls *"]
            .map(|list| Rule::on(list).fails(1, "Cannot connect\n")),
    );
    for verb in ["status", "destroy", "env", "logs"] {
        let ran = Kmk::new()
            .docker(&failed)
            .run(verb)
            .code(3)
            .stdout("")
            .changed(&[]);
        ran.stderr_has("error: the Docker engine does not answer: it is not running\n  caused by: Cannot connect\n  hint: start ");
    }
}

#[test]
fn no_permission_on_the_socket() {
    let said = "permission denied while trying to connect to the Docker daemon socket\n";
    Kmk::new()
        .docker(&Docker::down(said))
        .deploy("")
        .code(3)
        .stdout("")
        .stderr(indoc! {"
        error: the Docker engine does not answer: no permission to use its socket
          caused by: permission denied while trying to connect to the Docker daemon socket
          hint: add yourself to the group `docker` and log in again, or use sudo
    "});
}

#[test]
fn docker_host_points_nowhere() {
    let kmk = Kmk::new().docker(&Docker::down("error during connect: no route to host\n"));
    kmk.variable("DOCKER_HOST", "tcp://10.0.0.1:2375")
        .deploy("")
        .code(3)
        .stdout("")
        .stderr(indoc! {"
        error: the Docker engine does not answer: nothing answers at DOCKER_HOST=tcp://10.0.0.1:2375
          caused by: error during connect: no route to host
          hint: correct DOCKER_HOST, or unset it to use this machine's engine
        error: the Docker engine is remote (tcp://10.0.0.1:2375), and there a lab's ports are published on 127.0.0.1, which cannot be reached from here
          hint: publish them on the address by which clients reach that machine: --bind 10.0.0.1; anyone who reaches it can then read and write
    "});
}

#[test]
fn docker_has_no_such_context() {
    let said = "Failed to initialize: unable to resolve docker endpoint: context \"nope\": context not found\n";
    let docker = Docker::down(said).rule(Rule::on("ps *").fails(1, said));
    for verb in ["status", "list"] {
        Kmk::new()
            .docker(&docker)
            .variable("DOCKER_CONTEXT", "nope")
            .run(verb)
            .code(3)
            .stderr(indoc! {r#"
            error: the Docker engine does not answer: docker has no context `nope`
              caused by: Failed to initialize: unable to resolve docker endpoint: context "nope": context not found
              hint: choose another context (`docker context ls` lists them); for this machine unset DOCKER_CONTEXT, or run `docker context use default`
        "#});
    }
}

#[test]
fn what_docker_says_of_an_engine_is_shown_and_its_template_is_not() {
    let hint = "hint: correct DOCKER_HOST, or unset it to use this machine's engine\n";
    let template =
        "template: :1:7: executing \"\" at <json .ID>: nil pointer evaluating *system.Info.ID\n";
    let answer = r#"{"id":"","memory":0,"root":"","errors":["Error reading remote info: EOF"]}"#;
    for (rule, cause) in [
        (
            Rule::on("info *").fails(
                1,
                &format!("error during connect: no such host\n{template}"),
            ),
            "error during connect: no such host",
        ),
        (
            Rule::on("info *").says(answer),
            "Error reading remote info: EOF",
        ),
    ] {
        let docker = Docker::down("")
            .rule(rule)
            .rule(Rule::on("ps *").fails(1, ""));
        let kmk = Kmk::new()
            .docker(&docker)
            .variable("DOCKER_HOST", "tcp://nope:1");
        kmk.run("status").code(3).stderr(&format!(
            "error: the Docker engine does not answer: nothing answers at DOCKER_HOST=tcp://nope:1\n  caused by: {cause}\n  {hint}"
        ));
    }
}

#[test]
fn compose_is_missing() {
    let docker = Docker::works()
        .rule(Rule::on("compose version --short").fails(1, "unknown flag: --short\n"));
    Kmk::new().docker(&docker).deploy("").code(3).stdout("").changed(&[]).stderr(indoc! {"
        error: `docker compose` is not installed
          hint: install Docker's compose plugin, v2.20 or later; the old docker-compose (v1) is not enough
    "});
}

#[test]
fn the_engine_and_compose_at_once() {
    let docker =
        Docker::down("permission denied\n").rule(Rule::on("compose version --short").fails(1, ""));
    Kmk::new().docker(&docker).deploy("").code(3).stdout("").stderr(indoc! {"
        error: the Docker engine does not answer: no permission to use its socket
          caused by: permission denied
          hint: add yourself to the group `docker` and log in again, or use sudo
        error: `docker compose` is not installed
          hint: install Docker's compose plugin, v2.20 or later; the old docker-compose (v1) is not enough
    "});
}

#[test]
fn compose_is_too_old() {
    for version in ["1.29.2", "v2.19.1", "2.3.3-desktop.2"] {
        let docker =
            Docker::works().rule(Rule::on("compose version --short").says(&format!("{version}\n")));
        let ran = Kmk::new()
            .docker(&docker)
            .deploy("")
            .code(3)
            .stdout("")
            .changed(&[]);
        ran.stderr(&formatdoc! {"
            error: docker compose {} is too old; 2.20 or later is needed
              hint: update Docker Desktop, or Docker's compose plugin
        ", version.trim_start_matches('v')});
    }
}

#[test]
fn a_newer_compose_is_as_good() {
    for version in ["2.20.0", "v2.40.3-desktop.1", "5.0.1"] {
        let docker = Docker::works()
            .rule(Rule::on("compose version --short").says(&format!("{version}\n")))
            .rule(Rule::on(UP).fails(1, ""));
        let ran = Kmk::new().docker(&docker).deploy("").code(3);
        ran.stderr_lacks("too old").stderr_has("up --detach");
    }
}

#[test]
fn several_problems_in_one_run() {
    let kmk = Kmk::new();
    let docker = Docker::works()
        .rule(Rule::on("compose version --short").says("2.19.1\n"))
        .rule(Rule::on("image inspect *").fails(1, "Error: No such image\n"))
        .rule(Rule::on("manifest inspect *").fails(1, "no such manifest: apache/kafka:3.9.2\n"))
        .with(&kmk.lab_named("other"));
    let kmk = kmk.docker(&docker);
    std::fs::write(kmk.work("kmk-lab"), "a file").unwrap();
    let _listeners = kmk
        .ports()
        .map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
    let [primary, secondary] = kmk.ports().map(|port| port + 10_000);
    kmk.deploy("").code(3).stdout("").changed(&[]).stderr(&formatdoc! {"
        error: docker compose 2.19.1 is too old; 2.20 or later is needed
          hint: update Docker Desktop, or Docker's compose plugin
        error: port $PRIMARY for cluster `primary` is in use by container kmk-other-primary-1 of lab `other`
          hint: choose another with --port primary={primary}, or let kmk choose with --any-port
        error: port $SECONDARY for cluster `secondary` is in use by container kmk-other-secondary-1 of lab `other`
          hint: choose another with --port secondary={secondary}, or let kmk choose with --any-port
        error: cannot write to kmk-lab
          caused by: Not a directory (os error 20)
          hint: choose another directory with --dir
        error: image apache/kafka:3.9.2 is not available locally and cannot be pulled: no such manifest: apache/kafka:3.9.2
          hint: check the name and the network, or choose a local image with --image (`docker images` lists them)
    "});
    assert_eq!(
        std::fs::read_to_string(kmk.work("kmk-lab")).unwrap(),
        "a file"
    );
}

#[test]
fn a_process_holds_a_port() {
    let kmk = Kmk::new();
    let _listener = TcpListener::bind(("0.0.0.0", kmk.ports()[1])).unwrap();
    let elsewhere = kmk.ports()[1] + 10_000;
    let ran = kmk.deploy("").code(3).stdout("").changed(&[]);
    let hint = format!(
        "choose another with --port secondary={elsewhere}, or let kmk choose with --any-port"
    );
    ran.stderr_has("error: port $SECONDARY for cluster `secondary` is in use by ")
        .stderr_has(&format!(" (process <pid>)\n  hint: {hint}\n"));
}

#[test]
fn too_little_memory() {
    let docker = Docker::works()
        .rule(Rule::on("info *").says(r#"{"id":"engine","memory":536870912,"root":"/not/here"}"#));
    Kmk::new()
        .docker(&docker)
        .deploy("")
        .code(3)
        .stdout("")
        .changed(&[])
        .stderr(indoc! {"
        error: the lab needs about 768 MiB of memory, but only 512 MiB are available to Docker
          hint: stop something else, or give Docker more memory (Docker Desktop: Settings, Resources)
    "});
}

#[test]
fn a_stranger_in_the_project_is_left_alone() {
    for kind in ["container", "volume", "network"] {
        for verb in [DEPLOY, "destroy"] {
            let kmk = Kmk::new().docker(&Docker::works().rules(stranger(kind)));
            kmk.run(verb)
                .code(3)
                .stdout("")
                .changed(&[])
                .stderr(&formatdoc! {"
                error: compose project `kmk-demo` exists and was not created by kmk: {kind} stranger
                  hint: choose another name with --lab, or remove the project with docker if it is yours
            "});
            assert!(!kmk.work("kmk-lab").exists());
        }
    }
}

#[test]
fn a_stranger_beside_the_lab_saves_both() {
    let kmk = Kmk::new();
    let lab = kmk.lab();
    let kmk = kmk.docker(&Docker::works().with(&lab).rules(stranger("container")));
    kmk.run("destroy")
        .code(3)
        .stdout("")
        .changed(&[])
        .stderr_has("was not created by kmk: container stranger");
}

#[test]
fn a_lab_of_a_newer_kmk_is_not_touched() {
    for verb in [DEPLOY, "status", "destroy", "env", "logs"] {
        let kmk = Kmk::new();
        let lab = kmk.lab().format("4");
        kmk.docker(&Docker::works().with(&lab)).run(verb).code(3).stdout("").changed(&[]).stderr(indoc! {"
            error: lab `demo` was created by a newer kmk (its labels have format 4; this kmk knows formats up to 3)
              hint: use the kmk that made it, or a newer one; this one supports formats up to 3
        "});
    }
}
