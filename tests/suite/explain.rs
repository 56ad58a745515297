//! Why a topic is not there, as far as it can be told without a broker.

use crate::docker::Docker;
use crate::flags::refused;
use crate::kmk::Kmk;
use indoc::indoc;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn lab() -> Kmk {
    Kmk::on(|kmk| Docker::works().with(&kmk.lab()))
}

/// A lab of this description, all of it running.
fn described(spec: impl FnOnce([u16; 2]) -> Value) -> Kmk {
    Kmk::on(|kmk| Docker::works().with(&kmk.lab().spec(spec(kmk.ports()))))
}

fn two_clusters([primary, secondary]: [u16; 2], flows: &Value) -> Value {
    json!({
        "lab": "demo",
        "clusters": [
            {"name": "primary", "brokers": 1, "partitions": 1, "port": primary},
            {"name": "secondary", "brokers": 1, "partitions": 1, "port": secondary},
        ],
        "flows": flows,
    })
}

/// What it says to scripts of a topic that is not there.
fn json_of(kmk: &Kmk, line: &str) -> Value {
    let ran = kmk.run(&format!("{line} --json")).code(1).stderr("");
    serde_json::from_str(ran.text()).unwrap()
}

#[test]
fn flags_and_names_that_make_no_sense() {
    refused(&[
        ("explain", "<TOPIC>"),
        ("explain a b", "unexpected argument 'b'"),
        (
            "explain a/b",
            "error: invalid value 'a/b' for '[TOPIC]': '/' in topic name `a/b`: only letters",
        ),
        ("explain .", "a topic cannot be called `.`"),
        ("explain orders --flow", "--flow <SOURCE->TARGET>"),
    ]);
}

