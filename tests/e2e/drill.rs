//! `kmk drill failover` on real clusters: what it says is lost, given again and skipped is what other clients find.

use crate::engine::docker;
use crate::kcat::Kcat;
use crate::lab::{Lab, kafka_tool};
use crate::process::{PATIENCE, Ran, until};
use kafka_mirror_kit::core::topology::NEXT_KAFKA_VERSION;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

#[test]
#[ignore = "needs Docker"]
fn a_source_that_is_killed_and_one_that_is_left_in_order() {
    let lab = Lab::deployed("drill", "");
    println!("killed");
    let begun = Instant::now();
    let mut running = lab.start("drill failover --json");
    running.until_it_says("Warming up for");
    thread::sleep(Duration::from_secs(9));
    // so that something is lost: on one machine, records cross in milliseconds
    docker(&format!("pause {}", lab.container("mm2-secondary")));
    running.until_it_says("Killing MirrorMaker");
    // while kmk is held, Kafka's own tool tells where MirrorMaker has left the groups
    let held = Instant::now();
    running.signal(Signal::STOP);
    let synced = offsets(&lab, "secondary");
    running.signal(Signal::CONT);
    let held = held.elapsed();
    let report = report(&running.finish().code(0));
    let took = begun.elapsed().saturating_sub(held);
    println!("  took {:.1} s", took.as_secs_f64());
    assert!(took < Duration::from_secs(45), "{took:?}");
    assert!(kcat_finds_the_same_missing(&lab, &report) > 0);
    kcat_is_given_the_same_again(&lab, &report, Some(&synced));
    lab.kmk("status")
        .code(1)
        .says("a drill has failed over from primary to secondary");
    lab.kmk("drill failover")
        .code(2)
        .says("has not been taken back");
    taken_back(&lab);

    println!("planned");
    let report = self::report(
        &lab.kmk("drill failover --planned --rpo-max 0 --json")
            .code(0),
    );
    assert_eq!(report["rpo"]["records"], 0);
    let missing = kcat_finds_the_same_missing(&lab, &report);
    assert_eq!(missing, 0);
    kcat_is_given_the_same_again(&lab, &report, None);
    taken_back(&lab);

    println!("planned, while somebody else goes on writing");
    lab.kmk("topic create orders").code(0);
    let mut writing = lab.start("produce orders --messages 100k --rate 50/s");
    writing.until_it_says("");
    let refused = lab.kmk("drill failover --planned --warm-up 2s").code(1);
    refused
        .says("the fence does not hold: topic `orders` still grows by")
        .says("The drill was taken back: the lab is as it was before.");
    writing.interrupt();
    writing.finish().code(130);
    lab.kmk("status").code(0);
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn a_link_that_is_cut_and_a_source_that_lives_on() {
        let lab = Lab::deployed("drill-cut", "");
        writes_late(&lab, "cut");
        // over a link that it restores
        lab.kmk("drill failback").code(0);
        whole(&lab);
        lab.kmk("link show").code(0).prints("connected");
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_half_open_link_is_detected_and_restored() {
        let lab = Lab::deployed("drill-half", "--link rtt=20ms");
        writes_late(&lab, "half-open");
        lab.kmk("link show")
            .code(0)
            .prints("half-open  unknown (asked: 20ms)");
        taken_back(&lab);
        println!("Ctrl-C");
        let mut running = lab.start("drill failover --fault half-open --warm-up 1s");
        running.until_it_says("Waiting until applications notice");
        lab.kmk("link show")
            .code(0)
            .prints("half-open  unknown (asked: 20ms)");
        running.interrupt();
        let ended = running.finish().code(130);
        ended.says("The drill was taken back: the lab is as it was before.");
        whole(&lab);
        println!("failback");
        lab.kmk("drill failover --fault half-open --warm-up 2s")
            .code(0);
        lab.kmk("drill failback").code(0);
        whole(&lab);
    }

    /// Fails over while nothing crosses the link: what is written to the source meanwhile, and late, is counted.
    fn writes_late(lab: &Lab, fault: &str) {
        let line = format!("drill failover --fault {fault} --json");
        let report = report(&lab.kmk(&line).code(0));
        assert_eq!(report["fault"], fault);
        // by silence, and no sooner: the rest of it is what was on its way
        let noticed = report["rto"]["parts"][0]["seconds"].as_f64().unwrap();
        assert!((1.9..5.0).contains(&noticed), "{noticed}");
        let rpo = &report["rpo"];
        let number = |key: &str| rpo[key].as_u64().unwrap();
        assert!(number("late_writes") > 0, "{rpo}");
        assert_eq!(rpo["gone_for_good"], 0);
        kcat_is_given_the_same_again(lab, &report, None);
        // what is on the source only: of the drill's producer, and of the one that stayed
        let (topic, mirrored) = (text(&report, "topic"), text(&report, "mirrored_topic"));
        let there: BTreeSet<String> = lab.secondary().values(mirrored).into_iter().collect();
        let source = lab.primary().values(topic);
        let missing = source
            .iter()
            .filter(|value| !there.contains(*value))
            .count() as u64;
        let open = rpo["in_doubt"]["only_on_source"].as_u64().unwrap();
        let told = number("records") + number("acknowledged_after_fault") + number("late_writes");
        println!("  kcat finds {missing} on the source only, the drill tells of {told} + {open}");
        // the last ones crossed while the link was being cut
        let crossed = (told + open).checked_sub(missing);
        assert!(crossed.is_some_and(|crossed| crossed < 50), "{crossed:?}");
    }

    #[test]
    #[ignore = "needs Docker"]
    fn the_newest_kafka() {
        let lab = Lab::deployed(
            "drill-next",
            &format!("--kafka-version {NEXT_KAFKA_VERSION}"),
        );
        for line in ["", "--fault cut", "--planned"] {
            println!("{line}");
            let report = report(&lab.kmk(&format!("drill failover {line} --json")).code(0));
            if line != "--fault cut" {
                kcat_finds_the_same_missing(&lab, &report);
            }
            kcat_is_given_the_same_again(&lab, &report, None);
            taken_back(&lab);
        }
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_half_open_link_on_the_newest_kafka() {
        let lab = Lab::deployed(
            "drill-half-next",
            &format!("--kafka-version {NEXT_KAFKA_VERSION} --link rtt=10ms"),
        );
        writes_late(&lab, "half-open");
        taken_back(&lab);
    }

    /// Killed at some of its steps, and completed; then as after any other drill.
    #[test]
    #[ignore = "needs Docker"]
    fn a_drill_that_was_killed_is_completed() {
        let lab = Lab::deployed("drill-resume", "");
        for (line, step) in [
            ("", "Warming up"),
            ("", "Waiting until applications notice"),
            ("", "Reading both sides"),
            ("--fault cut", "Waiting until applications notice"),
            ("--planned", "Checking that no topic grows"),
        ] {
            println!("killed at: {step} {line}");
            let mut running = lab.start(&format!("drill failover --warm-up 1s {line}"));
            running.until_it_says(step);
            running.signal(Signal::KILL);
            drop(running);
            lab.kmk("drill resume").code(0).prints("RPO   unknown");
            let states = docker(&format!(
                "ps --format {{{{.Names}}}} --filter label=kmk.lab={}",
                lab.name
            ));
            assert!(
                states.contains("primary") && !states.contains("mm2"),
                "{states}"
            );
            lab.kmk("status").code(1).says("a drill has failed over");
            taken_back(&lab);
        }
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_flow_that_stops_with_the_one_that_is_drilled() {
        let mut lab = Lab::new("drill-sibling");
        lab.ports[1] = lab.ports[0] + 10;
        let [first, second] = lab.ports;
        let third = second + 10;
        let ports = format!("--port emea={first} --port central={second} --port apac={third}");
        lab.kmk(&format!("deploy --scenario aggregate {ports}"))
            .code(0);
        let ran = lab.kmk("drill failover emea:central --json").code(0);
        let ran = ran.says("the same MirrorMaker also runs apac->central");
        let expected = serde_json::json!({
            "flow": "apac->central", "stopped": true, "behind": 0, "problem": null,
        });
        assert_eq!(ran.json()["siblings"], serde_json::json!([expected]));
        let ran = lab.kmk("drill abort").code(0);
        ran.prints("replicates again, apac->central too.");
        lab.kmk("status").code(0);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn names_that_stay_the_same_and_several_brokers() {
        for (theme, scenario, flow) in [
            ("drill-same", "migrate", "legacy:cloud"),
            ("drill-both", "active-active", "east:west"),
            ("drill-ha", "ha", "primary:secondary"),
        ] {
            println!("{scenario}");
            let mut lab = Lab::new(theme);
            // room for the ports of three brokers
            lab.ports[1] = lab.ports[0] + 10;
            let [first, second] = lab.ports;
            let (source, target) = flow.split_once(':').unwrap();
            let ports = format!("--port {source}={first} --port {target}={second}");
            lab.kmk(&format!("deploy --scenario {scenario} {ports}"))
                .code(0);
            let report = report(&lab.kmk(&format!("drill failover {flow} --json")).code(0));
            kcat_finds_the_same_missing(&lab, &report);
            kcat_is_given_the_same_again(&lab, &report, None);
            taken_back(&lab);
        }
    }
}

fn report(ran: &Ran) -> Value {
    let report = ran.json();
    println!("  rpo: {}", report["rpo"]);
    println!("  rto: {}", report["rto"]);
    for group in report["groups"].as_array().unwrap() {
        println!("  {group}");
    }
    report
}

/// The stamp on a record of the drill: its partition and number, where it was written before the switch.
pub(crate) fn stamped(line: &str, run: &str) -> Option<(i32, i64)> {
    let words: Vec<&str> = line.split(['.', ' ']).collect();
    (words[2] == run).then(|| (words[3].parse().unwrap(), words[4].parse().unwrap()))
}

fn records(kcat: &Kcat, topic: &str, run: &str) -> BTreeSet<(i32, i64)> {
    let lines = kcat.values(topic).into_iter();
    lines.filter_map(|line| stamped(&line, run)).collect()
}

pub(crate) fn text<'a>(report: &'a Value, key: &str) -> &'a str {
    report[key].as_str().unwrap()
}

/// What kcat finds on the source and not on the target is what was lost, and what was never acknowledged.
fn kcat_finds_the_same_missing(lab: &Lab, report: &Value) -> u64 {
    let run = text(report, "run");
    let source = records(&lab.primary(), text(report, "topic"), run);
    let target = records(&lab.secondary(), text(report, "mirrored_topic"), run);
    let missing = source.difference(&target).count() as u64;
    let rpo = &report["rpo"];
    let open = rpo["in_doubt"]["only_on_source"].as_u64().unwrap();
    assert_eq!(missing, rpo["records"].as_u64().unwrap() + open, "{rpo}");
    assert_eq!(target.difference(&source).count(), 0);
    println!("  kcat finds {missing} missing");
    missing
}

/// Committed offsets by group, topic and partition, as `kafka-consumer-groups.sh` prints them.
pub(crate) type Offsets = BTreeMap<(String, String, i64), i64>;

pub(crate) fn offsets(lab: &Lab, cluster: &str) -> Offsets {
    let line = format!("--bootstrap-server {cluster}:9092 --describe --offsets --all-groups");
    let container = lab.container(cluster);
    let told = kafka_tool(&container, "kafka-consumer-groups.sh", &line, b"");
    let rows = told.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (group, topic) = (*words.first()?, *words.get(1)?);
        let (partition, offset) = (words.get(2)?.parse(), words.get(3)?.parse());
        Some((
            (group.to_owned(), topic.to_owned(), partition.ok()?),
            offset.ok()?,
        ))
    });
    rows.collect()
}

