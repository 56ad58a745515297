//! Links are cut and restored: what docker is told, what is written down, and what every verb says of a link that is cut.

use crate::docker::{Docker, Rule, UP};
use crate::drift::IN_PLACE;
use crate::flags::refused;
use crate::kmk::{DEPLOY, Kmk};
use crate::lab::FakeLab;
use crate::mirror::{Habits, Mirror};
use indoc::indoc;
use kmk_kafka::message::to_millis;
use kmk_kafka::testing::FakeBroker;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::SystemTime;

const DISCONNECT: &str = "network disconnect --force kmk-demo_primary id-demo-mm2-secondary";
const CONNECT: &str =
    "network connect --alias mm2-secondary kmk-demo_primary id-demo-mm2-secondary";

/// What docker tells of a lab once it was called like this.
fn after(lab: &FakeLab, call: &str) -> Vec<Rule> {
    let rules = lab.rules().into_iter();
    rules.map(|rule| rule.from(call)).collect()
}

/// Docker takes MirrorMaker off the network of primary, and puts it back, as it is told.
fn obeys(lab: &FakeLab) -> Docker {
    obeys_on(lab, "primary")
}

/// The same, of the network on which MirrorMaker finds the brokers of primary, or their relays.
pub(crate) fn obeys_on(lab: &FakeLab, network: &str) -> Docker {
    let cut = lab.clone().cut("mm2-secondary", network);
    Docker::works()
        .with(lab)
        .rules(after(&cut, "network disconnect *"))
        .rules(after(lab, "network connect *"))
        .rule(Rule::on("network disconnect *"))
        .rule(Rule::on("network connect *"))
        .rule(Rule::on("logs *"))
}

/// The default lab, and docker obeys.
fn obedient() -> Kmk {
    Kmk::on(|kmk| obeys(&kmk.lab()))
}

/// The same with brokers that answer, and a MirrorMaker that goes on whatever docker says.
fn answering(kmk: &Kmk) -> ([Arc<FakeBroker>; 2], Mirror) {
    let brokers = kmk
        .ports()
        .map(|port| Arc::new(FakeBroker::start_on(port).unwrap()));
    let [primary, secondary] = brokers.clone();
    let mirror = Mirror::start(("primary", primary), ("secondary", secondary));
    (brokers, mirror)
}

/// What stands in the journal of the default lab.
pub(crate) fn journal(kmk: &Kmk) -> Value {
    let volumes = std::fs::read_dir(kmk.path("fake/volumes")).unwrap();
    let mut texts = volumes.map(|volume| std::fs::read_to_string(volume.unwrap().path()).unwrap());
    let volume: Value = serde_json::from_str(&texts.next().unwrap()).unwrap();
    assert_eq!(texts.next(), None, "only one volume is left");
    serde_json::from_str(volume["Labels"]["kmk.journal.1"].as_str().unwrap()).unwrap()
}

/// Of the flow in what `--json` says.
pub(crate) fn link(kmk: &Kmk, line: &str, code: i32) -> Value {
    let ran = kmk.run(&format!("{line} --json")).code(code);
    let told: Value = serde_json::from_str(ran.text()).unwrap();
    told["flows"][0]["link"].clone()
}

