//! A drill is verified itself: what is done behind its back it has to name, exactly.

use crate::drill::{FAILOVER, Lab, failed, group, report};
use crate::kmk::Kmk;
use crate::mirror::Habits;
use serde_json::json;

const STOP_MIRROR: &str = "stop id-demo-mm2-secondary";

/// Sequence numbers of the drill's records in a partition of the target, in the order of their offsets.
fn sequences(lab: &Lab, partition: i32) -> Vec<i64> {
    let records = lab.secondary.records(&lab.topic(), partition).into_iter();
    let values = records.map(|record| String::from_utf8(record.value.unwrap()).unwrap());
    values
        .map(|value| value.split(['.', ' ']).nth(4).unwrap().parse().unwrap())
        .collect()
}

/// What a group will be given again, and never, by the logs and by the offsets on both sides.
fn counted(lab: &Lab, group: &str) -> [usize; 2] {
    let (home, away) = (lab.primary.groups(), lab.secondary.groups());
    let mut counts = [0, 0];
    for (place, committed) in &home[group] {
        let begins = away[group].get(place).copied().unwrap_or(0);
        let there = sequences(lab, place.1);
        let (before, behind) = there.split_at(begins.try_into().unwrap());
        counts[0] += behind.iter().filter(|number| *number < committed).count();
        counts[1] += before.iter().filter(|number| *number >= committed).count();
    }
    counts
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
        let before = counted(&lab, name);
        let begins = groups[name][&(topic.clone(), 0)] + by;
        lab.secondary.commit(name, &topic, 0, begins);
        let after = counted(&lab, name);
        assert_ne!(before, after, "{name}");
        after
    };
    let (lagging, caught_up) = (moved("-lagging", 10), moved("-caught-up", -5));
    let report = report(&running.finish().code(1));
    let rpo = &report["rpo"];
    let number = |key: &str| rpo[key].as_u64().unwrap();
    let losses = ["records", "stranded", "duplicates", "never_sent"].map(number);
    assert_eq!(losses, [1, 1, 1, 0], "{rpo}");
    let partitions = rpo["partitions"].as_array().unwrap();
    assert_eq!(
        (partitions.len(), &partitions[0]["partition"]),
        (1, &json!(0)),
        "{rpo}"
    );
    for (name, [again, skipped]) in [("lagging", lagging), ("caught-up", caught_up)] {
        let told = group(&report, name);
        assert_eq!(told["again"], json!(again), "{told}");
        assert_eq!(told["skipped"], json!(skipped), "{told}");
    }
    assert_eq!(
        failed(&report),
        ["as_predicted", "as_predicted", "nothing_lost"]
    );
}
