//! Sums of lag, and a MirrorMaker in miniature whose lag is known.

use super::super::judge::{Ends, Facts, Replica, begins_later};
use super::*;
use kmk_kafka::message::Record;
use proptest::prelude::*;

const NOW: i64 = 1_000_000;

/// A flow of one topic, with these first offsets, ends and positions.
pub(in crate::core::judge::lag) fn flow(partitions: &[(i64, i64, Option<i64>)]) -> FlowLag {
    let partition = |(number, &(first, end, position)): (i32, &(i64, i64, Option<i64>))| {
        let source = Ends { first, end };
        let copy = Replica::There(Ends { first: 0, end });
        let facts = Facts {
            source,
            position,
            copy,
        };
        PartitionLag::new(number, &facts, &facts.outlook(), None, NOW)
    };
    let partitions: Vec<_> = (0..).zip(partitions).map(partition).collect();
    let count = partitions.len();
    let topic = TopicLag::new(("t", "a.t"), TopicState::Mirrored, count, partitions);
    FlowLag::new(("a", "b"), vec![topic])
}

fn one(left: Range<i64>, seen: impl Into<Option<Seen>>) -> PartitionLag {
    let source = Ends {
        first: 0,
        end: left.end,
    };
    let facts = Facts {
        source,
        position: None,
        copy: Replica::Unknown,
    };
    let outlook = Outlook {
        left,
        lost: 0,
        is_suspicion: false,
        never_copied: 0,
        is_of_another: false,
    };
    PartitionLag::new(0, &facts, &outlook, seen.into(), NOW)
}

fn seen(records: u64, reached: i64, oldest: Option<i64>) -> Seen {
    Seen {
        records,
        reached,
        oldest,
        is_stamped: true,
    }
}

#[test]
fn a_mark_at_the_end_is_no_record() {
    let lag = one(10..11, seen(0, 11, None));
    assert_eq!(
        (lag.behind, lag.exact, lag.seconds_behind),
        (0, true, Some(0.0))
    );
}

#[test]
fn what_was_not_looked_at_is_counted_by_its_offsets() {
    let lag = one(10..110, seen(40, 60, Some(NOW - 2_500)));
    assert_eq!(
        (lag.behind, lag.exact, lag.seconds_behind),
        (90, false, Some(2.5))
    );
    let lag = one(10..110, None);
    assert_eq!(
        (lag.behind, lag.exact, lag.seconds_behind),
        (100, false, None)
    );
    let lag = one(10..10, None);
    assert_eq!(
        (lag.behind, lag.exact, lag.seconds_behind),
        (0, true, Some(0.0))
    );
}

#[test]
fn records_without_a_time_have_no_age_and_those_of_tomorrow_none_yet() {
    assert_eq!(one(0..5, seen(5, 5, Some(-1))).seconds_behind, None);
    assert_eq!(
        one(0..5, seen(5, 5, Some(NOW + 9))).seconds_behind,
        Some(0.0)
    );
}

#[test]
fn the_oldest_record_of_all_gives_a_flow_its_age() {
    let topic = |name: &str, time: i64| {
        let lag = one(0..5, seen(5, 5, Some(time)));
        TopicLag::new((name, name), TopicState::Mirrored, 1, vec![lag])
    };
    let topics = vec![
        topic("a", NOW - 1_000),
        topic("b", -1),
        topic("c", NOW - 3_000),
    ];
    let flow = FlowLag::new(("x", "y"), topics);
    assert_eq!((flow.behind, flow.seconds_behind), (Some(15), Some(3.0)));
    let flow = FlowLag::new(("x", "y"), vec![topic("b", -1)]);
    assert_eq!((flow.behind, flow.seconds_behind), (Some(5), None));
    let flow = FlowLag::new(("x", "y"), vec![]);
    assert_eq!((flow.behind, flow.seconds_behind), (Some(0), Some(0.0)));
}

