//! `kmk verify` verified: what Kafka's own tools and kcat do to the records on the target must be found, and named.

use crate::engine::docker;
use crate::kcat::Kcat;
use crate::lab::{Lab, kafka_tool};
use crate::process::{PATIENCE, Ran, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

#[test]
#[ignore = "needs Docker"]
fn every_record_is_accounted_for() {
    let lab = Lab::deployed("verify", "");
    all_is_well(&lab);
    records_of_others_are_left_alone(&lab);
    duplicates_are_found_and_counted(&lab);
    what_is_spoilt_is_found_and_placed(&lab);
    what_was_deleted_is_missing(&lab);
    what_comes_while_it_ends_is_not_too_late(&lab);
    what_a_source_refuses_for_good_is_not_waited_for(&lab);
    times_that_the_target_overwrites_are_told(&lab);
    an_interruption_tells_what_is_known(&lab);
}

fn all_is_well(lab: &Lab) {
    println!("all is well");
    let ran = lab
        .kmk("verify --report report.json --report report.html --report report.xml")
        .code(0);
    ran.prints("Sent 10000 records into `kmk-verify` on primary (3 partitions) in ")
        .prints("all acknowledged")
        .prints("\nall        10000  10000  10000    0        0           0\n")
        .prints(
            "\nVERIFIED: primary->secondary: all 10000 records arrived, unchanged and in order in ",
        );
    let file = std::fs::read(lab.home.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(report["verified"], true);
    assert_eq!(report["flows"][0]["account"]["arrived"], 10_000);
    what_it_was_made_with(lab, &report["provenance"]);
    let other = |name: &str| std::fs::read_to_string(lab.home.path().join(name)).unwrap();
    assert!(other("report.html").contains("<strong>✓ VERIFIED</strong>"));
    let suites = other("report.xml");
    let suites = roxmltree::Document::parse(&suites).unwrap();
    let count = |name| suites.root_element().attribute(name);
    assert_eq!(
        ["tests", "failures", "errors"].map(count),
        [Some("8"), Some("0"), Some("0")]
    );

    let ran = lab
        .kmk("verify --rate 2000/s --for 2s --size 1000 --json --exactly-once --flow primary->secondary")
        .code(0);
    let report = ran.json();
    let account = &report["flows"][0]["account"];
    let sent = account["sent"].as_u64().unwrap();
    assert!((3_500..=4_100).contains(&sent), "{sent} sent in 2 s");
    for same in ["acknowledged", "arrived"] {
        assert_eq!(account[same], sent, "{same}");
    }
    for none in ["missing", "duplicated", "reordered"] {
        assert_eq!(account[none], 0, "{none}");
    }
    let latency = &account["latency"];
    println!("  MEASURED latency in microseconds: {latency}");
    assert!(
        latency["p50"].as_u64().unwrap() > 0 && latency["max"].as_u64() >= latency["p99"].as_u64()
    );
    // the records are gone on both sides, the topic is there
    assert_eq!(lab.primary().values("kmk-verify").len(), 0);
    assert_eq!(lab.secondary().values("primary.kmk-verify").len(), 0);
    for name in ["report.json", "report.html", "report.xml"] {
        std::fs::remove_file(lab.home.path().join(name)).unwrap();
    }
}

/// Docker says the same of its containers.
fn what_it_was_made_with(lab: &Lab, provenance: &Value) {
    for service in ["mm2-secondary", "primary", "secondary"] {
        let services = provenance["services"].as_array().unwrap();
        let told = services.iter().find(|one| one["service"] == service);
        let told = told.unwrap_or_else(|| panic!("{service} is not in the report"));
        let text = |field: &str| told[field].as_str().unwrap().to_owned();
        let container = lab.container(service);
        for (field, of) in [("image", "{{.Config.Image}}"), ("image_id", "{{.Image}}")] {
            let seen = docker(&format!("container inspect --format {of} {container}"));
            assert_eq!(seen.trim(), text(field));
        }
        assert!(text("image").ends_with(&text("kafka")));
    }
}

fn records_of_others_are_left_alone(lab: &Lab) {
    println!("a topic with other data in it");
    lab.primary().produce("orders", "one\ntwo\nthree\n");
    lab.secondary()
        .until_it_is_past("primary.orders", 2, PATIENCE);
    let mut running = lab.start("verify --topic orders --rate 500/s --for 3s --json");
    running.until_it_says("acknowledged");
    lab.primary().produce("orders", "four\nfive\n");
    let report = running.finish().code(0).json();
    let account = &report["flows"][0]["account"];
    assert_eq!(account["unrelated"], json!({"other_runs": 0, "no_run": 2}));
    let sent = usize::try_from(account["sent"].as_u64().unwrap()).unwrap();
    assert_eq!(
        lab.primary().values("orders").len(),
        sent + 5,
        "nothing is removed"
    );

    lab.kmk("verify --topic order")
        .code(2)
        .says("error: there is no topic `order` on primary\n  hint: did you mean `orders`?");
    assert!(
        !lab.primary().topics().contains_key("order"),
        "and none is made"
    );
}

/// A record as it lies on the target.
#[derive(Debug, Clone)]
struct Copied {
    partition: i32,
    offset: i64,
    value: String,
}

impl Copied {
    /// Its number in its partition, as its stamp says.
    fn sequence(&self) -> u64 {
        self.value.split(' ').nth(4).unwrap().parse().unwrap()
    }
}

const FORMAT: &str = "%p|%o|%s";

fn copies(lines: &[String]) -> Vec<Copied> {
    let records = lines.iter().map(|line| {
        let [partition, offset, value] = line.splitn(3, '|').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        Copied {
            partition: partition.parse().unwrap(),
            offset: offset.parse().unwrap(),
            value: value.to_owned(),
        }
    });
    records.collect()
}

/// The first so many records of a partition on the target, once there are so many.
fn first(lab: &Lab, topic: &str, partition: i32, count: usize) -> Vec<Copied> {
    copies(&lab.secondary().first(topic, partition, count, FORMAT))
}

/// Puts values behind what is in a partition of the target.
fn inject(lab: &Lab, topic: &str, partition: i32, values: &[String]) {
    let text = values.join("\n") + "\n";
    lab.secondary()
        .produce_with(topic, &format!("-p {partition}"), &text);
}

fn duplicates_are_found_and_counted(lab: &Lab) {
    println!("duplicates on the target, with Kafka's own tool");
    let mirror = lab.container("mm2-secondary");
    lab.kmk("topic create repeated --partitions 1").code(0);
    let mut running = lab.start("verify --topic repeated --rate 300/s --for 4s");
    running.until_it_says("acknowledged");
    let five = first(lab, "primary.repeated", 0, 5);
    let mut again: Vec<&str> = five.iter().map(|copy| copy.value.as_str()).collect();
    again.extend([again[0], again[0]]);
    // the run does not end before the tool has: some records are not there yet
    docker(&format!("pause {mirror}"));
    kafka_tool(
        &lab.container("secondary"),
        "kafka-console-producer.sh",
        "--bootstrap-server localhost:9092 --topic primary.repeated",
        (again.join("\n") + "\n").as_bytes(),
    );
    docker(&format!("unpause {mirror}"));
    // allowed, and told
    running
        .finish()
        .code(0)
        .prints("partition 0  0 (4 times), 1-4 (2 times)")
        .prints("\nVERIFIED: ")
        .prints("(and 7 duplicates)");
}

/// As the record, of another number, and with a checksum that is right.
fn renumbered(copy: &Copied, sequence: u64) -> String {
    let mut words: Vec<String> = copy.value.split(' ').map(str::to_owned).collect();
    words[4] = format!("{sequence:012}");
    let body = words[2..].join(" ");
    format!("kmk1 {:08x} {body}", crc32c::crc32c(body.as_bytes()))
}

fn what_is_spoilt_is_found_and_placed(lab: &Lab) {
    println!("records on the target that are not what was sent");
    lab.kmk("topic create spoilt --partitions 2").code(0);
    let mut running = lab
        .start("verify --topic spoilt --rate 300/s --for 4s --exactly-once --json --timeout 20s");
    running.until_it_says("acknowledged");
    let mine = first(lab, "primary.spoilt", 0, 3);
    let theirs = first(lab, "primary.spoilt", 1, 3);
    let altered = mine[0].value.replace('.', ",");
    let cut = mine[1].value[..100].to_owned();
    inject(
        lab,
        "primary.spoilt",
        0,
        &[altered, cut, "hello".to_owned()],
    );
    inject(lab, "primary.spoilt", 0, &[theirs[1].value.clone()]);
    // as a run would send that has the same number
    inject(
        lab,
        "primary.spoilt",
        1,
        &[renumbered(&theirs[0], 4_000_000)],
    );
    inject(lab, "primary.spoilt", 0, &[mine[2].value.clone()]);
    let report = running.finish().code(1).json();
    let account = &report["flows"][0]["account"];
    assert_eq!(report["verified"], false);
    assert_eq!(
        (&account["missing"], &account["duplicated"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(account["corrupted"]["records"], 2);
    assert_eq!(account["wrong_partition"]["records"], 1);
    assert_eq!(account["never_sent"], 1);
    assert_eq!(account["unrelated"]["no_run"], 1);
    let lies: BTreeMap<i64, String> = copies(&lab.secondary().read("primary.spoilt", FORMAT))
        .into_iter()
        .filter(|copy| copy.partition == 0)
        .map(|copy| (copy.offset, copy.value))
        .collect();
    let place = |what: &str, nth: usize| {
        let place = &account[what]["first"][nth];
        assert_eq!(place["partition"], 0);
        lies[&place["offset"].as_i64().unwrap()].clone()
    };
    assert!(place("corrupted", 0).contains(','));
    assert_eq!(place("corrupted", 1).len(), 100);
    assert_eq!(place("wrong_partition", 0), theirs[1].value);
}

fn what_was_deleted_is_missing(lab: &Lab) {
    const SENT: u64 = 6_000;
    println!("records deleted on the target with Kafka's own tool");
    let (mirror, topic) = (lab.container("mm2-secondary"), "primary.kmk-verify");
    let begin = lab.secondary().end(topic);
    // all is sent while nothing is copied, and all is copied while nothing is read
    docker(&format!("pause {mirror}"));
    let mut running = lab.start(&format!(
        "verify --partitions 1 --messages {SENT} --timeout 8s --json --keep"
    ));
    running.until_it_says(&format!("{SENT} sent, {SENT} acknowledged"));
    running.signal(Signal::STOP);
    docker(&format!("unpause {mirror}"));
    lab.secondary()
        .until_it_is_past(topic, begin + SENT - 1, PATIENCE);
    let mut there = copies(&lab.secondary().read(topic, FORMAT));
    there.retain(|copy| copy.partition == 0);
    let up_to = begin + SENT - 500;
    let order =
        json!({"version": 1, "partitions": [{"topic": topic, "partition": 0, "offset": up_to}]});
    kafka_tool(
        &lab.container("secondary"),
        "kafka-delete-records.sh",
        "--bootstrap-server localhost:9092 --offset-json-file /dev/stdin",
        order.to_string().as_bytes(),
    );
    running.signal(Signal::CONT);
    let ran = running.finish().code(1);
    let report = ran.json();
    let flow = &report["flows"][0];
    println!("  {}", flow["incidents"]);
    let gone = &flow["incidents"][0];
    assert_eq!(
        (&gone["incident"], &gone["to"]),
        (&json!("offset_out_of_range"), &json!(up_to))
    );
    // what had reached kmk before it stopped is lost as well
    let deleted: Vec<u64> = there
        .iter()
        .filter(|copy| copy.offset < i64::try_from(up_to).unwrap())
        .filter(|copy| copy.offset >= i64::try_from(begin).unwrap())
        .map(Copied::sequence)
        .collect();
    assert!(!deleted.is_empty());
    assert_eq!(missing(flow, 0), deleted);
    assert_eq!(flow["account"]["missing"], deleted.len());
    assert_eq!(flow["account"]["partitions"][0]["missing_at_the_end"], 0);
    assert_eq!(report["end"], "deadline");
    lab.kmk("verify --messages 100").code(0);
}

fn what_comes_while_it_ends_is_not_too_late(lab: &Lab) {
    const SENT: u64 = 3_000;
    println!("all is copied when the deadline has passed, and it is looked once more");
    let (mirror, topic) = (lab.container("mm2-secondary"), "primary.kmk-verify");
    let begin = lab.secondary().end(topic);
    docker(&format!("pause {mirror}"));
    let line =
        format!("verify --partitions 1 --messages {SENT} --timeout 4s --exactly-once --json");
    let mut running = lab.start(&line);
    running.until_it_says(&format!("{SENT} sent, {SENT} acknowledged"));
    running.signal(Signal::STOP);
    docker(&format!("unpause {mirror}"));
    lab.secondary()
        .until_it_is_past(topic, begin + SENT - 1, PATIENCE);
    std::thread::sleep(Duration::from_secs(4));
    running.signal(Signal::CONT);
    let report = running.finish().code(0).json();
    assert_eq!(
        (&report["end"], &report["flows"][0]["account"]["arrived"]),
        (&json!("complete"), &json!(SENT))
    );
}

/// The numbers of the records that are missing in a partition.
pub(crate) fn missing(flow: &Value, partition: usize) -> Vec<u64> {
    let spans = flow["account"]["partitions"][partition]["missing"]
        .as_array()
        .unwrap();
    let number = |span: &Value, name: &str| span[name].as_u64().unwrap();
    spans
        .iter()
        .flat_map(|span| number(span, "first")..=number(span, "last"))
        .collect()
}

fn what_a_source_refuses_for_good_is_not_waited_for(lab: &Lab) {
    println!("records that the source refuses");
    let ran = lab.kmk("verify --messages 3 --size 16777216").code(1);
    assert!(ran.took < Duration::from_secs(15), "{:?}", ran.took);
    ran.prints("NOT VERIFIED: primary stopped accepting records: ")
        .says("max.message.bytes");
}

fn times_that_the_target_overwrites_are_told(lab: &Lab) {
    println!("the target's brokers stamp the records");
    let line = "topic alter primary.orders --cluster secondary --force";
    lab.kmk(&format!(
        "{line} --config message.timestamp.type=LogAppendTime"
    ))
    .code(0);
    lab.kmk("verify --topic orders --messages 50")
        .code(0)
        .prints(
            "arrived, in order, and unchanged except for timestamps, which secondary overwrites",
        );
    let times = |cluster: Kcat, topic| cluster.read(topic, "%T").pop().unwrap();
    assert_ne!(
        times(lab.primary(), "orders"),
        times(lab.secondary(), "primary.orders")
    );
}

fn an_interruption_tells_what_is_known(lab: &Lab) {
    println!("Ctrl-C");
    let mut running = lab.start("verify --rate 1000/s --for 60s");
    running.until_it_says("acknowledged");
    println!("another run meanwhile");
    lab.kmk("verify --messages 100")
        .code(3)
        .says("error: `kmk-verify` on primary is in use by kmk verify (process ")
        .says("--topic");
    lab.kmk("verify --topic orders --messages 100").code(0);
    running.interrupt();
    let ran = running.finish().code(130);
    assert!(ran.took < Duration::from_secs(20), "{:?}", ran.took);
    let ran: Ran = ran
        .prints("PARTITION  SENT")
        .prints("\nINTERRUPTED: primary->secondary: ")
        .says("error: interrupted\n");
    println!("  {}", ran.lines().last().unwrap());
    let mut running = lab.start("verify --rate 1000/s --for 60s --json");
    running.until_it_says("acknowledged");
    running.interrupt();
    let report = running.finish().code(130).json();
    assert_eq!(
        (&report["verified"], &report["end"]),
        (&json!(false), &json!("interrupted"))
    );
    println!("nobody misses what was removed before it was copied");
    until("all is well", PATIENCE, || {
        let status = lab.command("status").output().unwrap();
        status.status.success().then_some(())
    });
    lab.kmk("lag --max 0").code(0);
}
