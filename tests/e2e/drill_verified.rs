//! A drill is verified itself: while it waits for the decision to fail over, Kafka's own tools and kcat delete records on the
//! target, add a copy of one, and move a group forward. It has to name exactly these, beside what the fault itself has lost.

use crate::drill::{Offsets, offsets, stamped, text};
use crate::kcat::Kcat;
use crate::lab::{Lab, kafka_tool};
use kafka_mirror_kit::core::topology::NEXT_KAFKA_VERSION;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Instant;

/// So many records are deleted at most, and exactly so many are skipped.
const DELETED: i64 = 40;
const SKIPPED: i64 = 7;

#[test]
#[ignore = "needs Docker"]
fn what_is_done_behind_its_back_is_named_and_nothing_else() {
    names_exactly(&Lab::deployed("drill-verified", ""));
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn what_is_done_behind_its_back_on_the_newest_kafka() {
        let version = format!("--kafka-version {NEXT_KAFKA_VERSION}");
        names_exactly(&Lab::deployed("drill-verified-next", &version));
    }
}

/// Partitions and offsets.
type Places = BTreeSet<(i64, i64)>;

/// A record of the drill that kcat has read.
struct Read {
    place: (i64, i64),
    /// Its partition and number.
    record: (i64, i64),
}

fn read(kcat: &Kcat, topic: &str, run: &str) -> Vec<Read> {
    let lines = kcat.read(topic, "%p/%o/%h/%s").into_iter();
    let read = lines.filter_map(|line| {
        let [partition, offset, headers, value] = line.splitn(4, '/').collect::<Vec<_>>()[..]
            .try_into()
            .unwrap();
        assert_eq!(headers, "", "the drill's records have none");
        let (of, number) = stamped(value, run)?;
        Some(Read {
            place: (partition.parse().unwrap(), offset.parse().unwrap()),
            record: (of.into(), number),
        })
    });
    read.collect()
}

/// What a group has committed of a topic, by partition.
fn of_group(offsets: &Offsets, habit: &str, topic: &str) -> BTreeMap<i64, i64> {
    let its = offsets.iter().filter(|((group, of, _), _)| {
        group.starts_with("kmk-drill-") && group.ends_with(habit) && of == topic
    });
    its.map(|((_, _, partition), offset)| (*partition, *offset))
        .collect()
}

/// The offsets that the report names; it has to name all.
fn named(partitions: &Value, of: impl Fn(&Value) -> &Value) -> Places {
    let number = |value: &Value, key: &str| value[key].as_i64().unwrap();
    let mut places = Places::new();
    for one in partitions.as_array().unwrap() {
        assert_eq!(of(one)["left_out"], 0, "{one}");
        for range in of(one)["offsets"].as_array().unwrap() {
            let offsets = number(range, "first")..=number(range, "last");
            places.extend(offsets.map(|offset| (number(one, "partition"), offset)));
        }
    }
    places
}

