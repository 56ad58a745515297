//! What is looked at before a drill begins, and what is said of it.

use crate::docker::{Docker, Rule};
use crate::drill::{Lab, docker, report, spec};
use crate::kmk::Kmk;
use crate::mirror::Habits;
use serde_json::json;

#[test]
fn a_half_open_link_needs_a_relay() {
    let lab = Lab::new();
    lab.kmk
        .run("drill failover --fault half-open")
        .code(2)
        .changed(&[])
        .stderr(
            "error: flow primary->secondary has no relay, which could keep connections open while nothing passes\n  hint: `kmk link set primary:secondary --rtt 0ms` adds one without delay; records are kept\n",
        );
}

#[test]
fn what_does_not_fit_is_told_all_at_once() {
    let flow = json!({"topics": ["orders"], "settings": {"sync.group.offsets.enabled": "false"}});
    let kmk = Kmk::on(|kmk| docker(kmk, spec(kmk, "prefix", &flow)));
    let ran = kmk.run("drill failover --rate 1").code(2).changed(&[]);
    let ran = ran.stderr_has("does not replicate topic `kmk-drill-");
    let ran = ran.stderr_has("sync.group.offsets.enabled=false");
    let ran = ran.stderr_has("at 1 records per second");
    // nobody answers either
    let ran = ran.stderr_has("error: cluster primary is not healthy: ");
    ran.stderr_has("error: cluster secondary is not healthy: ");
    let ran = kmk.run("drill failover a:b").code(2);
    ran.stderr_has("error: there is no flow `a->b`");
}

#[test]
fn a_cluster_that_kmk_did_not_create_is_neither_killed_nor_stopped() {
    let kmk = Kmk::on(|kmk| {
        let mut spec = spec(kmk, "prefix", &json!({}));
        spec["clusters"][0] = json!({"name": "primary", "brokers": 0, "partitions": 0, "bootstrap": ["a.example:9092"]});
        docker(kmk, spec)
    });
    for line in ["drill failover", "drill cycle", "drill link-cut"] {
        let ran = kmk.run(line).code(2).changed(&[]);
        ran.stderr_has("error: primary is an existing cluster: ");
    }
}

#[test]
fn a_lab_that_is_stopped_is_not_drilled() {
    let kmk = Kmk::on(|kmk| {
        let lab = kmk.lab().spec(spec(kmk, "prefix", &json!({})));
        let services = ["primary", "secondary", "mm2-secondary"].into_iter();
        let stopped = services.fold(lab, |lab, service| lab.exited(service, 0));
        Docker::works().with(&stopped).rule(Rule::on("logs *"))
    });
    let ran = kmk.run("drill failover").code(3).changed(&[]);
    ran.stderr_has("error: lab `demo` is stopped");
}

#[test]
fn a_flow_that_loses_its_source_with_the_one_that_is_drilled_is_named() {
    let lab = Lab::on(
        Kmk::on(|kmk| {
            let mut spec = spec(kmk, "same", &json!({}));
            let other = json!({"name": "edge", "brokers": 0, "partitions": 0, "bootstrap": ["a.example:9092"]});
            spec["clusters"].as_array_mut().unwrap().push(other);
            let flow = json!({"source": "primary", "target": "edge", "naming": "same"});
            spec["flows"].as_array_mut().unwrap().push(flow);
            docker(kmk, spec)
        }),
        Habits::default(),
    );
    let ran = lab.kmk.run("drill failover primary:secondary --dry-run");
    ran.code(0)
        .changed(&[])
        .stdout_has("primary->edge loses its source too");
}

#[test]
fn a_flow_that_is_not_healthy_is_not_drilled() {
    // nobody answers
    let kmk = Kmk::on(|kmk| docker(kmk, spec(kmk, "prefix", &json!({}))));
    let ran = kmk.run("drill failover").code(1).changed(&[]);
    ran.stderr_has("error: cluster primary is not healthy");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let lab = Lab::new();
    let ran = lab
        .kmk
        .run("drill failover --dry-run --planned")
        .code(0)
        .changed(&[]);
    let ran =
        ran.stdout_has("A failover of primary->secondary would:\n  1. create topic `kmk-drill-");
    ran.stdout_has(
        "  4. stop the producer, and check that no mirrored topic grows for 3 s
  5. wait until every mirrored topic is copied \
         and the groups are synced
  6. stop MirrorMaker
",
    );
    assert_eq!(
        lab.secondary
            .topics()
            .iter()
            .filter(|(name, _)| name.contains("drill"))
            .count(),
        0
    );
}

#[test]
fn flags_that_make_no_sense() {
    crate::flags::refused(&[
        (
            "drill failover --planned --fault kill",
            "cannot be used with",
        ),
        ("drill failover --groups busy", "invalid value 'busy'"),
        ("drill failover --keys 0", "must be a number from 1"),
        ("drill failover primary-", "took `>` for a redirection"),
        ("drill failover --warm-up 0s", "it must be longer than zero"),
    ]);
}

#[test]
fn a_flow_that_is_not_healthy_and_topics_that_are_missing_are_told_together() {
    let mut lab = Lab::new();
    lab.mirror = None;
    let ran = lab.kmk.run("drill failover --observe orders --timeout 5s");
    let ran = ran.code(2).changed(&[]);
    ran.stderr_has("error: flow primary->secondary is not healthy: ")
        .stderr_has("error: cluster primary does not have topic `orders`");
    let ran = lab.kmk.run("drill failover --timeout 5s").code(1);
    ran.changed(&[])
        .stderr_has("error: flow primary->secondary is not healthy: ");
}

#[test]
fn groups_of_a_kind_that_mirrormaker_does_not_sync_are_named() {
    let lab = Lab::new();
    lab.primary.group("checkout", "share");
    lab.primary.topic("orders", 1, &[]);
    lab.primary.commit("billing", "orders", 0, 0);
    let ran = lab.kmk.run("drill failover --dry-run").code(0);
    let ran = ran.stdout_has("note: MirrorMaker does not sync group `checkout`, a share group\n");
    assert!(!ran.text().contains("billing"), "{}", ran.text());
}

#[test]
fn a_decision_that_takes_its_time_is_a_part_of_rto() {
    let lab = Lab::new();
    let line = "drill failover --planned --warm-up 100ms --decide 700ms --json";
    let report = report(&lab.kmk.run(line).code(0));
    let rto = &report["rto"];
    let parts = rto["parts"].as_array().unwrap();
    let seconds = |part: &serde_json::Value| part["seconds"].as_f64().unwrap();
    let decided = parts.iter().find(|part| part["name"] == "decided").unwrap();
    assert!((0.7..1.2).contains(&seconds(decided)), "{rto:#}");
    let sum: f64 = parts.iter().map(seconds).sum();
    assert!((sum - seconds(rto)).abs() < 1e-6, "{rto:#}");
}
