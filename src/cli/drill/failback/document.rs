//! The report of `kmk drill failback` as a document: HTML, JUnit XML and Markdown are made from it.

use super::super::super::quantity::count;
use super::super::timeline;
use super::report::{
    DIFFERENCE, broken, difference_rows, failures, group_rows, stranded_rows, surplus, what_became,
};
use crate::cli::report::{self, Column, Number, Outcome, Provenance, Report, Table};
use kafka_mirror_kit::core::judge::drill::equality::Difference;
use kafka_mirror_kit::core::judge::drill::failback::{FlowDifference, Kept, Promise};
use kafka_mirror_kit::core::lab::compare::TopicComparison;
use kafka_mirror_kit::core::lab::drill::{BothWays, FailbackReport};
use std::time::Duration;

pub(in crate::cli::drill) fn document(run: &FailbackReport, provenance: Provenance) -> Report {
    let failed = failures(run);
    let passed = failed.is_empty();
    Report {
        command: "drill failback",
        subject: run.flow.clone(),
        verdict: report::Verdict {
            word: if passed { "PASSED" } else { "FAILED" },
            outcome: Outcome::of(passed),
            why: if passed {
                "both sides have every record of the drill's topics, in order".to_owned()
            } else {
                failed.join("; ")
            },
        },
        seconds: Duration::from_millis(run.millis).as_secs_f64(),
        checks: run.checks.iter().map(|one| check(run, one)).collect(),
        numbers: numbers(run),
        timelines: vec![timeline::of_failback(run)],
        tables: tables(run),
        histograms: Vec::new(),
        provenance,
    }
}

fn check(run: &FailbackReport, kept: &Kept) -> report::Check {
    let (about, what) = promised(&kept.promise);
    report::Check {
        about: about.to_owned(),
        what: what.to_owned(),
        outcome: Outcome::of(kept.held),
        seen: if kept.held {
            seen(&kept.promise, run)
        } else {
            broken(&kept.promise, run)
        },
    }
}

fn seen(promise: &Promise, run: &FailbackReport) -> String {
    let both = &run.afterwards;
    let of = |flow: &str| {
        [&both.forward, &both.back]
            .into_iter()
            .find(|one| one.flow == *flow)
    };
    let compared = |flow: &str, what: &str| {
        let records = of(flow).map_or(0, |one| one.source);
        format!("0 {what} of {}", count(records, "record"))
    };
    match promise {
        Promise::Compared { .. } => "0 partitions unknown".to_owned(),
        Promise::NothingMissing { flow } => compared(flow, "missing"),
        Promise::NothingForeign { flow } => compared(flow, "foreign"),
        Promise::InOrder { flow } => compared(flow, "out of order"),
        Promise::NothingSkipped { .. } => "0 records skipped".to_owned(),
        Promise::AsPredicted { group } => {
            let its = run.groups.iter().find(|one| one.group == *group);
            its.map_or_else(String::new, |one| {
                format!("{} again, {} skipped", one.again, one.skipped)
            })
        }
        Promise::Written { acknowledged, .. } => count(*acknowledged, "record"),
    }
}

/// The flow or group that it is about, and what has to hold.
fn promised(promise: &Promise) -> (&str, &'static str) {
    match promise {
        Promise::Compared { flow } => (flow, "every partition could be compared"),
        Promise::NothingMissing { flow } => (flow, "every record of the source is on the target"),
        Promise::NothingForeign { flow } => (flow, "the target has only records of the source"),
        Promise::InOrder { flow } => (flow, "the records have the order of the source"),
        Promise::NothingSkipped { group } => (group, "the group was given every record"),
        Promise::AsPredicted { group } => (
            group,
            "the group was given again, and skipped, what was predicted",
        ),
        Promise::Written { flow, .. } => (flow, "what the source acknowledged was compared"),
    }
}

