//! Clusters that were there before the lab: what is rendered for them, refused, announced, and said when it is gone.

use crate::docker::Docker;
use crate::kmk::Kmk;
use serde_json::json;
use std::fs;
use std::net::TcpListener;

fn kmk_with(file: &str) -> Kmk {
    let kmk = Kmk::new();
    fs::write(kmk.work("kmk.yml"), file).unwrap();
    kmk
}

const BOTH: &str = "\
clusters:
  - name: onprem
    bootstrap: [localhost:9092, b.example:9092]
    properties:
      security.protocol: SSL
      ssl.keystore.key: ${env:KMK_TEST_KEY}
  - name: cloud
    bootstrap: '[fd00::1]:9092'
    canary: true
flows:
  - from: onprem
    to: cloud
    topics: [orders]
";

#[test]
fn only_mirrormaker_is_rendered_and_it_finds_this_machine() {
    let kmk = kmk_with(BOTH).variable("KMK_TEST_KEY", "hunter2");
    kmk.run("deploy --dry-run")
        .code(0)
        .stdout_has("Would wait until MirrorMaker runs onprem->cloud\n")
        .stdout_has("Clusters would be onprem at localhost:9092,b.example:9092, cloud at [fd00::1]:9092\n")
        .stderr_has("note: cluster onprem (localhost:9092,b.example:9092) is an existing cluster. MirrorMaker creates on it: mm2-offset-syncs.cloud.internal\n")
        .stderr_has("note: cluster cloud ([fd00::1]:9092) is an existing cluster. MirrorMaker creates on it: heartbeats, mm2-configs.onprem.internal, mm2-offsets.onprem.internal, mm2-status.onprem.internal, onprem.checkpoints.internal; the mirrored topics onprem.*\n")
        .no_calls();
    let read = |file: &str| fs::read_to_string(kmk.work("kmk-lab").join(file)).unwrap();
    let compose: serde_yaml::Value = serde_yaml::from_str(&read("docker-compose.yml")).unwrap();
    let services = compose["services"].as_mapping().unwrap();
    assert_eq!(services.len(), 1);
    let mirror = &services["mm2-cloud"];
    let hosts = [
        "host.docker.internal:host-gateway",
        "localhost:host-gateway",
    ];
    assert_eq!(mirror["extra_hosts"], serde_yaml::to_value(hosts).unwrap());
    assert_eq!(
        mirror["networks"],
        serde_yaml::to_value(["default"]).unwrap()
    );
    assert_eq!(compose["networks"]["default"]["labels"]["kmk.lab"], "demo");
    assert_eq!(mirror["labels"]["kmk.format"], "2");
    let command = mirror["command"].as_sequence().unwrap();
    let last: Vec<&str> = command[4..]
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    let expected = [
        "cloud",
        "fd00::1:9092",
        "host.docker.internal:9092,b.example:9092",
    ];
    assert_eq!(last, expected);
    let properties = read("mm2.properties");
    for line in [
        "onprem.bootstrap.servers = host.docker.internal:9092,b.example:9092\n",
        "onprem.ssl.keystore.key = ${env:KMK_TEST_KEY}\n",
        "onprem->cloud.topics = orders\n",
    ] {
        assert!(properties.contains(line), "{line}\n{properties}");
    }
    assert!(!(read("docker-compose.yml") + &properties).contains("hunter2"));
}

#[test]
fn what_a_lab_cannot_say_of_a_cluster_that_it_does_not_make() {
    let file = "\
clusters:
  - name: a
    bootstrap: localhost:9092
    brokers: 3
  - name: b
    bootstrap: 127.0.0.1:9092
  - name: c
    canary: true
  - name: d
    bootstrap: nowhere
flows: []
";
    kmk_with(file)
        .run("deploy")
        .code(2)
        .stdout("")
        .stderr_has("error: kmk.yml:4:14: cluster `a` is an existing cluster (`bootstrap`): kmk cannot set its `brokers`\n  hint: remove `brokers`, or `bootstrap` if kmk should create the cluster\n")
        .stderr_has("error: kmk.yml:6:16: clusters `a` and `b` have the same address 127.0.0.1:9092\n  hint: it is one cluster: MirrorMaker would mirror it into itself\n")
        .stderr_has("error: kmk.yml:8:13: `canary` is only for an existing cluster, and `c` has no `bootstrap`\n  hint: say where it is with `bootstrap: host:port`, or remove it\n")
        .stderr_has("error: kmk.yml:10:16: `nowhere` of cluster `d` is not an address: `nowhere` is not HOST:PORT\n  hint: an address is written as host:port\n")
        .no_calls();
    kmk_with("clusters:\n  - name: a\n    bootstrap: h:1\n")
        .run("deploy")
        .code(2)
        .stderr_has("all clusters exist already and there is no flow: nothing would run");
    kmk_with(BOTH)
        .run("deploy --port cloud=29092 --partitions 3")
        .code(2)
        .stderr_has(
            "cluster `cloud` is an existing cluster (`bootstrap`): kmk cannot set its `port`",
        );
}

