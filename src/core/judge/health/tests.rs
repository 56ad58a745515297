//! What is seen, and what is said of it.

use super::*;
use crate::core::judge::culprit::Why;
use proptest::prelude::*;

const CROSSED: CanaryStatus = CanaryStatus::Arrived { micros: 17_000 };
const MISSING: CanaryStatus = CanaryStatus::Missing { millis: 1_502 };
const SYMPTOM: &str = "a record sent 1.5 s ago has not arrived";

fn parts(states: &[(&str, Option<u32>, &str)]) -> BTreeMap<Part, state::Status> {
    let part = |(connector, task, state): &(&str, Option<u32>, &str)| {
        let part = Part {
            connector: (*connector).to_owned(),
            task: *task,
        };
        let trace = (*state != "RUNNING").then(|| "a.B: c\nCaused by: d.E: f".to_owned());
        let state = (*state).to_owned();
        (part, state::Status { state, trace })
    };
    states.iter().map(part).collect()
}

fn well() -> BTreeMap<Part, state::Status> {
    parts(&[(COPIES, None, "RUNNING"), (COPIES, Some(0), "RUNNING")])
}

#[test]
fn a_record_that_crosses_is_health_and_a_running_that_carries_none_is_not() {
    let parts = well();
    let mut seen = Seen {
        parts: Some(&parts),
        canary: Some(&CROSSED),
        ..Seen::default()
    };
    let verdict = judge(&seen);
    assert_eq!(
        (verdict.state, verdict.problems),
        (FlowState::Running, Vec::new())
    );
    seen.canary = Some(&MISSING);
    let verdict = judge(&seen);
    assert_eq!(
        (verdict.state, verdict.problems),
        (FlowState::Unhealthy, vec![SYMPTOM.to_owned()])
    );
}

#[test]
fn a_worker_that_hangs_comes_before_what_follows_from_it() {
    let parts = well();
    let seen = Seen {
        parts: Some(&parts),
        canary: Some(&MISSING),
        life: Life::Silent(Duration::from_millis(4_130)),
        throttled: vec!["mm2-b may use only 0.01 of a CPU".to_owned()],
        ..Seen::default()
    };
    assert_eq!(
        judge(&seen).problems,
        [
            "MirrorMaker has sent no heartbeat for 4.1 s: it hangs, lacks CPU, or has only just started",
            "mm2-b may use only 0.01 of a CPU",
            SYMPTOM
        ]
    );
}

#[test]
fn parts_with_one_fate_stand_in_one_line() {
    let failed = parts(&[
        (COPIES, None, "FAILED"),
        (COPIES, Some(0), "UNASSIGNED"),
        ("MirrorCheckpointConnector", None, "FAILED"),
    ]);
    assert_eq!(
        ailing(&failed),
        [
            "MirrorCheckpointConnector, MirrorSourceConnector are FAILED: d.E: f",
            "MirrorSourceConnector-0 is UNASSIGNED: d.E: f"
        ]
    );
    assert_eq!(
        ailing(&BTreeMap::new()),
        ["MirrorMaker has not reported its MirrorSourceConnector yet"]
    );
}

#[test]
fn what_fails_again_and_again_is_named_while_it_runs_for_a_moment() {
    let parts = well();
    let part = parts.keys().next_back().unwrap();
    let mut seen = Seen {
        parts: Some(&parts),
        failed: vec![(part, Duration::from_secs(3), "too large")],
        canary: Some(&MISSING),
        ..Seen::default()
    };
    let told = "MirrorSourceConnector-0 failed 3.0 s ago, and is restarting: too large";
    assert_eq!(judge(&seen).problems, [told, SYMPTOM]);
    seen.canary = Some(&CROSSED);
    assert_eq!(judge(&seen).state, FlowState::Running);
}

