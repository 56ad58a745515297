//! Drills of a flow whose MirrorMaker runs other flows too.

use crate::drill::{FAILOVER, KILL_MIRROR, Lab, docker, report, spec};
use crate::kmk::Kmk;
use crate::mirror::{Habits, Mirror};
use kmk_kafka::testing::FakeBroker;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::Arc;

/// The default lab, to whose secondary a third cluster is mirrored too.
fn spec_with_a_sibling(kmk: &Kmk, third: &FakeBroker) -> Value {
    let mut spec = spec(kmk, "same", &json!({}));
    let third = third.endpoint().to_string();
    spec["clusters"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "third", "brokers": 0, "partitions": 0, "bootstrap": [third]}));
    let flow = json!({"source": "third", "target": "secondary", "naming": "prefix"});
    spec["flows"].as_array_mut().unwrap().push(flow);
    spec
}

#[test]
fn a_flow_that_stops_with_the_one_that_is_drilled_is_named_before_and_after() {
    let third = Arc::new(FakeBroker::start());
    let kmk = Kmk::on(|kmk| {
        let spec = spec_with_a_sibling(kmk, &third);
        let killed = kmk.lab().spec(spec.clone()).format("2");
        let killed = killed.exited("mm2-secondary", 137).rules().into_iter();
        docker(kmk, spec).rules(killed.map(|rule| rule.from(KILL_MIRROR)))
    });
    let mut lab = Lab::on(kmk, Habits::default());
    let clusters = [("third", &third), ("secondary", &lab.secondary)];
    let [source, target] = clusters.map(|(name, broker)| (name, Arc::clone(broker)));
    third.topic("orders", 1, &[]);
    let sibling = RefCell::new(Some(Mirror::start(source, target)));
    let ran = lab.killed(&format!("{FAILOVER} primary:secondary"), |_, _| {
        // its MirrorMaker is the one that was killed
        drop(sibling.take());
        third.append("orders", 0, &[(None, Some("a")), (None, Some("b"))]);
    });
    let ran = ran.code(0).stderr_has(
        "note: the same MirrorMaker also runs third->secondary: it stops with the flow\n",
    );
    let expected = json!({
        "flow": "third->secondary", "stopped": true, "behind": 2, "problem": null,
    });
    assert_eq!(report(&ran)["siblings"], json!([expected]));
}

#[test]
fn a_drill_that_restarts_mirrormaker_names_the_flows_that_stop_with_it() {
    let third = Arc::new(FakeBroker::start());
    let kmk = Kmk::on(|kmk| docker(kmk, spec_with_a_sibling(kmk, &third)));
    let lab = Lab::on(kmk, Habits::default());
    let clusters = [("third", &third), ("secondary", &lab.secondary)];
    let [source, target] = clusters.map(|(name, broker)| (name, Arc::clone(broker)));
    third.topic("orders", 1, &[]);
    let _sibling = Mirror::start(source, target);
    let note = "note: the same MirrorMaker also runs third->secondary: it stops and starts with the flow\n";
    let flags = "primary:secondary --for 1s --rate 300/s";
    let ran = lab.kmk.run(&format!("drill mirrormaker-crash {flags}"));
    ran.code(0).stderr_has(note);
    let ran = lab.kmk.run(&format!("drill link-cut {flags} --timeout 2s"));
    ran.stderr_lacks(note);
}
