//! Maps records of the source to offsets of the target, as far as offset syncs tell.
//!
//! MirrorMaker copies a partition in order: after a record comes the next one, or, after a crash, one that was copied
//! before. So between two syncs every record of the source has at least one copy; and where the target grew by as many
//! offsets as the source, and the source has no gaps, exactly one.

use super::{Amount, Bounds, Gaps, Partition, Writers};
use crate::core::mirrormaker::state::OffsetSync;

/// A stretch of the target's log that begins with a known record.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// Offsets of the target.
    from: i64,
    to: i64,
    /// The source's offset of its first record.
    upstream: i64,
    /// By the next sync: how far the source and the target went on from here.
    next: Option<(i64, i64)>,
}

/// The log of a copy, cut at its syncs.
#[derive(Debug)]
pub(super) struct TargetLog {
    stretches: Vec<Stretch>,
    target: Bounds,
    source_end: i64,
    /// Neither side has offsets without a record.
    is_gapless: bool,
    /// Each offset of the target is that of a copy.
    is_unmixed: bool,
    /// Of the target's offsets some may have no record.
    is_thinned: bool,
}

pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

impl TargetLog {
    pub(super) fn of(partition: &Partition<'_>) -> Self {
        let target = partition.target;
        let mut syncs: Vec<OffsetSync> = Vec::new();
        for &sync in partition.syncs {
            // the target was recreated, or cut off: what existed before is gone
            while syncs
                .last()
                .is_some_and(|last| last.downstream >= sync.downstream)
            {
                syncs.pop();
            }
            syncs.push(sync);
        }
        let is_gapless = partition.gaps == Gaps::None && partition.target_gaps == Gaps::None;
        // MirrorMaker begins with the first record
        let beginning = OffsetSync {
            upstream: 0,
            downstream: 0,
        };
        let agrees = match syncs.first() {
            Some(first) => first.downstream > 0 && first.upstream == first.downstream,
            None => partition.position == target.end.checked_sub(1) && target.end > 0,
        };
        if is_gapless && agrees && partition.source.first == 0 {
            syncs.insert(0, beginning);
        }
        let grown = |last: &OffsetSync| target.end.saturating_sub(last.downstream);
        if let Some((&last, position)) = syncs.last().zip(partition.position)
            && is_gapless
            && grown(&last) > 0
            && position.saturating_sub(last.upstream).saturating_add(1) == grown(&last)
        {
            // the note comes late at times, and never too early: where the two agree, it is right
            syncs.push(OffsetSync {
                upstream: position.saturating_add(1),
                downstream: target.end,
            });
        }
        let nexts = syncs.iter().skip(1).map(Some).chain([None]);
        let stretches = syncs.iter().zip(nexts).map(|(sync, next)| Stretch {
            from: sync.downstream,
            to: next.map_or(target.end, |next| next.downstream.min(target.end)),
            upstream: sync.upstream,
            next: next.map(|next| {
                let upstream = next.upstream.saturating_sub(sync.upstream);
                (upstream, next.downstream.saturating_sub(sync.downstream))
            }),
        });
        Self {
            stretches: stretches.filter(|one| one.from < target.end).collect(),
            target,
            source_end: partition.source.end,
            is_gapless,
            is_unmixed: partition.writers == Writers::MirrorMaker
                && partition.target_gaps == Gaps::None,
            is_thinned: partition.target_gaps == Gaps::Possible,
        }
    }

    /// How many records from offset `at` of the target on are copies of records before `source`.
    pub(super) fn before(&self, source: i64, at: i64) -> Amount {
        Amount::between(
            self.surely_before(source, at),
            self.perhaps_before(source, at),
        )
    }

    /// This many are.
    pub(super) fn surely_before(&self, source: i64, at: i64) -> u64 {
        // what lies at an offset is known, and not whether it still lies there
        if source <= 0 || self.is_thinned {
            return 0;
        }
        if source >= self.source_end && self.is_unmixed {
            // whatever lies on the target comes from before the source's end
            return count(self.target.end - at);
        }
        self.offsets_before(source, at)
    }

    /// This many offsets of the target from `at` on are those of copies of records before `source`.
    fn offsets_before(&self, source: i64, at: i64) -> u64 {
        let stretches = self.stretches.iter();
        stretches.map(|one| self.low(one, source, at)).sum()
    }

    /// At most this many are.
    fn perhaps_before(&self, source: i64, at: i64) -> u64 {
        if source <= 0 {
            return 0;
        }
        let first = self.stretches.first();
        let known_from = first.map_or(self.target.end, |first| first.from);
        let before_that = count(known_from - at);
        let stretches = self.stretches.iter();
        let after_that: u64 = stretches.map(|one| self.high(one, source, at)).sum();
        before_that + after_that
    }

    fn low(&self, one: &Stretch, source: i64, at: i64) -> u64 {
        let to = if self.is_clean(one) || (self.is_gapless && self.is_unmixed) {
            // the next record is never more than one further on
            one.from
                .saturating_add(source.saturating_sub(one.upstream))
                .min(one.to)
        } else if one.upstream < source {
            one.from + 1
        } else {
            one.from
        };
        count(to - one.from.max(at))
    }

