//! Every answer of `kmk explain`, really brought about: one lab whose flows go both ways, one of which looks for new topics
//! every second and the other every ten minutes.

use crate::engine::docker;
use crate::lab::{Lab, kafka_tool};
use crate::process::{PATIENCE, until};
use serde_json::Value;
use std::fs;

const FORTH: &str = "--flow primary->secondary";
const BACK: &str = "--flow secondary->primary";

fn lab() -> Lab {
    let lab = Lab::new("explain");
    let [primary, secondary] = lab.ports;
    let text = format!(
        r"clusters:
  - name: primary
    port: {primary}
  - name: secondary
    port: {secondary}
flows:
  - from: primary
    to: secondary
    topics: ['orders.*', big, many, 'a\.b', gone]
    exclude: ['.*-tmp']
  - from: secondary
    to: primary
    settings:
      refresh.topics.interval.seconds: 600
"
    );
    fs::write(lab.home.path().join("kmk.yml"), text).unwrap();
    lab.kmk("deploy").code(0);
    lab
}

/// What is said of the one flow that a topic concerns.
#[track_caller]
fn told(lab: &Lab, line: &str) -> Value {
    let output = lab
        .command(&format!("explain {line} --json"))
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{line}: {}", String::from_utf8_lossy(&output.stderr)));
    let [flow] = told["flows"].as_array().unwrap().as_slice() else {
        panic!("{line}: {told}");
    };
    let is_mirrored = flow["mirrored"].as_bool().unwrap();
    let code = match flow["answer"].as_str() {
        Some("no_such_topic") => 2,
        _ => i32::from(!is_mirrored),
    };
    assert_eq!(output.status.code(), Some(code), "{flow}");
    flow.clone()
}

/// The facts of an answer, as soon as it is this.
#[track_caller]
fn until_it_is(lab: &Lab, line: &str, answer: &str) -> Value {
    let mut last = Value::Null;
    until(&format!("{line} is {answer}"), PATIENCE, || {
        last = told(lab, line);
        let is_it = last["answer"] == answer;
        is_it.then_some(())
    });
    println!("{line}: {answer} {}", last["facts"]);
    last["facts"].clone()
}

/// The facts of an answer, which must be this at once.
#[track_caller]
fn is(lab: &Lab, line: &str, answer: &str) -> Value {
    let flow = told(lab, line);
    assert_eq!(flow["answer"], answer, "{line}: {flow:#}");
    println!("{line}: {answer} {}", flow["facts"]);
    flow["facts"].clone()
}

/// The same in words: lines that it prints.
#[track_caller]
fn says(lab: &Lab, line: &str, parts: &[&str]) {
    let ran = lab.kmk(&format!("explain {line}"));
    println!("{}", ran.text());
    for part in parts {
        assert!(ran.text().contains(part), "{part}\n{}", ran.text());
    }
    // what it tells to type can be typed
    let text = ran.text();
    let commands = text.lines();
    let commands = commands.filter_map(|line| line.trim().strip_prefix("do: kmk "));
    for command in commands {
        for one in command.split('#').next().unwrap().split("| kmk ") {
            lab.bash(&format!("kmk {one} --help")).code(0);
        }
    }
}

/// Types what it says is to be done, the first of it.
#[track_caller]
fn do_it(lab: &Lab, line: &str) {
    let ran = lab.kmk(&format!("explain {line}"));
    let text = ran.text();
    let todo = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("do: "));
    lab.bash(todo.unwrap_or_else(|| panic!("nothing to do: {}", ran.text())))
        .code(0);
}

#[test]
#[ignore = "needs Docker"]
fn every_answer_is_given_where_it_is_the_reason() {
    let lab = lab();
    of_names(&lab);
    of_topics_in_the_making(&lab);
    of_parts_that_are_down(&lab);
    of_copies(&lab);
    of_a_flow_that_is_off(&lab);
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn a_mirrormaker_that_was_killed_and_a_target_that_does_not_answer_are_told_as_the_reason() {
        let lab = lab();
        let mirror = lab.container("mm2-secondary");
        lab.kmk("produce --topic orders --messages 10").code(0);
        until_it_is(&lab, "orders", "up_to_date");

        println!("MirrorMaker is killed");
        docker(&format!("kill {mirror}"));
        is(&lab, "orders", "mirror_maker_down");
        says(
            &lab,
            "orders",
            &["mm2-secondary has exited with code 137\n"],
        );
        docker(&format!("start {mirror}"));
        until_it_is(&lab, "orders", "up_to_date");

        does_not_answer(&lab, "secondary", "target_unreachable");
    }
}

