//! Clusters that were there before the lab, and that no kmk made: mirrored from and to, looked at, and left alone.

use crate::engine::{docker_words, image_of, kafka_image};
use crate::health::signal;
use crate::kcat::{CROSSING, Kcat};
use crate::lab::{Lab, free_port};
use crate::process::{PATIENCE, Ran, until};
use kafka_mirror_kit::core::topology::NEXT_KAFKA_VERSION;
use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

const PASSWORD: &str = "sw0rdfish-4711";

/// A broker that `docker run` started, gone at the end.
struct Outside {
    name: String,
    port: u16,
}

impl Outside {
    /// One that anyone may enter, and that tells its clients to come to `localhost`, as most on a laptop do.
    fn start(theme: &str, image: &str) -> Self {
        let outside = Self::run(theme, image, "localhost", "0.0.0.0", "PLAINTEXT", &[]);
        outside.kcat().until_it_answers();
        outside
    }

    /// One that wants a name and a password.
    fn locked(theme: &str) -> Self {
        let module = "org.apache.kafka.common.security.plain.PlainLoginModule required";
        let users = format!(
            "{module} username=\"broker\" password=\"{PASSWORD}\" user_broker=\"{PASSWORD}\";"
        );
        let more = [
            ("SASL_ENABLED_MECHANISMS", "PLAIN"),
            ("SASL_MECHANISM_INTER_BROKER_PROTOCOL", "PLAIN"),
            ("LISTENER_NAME_OUTSIDE_PLAIN_SASL_JAAS_CONFIG", &users),
        ];
        let image = kafka_image();
        Self::run(
            theme,
            &image,
            "localhost",
            "0.0.0.0",
            "SASL_PLAINTEXT",
            &more,
        )
    }

