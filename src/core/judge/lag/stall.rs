//! Decides whether MirrorMaker's position in a topic is stalled: does not advance while records wait.

use super::report::PartitionLag;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// How long a position does not advance before that is said, besides what MirrorMaker takes to commit it.
const SUSPICIOUS: Duration = Duration::from_secs(3);
/// The same where MirrorMaker is busy with other partitions.
const BUSY: Duration = Duration::from_secs(15);

/// A topic some of whose records wait, and MirrorMaker does not come to them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stall {
    /// On the source.
    pub topic: String,
    /// The partitions in which the position does not advance.
    pub partitions: Vec<i32>,
    /// Records of these that are not copied.
    pub behind: u64,
    /// For at least this many seconds.
    pub seconds: f64,
    /// MirrorMaker started this many seconds ago, and may not have come so far yet; none where it has run for longer, or
    /// fails and begins again and again.
    #[serde(rename = "started_seconds_ago")]
    pub began: Option<f64>,
    /// Whether it is stalled. If not, the position was not seen to advance for that time, and since when is unknown.
    #[serde(rename = "certain")]
    pub is_sure: bool,
}

/// What a look over some time shows of a position that has not moved meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// How long a record was seen waiting.
    pub seen: Duration,
    /// What MirrorMaker may take to find the partition, and to note how far it is.
    pub patience: Duration,
    /// Whether MirrorMaker works off other partitions of the flow.
    pub is_busy: bool,
}

/// A position that is stalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// For so long at least.
    pub time: Duration,
    /// Whether it was seen for long enough.
    pub is_sure: bool,
}

/// When something last changed, each how long ago.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Since {
    /// MirrorMaker's position in the partition; none before it committed one.
    pub moved: Option<Duration>,
    /// MirrorMaker's beginning to run.
    pub began: Option<Duration>,
}

impl PartitionLag {
    /// Whether the position seems stalled, and is to be watched.
    pub fn is_suspicious(&self, since: Since, patience: Duration) -> bool {
        self.stood(since) > Some(SUSPICIOUS + patience)
    }

    /// Whether it is stalled, after it was watched. How long a record has waited tells only the broker's time: one that was
    /// written just now may have any other.
    pub fn stands(&self, since: Since, watch: Watch) -> Option<Standing> {
        let stood = self.stood(since)?;
        let long = BUSY + watch.patience;
        // one that has only begun to run works off the others first
        let was_its_turn = stood >= long && since.began.is_none_or(|began| began >= long);
        if watch.is_busy && !was_its_turn {
            return None;
        }
        if self.tells_its_age() {
            return Some(Standing {
                time: stood,
                is_sure: true,
            });
        }
        Some(Standing {
            time: stood.min(watch.seen),
            is_sure: !watch.is_busy && watch.seen >= watch.patience.max(SUSPICIOUS),
        })
    }

    /// Whether how long a record has waited is told by a broker, and not in the future.
    pub fn tells_its_age(&self) -> bool {
        self.is_stamped && self.seconds_behind > Some(0.0)
    }

    /// How long the position has stood still while a record waited, by the times that are known, and however long MirrorMaker
    /// has run; none where no record is known to wait.
    fn stood(&self, since: Since) -> Option<Duration> {
        let is_seen = self.exact || self.seconds_behind.is_some();
        if self.behind == 0 || !is_seen {
            return None;
        }
        // a record's time in the future says nothing of how long it waits
        let waits = self.seconds_behind.filter(|seconds| *seconds > 0.0);
        let waits = waits.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let times = [waits, since.moved];
        times.into_iter().flatten().min().or(since.began)
    }
}

impl Stall {
    /// Whether it is worth a word where nothing is found that holds it up: even where it is not certain, a record was seen waiting
    /// for long.
    pub(super) fn is_seen(&self) -> bool {
        self.is_sure || self.seconds >= SUSPICIOUS.as_secs_f64()
    }