fn of_names(lab: &Lab) {
    lab.kmk("produce --topic orders --messages 10").code(0);
    until_it_is(lab, "orders", "up_to_date");
    says(
        lab,
        "orders",
        &[
            "primary->secondary: mirrored: up to date\n  seen: `orders` on primary: 1 partition, 10 records\n",
        ],
    );
    // the copy is never shown as it was before MirrorMaker's position
    for _ in 0..20 {
        lab.kmk("produce --topic orders --messages 1").code(0);
        let seen = told(lab, "orders");
        let records = |side: &str| seen["seen"][side]["records"].as_u64();
        assert!(
            seen["answer"] != "up_to_date" || records("remote_topic") >= records("source_topic"),
            "{seen}"
        );
    }
    // the name of the copy means the same, and the copy does not come back
    let copy = told(lab, "primary.orders");
    assert_eq!(
        (&copy["topic"], &copy["answer"]),
        (&"orders".into(), &"up_to_date".into())
    );
    let cycle = is(lab, &format!("primary.orders {BACK}"), "cycle");
    assert_eq!(cycle["origin"]["kind"], "mirrored");
    // a name is anybody's to give
    lab.kmk("topic create primary.orders-own --cluster secondary --force")
        .code(0);
    let cycle = is(lab, &format!("primary.orders-own {BACK}"), "cycle");
    assert_eq!(cycle["origin"]["kind"], "no_topic");
    // something is always on its way in these: a look sends a canary
    for topic in ["kmk-canary", "heartbeats"] {
        until(&format!("{topic} crosses"), PATIENCE, || {
            (told(lab, &format!("{topic} {FORTH}"))["mirrored"] == true).then_some(())
        });
    }

    println!("mirrored for its name, whatever the patterns");
    lab.kmk("topic create team.heartbeats").code(0);
    lab.kmk("topics --cluster primary")
        .code(0)
        .prints("team.heartbeats");
    lab.primary().produce("team.heartbeats", "mine");
    until_it_is(lab, "team.heartbeats", "up_to_date");
    assert_eq!(lab.secondary().values("primary.team.heartbeats"), ["mine"]);
    let lag = lab.kmk("lag --topic team.heartbeats --json").code(0).json();
    assert_eq!(lag["flows"][0]["topics"][0]["state"], "mirrored", "{lag}");

    assert_eq!(
        is(lab, &format!("ordrs {FORTH}"), "no_such_topic")["nearest"],
        "orders"
    );
    says(
        lab,
        &format!("ordrs {FORTH}"),
        &["there is no topic `ordrs` on primary", "do: kmk explain"],
    );
    is(lab, &format!("zzz {FORTH}"), "no_such_topic");

    for topic in ["orders-tmp", "payments"] {
        lab.kmk(&format!("topic create {topic}")).code(0);
    }
    lab.kmk("topic create orders.internal --force").code(0);
    let excluded = is(lab, "orders-tmp", "excluded");
    assert_eq!(
        (&excluded["pattern"], &excluded["whose"]),
        (&".*-tmp".into(), &"lab".into())
    );
    says(
        lab,
        "orders-tmp",
        &["not mirrored: excluded by pattern `.*-tmp`\n"],
    );
    assert_eq!(is(lab, "orders.internal", "internal")["rule"], "suffix");
    let listed = &is(lab, "payments", "not_listed")["topics"];
    assert_eq!(listed[0], "orders.*");
    assert_eq!(
        listed.as_array().unwrap().len(),
        5,
        "the canary is no person's: {listed}"
    );

    let long = "l".repeat(245);
    for topic in [".hidden", "mine", &long] {
        let line = format!("topic create {topic} --cluster secondary --force");
        lab.kmk(&line).code(0);
    }
    assert_eq!(is(lab, ".hidden", "internal")["rule"], "dot");
    assert_eq!(is(lab, &long, "name_too_long")["length"], 255);
    assert_eq!(
        is(lab, &format!("mine {FORTH}"), "no_flow")["on"][0],
        "secondary"
    );
}

