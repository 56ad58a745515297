//! Readers that go, and outputs that cannot be written: an error or a quiet end, never a panic.

use crate::deploy::ROLLED_BACK;
use crate::docker::{Docker, Rule, UP};
use crate::kmk::Kmk;
use std::fs::File;
use std::process::Stdio;

/// The end of a pipe that nobody reads.
fn nobody_reads() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn lab() -> Kmk {
    Kmk::on(|kmk| {
        Docker::works()
            .with(&kmk.lab())
            .rule(Rule::on("logs *").says(&"a line of a log\n".repeat(10_000)))
    })
}

#[test]
fn a_reader_of_stdout_that_has_gone_is_no_failure() {
    for (line, code) in [
        ("env", 0),
        ("logs", 0),
        ("logs primary", 0),
        ("status", 1),
        ("destroy --lab other", 0),
        ("deploy --dry-run", 0),
        ("--help", 0),
        ("--version", 0),
        ("deploy --help", 0),
    ] {
        lab()
            .run_into(line, nobody_reads(), Stdio::piped())
            .code(code)
            .stderr_lacks("panicked")
            .stderr_lacks("error:");
    }
}

#[test]
fn stdout_that_is_closed() {
    for line in ["env", "deploy --dry-run", "--help"] {
        lab()
            .shell("exec >&-")
            .run(line)
            .code(0)
            .stderr_lacks("panicked")
            .stderr_lacks("error:");
    }
}

#[test]
fn a_reader_of_stderr_that_has_gone_changes_nothing() {
    for (line, code) in [
        ("status", 1),
        ("deploy --dry-run", 0),
        ("env --lab none", 3),
        ("deploy --port nope=2000", 2),
        ("deploy --nope", 2),
        (
            "consume --topic t --bootstrap 127.0.0.1:$PRIMARY --timeout 1s",
            3,
        ),
    ] {
        lab()
            .run_into(line, Stdio::piped(), nobody_reads())
            .code(code);
    }
}

#[test]
fn a_failed_deploy_rolls_back_though_nobody_reads_its_stderr() {
    let kmk = Kmk::on(|kmk| {
        Docker::works()
            .up_makes(&kmk.lab())
            .rule(Rule::on(UP).fails(1, "something broke\n"))
    });
    let line = "deploy --port primary=$PRIMARY --port secondary=$SECONDARY";
    kmk.run_into(line, Stdio::piped(), nobody_reads())
        .code(3)
        .changed(&ROLLED_BACK);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stderr_changes_nothing() {
    for (line, code) in [
        ("status", 1),
        ("list", 0),
        ("scenarios", 0),
        ("init", 0),
        ("lint mm2.properties", 1),
        ("deploy --dry-run", 0),
        ("destroy --lab other", 0),
        ("env --lab none", 3),
        ("topics", 3),
        ("produce --topic t --timeout 1s", 3),
        ("consume --topic t --timeout 1s --verbose", 3),
        ("verify --timeout 1s", 3),
        ("deploy --port nope=2000", 2),
        ("deploy --nope", 2),
        ("topic", 2),
    ] {
        let kmk = lab();
        std::fs::write(kmk.work("mm2.properties"), "a = b\n").unwrap();
        let full = File::options().write(true).open("/dev/full").unwrap();
        kmk.run_into(line, Stdio::piped(), full).code(code);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stdout_is_an_error() {
    for line in [
        "env",
        "logs primary",
        "status",
        "destroy --lab other",
        "deploy --dry-run",
        "--help",
        "help topic",
        "--version",
        "deploy --help",
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ran = lab().run_into(line, full, Stdio::piped()).code(3);
        ran.stderr_has("error: cannot write to standard output\n  caused by: No space left on device (os error 28)\n");
    }
}
