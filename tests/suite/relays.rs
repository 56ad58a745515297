//! Labs whose lines have relays: what is rendered for them, and what is refused.

use crate::docker::{Docker, Rule, UP};
use crate::kmk::Kmk;
use crate::lab::FakeLab;
use crate::link::obeys_on;
use crate::mirror::Mirror;
use crate::toxiproxy::FakeToxiproxy;
use kmk_kafka::testing::FakeBroker;
use serde_yaml::Value;
use std::fs;
use std::sync::Arc;

/// The compose file that a dry run writes.
fn rendered(flags: &str) -> Value {
    let kmk = Kmk::new();
    kmk.run(&format!("deploy --dry-run {flags}"))
        .code(0)
        .no_calls();
    let text = fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn a_relay_is_as_confined_as_every_other_container_and_stands_in_for_its_broker() {
    let file = rendered("--link rtt=80ms,rate=100mbit");
    let (relay, broker) = (
        &file["services"]["link-primary-secondary"],
        &file["services"]["primary"],
    );
    for same in [
        "cap_drop",
        "security_opt",
        "pids_limit",
        "stop_grace_period",
        "logging",
    ] {
        assert!(
            !relay[same].is_null() && relay[same] == broker[same],
            "{same}"
        );
    }
    for (key, expected) in [
        (
            "image",
            "'${KMK_TOXIPROXY_IMAGE:-ghcr.io/shopify/toxiproxy:2.5.0}'",
        ),
        ("user", "65532:65532"),
        ("mem_limit", "192m"),
        ("ports", "['127.0.0.1:19102:8474', '127.0.0.1:19103:9092']"),
        (
            "networks",
            "{primary: {}, link-primary-secondary: {aliases: [primary]}}",
        ),
        ("depends_on", "[primary]"),
    ] {
        assert_eq!(relay[key], yaml(expected), "{key}");
    }
    assert_eq!(relay["labels"]["kmk.format"], yaml("'3'"));
    let spec = relay["labels"]["kmk.spec"].as_str().unwrap();
    assert!(
        spec.contains(r#""link":{"rtt":"80ms","rate":"100mbit"}"#),
        "{spec}"
    );
}

#[test]
fn mirrormaker_leaves_the_sources_network_and_nothing_of_a_broker_changes() {
    let (with, without) = (
        rendered("--scenario active-active --link rtt=80ms"),
        rendered("--scenario active-active"),
    );
    let networks = |name: &str| with["services"][name]["networks"].clone();
    assert_eq!(networks("mm2-west"), yaml("[west, link-east-west]"));
    assert_eq!(networks("mm2-east"), yaml("[east, link-west-east]"));
    for broker in ["east", "west"] {
        let of = |file: &Value| {
            let mut broker = file["services"][broker].clone();
            let labels = broker["labels"].as_mapping_mut().unwrap();
            labels.remove("kmk.spec");
            labels.remove("kmk.format");
            broker
        };
        assert_eq!(of(&with), of(&without));
    }
    let names: Vec<&str> = with["networks"]
        .as_mapping()
        .unwrap()
        .keys()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(names, ["east", "link-east-west", "link-west-east", "west"]);
}

#[test]
fn every_mirrormaker_of_a_target_leaves_the_sources_network_and_is_recreated() {
    let (with, without) = (
        rendered("--mirrormakers 2 --link rtt=80ms"),
        rendered("--mirrormakers 2"),
    );
    for (service, is_recreated) in [
        ("mm2-secondary-1", true),
        ("mm2-secondary-2", true),
        ("primary", false),
        ("secondary", false),
    ] {
        let of = |file: &Value, key: &str| file["services"][service][key].clone();
        if is_recreated {
            let networks = yaml("[secondary, link-primary-secondary]");
            assert_eq!(of(&with, "networks"), networks, "{service}");
        }
        let digest = |file: &Value| of(file, "labels")["kmk.config"].clone();
        assert_eq!(digest(&with) != digest(&without), is_recreated, "{service}");
    }
}

#[test]
fn a_relay_has_memory_for_every_connection_that_carries_records() {
    for (flags, relay, expected) in [
        ("--mirrormakers 2", "link-primary-secondary", "312m"),
        ("--scenario ha", "link-primary-secondary-1", "192m"),
    ] {
        let file = rendered(&format!("--link rtt=80ms {flags}"));
        assert_eq!(
            file["services"][relay]["mem_limit"],
            yaml(expected),
            "{flags}"
        );
    }
}

#[test]
fn a_relay_publishes_its_ports_where_the_lab_does() {
    let file = rendered("--link rtt=80ms --bind 192.168.1.20");
    assert_eq!(
        file["services"]["link-primary-secondary"]["ports"],
        yaml("['192.168.1.20:19102:8474', '192.168.1.20:19103:9092']")
    );
}

#[test]
fn another_line_recreates_its_relays_and_mirrormaker_alone() {
    let (one, other) = (
        rendered("--scenario fan-out --link metro"),
        rendered("--scenario fan-out --link satellite"),
    );
    for (service, expected) in [
        ("hub", true),
        ("edge-1", true),
        ("link-hub-edge-1", false),
        ("mm2-edge-1", false),
    ] {
        let digest = |file: &Value| file["services"][service]["labels"]["kmk.config"].clone();
        assert_eq!(digest(&one) == digest(&other), expected, "{service}");
    }
}

#[test]
fn no_line_leads_from_an_existing_cluster() {
    let kmk = Kmk::new();
    let text = "clusters:\n- name: a\n  bootstrap: h.example:9092\n- name: b\nflows:\n- {from: a, to: b, link: metro}\n";
    fs::write(kmk.work("kmk.yml"), text).unwrap();
    kmk.run("deploy --dry-run").code(2).stdout("").no_calls().stderr_has(
        "kmk.yml:6:26: flow a->b cannot have a link: `a` is an existing cluster, and its brokers send MirrorMaker to their own addresses (advertised.listeners), past any relay",
    );
}

#[test]
fn what_is_no_line_is_answered_with_what_one_is() {
    for (asked, said) in [
        (
            "80ms",
            "write it as rtt=80ms,rate=100mbit, or as one of metro, continental, transatlantic, satellite",
        ),
        (
            "rtt=9s",
            "a round trip (rtt) of 9000ms is too long: 2000ms at most",
        ),
        ("loss=1", "`loss` is none of rtt, jitter and rate"),
    ] {
        let kmk = Kmk::new();
        kmk.run(&format!("deploy --link {asked}"))
            .code(2)
            .stderr_has(said)
            .no_calls();
    }
}

#[test]
fn the_image_of_relays_is_looked_for_and_a_stand_in_is_told_to_compose() {
    let toxiproxy = "ghcr.io/shopify/toxiproxy:2.5.0";
    let absent =
        |name: &str| Rule::on(&format!("image inspect {name}")).fails(1, "no such image\n");
    let unreachable = Rule::on(&format!("manifest inspect {toxiproxy}")).fails(1, "no such host\n");
    let docker = Docker::works().rule(absent(toxiproxy)).rule(unreachable);
    let kmk = Kmk::new().docker(
        &docker
            .clone()
            .rule(absent("kmk-toxiproxy:2.5.0"))
            .rule(Rule::on("pull *").fails(1, "no such host\n")),
    );
    let said =
        format!("image {toxiproxy} is not available locally and cannot be pulled: no such host");
    kmk.deploy("--link metro")
        .code(3)
        .changed(&["pull ghcr.io/shopify/toxiproxy:2.5.0"])
        .stderr_has(&said)
        .stderr_has("name a local image of toxiproxy in KMK_TOXIPROXY_IMAGE");
    let stand_in = Rule::on("image inspect kmk-toxiproxy:2.5.0").says("[]");
    let kmk = Kmk::new().docker(&docker.rule(stand_in).rule(Rule::on(UP).fails(1, "no\n")));
    kmk.deploy("--link metro")
        .code(3)
        .stderr_has("using the local stand-in kmk-toxiproxy:2.5.0");
    assert_eq!(
        kmk.noted("images"),
        [
            "KMK_KAFKA_IMAGE=apache/kafka:3.9.2",
            "KMK_TOXIPROXY_IMAGE=kmk-toxiproxy:2.5.0"
        ]
    );
    // one that was asked for
    let mine = Rule::on("image inspect mine/toxiproxy:1").says("[]");
    let docker = Docker::works()
        .rule(mine)
        .rule(Rule::on(UP).fails(1, "no\n"));
    let kmk = Kmk::new()
        .docker(&docker)
        .variable("KMK_TOXIPROXY_IMAGE", "mine/toxiproxy:1");
    kmk.deploy("--link metro").code(3);
    assert_eq!(
        kmk.noted("images")[1],
        "KMK_TOXIPROXY_IMAGE=mine/toxiproxy:1"
    );
}

/// A lab with a line, running, and its relay.
pub(crate) struct Linked {
    pub(crate) kmk: Kmk,
    pub(crate) relay: FakeToxiproxy,
    pub(crate) brokers: [Arc<FakeBroker>; 2],
    pub(crate) _mirror: Mirror,
}

impl Linked {
    pub(crate) fn new() -> Self {
        Self::with("rtt=80ms,rate=100mbit")
    }

    /// With this line.
    pub(crate) fn with(line: &str) -> Self {
        Self::of(line, |lab| lab)
    }

    /// With this line, and changed.
    pub(crate) fn of(line: &str, change: impl Fn(FakeLab) -> FakeLab) -> Self {
        let kmk = Kmk::with_room_for_relays();
        kmk.deploy(&format!("--dry-run --link {line}")).code(0);
        let compose = fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
        let first = kmk.ports()[0];
        let lab = kmk
            .lab()
            .relay("link-primary-secondary", [first + 10, first + 11])
            .made_from(&compose);
        let lab = change(lab);
        let docker = obeys_on(&lab, "link-primary-secondary")
            .rule(Rule::on(UP))
            .rules(
                ["apache/kafka:3.9.2", "ghcr.io/shopify/toxiproxy:2.5.0"]
                    .map(|name| Rule::on(&format!("image inspect {name}")).says("[]")),
            );
        let kmk = kmk.docker(&docker);
        let brokers = kmk
            .ports()
            .map(|port| Arc::new(FakeBroker::start_on(port).unwrap()));
        let [primary, secondary] = brokers.clone();
        let mirror = Mirror::start(("primary", primary), ("secondary", secondary));
        let relay = FakeToxiproxy::start_on(kmk.ports()[0] + 10);
        Self {
            kmk,
            relay,
            brokers,
            _mirror: mirror,
        }
    }
}

pub(crate) const SHAPED: [&str; 4] = [
    r#"latency upstream {"jitter":0,"latency":40}"#,
    r#"bandwidth upstream {"rate":12500}"#,
    r#"latency downstream {"jitter":0,"latency":40}"#,
    r#"bandwidth downstream {"rate":12500}"#,
];

#[test]
fn a_relay_that_was_restarted_is_told_of_and_put_right() {
    let Linked { kmk, relay, .. } = &Linked::new();
    for (verb, said) in [
        ("start", "already running"),
        ("deploy", "is repaired"),
        ("start", "already running"),
    ] {
        kmk.run("status").code(1).stdout_has("relay link-primary-secondary has lost its shape: it was restarted, and passes nothing on");
        kmk.run(verb)
            .code(0)
            .stdout_has(said)
            .stderr_has("Told link-primary-secondary how slow to be");
        assert_eq!(relay.toxics("primary"), SHAPED);
        let proxy = relay.proxy("primary");
        assert_eq!(
            (&proxy["upstream"], &proxy["listen"]),
            (&"kmk-demo-primary-1:9092".into(), &"0.0.0.0:9092".into())
        );
        let changes = relay.changes();
        assert_eq!(changes[0], "POST populate");
        // nothing passes before all is in its place
        assert_eq!(changes.last().unwrap(), "POST proxies/primary");
        assert_eq!(proxy["enabled"], true);
        kmk.run("status").code(0);
        kmk.run("deploy")
            .code(0)
            .stdout_has("already runs as requested");
        assert!(relay.changes().is_empty());
        relay.restart();
    }
}

#[test]
fn a_relay_that_does_not_obey_or_does_not_answer_is_no_success() {
    let Linked {
        kmk,
        relay,
        brokers: _,
        _mirror,
        ..
    } = Linked::new();
    let relay = relay.forgets();
    kmk.run("deploy").code(3).stderr_has("error: relay link-primary-secondary was told what to do, but it does nothing instead of latency upstream (jitter 0 latency 40)");
    drop(relay);
}

#[test]
fn a_line_with_relays_changes_at_once_and_stays_so() {
    let Linked { kmk, relay, .. } = &Linked::new();
    kmk.run("deploy").code(0);
    relay.changes();
    kmk.run("link set --rtt 200ms")
        .code(0)
        .stdout_has("The link primary->secondary now has rtt=200ms.");
    // only what is another: what others go through is not dropped
    let changes = relay.changes();
    assert_eq!(
        changes[0],
        "POST proxies/primary/toxics/kmk-latency-upstream"
    );
    let slower = ["upstream", "downstream"]
        .map(|stream| format!(r#"latency {stream} {{"jitter":0,"latency":100}}"#));
    assert_eq!(relay.toxics("primary"), slower);
    relay.restart();
    kmk.run("deploy")
        .code(0)
        .stderr_has("note: primary->secondary stays as `kmk link set` asked for it: rtt=200ms\n");
    assert_eq!(relay.toxics("primary"), slower);
    kmk.run("status").code(0);
    kmk.run("link set --rtt 9s")
        .code(2)
        .stderr_has("too long: 2000ms at most");
    kmk.run("link set").code(2);
    assert_eq!(relay.toxics("primary"), slower);
}

#[test]
fn a_link_with_relays_is_cut_as_any_other_and_is_restored_with_its_shape() {
    let Linked {
        kmk,
        relay,
        brokers,
        _mirror,
    } = &Linked::new();
    brokers[0].topic("orders", 1, &[]);
    kmk.run("deploy").code(0);
    relay.changes();
    let network = "kmk-demo_link-primary-secondary";
    kmk.run("link cut")
        .code(0)
        .changed(&[&format!(
            "network disconnect --force {network} id-demo-mm2-secondary"
        )])
        .stdout("The link primary->secondary is cut: mm2-secondary can no longer reach primary.\n");
    assert!(relay.changes().is_empty());
    let cut = "the link is cut by `kmk link cut` <time> ago; `kmk link heal primary:secondary` restores it\n";
    kmk.run("status").code(1).stdout_has(cut);
    kmk.run("lag").code(0).stdout_has(cut);
    kmk.run("explain orders")
        .code(1)
        .stdout_has("the link is cut by `kmk link cut` <time> ago\n");
    kmk.run("list").code(0).stderr_has(cut);
    kmk.run("link show")
        .code(0)
        .stdout_has("primary->secondary  cut   unknown (asked: 80ms)");
    for verb in ["start", "deploy"] {
        kmk.run(verb)
            .code(0)
            .stdout_has("its brokers answer (primary->secondary stays cut)");
    }
    relay.restart();
    kmk.run("link heal")
        .code(0)
        .stdout("The link primary->secondary is restored and replicates, after <time>.\n")
        .stderr_has(&format!("✓ Connected mm2-secondary to network {network}"))
        .stderr_has("✓ Told link-primary-secondary how slow to be");
    assert_eq!(relay.toxics("primary"), SHAPED);
    assert_eq!(relay.proxy("primary")["enabled"], true);
    kmk.run("status").code(0);
}

#[test]
fn nobody_waits_for_records_that_a_relay_would_have_to_pass_on_that_does_not_run() {
    let Linked { kmk, _mirror, .. } =
        &Linked::of("rtt=80ms", |lab| lab.exited("link-primary-secondary", 137));
    kmk.run("link cut").code(0);
    kmk.run("link heal")
        .code(3)
        .stdout("")
        .stderr_has("error: relay link-primary-secondary does not answer at 127.0.0.1:")
        .stderr_has(": its container is not running\n  hint: `kmk logs link-primary-secondary` shows why; `kmk deploy` starts it again\n")
        .stderr_lacks("Waiting");
    kmk.run("link show")
        .code(0)
        .stdout_has("  connected  unknown");
}

#[test]
fn records_that_go_round_a_slow_link_fail_its_drill_and_the_link_is_as_it_was() {
    let Linked {
        kmk,
        relay,
        _mirror,
        ..
    } = &Linked::new();
    kmk.run("deploy").code(0);
    let ran = kmk.run("drill slow-link --for 400ms --rate 500/s").code(1);
    // the brokers of this test are reached without the relay
    let ran = ran.stdout_has("FAILED: RTT <time>: the median record takes ");
    ran.stdout_has("fetches of 64 KiB")
        .stderr_has("✓ Recreated MirrorMaker with source.consumer.max.partition.fetch.bytes=65536")
        .stderr_has("✓ Restored MirrorMaker's settings");
    let properties = fs::read_to_string(kmk.work("kmk-lab/mm2.properties")).unwrap();
    assert!(!properties.contains("65536"), "{properties}");
    assert!(relay.changes().len() > 4);
    let sorted = |mut toxics: Vec<String>| {
        toxics.sort();
        toxics
    };
    let shaped = SHAPED.map(str::to_owned).to_vec();
    assert_eq!(sorted(relay.toxics("primary")), sorted(shaped));
    kmk.run("deploy")
        .code(0)
        .stdout_has("already runs as requested");
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()).rule(Rule::on("logs *")));
    kmk.run("drill slow-link").code(2).changed(&[]).stderr_has(
        "error: flow primary->secondary has no relay that could make its link slow\n  hint: `kmk link set primary:secondary --rtt 0ms` adds one",
    );
}