    fn high(&self, one: &Stretch, source: i64, at: i64) -> u64 {
        let all = count(one.to - one.from.max(at));
        if self.is_clean(one) {
            return self.low(one, source, at);
        }
        let first_is_later = one.upstream >= source && one.from >= at;
        let unknown = all - u64::from(first_is_later && all > 0);
        match one.next.filter(|_| self.is_gapless) {
            Some((upstream, downstream)) if upstream > 0 && downstream > upstream => {
                let ahead = one.upstream.saturating_sub(source);
                // to come here once more from before `source`, it copied all from there to here once more
                let back = if ahead >= 0 { ahead + 1 } else { 0 };
                let before = (-ahead).clamp(0, upstream) + (downstream - upstream) - back;
                let before_at = one.from.saturating_sub(ahead).min(at) - one.from;
                count(before - before_at.max(0)).min(unknown)
            }
            _ => unknown,
        }
    }

    /// How many records from `source` on have no copy at `at` or later, and will have none.
    pub(super) fn missed(&self, source: i64, at: i64) -> Amount {
        if self.is_followed(source, at) {
            return Amount::Exactly(0);
        }
        let goes_on_at = self.goes_on_at(at).min(self.source_end);
        let high = count(goes_on_at - source);
        let mut rest = self.stretches.iter().filter(|one| one.to > at);
        let first = self.stretches.first().filter(|one| one.from <= at);
        let is_known =
            self.is_gapless && rest.all(|one| self.is_clean(one)) && self.is_end_known(at);
        // what existed before the first known record may have been gone before it could be copied
        let low = first
            .filter(|_| is_known)
            .map_or(0, |first| count(goes_on_at - source.max(first.upstream)));
        Amount::between(low, high)
    }

    /// Whether what lies right before `at`, or later, is known to come from before `source`, or what lies later from
    /// `source` itself: behind that every record from `source` on follows.
    fn is_followed(&self, source: i64, at: i64) -> bool {
        let mut stretches = self.stretches.iter();
        stretches.any(|one| one.from >= at && one.upstream <= source)
            || (source > 0 && self.offsets_before(source, at - 1) > 0)
    }

    /// The earliest record of the source at `at` or later is this one, or one before it.
    fn goes_on_at(&self, at: i64) -> i64 {
        let later = self.stretches.iter().filter(|one| one.from >= at);
        let later = later.map(|one| one.upstream);
        let around = self.stretches.iter().rfind(|one| one.from < at);
        let around = around.into_iter().flat_map(|one| {
            let by_count = one.upstream.saturating_add(at - one.from);
            let next = one.next.map(|(upstream, _)| one.upstream + upstream);
            let by_count = self.is_gapless.then_some(by_count);
            by_count.into_iter().chain(next)
        });
        later.chain(around).min().unwrap_or(self.source_end)
    }

    /// At the end of the log it takes a note of how far it goes to say what comes next.
    fn is_end_known(&self, at: i64) -> bool {
        at < self.target.end
            || self
                .stretches
                .last()
                .is_some_and(|one| one.next.is_some() && self.is_clean(one))
    }

    /// From `at` on some records were surely copied more than once: the target grew by more than the source did.
    pub(super) fn repeats(&self, at: i64) -> bool {
        let mut rest = self.stretches.iter().filter(|one| one.to > at);
        rest.any(|one| {
            one.next
                .is_some_and(|(upstream, downstream)| downstream > upstream)
        })
    }

    /// How far one has come who has read all before `at`: every record of the source before the first number, from the
    /// first that is known on, and none from the second on.
    pub(super) fn reached(&self, at: i64) -> (i64, i64) {
        let read = self.stretches.iter().filter(|one| one.from < at);
        let low = read.clone().map(|one| {
            let many = if self.is_clean(one) {
                one.to.min(at) - one.from
            } else {
                1
            };
            one.upstream.saturating_add(many)
        });
        let low = low.max().unwrap_or(0);
        if at <= 0 {
            return (0, 0);
        }
        if !(self.is_gapless && self.is_unmixed) {
            return (low, self.source_end.max(low));
        }
        // no record is more than one further on than the one copied before it
        let high = read.map(|one| one.upstream.saturating_add(one.to.min(at) - one.from));
        let before_that = match self.stretches.first() {
            None => self.source_end,
            Some(first) if first.from <= 0 => 0,
            Some(first) => first.upstream.saturating_add(first.from),
        };
        let high = high.chain([before_that]).max().unwrap_or(0);
        (low, high.max(low))
    }

    /// The first record that is known to have been copied.
    pub(super) fn known_from(&self) -> Option<i64> {
        self.stretches.first().map(|first| first.upstream)
    }

    pub(super) fn is_gapless(&self) -> bool {
        self.is_gapless
    }

    /// Whether it holds each record once, in order.
    fn is_clean(&self, one: &Stretch) -> bool {
        let agrees = one
            .next
            .is_some_and(|(upstream, downstream)| upstream == downstream);
        (self.is_gapless && agrees) || one.to == one.from + 1
    }
}
