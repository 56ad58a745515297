//! What happened to topics between two looks: what was seen last, as the journal has it, against what is seen now.
//!
//! MirrorMaker goes on as if nothing had happened, so its position is soon again as it should be. What tells is the number of records
//! that were written to the mirrored topic while the position moved: each record has its own offset on both sides, and
//! MirrorMaker repeats records, but never leaves out one that it could read.

use super::report::{FlowLag, PartitionLag, TopicLag};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Partitions of a flow that are remembered at most: labels are arguments of a process, which has room for this many.
const REMEMBERED: usize = 1_000;
/// How long positions that have only moved need not be written again, in milliseconds.
const STALE: i64 = 60_000;
/// How long it is told that a topic was recreated where nothing of it is missing, in milliseconds.
const TOLD: i64 = 3_600_000;

/// What was seen last of the topics of a flow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlowMemory {
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// By the topic's name on the source.
    pub topics: BTreeMap<String, TopicMemory>,
}

/// A topic as it was seen last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopicMemory {
    /// What Kafka's ids of it and of its mirrored topic were.
    pub ids: Ids,
    /// Its partitions, by their numbers; none of one that was never seen.
    pub partitions: Vec<Option<PartitionMemory>>,
    /// What is still to be reported of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub past: Option<Past>,
}

/// Kafka's ids of a topic and its mirrored topic: others once they have been deleted and created again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ids {
    /// On the source; none where the brokers tell none.
    pub source: Option<String>,
    /// On the target.
    pub target: Option<String>,
}

/// A partition as it was seen last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionMemory(
    /// Its end on the source.
    pub i64,
    /// From where records are counted.
    pub Option<Base>,
);

/// From where the records that cross are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base(
    /// The last offset of the source that is accounted for: mirrored, or told as lost.
    pub i64,
    /// The end of the mirrored partition by then, or a lower one.
    pub i64,
);

/// What happened to a topic between two looks. Counts are of records at least.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Past {
    /// When it had last been seen before, in milliseconds since the epoch.
    pub since_ms: i64,
    /// When it was found, in milliseconds since the epoch.
    pub until_ms: i64,
    /// Whether the topic was deleted, and created again under its name: it has another id.
    pub recreated: bool,
    /// Records that are gone from the source, or that MirrorMaker passed over in a recreated topic, and were not mirrored.
    pub never_copied: u64,
    /// Offsets by which the ends of its partitions moved back.
    pub moved_back: u64,
    /// Whether the topic was recreated, and it cannot be counted what of it is mirrored.
    pub uncountable: bool,
}

impl Past {
    /// Whether records are lost.
    pub fn is_loss(&self) -> bool {
        self.never_copied > 0 || self.moved_back > 0
    }

    /// Whether it is unknown whether records are lost.
    pub fn is_doubt(&self) -> bool {
        self.uncountable && !self.is_loss()
    }

    fn is_nothing(&self) -> bool {
        !self.recreated && !self.is_loss()
    }

    /// Whether there is nothing left to report of it.
    fn is_over(&self, now: i64) -> bool {
        !self.is_loss() && !self.is_doubt() && now.saturating_sub(self.until_ms) > TOLD
    }

    /// Together with what was found before.
    fn after(self, before: Option<&Self>) -> Self {
        let Some(before) = before else { return self };
        Self {
            since_ms: before.since_ms,
            recreated: self.recreated || before.recreated,
            never_copied: self.never_copied + before.never_copied,
            moved_back: self.moved_back + before.moved_back,
            uncountable: self.uncountable || before.uncountable,
            ..self
        }
    }
}

/// What is known of a topic's records beside their offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Countable {
    /// Whether each offset of the source is a record, and each is mirrored: no transactions, no compaction, no transformations.
    pub records: bool,
    /// The time, in milliseconds since the epoch.
    pub now: i64,
}

impl Base {
    /// The same, without what a look has counted from it.
    fn without(self, seen: &PartitionLag) -> Self {
        let Self(passed, copies) = self;
        match (seen.position, i64::try_from(seen.passed_over)) {
            (Some(at), Ok(over)) if over > 0 => Self(at, copies + (at - passed) - over),
            _ => self,
        }
    }
}

fn differ(was: Option<&String>, is: Option<&String>) -> bool {
    was.zip(is).is_some_and(|(was, is)| was != is)
}

fn count(offsets: i64) -> u64 {
    u64::try_from(offsets).unwrap_or(0)
}

impl TopicMemory {
    fn partition(&self, number: i32) -> Option<&PartitionMemory> {
        let number = usize::try_from(number).ok()?;
        self.partitions.get(number)?.as_ref()
    }

