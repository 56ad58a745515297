//! Several MirrorMakers for one target: what is written for them, what is refused, and what a status says when one is gone.

use crate::docker::Docker;
use crate::flags::refused;
use crate::kmk::Kmk;
use indoc::indoc;
use std::fs;

const TWO: &str = "deploy --dry-run --mirrormakers 2";

fn written(kmk: &Kmk, flags: &str) -> [String; 2] {
    kmk.run(flags).code(0);
    ["docker-compose.yml", "mm2.properties"]
        .map(|name| fs::read_to_string(kmk.work(&format!("kmk-lab/{name}"))).unwrap())
}

#[test]
fn exactly_once_is_set_up_for_the_target_and_needs_a_late_enough_kafka() {
    let kmk = Kmk::new();
    let [compose, properties] = written(&kmk, "deploy --dry-run --exactly-once");
    for part in [
        "KMK_WORKER: mm2-secondary\n",
        "kmk.format: '3'\n",
        "\"exactly_once\":true",
    ] {
        assert!(compose.contains(part), "{part}\n{compose}");
    }
    for line in [
        "dedicated.mode.enable.internal.rest = true",
        "listeners = http://:8083",
        "rest.advertised.host.name = ${env:KMK_WORKER}",
        "secondary.exactly.once.source.support = enabled",
        "secondary.producer.transaction.timeout.ms = 10000",
    ] {
        assert!(
            properties.contains(&format!("\n{line}\n")),
            "{line}\n{properties}"
        );
    }
    assert!(!properties.contains("primary.exactly.once"));
    kmk.run("lint kmk-lab/mm2.properties").code(0);
    let [_, properties] = written(&kmk, "deploy --dry-run");
    assert!(!properties.contains("exactly.once"), "{properties}");
    refused(&[(
        "deploy --dry-run --exactly-once --kafka-version 3.4.1",
        "MirrorMaker of cluster `secondary` cannot write exactly once",
    )]);
    fs::write(
        kmk.work("kmk.yml"),
        "clusters:\n  - name: a\n    exactly_once: true\n  - name: b\nflows:\n  - {from: a, to: b}\n",
    )
    .unwrap();
    kmk.run("deploy --dry-run")
        .code(2)
        .stderr_has("kmk.yml:3:19: `exactly_once` is set for cluster `a`, but no flow leads to it");
}

#[test]
fn two_workers_find_each_other_and_one_needs_nobody() {
    let kmk = Kmk::new();
    let [compose, properties] = written(&kmk, TWO);
    for part in [
        "  mm2-secondary-1:\n",
        "  mm2-secondary-2:\n",
        "KMK_WORKER: mm2-secondary-1\n",
        "KMK_WORKER: mm2-secondary-2\n",
        "kmk.format: '2'\n",
        "\"mirrormakers\":2",
    ] {
        assert!(compose.contains(part), "{part}\n{compose}");
    }
    assert!(!compose.contains("  mm2-secondary:\n"));
    assert!(
        !compose.contains("Failed to reconfigure"),
        "a worker whose leader died is not restarted"
    );
    for line in [
        "dedicated.mode.enable.internal.rest = true",
        "listeners = http://:8083",
        "rest.advertised.host.name = ${env:KMK_WORKER}",
        "config.providers = env",
        "primary->secondary.tasks.max = 4",
        "secondary.session.timeout.ms = 6000",
    ] {
        assert!(
            properties.contains(&format!("\n{line}\n")),
            "{line}\n{properties}"
        );
    }
    kmk.run("lint kmk-lab/mm2.properties").code(0);

    for flags in ["deploy --dry-run --mirrormakers 1", "deploy --dry-run"] {
        let [compose, properties] = written(&kmk, flags);
        for part in [
            "  mm2-secondary:\n",
            "kmk.format: '1'\n",
            "Failed to reconfigure",
        ] {
            assert!(compose.contains(part), "{part}\n{compose}");
        }
        assert!(!compose.contains("KMK_WORKER") && !compose.contains("mirrormakers"));
        for part in ["internal.rest", "listeners", "tasks.max"] {
            assert!(!properties.contains(part), "{part}\n{properties}");
        }
    }
}