    /// Whether MirrorMaker has only just started.
    pub fn is_beginning(&self) -> bool {
        self.began.is_some()
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = if self.behind == 1 {
            "record"
        } else {
            "records"
        };
        write!(
            f,
            "topic `{}`: {} {records} behind, ",
            self.topic, self.behind
        )?;
        match self.began {
            None if self.is_sure => write!(
                f,
                "and MirrorMaker's position has not moved for {:.1} s",
                self.seconds
            ),
            None => write!(
                f,
                "and MirrorMaker's position has not been seen to move for {:.1} s; unknown since when",
                self.seconds
            ),
            Some(began) => write!(
                f,
                "and MirrorMaker, which started {began:.1} s ago, has not reached them yet"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge::{Ends, Facts, Replica};
    use super::super::report::{FlowLag, Seen};
    use super::*;
    use crate::core::judge::culprit::{Culprit, Why};

    const NOW: i64 = 1_000_000;

    /// Of offsets 10 to 20, in which this many records were seen, the first of that age.
    fn lag(records: u64, reached: i64, millis: Option<i64>) -> PartitionLag {
        let facts = Facts {
            source: Ends { first: 0, end: 20 },
            position: Some(9),
            copy: Replica::There(Ends { first: 0, end: 10 }),
        };
        let outlook = facts.outlook();
        let seen = Seen {
            records,
            reached,
            oldest: millis.map(|millis| NOW - millis),
            is_stamped: true,
        };
        PartitionLag::new(0, &facts, &outlook, Some(seen), NOW)
    }

    fn since(moved: Option<u64>, began: Option<u64>) -> Since {
        Since {
            moved: moved.map(Duration::from_secs),
            began: began.map(Duration::from_secs),
        }
    }

    #[test]
    fn it_stands_since_the_later_of_the_record_and_the_move() {
        let stood = |lag: &PartitionLag, moved, began| {
            lag.stood(since(moved, began)).map(|time| time.as_secs())
        };
        let waits = lag(10, 20, Some(7_000));
        assert_eq!(stood(&waits, Some(60), Some(90)), Some(7));
        assert_eq!(stood(&waits, Some(2), Some(90)), Some(2));
        assert_eq!(stood(&waits, None, None), Some(7));
        // without a time, or with one of the year 2100
        for odd in [lag(10, 20, None), lag(10, 20, Some(-1_000))] {
            assert_eq!(stood(&odd, Some(60), Some(90)), Some(60));
            assert_eq!(stood(&odd, None, Some(90)), Some(90));
        }
    }

    #[test]
    fn offsets_without_records_do_not_wait() {
        let marks = lag(0, 20, None);
        assert_eq!(
            (marks.behind, marks.stood(since(Some(60), None))),
            (0, None)
        );
        // what was not looked at may hold none
        let unseen = lag(0, 12, None);
        assert_eq!((unseen.behind, unseen.exact), (8, false));
        assert_eq!(unseen.stood(since(Some(60), None)), None);
    }

    #[test]
    fn an_old_time_of_a_new_record_makes_no_stall() {
        let long = 600;
        let old = |is_stamped| PartitionLag {
            is_stamped,
            ..lag(10, 20, Some(600_000))
        };
        let stands = |lag: &PartitionLag, seen, is_busy| {
            let watch = Watch {
                seen: Duration::from_secs(seen),
                patience: Duration::from_millis(200),
                is_busy,
            };
            told(lag, since(Some(long), Some(long)), watch)
        };
        // the broker's time is as good as a look that long
        assert_eq!(stands(&old(true), 2, false), Some((long, true)));
        assert_eq!(stands(&old(true), 2, true), Some((long, true)));
        assert_eq!(stands(&old(false), 2, false), Some((2, false)));
        assert_eq!(stands(&old(false), 3, false), Some((3, true)));
        // it has been the turn of others for long
        assert_eq!(stands(&old(false), 3, true), Some((3, false)));
        assert_eq!(stands(&old(false), 2, true), Some((2, false)));
        for odd in [lag(10, 20, None), lag(10, 20, Some(-1_000))] {
            assert_eq!(stands(&odd, 2, false), Some((2, false)));
        }
        assert_eq!(stands(&lag(10, 20, Some(5_000)), 2, true), None);
    }

    fn told(lag: &PartitionLag, since: Since, watch: Watch) -> Option<(u64, bool)> {
        let standing = lag.stands(since, watch);
        standing.map(|one| (one.time.as_secs(), one.is_sure))
    }

    #[test]
    fn a_mirrormaker_that_has_only_begun_to_run_works_off_others_first() {
        let stands = |is_stamped, began| {
            let lag = PartitionLag {
                is_stamped,
                ..lag(10, 20, Some(600_000))
            };
            let watch = Watch {
                seen: Duration::from_secs(3),
                patience: Duration::from_millis(200),
                is_busy: true,
            };
            told(&lag, since(None, Some(began)), watch)
        };
        assert_eq!((stands(true, 10), stands(false, 10)), (None, None));
        assert_eq!(stands(true, 20), Some((600, true)));
        assert_eq!(stands(false, 20), Some((3, false)));
    }

    #[test]
    fn a_position_that_is_noted_seldom_is_never_certain_to_stand_still() {
        let stands = |moved| {
            let lag = PartitionLag {
                is_stamped: false,
                ..lag(10, 20, Some(600_000))
            };
            let watch = Watch {
                seen: Duration::from_secs(3),
                patience: Duration::from_secs(10),
                is_busy: false,
            };
            told(&lag, since(Some(moved), Some(moved)), watch)
        };
        assert_eq!(stands(14), Some((3, false)));
        assert_eq!(stands(600), Some((3, false)));
    }

    #[test]
    fn what_was_not_seen_for_long_counts_only_where_something_holds_it_up() {
        let stall = |topic: &str, is_sure, seconds| Stall {
            topic: topic.to_owned(),
            partitions: vec![0],
            behind: 10,
            seconds,
            began: None,
            is_sure,
        };
        let mut flow = FlowLag::new(("a", "b"), Vec::new());
        flow.stalled = vec![
            stall("seen", true, 2.0),
            stall("held", false, 2.0),
            stall("late", false, 2.0),
            stall("doubtful", false, 3.0),
        ];
        flow.culprits = vec![Culprit {
            topic: "held".to_owned(),
            lab: "two".to_owned(),
            remote: "a.held".to_owned(),
            stops_flow: false,
            why: Why::Reported {
                message: String::new(),
            },
        }];
        flow.keep_certain();
        let left: Vec<(&str, bool)> = flow
            .stalled
            .iter()
            .map(|stall| (stall.topic.as_str(), stall.is_sure))
            .collect();
        assert_eq!(left, [("seen", true), ("held", true), ("doubtful", false)]);
    }

    #[test]
    fn it_is_told_in_words() {
        let mut stall = Stall {
            topic: "small".to_owned(),
            partitions: vec![0],
            behind: 19_999,
            seconds: 12.04,
            began: None,
            is_sure: true,
        };
        assert_eq!(
            stall.to_string(),
            "topic `small`: 19999 records behind, and MirrorMaker's position has not moved for 12.0 s"
        );
        stall.is_sure = false;
        assert!(
            stall
                .to_string()
                .ends_with("has not been seen to move for 12.0 s; unknown since when")
        );
        stall.began = Some(4.0);
        assert!(
            stall
                .to_string()
                .ends_with("which started 4.0 s ago, has not reached them yet")
        );
    }
}
