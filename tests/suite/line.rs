//! `kmk link show` measures lines that have relays, and says no number where it cannot.

use crate::relays::Linked;
use crate::toxiproxy::{FakeLine, Slow};
use indoc::indoc;
use kmk_kafka::message::to_millis;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, SystemTime};

const MS: Duration = Duration::from_millis(1);

/// A lab whose line does this, whatever is asked of it.
fn lab_with(asked: &str, slow: Slow) -> (Linked, FakeLine) {
    let lab = Linked::with(asked);
    let first = lab.kmk.ports()[0];
    let line = FakeLine::start(first + 11, first, slow);
    lab.kmk.run("deploy").code(0);
    (lab, line)
}

fn delay(time: Duration) -> Slow {
    Slow {
        delay: time,
        rate: None,
    }
}

/// Of the only link.
fn told(lab: &Linked, flags: &str) -> Value {
    let ran = lab.kmk.run(&format!("link show --json {flags}")).code(0);
    let told: Value = serde_json::from_str(ran.text()).unwrap();
    told["links"][0].clone()
}

#[test]
fn the_round_trip_is_measured_and_stands_beside_what_was_asked() {
    let (lab, line) = lab_with("rtt=400ms", delay(200 * MS));
    let shown = lab.kmk.run("link show").code(0);
    shown
        .stderr("")
        .stdout_has("ROUND TRIP")
        .stdout_has("(asked: 400ms)  not measured (asked: none)");
    let shown = told(&lab, "");
    assert_eq!(shown["asked"], json!({"rtt": "400ms"}));
    let measured = &shown["measured"];
    let rtt = measured["rtt_ms"].as_f64().unwrap();
    assert!((400.0..460.0).contains(&rtt), "{rtt}");
    assert_eq!(
        (
            &measured["rate_kbit"],
            &measured["unknown"],
            &measured["connections"]
        ),
        (&Value::Null, &Value::Null, &json!(1))
    );
    line.becomes(delay(260 * MS));
    lab.kmk
        .run("link show")
        .code(0)
        .stderr_has("warning: a round trip of primary->secondary takes <time> instead of <time>; other load on this machine may be the reason\n");
    // a relay without its shape is the reason, and is named
    line.becomes(Slow::default());
    lab.relay.restart();
    let shown = lab.kmk.run("link show").code(0);
    shown.stderr_has("takes <time> instead of <time>\n").stderr_has(
        "warning: relay link-primary-secondary has lost its shape: it was restarted, and passes nothing on\n",
    );
    // what others ask of the link costs no measurement
    for verb in ["status", "lag", "list"] {
        assert!(
            !lab.kmk
                .run(&format!("{verb} --json"))
                .text()
                .contains("\"measured\"")
        );
    }
}