#[test]
fn no_lab_or_one_that_is_stopped() {
    let none = Kmk::on(|_| Docker::works());
    none.run("explain orders")
        .code(3)
        .stdout("")
        .stderr(indoc! {"
            error: there is no lab `demo`
              hint: `kmk deploy` starts it
        "});
    let stopped = Kmk::on(|kmk| {
        let lab = kmk.lab();
        let lab = lab.exited("primary", 0).exited("secondary", 0);
        Docker::works().with(&lab.exited("mm2-secondary", 0))
    });
    stopped
        .run("explain orders")
        .code(3)
        .stdout("")
        .stderr(indoc! {"
            error: lab `demo` is stopped
              hint: `kmk start` starts it again
        "});
}

/// Takes connections to a port, and hangs up; how many there were.
fn hangs_up(port: u16) -> Arc<AtomicUsize> {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    count
}

#[test]
fn each_cluster_is_asked_once() {
    let kmk = lab();
    let counts = kmk.ports().map(hangs_up);
    let connections = |line: &str| {
        kmk.run(line);
        counts
            .each_ref()
            .map(|count| count.swap(0, Ordering::SeqCst))
    };
    let of_status = connections("status");
    assert!(of_status.iter().all(|count| *count > 0), "{of_status:?}");
    // status says how the flow is: nothing more is asked for the explanation
    assert_eq!(connections("explain orders"), of_status);
}

#[test]
fn a_flow_that_is_not_there() {
    lab()
        .run("explain orders --flow primary:secondry")
        .code(2)
        .stdout("")
        .stderr(indoc! {"
            error: there is no flow `primary->secondry`
              hint: did you mean `primary->secondary`?
        "});
    let none = described(|ports| two_clusters(ports, &json!([])));
    none.run("explain orders")
        .code(1)
        .stdout("")
        .stderr(indoc! {"
            error: lab `demo` has no flow, so nothing is mirrored
              hint: add `flows` to the lab file, or deploy a scenario with flows
        "});
}

#[test]
fn brokers_that_do_not_answer() {
    lab()
        .run("explain orders")
        .code(1)
        .stderr("")
        .stdout(indoc! {"
            primary->secondary: makes no progress: the source, primary, cannot be reached
              seen: primary: no Kafka broker can be reached: 127.0.0.1:$PRIMARY: Connection refused (os error 111)
              seen: secondary: no Kafka broker can be reached: 127.0.0.1:$SECONDARY: Connection refused (os error 111)
              do: kmk status
              do: kmk deploy
        "});
}

#[test]
fn a_mirrormaker_that_does_not_run() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab().exited("mm2-secondary", 143)));
    kmk.run("explain orders")
        .code(1)
        .stdout_has("primary->secondary: makes no progress: MirrorMaker is not running: mm2-secondary has exited with code 143\n")
        .stdout_has("  do: kmk deploy\n");
    let kmk = Kmk::on(|kmk| {
        let paused = json!({"Status": "paused", "ExitCode": 0});
        Docker::works().with(&kmk.lab().state("mm2-secondary", paused))
    });
    kmk.run("explain orders")
        .code(1)
        .stdout_has("MirrorMaker is not running: mm2-secondary is paused\n")
        .stdout_has("  do: docker unpause kmk-demo-mm2-secondary-1\n");
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab().without("mm2-secondary")));
    kmk.run("explain orders")
        .code(1)
        .stdout_has("MirrorMaker is not running: mm2-secondary is missing\n");
}

#[test]
fn what_a_name_tells_needs_no_broker() {
    let flow = json!([{"source": "primary", "target": "secondary", "naming": "prefix",
        "topics": ["orders.*", "(?<=x)y"], "exclude": [".*-tmp"]}]);
    let kmk = described(|ports| two_clusters(ports, &flow));
    for (topic, what, more) in [
        (
            "orders-tmp",
            "excluded by pattern `.*-tmp`",
            "the pattern is in the flow's `exclude`",
        ),
        (
            "orders.replica",
            r"excluded by pattern `.*\.replica`",
            "the pattern is one of MirrorMaker's defaults",
        ),
    ] {
        kmk.run(&format!("explain {topic}"))
            .code(1)
            .stdout_has(&format!("primary->secondary: not mirrored: {what}\n"))
            .stdout_has(&format!("  seen: {more}\n"));
    }
    // of a pattern that only Java can read, nothing is said before MirrorMaker has
    kmk.run("explain payments")
        .code(1)
        .stdout_has("the source, primary, cannot be reached");
    let told = json_of(&kmk, "explain orders-tmp");
    assert_eq!(told["flows"][0]["answer"], "excluded");
    // what no pattern could change comes before the patterns
    for (topic, answer) in [
        ("secondary.orders-tmp", "cycle"),
        ("orders.internal", "internal"),
        ("__consumer_offsets", "internal"),
    ] {
        let told = json_of(&kmk, &format!("explain {topic}"));
        assert_eq!(told["flows"][0]["answer"], answer);
    }
}

#[test]
fn a_flow_for_which_the_topic_is_not_listed() {
    let flow = json!([{"source": "primary", "target": "secondary", "naming": "prefix", "topics": ["orders", "x.*"]}]);
    let kmk = described(|ports| two_clusters(ports, &flow));
    kmk.run("explain payments")
        .code(1)
        .stdout_has("not among the topics of the flow\n")
        .stdout_has("  seen: the flow's topics: orders, x.*\n")
        .stdout_has(
            "  do: add `payments` to `topics` in the lab file or to --topics, then `kmk deploy`\n",
        );
}

#[test]
fn what_no_list_could_change_comes_before_the_list() {
    let flow = json!([{"source": "primary", "target": "secondary", "naming": "prefix", "topics": ["orders"]}]);
    let kmk = described(|ports| two_clusters(ports, &flow));
    let of = |topic: &str| json_of(&kmk, &format!("explain {topic}"))["flows"][0].clone();
    assert_eq!(of("payments")["answer"], "not_listed");
    assert_eq!(of("payments")["facts"]["whose"], "lab");
    let cycle = of("secondary.orders");
    assert_eq!(cycle["answer"], "cycle");
    assert_eq!(cycle["facts"]["origin"]["kind"], "no_flow");
    assert_eq!(of(&"l".repeat(242))["answer"], "name_too_long");
    kmk.run("explain __consumer_offsets")
        .code(1)
        .stdout_has("primary->secondary: not mirrored: an internal name: it begins with `__`\n")
        .stdout_has("  do: kmk group list  # committed offsets are mirrored separately\n");
}

#[test]
fn a_name_that_would_be_too_long_or_that_is_no_persons() {
    let kmk = lab();
    let long = "a".repeat(245);
    kmk.run(&format!("explain {long}")).code(1).stdout_has(
        "the name of its mirrored topic would have 253 characters, and Kafka allows 249\n",
    );
    kmk.run("explain .hidden")
        .code(1)
        .stdout_has("an internal name: it begins with `.`\n");
    kmk.run("explain secondary.orders")
        .code(1)
        .stdout_has("primary->secondary: not mirrored: its name says that it was mirrored from secondary, and such topics are not mirrored back\n")
        .stdout_has("  seen: no flow created it: there is no flow secondary->primary\n")
        .stdout_has("  do: use another name\n");
}

#[test]
fn as_json() {
    let ran = lab()
        .run("explain primary.orders --json")
        .code(1)
        .stderr("");
    let told: Value = serde_json::from_str(ran.text()).unwrap();
    assert_eq!(told["topic"], "primary.orders");
    assert_eq!(told["mirrored"], false);
    let flow = &told["flows"][0];
    assert_eq!(flow["flow"], "primary->secondary");
    assert_eq!(flow["topic"], "orders");
    assert_eq!(flow["remote"], "primary.orders");
    assert_eq!(flow["answer"], "source_unreachable");
    let problem = flow["facts"]["problem"].as_str().unwrap();
    assert!(problem.contains("Connection refused"), "{problem}");
    assert_eq!(flow["seen"]["remote_topic"]["state"], "unreachable");
}

#[test]
fn every_flow_that_a_topic_concerns_is_told_of() {
    let flows = json!([
        {"source": "primary", "target": "secondary", "naming": "prefix"},
        {"source": "secondary", "target": "primary", "naming": "prefix"},
    ]);
    let kmk = described(|ports| two_clusters(ports, &flows));
    let both = json_of(&kmk, "explain orders");
    assert_eq!(both["flows"].as_array().unwrap().len(), 2);
    // the copy of orders, which does not come back
    let one = json_of(&kmk, "explain primary.orders");
    let flows = one["flows"].as_array().unwrap();
    assert_eq!(flows.len(), 1, "{one}");
    assert_eq!(flows[0]["topic"], "orders");
    let back = json_of(&kmk, "explain primary.orders --flow secondary->primary");
    assert_eq!(back["flows"][0]["answer"], "cycle");
}