fn of_topics_in_the_making(lab: &Lab) {
    println!("looked for every ten minutes");
    lab.kmk("produce --topic returns --cluster secondary --messages 5")
        .code(0);
    let refresh = is(lab, "returns", "not_refreshed")["refresh"].clone();
    assert_eq!(refresh["every_seconds"], 600);
    let next = refresh["next_in_seconds"].as_u64().unwrap();
    assert!((300..600).contains(&next), "deployed a moment ago: {next}");
    says(
        lab,
        "returns",
        &[
            "secondary->primary: not created yet: MirrorMaker has not looked for new topics since it was created (it looks every ",
        ],
    );
    do_it(lab, "returns");
    until_it_is(lab, "returns", "up_to_date");
    lab.kmk("topic alter returns --partitions 3 --cluster secondary")
        .code(0);
    let fewer = is(lab, "returns", "fewer_partitions");
    assert_eq!((&fewer["copied"], &fewer["of"]), (&1.into(), &3.into()));

    println!("looked for every second");
    lab.kmk("topic create orders-none").code(0);
    assert_eq!(
        until_it_is(lab, "orders-none", "nothing_produced")["ever_written"],
        0
    );
    says(
        lab,
        "orders-none",
        &[
            "nothing to mirror: nothing has been produced yet\n",
            "do: kmk produce",
        ],
    );
    do_it(lab, "orders-none");
    until_it_is(lab, "orders-none", "up_to_date");
    lab.kmk("topic truncate orders-none --before end").code(0);
    assert_eq!(
        until_it_is(lab, "orders-none", "nothing_produced")["ever_written"],
        10
    );

    println!("a name that the target cannot have");
    lab.kmk("topic create primary.a_b --cluster secondary --force")
        .code(0);
    lab.kmk("produce --topic a.b").code(0);
    let obstacle = until_it_is(lab, "a.b", "not_created")["obstacle"].clone();
    assert_eq!(
        (&obstacle["kind"], &obstacle["with"]),
        (&"collision".into(), &"primary.a_b".into())
    );
    says(
        lab,
        "a.b",
        &["`primary.a.b` cannot be created on secondary: its name collides with `primary.a_b`\n"],
    );
    do_it(lab, "a.b");
    until_it_is(lab, "a.b", "up_to_date");
}

fn of_parts_that_are_down(lab: &Lab) {
    let mirror = lab.container("mm2-secondary");
    println!("MirrorMaker is paused");
    docker(&format!("pause {mirror}"));
    lab.kmk("produce --topic orders --messages 3").code(0);
    let down = is(lab, "orders", "mirror_maker_down");
    assert_eq!(down["workers"][0]["state"], "paused");
    says(
        lab,
        "orders",
        &[
            "makes no progress: MirrorMaker is not running: mm2-secondary is paused\n",
            "seen: 3 records not mirrored",
        ],
    );
    // no time that is waited brings these
    for (topic, why) in [
        ("orders", "read "),
        ("big", "there is no topic `primary.big` on secondary"),
    ] {
        lab.kmk(&format!(
            "consume primary.{topic} -n 1000 --timeout 2s --quiet"
        ))
        .code(1)
        .says(&format!("error: {why}"))
        .says(&format!(
            "`kmk explain --lab {} {topic}` shows whether more records will come",
            lab.name
        ));
    }
    lab.kmk("lag")
        .code(0)
        .says(" orders  # see why it makes no progress");
    do_it(lab, "orders");
    until_it_is(lab, "orders", "up_to_date");

    println!("the link is cut");
    docker(&format!(
        "network disconnect {} {mirror}",
        lab.network("primary")
    ));
    lab.kmk("produce --topic orders --messages 2").code(0);
    assert_eq!(is(lab, "orders", "link_cut")["clusters"][0], "primary");
    says(
        lab,
        "orders",
        &[
            "makes no progress: the link is cut: MirrorMaker is disconnected from the network of primary\n",
        ],
    );
    do_it(lab, "orders");
    until_it_is(lab, "orders", "up_to_date");

    does_not_answer(lab, "primary", "source_unreachable");
}