#[test]
fn the_rate_is_measured_by_records_that_are_not_mirrored() {
    let slow = Slow {
        delay: Duration::ZERO,
        rate: Some(1_250_000),
    };
    let (lab, line) = lab_with("rate=10mbit", slow);
    let shown = lab.kmk.run("link show --load").code(0);
    // on a busy machine with a warning too: less than the line carries
    shown
        .stdout_has(" mbit/s (asked: 10mbit)")
        .stderr_has(indoc! {"
        Measuring the rate of primary->secondary ...
        ✓ Measured the rate of primary->secondary (<time>)
    "});
    for broker in &lab.brokers {
        let topics = broker.topics();
        assert!(
            !topics.iter().any(|(name, _)| name.contains("load")),
            "{topics:?}"
        );
    }
    line.becomes(Slow {
        rate: Some(600_000),
        ..slow
    });
    let shown = told(&lab, "--load");
    let kbit = shown["measured"]["rate_kbit"].as_f64().unwrap();
    assert!((1_000.0..4_900.0).contains(&kbit), "{kbit}");
    let warning = shown["measured"]["warnings"][0].as_str().unwrap();
    assert!(
        warning.starts_with("a connection of primary->secondary carries ")
            && warning.contains(" mbit/s instead of 10.0 mbit/s; other load"),
        "{warning}"
    );
}

#[test]
fn on_a_line_with_a_rate_a_topic_stalls_only_once_a_fetch_had_the_time_to_arrive() {
    for (line, stalls) in [("rtt=0ms", true), ("rtt=0ms,rate=64kbit", false)] {
        let Linked {
            kmk,
            brokers,
            _mirror: mirror,
            ..
        } = &Linked::with(line);
        kmk.run("deploy").code(0);
        for broker in brokers {
            broker.set_clock(to_millis(SystemTime::now()) - 60_000);
        }
        let [source, target] = brokers;
        source.topic("orders", 1, &[]);
        source.append("orders", 0, &[(None, Some("one"))]);
        let is_mirrored = |topic: &(String, usize)| topic.0 == "primary.orders";
        while !target.topics().iter().any(is_mirrored) || target.end("primary.orders", 0) == 0 {
            std::thread::yield_now();
        }
        let _held = mirror.hold();
        source.append("orders", 0, &[(None, Some("two"))]);
        let stalled = || {
            let lag: Value = serde_json::from_str(kmk.run("lag --json").text()).unwrap();
            lag["flows"][0]["stalled"].as_array().unwrap().clone()
        };
        if stalls {
            while stalled().is_empty() {}
        } else {
            // 1 MiB needs 131 s
            assert_eq!(stalled(), Vec::<Value>::new());
        }
    }
}

#[test]
fn what_a_killed_measurement_left_is_no_topic_of_the_lab_and_a_deploy_removes_it() {
    let (lab, _line) = lab_with("rtt=0ms", Slow::default());
    let left = |lab: &Linked| {
        let topics = lab.brokers[0].topics();
        topics
            .iter()
            .any(|topic| topic.0 == "kmk-link-load.internal")
    };
    lab.brokers[0].topic("kmk-link-load.internal", 1, &[]);
    lab.kmk
        .run("status")
        .code(0)
        .stdout_has("primary    1/1      0  ");
    let topics = lab.kmk.run("topics").code(0);
    assert!(
        !topics.text().contains("kmk-link-load"),
        "{}",
        topics.text()
    );
    assert!(left(&lab));
    lab.kmk.run("deploy").code(0).stderr_has(
        "note: removed topic kmk-link-load.internal of primary, left behind by a measurement that was killed\n",
    );
    assert!(!left(&lab));
    lab.kmk.run("deploy").code(0).stderr_lacks("kmk-link-load");
}

#[test]
fn a_line_that_gives_no_answer_has_no_number() {
    let (lab, _line) = lab_with("rtt=80ms,rate=1mbit", Slow::default());
    lab.brokers[0].go_down();
    let shown = lab.kmk.run("link show --load").code(0);
    shown
        .stdout_has("unknown (asked: 80ms)  not measured (asked: 1mbit)")
        .stderr_has(
            "note: the line of primary->secondary was not measured: no answer comes through relay link-primary-secondary: ",
        );
    assert_eq!(told(&lab, "")["measured"]["rtt_ms"], Value::Null);
    // without what listens there, the relay's own words
    let lab = Linked::new();
    lab.kmk.run("link show").code(0).stdout_has("unknown (asked: 80ms)").stderr_has(
        "note: the line of primary->secondary was not measured: relay link-primary-secondary has lost its shape: it was restarted, and passes nothing on\n",
    );
}

#[test]
fn what_tcp_would_do_to_a_long_line_is_said_where_it_is_asked_for() {
    let (lab, _line) = lab_with("rtt=80ms,rate=100mbit", delay(40 * MS));
    let said = "on a real line of 80ms, a consumer of primary->secondary gets at most 6.6 mbit/s through a connection, not 100.0 mbit/s";
    lab.kmk
        .run("deploy")
        .code(0)
        .stderr_has(&format!("note: {said}"));
    lab.kmk
        .run("link show")
        .code(0)
        .stderr_has(&format!("warning: {said}"));
    lab.kmk
        .run("link set --rtt 10ms --rate 100mbit")
        .code(0)
        .stderr_has(
            "Set `source.consumer.receive.buffer.bytes` of the flow to 125000 or more, or to -1",
        );
    let short = lab.kmk.run("link set --rtt 10ms --rate 10mbit").code(0);
    short.stderr_lacks("real line");
}

#[test]
fn a_report_says_what_was_asked_of_the_line_and_what_was_measured() {
    let told = |lab: &Linked| -> Value {
        lab.kmk.run("verify --messages 10 --report r.json").code(0);
        let text = fs::read_to_string(lab.kmk.work("r.json")).unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        let made = &told["provenance"];
        let mut services = made["services"].as_array().unwrap().iter();
        let relay = services.find(|one| one["service"] == "link-primary-secondary");
        assert_eq!(relay.unwrap()["kafka"], Value::Null, "a relay is no Kafka");
        made["links"][0].clone()
    };
    let (lab, _line) = lab_with("rtt=80ms,rate=100mbit", delay(40 * MS));
    let shown = told(&lab);
    assert_eq!(shown["asked"], "rtt=80ms,rate=100mbit");
    let measured = shown["measured"].as_str().unwrap();
    assert!(measured.starts_with("round trip "), "{measured}");
    // nobody listens where it would be measured
    let lab = Linked::new();
    lab.kmk.run("deploy").code(0);
    assert_eq!(told(&lab)["measured"], Value::Null);
}
