//! The report of `kmk verify` as a document: HTML, JUnit XML and Markdown are made from it.

use super::account::{Lacking, counts, findings, time};
use super::checks::checks;
use super::numbers::numbers;
use super::report::what_happened;
use super::samples::Samples;
use super::verdict::{Verdict, reason};
use crate::cli::report::{
    self, Bar, Column, Curve, Histogram, Lane, Mark, Outcome, Provenance, Report, Span, Table,
    Timeline,
};
use kafka_mirror_kit::core::judge::ledger::Guarantee;
use kafka_mirror_kit::core::lab::verify::{FlowReport, VerifyEnd, VerifyReport};

pub(super) fn document(
    verify: &VerifyReport,
    guarantee: Guarantee,
    samples: &Samples,
    provenance: Provenance,
) -> Report {
    let subject = match verify.flows.as_slice() {
        [one] => one.flow.clone(),
        several => format!("{} flows", several.len()),
    };
    let verdict = Verdict::of(verify, guarantee);
    let flows = &verify.flows;
    Report {
        command: "verify",
        subject,
        verdict: report::Verdict {
            word: verdict.text(),
            outcome: match verdict {
                Verdict::Verified => Outcome::Passed,
                Verdict::NotVerified => Outcome::Failed,
                Verdict::Interrupted => Outcome::Unknown,
            },
            why: reason(verify, guarantee),
        },
        seconds: verify.seconds,
        checks: checks(verify, guarantee),
        numbers: flows
            .iter()
            .flat_map(|flow| numbers(flow, verify.end, guarantee))
            .collect(),
        timeline: Some(timeline(verify, samples)),
        tables: flows
            .iter()
            .flat_map(|flow| tables(flow, verify.end, guarantee))
            .collect(),
        histograms: flows.iter().filter_map(histogram).collect(),
        provenance,
    }
}

fn tables(flow: &FlowReport, end: VerifyEnd, guarantee: Guarantee) -> Vec<Table> {
    let lacking = Lacking::of(flow, end);
    let account = &flow.account;
    let partitions = account.partitions.iter().map(|one| {
        let name = one.partition.to_string();
        let counts = counts(one).map(|number| number.to_string());
        std::iter::once(name).chain(counts).collect()
    });
    let missing = match lacking {
        Lacking::Missing => "Missing",
        Lacking::NotSeen => "Not seen",
    };
    let partitions = Table {
        title: format!("{}: partitions", flow.flow),
        columns: vec![
            Column::Text("Partition"),
            Column::Number("Sent"),
            Column::Number("Acked"),
            Column::Number("Arrived"),
            Column::Fault(missing),
            match guarantee {
                Guarantee::AtLeastOnce => Column::Number("Duplicated"),
                Guarantee::ExactlyOnce => Column::Fault("Duplicated"),
            },
            Column::Fault("Reordered"),
        ],
        rows: partitions.collect(),
        note: Some(format!("`{}` on {}", flow.remote_topic, flow.target)),
    };
    let findings = findings(account, lacking);
    let findings = (!findings.is_empty()).then(|| Table {
        title: format!("{}: records", flow.flow),
        columns: ["Found", "Where", "Records"].map(Column::Text).into(),
        rows: findings,
        note: Some(
            "Records are named by their numbers, which begin at 0 in each partition. The JSON report names all."
                .to_owned(),
        ),
    });
    std::iter::once(partitions).chain(findings).collect()
}

fn histogram(flow: &FlowReport) -> Option<Histogram> {
    let latency = flow.account.latency.as_ref()?;
    let bars = latency.histogram.iter().map(|bucket| Bar {
        name: format!("up to {}", time(bucket.up_to.min(latency.max))),
        records: bucket.records,
    });
    Some(Histogram {
        title: format!("{}: latency", flow.flow),
        bars: bars.collect(),
    })
}

fn timeline(verify: &VerifyReport, samples: &Samples) -> Timeline {
    let acknowledged = samples
        .all()
        .map(|at| (at.elapsed.as_secs_f64(), at.acknowledged));
    let end = |of: u64| (verify.seconds, of);
    let sum = verify
        .sources
        .iter()
        .map(|source| source.acknowledged)
        .sum();
    let mut curves = vec![curve("acknowledged", acknowledged, end(sum))];
    curves.extend(verify.flows.iter().map(|flow| {
        let arrived = samples.all().filter_map(|at| {
            let (_, records) = at.arrived.iter().find(|(name, _)| *name == flow.flow)?;
            Some((at.elapsed.as_secs_f64(), *records))
        });
        curve(
            &format!("arrived through {}", flow.flow),
            arrived,
            end(flow.account.arrived),
        )
    }));
    let span = |name: &str, to| Span {
        name: name.to_owned(),
        from: 0.0,
        to,
    };
    let sources = verify.sources.iter().map(|source| Lane {
        name: format!("sending to {}", source.cluster),
        spans: vec![span("until the last acknowledgement", source.seconds)],
    });
    let flows = verify.flows.iter().filter_map(|flow| {
        Some(Lane {
            name: format!("arriving through {}", flow.flow),
            spans: vec![span("until the last arrival", flow.seconds_to_last?)],
        })
    });
    let marks = verify.flows.iter().flat_map(|flow| {
        flow.incidents.iter().map(move |noted| Mark {
            at: noted.at_seconds,
            what: format!(
                "{}: {}",
                flow.target,
                what_happened(&noted.what, &flow.remote_topic)
            ),
        })
    });
    let gave_up = verify.sources.iter().filter_map(|source| {
        let error = source.gave_up.as_ref()?;
        Some(Mark {
            at: source.seconds,
            what: format!("{} stopped accepting records: {error}", source.cluster),
        })
    });
    let mut marks: Vec<Mark> = marks.chain(gave_up).collect();
    marks.sort_by(|one, other| one.at.total_cmp(&other.at));
    Timeline {
        zero: "the run began",
        from: 0.0,
        to: verify.seconds,
        curves,
        lanes: sources.chain(flows).collect(),
        marks,
    }
}

fn curve(name: &str, seen: impl Iterator<Item = (f64, u64)>, end: (f64, u64)) -> Curve {
    Curve {
        name: name.to_owned(),
        points: std::iter::once((0.0, 0)).chain(seen).chain([end]).collect(),
    }
}
