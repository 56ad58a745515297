//! Reports as they might be, for the tests of what is made from them.

use super::provenance::{Link, Service};
use super::*;
use kafka_mirror_kit::core::spec::scenario;

fn number(key: &'static str, name: &str, value: u64, is_bad: bool) -> Number {
    Number {
        about: "primary->secondary".to_owned(),
        key,
        value: value.to_string(),
        name: name.to_owned(),
        text: value.to_string(),
        definition: "as counted",
        is_bad,
    }
}

/// MirrorMaker was killed, and came back without some records.
pub(super) fn lossy() -> Report {
    let check = |what: &str, outcome, seen: &str| Check {
        about: "primary->secondary".to_owned(),
        what: what.to_owned(),
        outcome,
        seen: seen.to_owned(),
    };
    let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
    let bar = |name: &str, records| Bar {
        name: name.to_owned(),
        records,
    };
    Report {
        command: "verify",
        subject: "primary->secondary".to_owned(),
        verdict: Verdict {
            word: "NOT VERIFIED",
            outcome: Outcome::Failed,
            why: "primary->secondary: 412 of 10000 records missing".to_owned(),
        },
        seconds: 12.5,
        checks: vec![
            check(
                "every acknowledged record arrived",
                Outcome::Failed,
                "412 of 10000 acknowledged records missing",
            ),
            check(
                "records arrived in order",
                Outcome::Passed,
                "0 of 9588 records out of order",
            ),
            check(
                "the target was read to its end",
                Outcome::Unknown,
                "secondary is away",
            ),
        ],
        numbers: vec![
            number("sent", "Sent", 10_000, false),
            number("missing", "Missing", 412, true),
        ],
        timelines: vec![timeline()],
        tables: vec![Table {
            title: "primary->secondary: partitions".to_owned(),
            columns: vec![
                Column::Text("Partition"),
                Column::Number("Sent"),
                Column::Fault("Missing"),
                Column::Text("Found"),
            ],
            rows: vec![
                row(["0", "5000", "0", ""]),
                row(["1", "5000", "412", "17-428"]),
            ],
            note: Some("`primary.kmk-verify` on secondary".to_owned()),
        }],
        histograms: vec![Histogram {
            title: "primary->secondary: latency".to_owned(),
            bars: vec![
                bar("up to 5.00 ms", 9_000),
                bar("up to 10.0 ms", 0),
                bar("up to 5.00 s", 588),
            ],
            note: "from sending to reading".to_owned(),
        }],
        provenance: provenance(),
    }
}

fn timeline() -> Timeline {
    let span = |name: &str, from, to| Span {
        name: name.to_owned(),
        from,
        to,
    };
    Timeline {
        title: "Timeline".to_owned(),
        zero: "the run began",
        from: 0.0,
        to: 12.5,
        curves: vec![
            Curve {
                name: "acknowledged".to_owned(),
                points: vec![(0.0, 0), (5.0, 10_000), (12.5, 10_000)],
            },
            Curve {
                name: "arrived".to_owned(),
                points: vec![(0.0, 0), (4.0, 7_000), (9.0, 7_000), (12.5, 9_588)],
            },
        ],
        lanes: vec![Lane {
            name: "fail over".to_owned(),
            spans: vec![span("detected", 4.0, 6.1), span("fenced", 6.1, 6.3)],
        }],
        marks: vec![Mark {
            at: 4.0,
            what: "MirrorMaker was killed".to_owned(),
        }],
    }
}

fn provenance() -> Provenance {
    Provenance {
        kmk: "1.2.3",
        command: "kmk --lab demo verify --report r.html".to_owned(),
        date: "2026-01-02T03:04:05Z".to_owned(),
        services: vec![Service {
            name: "primary".to_owned(),
            image: "apache/kafka:3.9.2".to_owned(),
            image_id: Some("sha256:0123".to_owned()),
            kafka: Some("3.9.2".to_owned()),
            is_relay: false,
        }],
        links: vec![Link {
            flow: "primary->secondary".to_owned(),
            asked: Some("rtt 80 ms".to_owned()),
            measured: Some("rtt 81 ms".to_owned()),
        }],
        lab: scenario::dr("demo"),
    }
}

/// The same, with a text of others wherever there may be one.
pub(super) fn hostile(text: &str) -> Report {
    let mut report = lossy();
    let said = || text.to_owned();
    report.subject = said();
    report.verdict.why = said();
    report.provenance.command = said();
    report.provenance.date = said();
    report.provenance.services[0].image = said();
    (report.histograms[0].title, report.histograms[0].note) = (said(), said());
    report.histograms[0].bars[0].name = said();
    let table = &mut report.tables[0];
    (table.title, table.rows[1][3]) = (said(), said());
    let number = &mut report.numbers[0];
    (number.about, number.name, number.text, number.value) = (said(), said(), said(), said());
    let check = &mut report.checks[0];
    (check.about, check.what, check.seen) = (said(), said(), said());
    let timeline = &mut report.timelines[0];
    timeline.title = said();
    timeline.marks[0].what = said();
    timeline.curves[0].name = said();
    let lane = &mut timeline.lanes[0];
    (lane.name, lane.spans[0].name) = (said(), said());
    report
}
