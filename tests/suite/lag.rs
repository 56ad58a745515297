//! Lag, and looking again and again, as far as they go without a broker.

use crate::docker::Docker;
use crate::flags::refused;
use crate::kmk::Kmk;
use indoc::indoc;
use rustix::process::Signal;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::thread;

fn lab() -> Kmk {
    Kmk::on(|kmk| Docker::works().with(&kmk.lab()))
}

#[test]
fn flags_that_make_no_sense() {
    refused(&[
        ("lag orders payments", "unexpected argument 'payments'"),
        ("lag orders --topic t", "cannot be used with"),
        ("lag --topic=", "--topic <TOPIC>"),
        ("lag --max many", "invalid value 'many' for '--max <N>'"),
        ("lag --max=-1", "invalid value '-1' for '--max <N>'"),
        ("lag --max-age 3", "time unit needed"),
        ("lag --max 0 --watch", "cannot be used with '--watch'"),
        ("lag --timeout 0s", "it must be longer than zero"),
        ("lag --every 2s", "--watch"),
        ("status --every 2s", "--watch"),
        ("status --watch --every 0s", "it must be longer than zero"),
    ]);
}

#[test]
fn a_lab_or_a_flow_that_is_not_there() {
    Kmk::new().run("lag").code(3).stdout("").stderr(indoc! {"
        error: there is no lab `demo`
          hint: `kmk deploy` starts it
    "});
    for watch in ["", " --watch"] {
        lab()
            .run(&format!("lag --flow primary->secondry{watch}"))
            .code(2)
            .stdout("")
            .stderr(indoc! {"
                error: there is no flow `primary->secondry`
                  hint: did you mean `primary->secondary`?
            "});
    }
}

#[test]
fn brokers_that_cannot_be_reached() {
    for flags in ["", " --json", " --topic orders", " --max 0"] {
        let ran = lab()
            .run(&format!("lag --timeout 2s{flags}"))
            .code(3)
            .stdout("")
            .changed(&[]);
        ran.stderr_has(
            "error: no Kafka broker can be reached: 127.0.0.1:$PRIMARY: Connection refused",
        )
        .stderr_has("hint: `kmk status` shows the lab's health");
    }
}

/// Reads so many lines of what is watched, and goes away.
fn read_and_go(kmk: &Kmk, line: &str, lines: usize) -> Vec<String> {
    let (reader, writer) = std::io::pipe().unwrap();
    thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let lines = BufReader::new(reader).lines().take(lines);
            lines.map(Result::unwrap).collect()
        });
        kmk.run_into(line, writer, Stdio::piped()).code(0);
        reading.join().unwrap()
    })
}

#[test]
fn what_is_watched_is_lines_where_there_is_no_terminal_until_the_reader_goes() {
    let kmk = lab();
    let lines = read_and_go(&kmk, "status --watch --every 20ms", 3);
    assert_eq!(lines.len(), 3);
    for line in lines {
        assert!(line.starts_with("time=2"), "{line}");
        let rest = " flow=primary->secondary state=unhealthy in=- out=- behind=- seconds=- lost=0 canary_ms=- tasks=- problem=";
        assert!(line.contains(rest), "{line}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
}

#[test]
fn what_is_watched_as_json_is_an_object_a_line() {
    for line in read_and_go(&lab(), "status --watch --every 20ms --json", 2) {
        let status: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(status["lab"], "demo");
        assert!(status["flows"][0]["seconds_behind"].is_null());
    }
}

#[test]
fn watching_ends_with_ctrl_c() {
    let kmk = lab();
    let running = kmk.start("status --watch --every 60s");
    running.until_called("container inspect");
    running.signal(Signal::INT);
    running.finish().code(130).stderr("");
}
