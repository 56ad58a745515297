//! Judges one partition: what is left to copy, and what was copied and no longer exists.

use kmk_kafka::message::Record;
use serde::Serialize;
use std::ops::Range;

/// Where a partition begins and ends, as `ListOffsets` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ends {
    /// The offset of the first record that is still there, or where it would be.
    pub first: i64,
    /// The offset that the next record will get.
    pub end: i64,
}

impl Ends {
    /// Offsets that it holds.
    pub fn length(self) -> u64 {
        u64::try_from(self.end.saturating_sub(self.first)).unwrap_or(0)
    }
}

/// What is known of a partition of the source and its copy. The note must be older than the source's end: MirrorMaker
/// goes on meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Of the source.
    pub source: Ends,
    /// The offset of the last source record that MirrorMaker committed as written to the target, if it committed any.
    pub position: Option<i64>,
    /// Of the copy.
    pub copy: Replica,
}

/// A partition of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replica {
    /// It is not there.
    Absent,
    /// It has no leader at the moment, or nobody asked.
    Unknown,
    /// It is there.
    There(Ends),
}

/// What follows from the [`Facts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The source's offsets that MirrorMaker has still to go through. Some may hold no record.
    pub left: Range<i64>,
    /// Records at most that are before MirrorMaker's position and not on the target, so that they will not be copied.
    pub lost: u64,
    /// Whether `lost` is only suspected: offsets without records at the source look the same. The first records of both
    /// sides tell ([`begins_later`]).
    pub is_suspicion: bool,
    /// Offsets that the source dropped behind the note, before they were mirrored. Some may have held no record ([`NeverCopied`](super::NeverCopied)).
    pub never_copied: u64,
    /// Whether the position is beyond the source's end: it belongs to an earlier topic of that name.
    pub is_of_another: bool,
}

impl Facts {
    /// Judges.
    pub fn outlook(&self) -> Outlook {
        let Ends { first, end } = self.source;
        let is_of_another = self.position.is_some_and(|position| position >= end);
        // MirrorMaker will find out, and begin at the first record
        let position = self.position.filter(|_| !is_of_another);
        let after = position.map(|position| position.saturating_add(1));
        let next = after.map_or(first, |after| after.max(first));
        let copied = u64::try_from(next.saturating_sub(first)).unwrap_or(0);
        let left = next..end.max(next);
        let (lost, is_suspicion) = match self.copy {
            Replica::Absent => (copied, false),
            // records that were repeated there make up for others
            Replica::There(copy) => {
                let lost = copied.saturating_sub(copy.length());
                (lost, lost > 0 && copy.end > 0)
            }
            Replica::Unknown => (0, false),
        };
        let dropped = after.map_or(0, |after| first.saturating_sub(after));
        Outlook {
            left,
            lost,
            is_suspicion,
            never_copied: u64::try_from(dropped).unwrap_or(0),
            is_of_another,
        }
    }
}

impl Outlook {
    /// Of a topic whose records kmk itself removes on both sides, and need not succeed on both: they are not missed.
    pub fn allow_for_removal(&mut self) {
        self.lost = 0;
        self.is_suspicion = false;
        self.never_copied = 0;
    }
}

/// Whether a partition may have dropped its first records by itself: `first` is the oldest of them, on the source, and the settings
/// are those of the copy.
pub fn may_have_expired(
    first: Option<i64>,
    setting: impl Fn(&str) -> Option<String>,
    now: i64,
) -> bool {
    let number = |name: &str| setting(name).and_then(|value| value.parse::<i64>().ok());
    let deletes = setting("cleanup.policy").is_none_or(|policy| policy.contains("delete"));
    let by_size = number("retention.bytes").is_none_or(|bytes| bytes >= 0);
    let by_age = match (number("retention.ms"), first) {
        (Some(kept), _) if kept < 0 => false,
        (Some(kept), Some(time)) if time >= 0 => now.saturating_sub(time) >= kept,
        _ => true,
    };
    deletes && (by_size || by_age)
}

