//! What a `kmk` wrote and how it ended, compared exactly, with what differs from run to run hidden.

use std::fmt::Write as _;
use std::process::Output;

/// A `kmk` that has ended. Each check fails with everything there is to see.
pub(crate) struct Ran {
    line: String,
    code: Option<i32>,
    stdout: String,
    stderr: String,
    calls: Vec<String>,
}

impl Ran {
    /// `line` is what was typed, `calls` what docker was told, `hidden` hides what is particular to the test.
    pub(crate) fn new(line: String, output: &Output, calls: Vec<String>, hidden: impl Fn(String) -> String) -> Self {
        let text = |bytes: &[u8]| hide_changing(&hidden(String::from_utf8_lossy(bytes).into_owned()));
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        Self { line, code: output.status.code(), stdout, stderr, calls }
    }

    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert!(self.code == Some(code), "expected exit code {code}\n{}", self.all());
        self
    }

    #[track_caller]
    pub(crate) fn stdout(self, expected: &str) -> Self {
        self.same("stdout", expected, &self.stdout);
        self
    }

    #[track_caller]
    pub(crate) fn stderr(self, expected: &str) -> Self {
        self.same("stderr", expected, &self.stderr);
        self
    }

    /// Where only a part matters, or not all is known.
    #[track_caller]
    pub(crate) fn stdout_has(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "stdout lacks:\n{part}\n{}", self.all());
        self
    }

    #[track_caller]
    pub(crate) fn stderr_has(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "stderr lacks:\n{part}\n{}", self.all());
        self
    }

    #[track_caller]
    pub(crate) fn stderr_lacks(self, part: &str) -> Self {
        assert!(!self.stderr.contains(part), "stderr has:\n{part}\n{}", self.all());
        self
    }

    /// Every docker command so far that is no question, without its leading `docker`.
    #[track_caller]
    pub(crate) fn changed(self, expected: &[&str]) -> Self {
        let changes: Vec<&str> = self.calls.iter().map(String::as_str).filter(|call| !is_question(call)).collect();
        assert!(changes == expected, "expected changes {expected:#?}\n{}", self.all());
        self
    }

    /// Every docker command so far.
    #[track_caller]
    pub(crate) fn calls(self, expected: &[&str]) -> Self {
        assert!(self.calls == expected, "expected calls {expected:#?}\n{}", self.all());
        self
    }

    /// Whether docker was never asked anything.
    #[track_caller]
    pub(crate) fn no_calls(self) -> Self {
        self.calls(&[])
    }

    #[track_caller]
    fn same(&self, what: &str, expected: &str, found: &str) {
        assert!(found == expected, "--- expected {what}\n{expected}\n{}", self.all());
    }

    fn all(&self) -> String {
        let Self { line, code, stdout, stderr, calls } = self;
        let mut text = format!("--- kmk {line}\n--- exit code\n{code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n--- calls");
        for call in calls {
            let _ = write!(text, "\n{call}");
        }
        text
    }
}

fn is_question(call: &str) -> bool {
    let words: Vec<&str> = call.split(' ').take(2).collect();
    matches!(
        words[..],
        ["info" | "ps" | "logs" | "stats" | "--version", ..]
            | ["compose", "version"]
            | ["container" | "volume" | "network" | "image" | "manifest", "inspect" | "ls"]
    )
}

/// Times become `<time>`, process ids `<pid>`. A time as it was typed (`3s`) stays.
fn hide_changing(text: &str) -> String {
    let mut hidden = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let begins = first.is_ascii_digit() && !hidden.ends_with(|c: char| c.is_alphanumeric() || c == '.');
        let (length, token) = match begins {
            true if hidden.ends_with("process ") => (digits(rest), "<pid>"),
            true => (seconds(rest).max(span(rest)), "<time>"),
            false => (0, ""),
        };
        if length == 0 {
            hidden.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            hidden.push_str(token);
            rest = &rest[length..];
        }
    }
    hidden
}

fn digits(text: &str) -> usize {
    text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len()
}

/// How much of the beginning is a time such as `2.4 s`.
fn seconds(text: &str) -> usize {
    let whole = digits(text);
    let Some(rest) = text[whole..].strip_prefix('.') else { return 0 };
    let tail = &rest[digits(rest)..];
    let is_seconds = tail.starts_with(" s") && !tail[2..].starts_with(|c: char| c.is_alphanumeric());
    if is_seconds { text.len() - tail.len() + 2 } else { 0 }
}

/// How much of the beginning is a time of two parts or more, such as `1h 2m 3s`.
fn span(text: &str) -> usize {
    const UNITS: [&str; 10] = ["years", "year", "months", "month", "days", "day", "h", "ms", "m", "s"];
    let (mut length, mut parts) = (0, 0);
    loop {
        let rest = text[length..].strip_prefix(' ').filter(|_| parts > 0).unwrap_or(&text[length..]);
        let unit = &rest[digits(rest)..];
        let after = UNITS.iter().find_map(|name| unit.strip_prefix(name));
        let ends = |after: &&str| !after.starts_with(|c: char| c.is_alphanumeric());
        match after.filter(ends).filter(|_| digits(rest) > 0) {
            Some(after) => length = text.len() - after.len(),
            None => return if parts > 1 { length } else { 0 },
        }
        parts += 1;
    }
}

#[test]
fn only_what_changes_is_hidden() {
    let text = "✓ Up (2.4 s), 12.0 s. kmk (process 4711) within 3s 1.5 state 2026 1h 2m 3s\n9days 1m";
    let hidden = "✓ Up (<time>), <time>. kmk (process <pid>) within 3s 1.5 state 2026 <time>\n<time>";
    assert_eq!(hide_changing(text), hidden);
}