fn names_exactly(lab: &Lab) {
    let begun = Instant::now();
    let line = "drill failover --warm-up 6s --decide 1s --json --report r.md";
    let mut running = lab.start(line);
    running.until_it_says("Warming up for");
    let topics = lab.secondary().topics().into_keys();
    let mut topics = topics.filter(|name| name.starts_with("primary.kmk-drill-"));
    let mirrored = topics.next().expect("the drill's topic is mirrored");
    let topic = mirrored.strip_prefix("primary.").unwrap();
    let before = offsets(lab, "primary");
    running.until_it_says("Deciding");
    // the source is dead, and MirrorMaker has nothing to copy
    running.signal(Signal::STOP);
    let tampered = Tampered::with(lab, &mirrored, &before);
    running.signal(Signal::CONT);
    let ran = running.finish().code(1);
    let report = ran.json();
    println!("  took {:.1} s", begun.elapsed().as_secs_f64());
    println!("  rpo: {}", report["rpo"]);
    let run = text(&report, "run");
    let source = read(&lab.primary(), topic, run);
    let target = read(&lab.secondary(), &mirrored, run);
    // nobody else wrote to the source: numbers are offsets
    assert!(source.iter().all(|one| one.place == one.record));

    let there: BTreeSet<_> = target.iter().map(|one| one.record).collect();
    let missing = source.iter().filter(|one| !there.contains(&one.record));
    let missing: Places = missing.map(|one| one.place).collect();
    let rpo = &report["rpo"];
    let told = named(&rpo["partitions"], |one| one);
    println!(
        "  kcat finds {} missing, the drill names {}",
        missing.len(),
        told.len()
    );
    assert_eq!(rpo["records"], told.len(), "{rpo}");
    assert!(told.is_subset(&missing), "{:?}", told.difference(&missing));
    assert!(tampered.deleted.is_subset(&told), "{rpo}");
    // what was never acknowledged is not lost
    let open = rpo["in_doubt"]["only_on_source"].as_u64().unwrap();
    assert_eq!(told.len() as u64 + open, missing.len() as u64, "{rpo}");
    assert_eq!(rpo["never_sent"], 0, "{rpo}");

    let mut seen = BTreeSet::new();
    let second = target.iter().filter(|one| !seen.insert(one.record));
    let second: Places = second.map(|one| one.place).collect();
    assert_eq!(named(&rpo["duplicates_at"], |one| one), second, "{rpo}");
    assert_eq!(second, [tampered.copy].into());

    let committed = offsets(lab, "primary");
    for group in report["groups"].as_array().unwrap() {
        let habit = format!("-{}", text(group, "group"));
        let committed = of_group(&committed, &habit, topic);
        let begins = of_group(&tampered.synced, &habit, &mirrored);
        let [again, skipped] = counted(&target, &committed, &begins);
        println!(
            "  group {habit}: kcat counts {} again, {} skipped",
            again.len(),
            skipped.len()
        );
        let partitions = &group["partitions"];
        assert_eq!(named(partitions, |one| &one["again"]), again, "{group}");
        assert_eq!(named(partitions, |one| &one["skipped"]), skipped, "{group}");
        if habit == "-lagging" {
            assert_eq!(skipped, tampered.skipped, "{group}");
            let outside = partitions.as_array().unwrap().iter();
            let outside = outside.filter(|one| one["skipped"]["predicted"]["exactly"] == 0);
            let mut outside = outside.filter(|one| one["skipped"]["records"] != 0);
            let of = outside.next().unwrap();
            assert_eq!(
                (&of["as_predicted"], outside.next()),
                (&Value::Bool(false), None)
            );
        }
    }
    let checks = report["checks"].as_array().unwrap().iter();
    let failed: Vec<&Value> = checks.filter(|check| check["held"] == false).collect();
    assert!(
        failed.iter().any(|check| check["group"] == "lagging"),
        "{failed:?}"
    );
    let is_of_group = |check: &&Value| check["expectation"] == "as_predicted";
    assert!(failed.iter().all(is_of_group), "{failed:?}");

    let page = fs::read_to_string(lab.home.path().join("r.md")).unwrap();
    let ((partition, offset), skipped) = (tampered.copy, tampered.skipped.first().unwrap());
    for cells in [
        format!("{mirrored}-{partition} | **1** | offset {offset}"),
        format!(
            "lagging skipped, {mirrored}-{} | **{SKIPPED}** | offsets {}..",
            skipped.0, skipped.1
        ),
    ] {
        assert!(page.contains(&cells), "{cells}\n{page}");
    }
}

/// What a group is given again, and never, where it begins at these offsets of the target.
fn counted(
    target: &[Read],
    committed: &BTreeMap<i64, i64>,
    begins: &BTreeMap<i64, i64>,
) -> [Places; 2] {
    let is_given = |one: &&Read| one.place.1 >= begins.get(&one.place.0).copied().unwrap_or(0);
    let is_committed =
        |one: &&Read| one.record.1 < committed.get(&one.record.0).copied().unwrap_or(0);
    let given: BTreeSet<_> = target
        .iter()
        .filter(is_given)
        .map(|one| one.record)
        .collect();
    let again = target
        .iter()
        .filter(|one| is_given(one) && is_committed(one));
    let never = target
        .iter()
        .filter(|one| !given.contains(&one.record) && !is_committed(one));
    [
        again.map(|one| one.place).collect(),
        never.map(|one| one.place).collect(),
    ]
}

