//! Output: results to stdout, messages to stderr, events to a spinner or as plain lines.

pub(crate) use kmk_kafka::wait::seconds;

use crate::cli::CliError;
use anstream::ColorChoice;
use clap::ValueEnum;
use clap::builder::styling::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use kafka_mirror_kit::core::event::{Event, Observer};
use kmk_kafka::printable;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::LazyLock;
use std::time::Duration;

/// When to use color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// What may be said, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const HINT: Style = AnsiColor::Cyan.on_default().bold();
pub(super) const DONE: Style = AnsiColor::Green.on_default();
pub(super) const COMMAND: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// Stands around the codes of our own styles until they are written: nobody can know it who gives names to topics and groups.
static OURS: LazyLock<String> =
    LazyLock::new(|| format!("\u{fdd0}{:016x}", RandomState::new().hash_one("ours")));

/// A text between the codes of its style.
pub(super) fn styled(style: Style, text: &str) -> String {
    let ours = OURS.as_str();
    format!("{ours}{style}{ours}{text}{ours}{style:#}{ours}")
}

/// What may be written to a terminal: of all codes in it, only those of [`styled`] are left.
pub(super) fn harmless(text: &str) -> String {
    let parts = text.split(OURS.as_str()).enumerate();
    let parts = parts.map(|(at, part)| {
        let is_code = at % 2 == 1;
        if is_code {
            part.to_owned()
        } else {
            printable::text(part)
        }
    });
    parts.collect()
}

/// To stderr, whether it should be quiet or not.
pub(super) fn tell(text: &str) {
    tell_on(&format!("{text}\n"));
}

/// The same, and the line goes on. Where stderr cannot be written nobody is left to be told, and what is done stays done.
pub(super) fn tell_on(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = write!(stderr, "{}", harmless(text)).and_then(|()| stderr.flush());
}

impl Output {
    pub(crate) fn new(quiet: bool, verbose: bool, color: Color) -> Self {
        match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
        .write_global();
        Self { quiet, verbose }
    }

    /// A result, to stdout. A reader that has gone is no error.
    #[allow(clippy::unused_self, reason = "reads as the others do")]
    pub(crate) fn result(self, text: &str) -> Result<(), CliError> {
        let mut stdout = anstream::stdout().lock();
        let written = writeln!(stdout, "{}", harmless(text)).and_then(|()| stdout.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| CliError::unwritten(&error)),
        }
    }

    /// Talk, to stderr, unless it should be quiet.
    pub(crate) fn talk(self, text: &str) {
        if !self.quiet {
            tell(text);
        }
    }

    /// A warning, to stderr, even when quiet.
    #[allow(clippy::unused_self, reason = "reads as the others do")]
    pub(crate) fn warn(self, text: &str) {
        let text = printable::line(text);
        tell(&format!("{} {text}", styled(WARNING, "warning:")));
    }

    /// The next commands to type.
    pub(crate) fn next(self, commands: &[(String, &str)]) {
        self.talk("\nNext:");
        for (command, what) in commands {
            let what = styled(FAINT, &format!("# {what}"));
            self.talk(&format!("  {}  {what}", styled(COMMAND, command)));
        }
    }

    /// Shows events: a spinner on a terminal, plain lines elsewhere, nothing when quiet.
    pub(crate) fn steps(self) -> Steps {
        let is_terminal = io::stderr().is_terminal() && !self.quiet;
        let spinner = is_terminal.then(|| {
            let spinner = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {prefix}{wide_msg:.dim}");
            spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        });
        Steps {
            output: self,
            spinner,
        }
    }
}

/// Shows events as they happen.
pub(crate) struct Steps {
    output: Output,
    spinner: Option<ProgressBar>,
}

impl Steps {
    fn line(&self, text: &str) {
        match &self.spinner {
            Some(spinner) => spinner.suspend(|| self.output.talk(text)),
            None => self.output.talk(text),
        }
    }

    fn warn(&self, text: &str) {
        match &self.spinner {
            Some(spinner) => spinner.suspend(|| self.output.warn(text)),
            None => self.output.warn(text),
        }
    }

    /// Says behind the spinner how far all has come; whether there is one.
    pub(super) fn spin(&self, text: impl FnOnce() -> String) -> bool {
        if self.spinner.is_some() {
            self.step("", &text());
        }
        self.spinner.is_some()
    }

    fn step(&self, prefix: &str, message: &str) {
        if let Some(spinner) = &self.spinner {
            let gap = if prefix.is_empty() { "" } else { " " };
            spinner.set_prefix(format!("{}{gap}", printable::line(prefix)));
            spinner.set_message(printable::line(message));
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}

impl Observer for Steps {
    fn on(&self, event: Event) {
        match event {
            Event::Started(what) => {
                self.step(&what, "");
                if self.spinner.is_none() {
                    self.line(&format!("{what} ..."));
                }
            }
            Event::Done { what, took } => {
                let took = styled(FAINT, &format!("({})", seconds(took)));
                self.line(&format!("{} {what} {took}", styled(DONE, "✓")));
            }
            Event::Note(text) => self.line(&format!("note: {}", printable::line(&text))),
            Event::Warning(text) => self.warn(&text),
            Event::Progress(text) | Event::Child(text) if self.spinner.is_some() => {
                if let Some(spinner) = &self.spinner {
                    spinner.set_message(printable::line(text.trim()));
                }
            }
            Event::Child(text) => self.line(&format!("  {}", printable::line(text.trim()))),
            Event::Progress(text) if self.output.verbose => self.line(&format!("  {text}")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_codes_reach_a_terminal() {
        let text = format!("{} a\u{1b}[0m\nb", styled(ERROR, "x\u{1b}]52;c;\u{7}"));
        let codes = format!("{ERROR}x\\u001b]52;c;\\u0007{ERROR:#} a\\u001b[0m\nb");
        assert_eq!(harmless(&text), codes);
        assert_eq!(harmless("\u{fdd0}\u{1b}[1m"), "\\ufdd0\\u001b[1m");
    }
}
