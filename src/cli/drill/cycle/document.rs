//! The report of `kmk drill cycle` as a document: that of the failover, then that of the failback.

use super::super::{document, failback};
use super::failures;
use crate::cli::report::{Check, Outcome, Provenance, Report, Verdict, within};
use kafka_mirror_kit::core::lab::drill::CycleReport;

pub(super) fn document(report: &CycleReport, provenance: Provenance) -> Report {
    let failed = failures(report);
    let away = document::document(
        std::slice::from_ref(&report.failover),
        1,
        provenance.clone(),
    );
    let home = match &report.failback {
        Ok(home) => Ok(failback::document(home, provenance.clone())),
        Err(error) => Err((error.to_string(), error.is_interruption())),
    };
    let (word, outcome) = match &home {
        Ok(_) if failed.is_empty() => ("PASSED", Outcome::Passed),
        Err((_, true)) => ("INTERRUPTED", Outcome::Unknown),
        _ => ("FAILED", Outcome::Failed),
    };
    let Report {
        mut checks,
        mut numbers,
        mut tables,
        mut timelines,
        mut histograms,
        subject,
        ..
    } = of_half("failover", away);
    match home {
        Ok(home) => {
            let home = of_half("failback", home);
            checks.extend(home.checks);
            numbers.extend(home.numbers);
            tables.extend(home.tables);
            timelines.extend(home.timelines);
            histograms.extend(home.histograms);
        }
        Err((why, _)) => checks.push(Check {
            about: format!("failback {subject}"),
            what: "the failback came to its end".to_owned(),
            outcome,
            seen: why,
        }),
    }
    Report {
        command: "drill cycle",
        subject,
        verdict: Verdict {
            word,
            outcome,
            why: if failed.is_empty() {
                "from healthy to healthy: every record is accounted for, and both sides have every record of the drill's topics"
                    .to_owned()
            } else {
                failed.join("; ")
            },
        },
        seconds: report.seconds,
        checks,
        numbers,
        timelines,
        tables,
        histograms,
        provenance,
    }
}

/// Says of everything to which half it belongs: both are about the same flows.
fn of_half(half: &str, mut report: Report) -> Report {
    let checks = report.checks.iter_mut().map(|one| &mut one.about);
    let numbers = report.numbers.iter_mut().map(|one| &mut one.about);
    for about in checks.chain(numbers) {
        *about = format!("{half} {about}");
    }
    let tables = report.tables.iter_mut().map(|one| &mut one.title);
    let timelines = report.timelines.iter_mut().map(|one| &mut one.title);
    let histograms = report.histograms.iter_mut().map(|one| &mut one.title);
    for title in tables.chain(timelines).chain(histograms) {
        *title = within(half, title);
    }
    report
}