#[test]
fn one_that_does_not_answer_is_told_of_with_all_else_and_nothing_is_made() {
    let kmk = Kmk::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let [nobody, _] = kmk.ports();
    let file = format!(
        "clusters:\n  - name: onprem\n    bootstrap: localhost:{nobody}\n  - name: lab\n    port: {}\nflows:\n  - {{from: onprem, to: lab}}\n",
        taken.local_addr().unwrap().port()
    );
    fs::write(kmk.work("kmk.yml"), file).unwrap();
    kmk.run("deploy")
        .code(3)
        .stdout("")
        .stderr_has("error: cluster `onprem` does not answer at localhost:$PRIMARY: ")
        .stderr_has(
            "  hint: kmk does not start this cluster: start it yourself, or correct `bootstrap` in the lab file\n",
        )
        .stderr_has("for cluster `lab` is in use")
        .changed(&[]);
    assert!(!kmk.work("kmk-lab").exists());
}

#[test]
fn where_the_engine_is_elsewhere_this_machine_is_not_there() {
    let kmk = Kmk::new().variable("DOCKER_HOST", "tcp://192.0.2.7:2375");
    let [nobody, _] = kmk.ports();
    let file = format!(
        "clusters:\n  - name: a\n    bootstrap: localhost:{nobody}\n  - name: b\n    bootstrap: 127.0.0.1:1\nflows:\n  - {{from: a, to: b}}\n"
    );
    fs::write(kmk.work("kmk.yml"), file).unwrap();
    kmk.run("deploy")
        .code(3)
        .stderr_has("error: cluster `a` is on this machine (localhost:$PRIMARY), but MirrorMaker would run where the Docker engine is, at tcp://192.0.2.7:2375: `localhost` is another machine there\n")
        .stderr_has("error: cluster `a` does not answer at localhost:$PRIMARY: ")
        // nothing is published, so that no address is needed for it
        .stderr_lacks("--bind")
        .changed(&[]);
}

/// A lab of which only the second cluster is kmk's own; nobody answers for the first.
fn lab(kmk: &Kmk, properties: &serde_json::Value) -> Docker {
    let [primary, secondary] = kmk.ports();
    let spec = json!({
        "lab": "demo",
        "clusters": [
            {"name": "primary", "brokers": 0, "partitions": 0, "bootstrap": [format!("localhost:{primary}")], "properties": properties},
            {"name": "secondary", "brokers": 1, "partitions": 1, "port": secondary},
        ],
        "flows": [{"source": "primary", "target": "secondary", "naming": "prefix"}],
    });
    let lab = kmk.lab().spec(spec).format("2").without("primary");
    Docker::works().with(&lab)
}

#[test]
fn destroy_says_what_stays_and_how_to_remove_it() {
    let kmk = Kmk::on(|kmk| lab(kmk, &json!({})));
    kmk.run("destroy").code(0).stderr_has(
        "Cluster primary (localhost:$PRIMARY) existed before the lab and is kept. It does not answer; these topics were created there for the lab:\n  kmk topic delete mm2-offset-syncs.secondary.internal --force --bootstrap localhost:$PRIMARY\n",
    );
}

#[test]
fn one_that_wants_a_password_is_said_to_be_out_of_reach() {
    let locked = json!({"security.protocol": "SASL_SSL"});
    let kmk = Kmk::on(|kmk| lab(kmk, &locked));
    for verb in [
        "produce --topic t --messages 1",
        "consume --topic t --cluster primary",
        "verify --topic t",
        "topic describe t",
        "groups --cluster primary",
        "topics --cluster primary",
    ] {
        kmk.run(verb)
            .code(3)
            .stdout("")
            .stderr_has("error: cluster primary asks clients to authenticate, and this client speaks only PLAINTEXT, without credentials\n");
    }
    kmk.run("status")
        .stdout_has("primary    -        -       localhost:")
        .stderr_has(
            "note: kmk connects without credentials and cannot check primary; MirrorMaker can connect\n",
        );
    kmk.run("destroy")
        .code(0)
        .stderr_has("kmk connects without credentials and cannot look; these topics were created there for the lab:\n  mm2-offset-syncs.secondary.internal\nDelete them with Kafka's own kafka-topics.sh and the same properties.\n");
}

#[test]
fn its_addresses_are_told_and_it_has_no_network_and_no_port() {
    let kmk = Kmk::on(|kmk| lab(kmk, &json!({})));
    let ran = kmk.run("env").code(0);
    ran.stdout(
        "export KMK_LAB=demo\nexport PRIMARY_BOOTSTRAP=localhost:$PRIMARY\nexport PRIMARY_BOOTSTRAP_INSIDE=host.docker.internal:$PRIMARY\nexport SECONDARY_BOOTSTRAP=127.0.0.1:$SECONDARY\nexport SECONDARY_BOOTSTRAP_INSIDE=secondary:9092\nexport SECONDARY_NETWORK=kmk-demo_secondary\n",
    );
    let listed = kmk.run("list --json").code(0);
    listed
        .stdout_has("\"state\": \"running\"")
        .stdout_has("\"ports\": [\n      $SECONDARY\n    ]");
}

#[test]
fn a_cluster_does_not_change_hands() {
    let kmk = Kmk::on(|kmk| lab(kmk, &json!({})));
    fs::write(
        kmk.work("kmk.yml"),
        "clusters:\n  - name: primary\n  - name: secondary\nflows:\n  - {from: primary, to: secondary}\n",
    )
    .unwrap();
    kmk.run("deploy")
        .code(2)
        .stderr_has("error: cluster `primary` of lab `demo` is an existing cluster (`bootstrap`), and cannot become one created by kmk\n")
        .changed(&[]);
}
