//! The report of `kmk verify` as a document: HTML, JUnit XML and Markdown are made from it.

use super::account::{Lacking, counts, findings};
use super::checks::checks;
use super::numbers::numbers;
use super::report::what_happened;
use super::samples::Samples;
use super::verdict::{Verdict, reason};
use crate::cli::report::{
    self, Column, Curve, Histogram, Lane, Mark, Outcome, Provenance, Report, Span, Table, Timeline,
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
        timelines: vec![timeline(verify, samples)],
        tables: flows
            .iter()
            .flat_map(|flow| tables(flow, verify.end, guarantee))
            .chain(left_out(verify))
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

/// Flows of which nothing is said otherwise.
fn left_out(verify: &VerifyReport) -> Option<Table> {
    let flows = verify.left_out.iter();
    let rows: Vec<Vec<String>> = flows
        .map(|out| vec![out.flow.clone(), out.why.clone()])
        .collect();
    (!rows.is_empty()).then(|| Table {
        title: "Flows that are not checked".to_owned(),
        columns: ["Flow", "Why"].map(Column::Text).into(),
        rows,
        note: None,
    })
}

fn histogram(flow: &FlowReport) -> Option<Histogram> {
    let latency = flow.account.latency.as_ref()?;
    let title = format!("{}: latency", flow.flow);
    let note = "From sending a record to the source until it was read on the target.";
    Some(Histogram::of(title, note, latency))
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
    let pauses = verify.flows.iter().zip(&curves[1..]);
    let pauses = pauses.filter_map(|(flow, curve)| {
        let (at, time) = longest_pause(&curve.points)?;
        Some(Mark {
            at,
            what: format!(
                "{}: nothing arrived for at least {}",
                flow.flow,
                report::seconds(time)
            ),
        })
    });
    let mut marks: Vec<Mark> = marks.chain(gave_up).chain(pauses).collect();
    marks.sort_by(|one, other| one.at.total_cmp(&other.at));
    Timeline {
        title: "Timeline".to_owned(),
        zero: "the run began",
        from: 0.0,
        to: verify.seconds,
        curves,
        lanes: sources.chain(flows).collect(),
        marks,
    }
}

/// When nothing arrived for the longest time before the last arrival, and for how long: shorter ones than a second are none.
fn longest_pause(points: &[(f64, u64)]) -> Option<(f64, f64)> {
    let most = points.iter().map(|point| point.1).max()?;
    let before = points.iter().position(|point| point.1 == most)?;
    let pauses = points[..before].chunk_by(|one, other| one.1 == other.1);
    let pauses = pauses.map(|pause| (pause[0].0, pause[pause.len() - 1].0 - pause[0].0));
    let longest = pauses.max_by(|one, other| one.1.total_cmp(&other.1));
    longest.filter(|(_, time)| *time >= 1.0)
}

fn curve(name: &str, seen: impl Iterator<Item = (f64, u64)>, end: (f64, u64)) -> Curve {
    Curve {
        name: name.to_owned(),
        points: std::iter::once((0.0, 0)).chain(seen).chain([end]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::report;
    use super::*;
    use kafka_mirror_kit::core::lab::verify::{
        Incident, Progress, SkippedFlow, TimedIncident, VerifyEnd,
    };
    use kafka_mirror_kit::core::spec::scenario;
    use std::time::Duration;

    fn of(verify: &VerifyReport) -> Report {
        let mut samples = Samples::default();
        samples.add(&Progress {
            elapsed: Duration::from_millis(500),
            sent: 10,
            acknowledged: 4,
            arrived: vec![("other".to_owned(), 9), ("a->b".to_owned(), 3)],
        });
        let provenance = Provenance {
            kmk: "1.2.3",
            command: String::new(),
            date: String::new(),
            services: Vec::new(),
            links: Vec::new(),
            lab: scenario::dr("demo"),
        };
        document(verify, Guarantee::AtLeastOnce, &samples, provenance)
    }

    #[test]
    fn curves_end_with_what_is_known_in_the_end() {
        let timeline = of(&report(8, VerifyEnd::Deadline)).timelines.remove(0);
        let curves: Vec<_> = (timeline.curves.into_iter())
            .map(|curve| (curve.name, curve.points))
            .collect();
        let expected = [
            ("acknowledged", vec![(0.0, 0), (0.5, 4), (1.0, 8)]),
            ("arrived through a->b", vec![(0.0, 0), (0.5, 3), (1.0, 0)]),
        ];
        assert_eq!(
            curves,
            expected.map(|(name, points)| (name.to_owned(), points))
        );
    }

    #[test]
    fn what_happened_is_marked_in_order() {
        let mut verify = report(8, VerifyEnd::Deadline);
        let noted = |at_seconds, what| TimedIncident { at_seconds, what };
        verify.flows[0].incidents = vec![
            noted(0.25, Incident::NotAnswering),
            noted(3.0, Incident::TopicGone),
        ];
        verify.sources[0].gave_up = Some("it is gone".to_owned());
        let marks: Vec<_> = (of(&verify).timelines.remove(0).marks.into_iter())
            .map(|mark| (mark.at, mark.what))
            .collect();
        let expected = [
            (0.25, "b: the target's broker did not answer"),
            (1.0, "a stopped accepting records: it is gone"),
            (3.0, "b: topic `a.t` did not exist"),
        ];
        assert_eq!(marks, expected.map(|(at, what)| (at, what.to_owned())));
    }

    #[test]
    fn the_longest_pause_is_between_arrivals() {
        let points = |all: &[u64]| {
            (0_u32..)
                .map(f64::from)
                .zip(all.iter().copied())
                .collect::<Vec<_>>()
        };
        for (arrived, pause) in [
            (&[0, 5, 5, 5, 9, 9, 12][..], Some((1.0, 2.0))),
            // what is waited for before the first one counts, and what is waited for after the last one does not
            (&[0, 0, 0, 3, 3, 4, 4, 4, 4, 4], Some((0.0, 2.0))),
            (&[0, 1, 2, 3], None),
            (&[0, 0, 0, 0], None),
            (&[], None),
        ] {
            assert_eq!(longest_pause(&points(arrived)), pause, "{arrived:?}");
        }
    }

    #[test]
    fn a_flow_that_is_not_checked_is_named() {
        let mut verify = report(8, VerifyEnd::Deadline);
        assert!(
            !of(&verify)
                .tables
                .iter()
                .any(|table| table.title.contains("not checked"))
        );
        verify.left_out.push(SkippedFlow {
            flow: "b->a".to_owned(),
            why: "it excludes t".to_owned(),
        });
        let report = of(&verify);
        assert_eq!(
            report.tables.last().unwrap().rows,
            [["b->a", "it excludes t"]]
        );
    }
}