    fn run(
        theme: &str,
        image: &str,
        advertised: &str,
        published: &str,
        protocol: &str,
        more: &[(&str, &str)],
    ) -> Self {
        let port = free_port();
        let name = format!("kmk-e2e-outside-{theme}");
        let _ = Command::new("docker").args(["rm", "-fv", &name]).output();
        let listeners = format!("OUTSIDE://:{port},CONTROLLER://:9093");
        let advertised = format!("OUTSIDE://{advertised}:{port}");
        let protocols = format!("OUTSIDE:{protocol},CONTROLLER:PLAINTEXT");
        let settings = [
            ("NODE_ID", "1"),
            ("PROCESS_ROLES", "broker,controller"),
            ("CONTROLLER_QUORUM_VOTERS", "1@localhost:9093"),
            ("CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
            ("LISTENERS", &listeners),
            ("ADVERTISED_LISTENERS", &advertised),
            ("LISTENER_SECURITY_PROTOCOL_MAP", &protocols),
            ("INTER_BROKER_LISTENER_NAME", "OUTSIDE"),
            ("OFFSETS_TOPIC_REPLICATION_FACTOR", "1"),
            ("TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1"),
            ("TRANSACTION_STATE_LOG_MIN_ISR", "1"),
            ("HEAP_OPTS", "-Xmx256m"),
        ];
        let publish = format!("{published}:{port}:{port}");
        let mut words = vec!["run", "-d", "--name", &name, "-p", &publish];
        let variables: Vec<String> = settings
            .iter()
            .chain(more)
            .map(|(name, value)| format!("KAFKA_{name}={value}"))
            .collect();
        words.extend(variables.iter().flat_map(|variable| ["-e", variable]));
        words.push(image);
        docker_words(&words, b"");
        Self { name, port }
    }

    fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    fn kcat(&self) -> Kcat {
        Kcat(self.address())
    }

    /// Its id, state, and since when.
    fn state(&self) -> String {
        let format = "{{.Id}} {{.State.Status}} {{.State.StartedAt}}";
        docker_words(&["inspect", "--format", format, &self.name], b"")
    }

    /// Kafka's own tool, logged in.
    fn tool_inside(&self, line: &str, input: &[u8]) -> String {
        let login = format!(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"broker\" password=\"{PASSWORD}\";\n"
        );
        let write = ["exec", "-i", &self.name, "sh", "-c", "cat > /tmp/login"];
        docker_words(&write, login.as_bytes());
        let words = ["exec", "-i", &self.name, "sh", "-c", line];
        docker_words(&words, input)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args(["rm", "-fv", &self.name])
            .output();
    }
}

fn write_file(lab: &Lab, text: &str) {
    fs::write(lab.home.path().join("kmk.yml"), text).unwrap();
}

fn lines(what: &str, count: usize) -> (BTreeSet<String>, String) {
    let lines: Vec<String> = (0..count).map(|n| format!("{what} {n:04}")).collect();
    let text = lines.join("\n") + "\n";
    (lines.into_iter().collect(), text)
}

#[test]
#[ignore = "needs Docker"]
fn a_cluster_that_was_there_before_is_mirrored_into_a_lab_and_left_alone() {
    let outside = Outside::start("source", &kafka_image());
    let (mut sent, text) = lines("before", 500);
    outside.kcat().produce("orders", &text);
    let before = outside.state();
    let lab = Lab::new("existing");
    let port = lab.ports[1];
    let file = format!(
        "clusters:\n  - name: onprem\n    bootstrap: {}\n  - name: lab\n    port: {port}\nflows:\n  - {{from: onprem, to: lab}}\n",
        outside.address()
    );
    write_file(&lab, &file);
    let syncs = "mm2-offset-syncs.lab.internal";
    lab.kmk("deploy")
        .code(0)
        .says(&format!("MirrorMaker creates on it: {syncs}"))
        .prints("is up and MirrorMaker runs");
    lab.secondary()
        .until_it_has("onprem.orders", &sent, CROSSING);

    println!("kmk's own clients work with it by its name");
    let (more, text) = lines("through kmk", 300);
    lab.kmk_reading(
        "produce --topic orders --cluster onprem --file -",
        text.as_bytes(),
    )
    .code(0);
    sent.extend(more);
    lab.secondary()
        .until_it_has("onprem.orders", &sent, CROSSING);
    assert_eq!(lab.secondary().values("onprem.orders").len(), sent.len());
    lab.kmk("consume --topic orders --cluster onprem --messages 800")
        .code(0);
    lab.kmk("topics --cluster onprem").code(0).prints("to lab");
    lab.kmk("groups --cluster onprem").code(0);
    lab.kmk("env")
        .code(0)
        .prints(&format!("ONPREM_BOOTSTRAP={}\n", outside.address()));
    lab.kmk("status")
        .code(0)
        .prints("healthy")
        .says("no canary is sent through onprem->lab")
        .says("what MirrorMaker reports (last heartbeat ")
        .says("`canary: true` for onprem");
    println!("no canary, and yet a MirrorMaker that hangs is not well");
    let worker = lab.container("mm2-lab");
    signal(&worker, "STOP");
    until("its silence is noticed", Duration::from_secs(10), || {
        let told = lab.kmk("status").text();
        let silence = "flow onprem->lab: MirrorMaker has sent no heartbeat for ";
        told.contains(silence).then_some(())
    });
    signal(&worker, "CONT");
    until("it is heard again", Duration::from_secs(10), || {
        (lab.kmk("status --json").json()["healthy"] == true).then_some(())
    });
    assert!(
        !outside
            .kcat()
            .topics()
            .keys()
            .any(|name| name.contains("canary"))
    );

    println!("stop, start and a deploy leave it alone, and go on");
    lab.kmk("stop").code(0);
    assert_eq!(outside.state(), before);
    lab.kmk("start").code(0).prints("MirrorMaker runs");
    lab.kmk("deploy").code(0).prints("already runs as");
    let (more, text) = lines("afterwards", 50);
    outside.kcat().produce("orders", &text);
    sent.extend(more);
    lab.secondary()
        .until_it_has("onprem.orders", &sent, CROSSING);

    println!("it is not a broker of the lab's that is down when it is down, and it is told");
    docker_words(&["stop", "-t", "1", &outside.name], b"");
    lab.kmk("status")
        .code(1)
        .says("hint")
        .prints("cluster onprem cannot be reached");
    lab.kmk("deploy")
        .code(3)
        .says("error: cluster `onprem` does not answer at localhost:");
    docker_words(&["start", &outside.name], b"");
    outside.kcat().until_it_answers();
    until("the flow goes on", PATIENCE, || {
        lab.kmk("status --json").json()["healthy"]
            .as_bool()?
            .then_some(())
    });

    let before = outside.state();
    lab.kmk("destroy")
        .code(0)
        .says("Cluster onprem (localhost:")
        .says(&format!(
            "kmk topic delete {syncs} --force --bootstrap {}",
            outside.address()
        ));
    assert_eq!(outside.state(), before);
    assert_eq!(outside.kcat().values("orders").len(), sent.len());
    fs::remove_file(lab.home.path().join("kmk.yml")).unwrap();
    lab.assert_gone();
}

/// Two of them, on two Kafkas.
mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn two_clusters_that_were_there_before_are_joined_and_what_stays_can_be_removed() {
        let onprem = Outside::start("onprem", &kafka_image());
        let cloud = Outside::start("cloud", &image_of(NEXT_KAFKA_VERSION));
        let (sent, text) = lines("record", 400);
        onprem.kcat().produce("orders", &text);
        let lab = Lab::new("between");
        let file = format!(
            "clusters:\n  - name: onprem\n    bootstrap: {}\n    canary: true\n  - name: cloud\n    bootstrap: [{}]\n    canary: true\nflows:\n  - {{from: onprem, to: cloud}}\n",
            onprem.address(),
            cloud.address()
        );
        write_file(&lab, &file);
        lab.kmk("deploy")
            .code(0)
            .says("For kmk's canary: kmk-canary")
            .prints("is up and replicates");
        cloud.kcat().until_it_has("onprem.orders", &sent, CROSSING);
        assert_eq!(lab.ids().keys().collect::<Vec<_>>(), ["mm2-cloud"]);
        lab.kmk("status").code(0).prints("healthy");

        let gone = lab.kmk("destroy").code(0);
        fs::remove_file(lab.home.path().join("kmk.yml")).unwrap();
        lab.assert_gone();
        let commands: Vec<&str> = gone
            .stderr
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("kmk topic delete "))
            .collect();
        // the whole of what was announced, and the copies
        assert!(commands.len() >= 9, "{commands:#?}");
        for command in commands {
            lab.bash(command).code(0).prints("Deleted topic");
        }
        let left = |outside: &Outside| -> Vec<String> {
            let topics = outside.kcat().topics().into_keys();
            topics.filter(|topic| !topic.starts_with("__")).collect()
        };
        assert_eq!(left(&onprem), ["orders"]);
        assert_eq!(left(&cloud), Vec::<String>::new());
    }
}