fn does_not_answer(lab: &Lab, cluster: &str, answer: &str) {
    println!("{cluster} does not answer");
    let container = lab.container(cluster);
    docker(&format!("pause {container}"));
    is(lab, &format!("orders {FORTH}"), answer);
    let group = lab.kmk("group describe nobody --timeout 4s").code(3);
    group
        .says("error: group `nobody` was not found, but it may exist: ")
        .says(&format!("{cluster} does not answer ("));
    let lag = lab.kmk("lag").code(1).says("  # see what is wrong");
    assert_eq!(
        lag.text().matches("does not answer").count(),
        2,
        "once a flow"
    );
    docker(&format!("unpause {container}"));
    until_it_is(lab, "orders", "up_to_date");
}

fn of_copies(lab: &Lab) {
    println!("behind");
    let producing = lab.start("produce --topic orders --rate 20000/s --messages 60000 --quiet");
    until_it_is(lab, "orders", "behind");
    producing.finish().code(0);
    until_it_is(lab, "orders", "up_to_date");

    println!("a copy with more partitions, made before");
    lab.kmk("topic create primary.many --partitions 3 --cluster secondary --force")
        .code(0);
    lab.kmk("produce --topic many --messages 4").code(0);
    until_it_is(lab, "many", "up_to_date");
    says(
        lab,
        "many",
        &["seen: the mirrored topic has 2 partitions more, to which nothing is mirrored\n"],
    );

    println!("a copy that was deleted");
    let delete = "--bootstrap-server secondary:9092 --delete --topic primary.many";
    kafka_tool(&lab.container("secondary"), "kafka-topics.sh", delete, b"");
    assert_eq!(
        until_it_is(lab, "many", "mirrored_records_lost")["records"],
        4
    );
    says(
        lab,
        "many",
        &[
            "partly mirrored: `primary.many` has lost at most 4 records, which are not mirrored again",
        ],
    );
    // what is typed then brings exactly these, and not what came since
    let secondary = lab.secondary();
    lab.primary().produce("many", "newer");
    secondary.until_it_has("primary.many", &["newer".to_owned()].into(), PATIENCE);
    do_it(lab, "many");
    let sorted = |mut values: Vec<String>| {
        values.sort();
        values
    };
    assert_eq!(
        sorted(secondary.values("primary.many")),
        sorted(lab.primary().values("many"))
    );

    println!("an original that was deleted");
    lab.kmk("topic create gone").code(0);
    until_it_is(lab, "gone", "nothing_produced");
    lab.kmk("topic delete gone").code(0);
    until_it_is(lab, &format!("gone {FORTH}"), "source_topic_missing");

    println!("a record that the copy does not take");
    lab.kmk("topic create big").code(0);
    until_it_is(lab, "big", "nothing_produced");
    lab.kmk("topic alter primary.big --config max.message.bytes=1000 --cluster secondary --force")
        .code(0);
    lab.primary().produce("big", &"x".repeat(20_000));
    let culprits = until_it_is(lab, "orders", "blocked")["culprits"].clone();
    assert_eq!(culprits[0]["topic"], "big", "{culprits}");
    until_it_is(lab, "big", "blocking");
    // while MirrorMaker starts again, it has not failed again yet
    until_it_is(lab, "orders", "blocked");
    says(
        lab,
        "orders",
        &[
            "the whole flow is blocked by `big`\n",
            "seen: topic `big` blocks the whole flow: `primary.big` accepts records of up to 1000 bytes, and `big` of up to ",
        ],
    );
    until_it_is(lab, "orders", "blocked");
    do_it(lab, "orders");
    until_it_is(lab, "big", "up_to_date");
    until_it_is(lab, "orders", "up_to_date");
}

fn of_a_flow_that_is_off(lab: &Lab) {
    let file = lab.directory().join("mm2.properties");
    let text = fs::read_to_string(&file).unwrap();
    let off = text.replace(
        "secondary->primary.enabled = true",
        "secondary->primary.enabled = false",
    );
    assert_ne!(text, off);
    fs::write(&file, off).unwrap();
    assert_ne!(
        told(lab, "returns")["answer"],
        "disabled",
        "what runs was not told yet"
    );
    docker(&format!("restart {}", lab.container("mm2-primary")));
    is(lab, "returns", "disabled");
    says(
        lab,
        "returns",
        &[
            "secondary->primary: makes no progress: the flow is disabled\n",
            "mm2.properties says `secondary->primary.enabled = false`\n",
        ],
    );
}