/// What was done to the target.
struct Tampered {
    /// Where the deleted records are on the source.
    deleted: Places,
    /// Where the copy of a record is.
    copy: (i64, i64),
    /// Where the records are that the group will not be given.
    skipped: Places,
    /// Where every group stands now.
    synced: Offsets,
}

impl Tampered {
    /// `before` is what every group had committed on the source.
    fn with(lab: &Lab, mirrored: &str, before: &Offsets) -> Self {
        let (container, kcat) = (lab.container("secondary"), lab.secondary());
        let tool = |bin: &str, line: &str, input: &str| {
            let line = format!("--bootstrap-server secondary:9092 {line}");
            kafka_tool(&container, bin, &line, input.as_bytes())
        };
        let mut synced = offsets(lab, "secondary");
        // groups begin behind what is deleted, unless they begin with the first record that is left
        let least = |partition: i64| {
            let stand = |habit| of_group(&synced, habit, mirrored).get(&partition).copied();
            let stands = [stand("-lagging"), stand("-caught-up")];
            stands.into_iter().flatten().min().unwrap_or(0)
        };
        let emptied = (0..6).max_by_key(|partition| least(*partition)).unwrap();
        let first_left = least(emptied).min(DELETED);
        assert!(first_left > 0, "{synced:?}");
        let lagging = before.iter().find(|((group, _, partition), _)| {
            group.starts_with("kmk-drill-") && group.ends_with("-lagging") && *partition != emptied
        });
        let ((group, _, passed), &behind) =
            lagging.expect("it has committed in several partitions");
        let mut others = (0..6).filter(|one| ![emptied, *passed].contains(one));
        let doubled = others.next().unwrap();
        let first = |partition: i64, count: i64| {
            let (partition, count) = (partition.try_into().unwrap(), count.try_into().unwrap());
            kcat.first(mirrored, partition, count, "%k/%s")
        };

        let lost = first(emptied, first_left);
        let deleted = lost.iter().map(|line| number_of(line, emptied)).collect();
        let wanted = serde_json::json!({
            "version": 1,
            "partitions": [{"topic": mirrored, "partition": emptied, "offset": first_left}],
        });
        let told = tool(
            "kafka-delete-records.sh",
            "--offset-json-file /dev/stdin",
            &wanted.to_string(),
        );
        assert!(
            told.contains(&format!("low_watermark: {first_left}")),
            "{told}"
        );

        let record = first(doubled, 11).remove(10);
        kcat.produce_with(mirrored, &format!("-p {doubled} -K/"), &record);
        let asked = format!("--topic {mirrored} --partitions {doubled}");
        let end = tool("kafka-get-offsets.sh", &asked, "");
        let end: i64 = end.rsplit(':').next().unwrap().parse().unwrap();

        // where MirrorMaker has not synced that group yet, this is its first committed offset on the target
        let to = behind + SKIPPED;
        let line = format!(
            "--group {group} --topic {mirrored}:{passed} --reset-offsets --to-offset {to} --execute"
        );
        tool("kafka-consumer-groups.sh", &line, "");
        synced.insert((group.clone(), mirrored.to_owned(), *passed), to);
        println!(
            "  deleted {mirrored}-{emptied} up to {first_left}, doubled {doubled}-10 as {}, moved lagging of {passed} to {to}",
            end - 1
        );
        Self {
            deleted,
            copy: (doubled, end - 1),
            skipped: (behind..to).map(|offset| (*passed, offset)).collect(),
            synced,
        }
    }
}

/// Where that record is on the source, to which nobody else wrote.
fn number_of(line: &str, partition: i64) -> (i64, i64) {
    let number = line.split(['.', ' ']).nth(4).unwrap();
    (partition, number.parse().unwrap())
}