    fn base(&self, number: i32) -> Option<Base> {
        self.partition(number)?.1
    }

    fn is_recreated(&self, topic: &TopicLag) -> bool {
        differ(self.ids.source.as_ref(), topic.ids.source.as_ref())
    }

    /// What happened since, `at` being when it was seen; none where nothing did.
    fn since(&self, at: i64, topic: &mut TopicLag, known: Countable) -> Option<Past> {
        let recreated = self.is_recreated(topic);
        // whatever is in a topic that was recreated was written since
        let is_copy_recreated = differ(self.ids.target.as_ref(), topic.ids.target.as_ref());
        let mut past = Past {
            since_ms: at,
            until_ms: known.now,
            recreated,
            uncountable: recreated && !known.records,
            ..Past::default()
        };
        for one in &mut topic.partitions {
            one.passed_over = 0;
            let Some(PartitionMemory(end, base)) = self.partition(one.partition) else {
                continue;
            };
            if !recreated {
                past.moved_back += count(end - one.end);
            }
            if !known.records || one.recreated {
                continue;
            }
            // where nothing is mirrored yet, MirrorMaker begins at the first record
            let Some(at) = one.position else { continue };
            let copies = base.map(|base| if is_copy_recreated { 0 } else { base.1 });
            match (base, copies, one.remote) {
                (Some(Base(passed, _)), Some(copies), Some(remote)) if remote.end >= copies => {
                    let passed = if recreated { -1 } else { *passed };
                    let missing = (at - passed) - (remote.end - copies);
                    let gone = if recreated {
                        missing
                    } else {
                        one.first - (passed + 1)
                    };
                    one.passed_over = count(missing.min(gone));
                    past.never_copied += one.passed_over;
                }
                _ => past.uncountable |= recreated,
            }
        }
        (!past.is_nothing()).then_some(past)
    }

    /// Nothing that happened up to now is told any more.
    fn acknowledge(&mut self, topic: &TopicLag) {
        self.past = None;
        for one in &topic.partitions {
            let number = usize::try_from(one.partition).unwrap_or(usize::MAX);
            if let Some(Some(PartitionMemory(_, Some(base)))) = self.partitions.get_mut(number) {
                base.0 = base.0.max(one.first - 1);
            }
        }
    }

    /// Records were removed up to this offset by a person who was told what that means.
    fn removed(&mut self, partition: i32, first: i64) {
        let number = usize::try_from(partition).unwrap_or(usize::MAX);
        if let Some(Some(PartitionMemory(_, base))) = self.partitions.get_mut(number) {
            let passed = base.map_or(-1, |base| base.0);
            // how many had been mirrored by then is not known
            *base = Some(Base(passed.max(first - 1), i64::MAX));
        }
    }
}

impl TopicLag {
    /// Adds what happened since it was last seen, and what was found then and is still to be told.
    pub fn compare(&mut self, memory: &FlowMemory, known: Countable) {
        let Some(was) = memory.topics.get(&self.source) else {
            return;
        };
        if !was.is_recreated(self) {
            for one in &mut self.partitions {
                one.compare(was.base(one.partition), known.records);
            }
            self.never_copied = self.partitions.iter().map(|one| one.never_copied).sum();
        }
        let before = was.past.as_ref().filter(|past| !past.is_over(known.now));
        let found = was.since(memory.at, self, known);
        self.past = match found {
            Some(found) => Some(found.after(before)),
            None => before.cloned(),
        };
    }
}

impl PartitionLag {
    /// Of which nothing is mirrored yet: what was removed since is known only by where it began.
    fn compare(&mut self, base: Option<Base>, countable: bool) {
        if let (Some(Base(passed, _)), None, true) = (base, self.position, countable) {
            self.never_copied = self.never_copied.max(count(self.first - (passed + 1)));
        }
    }
}

/// What MirrorMaker's positions were some time after a look: by then they covered whatever the target had. None where it may hold
/// some back.
pub type Later = BTreeMap<(String, i32), i64>;

impl FlowMemory {
    /// The topics of a flow that are remembered.
    fn taken<'a>(lag: &'a FlowLag, own: &'a str) -> impl Iterator<Item = &'a TopicLag> {
        let mut room = REMEMBERED;
        lag.copied().filter(move |topic| {
            let fits = topic.source != own && topic.partition_count <= room;
            room -= if fits { topic.partition_count } else { 0 };
            fits
        })
    }