#[test]
fn a_partition_without_a_leader_is_named() {
    let topic = TopicLag::new(("t", "a.t"), TopicState::Mirrored, 2, vec![one(0..0, None)]);
    let flow = FlowLag::new(("a", "b"), vec![topic]);
    assert_eq!(
        flow.problem.as_deref(),
        Some("partitions that do not answer: t")
    );
    let topic = TopicLag::new(("t", "a.t"), TopicState::Excluded, 2, vec![]);
    assert_eq!(FlowLag::new(("a", "b"), vec![topic]).problem, None);
}

#[test]
fn what_was_known_before_is_kept_with_its_age() {
    let second = Duration::from_secs(1);
    let known = flow(&[(0, 630, None)]);
    let unknown = || FlowLag::unknown(("a", "b"), "a does not answer".to_owned());
    let mut first = unknown();
    first.remember(&known, second * 2);
    let mut later = unknown();
    later.remember(&first, second * 3);
    assert_eq!(later.behind, None);
    let kept = LastKnown {
        behind: 630,
        seconds_behind: known.seconds_behind,
        age: 5.0,
    };
    assert_eq!(later.last_known, Some(kept));
    let mut again = flow(&[(0, 630, None)]);
    again.remember(&later, second);
    assert_eq!(again.last_known, None, "what is seen needs no memory");
    let mut never = unknown();
    never.remember(&unknown(), second);
    assert_eq!(never.last_known, None);
}

/// What happens to a partition and its copy.
#[derive(Debug, Clone)]
enum Happens {
    /// This many records are written to the source.
    Produced(u8),
    /// A transaction ends, or a record is compacted away: an offset without a record.
    Gap,
    /// MirrorMaker copies up to this many records.
    Copied(u8),
    /// It commits its position.
    PositionCommitted,
    /// It is killed, and starts again from its note.
    Killed,
    /// The source removes what MirrorMaker has committed, up to this many offsets.
    Expired(u8),
    /// The copy is deleted, and recreated if MirrorMaker lives.
    CopyDeleted,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (1u8..20).prop_map(Happens::Produced),
        2 => Just(Happens::Gap),
        4 => (1u8..20).prop_map(Happens::Copied),
        3 => Just(Happens::PositionCommitted),
        1 => Just(Happens::Killed),
        1 => (1u8..10).prop_map(Happens::Expired),
    ]
}

/// A partition of the source, its copy, and MirrorMaker between them.
#[derive(Debug, Default)]
struct Model {
    first: i64,
    /// Whether there is a record at each offset from 0 on.
    source: Vec<bool>,
    /// The source's offsets, in the order in which they came.
    copy: Vec<i64>,
    next: i64,
    position: Option<i64>,
}

impl Model {
    fn end(&self) -> i64 {
        i64::try_from(self.source.len()).unwrap()
    }

    fn is_record(&self, offset: i64) -> bool {
        self.source[usize::try_from(offset).unwrap()]
    }

    fn step(&mut self, what: &Happens) {
        match what {
            Happens::Produced(count) => self.source.extend(vec![true; (*count).into()]),
            Happens::Gap => self.source.push(false),
            Happens::Copied(count) => {
                for _ in 0..*count {
                    self.next = self.next.max(self.first);
                    while self.next < self.end() && !self.is_record(self.next) {
                        self.next += 1;
                    }
                    if self.next < self.end() {
                        self.copy.push(self.next);
                        self.next += 1;
                    }
                }
            }
            Happens::PositionCommitted => {
                self.position = self.copy.last().copied().or(self.position);
            }
            Happens::Killed => self.next = self.position.map_or(0, |position| position + 1),
            Happens::Expired(count) => {
                let up_to = self.position.map_or(0, |position| position + 1);
                self.first = (self.first + i64::from(*count)).min(up_to).max(self.first);
            }
            Happens::CopyDeleted => self.copy.clear(),
        }
    }

    fn records(&self, offsets: Range<i64>) -> Vec<i64> {
        offsets.filter(|&offset| self.is_record(offset)).collect()
    }

