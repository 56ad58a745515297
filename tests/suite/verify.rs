//! Verify, as far as it goes without a broker: what it refuses before anything is sent.

use crate::docker::Docker;
use crate::flags::refused;
use crate::kmk::Kmk;
use indoc::indoc;
use serde_json::{Value, json};

fn lab() -> Kmk {
    Kmk::on(|kmk| Docker::works().with(&kmk.lab()))
}

/// A lab with one flow, as described.
fn with_flow(flow: &Value) -> Kmk {
    Kmk::on(|kmk| {
        let [primary, secondary] = kmk.ports();
        let cluster = |name: &str, port: u16| json!({"name": name, "brokers": 1, "partitions": 1, "port": port});
        let mut whole = json!({"source": "primary", "target": "secondary", "naming": "prefix"});
        let fields = flow.as_object().unwrap().clone();
        whole.as_object_mut().unwrap().extend(fields);
        Docker::works().with(&kmk.lab().spec(json!({
            "lab": "demo",
            "clusters": [cluster("primary", primary), cluster("secondary", secondary)],
            "flows": [whole],
        })))
    })
}

#[test]
fn flags_that_make_no_sense() {
    refused(&[
        (
            "verify --messages 10 --for 3s",
            "'--messages <N>' cannot be used with '--for <TIME>'",
        ),
        ("verify --messages 0", "it is a number from 1 to"),
        ("verify --messages -3", "it is a number from 1 to"),
        ("verify --for 0s", "it must be longer than zero"),
        (
            "verify --for later",
            "invalid value 'later' for '--for <TIME>'",
        ),
        (
            "verify --rate 0",
            "'0' for '--rate <N[/s]>': a rate is a number of records a second, from 1 to 100000000, such as",
        ),
        (
            "verify --rate -1",
            "'-1' for '--rate <N[/s]>': a rate is a number of records a second, from 1 to 100000000, such as",
        ),
        // the stamp itself takes so much
        (
            "verify --size 64",
            "invalid value '64' for '--size <BYTES>': it is a size from 65 to 100000000 bytes, such as 1000, 10kB,",
        ),
        (
            "verify --size -1",
            "invalid value '-1' for '--size <BYTES>'",
        ),
        (
            "verify --size 96MiB",
            "'96MiB' for '--size <BYTES>': it is a size from 65 to",
        ),
        ("verify --partitions 0", "it is a number from 1 to 1000,"),
        ("verify --partitions 1001", "'1001' for '--partitions <N>'"),
        (
            "verify --partitions 3 --topic orders",
            "'--partitions <N>' cannot be used with '--topic <TOPIC>'",
        ),
        ("verify --topic a/b", "'/' in topic name `a/b`"),
        ("verify --timeout 3", "time unit needed"),
        ("verify a b", "unexpected argument 'b'"),
    ]);
}

