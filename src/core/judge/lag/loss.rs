//! Describes which records of a topic are lost.

use super::past::Past;
use super::report::{FlowLag, PartitionLag, TopicLag, TopicState};
use std::time::{Duration, SystemTime};

/// This many topics that lost something are named.
const NAMED: usize = 5;

impl FlowLag {
    /// Whether something is lost, or about to be, as far as that is to be seen.
    pub fn has_lost(&self) -> bool {
        self.topics.iter().any(TopicLag::has_lost)
    }

    /// Whether each record that the source removed before it was mirrored was counted.
    pub fn is_never_copied_exact(&self) -> bool {
        let mut lossy = self.topics.iter().filter(|topic| topic.never_copied > 0);
        lossy.all(|topic| topic.is_never_copied_exact)
    }

    /// What is probably no loss, topic by topic.
    pub fn notes(&self) -> Vec<String> {
        let notes = self.copied().filter_map(|topic| topic.note(&self.source));
        notes.take(NAMED).collect()
    }

    /// What may be lost, topic by topic.
    pub fn doubts(&self) -> Vec<String> {
        let doubts = self.copied().filter_map(|topic| topic.doubt(&self.source));
        doubts.take(NAMED).collect()
    }

    /// What is lost, topic by topic.
    pub fn losses(&self) -> Vec<String> {
        let lossy: Vec<&TopicLag> = self.copied().filter(|topic| topic.has_lost()).collect();
        let named = lossy.iter().take(NAMED);
        let mut losses: Vec<String> = named
            .flat_map(|topic| topic.losses(&self.source, &self.target))
            .collect();
        let more = lossy.len().saturating_sub(NAMED);
        losses.extend((more > 0).then(|| format!("and {more} more topics have lost records")));
        losses
    }
}

impl TopicLag {
    /// As of the flow.
    pub fn has_lost(&self) -> bool {
        self.lost > 0
            || self.never_copied > 0
            || self.recreated
            || self.past.as_ref().is_some_and(Past::is_loss)
    }

    /// Whether something happened to it between two looks that is told until somebody takes note.
    pub fn is_to_be_noted(&self) -> bool {
        let past = self.past.as_ref();
        past.is_some_and(|past| past.is_loss() || past.is_doubt())
    }

    /// Of the offsets that were possibly never mirrored, those that leave a doubt: a single one of a partition is what each
    /// transaction that was committed leaves, the marker at its end.
    pub fn doubtful(&self) -> u64 {
        let each = self.partitions.iter().map(|one| one.possibly_never_copied);
        each.filter(|offsets| *offsets > 1).sum()
    }

    fn note(&self, source: &str) -> Option<String> {
        let topic = &self.source;
        if let Some(past) = self
            .past
            .as_ref()
            .filter(|past| !past.is_loss() && !past.is_doubt())
        {
            return Some(format!(
                "`{topic}` was deleted and recreated on {source} {}; no record of the new topic is known to be missing",
                between(past)
            ));
        }
        let mut each = self.partitions.iter();
        each.any(|one| one.possibly_never_copied == 1).then(|| {
            format!(
                "`{topic}`: one offset at the end of a partition was removed on {source} before MirrorMaker's position reached it; most likely it is a transaction marker, not a record"
            )
        })
    }

    /// What may be lost, unknown whether.
    pub fn doubt(&self, source: &str) -> Option<String> {
        let (topic, offsets) = (&self.source, self.doubtful());
        if let Some(past) = self.past.as_ref().filter(|past| past.is_doubt()) {
            return Some(format!(
                "unknown whether all records of `{topic}` are mirrored: it was deleted and recreated on {source} {}",
                between(past)
            ));
        }
        (offsets > 0).then(|| {
            format!(
                "unknown whether records of `{topic}` were lost: {offsets} offsets were removed on {source} before MirrorMaker's position reached them, but some may be transaction markers, not records"
            )
        })
    }

    /// What was removed on the target, or with the whole mirrored topic.
    pub fn was_truncated(&self) -> bool {
        let begins_later = |one: &PartitionLag| one.remote.is_some_and(|ends| ends.first > 0);
        let mut lossy = self.partitions.iter().filter(|one| one.lost > 0);
        lossy.any(begins_later)
    }

    /// What is lost.
    pub fn losses(&self, source: &str, target: &str) -> Vec<String> {
        let (topic, remote) = (&self.source, &self.remote);
        let mut losses = Vec::new();
        if self.lost > 0 {
            let lost = records(self.lost);
            let how = match self.state {
                TopicState::MirroredTopicGone => "no longer exists",
                _ if self.was_truncated() => "was truncated",
                _ => "was deleted and recreated",
            };
            losses.push(format!(
                "{lost} of `{topic}` lost on {target}: mirrored topic `{remote}` {how}"
            ));
        }
        if self.never_copied > 0 {
            let lost = self.describe_never_copied();
            let dropped = self.partitions.iter().filter(|one| one.never_copied > 0);
            let places: Vec<String> = dropped
                .map(|one| {
                    let (id, first) = (one.partition, one.first);
                    match one.position {
                        Some(position) => format!(
                            "partition {id} begins at {first}, and MirrorMaker's position is {position}"
                        ),
                        None => format!(
                            "partition {id} begins at {first}, and MirrorMaker has mirrored nothing of it"
                        ),
                    }
                })
                .take(NAMED)
                .collect();
            losses.push(format!(
                "{lost} of `{topic}` removed on {source} before they were mirrored: {}",
                places.join("; ")
            ));
        }
        losses.extend(self.beyond_the_end(source));
        losses.extend(self.past.iter().flat_map(|past| past.losses(topic, source)));
        losses
    }

