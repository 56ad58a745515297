//! Programs run to their end, with a deadline; and waiting for a condition, with a deadline.

use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs::read;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// Longer than anything here takes: a program that is still there hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

const LOOK: Duration = Duration::from_millis(25);

/// A program that runs. What it writes goes to files, so that it never waits for us.
pub(crate) struct Running {
    line: String,
    child: Child,
    since: Instant,
    stdout: NamedTempFile,
    stderr: NamedTempFile,
}

impl Running {
    /// Starts a program that reads `input` from a file, or nothing from `/dev/null`.
    pub(crate) fn start(command: &mut Command, input: &[u8]) -> Self {
        if input.is_empty() {
            return Self::start_reading(command, Stdio::null());
        }
        let mut stdin = tempfile::tempfile().unwrap();
        stdin.write_all(input).unwrap();
        stdin.rewind().unwrap();
        Self::start_reading(command, stdin)
    }

    pub(crate) fn start_reading(command: &mut Command, stdin: impl Into<Stdio>) -> Self {
        let [stdout, stderr] = [(); 2].map(|()| NamedTempFile::new().unwrap());
        let line = line_of(command);
        command
            .stdin(stdin)
            .stdout(stdout.reopen().unwrap())
            .stderr(stderr.reopen().unwrap());
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {line}: {error}"));
        Self {
            line,
            child,
            since: Instant::now(),
            stdout,
            stderr,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to stdout so far.
    pub(crate) fn stdout(&self) -> Vec<u8> {
        read(self.stdout.path()).unwrap()
    }

    /// What it wrote to stderr so far.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&read(self.stderr.path()).unwrap()).into_owned()
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits until it says `part` on stderr.
    pub(crate) fn until_it_says(&mut self, part: &str) {
        self.until(&format!("says `{part}`"), |running| {
            running.stderr().contains(part)
        });
    }

    /// Waits until something holds, while it runs.
    pub(crate) fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "{} ended ({ended:?}) before: {what}\n{}",
                self.line,
                self.stderr()
            );
            assert!(
                begun.elapsed() < PATIENCE,
                "{}: in vain waited until: {what}\n{}",
                self.line,
                self.stderr()
            );
            sleep(LOOK);
        }
    }

    pub(crate) fn finish(mut self) -> Ran {
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(
                self.since.elapsed() < PATIENCE,
                "{} does not end\n{}",
                self.line,
                self.stderr()
            );
            sleep(LOOK);
        };
        Ran {
            line: self.line.clone(),
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
            took: self.since.elapsed(),
        }
    }
}

/// The name and the words of a command.
fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or_default();
    let words = [name].into_iter().chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that has ended. Each check fails with everything there is to see.
pub(crate) struct Ran {
    line: String,
    code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Ran {
    /// Runs a program that reads `input`.
    pub(crate) fn of(command: &mut Command, input: &[u8]) -> Self {
        Running::start(command, input).finish()
    }

    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert!(
            self.code == Some(code),
            "expected exit code {code}\n{}",
            self.all()
        );
        println!("  {:6.2} s  {}", self.took.as_secs_f64(), self.line);
        self
    }

    /// On stderr.
    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(
            self.stderr.contains(part),
            "stderr lacks: {part}\n{}",
            self.all()
        );
        self
    }

    /// On stdout.
    #[track_caller]
    pub(crate) fn prints(self, part: &str) -> Self {
        assert!(
            self.text().contains(part),
            "stdout lacks: {part}\n{}",
            self.all()
        );
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The lines of stdout.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.all()))
    }

    fn all(&self) -> String {
        let stdout: String = self.text().chars().take(4_000).collect();
        format!(
            "command: {}\nexit code: {:?} after {:.1} s\nstdout: {stdout}\nstderr: {}",
            self.line,
            self.code,
            self.took.as_secs_f64(),
            self.stderr
        )
    }
}

/// Looks until there is something to see, at most so long, and prints how long it took.
#[track_caller]
pub(crate) fn until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            println!("  {:6.2} s  until {what}", begun.elapsed().as_secs_f64());
            return seen;
        }
        assert!(begun.elapsed() < within, "not within {within:?}: {what}");
        sleep(LOOK);
    }
}