#[test]
#[ignore = "needs Docker"]
fn a_source_recreated_is_refused_while_the_target_has_notes_of_the_old_one() {
    let outside = Outside::start("target", &kafka_image());
    let address = outside.address();
    let lab = Lab::new("anew");
    let port = lab.ports[0];
    let file = format!(
        "clusters:\n  - name: lab\n    port: {port}\n  - name: onprem\n    bootstrap: {address}\nflows:\n  - {{from: lab, to: onprem, naming: same}}\n"
    );
    write_file(&lab, &file);
    lab.kmk("deploy").code(0).says("the mirrored topics of lab");
    let (sent, text) = lines("record", 100);
    lab.primary().produce("orders", &text);
    outside.kcat().until_it_has("orders", &sent, CROSSING);
    lab.kmk("destroy")
        .code(0)
        .says("Also there: the mirrored topics of lab");
    let refused = lab
        .kmk("deploy")
        .code(3)
        .says("so the first records of this lab's new one could be skipped");
    let hint = refused.stderr.lines().last().unwrap();
    let commands: Vec<&str> = hint.split('`').skip(1).step_by(2).collect();
    assert_eq!(commands.len(), 3, "{hint}");
    for command in commands {
        lab.bash(command).code(0);
    }
    lab.kmk("deploy").code(0);
    lab.kmk("destroy").code(0);
    assert_eq!(outside.kcat().values("orders").len(), sent.len());
    fs::remove_file(lab.home.path().join("kmk.yml")).unwrap();
    lab.assert_gone();
}