#[test]
fn a_flow_that_does_not_exist() {
    lab()
        .run("verify --flow secondary->primary")
        .code(2)
        .stdout("")
        .stderr(indoc! {"
            error: there is no flow `secondary->primary`
              hint: flows there are: primary->secondary
        "});
    lab()
        .run("verify --flow primary->secondry")
        .code(2)
        .stdout("")
        .stderr(indoc! {"
            error: there is no flow `primary->secondry`
              hint: did you mean `primary->secondary`?
        "});
}

#[test]
fn a_topic_that_the_flow_leaves_out() {
    let kmk = with_flow(&json!({"exclude": ["audit.*", "kmk-v.*"]}));
    kmk.run("verify --topic audit-2026")
        .code(2)
        .stdout("")
        .stderr_has("error: flow primary->secondary excludes topic `audit-2026`: it matches `")
        .stderr_has("audit.*")
        .stderr_has("  hint: name another topic; which ones a flow takes stands in its `topics` and `exclude`, in kmk.yml\n");
    kmk.run("verify")
        .code(2)
        .stdout("")
        .stderr_has("error: flow primary->secondary excludes topic `kmk-verify`: it matches `")
        .stderr_has("  hint: name a topic that it takes with --topic\n");
}

#[test]
fn a_topic_that_is_not_among_those_of_the_flow() {
    let kmk = with_flow(&json!({"topics": ["orders", "pay.*"]}));
    for flow in ["", "--flow primary->secondary"] {
        kmk.run(&format!("verify --topic audit {flow}"))
            .code(2)
            .stdout("")
            .stderr_has("error: flow primary->secondary does not take topic `audit`: it takes orders, pay.*\n");
        kmk.run(&format!("verify {flow}"))
            .code(2)
            .stdout("")
            .stderr(indoc! {"
                error: flow primary->secondary does not take topic `kmk-verify`: it takes orders, pay.*
                  hint: name a topic that it takes with --topic
            "});
    }
}

#[test]
fn names_that_are_nobodys_to_send_to() {
    let kmk = lab();
    for topic in [
        "__consumer_offsets",
        "heartbeats",
        "kmk-canary",
        "x.internal",
    ] {
        kmk.run(&format!("verify --topic {topic}"))
            .code(2)
            .stdout("")
            .stderr_has(&format!(
                "error: `{topic}` is a name of Kafka's, MirrorMaker's or kmk's own topics\n  hint: "
            ));
    }
    let long = "a".repeat(245);
    kmk.run(&format!("verify --topic {long}"))
        .code(2)
        .stderr_has("253 characters, and Kafka allows 249");
    kmk.run("verify --topic secondary.orders")
        .code(2)
        .stderr_has("error: flow primary->secondary does not copy topic `secondary.orders`: by its name it came from secondary\n");
}

#[test]
fn a_copy_is_not_sent_to() {
    let kmk = Kmk::on(|kmk| {
        let [primary, secondary] = kmk.ports();
        let cluster = |name: &str, port: u16| json!({"name": name, "brokers": 1, "partitions": 1, "port": port});
        let flow = |source: &str, target: &str| json!({"source": source, "target": target, "naming": "prefix"});
        Docker::works().with(&kmk.lab().spec(json!({
            "lab": "demo",
            "clusters": [cluster("primary", primary), cluster("secondary", secondary)],
            "flows": [flow("primary", "secondary"), flow("secondary", "primary")],
        })))
    });
    kmk.run("verify --topic primary.orders --flow secondary->primary")
        .code(2)
        .stdout("")
        .stderr(indoc! {"
            error: `primary.orders` on secondary is the copy of `orders` on primary: MirrorMaker writes it
              hint: verify the flow from primary with --topic orders
        "});
}

#[test]
fn a_cluster_that_was_there_before_is_not_written_to_uninvited() {
    let kmk = Kmk::on(|kmk| {
        let [primary, secondary] = kmk.ports();
        Docker::works().with(&kmk.lab().spec(json!({
            "lab": "demo",
            "clusters": [
                {"name": "primary", "brokers": 0, "partitions": 0, "bootstrap": [format!("localhost:{primary}")]},
                {"name": "secondary", "brokers": 1, "partitions": 1, "port": secondary},
            ],
            "flows": [{"source": "primary", "target": "secondary", "naming": "prefix"}],
        })))
    });
    kmk.run("verify").code(2).stdout("").stderr(indoc! {"
        error: primary was there before the lab, and nobody said that kmk may make topics there
          hint: name a topic of yours with --topic, or say `canary: true` for that cluster in kmk.yml
    "});
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_docker_is_asked() {
    let kmk = Kmk::new();
    for (path, why) in [
        ("none/report.json", "No such file or directory"),
        (".", "is a directory"),
    ] {
        kmk.run(&format!("verify --report {path}"))
            .code(2)
            .stdout("")
            .no_calls()
            .stderr_has(&format!("error: the report cannot be written to {path}: "))
            .stderr_has(why)
            .stderr_has("  hint: name a file in a directory that is there, with --report\n");
    }
}

#[test]
fn a_report_of_nothing_leaves_no_file() {
    let kmk = lab();
    kmk.run("verify --report report.json --timeout 1s").code(3);
    assert_eq!(std::fs::read_dir(kmk.work("")).unwrap().count(), 0);
}

#[test]
fn a_lab_that_is_not_there_or_sleeps() {
    Kmk::new()
        .run("verify")
        .code(3)
        .stdout("")
        .stderr_has("error: there is no lab `demo`\n");
    let asleep = Kmk::on(|kmk| {
        let services = ["primary", "secondary", "mm2-secondary"];
        let lab = services
            .iter()
            .fold(kmk.lab(), |lab, service| lab.exited(service, 143));
        Docker::works().with(&lab)
    });
    asleep.run("verify").code(3).stdout("").stderr(indoc! {"
        error: lab `demo` is stopped
          hint: `kmk start` goes on where it was
    "});
}

#[test]
fn brokers_that_cannot_be_reached() {
    lab()
        .run("verify --timeout 1s")
        .code(3)
        .stdout("")
        .stderr(indoc! {"
        error: no Kafka broker can be reached: 127.0.0.1:$PRIMARY: Connection refused (os error 111)
          hint: `kmk status` says how the lab is; `kmk deploy` repairs it
    "});
}

/// What a change of the machine's clock could reach: a run's number, and the time that Kafka shows for a record.
#[test]
fn no_latency_is_taken_from_a_clock_that_can_be_set() {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core");
    let files = ["lab/verify", "judge/ledger"].map(|part| std::fs::read_dir(top.join(part)).unwrap());
    let mut used = Vec::new();
    for file in files.into_iter().flatten().map(|file| file.unwrap().path()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let lines = code.lines().map(str::trim);
        used.extend(
            lines
                .filter(|line| line.contains("SystemTime::now"))
                .map(str::to_owned),
        );
    }
    used.sort();
    let expected = [
        "let time = to_millis(SystemTime::now());",
        "run: RunId::new(SystemTime::now(), std::process::id(), nth),",
    ];
    assert_eq!(used, expected);
}