    /// The lag, when the first `seen` offsets of what is left are looked at.
    fn lag(&self, looked: i64) -> PartitionLag {
        let source = Ends {
            first: self.first,
            end: self.end(),
        };
        let copy = Replica::There(Ends {
            first: 0,
            end: i64::try_from(self.copy.len()).unwrap(),
        });
        let facts = Facts {
            source,
            position: self.position,
            copy,
        };
        let mut outlook = facts.outlook();
        let first = self.records(self.first..self.end()).first().copied();
        let sample = |offset, of: i64| Record::sample(offset, of, &of.to_string());
        // what is first there, whatever it is, as of a topic that is not compacted
        let at = first.unwrap_or(self.first);
        let first = first.map(|offset| sample(offset, offset));
        let copied = self.copy.first().map(|&of| sample(0, of));
        if outlook.is_suspicion && !begins_later((at, first.as_ref()), (0, copied.as_ref())) {
            outlook.lost = 0;
        }
        let left = outlook.left.clone();
        let reached = left.start.saturating_add(looked).min(left.end);
        let there = self.records(left.start..reached);
        let seen = Seen {
            records: there.len() as u64,
            reached,
            oldest: there.first().copied(),
            is_stamped: true,
        };
        PartitionLag::new(0, &facts, &outlook, Some(seen), NOW)
    }
}

proptest! {
    #[test]
    fn the_lag_is_what_is_not_noted_as_copied(history in proptest::collection::vec(happens(), 0..40), looked in 0i64..400) {
        let mut model = Model::default();
        for what in &history {
            model.step(what);
        }
        let next = model.position.map_or(0, |position| position + 1).max(model.first);
        let truly = model.records(next..model.end());
        let lag = model.lag(looked);
        if lag.exact {
            prop_assert_eq!(lag.behind, truly.len() as u64);
            let age = truly.first().map_or(0, |time| NOW - time);
            prop_assert_eq!(lag.seconds_behind, Some(super::seconds(age)));
        } else {
            prop_assert!(lag.behind >= truly.len() as u64);
        }
        // every record that is not left is on the target, so none is lost
        prop_assert_eq!(lag.lost, 0, "{:?}", model);
        prop_assert!(model.records(model.first..next).iter().all(|one| model.copy.contains(one)));
        // once all is committed, what is left is what the target lacks
        model.step(&Happens::PositionCommitted);
        let lacking = |one: &&i64| !model.copy.contains(one);
        let all = model.records(model.first..model.end());
        let (behind, lacking) = (model.lag(i64::MAX).behind, all.iter().filter(lacking).count() as u64);
        // a record that is mirrored again is a duplicate
        let repeats = history.iter().any(|what| matches!(what, Happens::Killed));
        prop_assert!(behind == lacking || repeats && behind > lacking, "{behind} of {lacking}: {model:?}");
    }

    #[test]
    fn a_deleted_copy_is_missed(
        before in proptest::collection::vec(happens(), 1..20),
        after in proptest::collection::vec(happens(), 0..10),
    ) {
        let mut model = Model::default();
        let deleted = [Happens::Copied(u8::MAX), Happens::PositionCommitted, Happens::CopyDeleted];
        for what in before.iter().chain(&deleted) {
            model.step(what);
        }
        // one that is killed repeats records, and repeated ones may hide lost ones
        let quiet = |what: &&Happens| !matches!(what, Happens::Killed);
        for what in after.iter().filter(quiet) {
            model.step(what);
        }
        model.step(&Happens::PositionCommitted);
        let next = model.position.map_or(0, |position| position + 1).max(model.first);
        let missing = model.records(model.first..next);
        let missing = missing.iter().filter(|one| !model.copy.contains(one)).count() as u64;
        let lag = model.lag(i64::MAX);
        prop_assert!(lag.lost >= missing, "{missing} are missing: {lag:?} {model:?}");
        prop_assert_eq!(lag.lost > 0, missing > 0, "{:?} {:?}", lag, model);
    }
}
