//! A member against a coordinator that says what its script says.

use super::*;
use crate::consumer::member::{Asked, Scripted};
use crate::protocol::consumer_protocol::{read_assignment, subscription};
use crate::wait::Interrupt;
use bytes::Bytes;
use proptest::prelude::*;

const SHORT: Timing = Timing {
    session: Duration::from_secs(10),
    rebalance: Duration::from_secs(60),
    heartbeat: Duration::from_millis(5),
};

fn limit() -> Limit {
    Limit::new(Duration::from_secs(60), &Interrupt::default())
}

fn member(of: &Scripted) -> Membership {
    let bootstrap = [of.endpoint.clone()];
    Membership::timed(&bootstrap, "g", "t", SHORT, &limit()).unwrap()
}

/// Polls until something has changed.
fn next(member: &mut Membership) -> MemberState {
    let limit = limit();
    loop {
        limit.check(|| "nothing new".to_owned()).unwrap();
        match member.poll(&limit) {
            Ok(MemberState::Waiting | MemberState::Steady) => {}
            Ok(news) => return news,
            Err(error) => assert!(error.is_retriable(), "{error}"),
        }
    }
}

fn assigned(partitions: &[i32]) -> MemberState {
    MemberState::Assigned(partitions.iter().copied().collect())
}

fn six() -> Scripted {
    Scripted::start(6)
}

fn joins(scripted: &Scripted) -> Vec<String> {
    let heard = scripted.script().heard.clone();
    let joins = heard.into_iter().filter_map(|asked| match asked {
        Asked::Join { member } => Some(member),
        _ => None,
    });
    joins.collect()
}

#[test]
fn who_is_alone_gets_all_and_leaves_by_name() {
    let scripted = six();
    let mut member = member(&scripted);
    assert_eq!(member.committer(), None);
    assert_eq!(next(&mut member), assigned(&[0, 1, 2, 3, 4, 5]));
    let me = member.committer().unwrap().clone();
    assert_eq!((me.member.as_str(), me.generation), ("m1", 1));
    assert_eq!(joins(&scripted), ["", "m1"]);
    member.leave(&limit()).unwrap();
    assert_eq!(member.committer(), None);
    assert!(scripted.script().heard.contains(&Asked::Leave));
}

#[test]
fn a_member_leaves_though_its_connection_has_died() {
    let scripted = six();
    let mut member = member(&scripted);
    next(&mut member);
    // whether a heartbeat or the leaving meets it
    scripted.script().breaks = 2;
    member.leave(&limit()).unwrap();
    assert!(scripted.script().heard.contains(&Asked::Leave));
}

#[test]
fn who_leaves_before_it_is_let_in_is_forgotten_too() {
    let scripted = six();
    let mut member = member(&scripted);
    member.leave(&limit()).unwrap();
    assert_eq!(scripted.script().heard, [], "nobody knows it yet");
    while joins(&scripted).len() < 2 {
        member.poll(&limit()).unwrap();
    }
    member.leave(&limit()).unwrap();
    assert!(scripted.script().heard.contains(&Asked::Leave));
}

#[test]
fn a_connection_that_has_died_unnoticed_is_no_trouble() {
    let scripted = six();
    let mut member = member(&scripted);
    scripted.script().breaks = 1;
    let limit = limit();
    while member.poll(&limit).unwrap() == MemberState::Waiting {
        limit.check(String::new).unwrap();
    }
    // a second one is
    scripted.broker.refuse("Heartbeat", &[27]);
    while member.poll(&limit).unwrap() != MemberState::Revoked {
        limit.check(String::new).unwrap();
    }
    scripted.script().breaks = usize::MAX;
    let error = loop {
        if let Err(error) = member.poll(&limit) {
            break error;
        }
    };
    assert!(error.is_retriable(), "{error}");
}

