//! What a status says of parts that docker knows to be ill. What only Kafka knows is for the end-to-end tests.

use crate::docker::Docker;
use crate::kmk::Kmk;
use crate::lab::FakeLab;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::net::TcpListener;

const WORKER: &str = "mm2-secondary";

fn with(change: impl FnOnce(FakeLab) -> FakeLab) -> Kmk {
    Kmk::on(|kmk| Docker::works().with(&change(kmk.lab())))
}

#[test]
fn a_paused_part_is_named_before_what_follows_from_it() {
    let paused = |lab: FakeLab, service: &str| {
        let state = json!({"Status": "paused", "StartedAt": "2026-01-01T00:00:01Z", "FinishedAt": "0001-01-01T00:00:00Z"});
        lab.state(service, state)
    };
    let ran = with(|lab| paused(lab, WORKER)).run("status").code(1);
    ran.stdout_has("  - container kmk-demo-mm2-secondary-1 is paused\n")
        .stdout_has("  - flow primary->secondary: MirrorMaker is paused\n");
    let ran = with(|lab| paused(lab, "primary")).run("status").code(1);
    ran.stdout_has("  - container kmk-demo-primary-1 is paused\n  - cluster primary: broker primary is paused\n")
        .stdout_has("  - flow primary->secondary: cluster primary cannot be reached\n");
}

#[test]
fn a_broker_that_was_out_of_memory_is_told_from_others_that_ended() {
    let out = " (Java was out of memory; `kmk logs primary` shows it)\n";
    let told = |service: &str, code| {
        let kmk = with(|lab| lab.exited(service, code));
        kmk.run("status").code(1)
    };
    told("primary", 3).stdout_has(&format!(
        "  - container kmk-demo-primary-1 has exited with code 3{out}"
    ));
    told("primary", 1).stdout_has("kmk-demo-primary-1 has exited with code 1\n");
    // it has other reasons for it
    told(WORKER, 3).stdout_has("kmk-demo-mm2-secondary-1 has exited with code 3\n");
}

#[test]
fn a_link_that_is_cut_is_named_and_no_record_is_sent_into_it() {
    let kmk = with(|lab| lab.cut(WORKER, "primary"));
    let ran = kmk.run("status").code(1);
    ran.stdout_has("  - flow primary->secondary: the link is cut: MirrorMaker is cut off from the network of cluster primary\n");
    let status: Value = serde_json::from_str(kmk.run("status --json").code(1).text()).unwrap();
    let flow = &status["flows"][0];
    assert_eq!(
        (&flow["canary"], &flow["heartbeat_age_ms"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(flow["state"], "unhealthy");
}

#[test]
fn a_container_with_hardly_a_cpu_is_named_with_what_follows() {
    let starved = with(|lab| lab.nano_cpus("primary", 10_000_000));
    starved.run("status").code(1).stdout_has(
        "cluster primary: primary may use only 0.01 of a CPU; broker primary does not answer: 127.0.0.1:$PRIMARY: ",
    );
    let enough = with(|lab| lab.nano_cpus("primary", 2_000_000_000));
    let ran = enough.run("status").code(1);
    assert!(!ran.text().contains("of a CPU"));
}

#[test]
fn ctrl_c_ends_a_status_that_waits_for_a_silent_broker() {
    let kmk = with(|lab| lab);
    let silent = TcpListener::bind(("127.0.0.1", kmk.ports()[0])).unwrap();
    let running = kmk.start("status");
    let _asked = silent.accept().unwrap();
    running.signal(Signal::INT);
    running
        .finish()
        .code(130)
        .stdout("")
        .stderr_has("error: interrupted\n");
}