/// A consumer that begins where each group stood is given the same records again. Where that was, the report says, or, where it
/// was asked in time, Kafka's own tool: `synced` on the target, and on the source whenever it runs.
fn kcat_is_given_the_same_again(lab: &Lab, report: &Value, synced: Option<&Offsets>) {
    let (run, topic) = (text(report, "run"), text(report, "mirrored_topic"));
    let log = lab.secondary().read(topic, "%p/%o/%s");
    if let Some(synced) = synced {
        let committed = offsets(lab, "primary");
        for group in report["groups"].as_array().unwrap() {
            let ending = format!("-{}", group["group"].as_str().unwrap());
            let of = |offsets: &Offsets, topic: &str| -> BTreeMap<i64, i64> {
                let its = offsets.iter().filter(|((group, of, _), _)| {
                    group.starts_with("kmk-drill-") && group.ends_with(&ending) && of == topic
                });
                its.map(|((_, _, partition), offset)| (*partition, *offset))
                    .collect()
            };
            let told = |key: &str| -> BTreeMap<i64, i64> {
                let places = group["offsets"].as_array().unwrap().iter();
                let told =
                    |place: &Value| Some((place["partition"].as_i64()?, place[key].as_i64()?));
                places.filter_map(told).collect()
            };
            assert_eq!(
                told("committed"),
                of(&committed, text(report, "topic")),
                "{group}"
            );
            assert_eq!(told("synced"), of(synced, topic), "{group}");
        }
    }
    for group in report["groups"].as_array().unwrap() {
        let (mut again, mut skipped) = (0, 0);
        for place in group["offsets"].as_array().unwrap() {
            let number = |key: &str| place[key].as_i64();
            let committed = number("committed").unwrap();
            let begins = number("synced").unwrap_or(0);
            for line in &log {
                let mut words = line.splitn(3, '/');
                let mut next = || words.next().unwrap();
                let (partition, offset): (i64, i64) =
                    (next().parse().unwrap(), next().parse().unwrap());
                let Some((_, sequence)) = stamped(next(), run) else {
                    continue;
                };
                if Some(partition) == number("partition") {
                    again += u64::from(offset >= begins && sequence < committed);
                    skipped += u64::from(offset < begins && sequence >= committed);
                }
            }
        }
        println!(
            "  group {}: kcat counts {again} again, {skipped} skipped",
            group["group"]
        );
        assert_eq!(group["again"].as_u64().unwrap_or(0), again, "{group}");
        assert_eq!(group["skipped"].as_u64().unwrap(), skipped, "{group}");
    }
}

pub(crate) fn taken_back(lab: &Lab) {
    let begun = Instant::now();
    lab.kmk("drill abort").code(0).prints("was taken back");
    println!("  taken back in {:.1} s", begun.elapsed().as_secs_f64());
    whole(lab);
}

/// All is well, and nothing of a drill is left.
pub(crate) fn whole(lab: &Lab) {
    lab.kmk("status").code(0);
    for kcat in [lab.primary(), lab.secondary()] {
        let gone = || {
            let topics = kcat.topics();
            let left = topics.keys().any(|topic| topic.contains("kmk-drill-"));
            (!left).then_some(())
        };
        until("the drill's topics are gone", PATIENCE, gone);
    }
    let groups = lab.kmk("group list").code(0);
    assert!(!groups.text().contains("kmk-drill-"), "{}", groups.text());
}
