//! Links that are half-open: what their relays are told, and what every verb says of them.

use crate::link::{journal, link};
use crate::relays::{Linked, SHAPED};
use indoc::indoc;
use serde_json::{Value, json};

/// What a relay does to a line that is slow, and half-open.
fn half_open() -> Vec<String> {
    let held =
        ["upstream", "downstream"].map(|stream| format!(r#"timeout {stream} {{"timeout":0}}"#));
    let mut toxics: Vec<String> = SHAPED.map(str::to_owned).to_vec();
    toxics.extend(held);
    toxics
}

/// In the order that the fake has, whose directions are not apart.
fn sorted(mut toxics: Vec<String>) -> Vec<String> {
    toxics.sort();
    toxics
}

const HALF_OPEN: &str = "the link is half-open (`kmk link cut --half-open` <time> ago)";
const RESTORES: &str = "; `kmk link heal primary:secondary` restores it\n";

#[test]
fn a_relay_is_told_to_pass_nothing_on_and_every_verb_says_so() {
    let Linked {
        kmk,
        relay,
        brokers,
        _mirror,
    } = &Linked::new();
    brokers[0].topic("orders", 1, &[]);
    brokers[0].append("orders", 0, &[(None, Some("one"))]);
    kmk.run("deploy").code(0);
    relay.changes();
    kmk.run("link cut --half-open").code(0).changed(&[]).stdout(
        "The link primary->secondary is half-open: connections of MirrorMaker to primary stay open, and nothing passes.\n",
    ).stderr_has("✓ Told link-primary-secondary to keep connections open, and to pass nothing on");
    // what is there stays: no connection is dropped
    assert_eq!(relay.changes(), ["POST proxies/primary/toxics"; 2]);
    assert_eq!(sorted(relay.toxics("primary")), sorted(half_open()));
    let cut = journal(kmk)["links"]["primary->secondary"]["cut"].clone();
    assert_eq!(cut["half_open"], true);

    kmk.run("status")
        .code(1)
        .stdout_has(&format!("flow primary->secondary: {HALF_OPEN}{RESTORES}"))
        .stderr_has("hint: `kmk link heal primary:secondary` restores the link;");
    kmk.run("lag")
        .code(0)
        .stdout_has(&format!("  - {HALF_OPEN}{RESTORES}"));
    kmk.run("explain orders")
        .code(1)
        .stdout_has(HALF_OPEN)
        .stdout_has("  do: kmk link heal primary:secondary\n");
    kmk.run("list")
        .code(0)
        .stderr_has(&format!("note: demo: {HALF_OPEN}{RESTORES}"));
    kmk.run("link show").code(0).stdout(indoc! {"
        FLOW                LINK       ROUND TRIP             RATE
        primary->secondary  half-open  unknown (asked: 80ms)  not measured (asked: 100mbit)  by `kmk link cut --half-open` <time> ago
    "});
    for (line, code) in [("status", 1), ("lag", 0)] {
        let link = link(kmk, line, code);
        assert_eq!(
            (&link["state"], &link["cut_off"], &link["cut"]["half_open"]),
            (&json!("half_open"), &json!([]), &json!(true)),
            "{line}"
        );
    }
    kmk.run("list --json")
        .code(0)
        .stdout_has("\"state\": \"half_open\"");

    // nothing else is done to it meanwhile
    relay.changes();
    for line in ["link cut", "link set --rtt 9ms"] {
        kmk.run(line).code(2).changed(&[]).stdout("").stderr(
            "error: the link primary->secondary is half-open: it must be restored first\n  hint: `kmk link heal primary:secondary` restores it\n",
        );
    }
    kmk.run("link cut --half-open --quiet")
        .code(0)
        .stdout_has("The link primary->secondary is already half-open: ");
    assert!(relay.changes().is_empty());
    assert_eq!(journal(kmk)["links"]["primary->secondary"]["cut"], cut);

    kmk.run("link heal")
        .code(0)
        .changed(&[])
        .stdout("The link primary->secondary is restored and replicates, after <time>.\n")
        .stderr_has("✓ Told link-primary-secondary how slow to be");
    let removed = ["upstream", "downstream"]
        .map(|stream| format!("DELETE proxies/primary/toxics/kmk-timeout-{stream}"));
    assert_eq!(relay.changes(), removed);
    assert_eq!(relay.toxics("primary"), SHAPED);
    assert_eq!(journal(kmk)["links"], Value::Null);
    kmk.run("status").code(0);
}

#[test]
fn a_relay_that_was_restarted_is_not_called_half_open_and_is_made_so_again() {
    let Linked {
        kmk,
        relay,
        _mirror,
        ..
    } = &Linked::new();
    kmk.run("deploy").code(0);
    kmk.run("link cut --half-open").code(0);
    let stays = "note: primary->secondary stays half-open (`kmk link cut --half-open` <time> ago)";
    for verb in ["deploy", "start"] {
        relay.restart();
        let not_so = "the link should be half-open (`kmk link cut --half-open` <time> ago), but is not, or only in part; `kmk link heal";
        kmk.run("status")
            .code(1)
            .stdout_has(not_so)
            .stdout_has("relay link-primary-secondary has lost its shape: it was restarted");
        kmk.run("lag").stdout_has(not_so);
        kmk.run("link show")
            .code(0)
            .stdout_has("partly cut  unknown");
        let again = kmk.run(verb).code(0);
        let again = again.stderr_has(&format!("{stays}{RESTORES}"));
        again
            .stderr_has("to pass nothing on")
            .stdout_has("its brokers answer (primary->secondary stays half-open)");
        assert_eq!(sorted(relay.toxics("primary")), sorted(half_open()));
        kmk.run("status").code(1).stdout_has(HALF_OPEN);
    }
}

#[test]
fn a_relay_that_is_paused_is_asked_too() {
    let state = json!({"Status": "paused"});
    let Linked {
        kmk,
        relay,
        _mirror,
        ..
    } = &Linked::of("rtt=80ms,rate=100mbit", |lab| {
        lab.state("link-primary-secondary", state.clone())
    });
    kmk.run("link cut --half-open").code(0);
    kmk.run("link heal").code(0);
    assert_eq!(relay.toxics("primary"), SHAPED);
}

#[test]
fn a_relay_that_does_not_pass_records_on_again_is_not_called_restored() {
    let Linked {
        kmk,
        relay,
        _mirror,
        ..
    } = &Linked::new();
    kmk.run("deploy").code(0);
    kmk.run("link cut --half-open").code(0);
    relay.keeps(true);
    kmk.run("link heal").code(3).stdout("").stderr_has(
        "error: relay link-primary-secondary was told what to do, but it does latency upstream",
    );
    kmk.run("status").code(1).stdout_has(HALF_OPEN);
    relay.keeps(false);
    kmk.run("link cut --half-open --for 200ms")
        .code(0)
        .stdout_has("The link primary->secondary is restored and replicates, after <time>.\n")
        .stderr_has("Keeping the link half-open for <time> ...");
    assert_eq!(relay.toxics("primary"), SHAPED);
    kmk.run("status").code(0);
}
