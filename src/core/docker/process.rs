//! Runs one docker command. The only place that starts child processes.
//!
//! Each child leads a process group of its own: a Ctrl-C at the terminal reaches kmk alone, and kmk decides.

use super::argv::Argv;
use kmk_kafka::wait::{Limit, Stop};
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a child may take to end once it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// How often a child is looked at.
const STEP: Duration = Duration::from_millis(10);

/// A child that has ended.
#[derive(Debug, Clone)]
pub(super) struct Finished {
    /// Its exit code; `None` when a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A child that did not run to its end.
#[derive(Debug)]
pub(super) enum Unfinished {
    NotStarted(io::Error),
    Stopped(Stop),
}

impl From<io::Error> for Unfinished {
    fn from(error: io::Error) -> Self {
        Self::NotStarted(error)
    }
}

impl From<Stop> for Unfinished {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

fn expression(program: &Path, argv: &Argv) -> duct::Expression {
    duct::cmd(program, argv)
        .stdin_null()
        .unchecked()
        .before_spawn(|command| {
            command.process_group(0);
            Ok(())
        })
}

/// Runs to the end and keeps everything that was written.
pub(super) fn capture(program: &Path, argv: &Argv, limit: &Limit) -> Result<Finished, Unfinished> {
    limit.check(|| "not started".to_owned())?;
    let child = expression(program, argv)
        .stdout_capture()
        .stderr_capture()
        .start()?;
    loop {
        if let Some(output) = child.wait_timeout(STEP)? {
            return Ok(Finished {
                code: output.status.code(),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            });
        }
        if let Err(stop) = limit.check(|| "still running".to_owned()) {
            end(&child.pids(), || matches!(child.try_wait(), Ok(None)));
            return Err(stop.into());
        }
    }
}

/// Runs to the end, tells every line of either stream as it comes and keeps the last ones as `stderr`.
pub(super) fn stream(
    program: &Path,
    argv: &Argv,
    variables: &[(String, OsString)],
    limit: &Limit,
    mut on_line: impl FnMut(Vec<u8>),
) -> Result<Finished, Unfinished> {
    const KEPT: usize = 20;
    limit.check(|| "not started".to_owned())?;
    let mut command = expression(program, argv).stderr_to_stdout();
    for (name, value) in variables {
        command = command.env(name, value);
    }
    let child = std::sync::Arc::new(command.reader()?);
    let (sender, lines) = mpsc::sync_channel::<Vec<u8>>(64);
    let reader = child.clone();
    thread::spawn(move || {
        let mut reader = BufReader::new(&*reader);
        loop {
            let mut line = Vec::new();
            match reader.read_until(b'\n', &mut line) {
                Ok(read) if read > 0 && sender.send(line).is_ok() => {}
                _ => return,
            }
        }
    });
    let mut last: Vec<String> = Vec::new();
    loop {
        match limit.receive(&lines) {
            Ok(Some(mut line)) => {
                while matches!(line.last(), Some(b'\n' | b'\r')) {
                    line.pop();
                }
                if last.len() == KEPT {
                    last.remove(0);
                }
                last.push(String::from_utf8_lossy(&line).into_owned());
                on_line(line);
            }
            Ok(None) => break,
            Err(stop) => {
                end(&child.pids(), || matches!(child.try_wait(), Ok(None)));
                return Err(stop.into());
            }
        }
    }
    loop {
        if let Some(output) = child.try_wait()? {
            return Ok(Finished {
                code: output.status.code(),
                stdout: String::new(),
                stderr: last.join("\n"),
            });
        }
        limit.pause(STEP)?;
    }
}

/// Asks a child's whole group to end, and after a grace makes it.
fn end(pids: &[u32], is_running: impl Fn() -> bool) {
    let group = pids
        .first()
        .and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
    let Some(group) = group else { return };
    let grace = Limit::new(GRACE, &kmk_kafka::wait::Interrupt::default());
    let _ = kill_process_group(group, Signal::INT);
    while is_running() && !grace.remaining().is_zero() {
        let _ = grace.pause(STEP);
    }
    // also what the child left in its group
    let _ = kill_process_group(group, Signal::KILL);
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmk_kafka::wait::Interrupt;

    fn sh(script: &str) -> (&'static Path, Argv) {
        (Path::new("/bin/sh"), vec!["-c".into(), script.into()])
    }

    fn seconds(seconds: u64) -> Limit {
        Limit::new(Duration::from_secs(seconds), &Interrupt::default())
    }

    #[test]
    fn what_a_child_writes_is_kept_apart() {
        let (program, argv) = sh("echo out; echo err >&2; exit 3");
        let finished = capture(program, &argv, &seconds(5)).unwrap();
        assert_eq!(finished.code, Some(3));
        assert_eq!(
            (finished.stdout.as_str(), finished.stderr.as_str()),
            ("out\n", "err\n")
        );
    }

    #[test]
    fn lines_come_as_they_are_written() {
        let (program, argv) = sh("echo one; echo two >&2; printf $V; exit 1");
        let mut lines = Vec::new();
        let variables = [("V".to_owned(), OsString::from("three"))];
        let finished = stream(program, &argv, &variables, &seconds(5), |line| {
            lines.push(String::from_utf8(line).unwrap());
        });
        assert_eq!(lines, ["one", "two", "three"]);
        assert_eq!(finished.unwrap().code, Some(1));
    }

    #[test]
    fn a_child_that_outlives_its_deadline_is_ended_with_its_own_children() {
        let mark = tempfile::tempdir().unwrap();
        let file = mark.path().join("survived");
        let script = format!(
            "trap '' INT; (trap '' INT; sleep 3; touch {}) & sleep 60",
            file.display()
        );
        let (program, argv) = sh(&script);
        let limit = Limit::new(Duration::from_millis(100), &Interrupt::default());
        assert!(matches!(
            capture(program, &argv, &limit),
            Err(Unfinished::Stopped(Stop::Deadline { .. }))
        ));
        let _ = seconds(9).pause(Duration::from_millis(1500));
        assert!(!file.exists());
    }
}
