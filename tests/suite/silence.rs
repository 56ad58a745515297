//! Something that takes connections and never answers is not waited for past the deadline.

use crate::docker::Rule;
use crate::docker::{Docker, UP};
use crate::kmk::Kmk;
use indoc::indoc;
use rustix::process::Signal;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// Holds the port of the first cluster: connections wait in its queue for ever.
fn silent(kmk: &Kmk) -> TcpListener {
    TcpListener::bind(("127.0.0.1", kmk.ports()[0])).unwrap()
}

const LINES: [&str; 3] = [
    "produce --topic t --bootstrap 127.0.0.1:$PRIMARY",
    "consume --topic t --bootstrap 127.0.0.1:$PRIMARY",
    "consume --topic t --bootstrap 127.0.0.1:$PRIMARY --messages 3",
];

#[test]
fn a_silent_broker_is_given_up_at_the_deadline() {
    for line in LINES {
        let kmk = Kmk::new();
        let _broker = silent(&kmk);
        let begun = Instant::now();
        let ran = kmk
            .run(&format!("{line} --timeout 1s"))
            .code(3)
            .stdout("")
            .stderr_lacks("panicked");
        ran.stderr_has("127.0.0.1:$PRIMARY");
        assert!(
            begun.elapsed() < Duration::from_secs(4),
            "{line} took {:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn the_whole_wait_is_told_and_not_only_the_last_attempt() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()));
    let _broker = silent(&kmk);
    // longer than one greeting may take
    kmk.run("topics --cluster primary --timeout 5500ms")
        .code(3)
        .stdout("")
        .stderr(indoc! {"
            error: no Kafka broker can be reached: 127.0.0.1:$PRIMARY: no answer within <time> (tried for <time>)
              hint: `kmk status` shows the lab's health; `kmk deploy` repairs it
        "});
}

#[test]
fn ctrl_c_ends_the_wait_for_a_silent_broker() {
    for line in LINES {
        let kmk = Kmk::new();
        let broker = silent(&kmk);
        let running = kmk.start(&format!("{line} --timeout 60s"));
        let _connection = broker.accept().unwrap();
        let begun = Instant::now();
        running.signal(Signal::INT);
        running
            .finish()
            .code(130)
            .stdout("")
            .stderr_has("error: interrupted\n");
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{line} took {:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn status_does_not_wait_long_for_a_silent_broker() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()));
    let _broker = silent(&kmk);
    let begun = Instant::now();
    let ran = kmk
        .run("status")
        .code(1)
        .stdout_has("Lab `demo`: NOT HEALTHY")
        .stdout_has("cluster primary: broker primary does not answer: 127.0.0.1:$PRIMARY: no answer within <time>\n")
        .stdout_has("flow primary->secondary: cluster primary cannot be reached\n")
        .stdout_has("primary    0/1");
    assert!(
        !ran.text().contains("could not be sent"),
        "a cause is said once"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "status took {:?}",
        begun.elapsed()
    );
}

#[test]
fn groups_are_looked_for_elsewhere_within_the_time_that_is_allowed() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()));
    let _brokers = kmk
        .ports()
        .map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
    let begun = Instant::now();
    kmk.run("groups --timeout 4s").code(3).stdout("");
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "groups took {:?}",
        begun.elapsed()
    );
}

#[test]
fn ctrl_c_is_heard_though_another_broker_refused_before() {
    for line in ["groups", "topics"] {
        let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()));
        let broker = TcpListener::bind(("127.0.0.1", kmk.ports()[1])).unwrap();
        let running = kmk.start(&format!("{line} --timeout 60s"));
        let _connection = broker.accept().unwrap();
        running.signal(Signal::INT);
        running
            .finish()
            .code(130)
            .stdout("")
            .stderr("error: interrupted\n");
    }
}

#[test]
fn a_deploy_with_a_silent_broker_ends_at_its_deadline() {
    // the lab's own container holds its port before
    let kmk = Kmk::on(|kmk| {
        Docker::works()
            .with(&kmk.lab())
            .rule(Rule::on(UP))
            .rule(Rule::on("logs *"))
    });
    let _broker = silent(&kmk);
    let begun = Instant::now();
    let ran = kmk.deploy("--timeout 4s").code(3).stdout("");
    ran.stderr_has(
        "error: broker primary of cluster `primary` does not answer: not within <time>; last seen: ",
    )
    .stderr_has("The lab existed before and is kept");
    assert!(
        begun.elapsed() < Duration::from_secs(9),
        "deploy took {:?}",
        begun.elapsed()
    );
}