#[test]
fn names_and_flags_that_make_no_sense() {
    let why = "the shell took `>` for a redirection; write 'primary->TARGET' in quotes, or primary:TARGET\n";
    refused(&[
        ("link", "Usage: kmk link"),
        ("link cut primary-", why),
        ("link heal primary-", why),
        ("link show primary-", why),
        ("link cut --for 0s", "it must be longer than zero"),
        ("link cut a:b c:d", "unexpected argument 'c:d'"),
        ("link sever", "tip: did you mean `kmk link cut`?"),
    ]);
    for verb in ["cut", "heal", "show"] {
        let ran = obedient().run(&format!("link {verb} primary:secondry"));
        ran.code(2).stdout("").changed(&[]).stderr(indoc! {"
            error: there is no flow `primary->secondry`
              hint: did you mean `primary->secondary`?
        "});
    }
}

#[test]
fn mirrormaker_leaves_the_network_of_the_source() {
    let kmk = obedient();
    kmk.run("link cut")
        .code(0)
        .changed(&[DISCONNECT])
        .stdout("The link primary->secondary is cut: mm2-secondary can no longer reach primary.\n")
        .stderr(indoc! {"
            ✓ Disconnected mm2-secondary from network kmk-demo_primary (<time>)

            Next:
              kmk status  # see what becomes of the flow
              kmk link heal primary:secondary  # restore the link
        "});
    let cut = journal(&kmk)["links"]["primary->secondary"]["cut"].clone();
    assert!(
        cut["at"].as_i64().unwrap() > 0 && cut.get("until").is_none(),
        "{cut}"
    );
    // once more changes nothing, not even when it was cut
    kmk.run("link cut primary:secondary --quiet")
        .code(0)
        .changed(&[DISCONNECT])
        .stdout("The link primary->secondary is already cut: mm2-secondary can no longer reach primary.\n");
    assert_eq!(journal(&kmk)["links"]["primary->secondary"]["cut"], cut);
}

#[test]
fn docker_that_does_not_obey_is_not_believed() {
    let kmk = Kmk::on(|kmk| {
        let docker = Docker::works().with(&kmk.lab());
        docker.rule(Rule::on("network disconnect *"))
    });
    kmk.run("link cut --quiet")
        .code(3)
        .stdout("")
        .stderr(indoc! {"
        error: according to Docker, mm2-secondary is still on the network of primary
          hint: `kmk link heal` restores the link
    "});
    let kmk = Kmk::on(|kmk| {
        let docker = Docker::works().with(&kmk.lab());
        docker.rule(Rule::on("network disconnect *").fails(1, "no such network\n"))
    });
    let ran = kmk.run("link cut --quiet").code(3).stdout("");
    ran.stderr_has(
        "  caused by: no such network\n  hint: `kmk link show` shows which links are cut\n",
    );
}

#[test]
fn a_restored_link_is_told_only_once_a_record_has_crossed() {
    let kmk = obedient();
    kmk.run("link cut").code(0);
    let ran = kmk.run("link heal --timeout 2s").code(3).stdout("");
    ran.changed(&[DISCONNECT, CONNECT])
        .stderr_has("error: broker primary of cluster `primary` does not answer: not within <time>")
        .stderr_has("MirrorMaker is on the network again, but no record was seen to cross primary->secondary.\n");

    let kmk = obedient();
    let (brokers, _mirror) = answering(&kmk);
    kmk.run("link cut").code(0);
    kmk.run("link heal")
        .code(0)
        .changed(&[DISCONNECT, CONNECT])
        .stdout("The link primary->secondary is restored and replicates, after <time>.\n")
        .stderr(indoc! {"
            ✓ Connected mm2-secondary to network kmk-demo_primary (<time>)
            Waiting for the brokers ...
            ✓ All brokers answer (<time>)
            Waiting until a canary has crossed every flow ...
            ✓ A canary has crossed every flow (<time>)

            Next:
              kmk status  # check health
        "});
    assert_eq!(brokers[1].records("primary.kmk-canary", 0).len(), 1);
    assert_eq!(journal(&kmk), json!({}));
    for (line, told) in [
        ("link heal", "No link is cut.\n"),
        (
            "link heal primary:secondary",
            "The link primary->secondary is not cut.\n",
        ),
    ] {
        kmk.run(line).code(0).stdout(told).stderr("");
    }
}

#[test]
fn a_topic_that_does_not_cross_a_restored_link_is_told_and_not_that_nothing_does() {
    let kmk = obedient();
    let brokers = kmk
        .ports()
        .map(|port| Arc::new(FakeBroker::start_on(port).unwrap()));
    let [primary, secondary] = brokers.clone();
    brokers[0].topic("orders", 1, &[]);
    brokers[0].append("orders", 0, &[(None, Some("one"))]);
    let omits = Habits {
        omits: Some("orders"),
        ..Habits::default()
    };
    let ends = (("primary", primary), ("secondary", secondary));
    let _mirror = Mirror::start_as(ends.0, ends.1, omits);
    kmk.run("link cut").code(0);
    kmk.run("link heal --timeout 2s")
        .code(3)
        .stdout("")
        .stderr_has("✓ A canary has crossed every flow")
        .stderr_has("error: not all topics replicate: ")
        .stderr_has("The link is restored and records cross primary->secondary, but not those of every topic were seen to.\n")
        .stderr_lacks("no record was seen");
}

#[test]
fn what_others_cut_is_restored_too() {
    let kmk = Kmk::on(|kmk| {
        let lab = kmk.lab();
        let docker = Docker::works().with(&lab.clone().cut("mm2-secondary", "primary"));
        let docker = docker.rules(after(&lab, "network connect *"));
        docker.rule(Rule::on("network connect *"))
    });
    kmk.run("link show").code(0).stderr("").stdout(indoc! {"
        FLOW                LINK
        primary->secondary  disconnected  off the network: mm2-secondary
    "});
    let _all = answering(&kmk);
    kmk.run("link heal").code(0).changed(&[CONNECT]);
}

#[test]
fn a_mirrormaker_that_does_not_run_carries_nothing_and_that_is_said() {
    let kmk = Kmk::on(|kmk| obeys(&kmk.lab().exited("mm2-secondary", 143)));
    kmk.run("link cut --quiet").code(0);
    kmk.run("link heal --quiet").code(0).changed(&[DISCONNECT, CONNECT]).stdout(
        "The link primary->secondary is restored. MirrorMaker is not running, so no record crosses it yet.\n",
    );
}

#[test]
fn for_a_time_and_then_it_is_restored() {
    let kmk = obedient();
    let _all = answering(&kmk);
    kmk.run("link cut --for 300ms")
        .code(0)
        .changed(&[DISCONNECT, CONNECT])
        .stdout(indoc! {"
            The link primary->secondary is cut: mm2-secondary can no longer reach primary.
            The link primary->secondary is restored and replicates, after <time>.
        "})
        .stderr_has("Keeping the link cut for <time> ...\n✓ Connected mm2-secondary");
    assert_eq!(journal(&kmk), json!({}));
}

#[test]
fn a_cut_that_was_asked_for_again_is_not_restored_by_the_first() {
    let kmk = obedient();
    let cut = kmk.start("link cut --for 2s");
    cut.until_called("network disconnect");
    while kmk.run("link show").text().contains(" connected") {}
    kmk.run("link cut").code(0);
    cut.finish().code(0).changed(&[DISCONNECT]).stdout_has(
        "The link primary->secondary was restored meanwhile, or cut for another time.\n",
    );
    kmk.run("link show").code(0).stdout_has("secondary  cut ");
}

#[test]
fn an_interrupted_cut_is_restored_and_a_killed_one_is_overdue() {
    let kmk = obedient();
    let _all = answering(&kmk);
    let cut = kmk.start("link cut --for 60s");
    cut.until_called("network disconnect");
    cut.until_it_listens(Signal::INT);
    // nobody else is kept waiting meanwhile
    let status = kmk.run("status").code(1);
    status.stdout_has("the link is cut by `kmk link cut` <time> ago, to be restored in <time>; ");
    cut.signal(Signal::INT);
    cut.finish()
        .code(130)
        .stdout_has("The link primary->secondary is restored and replicates, after <time>.\n")
        .stderr_has("error: interrupted\n")
        .changed(&[DISCONNECT, CONNECT]);

    let kmk = obedient();
    let cut = kmk.start("link cut --for 2s");
    cut.until_called("network disconnect");
    while kmk.run("link show").text().contains(" connected") {}
    cut.signal(Signal::KILL);
    drop(cut);
    let overdue = "and should have been restored";
    while !kmk.run("link show").text().contains(overdue) {}
    kmk.run("status").code(1).stdout_has(overdue);
    kmk.run("list").code(0).stderr_has(overdue);
}

#[test]
fn every_verb_names_who_cut_the_link() {
    let kmk = obedient();
    let (brokers, mirror) = answering(&kmk);
    for broker in &brokers {
        broker.set_clock(to_millis(SystemTime::now()) - 60_000);
    }
    brokers[0].topic("orders", 1, &[]);
    brokers[0].append("orders", 0, &[(None, Some("one"))]);
    let is_there =
        |topics: Vec<(String, usize)>| topics.iter().any(|topic| topic.0 == "primary.orders");
    while !is_there(brokers[1].topics()) || brokers[1].end("primary.orders", 0) == 0 {
        std::thread::yield_now();
    }
    drop(mirror);
    kmk.run("link cut").code(0);
    brokers[0].append("orders", 0, &[(None, Some("two"))]);
    let restores = "; `kmk link heal primary:secondary` restores it\n";
    let by_kmk = "the link is cut by `kmk link cut` <time> ago";
    kmk.run("status")
        .code(1)
        .stdout_has(&format!("Lab `demo`: NOT HEALTHY\n  - flow primary->secondary: {by_kmk}{restores}\n"))
        .stdout_has("primary->secondary  unhealthy  -  ")
        .stderr("\nhint: `kmk link heal primary:secondary` restores the link; `kmk deploy` repairs everything else\n");
    let lag = kmk
        .run("lag")
        .code(0)
        .stdout_has(&format!(
            "1 record and <time> behind\n  - {by_kmk}{restores}TOPIC"
        ))
        .stderr("\nNext:\n  kmk link heal primary:secondary  # restore the link\n");
    assert!(!lag.text().contains("position has not"), "{}", lag.text());
    // nobody watches for two seconds whether what was cut moves
    assert!(kmk.run("lag --json").text().contains(r#""stalled": []"#));
    kmk.run("lag --max 100")
        .code(1)
        .stderr_has(&format!("primary->secondary: no progress: {by_kmk}"));
    let explained = kmk
        .run("explain orders")
        .code(1)
        .stdout_has(&format!(
            "primary->secondary: makes no progress: {by_kmk}\n"
        ))
        .stdout_has("  do: kmk link heal primary:secondary\n");
    assert!(!explained.text().contains("docker network connect"));
    kmk.run("list")
        .code(0)
        .stderr_has(&format!("note: demo: {by_kmk}{restores}"));
    kmk.run("link show").code(0).stdout(indoc! {"
        FLOW                LINK
        primary->secondary  cut   by `kmk link cut` <time> ago
    "});
    for (line, code) in [("status", 1), ("lag", 0)] {
        let link = link(&kmk, line, code);
        assert_eq!(link["state"], "cut", "{line}");
        assert_eq!(link["cut_off"], json!(["mm2-secondary"]), "{line}");
        assert!(
            link["cut"]["seconds"].is_f64() && link["cut"]["until"].is_null(),
            "{link}"
        );
    }
    kmk.run("list --json")
        .code(0)
        .stdout_has("\"flow\": \"primary->secondary\",\n        \"state\": \"cut\"");
    let ran = kmk.run("explain orders --json").code(1);
    let told: Value = serde_json::from_str(ran.text()).unwrap();
    assert!(told["flows"][0]["seen"]["cut"]["at"].is_string(), "{told}");
}

#[test]
fn a_link_that_is_cut_is_restored_before_it_is_made_half_open() {
    let kmk = obedient();
    kmk.run("link cut").code(0);
    kmk.run("link cut --half-open")
        .code(2)
        .stdout("")
        .changed(&[DISCONNECT])
        .stderr(
            "error: the link primary->secondary is cut: it must be restored first\n  hint: `kmk link heal primary:secondary` restores it\n",
        );
}

#[test]
fn a_link_that_is_connected_is_told_to_scripts() {
    let kmk = obedient();
    let _all = answering(&kmk);
    assert_eq!(
        link(&kmk, "status", 0),
        json!({"flow": "primary->secondary", "state": "connected", "cut_off": [], "cut": null})
    );
}

const STAYS: &str = "note: primary->secondary stays cut by `kmk link cut` <time> ago; `kmk link heal primary:secondary` restores it\n";

#[test]
fn stop_and_start_keep_the_cut() {
    let kmk = Kmk::on(|kmk| obeys(&kmk.lab()).rule(Rule::on("stop *")));
    let (_brokers, mirror) = answering(&kmk);
    drop(mirror);
    kmk.run("link cut --quiet").code(0);
    kmk.run("stop").code(0).stderr_has(STAYS);
    kmk.run("start")
        .code(0)
        .stdout_has("Lab `demo` is already running and its brokers answer (primary->secondary stays cut); checked in <time>.\n")
        .stderr_has(STAYS)
        .stderr_lacks("canary");
}

/// The default lab as it was deployed, with a docker that obeys.
fn deployed(change: impl Fn(FakeLab) -> FakeLab) -> Kmk {
    let kmk = Kmk::new();
    kmk.run(&format!("{DEPLOY} --dry-run")).code(0);
    let written = std::fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    let lab = change(kmk.lab().made_from(&written));
    let docker = obeys(&lab).rule(Rule::on(UP));
    kmk.docker(&docker)
}

#[test]
fn deploy_keeps_the_cut_that_was_asked_for_and_no_other() {
    let kmk = deployed(|lab| lab);
    let (_brokers, mirror) = answering(&kmk);
    drop(mirror);
    kmk.run("link cut --quiet").code(0);
    kmk.deploy("")
        .code(0)
        .changed(&[DISCONNECT])
        .stdout_has("Lab `demo` already runs as requested and its brokers answer (primary->secondary stays cut); checked in <time>.\n")
        .stderr_has(STAYS);
    // the same disconnection, by somebody else
    let by_hand = deployed(|lab| lab.cut("mm2-secondary", "primary"));
    let _all = answering(&by_hand);
    by_hand
        .deploy("")
        .code(0)
        .changed(&[&format!("{IN_PLACE} --no-recreate"), CONNECT])
        .stderr_lacks("stays cut");
}

#[test]
fn a_mirrormaker_that_is_recreated_leaves_the_network_again() {
    let kmk = deployed(|lab| lab.memory("mm2-secondary", 1 << 20));
    let (_brokers, mirror) = answering(&kmk);
    drop(mirror);
    kmk.run("link cut --quiet").code(0);
    // compose puts the new one on all networks
    let docker = obeys(&kmk.lab()).rule(Rule::on(UP));
    let back = after(&kmk.lab(), "compose * --force-recreate *");
    let kmk = kmk.docker(&docker.rules(back));
    let ran = kmk.deploy("--timeout 5s").code(0).stderr_has(STAYS);
    let calls = ran.all_calls();
    let at = |beginning: &str| calls.iter().rposition(|call| call.starts_with(beginning));
    assert!(
        at("network disconnect") > at("compose --ansi"),
        "{calls:#?}"
    );
}

#[test]
fn links_that_cannot_be_cut() {
    let spec = |kmk: &Kmk, existing: &str| {
        let [primary, secondary] = kmk.ports();
        let cluster = |name: &str, port: u16| {
            if name == existing {
                json!({"name": name, "brokers": 0, "partitions": 0, "bootstrap": [format!("127.0.0.1:{port}")]})
            } else {
                json!({"name": name, "brokers": 1, "partitions": 1, "port": port})
            }
        };
        json!({
            "lab": "demo",
            "clusters": [cluster("primary", primary), cluster("secondary", secondary)],
            "flows": [{"source": "primary", "target": "secondary", "naming": "prefix"}],
        })
    };
    let kmk = Kmk::on(|kmk| {
        let lab = kmk.lab().spec(spec(kmk, "primary")).without("primary");
        Docker::works().with(&lab.cut("mm2-secondary", "primary"))
    });
    for line in ["link cut", "link cut --half-open"] {
        kmk.run(line).code(2).stdout("").changed(&[]).stderr(indoc! {"
            error: primary is an existing cluster: MirrorMaker reaches it by the address that it advertises, not through a network of the lab
              hint: cut the line where that cluster runs, or let kmk create the source
        "});
    }
    let kmk = Kmk::on(|kmk| {
        let lab = kmk.lab().spec(spec(kmk, "secondary")).without("secondary");
        Docker::works().with(&lab.cut("mm2-secondary", "secondary"))
    });
    kmk.run("link cut").code(2).stdout("").changed(&[]).stderr_has(
        "error: mm2-secondary is on no other network than that of primary: without it, secondary could not be reached either\n",
    );
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab().without("mm2-secondary")));
    for line in ["link cut", "link cut --half-open"] {
        kmk.run(line)
            .code(3)
            .stdout("")
            .changed(&[])
            .stderr(indoc! {"
                error: MirrorMaker of primary->secondary has no container
                  hint: `kmk deploy` recreates it
            "});
    }
}

#[test]
fn of_several_flows_one_is_named_and_siblings_are_told() {
    let several = |kmk: &Kmk| {
        let [primary, secondary] = kmk.ports();
        let cluster = |name: &str, port: u16| json!({"name": name, "brokers": 1, "partitions": 1, "port": port});
        let flow =
            |source: &str| json!({"source": source, "target": "secondary", "naming": "prefix"});
        kmk.lab().spec(json!({
            "lab": "demo",
            "clusters": [cluster("primary", primary), cluster("secondary", secondary), cluster("third", 39092)],
            "flows": [flow("primary"), flow("third")],
        }))
    };
    let kmk = Kmk::on(|kmk| obeys(&several(kmk)));
    kmk.run("link cut").code(2).stdout("").changed(&[]).stderr(indoc! {"
        error: the lab has several flows: name one
          hint: such as 'primary->secondary' or primary:secondary; there are primary->secondary, third->secondary
    "});
    let ran = kmk
        .run("link cut primary->secondary")
        .code(0)
        .changed(&[DISCONNECT]);
    ran.stderr_has("note: the same MirrorMaker runs third->secondary: its records still cross, but if a task fails, it is not restarted until the link is restored\n");
}

/// The default lab with two MirrorMakers that share the work.
fn two_workers(kmk: &Kmk) -> FakeLab {
    let [primary, secondary] = kmk.ports();
    let cluster =
        |name: &str, port: u16| json!({"name": name, "brokers": 1, "partitions": 1, "port": port});
    let mut target = cluster("secondary", secondary);
    target["mirrormakers"] = 2.into();
    let lab = kmk.lab().format("2").spec(json!({
        "lab": "demo",
        "clusters": [cluster("primary", primary), target],
        "flows": [{"source": "primary", "target": "secondary", "naming": "prefix"}],
    }));
    let lab = lab.also(&["mm2-secondary-1", "mm2-secondary-2"]);
    lab.without("mm2-secondary")
}

#[test]
fn of_several_mirrormakers_all_leave_the_network() {
    let kmk = Kmk::on(|kmk| {
        let lab = two_workers(kmk);
        let one = lab.clone().cut("mm2-secondary-1", "primary");
        let both = one.clone().cut("mm2-secondary-2", "primary");
        Docker::works()
            .with(&lab)
            .rules(after(&one, "network disconnect * id-demo-mm2-secondary-1"))
            .rules(after(&both, "network disconnect * id-demo-mm2-secondary-2"))
            .rules(after(
                &two_workers(kmk).cut("mm2-secondary-2", "primary"),
                "network connect *",
            ))
            .rule(Rule::on("network disconnect *"))
            .rule(Rule::on("network connect *"))
    });
    let disconnect = "network disconnect --force kmk-demo_primary id-demo-mm2-secondary-";
    kmk.run("link cut --quiet")
        .code(0)
        .changed(&[&format!("{disconnect}1"), &format!("{disconnect}2")])
        .stdout("The link primary->secondary is cut: mm2-secondary-1, mm2-secondary-2 can no longer reach primary.\n");
    // docker puts back only one of them
    let ran = kmk.run("link heal --quiet").code(3).stdout("");
    ran.stderr_has(
        "error: according to Docker, mm2-secondary-2 is still not on the network of primary\n",
    );
    kmk.run("link show").code(0).stdout(indoc! {"
        FLOW                LINK
        primary->secondary  partly cut  by `kmk link cut` <time> ago; off the network: mm2-secondary-2
    "});
    kmk.run("status").code(1).stdout_has("the link was cut by `kmk link cut` <time> ago, but not all of MirrorMaker is off the network; `kmk link heal primary:secondary` restores it\n");
}
