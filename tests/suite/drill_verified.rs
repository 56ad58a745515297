//! A drill is verified itself: what is done behind its back it has to name, exactly.

use crate::drill::{FAILOVER, Lab, failed, group, report};
use crate::kmk::Kmk;
use crate::mirror::Habits;
use kmk_kafka::Admin;
use kmk_kafka::wait::{Interrupt, Limit};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const STOP_MIRROR: &str = "stop id-demo-mm2-secondary";

/// Sequence numbers of the drill's records in a partition of the target, in the order of their offsets.
fn sequences(lab: &Lab, partition: i32) -> Vec<i64> {
    let records = lab.secondary.records(&lab.topic(), partition).into_iter();
    let values = records.map(|record| String::from_utf8(record.value.unwrap()).unwrap());
    values
        .map(|value| value.split(['.', ' ']).nth(4).unwrap().parse().unwrap())
        .collect()
}

/// Partitions and offsets.
type Places = BTreeSet<(i32, i64)>;

/// What a group will be given again, and never, by the logs and by the offsets on both sides: where it is on the target.
fn located(lab: &Lab, group: &str) -> [Places; 2] {
    let (home, away) = (lab.primary.groups(), lab.secondary.groups());
    let mut found = [Places::new(), Places::new()];
    for (place, committed) in &home[group] {
        let begins = away[group].get(place).copied().unwrap_or(0);
        for (offset, number) in (0..).zip(sequences(lab, place.1)) {
            match (offset >= begins, number < *committed) {
                (true, true) => found[0].insert((place.1, offset)),
                (false, false) => found[1].insert((place.1, offset)),
                _ => false,
            };
        }
    }
    found
}

/// The offsets that the report names, of each partition.
fn named(partitions: &Value, of: impl Fn(&Value) -> &Value) -> Places {
    let number = |value: &Value, key: &str| value[key].as_i64().unwrap();
    let mut places = Places::new();
    for one in partitions.as_array().unwrap() {
        let partition = i32::try_from(number(one, "partition")).unwrap();
        assert_eq!(of(one)["left_out"], 0, "{one}");
        for range in of(one)["offsets"].as_array().unwrap() {
            let offsets = number(range, "first")..=number(range, "last");
            places.extend(offsets.map(|offset| (partition, offset)));
        }
    }
    places
}

#[test]
fn a_loss_a_duplicate_and_a_skipped_record_are_named_and_nothing_else() {
    let mut lab = Lab::mirrored_as(Habits {
        loses: Some(("kmk-drill-", 40)),
        repeats: Some(("kmk-drill-", 50)),
        ..Habits::default()
    });
    let kmk = std::mem::replace(&mut lab.kmk, Kmk::new());
    let running = kmk.start(&format!("{FAILOVER} --planned"));
    running.until_called(STOP_MIRROR);
    lab.mirror = None;
    let topic = lab.topic();
    let moved = |habit: &str, by: i64| {
        let groups = lab.secondary.groups();
        let name = groups.keys().find(|name| name.ends_with(habit)).unwrap();
        let before = located(&lab, name);
        let begins = groups[name][&(topic.clone(), 0)] + by;
        lab.secondary.commit(name, &topic, 0, begins);
        let after = located(&lab, name);
        assert_ne!(before, after, "{name}");
        after
    };
    let (lagging, caught_up) = (moved("-lagging", 10), moved("-caught-up", -5));
    let report = report(&running.finish().code(1));
    let rpo = &report["rpo"];
    let number = |key: &str| rpo[key].as_u64().unwrap();
    let losses = ["records", "stranded", "duplicates", "never_sent"].map(number);
    assert_eq!(losses, [1, 1, 1, 0], "{rpo}");
    assert_eq!(named(&rpo["partitions"], |one| one), [(0, 40)].into());
    // the record at offset 50 of the source lies at 49, and its copy behind it
    assert_eq!(named(&rpo["duplicates_at"], |one| one), [(0, 50)].into());
    for (name, [again, skipped]) in [("lagging", lagging), ("caught-up", caught_up)] {
        let told = group(&report, name);
        assert_eq!(told["again"], json!(again.len()), "{told}");
        assert_eq!(told["skipped"], json!(skipped.len()), "{told}");
        let partitions = &told["partitions"];
        assert_eq!(named(partitions, |one| &one["again"]), again, "{told}");
        assert_eq!(named(partitions, |one| &one["skipped"]), skipped, "{told}");
        let outside = partitions.as_array().unwrap().iter();
        let outside: Vec<&Value> = outside.filter(|one| one["as_predicted"] == false).collect();
        assert_eq!(
            (outside.len(), &outside[0]["partition"]),
            (1, &json!(0)),
            "{told}"
        );
    }
    assert_eq!(
        failed(&report),
        ["as_predicted", "as_predicted", "nothing_lost"]
    );
}

#[test]
fn the_first_records_of_a_partition_that_are_deleted_on_the_target_are_named() {
    let mut lab = Lab::new();
    let kmk = std::mem::replace(&mut lab.kmk, Kmk::new());
    let running = kmk.start(&format!("{FAILOVER} --planned").replace("--json", ""));
    running.until_called(STOP_MIRROR);
    lab.mirror = None;
    let topic = lab.topic();
    let limit = Limit::new(Duration::from_secs(5), &Interrupt::default());
    let mut admin = Admin::connect(&[lab.secondary.endpoint()], &limit).unwrap();
    // the lagging group begins before the first record that is left
    let first = lab.secondary.end(&topic, 1) - 3;
    let before = [((topic.clone(), 1), first)].into();
    admin.delete_records(&before, &limit).unwrap();
    // one that nobody sent, and one in a partition that it was not sent to
    let end = lab.secondary.end(&topic, 2);
    lab.secondary.append(&topic, 2, &[(None, Some("nobody's"))]);
    let copy = lab.secondary.records(&topic, 3).remove(0);
    lab.secondary.write(&topic, 2, &[copy]);
    let ran = running.finish().code(1);
    ran.stdout_has(&format!(
        "Missing on secondary, by offset on primary:\n  {topic}-1: {first} records, offsets 0..{}\n",
        first - 1

    ))
    .stdout_has(&format!(
        "Never sent, and on secondary:\n  {topic}-2: 2 records, offsets {end}..{}\n",
        end + 1
    ));
}