#[test]
fn a_leader_shares_out_for_all_even_for_one_who_makes_no_sense() {
    let scripted = six();
    let mad = Bytes::from_static(b"\0\0\x7f\xff\xff\xff");
    for (id, words) in [
        ("other", subscription("t")),
        ("elsewhere", subscription("no such topic")),
        ("mad", mad),
    ] {
        scripted.broker.other("g", id, words);
    }
    assert_eq!(next(&mut member(&scripted)), assigned(&[0, 1, 2]));
    let heard = scripted.script().heard.clone();
    let shares = heard.iter().find_map(|asked| match asked {
        Asked::Sync { shares } => Some(shares.clone()),
        _ => None,
    });
    let shares = shares.unwrap().into_iter().map(|(member, share)| {
        let share = read_assignment(&share).unwrap();
        (member, share.get("t").cloned().unwrap_or_default())
    });
    let shares: Vec<(String, Vec<i32>)> = shares.collect();
    let told = |member: &str, partitions: &[i32]| (member.to_owned(), partitions.to_vec());
    assert_eq!(
        shares,
        [
            told("elsewhere", &[]),
            told("m1", &[0, 1, 2]),
            told("mad", &[]),
            told("other", &[3, 4, 5])
        ]
    );
}

#[test]
fn who_does_not_lead_takes_what_it_is_given() {
    let given = b"\0\x01\0\0\0\x02\0\x01s\0\0\0\x01\0\0\0\x09\0\x01t\0\0\0\x02\0\0\0\x04\0\0\0\x01\xff\xff\xff\xff";
    let scripted = six();
    scripted.broker.lead("g", "another");
    scripted.script().given = Some(Bytes::from_static(given));
    assert_eq!(next(&mut member(&scripted)), assigned(&[1, 4]));

    // nothing at all is no partitions
    scripted.script().given = Some(Bytes::new());
    assert_eq!(next(&mut member(&scripted)), assigned(&[]));
}

#[test]
fn a_member_commits_its_offsets_before_a_rebalance() {
    let scripted = six();
    let mut member = member(&scripted);
    next(&mut member);
    scripted.broker.refuse("Heartbeat", &[27, 27, 27]);
    assert_eq!(next(&mut member), MemberState::Revoked);
    let me = member.committer().unwrap();
    assert_eq!((me.member.as_str(), me.generation), ("m1", 1));
    assert_eq!(next(&mut member), assigned(&[0, 1, 2, 3, 4, 5]));
    let me = member.committer().unwrap();
    assert_eq!((me.member.as_str(), me.generation), ("m1", 2));
    assert_eq!(joins(&scripted), ["", "m1", "m1"]);
}

#[test]
fn a_member_that_was_thrown_out_comes_back_as_another() {
    for (code, name) in [(25, "m2"), (82, "m2"), (22, "m1")] {
        let scripted = six();
        let mut member = member(&scripted);
        next(&mut member);
        scripted.broker.refuse("Heartbeat", &[code]);
        assert_eq!(next(&mut member), MemberState::Lost);
        assert_eq!(member.committer(), None, "it has no say");
        assert_eq!(next(&mut member), assigned(&[0, 1, 2, 3, 4, 5]));
        let me = member.committer().unwrap();
        assert_eq!((me.member.as_str(), me.generation), (name, 2));
    }
}

#[test]
fn a_commit_that_is_refused_tells_the_same() {
    let scripted = six();
    let mut member = member(&scripted);
    next(&mut member);
    let refused = |code| KafkaError::check(code, || "commit".to_owned()).unwrap_err();
    assert!(!member.is_out(&refused(28)));
    assert!(member.committer().is_some());
    assert!(member.is_out(&refused(25)));
    assert_eq!(member.committer(), None);
    scripted.broker.expel("g", "m1");
    assert_eq!(next(&mut member), assigned(&[0, 1, 2, 3, 4, 5]));
}

#[test]
fn whoever_is_slow_between_polls_hears_that_it_is_called() {
    let scripted = six();
    let mut member = member(&scripted);
    assert!(!member.is_rebalancing());
    next(&mut member);
    scripted.broker.refuse("Heartbeat", &[27]);
    let limit = limit();
    while !member.is_rebalancing() {
        limit.check(String::new).unwrap();
    }
    assert!(member.committer().is_some(), "it may still commit");
    assert_eq!(next(&mut member), MemberState::Revoked);
    assert!(!member.is_rebalancing(), "it has been told");
}