fn numbers(run: &FailbackReport) -> Vec<Number> {
    let records = |about: &str, key, name: &str, records: u64, definition, is_bad: bool| Number {
        about: about.to_owned(),
        key,
        value: records.to_string(),
        name: name.to_owned(),
        text: count(records, "record"),
        definition,
        is_bad,
    };
    let mut all = vec![records(
        &run.flow,
        "stranded_records",
        "Stranded",
        run.stranded_records,
        "acknowledged by the source, and not on the target when the failback began",
        false,
    )];
    all.extend(run.exported.map(|exported| {
        let definition = "of the stranded records, those that were written to the file";
        records(
            &run.flow,
            "exported_records",
            "Exported",
            exported,
            definition,
            false,
        )
    }));
    let both = &run.afterwards;
    let written = [run.written_on_source, run.written_on_target];
    for (one, written) in [&both.forward, &both.back].into_iter().zip(written) {
        let number = |key, name, number, definition, is_bad| {
            records(&one.flow, key, name, number, definition, is_bad)
        };
        all.extend([
            number(
                "written_records",
                "Written",
                written,
                "acknowledged by the source of the flow during the failback",
                false,
            ),
            number(
                "missing_records",
                "Missing",
                one.missing,
                "on the source, and not on the target",
                one.missing > 0,
            ),
            number(
                "surplus_records",
                "Surplus",
                one.surplus,
                "copies on the target beyond the first: MirrorMaker delivers at least once",
                false,
            ),
            number(
                "foreign_records",
                "Foreign",
                one.foreign,
                "on the target, and never on the source",
                one.foreign > 0,
            ),
            number(
                "out_of_order_records",
                "Out of order",
                one.out_of_order,
                "came on the target before a record that comes before it on the source",
                one.out_of_order > 0,
            ),
        ]);
    }
    all
}

fn tables(run: &FailbackReport) -> Vec<Table> {
    let stranded = (!run.stranded.is_empty()).then(|| Table {
        title: format!("Stranded on {}", run.source),
        columns: vec![
            Column::Text("Topic"),
            Column::Number("Partition"),
            Column::Text("Offsets"),
            Column::Number("Records"),
            Column::Text("Now"),
        ],
        rows: stranded_rows(&run.stranded, what_became(run)),
        note: None,
    });
    let moments = [
        ("At the switch back", &run.at_switch, None),
        ("Afterwards", &run.afterwards, Some(surplus(run))),
    ];
    let moments = moments.map(|(title, both, note)| Table {
        title: title.to_owned(),
        columns: compared("Flow"),
        rows: [&both.forward, &both.back].map(flow).to_vec(),
        note,
    });
    let partitions = Table {
        title: "Afterwards, partition by partition".to_owned(),
        columns: compared("Mirrored partition"),
        rows: partitions(&run.afterwards),
        note: None,
    };
    let differences = difference_rows(run);
    let [found, cluster, topic, partition, offsets, records] = DIFFERENCE;
    let differences = (!differences.is_empty()).then(|| Table {
        title: "Afterwards, what differs".to_owned(),
        columns: vec![
            Column::Text(found),
            Column::Text(cluster),
            Column::Text(topic),
            Column::Number(partition),
            Column::Text(offsets),
            Column::Number(records),
        ],
        rows: differences,
        note: None,
    });
    let groups = (!run.groups.is_empty()).then(|| Table {
        title: "Groups".to_owned(),
        columns: vec![
            Column::Text("Group"),
            Column::Number("Again"),
            Column::Text("Predicted"),
            Column::Fault("Skipped"),
            Column::Text("Predicted"),
        ],
        rows: group_rows(run),
        note: Some(
            "Of the records that were written during the failback. Again: given once more after the switch back. Skipped: never given on either side."
                .to_owned(),
        ),
    });
    let all = stranded.into_iter().chain(moments);
    let all = all.chain([partitions]).chain(differences);
    all.chain(groups).collect()
}

fn compared(of: &'static str) -> Vec<Column> {
    vec![
        Column::Text(of),
        Column::Number("Source"),
        Column::Number("Target"),
        Column::Fault("Missing"),
        Column::Number("Surplus"),
        Column::Fault("Foreign"),
        Column::Fault("Out of order"),
    ]
}

fn flow(one: &FlowDifference) -> Vec<String> {
    row(
        one.flow.clone(),
        [
            one.source,
            one.target,
            one.missing,
            one.surplus,
            one.foreign,
            one.out_of_order,
        ],
    )
}

fn row(name: String, numbers: [u64; 6]) -> Vec<String> {
    let numbers = numbers.iter().map(u64::to_string);
    [name].into_iter().chain(numbers).collect()
}

fn partitions(both: &BothWays) -> Vec<Vec<String>> {
    let of_topic = |topic: &TopicComparison| {
        let mirrored = topic.mirrored.clone();
        let rows = topic.partitions.iter().map(move |one| {
            let name = format!("{mirrored}-{}", one.partition);
            let unknown = || [vec![name.clone()], vec!["unknown".to_owned(); 6]].concat();
            one.difference
                .as_ref()
                .map_or_else(unknown, |difference| partition(&name, difference))
        });
        rows.collect::<Vec<_>>()
    };
    both.partitions.iter().flat_map(of_topic).collect()
}

fn partition(name: &str, one: &Difference) -> Vec<String> {
    row(
        name.to_owned(),
        [
            one.source,
            one.target,
            one.missing,
            one.surplus,
            one.foreign,
            one.out_of_order,
        ],
    )
}
