//! With prefixed names, an emptied topic is copied back by kmk itself: MirrorMaker mirrors nothing back under its own prefix.

use crate::failback::{Lab, START_BACK, START_FORWARD, TOPIC, drill, report};
use crate::mirror::Habits;
use crate::ran::Ran;
use kmk_kafka::message::{Header, Record};
use serde_json::{Value, json};
use std::cell::Cell;

const GROUP: &str = "kmk-drill-1-caught-up";

/// A lab with a group, and with a record that has all that a record can have.
fn lab() -> Lab {
    let mut drill = drill("prefix", "failed-over");
    drill["groups"] = json!([GROUP]);
    let lab = Lab::of(&drill);
    let record = Record {
        key: Some(b"k".to_vec()),
        headers: vec![Header {
            key: b"h".to_vec(),
            value: None,
        }],
        ..Record::sample(0, 1_700_000_000_000, "with a header")
    };
    for (broker, topic) in [
        (&lab.primary, TOPIC.to_owned()),
        (&lab.secondary, format!("primary.{TOPIC}")),
    ] {
        broker.write(&topic, 0, std::slice::from_ref(&record));
    }
    // as after a failover: it has read all of it
    for (partition, end) in [(0, 11), (1, 10)] {
        let mirrored = format!("primary.{TOPIC}");
        lab.secondary.commit(GROUP, &mirrored, partition, end);
    }
    lab
}

/// All but the offsets.
fn content(records: Vec<Record>) -> Vec<Record> {
    let records = records.into_iter();
    let content = records.map(|record| Record {
        offset: 0,
        ..record
    });
    content.collect()
}

/// Fails back; the flow that failed over has these habits.
fn rebuilt(lab: &Lab, flags: &str, forward: Habits) -> Ran {
    let line = format!("drill failback --by rebuild {flags} --load 1s --rate 300 --keep");
    let running = lab.kmk.start(&line);
    running.until_called(START_BACK);
    for partition in 0..2 {
        let refilled = lab.primary.records(TOPIC, partition);
        let mirrored = lab
            .secondary
            .records(&format!("primary.{TOPIC}"), partition);
        assert_eq!(content(refilled), content(mirrored));
    }
    let _back = lab.back(Habits::default());
    let committed = Cell::new(None);
    running.until("the group has offsets in the refilled topic", || {
        let groups = lab.primary.groups();
        let of_group = groups.get(GROUP);
        let at = |partition| of_group?.get(&(TOPIC.to_owned(), partition)).copied();
        committed.set(at(0).zip(at(1)));
        committed.get().is_some()
    });
    assert_eq!(
        committed.get(),
        Some((11, 10)),
        "it had read all of it on secondary"
    );
    running.until_called(START_FORWARD);
    let _forward = lab.forward(forward);
    running.finish()
}

fn counts<'r>(report: &'r Value, when: &str, flow: &str) -> [&'r Value; 5] {
    let counts = ["source", "missing", "surplus", "foreign", "out_of_order"];
    counts.map(|count| &report[when][flow][count])
}

#[test]
fn the_mirrored_topic_is_copied_back_and_no_record_of_it_is_mirrored_again() {
    let lab = lab();
    let resumes = Habits {
        resumes: true,
        ..Habits::default()
    };
    let ran = rebuilt(&lab, "--salvage replay --json", resumes).code(0).stderr_has(&format!(
        "note: topic `{TOPIC}` on primary is deleted with its 27 records, recreated, and filled from secondary; {TOPIC}-0 (10..12), \
         {TOPIC}-1 (10..12) exist only there: they were written to secondary"
    ));
    let report = report(&ran);
    let of = |field: &str| report[field].as_u64().unwrap();
    assert_eq!((of("replayed"), of("deleted")), (6, 27));
    let written = |flow: &str, before: u64, more: u64| {
        for (when, records) in [("at_switch", before), ("afterwards", before + more)] {
            let counts = counts(&report, when, flow);
            assert_eq!(counts, [records, 0, 0, 0, 0], "{when}: {report:#}");
        }
    };
    // what was replayed is in the topic that is written to on the secondary
    written("forward", 21, of("written_on_source"));
    written("back", 10 + 6 + of("written_on_target"), 0);
}

/// The positions decide, and not luck: a MirrorMaker that does not heed them copies everything a second time.
#[test]
fn a_refilled_topic_that_is_mirrored_a_second_time_is_seen() {
    let lab = lab();
    let ran = rebuilt(&lab, "", Habits::default())
        .code(0)
        .stderr_has("exist only there: they are lost (--salvage keeps them)");
    ran.stdout_has("21 surplus records on secondary and 0 on primary. 21 of them came when primary->secondary ran again")
        .stdout_has(&format!("surplus  secondary  primary.{TOPIC}  0          11..21   11\n"))
        .stdout_has(&format!("surplus  secondary  primary.{TOPIC}  1          10..19   10\n"))
        .stdout_has("PASSED: both sides have every record");
}

#[test]
fn a_dry_run_tells_what_is_copied() {
    let lab = lab();
    let ran = lab
        .kmk
        .run("drill failback --by rebuild --dry-run")
        .code(0)
        .changed(&[]);
    ran.stdout_has(&format!("  2. delete `{TOPIC}` on primary, and create it again\n"))
        .stdout_has(&format!("  3. copy `primary.{TOPIC}` on secondary to `{TOPIC}` on primary\n  4. start secondary->primary\n"))
        .stdout_has("  9. start primary->secondary again behind what was copied\n")
        .stdout_has("10..12   3        deleted\n");
}
