//! A failback whose kmk was killed: run again where that is safe, and refused where it is not.

use crate::failback::{Lab, START_BACK, START_FORWARD, TOPIC, drill, failed, report};
use crate::kmk::Running;
use crate::mirror::Habits;
use rustix::process::Signal;
use serde_json::{Value, json};

/// What the journal says of a failback that began, by that way, and has come so far.
fn begun(by: &str, stage: &str) -> Value {
    let naming = match by {
        "watermark" => "same",
        _ => "prefix",
    };
    let time = |secs: u64| json!({"secs": secs, "nanos": 0});
    let mut drill = drill(naming, "failed-over");
    drill["back"] = json!({
        "is_added": false, "topic": format!("secondary.{TOPIC}"), "stage": stage,
        "what": {"by": by, "replay": false, "rate": 300, "keys": 10, "load": time(1), "keep": false, "timeout": time(60)},
    });
    drill
}

/// Killed at once.
fn killed(running: Running<'_>) {
    running.signal(Signal::KILL);
    drop(running);
}

#[test]
fn a_failback_that_was_killed_is_run_again() {
    let lab = Lab::new();
    let line = "drill failback --load 1s --rate 300 --salvage stranded.jsonl";
    let running = lab.kmk.start(line);
    running.until_called(START_BACK);
    let back = lab.back(Habits::default());
    let home = format!("secondary.{TOPIC}");
    running.until("records are mirrored back", || {
        lab.primary.end(&home, 0) > 5
    });
    killed(running);
    lab.kmk.run("status").code(1).stderr_has(
        "a failback to primary is running, or died; `kmk drill resume` runs it again, `kmk drill abort` takes it back",
    );
    lab.kmk
        .run("drill failback")
        .code(2)
        .stderr_has("`kmk drill resume` completes a failover or failback whose kmk was killed");
    let written = lab.secondary.end(TOPIC, 0) + lab.secondary.end(TOPIC, 1);

    let running = lab.kmk.start("drill resume --json");
    running.until_called(START_FORWARD);
    let resumes = Habits {
        resumes: true,
        ..Habits::default()
    };
    let forward = lab.forward(resumes);
    running.until_called("stop ");
    drop((back, forward));
    running.until_called("start id-demo-mm2-primary id-demo-mm2-secondary");
    let _mirrors = [lab.forward(resumes), lab.back(resumes)];
    let report = report(&running.finish().code(0));
    assert!(failed(&report).is_empty());
    assert_eq!(report["stranded_records"], 6, "none of it was touched");
    let counts = |flow: &str| {
        let counts = ["source", "missing", "surplus", "foreign", "out_of_order"];
        counts.map(|count| report["afterwards"][flow][count].as_u64().unwrap())
    };
    let of = |side: &str| report[side].as_u64().unwrap();
    assert_eq!(
        counts("forward"),
        [26 + of("written_on_source"), 0, 0, 0, 0]
    );
    let before = u64::try_from(written).unwrap();
    assert_eq!(
        counts("back"),
        [before + of("written_on_target"), 0, 0, 0, 0]
    );
    lab.kmk
        .run("drill resume")
        .code(2)
        .stderr_has("has no drill");
}

#[test]
fn what_cannot_be_run_again_is_told_and_nothing_is_touched() {
    let one_fault = {
        let mut drill = drill("prefix", "running");
        drill["name"] = json!("link-cut");
        drill
    };
    let kept = "its failback has ended";
    for (drill, why) in [
        (
            begun("rebuild", "begun"),
            "its failback may have emptied the topic on the source, and can only be taken back",
        ),
        (
            begun("watermark", "switched-back"),
            "its failback had switched back, and can only be taken back",
        ),
        (begun("prefix", "kept"), kept),
        (one_fault, "a drill of one fault can only be taken back"),
    ] {
        let lab = Lab::of(&drill);
        let before = [lab.primary.topics(), lab.secondary.topics()];
        let ran = lab.kmk.run("drill resume").code(2).changed(&[]);
        ran.stderr_has(&format!(
            "error: the drill of flow primary->secondary cannot be resumed: {why}\n"
        ))
        .stderr_has("hint: `kmk drill abort` takes it back");
        assert_eq!([lab.primary.topics(), lab.secondary.topics()], before);
        let told = if why == kept {
            "a failback to primary has ended, and its topics were kept; `kmk drill abort` removes them"
        } else {
            " is running, or died; it cannot be resumed: `kmk drill abort` takes it back"
        };
        lab.kmk.run("status").stderr_has(told);
    }
}

#[test]
fn a_failback_whose_topics_are_gone_can_only_be_taken_back() {
    let lab = Lab::of(&begun("prefix", "back"));
    lab.kmk
        .run(&format!("topic delete --cluster primary --force {TOPIC}"))
        .code(0);
    lab.kmk.run("drill resume").code(2).stderr_has(
        "error: the drill of flow primary->secondary cannot be resumed: its topics are removed already",
    );
}
