//! The numbers in the report of `kmk verify`, each with its definition.

use super::super::quantity::{grouped, pace};
use super::account::Lacking;
use crate::cli::report::{Number, seconds};
use kafka_mirror_kit::core::judge::ledger::Guarantee;
use kafka_mirror_kit::core::lab::verify::{FlowReport, VerifyEnd};

pub(super) fn numbers(flow: &FlowReport, end: VerifyEnd, guarantee: Guarantee) -> Vec<Number> {
    let mut all = counts(flow, end, guarantee);
    all.extend(faults(flow));
    all.extend(flow.seconds_to_last.map(|time| {
        let definition = "from the first record sent to the last arrival";
        number(
            flow,
            "seconds_to_last",
            "Time",
            time.to_string(),
            seconds(time),
            definition,
        )
    }));
    all.extend(flow.records_per_second.map(|speed| {
        let definition = "records that arrived in that time";
        number(
            flow,
            "records_per_second",
            "Speed",
            speed.to_string(),
            pace(speed),
            definition,
        )
    }));
    let latencies = flow.account.latency.iter();
    all.extend(latencies.flat_map(|latency| Number::of_latency(&flow.flow, latency)));
    all
}

fn number(
    flow: &FlowReport,
    key: &'static str,
    name: &str,
    value: String,
    text: String,
    definition: &'static str,
) -> Number {
    Number {
        about: flow.flow.clone(),
        key,
        value,
        name: name.to_owned(),
        text,
        definition,
        is_bad: false,
    }
}

fn records(
    flow: &FlowReport,
    key: &'static str,
    name: &str,
    records: u64,
    definition: &'static str,
) -> Number {
    number(
        flow,
        key,
        name,
        records.to_string(),
        grouped(records),
        definition,
    )
}

/// Of what there should be none.
fn fault(
    flow: &FlowReport,
    key: &'static str,
    name: &str,
    faults: u64,
    definition: &'static str,
) -> Number {
    Number {
        is_bad: faults > 0,
        ..records(flow, key, name, faults, definition)
    }
}

fn counts(flow: &FlowReport, end: VerifyEnd, guarantee: Guarantee) -> Vec<Number> {
    let account = &flow.account;
    let (name, missing) = match Lacking::of(flow, end) {
        Lacking::Missing => ("Missing", "acknowledged, and not on the target at the end"),
        Lacking::NotSeen => (
            "Not seen",
            "acknowledged, and not read from the target, whose end was not seen",
        ),
    };
    let again = match guarantee {
        Guarantee::AtLeastOnce => records,
        Guarantee::ExactlyOnce => fault,
    };
    vec![
        records(flow, "sent", "Sent", account.sent, "sent to the source"),
        records(
            flow,
            "acknowledged",
            "Acknowledged",
            account.acknowledged,
            "every in-sync replica of the source has them",
        ),
        records(
            flow,
            "arrived",
            "Arrived",
            account.arrived,
            "on the target, each counted once",
        ),
        fault(flow, "missing", name, account.missing, missing),
        again(
            flow,
            "duplicated",
            "Duplicated",
            account.duplicated,
            "arrivals beyond the first of a record",
        ),
        fault(
            flow,
            "reordered",
            "Reordered",
            account.reordered,
            "arrived first after a record sent later",
        ),
    ]
}

/// What is hardly ever there is shown only where it is.
fn faults(flow: &FlowReport) -> impl Iterator<Item = Number> {
    let account = &flow.account;
    let all = [
        fault(
            flow,
            "disappeared",
            "Disappeared",
            account.gone,
            "of the missing: had arrived, and were gone at the end",
        ),
        fault(
            flow,
            "corrupted",
            "Corrupted",
            account.corrupted.records,
            "with a wrong checksum, or a key or headers not sent",
        ),
        fault(
            flow,
            "wrong_partition",
            "Wrong partition",
            account.misplaced.records,
            "in another partition than sent to",
        ),
        fault(
            flow,
            "never_sent",
            "Never sent",
            account.impossible,
            "with the number of this run, but not sent by it",
        ),
    ];
    all.into_iter().filter(|one| one.is_bad)
}