#[test]
#[ignore = "needs Docker"]
fn mirrormaker_logs_in_where_kmk_cannot() {
    let outside = Outside::locked("locked");
    let address = outside.address();
    until("it listens", PATIENCE, || {
        TcpStream::connect(("127.0.0.1", outside.port)).ok()
    });
    let (sent, text) = lines("secret record", 200);
    let produce = format!(
        "/opt/kafka/bin/kafka-console-producer.sh --bootstrap-server {address} --topic orders --producer.config /tmp/login"
    );
    outside.tool_inside(&produce, text.as_bytes());
    let lab = Lab::new("login");
    let port = lab.ports[1];
    let file = format!(
        "clusters:
  - name: onprem
    bootstrap: {address}
    properties:
      security.protocol: SASL_PLAINTEXT
      sasl.mechanism: PLAIN
      sasl.jaas.config: org.apache.kafka.common.security.plain.PlainLoginModule required username=\"broker\" password=\"${{env:KMK_E2E_PASSWORD}}\";
  - name: lab
    port: {port}
flows:
  - {{from: onprem, to: lab}}
"
    );
    write_file(&lab, &file);
    let kmk = |line: &str| {
        let mut command = lab.command(line);
        Ran::of(command.env("KMK_E2E_PASSWORD", PASSWORD), b"")
    };
    lab.kmk("deploy")
        .code(2)
        .says("variable KMK_E2E_PASSWORD is not set");
    let ran = kmk("deploy")
        .code(0)
        .says("cluster onprem asks clients to authenticate");
    assert!(!ran.stderr.contains(PASSWORD) && !ran.text().contains(PASSWORD));
    lab.secondary()
        .until_it_has("onprem.orders", &sent, CROSSING);
    for file in ["docker-compose.yml", "mm2.properties"] {
        let text = fs::read_to_string(lab.directory().join(file)).unwrap();
        assert!(!text.contains(PASSWORD), "{file}");
    }
    lab.kmk("status")
        .code(0)
        .says("kmk connects without credentials and cannot check onprem");
    lab.kmk("produce --topic orders --cluster onprem --messages 1")
        .code(3)
        .says("cluster onprem asks clients to authenticate");
    lab.kmk("destroy")
        .code(0)
        .says("kmk connects without credentials and cannot look");
}

#[test]
#[ignore = "needs Docker"]
fn what_no_container_could_reach_is_refused_before_anything_is_made() {
    let hidden = Outside::run(
        "hidden",
        &kafka_image(),
        "127.0.0.1",
        "127.0.0.1",
        "PLAINTEXT",
        &[],
    );
    hidden.kcat().until_it_answers();
    let lab = Lab::new("unreached");
    let (port, nobody) = (lab.ports[1], free_port());
    let file = format!(
        "clusters:\n  - name: hidden\n    bootstrap: {}\n  - name: nobody\n    bootstrap: localhost:{nobody}\n  - name: lab\n    port: {port}\nflows:\n  - {{from: hidden, to: lab}}\n  - {{from: nobody, to: lab}}\n",
        hidden.address()
    );
    write_file(&lab, &file);
    lab.kmk("deploy")
        .code(3)
        .says("advertises 127.0.0.1:")
        .says("listens only on this machine's loopback address")
        .says(&format!(
            "cluster `nobody` does not answer at localhost:{nobody}"
        ));
    fs::remove_file(lab.home.path().join("kmk.yml")).unwrap();
    lab.assert_gone();
}
