use super::super::Context;
use super::super::table::{row, table};
use crate::cli::CliError;
use clap::ValueEnum;
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::lab::deploy::{Deployed, Span};
use serde::Serialize;

/// How the steps of a deploy are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One line per step
    Table,
    /// One JSON document
    Json,
}

#[derive(Serialize)]
struct Timings<'a> {
    lab: &'a str,
    seconds: f64,
    steps: &'a [Span],
}

/// Prints where the time of a deploy went.
pub(super) fn tell(deployed: &Deployed, format: Format, context: &Context) -> Result<(), CliError> {
    let steps = steps(deployed, context)?;
    let text = match format {
        Format::Table => lines(&steps),
        Format::Json => {
            let timings = Timings {
                lab: &deployed.topology.spec.lab,
                seconds: (deployed.took.as_secs_f64() * 1e3).round() / 1e3,
                steps: &steps,
            };
            serde_json::to_string_pretty(&timings)?
        }
    };
    context.output.result(&text)
}

/// The same besides all else.
pub(super) fn mention(deployed: &Deployed, context: &Context) -> Result<(), CliError> {
    let table = lines(&steps(deployed, context)?);
    context.output.talk(&format!("\n{table}"));
    Ok(())
}

/// The lab is up, whether or not docker goes on telling of it.
fn steps(deployed: &Deployed, context: &Context) -> Result<Vec<Span>, CliError> {
    let (steps, missing) =
        deployed
            .marks
            .timeline(&deployed.topology, &Docker::find()?, &context.question());
    if let Some(error) = missing {
        context
            .output
            .warn(&format!("some some steps are missing: {error}"));
    }
    Ok(steps)
}

fn lines(steps: &[Span]) -> String {
    let one = |span: &Span| {
        row([
            span.step.name(),
            span.service.as_deref().unwrap_or("-"),
            &format!("{:.2} s", span.from.as_secs_f64()),
            &format!("{:.2} s", span.took.as_secs_f64()),
        ])
    };
    let head = row(["STEP", "SERVICE", "FROM", "TOOK"]);
    let rows: Vec<_> = [head].into_iter().chain(steps.iter().map(one)).collect();
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use indoc::indoc;
    use kafka_mirror_kit::core::lab::deploy::Step;
    use std::time::Duration;

    #[test]
    fn a_line_for_each_step() {
        let span = |step, service: Option<&str>, from, took| Span {
            step,
            service: service.map(str::to_owned),
            from: Duration::from_millis(from),
            took: Duration::from_millis(took),
        };
        let steps = [
            span(Step::Preflight, None, 0, 214),
            span(Step::MirrorMaker, Some("mm2-secondary"), 1_306, 11_059),
        ];
        let expected = indoc! {"
            STEP          SERVICE        FROM    TOOK
            preflight     -              0.00 s  0.21 s
            mirror-maker  mm2-secondary  1.31 s  11.06 s"};
        assert_eq!(lines(&steps), expected);
    }
}
