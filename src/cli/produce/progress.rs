//! How far a long run has come, on a terminal.

use super::super::output::Output;
use super::super::quantity::pace;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use kafka_mirror_kit::core::kafka::Tally;
use std::fmt::Write;
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
        let bar = self.bar.get_or_insert_with(|| bar(self.total));
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
            "{wide_bar} {human_pos} of {human_len} records, {pace}, {eta} left",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {human_pos} records, {pace}",
        ),
    };
    // the template is constant; should it be wrong, the usual one does
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.with_key(
            "pace",
            |at: &ProgressState, to: &mut dyn Write| {
                let _ = to.write_str(&pace(at.per_sec()));
            },
        )),
        Err(_) => bar,
    }
}
