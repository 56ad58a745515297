//! What a `kmk` wrote and how it ended, compared exactly, with what differs from run to run hidden.

use crate::changing::hide_changing;
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
    pub(crate) fn new(
        line: String,
        output: &Output,
        calls: Vec<String>,
        hidden: impl Fn(String) -> String,
    ) -> Self {
        let text =
            |bytes: &[u8]| hide_changing(&hidden(String::from_utf8_lossy(bytes).into_owned()));
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        Self {
            line,
            code: output.status.code(),
            stdout,
            stderr,
            calls,
        }
    }

    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert!(
            self.code == Some(code),
            "expected exit code {code}\n{}",
            self.all()
        );
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

    /// Standard output, for a closer look.
    pub(crate) fn text(&self) -> &str {
        &self.stdout
    }

    /// Standard error, for a closer look.
    pub(crate) fn said(&self) -> &str {
        &self.stderr
    }

    /// Every docker command so far, for a closer look.
    pub(crate) fn all_calls(&self) -> &[String] {
        &self.calls
    }

    /// Where only a part matters, or not all is known.
    #[track_caller]
    pub(crate) fn stdout_has(self, part: &str) -> Self {
        assert!(
            self.stdout.contains(part),
            "stdout lacks:\n{part}\n{}",
            self.all()
        );
        self
    }

    #[track_caller]
    pub(crate) fn stderr_has(self, part: &str) -> Self {
        assert!(
            self.stderr.contains(part),
            "stderr lacks:\n{part}\n{}",
            self.all()
        );
        self
    }

    #[track_caller]
    pub(crate) fn stderr_lacks(self, part: &str) -> Self {
        assert!(
            !self.stderr.contains(part),
            "stderr has:\n{part}\n{}",
            self.all()
        );
        self
    }

    /// Every docker command so far that is no question and changes no journal, without its leading `docker`.
    #[track_caller]
    pub(crate) fn changed(self, expected: &[&str]) -> Self {
        let changes: Vec<&str> = self
            .calls
            .iter()
            .map(String::as_str)
            .filter(|call| !is_question(call) && !call.contains("_journal-"))
            .collect();
        assert!(
            changes == expected,
            "expected changes {expected:#?}\n{}",
            self.all()
        );
        self
    }

    /// Every docker command so far.
    #[track_caller]
    pub(crate) fn calls(self, expected: &[&str]) -> Self {
        assert!(
            self.calls == expected,
            "expected calls {expected:#?}\n{}",
            self.all()
        );
        self
    }

    /// Whether docker was never asked anything.
    #[track_caller]
    pub(crate) fn no_calls(self) -> Self {
        self.calls(&[])
    }

    #[track_caller]
    fn same(&self, what: &str, expected: &str, found: &str) {
        assert!(
            found == expected,
            "--- expected {what}\n{expected}\n{}",
            self.all()
        );
    }

    fn all(&self) -> String {
        let Self {
            line,
            code,
            stdout,
            stderr,
            calls,
        } = self;
        let mut text = format!(
            "--- kmk {line}\n--- exit code\n{code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n--- calls"
        );
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
            | [
                "container" | "context" | "volume" | "network" | "image" | "manifest",
                "inspect" | "ls"
            ]
    )
}
