//! What is not the lab's is neither used nor touched.

use crate::engine::{Bystander, docker, docker_words, kafka_image};
use crate::kcat::Kcat;
use crate::lab::Lab;
use crate::process::Ran;
use std::fs;
use std::net::TcpListener;
use std::process::Command;

#[test]
#[ignore = "needs Docker"]
fn a_compose_project_of_a_persons_own_is_refused_and_untouched() {
    let lab = Lab::new("strangers");
    let project = format!("kmk-{}", lab.name);
    let image = kafka_image();
    let file = tempfile::NamedTempFile::with_suffix(".yml").unwrap();
    let yaml = format!(
        "services: {{mine: {{image: '{image}', entrypoint: [sleep, '600'], volumes: ['data:/data']}}}}\nvolumes: {{data: {{}}}}\n"
    );
    fs::write(file.path(), yaml).unwrap();
    let path = file.path().to_str().unwrap();
    let project = Project {
        name: project,
        file: path.to_owned(),
    };
    project.compose("up -d");
    let before = lab.remains();
    assert!(before.len() >= 3, "{before:?}");
    let state = || {
        docker_words(
            &[
                "inspect",
                "--format",
                "{{.Id}} {{.State.Status}} {{.State.StartedAt}}",
                &format!("{}-mine-1", project.name),
            ],
            b"",
        )
    };
    let was = state();
    let words = format!(
        "compose project `{}` exists and was not created by kmk: container {0}-mine-1",
        project.name
    );
    lab.deploy("").code(3).says(&words);
    lab.kmk("destroy").code(3).says(&words);
    lab.kmk("status").code(3);
    assert_eq!(lab.remains(), before);
    assert_eq!(state(), was);
    assert_eq!(lab.home.path().read_dir().unwrap().count(), 0, "no files");
    drop(project);
    assert_eq!(lab.remains(), Vec::<String>::new());
}

/// Made by hand with docker compose, gone at the end.
struct Project {
    name: String,
    file: String,
}

impl Project {
    fn compose(&self, line: &str) {
        docker(&format!("compose -p {} -f {} {line}", self.name, self.file));
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let mut down = Command::new("docker");
        down.args([
            "compose", "-p", &self.name, "-f", &self.file, "down", "-v", "-t", "0",
        ]);
        let _ = down.output();
    }
}

#[test]
#[ignore = "needs Docker"]
fn a_port_in_use_is_named_with_its_holder_and_the_flag() {
    let lab = Lab::new("ports");
    let [primary, secondary] = lab.ports;
    let container = Bystander::start("e2e-holds-a-port", &format!("-p 127.0.0.1:{primary}:9092"));
    let listener = TcpListener::bind(("127.0.0.1", secondary)).unwrap();
    let before = container.state();
    let me = format!("(process {})", std::process::id());
    lab.deploy("")
        .code(3)
        .says(&format!(
            "port {primary} for cluster `primary` is in use by container e2e-holds-a-port"
        ))
        .says(&format!(
            "port {secondary} for cluster `secondary` is in use by "
        ))
        .says(&me)
        .says("--port primary=")
        .says("--port secondary=");
    lab.assert_gone();
    drop(listener);
    assert_eq!(container.state(), before);

    println!("the next free port");
    // where it cannot be had, someone else holds it
    let _usual = TcpListener::bind(("127.0.0.1", 19092));
    lab.kmk("deploy --any-port").code(0);
    let status = lab.kmk("status --json").code(0).json();
    let address = status["clusters"][0]["bootstrap"].as_str().unwrap();
    assert_ne!(address, "127.0.0.1:19092");
    lab.kmk("produce --topic orders").code(0);
    assert_eq!(Kcat(address.to_owned()).values("orders").len(), 1);
}

#[test]
#[ignore = "needs Docker"]
fn two_deploys_at_once_and_a_destroy_beside_strangers() {
    let lab = Lab::new("two");
    let idle = Bystander::create("e2e-idle", "--label com.docker.compose.project=kmk-e2e");
    let busy = Bystander::start("e2e-busy", "");
    let states = || [idle.state(), busy.state()];
    let before = states();
    let mut first = lab.start(&lab.deploy_line(""));
    first.until_it_says("Starting the containers");
    let holder = format!("is in use by kmk deploy (process {})", first.pid());
    lab.deploy("").code(3).says(&holder);
    lab.kmk("destroy").code(3).says(&holder);
    first.finish().code(0);
    lab.kmk("status").code(0);

    println!("a stranger in the lab's network");
    docker(&format!(
        "network connect {} e2e-busy",
        lab.network("primary")
    ));
    let destroyed: Ran = lab.kmk("destroy --timeout 20s");
    assert_eq!(states(), before);
    destroyed.code(0);
    lab.assert_gone();
}