    /// Whether what is seen now is to be written down: something that matters is new, or the last time is long past. `own` is kmk's
    /// own topic, of which it removes records itself.
    pub fn is_outdated(before: Option<&Self>, lag: &FlowLag, own: &str, now: i64) -> bool {
        let nothing = Self::default();
        let before = before.unwrap_or(&nothing);
        let is_stale = now.saturating_sub(before.at) > STALE;
        let mut taken = Self::taken(lag, own);
        taken.any(|topic| {
            let Some(was) = before.topics.get(&topic.source) else {
                return true;
            };
            let has_moved = |one: &PartitionLag| {
                was.partition(one.partition)
                    .is_none_or(|PartitionMemory(end, base)| {
                        one.end < *end
                            || (is_stale
                                && (one.end > *end
                                    || base.is_none_or(|base| one.position > Some(base.0))))
                    })
            };
            was.ids != topic.ids
                || was.past.as_ref().is_some_and(|past| past.is_over(now))
                || was.past != topic.past && topic.past.is_some()
                || topic.partitions.iter().any(has_moved)
        })
    }

    /// What is to be remembered, where `lag` was [compared](TopicLag::compare) with what was before.
    #[must_use]
    pub fn renewed(
        before: Option<&Self>,
        lag: &FlowLag,
        (own, starts_at_end): (&str, bool),
        later: Option<&Later>,
        now: i64,
    ) -> Self {
        let mut renewed = Self {
            at: now,
            topics: BTreeMap::new(),
        };
        for topic in Self::taken(lag, own) {
            let was = before.and_then(|before| before.topics.get(&topic.source));
            let is_same = was.is_some_and(|was| {
                !was.is_recreated(topic)
                    && !differ(was.ids.target.as_ref(), topic.ids.target.as_ref())
            });
            let mut partitions = match was {
                Some(was) if is_same => was.partitions.clone(),
                _ => Vec::new(),
            };
            partitions.resize(topic.partition_count, None);
            for one in &topic.partitions {
                let base = was
                    .filter(|_| is_same)
                    .and_then(|was| was.base(one.partition));
                let place = (topic.source.clone(), one.partition);
                let seen = later.and_then(|later| {
                    let later = later.get(&place);
                    // what was in flight is counted from before
                    let is_quiet = base.is_none() || later.copied() == one.position;
                    is_quiet.then(|| one.base(base, later, starts_at_end))?
                });
                let base = base.map(|base| base.without(one));
                let place = usize::try_from(one.partition).ok();
                if let Some(place) = place.and_then(|place| partitions.get_mut(place)) {
                    *place = Some(PartitionMemory(one.end, seen.or(base)));
                }
            }
            let memory = TopicMemory {
                ids: topic.ids.clone(),
                partitions,
                past: topic.past.clone(),
            };
            renewed.topics.insert(topic.source.clone(), memory);
        }
        // one that is gone may come back under its name
        let mut room = REMEMBERED.saturating_sub(renewed.topics.len());
        for (name, was) in before.iter().flat_map(|before| &before.topics) {
            if room > 0 && !renewed.topics.contains_key(name) {
                renewed.topics.insert(name.clone(), was.clone());
                room -= 1;
            }
        }
        renewed
    }

    /// All that `lag` shows was reported: it is not reported again.
    pub fn acknowledge(&mut self, lag: &FlowLag) {
        for topic in lag.copied() {
            if let Some(memory) = self.topics.get_mut(&topic.source) {
                memory.acknowledge(topic);
            }
        }
    }

    /// The next topic of that name is another one, and mirrored from its first record.
    pub fn forget(&mut self, topic: &str) {
        self.topics.remove(topic);
    }

    /// As [`FlowMemory::acknowledge`], of records of one partition of a topic that were removed: it begins at `first` now.
    pub fn removed(&mut self, topic: &str, partition: i32, first: i64) {
        if let Some(memory) = self.topics.get_mut(topic) {
            memory.removed(partition, first);
        }
    }
}

impl PartitionLag {
    /// From where its records are counted from now on.
    fn base(&self, was: Option<Base>, later: Option<&i64>, starts_at_end: bool) -> Option<Base> {
        let copies = self.remote.map_or(0, |remote| remote.end);
        let passed = match (later, was) {
            // of another topic of that name: nothing of this one is mirrored
            (Some(later), None) if self.recreated && *later >= self.end => self.first - 1,
            (Some(later), None) => *later,
            (Some(later), Some(was)) => was.0.max(*later),
            (None, Some(was)) => was.0,
            (None, None) if starts_at_end => return None,
            (None, None) => self.first - 1,
        };
        Some(Base(passed, copies))
    }
}

#[cfg(test)]
mod tests;
