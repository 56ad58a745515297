//! Several MirrorMakers share the tasks of a target: one is killed, the other takes up what it had, nothing is missing.

use crate::engine::docker;
use crate::kcat::CROSSING;
use crate::lab::Lab;
use crate::process::{PATIENCE, Running, until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

const PARTITIONS: usize = 12;
const RECORDS: usize = 24_000;
const WORKERS: [&str; 2] = ["mm2-secondary-1", "mm2-secondary-2"];

#[test]
#[ignore = "needs Docker"]
fn two_mirrormakers_share_twelve_partitions_and_one_takes_over_when_the_other_dies() {
    let lab = Lab::deployed("workers", "--mirrormakers 2 --partitions 12");
    lab.kmk(&format!("topic create orders --partitions {PARTITIONS}"))
        .code(0);
    let mut sent = BTreeSet::new();
    let records = |from: usize, to: usize| (from..to).map(|n| format!("{n:06}"));
    let text = |from, to| records(from, to).collect::<Vec<_>>().join("\n") + "\n";
    sent.extend(records(0, RECORDS));
    lab.primary().produce("orders", &text(0, RECORDS));
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);
    assert_eq!(lab.secondary().topics()["primary.orders"], PARTITIONS);

    until("both copy", PATIENCE, || {
        (copiers(&flow(&lab)) == BTreeSet::from(WORKERS.map(str::to_owned))).then_some(())
    });
    let status = lab.kmk("status --verbose").code(0).prints("WORKER");
    println!("{}", status.text());

    // records go on coming while one dies
    fs::write(lab.home.path().join("lines"), text(RECORDS, 2 * RECORDS)).unwrap();
    sent.extend(records(RECORDS, 2 * RECORDS));
    let before = lab.primary().end("orders");
    let running = lab.start("produce --topic orders --file lines --rate 3000/s --quiet");
    lab.primary().until_it_is_past("orders", before, PATIENCE);
    docker(&format!("kill {}", lab.container(WORKERS[1])));
    let killed = Instant::now();
    lab.kmk("status")
        .code(1)
        .prints("mm2-secondary-2-1 has exited with code 137")
        .prints("degraded: mm2-secondary-2 is not running; the others are");
    lab.primary()
        .produce("orders", &text(2 * RECORDS, 3 * RECORDS));
    sent.extend(records(2 * RECORDS, 3 * RECORDS));
    let alone = until("the other has taken up its work", PATIENCE, || {
        let flow = flow(&lab);
        (flow["state"] == "degraded" && copiers(&flow).len() == 1).then_some(flow)
    });
    println!(
        "  MEASURED {:.1} s until the other had taken up the work",
        killed.elapsed().as_secs_f64()
    );
    assert_eq!(copiers(&alone), BTreeSet::from([WORKERS[0].to_owned()]));
    running.finish().code(0);
    lab.kmk("status")
        .code(1)
        .prints("Lab `e2e-workers`: DEGRADED");

    assert_eq!(lab.primary().values("orders").len(), sent.len());
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);
    let arrived = lab.secondary().values("primary.orders").len();
    println!(
        "  MEASURED {} records sent, {arrived} arrived: none is missing, {} came twice",
        sent.len(),
        arrived - sent.len()
    );

    let repaired = Instant::now();
    lab.deploy("")
        .code(0)
        .prints("Lab `e2e-workers` is repaired");
    println!(
        "  MEASURED {:.1} s for a deploy to bring it back",
        repaired.elapsed().as_secs_f64()
    );
    until("both copy again", Duration::from_secs(30), || {
        (copiers(&flow(&lab)).len() == 2).then_some(())
    });
    lab.kmk("status").code(0).prints("healthy");

    println!("of the dead nothing runs, whatever was said last");
    let mut running = lab.start("status --watch --every 200ms");
    let says =
        |running: &Running, part: &str| String::from_utf8_lossy(&running.stdout()).contains(part);
    running.until("tasks run", |running| says(running, " state=running "));
    assert!(!says(&running, " tasks=0/"));
    for worker in WORKERS {
        docker(&format!("kill {}", lab.container(worker)));
    }
    running.until("none runs", |running| {
        says(running, " tasks=0/") && says(running, " problem=MirrorMaker does not run")
    });
    running.interrupt();
    assert_eq!(running.finish().code(130).stderr, "");

    // one again: the service has its old name, and the others are gone
    let changed = "is updated and replicates";
    let gone = "Recreated: mm2-secondary. Removed: mm2-secondary-1, mm2-secondary-2.";
    lab.deploy("--mirrormakers 1")
        .code(0)
        .prints(changed)
        .prints(gone);
    let services: Vec<String> = lab.ids().into_keys().collect();
    assert_eq!(services, ["mm2-secondary", "primary", "secondary"]);
    lab.kmk("status").code(0);
}

/// What `kmk status` says of the flow.
fn flow(lab: &Lab) -> Value {
    let status = lab.kmk("status --json").json();
    status["flows"][0].clone()
}

/// The workers that have a task that copies.
fn copiers(flow: &Value) -> BTreeSet<String> {
    let parts = flow["connectors"].as_array().unwrap().iter();
    let tasks =
        parts.filter(|part| part["connector"] == "MirrorSourceConnector" && part["task"].is_u64());
    let workers = tasks.map(|task| task["worker"].as_str().unwrap_or_default().to_owned());
    workers.collect()
}
