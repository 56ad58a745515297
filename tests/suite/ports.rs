//! Ports on this machine that are taken late, and ports that kmk chooses itself.

use crate::deploy::{ROLLED_BACK, UP_COMMAND, up_fails};
use crate::docker::{Docker, Rule, UP};
use crate::kmk::Kmk;
use indoc::formatdoc;
use std::net::TcpListener;

#[test]
fn a_port_that_is_taken_at_the_last_moment() {
    let said = [
        "driver failed programming external connectivity: Bind for 127.0.0.1:PORT failed: port is already allocated",
        "failed to bind host port for 127.0.0.1:PORT:172.18.0.2:PORT/tcp: address already in use",
        "Ports are not available: exposing port TCP 127.0.0.1:PORT -> 0.0.0.0:0: listen tcp 127.0.0.1:PORT: bind",
    ];
    for words in said {
        let kmk = Kmk::new();
        let port = kmk.ports()[1];
        let words = format!(
            "Error response from daemon: {}\n",
            words.replace("PORT", &port.to_string())
        );
        let ran = kmk
            .docker(&up_fails(&Kmk::new(), &words))
            .deploy("--quiet")
            .code(3)
            .changed(&ROLLED_BACK);
        ran.stderr(&formatdoc! {"
            error: port $SECONDARY for cluster `secondary` is in use
              hint: choose another with --port secondary={}, or let kmk choose with --any-port
            Rolled back: nothing from this deploy is left.
        ", port + 10_000});
    }
}

#[test]
fn any_port_takes_the_next_free_one() {
    let kmk = Kmk::new().docker(&Docker::works().rule(Rule::on(UP).fails(1, "no\n")));
    // held here, or by a lab that runs on this machine: either way not free
    let _usual = [19092, 19192].map(|port| TcpListener::bind(("127.0.0.1", port)));
    kmk.run("deploy --any-port --keep")
        .code(3)
        .stderr_lacks("in use")
        .changed(&[UP_COMMAND]);
    let compose = std::fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    let ports: Vec<&str> = compose
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- 127.0.0.1:"))
        .collect();
    assert_eq!(ports.len(), 2, "{compose}");
    assert!(
        ports
            .iter()
            .all(|port| !["19092:19092", "19192:19192"].contains(port)),
        "{ports:?}"
    );
}

#[test]
fn any_port_leaves_a_port_that_was_asked_for() {
    let kmk = Kmk::new();
    let _listener = TcpListener::bind(("127.0.0.1", kmk.ports()[0])).unwrap();
    let ran = kmk
        .run("deploy --any-port --port primary=$PRIMARY")
        .code(3)
        .changed(&[]);
    ran.stderr_has("error: port $PRIMARY for cluster `primary` is in use");
}

#[test]
fn any_port_leaves_a_port_to_the_cluster_that_asked_for_it() {
    // the usual one of the other cluster; whether it is free depends on what else runs here
    let kmk = Kmk::new().docker(&Docker::works().rule(Rule::on(UP).fails(1, "no\n")));
    let ran = kmk.run("deploy --any-port --port primary=19192").code(3);
    ran.stderr_lacks("is assigned to both");
}