/// Whether a copy begins with a later record than its source, so that the source's first ones are missing in it. Each is where
/// the partition begins, and the first record that was found from there on.
pub fn begins_later(
    (source_first, source): (i64, Option<&Record>),
    (copy_first, copy): (i64, Option<&Record>),
) -> bool {
    let (Some(source), Some(copy)) = (source, copy) else {
        return false;
    };
    if source.offset > source_first || copy.offset > copy_first {
        // first records were compacted away, or are marks of transactions
        return false;
    }
    match (source.time, copy.time) {
        (Some(ours), Some(theirs)) if ours >= 0 && theirs >= 0 && ours != theirs => theirs > ours,
        _ => (&source.key, &source.value) != (&copy.key, &copy.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(first: i64, end: i64) -> Ends {
        Ends { first, end }
    }

    fn outlook(source: Ends, position: Option<i64>, copy: Option<Ends>) -> (Range<i64>, u64, bool) {
        let facts = Facts {
            source,
            position,
            copy: copy.map_or(Replica::Absent, Replica::There),
        };
        let Outlook {
            left,
            lost,
            is_suspicion,
            ..
        } = facts.outlook();
        (left, lost, is_suspicion)
    }

    #[test]
    fn what_is_noted_is_not_left() {
        let copy = Some(ends(0, 10));
        assert_eq!(outlook(ends(0, 10), Some(9), copy), (10..10, 0, false));
        assert_eq!(outlook(ends(0, 12), Some(9), copy), (10..12, 0, false));
        assert_eq!(outlook(ends(0, 0), None, None), (0..0, 0, false));
    }

    #[test]
    fn repeated_records_at_the_target_change_nothing() {
        let copy = Some(ends(0, 25));
        assert_eq!(outlook(ends(0, 12), Some(9), copy), (10..12, 0, false));
    }

    #[test]
    fn of_a_topic_that_was_there_before_the_flow_only_what_is_still_there_is_left() {
        assert_eq!(outlook(ends(5, 10), None, None), (5..10, 0, false));
        let copy = Some(ends(0, 3));
        assert_eq!(outlook(ends(5, 10), Some(7), copy), (8..10, 0, false));
        // the source has dropped them before they were mirrored
        let copy = Some(ends(0, 2));
        assert_eq!(outlook(ends(5, 10), Some(1), copy), (5..10, 0, false));
    }

    #[test]
    fn a_note_of_a_source_topic_that_was_deleted_does_not_count() {
        let copy = Some(ends(0, 100));
        assert_eq!(outlook(ends(0, 3), Some(99), copy), (0..3, 0, false));
        assert_eq!(outlook(ends(0, 0), Some(99), copy), (0..0, 0, false));
    }

    #[test]
    fn a_copy_that_is_gone_or_was_recreated_lacks_what_was_copied() {
        assert_eq!(
            outlook(ends(0, 110), Some(99), None),
            (100..110, 100, false)
        );
        let empty = Some(ends(0, 0));
        assert_eq!(
            outlook(ends(0, 110), Some(99), empty),
            (100..110, 100, false)
        );
        let recreated = Some(ends(0, 10));
        assert_eq!(
            outlook(ends(0, 110), Some(109), recreated),
            (110..110, 100, true)
        );
    }

    #[test]
    fn what_the_target_has_no_more_is_suspected_to_be_lost_whoever_removed_it() {
        let copy = Some(ends(4, 20));
        assert_eq!(outlook(ends(0, 20), Some(19), copy), (20..20, 4, true));
        let emptied = Some(ends(1000, 1000));
        let truncated = outlook(ends(0, 1000), Some(999), emptied);
        assert_eq!(truncated, (1000..1000, 1000, true));
    }

    #[test]
    fn a_mirrored_topic_may_have_dropped_by_itself_what_is_old_enough() {
        let settings = |policy: &'static str, millis: &'static str, bytes: &'static str| {
            move |name: &str| {
                let value = match name {
                    "cleanup.policy" => policy,
                    "retention.ms" => millis,
                    "retention.bytes" => bytes,
                    _ => return None,
                };
                Some(value.to_owned())
            }
        };
        let week = settings("delete", "604800000", "-1");
        assert!(!may_have_expired(Some(5_000), week, 10_000));
        assert!(may_have_expired(Some(5_000), week, 604_805_000));
        assert!(may_have_expired(None, week, 10_000), "it has no time");
        assert!(!may_have_expired(
            Some(0),
            settings("delete", "-1", "-1"),
            i64::MAX
        ));
        assert!(may_have_expired(
            Some(0),
            settings("delete", "-1", "1048576"),
            1
        ));
        assert!(!may_have_expired(
            Some(0),
            settings("compact", "1", "1"),
            10
        ));
        assert!(
            may_have_expired(Some(0), |_: &str| None, 10),
            "nobody tells"
        );
    }

    #[test]
    fn what_the_source_dropped_behind_the_position_was_never_copied() {
        let never = |source: Ends, position: Option<i64>| {
            let copy = Replica::There(ends(0, 1000));
            let facts = Facts {
                source,
                position,
                copy,
            };
            let outlook = facts.outlook();
            (outlook.never_copied, outlook.is_of_another)
        };
        assert_eq!(never(ends(2500, 2500), Some(999)), (1500, false));
        assert_eq!(never(ends(2500, 2600), Some(999)), (1500, false));
        assert_eq!(never(ends(1000, 1000), Some(999)), (0, false));
        assert_eq!(never(ends(500, 1000), Some(999)), (0, false));
        // there before the flow
        assert_eq!(never(ends(2500, 2500), None), (0, false));
        // of a topic that was deleted, and made again
        assert_eq!(never(ends(0, 999), Some(999)), (0, true));
        assert_eq!(never(ends(0, 0), Some(999)), (0, true));
    }

    #[test]
    fn the_first_records_tell_whether_a_copy_was_recreated() {
        let record = Record::sample;
        let source = record(7, 1_000, "a");
        let later = |copy: &Record| begins_later((7, Some(&source)), (0, Some(copy)));
        assert!(!later(&record(0, 1_000, "a")));
        assert!(!later(&record(0, 900, "older")));
        assert!(later(&record(0, 1_001, "a")));
        assert!(later(&record(0, 1_000, "b")));
        // without times
        assert!(later(&record(0, -1, "b")) && !later(&record(0, -1, "a")));
        // compacted at the target only
        assert!(!later(&record(1, 1_001, "b")));
        // compacted at the source only
        let copy = record(0, 1_001, "b");
        assert!(!begins_later((0, Some(&source)), (0, Some(&copy))));
        assert!(!begins_later((7, Some(&source)), (0, None)));
    }
}
