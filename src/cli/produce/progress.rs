//! The progress bar of a long `kmk produce`, on a terminal.

use super::super::output::Output;
use super::super::quantity::pace;
use indicatif::{ProgressBar, ProgressStyle};
use kmk_kafka::Tally;
use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

/// Shorter runs show nothing.
const SHORT: Duration = Duration::from_secs(1);

/// A bar that appears once a run turns out to be long.
pub(super) struct Progress {
    total: Option<u64>,
    since: Instant,
    wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(total: Option<u64>, output: Output) -> Self {
        Self {
            total,
            since: Instant::now(),
            wanted: !output.quiet && io::stderr().is_terminal(),
            bar: None,
        }
    }

    pub(super) fn show(&mut self, tally: &Tally) {
        if !self.wanted || self.since.elapsed() < SHORT {
            return;
        }
        let message = pace_and_rest(tally.acknowledged(), self.total, self.since.elapsed());
        let bar = self.bar.get_or_insert_with(|| bar(self.total));
        bar.set_message(message);
        bar.set_position(tally.acknowledged());
    }

    /// Takes the bar away.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{wide_bar} {human_pos} of {human_len} records, {msg}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {human_pos} records, {msg}",
        ),
    };
    // the template is constant; should it be wrong, the usual one does
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// How fast it went up to now, and how long the rest takes like that. The bar's own guess knows nothing of the time before it was
/// shown.
fn pace_and_rest(records: u64, total: Option<u64>, elapsed: Duration) -> String {
    #[allow(clippy::cast_precision_loss, reason = "it is rounded to be shown")]
    let (a_second, rest) = (
        records as f64 / elapsed.as_secs_f64(),
        total.map(|total| total.saturating_sub(records) as f64),
    );
    let rest = rest.and_then(|rest| Duration::try_from_secs_f64((rest / a_second).ceil()).ok());
    let rest = rest.map(|rest| format!(", {} left", humantime::format_duration(rest)));
    format!("{}{}", pace(a_second), rest.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_whole_run() {
        let told = |records, total, seconds| {
            pace_and_rest(records, total, Duration::from_secs_f64(seconds))
        };
        assert_eq!(told(77, Some(600), 1.002), "77/s, 7s left");
        assert_eq!(told(264, Some(60_000), 3.43), "77/s, 12m 57s left");
        assert_eq!(told(2_500_000, None, 1.0), "2,500,000/s");
        assert_eq!(told(3, Some(3), 4.0), "0.8/s, 0s left");
        assert_eq!(told(0, Some(3), 4.0), "0.0/s");
    }
}
