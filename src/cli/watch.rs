//! `--watch`: redraws in place on a terminal, prints plain lines elsewhere.

use super::output::harmless;
use super::quantity::count;
use super::{CliError, Context, Exit};
use anstream::{AutoStream, ColorChoice};
use kmk_kafka::wait::{Limit, Stop};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What a terminal shows that does not say how large it is.
const USUAL: (usize, usize) = (80, 24);

/// The other screen of a terminal, without a cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Whether a terminal shows the other screen.
static IS_ENTERED: AtomicBool = AtomicBool::new(false);

/// Flags of verbs that can look again and again.
#[derive(clap::Args)]
pub(crate) struct Watch {
    /// Refresh until Ctrl-C (exit code 130): redrawn in place on a terminal, plain lines elsewhere
    #[arg(long, short)]
    pub(crate) watch: bool,
    /// How often to refresh
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = super::patience, requires = "watch")]
    every: Duration,
}

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A terminal with this many columns and lines.
    Picture { columns: usize, lines: usize },
    /// Lines that are added to others.
    Lines,
}

impl Watch {
    /// Shows one frame after the other. With `as_lines`, on a terminal too.
    pub(crate) fn run(
        &self,
        as_lines: bool,
        context: &Context,
        frame: impl FnMut(Frame) -> Result<String, CliError>,
    ) -> Result<Exit, CliError> {
        match self.frames(as_lines, context, frame) {
            // that is how one leaves it
            Err(_) if context.interrupt.is_raised() => Ok(Exit::Interrupted),
            other => other,
        }
    }

    fn frames(
        &self,
        as_lines: bool,
        context: &Context,
        mut frame: impl FnMut(Frame) -> Result<String, CliError>,
    ) -> Result<Exit, CliError> {
        let mut screen = Screen::new(as_lines);
        let limit = Limit::endless(&context.interrupt);
        loop {
            let since = Instant::now();
            let text = frame(screen.frame())?;
            // what was interrupted is no whole picture
            if context.interrupt.is_raised() {
                return Err(Stop::Interrupted.into());
            }
            if !screen.show(&text)? {
                return Ok(Exit::Done);
            }
            limit.pause(self.every.saturating_sub(since.elapsed()))?;
        }
    }
}

/// Where frames are shown. On a terminal, the last one stays when this goes.
struct Screen {
    is_terminal: bool,
    is_plain: bool,
    /// The picture that is shown.
    last: Option<String>,
}

impl Screen {
    fn new(as_lines: bool) -> Self {
        let stdout = io::stdout();
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        Self {
            is_terminal: stdout.is_terminal() && !is_dumb && !as_lines,
            is_plain: AutoStream::choice(&stdout) == ColorChoice::Never,
            last: None,
        }
    }

    fn frame(&self) -> Frame {
        if !self.is_terminal {
            return Frame::Lines;
        }
        let (columns, lines) = size();
        Frame::Picture { columns, lines }
    }

    /// Shows a frame. Whether there is still someone who looks.
    fn show(&mut self, text: &str) -> Result<bool, CliError> {
        let text = harmless(text);
        let text = if self.is_plain {
            anstream::adapter::strip_str(&text).to_string()
        } else {
            text
        };
        let Frame::Picture { columns, lines } = self.frame() else {
            return write(&format!("{text}\n"));
        };
        let enter = if self.last.is_none() { ENTER } else { "" };
        IS_ENTERED.store(true, Ordering::SeqCst);
        let goes_on = write(&format!("{enter}{}", redrawn(&text, columns, lines)))?;
        self.last = Some(text);
        Ok(goes_on)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(last) = &self.last {
            IS_ENTERED.store(false, Ordering::SeqCst);
            // nobody is left to be told
            let _ = write(&format!("{LEAVE}{last}\n"));
        }
    }
}

/// Columns and lines of the terminal that is standard output.
fn size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let size = size.map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
    size.filter(|size| size.0 > 0 && size.1 > 0)
        .unwrap_or(USUAL)
}

/// Characters of a line that a person sees whole; none where standard output is no terminal, and nothing is ever cut.
pub(crate) fn width() -> Option<usize> {
    io::stdout().is_terminal().then(|| size().0)
}

/// Gives a terminal back its own screen, when this program ends at once. Never waits for a terminal that takes nothing, nor for
/// whoever writes to it.
pub(crate) fn give_back() {
    let stdout = io::stdout();
    let mut can_write = [PollFd::new(&stdout, PollFlags::OUT)];
    let at_once = Timespec::default();
    if IS_ENTERED.swap(false, Ordering::SeqCst) && poll(&mut can_write, Some(&at_once)) == Ok(1) {
        let _ = rustix::io::write(&stdout, LEAVE.as_bytes());
    }
}

/// To stdout. Whether it is still there.
fn write(text: &str) -> Result<bool, CliError> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(CliError::unwritten(&error)),
    }
}

/// A picture over the one before: each line cut to the width, and as many as there is room for. What is cut is marked.
fn redrawn(text: &str, columns: usize, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    let room = if all.len() > lines {
        lines.saturating_sub(1)
    } else {
        lines
    };
    let more = all.len().saturating_sub(room);
    let more = (more > 0).then(|| format!("… and {}", count(more, "more line")));
    let shown = all.iter().take(room).copied().chain(more.as_deref());
    let shown: Vec<String> = shown
        .map(|line| format!("{}\x1b[K", cut(line, columns)))
        .collect();
    format!("\x1b[H{}\x1b[J", shown.join("\r\n"))
}

/// A line without what is too much of it, and a `…` in its place. Codes of styles take no room.
fn cut(line: &str, columns: usize) -> String {
    let is_cut = anstream::adapter::strip_str(line)
        .to_string()
        .chars()
        .count()
        > columns;
    let mut cut = String::new();
    let mut room = columns;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\x1b' {
            cut.push(character);
            for code in characters.by_ref() {
                cut.push(code);
                if code.is_ascii_alphabetic() {
                    break;
                }
            }
        } else if room > 0 {
            cut.push(if is_cut && room == 1 {
                '…'
            } else {
                character
            });
            room -= 1;
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_cut_where_it_ends_and_keeps_its_styles() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("a→c", 2), "a…");
        assert_eq!(cut("\x1b[1mabc\x1b[0mdef", 4), "\x1b[1mabc\x1b[0m…");
        assert_eq!(cut("\x1b[31mabcdef\x1b[0m", 3), "\x1b[31mab…\x1b[0m");
        assert_eq!(cut("\x1b[31mabc\x1b[0m", 3), "\x1b[31mabc\x1b[0m");
    }

    #[test]
    fn a_picture_is_no_larger_than_the_terminal() {
        let text = "one\ntwo\nthree";
        assert_eq!(
            redrawn(text, 4, 3),
            "\x1b[Hone\x1b[K\r\ntwo\x1b[K\r\nthr…\x1b[K\x1b[J"
        );
        assert_eq!(
            redrawn(text, 80, 2),
            "\x1b[Hone\x1b[K\r\n… and 2 more lines\x1b[K\x1b[J"
        );
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_it_may_be(line in "\\PC{0,60}", columns in 0usize..40) {
            let cut = cut(&line, columns);
            prop_assert!(cut.chars().count() <= columns);
            let kept = cut.strip_suffix('…').unwrap_or(&cut);
            prop_assert!(line.starts_with(kept));
            prop_assert!(cut == line || columns == 0 || cut.ends_with('…'));
        }
    }
}