    /// Records that the source removed before they were mirrored, as far as they were counted.
    pub fn describe_never_copied(&self) -> String {
        let counted = records(self.never_copied);
        if self.is_never_copied_exact {
            counted
        } else {
            format!("at most {counted}")
        }
    }

    fn beyond_the_end(&self, source: &str) -> Option<String> {
        let topic = &self.source;
        let one = self.partitions.iter().find(|one| one.recreated)?;
        let (position, end) = (one.position.unwrap_or(-1), one.end);
        let why = match &self.past {
            Some(past) if past.recreated => {
                format!("the topic was deleted and recreated on {source}")
            }
            Some(past) if past.moved_back > 0 => format!("{source} has lost its newest records"),
            _ => format!(
                "the topic was deleted and recreated on {source}, or {source} has lost its data"
            ),
        };
        Some(format!(
            "MirrorMaker's position {position} is beyond the end of `{topic}`, {end}: {why}"
        ))
    }
}

impl Past {
    /// What is lost.
    pub fn losses(&self, topic: &str, source: &str) -> Vec<String> {
        let between = between(self);
        let mut losses = Vec::new();
        if self.never_copied > 0 {
            let lost = records(self.never_copied);
            losses.push(if self.recreated {
                format!(
                    "at least {lost} of `{topic}` never mirrored: it was deleted and recreated on {source} {between}, and MirrorMaker continued at its old position"
                )
            } else {
                format!(
                    "at least {lost} of `{topic}` removed on {source} before they were mirrored, {between}"
                )
            });
        }
        if self.moved_back > 0 {
            losses.push(format!(
                "{source} has lost the newest {} of `{topic}`: its end moved back {between}",
                records(self.moved_back)
            ));
        }
        losses
    }
}

/// The two looks between which something happened.
fn between(past: &Past) -> String {
    let time = |millis: i64| {
        let since = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since)
    };
    format!(
        "between {} and {}",
        time(past.since_ms),
        time(past.until_ms)
    )
}

fn records(count: u64) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} record{s}")
}

#[cfg(test)]
mod tests {
    use super::super::judge::{Ends, Facts, Replica};
    use super::*;

    fn topic(source: (i64, i64), position: i64, copy: Option<(i64, i64)>) -> TopicLag {
        let ends = |(first, end)| Ends { first, end };
        let facts = Facts {
            source: ends(source),
            position: Some(position),
            copy: copy.map_or(Replica::Absent, |copy| Replica::There(ends(copy))),
        };
        let partition = PartitionLag::new(0, &facts, &facts.outlook(), None, 0);
        let state = match copy {
            Some(_) => TopicState::Mirrored,
            None => TopicState::MirroredTopicGone,
        };
        TopicLag::new(("orders", "a.orders"), state, 1, vec![partition])
    }

    fn losses(topic: TopicLag) -> Vec<String> {
        let flow = FlowLag::new(("a", "b"), vec![topic]);
        assert_eq!(flow.has_lost(), !flow.losses().is_empty());
        flow.losses()
    }

    #[test]
    fn each_way_to_lose_records_is_told_by_what_was_seen() {
        let told = |source, position, copy| losses(topic(source, position, copy));
        assert!(told((0, 1000), 999, Some((0, 1000))).is_empty());
        assert!(
            told((0, 1000), 99, Some((0, 100))).is_empty(),
            "behind is not lost"
        );
        assert_eq!(
            told((0, 1000), 999, None),
            ["1000 records of `orders` lost on b: mirrored topic `a.orders` no longer exists"]
        );
        assert_eq!(
            told((0, 1000), 999, Some((1000, 1000))),
            ["1000 records of `orders` lost on b: mirrored topic `a.orders` was truncated"]
        );
        assert_eq!(
            told((0, 1000), 999, Some((0, 1))),
            [
                "999 records of `orders` lost on b: mirrored topic `a.orders` was deleted and recreated"
            ]
        );
        assert_eq!(
            told((2500, 2500), 999, Some((0, 1000))),
            [
                "at most 1500 records of `orders` removed on a before they were mirrored: partition 0 begins at 2500, and MirrorMaker's position is 999"
            ]
        );
        assert_eq!(
            told((0, 3), 999, Some((0, 1000))),
            [
                "MirrorMaker's position 999 is beyond the end of `orders`, 3: the topic was deleted and recreated on a, or a has lost its data"
            ]
        );
    }

    #[test]
    fn removed_offsets_of_transactions_are_unknown_and_no_loss() {
        let partition = |source| {
            let mut topic = topic(source, 24, Some((0, 25)));
            topic.partitions.remove(0).with_transactions()
        };
        let flow = |source| {
            let partitions = vec![partition(source)];
            let topic = TopicLag::new(("orders", "a.orders"), TopicState::Mirrored, 1, partitions);
            FlowLag::new(("a", "b"), vec![topic])
        };
        let marked = flow((27, 27));
        assert!(!marked.has_lost() && marked.losses().is_empty());
        assert_eq!(
            marked.doubts(),
            [
                "unknown whether records of `orders` were lost: 2 offsets were removed on a before MirrorMaker's position reached them, but some may be transaction markers, not records"
            ]
        );
        assert!(marked.notes().is_empty());
        let single = flow((26, 26));
        assert!(!single.has_lost() && single.doubts().is_empty());
        assert_eq!(single.notes().len(), 1, "{:?}", single.notes());
        assert_eq!(single.topics[0].possibly_never_copied, 1);
        let behind = flow((27, 30));
        assert!(behind.has_lost() && behind.doubts().is_empty());
    }
}