#[test]
fn each_target_has_its_own_number_and_a_flow_its_own_tasks() {
    let kmk = Kmk::new();
    let flags = "deploy --dry-run --scenario active-active --mirrormakers 2 --mirrormakers west=3";
    let [compose, properties] = written(&kmk, flags);
    assert!(compose.contains("  mm2-east-2:\n") && !compose.contains("  mm2-east-3:\n"));
    assert!(compose.contains("  mm2-west-3:\n"));
    assert!(properties.contains("\nwest->east.tasks.max = 4\n"));
    assert!(properties.contains("\neast->west.tasks.max = 6\n"));

    let file = indoc! {"
        clusters:
          - name: a
          - name: b
            mirrormakers: 2
        flows:
          - from: a
            to: b
            settings: {tasks.max: 12}
    "};
    fs::write(kmk.work("kmk.yml"), file).unwrap();
    let [_, properties] = written(&kmk, "deploy --dry-run --overwrite");
    assert!(properties.contains("\n# As configured, instead of 4.\na->b.tasks.max = 12\n"));
}

#[test]
fn numbers_that_make_no_sense() {
    refused(&[
        ("deploy --mirrormakers 0", "1 to 9 are allowed"),
        ("deploy --mirrormakers 10", "1 to 9 are allowed"),
        ("deploy --mirrormakers secondary=x", "1 to 9 are allowed"),
        (
            "deploy --mirrormakers =2",
            "the cluster name before `=` is missing",
        ),
        (
            "deploy --mirrormakers 2 --mirrormakers 3",
            "error: two numbers of MirrorMakers are set for all clusters\n",
        ),
        (
            "deploy --mirrormakers secondary=2 --mirrormakers secondary=3",
            "error: two numbers of MirrorMakers are set for cluster `secondary`\n",
        ),
        (
            "deploy --mirrormakers 2 --kafka-version 3.4.1",
            "error: cluster `secondary` cannot have 2 MirrorMakers: those of apache/kafka:3.4.1 cannot share the work, which needs Kafka 3.5 (KIP-710)\n  hint: leave --mirrormakers out, or choose a later Kafka\n",
        ),
    ]);
}

#[test]
fn clusters_that_are_no_targets() {
    let kmk = Kmk::new();
    kmk.run("deploy --dry-run --mirrormakers primary=2")
        .code(2)
        .stderr("error: a number of MirrorMakers is set for cluster `primary`, but no flow leads to it: MirrorMakers run next to their target cluster\n");
    kmk.run("deploy --dry-run --mirrormakers secondry=2")
        .code(2)
        .stderr("error: there is no cluster `secondry`\n  hint: did you mean `secondary`?\n");
}

#[test]
fn a_lab_file_says_where_the_number_is_wrong() {
    let kmk = Kmk::new();
    let file = indoc! {"
        clusters:
          - name: a
            mirrormakers: 2
          - name: b
            mirrormakers: 12
        flows:
          - from: a
            to: b
    "};
    fs::write(kmk.work("kmk.yml"), file).unwrap();
    kmk.run("deploy --dry-run").code(2).stderr(indoc! {"
        error: kmk.yml:3:19: a number of MirrorMakers is set for cluster `a`, but no flow leads to it: MirrorMakers run next to their target cluster
        error: kmk.yml:5:19: cluster `b` cannot have 12 MirrorMakers; 1 to 9 are allowed
    "});
}

#[test]
fn services_of_one_name_are_refused() {
    let kmk = Kmk::new();
    let file = indoc! {"
        clusters:
          - name: a
            mirrormakers: 2
          - name: a-1
        flows:
          - {from: a-1, to: a}
          - {from: a, to: a-1}
    "};
    fs::write(kmk.work("kmk.yml"), file).unwrap();
    kmk.run("deploy --dry-run")
        .code(2)
        .stderr_has("error: two services would be called `mm2-a-1`: one for cluster `a`, one for cluster `a-1`\n  hint: give one of the clusters another name\n");
}

#[test]
fn a_status_names_the_worker_that_is_gone() {
    let kmk = Kmk::new();
    let [compose, _] = written(&kmk, TWO);
    let workers = ["mm2-secondary-1", "mm2-secondary-2"];
    let lab = kmk
        .lab()
        .without("mm2-secondary")
        .also(&workers)
        .made_from(&compose)
        .exited("mm2-secondary-2", 137);
    let kmk = kmk.docker(&Docker::works().with(&lab));
    kmk.run("status")
        .code(1)
        .stdout_has("  - container kmk-demo-mm2-secondary-2-1 has exited with code 137\n")
        .stdout_has("degraded: mm2-secondary-2 is not running; the others are\n");
    kmk.run("status --json")
        .code(1)
        .stdout_has("\"state\": \"unhealthy\"");
    let lab = lab.exited("mm2-secondary-1", 137);
    let kmk = kmk.docker(&Docker::works().with(&lab));
    let ran = kmk.run("status").code(1);
    let ran = ran.stdout_has("  - flow primary->secondary: MirrorMaker does not run\n");
    assert!(!ran.text().contains("degraded"));
}