#[test]
fn heartbeats_go_on_for_whoever_is_in() {
    let scripted = six();
    let mut member = member(&scripted);
    next(&mut member);
    // one is lost with its connection, another finds the coordinator loading: the next one gets through
    scripted.script().breaks = 1;
    scripted.broker.refuse("Heartbeat", &[14]);
    let limit = limit();
    let beats = || {
        let heard = scripted.script().heard.clone();
        let mine = Asked::Heartbeat {
            member: "m1".to_owned(),
            generation: 1,
        };
        heard.iter().filter(|asked| **asked == mine).count()
    };
    while beats() < 5 {
        limit.check(String::new).unwrap();
        assert_eq!(member.poll(&limit).unwrap(), MemberState::Steady);
    }
}

#[test]
fn a_refusal_that_joining_again_does_not_heal_is_told() {
    for code in [23, 26, 30, 81] {
        let scripted = six();
        scripted.broker.refuse("JoinGroup", &[0, code]);
        let mut member = member(&scripted);
        let limit = limit();
        let error = loop {
            if let Err(error) = member.poll(&limit) {
                break error;
            }
        };
        assert_eq!(error.code().map(crate::Code::number), Some(code));
        assert!(!error.is_retriable());
    }
}

#[test]
fn words_that_make_no_sense_are_no_assignment() {
    let scripted = six();
    scripted.script().given = Some(Bytes::from_static(b"\0\0\x7f\xff\xff\xff"));
    let mut member = member(&scripted);
    let limit = limit();
    let error = loop {
        if let Err(error) = member.poll(&limit) {
            break error;
        }
    };
    assert!(matches!(error, KafkaError::Garbled { .. }), "{error}");
}

#[test]
fn an_interruption_ends_the_wait() {
    let scripted = six();
    let mut member = member(&scripted);
    let interrupt = Interrupt::default();
    let limit = Limit::endless(&interrupt);
    interrupt.raise();
    let ended = (0..9).find_map(|_| member.poll(&limit).err());
    assert!(matches!(
        ended,
        Some(KafkaError::Stopped(Stop::Interrupted))
    ));
}

fn any_codes() -> impl Strategy<Value = Vec<i16>> {
    let code = proptest::sample::select(vec![0, 0, 0, 14, 15, 16, 22, 25, 27, 79]);
    proptest::collection::vec(code, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever goes wrong for a while, in the end the member is in, and what it holds is of the last generation.
    #[test]
    fn who_is_refused_for_a_while_gets_in_in_the_end(
        join in any_codes(), sync in any_codes(), heartbeat in any_codes(), find in any_codes(), breaks in 0usize..3
    ) {
        let find = find.into_iter().filter(|code| (14..=16).contains(code)).collect();
        let heartbeat = heartbeat.into_iter().filter(|&code| code != 79).collect();
        let scripted = six();
        let apis = ["JoinGroup", "SyncGroup", "Heartbeat", "FindCoordinator"];
        for (api, codes) in apis.into_iter().zip([join, sync, heartbeat, find]) {
            scripted.broker.refuse(api, &codes);
        }
        scripted.script().breaks = breaks;
        let mut member = member(&scripted);
        let limit = limit();
        let mut holds = None;
        let is_over = || scripted.broker.pending("Heartbeat") == 0 && scripted.script().breaks == 0;
        loop {
            limit.check(|| format!("{:?}", scripted.script())).unwrap();
            match member.poll(&limit) {
                Ok(MemberState::Assigned(partitions)) => holds = Some(partitions),
                Ok(MemberState::Revoked | MemberState::Lost) => holds = None,
                Ok(MemberState::Steady) if is_over() => break,
                Ok(_) => {}
                Err(error) => prop_assert!(error.is_retriable(), "{}", error),
            }
            prop_assert!(holds.is_none() || member.committer().is_some());
        }
        prop_assert_eq!(holds, Some((0..6).collect()));
    }
}
