//! Engines on other machines, and addresses of one's own choice: what is refused, what is written, and what is said.

use crate::docker::{Docker, Rule, UP};
use crate::flags::refused;
use crate::kmk::Kmk;
use indoc::indoc;
use serde_yaml::Value;
use std::fs;
use std::net::TcpListener;

const CONTEXT: &str = "context inspect --format {{json .Endpoints.docker.Host}}";
const FAR: &str = "tcp://10.0.0.1:2375";
const WARNING: &str = "warning: anyone who can reach 10.0.0.1 can read, write and delete everything in this lab: its brokers require no authentication\n";
const NO_BIND: &str = indoc! {"
    error: the Docker engine is remote (tcp://10.0.0.1:2375), and there a lab's ports are published on 127.0.0.1, which cannot be reached from here
      hint: publish them on the address by which clients reach that machine: --bind 10.0.0.1; anyone who reaches it can then read and write
"};

/// An engine that takes a lab no further than to its compose file.
fn as_far_as_up() -> Docker {
    Docker::works().rule(Rule::on(UP).fails(1, "no\n"))
}

/// With a context that leads somewhere.
fn context(host: &str) -> Docker {
    as_far_as_up().rule(Rule::on(CONTEXT).says(&format!("\"{host}\"\n")))
}

fn far() -> Kmk {
    Kmk::new()
        .docker(&as_far_as_up())
        .variable("DOCKER_HOST", FAR)
}

fn compose(kmk: &Kmk) -> Value {
    let text = fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

/// What MirrorMaker would find in the file, if it is not mounted.
fn taken_along(kmk: &Kmk) -> Option<String> {
    let compose = compose(kmk);
    let mirror = &compose["services"]["mm2-secondary"];
    if mirror["volumes"][0]["type"] == "bind" {
        assert!(compose["configs"].is_null() && mirror["configs"].is_null());
        return None;
    }
    let mut mounts = mirror["volumes"].as_sequence().into_iter().flatten();
    assert!(mounts.all(|mount| mount["type"] == "volume"));
    assert_eq!(mirror["configs"][0]["target"], "/mm2.properties");
    let content = compose["configs"]["mm2-properties"]["content"].as_str();
    Some(content.unwrap().replace("$$", "$"))
}

#[test]
fn an_engine_elsewhere_wants_an_address_before_anything_is_made() {
    let by_config = Kmk::new().docker(&context(FAR));
    fs::create_dir(by_config.path("home/.docker")).unwrap();
    let config = r#"{"auths": {}, "currentContext": "far"}"#;
    fs::write(by_config.path("home/.docker/config.json"), config).unwrap();
    for kmk in [
        far(),
        // what docker itself would go by
        far().variable("DOCKER_CONTEXT", "near"),
        Kmk::new()
            .docker(&context(FAR))
            .variable("DOCKER_CONTEXT", "far"),
        by_config,
    ] {
        for flags in ["", "--any-port"] {
            let ran = kmk.deploy(flags).code(2).stdout("");
            ran.stderr(NO_BIND).changed(&[]);
        }
        assert!(!kmk.work("kmk-lab").exists());
    }
}

#[test]
fn a_host_name_is_no_address_to_suggest() {
    let kmk = Kmk::new()
        .docker(&as_far_as_up())
        .variable("DOCKER_HOST", "ssh://me@big-box");
    kmk.deploy("").code(2).changed(&[]).stderr_has(
        "error: the Docker engine is remote (ssh://me@big-box), and there a lab's ports are published on 127.0.0.1, which cannot be reached from here\n  \
         hint: publish them on the address by which clients reach that machine: --bind ADDRESS; ",
    );
}

#[test]
fn an_engine_of_this_machine_is_told_nothing_new() {
    for kmk in [
        Kmk::new().variable("DOCKER_HOST", ""),
        Kmk::new().variable("DOCKER_HOST", "unix:///run/another.sock"),
        Kmk::new().variable("DOCKER_CONTEXT", "default"),
        Kmk::new().variable("DOCKER_CONTEXT", "desktop-linux"),
    ] {
        let kmk = kmk.docker(&context("unix:///home/me/.docker/desktop/docker.sock"));
        let ran = kmk.deploy("--keep").code(3);
        ran.stderr_has("up --detach").stderr_lacks("warning");
        assert_eq!(taken_along(&kmk), None);
    }
}

#[test]
fn elsewhere_the_properties_go_along_in_the_compose_file() {
    let kmk = far();
    let ran = kmk.deploy("--bind 10.0.0.1 --keep").code(3);
    ran.stderr_has(&format!("{WARNING}Starting the containers ..."))
        .changed(&["compose --ansi never -p kmk-demo -f kmk-lab/docker-compose.yml up --detach --quiet-pull --no-recreate"]);
    let written = fs::read_to_string(kmk.work("kmk-lab/mm2.properties")).unwrap();
    let (_, properties) = written.split_once('\n').unwrap();
    assert_eq!(taken_along(&kmk).as_deref(), Some(properties));
    let compose = compose(&kmk);
    for (cluster, port) in ["primary", "secondary"].into_iter().zip(kmk.ports()) {
        let broker = &compose["services"][cluster];
        assert_eq!(
            broker["ports"][0],
            format!("10.0.0.1:{port}:{port}").as_str()
        );
        let advertised = format!("INSIDE://{cluster}:9092,OUTSIDE://10.0.0.1:{port}");
        let environment = &broker["environment"];
        assert_eq!(
            environment["KAFKA_ADVERTISED_LISTENERS"],
            advertised.as_str()
        );
    }
    let labels = &compose["services"]["primary"]["labels"];
    assert_eq!(labels["kmk.format"], "2");
    assert!(
        labels["kmk.spec"]
            .as_str()
            .unwrap()
            .contains(r#""bind":"10.0.0.1""#)
    );
}

#[test]
fn a_secret_goes_along_only_by_its_name() {
    let kmk = far().variable("KMK_TEST_SECRET", "hunter2");
    let file = "clusters: [{name: primary}, {name: secondary}]\nbind: 10.0.0.1\nflows:\n  - from: primary\n    to: secondary\n    \
                settings: {consumer.ssl.key.password: '${env:KMK_TEST_SECRET}'}\n";
    fs::write(kmk.work("kmk.yml"), file).unwrap();
    kmk.deploy("--keep").code(3).stderr_has(WARNING);
    let text = fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    assert!(text.contains("$${env:KMK_TEST_SECRET}") && !text.contains("hunter2"));
    let properties = taken_along(&kmk).unwrap();
    assert!(
        properties.contains("= ${env:KMK_TEST_SECRET}"),
        "{properties}"
    );
}

#[test]
fn compose_must_be_able_to_take_files_along() {
    for (version, is_enough) in [
        ("2.20.0", false),
        ("v2.23.0", false),
        ("2.23.1", true),
        ("2.40.3-desktop.1", true),
    ] {
        let docker =
            as_far_as_up().rule(Rule::on("compose version --short").says(&format!("{version}\n")));
        let kmk = far().docker(&docker);
        let ran = kmk.deploy("--bind 10.0.0.1").code(3).stdout("");
        if is_enough {
            ran.stderr_has("up --detach");
        } else {
            ran.changed(&[]).stderr(&format!(
                "error: docker compose {} is too old for a remote Docker engine; 2.23.1 or later is needed\n  \
                 hint: update Docker Desktop, or Docker's compose plugin\n",
                version.trim_start_matches('v')
            ));
        }
    }
}

#[test]
fn what_is_busy_here_is_no_matter_elsewhere() {
    let kmk = far();
    let _listeners = kmk
        .ports()
        .map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
    for flags in ["--bind 127.0.0.1", "--bind 10.0.0.1 --any-port"] {
        kmk.deploy(flags)
            .code(3)
            .stderr_has("up --detach")
            .stderr_lacks("in use");
    }
}

#[test]
fn ports_are_chosen_by_what_the_engine_elsewhere_publishes() {
    let kmk = far();
    let all = "ps --all --no-trunc --quiet";
    let foreign = r#"[{"Id": "x", "Name": "/web", "Created": "2026-01-01T00:00:00Z", "State": {"Status": "running"},
        "Config": {"Image": "nginx", "Labels": null},
        "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "19092"}]}}}]"#;
    let docker = as_far_as_up()
        .rule(Rule::on(all).says("x\n"))
        .rule(Rule::on("container inspect x").says(foreign));
    let kmk = kmk.docker(&docker);
    kmk.run("deploy --any-port --bind 10.0.0.1 --keep").code(3);
    let compose = compose(&kmk);
    let port = |cluster: &str| {
        compose["services"][cluster]["ports"][0]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(port("primary"), "10.0.0.1:19093:19093");
    assert_eq!(port("secondary"), "10.0.0.1:19192:19192");
}

#[test]
fn an_address_that_cannot_be_advertised() {
    refused(&[
        (
            "deploy --bind 0.0.0.0",
            "error: brokers cannot advertise 0.0.0.0: it means every address of a machine, and clients need one to connect to\n  \
             hint: give the address by which clients reach the engine's machine, such as --bind 192.168.1.20\n",
        ),
        (
            "deploy --bind ::",
            "error: brokers cannot advertise ::: it means every address",
        ),
        (
            "deploy --bind 224.0.0.1",
            "error: brokers cannot advertise 224.0.0.1: it is not the address of a single machine",
        ),
        (
            "deploy --bind 255.255.255.255",
            "it is not the address of a single machine",
        ),
        (
            "deploy --bind fe80::1",
            "error: brokers cannot advertise fe80::1: it means a different machine on every network link",
        ),
        (
            "deploy --bind localhost",
            "invalid value 'localhost' for '--bind <ADDRESS>': must be an IP address, such as 192.168.1.20",
        ),
        ("deploy --bind 10.0.0.1:9092", "must be an IP address"),
        (
            "deploy --bind",
            "a value is required for '--bind <ADDRESS>'",
        ),
        (
            "deploy --dry-run --bind 0.0.0.0",
            "brokers cannot advertise 0.0.0.0",
        ),
    ]);
}

#[test]
fn a_lab_file_has_the_address_too() {
    let kmk = Kmk::new();
    let file = |bind: &str| format!("clusters: [{{name: primary}}]\nbind: {bind}\n");
    for (bind, said) in [
        (
            "0.0.0.0",
            "kmk.yml:2:7: brokers cannot advertise 0.0.0.0: it means every",
        ),
        (
            "here",
            "kmk.yml:2:7: `bind` must be an IP address such as 192.168.1.20, got `here`",
        ),
        (
            "",
            "kmk.yml:2:5: `bind` must be an IP address such as 192.168.1.20, got nothing",
        ),
    ] {
        fs::write(kmk.work("kmk.yml"), file(bind)).unwrap();
        kmk.run("deploy --dry-run")
            .code(2)
            .stdout("")
            .stderr_has(said);
    }
    fs::write(kmk.work("kmk.yml"), file("10.0.0.1")).unwrap();
    let ran = kmk.run("deploy --dry-run").code(0);
    ran.stdout_has("Clusters would be primary at 10.0.0.1:19092\n")
        .stderr_has(WARNING);
    let ran = kmk.run("deploy --dry-run --bind [2001:db8::7]").code(0);
    ran.stdout_has("Clusters would be primary at [2001:db8::7]:19092\n");
}

#[test]
fn a_dry_run_writes_what_would_go_elsewhere() {
    let kmk = far();
    kmk.run("deploy --dry-run")
        .code(2)
        .stdout("")
        .stderr(NO_BIND)
        .no_calls();
    assert!(!kmk.work("kmk-lab").exists());
    let ran = kmk.run("deploy --dry-run --bind 10.0.0.1").code(0);
    ran.stderr_has(WARNING).no_calls();
    assert!(taken_along(&kmk).is_some());
    // without docker nobody knows where a context leads
    let kmk = Kmk::new()
        .without_docker()
        .variable("DOCKER_CONTEXT", "far");
    kmk.run("deploy --dry-run").code(0);
    assert_eq!(taken_along(&kmk), None);
}

#[test]
fn files_of_the_lab_of_that_name_on_this_machine_are_not_touched() {
    let kmk = Kmk::new().docker(&as_far_as_up());
    kmk.deploy("--keep").code(3);
    let file = kmk.work("kmk-lab/docker-compose.yml");
    let before = fs::read_to_string(&file).unwrap();
    let kmk = kmk.variable("DOCKER_HOST", FAR);
    kmk.deploy("--bind 10.0.0.1").code(2).stderr_has("error: kmk-lab/docker-compose.yml belongs to lab `demo`\n  hint: choose another directory with --dir");
    kmk.run("destroy").code(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    kmk.deploy("--bind 10.0.0.1 --overwrite --keep").code(3);
    let after = fs::read_to_string(&file).unwrap();
    let header = "# Written by kmk for lab demo at tcp://10.0.0.1:2375 (";
    assert!(after.starts_with(header), "{after}");
    kmk.run("destroy").code(0);
    assert!(!kmk.work("kmk-lab").exists());
}

#[test]
fn the_warning_is_not_for_quiet() {
    let ran = far().deploy("--quiet --bind 10.0.0.1").code(3);
    ran.stderr_has(WARNING).stderr_lacks("Starting");
}

#[test]
fn the_loopback_of_this_machine_is_nothing_to_warn_of() {
    let kmk = Kmk::new().docker(&as_far_as_up());
    kmk.deploy("--bind 127.0.0.1")
        .code(3)
        .stderr_lacks("warning");
    let ran = far().deploy("--bind 127.0.0.1").code(3);
    ran.stderr_has("warning: anyone who can reach 127.0.0.1 can");
}

#[test]
fn an_address_of_another_machine() {
    let said = indoc! {"
        error: 203.0.113.254 is not an address of the machine that the Docker engine runs on: no port can be published on it
          hint: give --bind an address that `ip address` shows on that machine
    "};
    // an engine that shares this machine's files, as its directory shows
    let home = r#"{"id":"engine","memory":17179869184,"root":"/","errors":null}"#;
    let here = Docker::works().rule(Rule::on("info *").says(home));
    let ran = Kmk::new()
        .docker(&here)
        .deploy("--bind 203.0.113.254")
        .code(2);
    ran.stderr(said).changed(&[]);
    let refusing = "Error starting userland proxy: listen tcp4 203.0.113.254:19092: bind: cannot assign requested address\n";
    let ran = far().docker(&as_far_as_up().rule(Rule::on(UP).fails(1, refusing)));
    ran.deploy("--bind 203.0.113.254").code(2).stderr_has(said);
}

/// The default lab, made by a deploy with some flags.
fn made(kmk: Kmk, flags: &str) -> Kmk {
    kmk.deploy(&format!("--dry-run {flags}")).code(0);
    let text = fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    let lab = kmk.lab().made_from(&text);
    kmk.docker(&as_far_as_up().with(&lab))
}

#[test]
fn another_address_recreates_the_brokers_and_nothing_else() {
    for kmk in [Kmk::new(), far()] {
        let kmk = made(kmk, "--bind 127.0.0.1");
        let ran = kmk.deploy("--bind ::1").code(3);
        ran.stderr_has(" --force-recreate --no-deps -- primary secondary`");
    }
}

#[test]
fn an_address_that_is_not_named_stays() {
    let kmk = made(far(), "--bind 10.0.0.1");
    let ran = kmk.deploy("--partitions 2").code(3);
    ran.stderr_has(WARNING).stderr_has(" -- primary secondary`");
    let file =
        "clusters: [{name: primary}, {name: secondary}]\nflows: [{from: primary, to: secondary}]\n";
    fs::write(kmk.work("kmk.yml"), file).unwrap();
    kmk.run("deploy --partitions 3").code(3).stderr_has(WARNING);
}

#[test]
fn a_lab_without_an_address_is_not_changed_from_elsewhere() {
    let kmk = made(Kmk::new(), "").variable("DOCKER_HOST", FAR);
    kmk.deploy("").code(2).stderr_has(NO_BIND).changed(&[]);
}

#[test]
fn a_mirror_that_is_driven_from_elsewhere_gets_its_file_again() {
    let kmk = made(Kmk::new(), "--bind 10.0.0.1").variable("DOCKER_HOST", FAR);
    let ran = kmk.deploy("--overwrite").code(3);
    ran.stderr_has(" --force-recreate --no-deps -- mm2-secondary`");
}

#[test]
fn a_context_that_does_not_answer_is_named() {
    let docker = Docker::down("Cannot connect to the Docker daemon\n")
        .rule(Rule::on(CONTEXT).says(&format!("\"{FAR}\"\n")));
    let kmk = Kmk::new().docker(&docker).variable("DOCKER_CONTEXT", "far");
    kmk.run("destroy").code(3).stdout("").changed(&[]).stderr(indoc! {"
        error: the Docker engine does not answer: nothing answers at tcp://10.0.0.1:2375, the address of docker's current context
          caused by: Cannot connect to the Docker daemon
          hint: start that engine, or choose another context (`docker context ls` lists them); `docker context use default` is this machine
    "});
}