#[test]
fn a_backlog_that_does_not_move_is_no_health_though_a_canary_crosses() {
    let stalled = [Stall {
        topic: "small".to_owned(),
        partitions: vec![0],
        behind: 19_999,
        seconds: 12.0,
        began: None,
        is_sure: true,
    }];
    let culprits = [Culprit {
        topic: "small".to_owned(),
        lab: "two".to_owned(),
        remote: "a.small".to_owned(),
        stops_flow: false,
        why: Why::BatchTooLarge {
            setting: "max.message.bytes",
            takes: 100_000,
            sends: 262_144,
        },
    }];
    let mut seen = Seen {
        canary: Some(&CROSSED),
        stalled: &stalled,
        culprits: &culprits,
        ..Seen::default()
    };
    let verdict = judge(&seen);
    assert_eq!(verdict.state, FlowState::Unhealthy);
    assert_eq!(
        verdict.problems,
        [culprits[0].to_string(), stalled[0].to_string()]
    );
    // one that was only not seen to move is neither known to be ill nor well
    let doubtful = [Stall {
        is_sure: false,
        ..stalled[0].clone()
    }];
    let told = [doubtful[0].to_string()];
    let unsure = judge(&Seen {
        canary: Some(&CROSSED),
        stalled: &doubtful,
        ..Seen::default()
    });
    assert_eq!(unsure.state, FlowState::Running);
    assert_eq!(
        (&unsure.problems[..], &unsure.doubts[..]),
        (&told[..], &told[..])
    );
    // what follows from a link that is cut is not said again
    seen.cut = vec!["cut".to_owned()];
    assert_eq!(judge(&seen).problems, ["cut"]);
}

#[test]
fn a_topic_that_holds_up_the_flow_comes_before_the_silence_that_it_brings() {
    let parts = well();
    let part = parts.keys().next_back().unwrap();
    let culprits = [Culprit {
        topic: "x".to_owned(),
        lab: "two".to_owned(),
        remote: "a.x".to_owned(),
        stops_flow: true,
        why: Why::NameTooLong { length: 253 },
    }];
    let seen = Seen {
        parts: Some(&parts),
        failed: vec![(part, Duration::from_secs(3), "Invalid topics")],
        canary: Some(&MISSING),
        life: Life::Silent(Duration::from_secs(5)),
        culprits: &culprits,
        ..Seen::default()
    };
    let told = culprits[0].to_string();
    assert_eq!(judge(&seen).problems, [told.as_str(), SYMPTOM]);
}

#[test]
fn a_topic_of_mirrormakers_without_its_policy_is_named_before_it_does_harm_and_after() {
    let wrong = |is_vital| NotCompacted {
        lab: "two".to_owned(),
        topic: "mm2-offsets.a.internal".to_owned(),
        policy: "delete".to_owned(),
        is_vital,
        flow: ("a".to_owned(), "b".to_owned()),
    };
    let (vital, other) = (wrong(true), wrong(false));
    let mut seen = Seen {
        canary: Some(&CROSSED),
        policies: vec![&vital],
        ..Seen::default()
    };
    let told = "topic `mm2-offsets.a.internal` has cleanup.policy=delete instead of compact, and with it MirrorMaker does not start: `kmk deploy --lab two` repairs it";
    let verdict = judge(&seen);
    assert_eq!(verdict.state, FlowState::Degraded);
    assert_eq!(verdict.problems, [told]);
    seen.cut = vec!["cut".to_owned()];
    assert_eq!(judge(&seen).problems, [told, "cut"]);
    seen.cut.clear();
    let gone = parts(&[(COPIES, None, "UNASSIGNED")]);
    seen.parts = Some(&gone);
    seen.canary = Some(&MISSING);
    seen.life = Life::Silent(Duration::from_secs(12));
    seen.ended = Some("x.ConfigException");
    let verdict = judge(&seen);
    assert_eq!(verdict.state, FlowState::Unhealthy);
    assert_eq!(verdict.problems, [told, SYMPTOM]);
    seen.policies = vec![&other];
    let other = other.describe();
    assert!(other.contains("MirrorMaker loses what it keeps there"));
    assert_eq!(
        judge(&seen).problems,
        [
            other.as_str(),
            "MirrorMaker exited in a running container and is restarting: x.ConfigException",
            SYMPTOM
        ]
    );
}

