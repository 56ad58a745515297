//! The README's table of exit codes, row by row. What needs a broker's answer is told in `tests/e2e/admin.rs`, and each
//! kind of error beside the code that judges it.

use crate::docker::Docker;
use crate::kmk::Kmk;
use std::fs;

/// With a lab of which no broker answers.
fn lab() -> Kmk {
    Kmk::on(|kmk| Docker::works().with(&kmk.lab()))
}

#[track_caller]
fn each(kmk: &Kmk, code: i32, lines: &[&str]) {
    for line in lines {
        kmk.run(line).code(code).stderr_lacks("panicked");
    }
}

#[test]
fn what_is_done_or_shown_is_0() {
    let lines = ["list", "env", "scenarios", "schema", "destroy --lab other"];
    each(&lab(), 0, &lines);
}

#[test]
fn a_lab_that_is_not_healthy_is_a_no() {
    each(&lab(), 1, &["status", "status --json"]);
}

#[test]
fn what_is_not_in_the_lab_is_2() {
    let lines = [
        "env --nope",
        "nope",
        "topic nope",
        "topics --cluster nope",
        "topic describe orders --cluster nope",
        "groups --cluster nope",
        "group delete readers --cluster nope",
        "produce --topic orders --cluster nope",
        "consume --topic orders --cluster nope",
        "lag --flow nope",
        "explain orders --flow nope",
        "verify --flow nope",
        "logs nope",
        "produce --topic orders --file nope",
        "produce --topic or/ders",
        "produce --topic orders --messages none",
        "verify --report nope/report.json",
        "lint nope",
        "deploy --config nope",
        "deploy --scenario nope",
        "deploy --port nope=29092",
    ];
    each(&lab(), 2, &lines);
}

#[test]
fn a_file_that_cannot_be_written_is_2() {
    let kmk = Kmk::new();
    fs::write(kmk.work("file"), "").unwrap();
    each(&kmk, 2, &["init --config file/kmk.yml"]);
}

#[test]
fn where_there_is_nothing_to_work_with_it_is_3() {
    const VERBS: [&str; 12] = [
        "status",
        "env",
        "logs",
        "topics",
        "groups",
        "lag",
        "explain orders",
        "verify",
        "produce --topic orders",
        "consume --topic orders",
        "stop",
        "start",
    ];
    // neither of them is there
    each(&Kmk::new(), 3, &VERBS);
    each(&Kmk::new().without_docker(), 3, &VERBS);
    // nor a broker that answers
    let lines = [
        "topics",
        "topic describe orders",
        "groups",
        "lag",
        "produce --topic orders --timeout 1s",
        "consume --topic orders --timeout 1s",
        "verify --timeout 1s",
    ];
    each(&lab(), 3, &lines);
}