#[test]
fn what_follows_from_a_cluster_that_is_gone_is_not_said_again() {
    let unsent = CanaryStatus::NotSent {
        cause: "no".to_owned(),
    };
    let mut seen = Seen {
        canary: Some(&unsent),
        out_of_reach: vec!["a"],
        ..Seen::default()
    };
    assert_eq!(judge(&seen).problems, ["cluster a cannot be reached"]);
    seen.out_of_reach.clear();
    assert_eq!(judge(&seen).problems, ["a record could not be sent: no"]);
}

#[test]
fn slow_is_degraded_unless_something_holds_it_up() {
    let slow = CanaryStatus::Arrived { micros: 1_310_495 };
    let mut seen = Seen {
        canary: Some(&slow),
        ..Seen::default()
    };
    let verdict = judge(&seen);
    assert_eq!(verdict.state, FlowState::Degraded);
    assert_eq!(
        verdict.problems,
        ["records arrive slowly: one took 1.3 s, where 10 to 30 ms are usual"]
    );
    seen.pace = Pace::Blocked;
    assert_eq!(judge(&seen).state, FlowState::Running);
}

#[test]
fn a_broker_is_named_with_what_its_container_does() {
    let paused = ("a-1", Some("is paused".to_owned()), String::new());
    let silent = ("a-2", None, "no answer within 1.5 s".to_owned());
    assert_eq!(
        brokers([paused, silent]).unwrap(),
        "broker a-1 is paused; broker a-2 does not answer: no answer within 1.5 s"
    );
    assert_eq!(brokers([]), None);
}

fn some(words: &'static str) -> impl Strategy<Value = Vec<String>> {
    prop_oneof![Just(Vec::new()), Just(vec![words.to_owned()])]
}

fn canaries() -> impl Strategy<Value = Option<CanaryStatus>> {
    let cause = || "x".to_owned();
    prop_oneof![
        Just(None),
        Just(Some(MISSING)),
        (0u64..3_000_000).prop_map(|micros| Some(CanaryStatus::Arrived { micros })),
        Just(Some(CanaryStatus::NotSent { cause: cause() })),
        Just(Some(CanaryStatus::Unknown { cause: cause() })),
    ]
}

proptest! {
    #[test]
    fn no_fault_is_passed_over_and_none_is_made_up(
        down in proptest::option::of(Just("MirrorMaker does not run".to_owned())),
        absent in some("absent"), cut in some("cut"), orphans in some("orphan"),
        is_reached in any::<bool>(),
        state in prop_oneof![Just("RUNNING"), Just("FAILED"), Just("PAUSED")],
        canary in canaries(),
        silent in proptest::option::of(2_100u64..60_000),
    ) {
        let parts = parts(&[(COPIES, None, "RUNNING"), (COPIES, Some(0), state)]);
        let life = silent.map_or(Life::Unknown, |millis| Life::Silent(Duration::from_millis(millis)));
        let seen = Seen {
            down: down.clone(), absent: absent.clone(), cut: cut.clone(), orphans: orphans.clone(),
            out_of_reach: if is_reached { Vec::new() } else { vec!["a"] },
            parts: Some(&parts), canary: canary.as_ref(), life, ..Seen::default()
        };
        let verdict = judge(&seen);
        let crosses = match &canary {
            None => true,
            Some(CanaryStatus::Arrived { micros }) => !is_slow(*micros, seen.line),
            Some(_) => false,
        };
        let is_well = down.is_none() && absent.is_empty() && cut.is_empty() && orphans.is_empty()
            && is_reached && state == "RUNNING" && crosses && silent.is_none();
        prop_assert_eq!(verdict.problems.is_empty(), is_well);
        prop_assert_eq!(verdict.state == FlowState::Running, is_well);
        // what is seen at the end of the chain stands last
        let symptom = verdict.problems.iter().position(|problem| problem == SYMPTOM);
        if let Some(at) = symptom {
            prop_assert_eq!(at, verdict.problems.len() - 1);
        }
    }
}
