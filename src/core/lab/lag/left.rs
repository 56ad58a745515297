//! A look at the records that are left to copy, and at the first ones of both sides where a copy may have been made anew. One
//! connection to each side, and only where there is something to look at.

use super::Topic;
use crate::core::judge::lag::{Ends, Facts, Replica, Seen, begins_later, may_have_expired};
use crate::core::lab::{Lab, addresses};
use crate::core::topology::Flow;
use kmk_kafka::message::{Record, to_millis};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError, Peek, Setting, Subject};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, SystemTime};

/// How long all of it may take. What was not seen by then is counted by its offsets.
const PATIENCE: Duration = Duration::from_secs(1);

/// A topic of the source and a partition of it.
type Place = (String, i32);

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Left {
    glances: BTreeMap<Place, Peek>,
    /// Where a copy was made anew, as its first record shows.
    anew: BTreeSet<Place>,
}

impl Left {
    /// Looks, as far as it can. Ends that are older than MirrorMaker's note are asked for once more.
    pub(super) fn look(lab: &Lab, flow: &Flow, topics: &mut [Topic<'_>], limit: &Limit) -> Self {
        let limit = limit.at_most(PATIENCE);
        let mut eyes = Eyes {
            lab,
            flow,
            limit: &limit,
            open: BTreeMap::new(),
        };
        let mut left = Self::default();
        renew(topics, &flow.spec.source, &mut eyes);
        // what fails is not seen, and said to be counted by offsets
        if let Ok(glances) = eyes.glances(&flow.spec.source, &outlooks(topics)) {
            left.glances = glances;
        }
        if let Ok(anew) = suspects(topics, flow, &mut eyes) {
            left.anew = anew;
        }
        left
    }

    /// What was seen of the records that are left.
    pub(super) fn seen(&self, place: &Place) -> Option<Seen> {
        let glance = self.glances.get(place)?;
        Some(Seen {
            records: glance.records,
            reached: glance.reached,
            oldest: glance.oldest,
            is_stamped: !glance.has_producer_time,
        })
    }

    /// Whether a copy that may have been made anew was.
    pub(super) fn is_confirmed(&self, place: &Place) -> bool {
        self.anew.contains(place)
    }
}

/// Connections, made when first needed.
struct Eyes<'a> {
    lab: &'a Lab,
    flow: &'a Flow,
    limit: &'a Limit,
    open: BTreeMap<String, Admin>,
}

impl Eyes<'_> {
    fn on(&mut self, cluster: &str) -> Result<&mut Admin, KafkaError> {
        if !self.open.contains_key(cluster) {
            let found = self.lab.topology.cluster(cluster);
            let endpoints = found.map_or(Ok(Vec::new()), addresses)?;
            let admin = Admin::connect(&endpoints, self.limit)?;
            self.open.insert(cluster.to_owned(), admin);
        }
        Ok(self.open.get_mut(cluster).expect("it is open by now"))
    }

    fn ends(
        &mut self,
        cluster: &str,
        topics: &[String],
    ) -> Result<BTreeMap<Place, Ends>, KafkaError> {
        let limit = self.limit;
        let admin = self.on(cluster)?;
        let first = admin.offsets(topics, At::Earliest, limit)?;
        let end = admin.offsets(topics, At::Latest, limit)?;
        let both = end.into_iter().filter_map(|(place, end)| {
            let first = *first.get(&place)?;
            Some((place, Ends { first, end }))
        });
        Ok(both.collect())
    }

    fn glances(
        &mut self,
        cluster: &str,
        parts: &BTreeMap<Place, Range<i64>>,
    ) -> Result<BTreeMap<Place, Peek>, KafkaError> {
        if parts.is_empty() {
            return Ok(BTreeMap::new());
        }
        let limit = self.limit;
        // what the flow leaves out is neither behind nor lost
        let committed_only =
            cluster == self.flow.spec.source && self.flow.reads_committed_only(&self.lab.topology);
        self.on(cluster)?.peek(parts, committed_only, limit)
    }
}

fn partitions<'a>(topics: &'a [Topic<'_>]) -> impl Iterator<Item = (&'a Topic<'a>, Place, Facts)> {
    topics.iter().flat_map(|topic| {
        let each = topic.partitions.iter();
        each.map(move |(id, facts)| (topic, (topic.source.to_owned(), *id), *facts))
    })
}

/// A source's end that was asked for before MirrorMaker noted more: only one that is asked for afterwards shows whether the topic
/// was made anew.
fn renew(topics: &mut [Topic<'_>], source: &str, eyes: &mut Eyes<'_>) {
    let old = topics.iter().filter(|topic| {
        let mut facts = topic.partitions.iter().map(|(_, facts)| facts);
        facts.any(is_beyond)
    });
    let old: Vec<String> = old.map(|topic| topic.source.to_owned()).collect();
    if !old.is_empty() {
        let fresh = eyes.ends(source, &old).unwrap_or_default();
        take(topics, &fresh);
    }
}

fn is_beyond(facts: &Facts) -> bool {
    facts.noted.is_some_and(|noted| noted >= facts.source.end)
}

/// Takes ends that were asked for afterwards. A partition whose end should have been, and was not told, is set aside: nothing is
/// known of it.
fn take(topics: &mut [Topic<'_>], fresh: &BTreeMap<Place, Ends>) {
    for topic in topics {
        let source = topic.source;
        topic.partitions.retain_mut(|(id, facts)| {
            let Some(ends) = fresh.get(&(source.to_owned(), *id)) else {
                return !is_beyond(facts);
            };
            facts.source = *ends;
            true
        });
    }
}

/// What is left of each partition that has something left.
fn outlooks(topics: &[Topic<'_>]) -> BTreeMap<Place, Range<i64>> {
    partitions(topics)
        .map(|(_, place, facts)| (place, facts.outlook().left))
        .filter(|(_, left)| !left.is_empty())
        .collect()
}

/// What may be lost of a partition.
struct Suspect {
    place: Place,
    there: Place,
    source: Ends,
    copy: Ends,
}

impl Suspect {
    fn of((topic, place, facts): (&Topic<'_>, Place, Facts)) -> Option<Self> {
        let Replica::There(copy) = facts.copy else {
            return None;
        };
        facts.outlook().is_suspicion.then(|| Self {
            there: (topic.remote.clone(), place.1),
            place,
            source: facts.source,
            copy,
        })
    }

    /// Whether the first records say so. What the target may have dropped by its own settings is not lost.
    fn is_confirmed(
        &self,
        source: Option<&Record>,
        copy: Option<&Record>,
        settings: &BTreeMap<Subject, Vec<Setting>>,
        now: i64,
    ) -> bool {
        if self.copy.first == 0 {
            return begins_later((self.source.first, source), (0, copy));
        }
        let Some(of_topic) = settings.get(&Subject::Topic(self.there.0.clone())) else {
            return false;
        };
        let setting = |name: &str| {
            let said = of_topic.iter().find(|setting| setting.name == name);
            said.and_then(|setting| setting.value.clone())
        };
        let time = source.and_then(|record| record.time);
        let is_later = match self.copy.length() {
            0 => source.is_some(),
            _ => begins_later((self.source.first, source), (self.copy.first, copy)),
        };
        is_later && !may_have_expired(time, setting, now)
    }
}

/// Of the partitions of which something may be lost, those whose first records say so.
fn suspects(
    topics: &[Topic<'_>],
    flow: &Flow,
    eyes: &mut Eyes<'_>,
) -> Result<BTreeSet<Place>, KafkaError> {
    let suspects: Vec<Suspect> = partitions(topics).filter_map(Suspect::of).collect();
    let whole = |ends: &Ends| ends.first..ends.end;
    let here = (suspects.iter()).map(|one| (one.place.clone(), whole(&one.source)));
    let here = eyes.glances(&flow.spec.source, &here.collect())?;
    let held = suspects.iter().filter(|one| one.copy.length() > 0);
    let there = held.map(|one| (one.there.clone(), whole(&one.copy)));
    let there = eyes.glances(&flow.spec.target, &there.collect())?;
    let cut = suspects.iter().filter(|one| one.copy.first > 0);
    let cut: BTreeSet<Subject> = cut.map(|one| Subject::Topic(one.there.0.clone())).collect();
    let settings = if cut.is_empty() {
        BTreeMap::new()
    } else {
        let limit = eyes.limit;
        let subjects: Vec<Subject> = cut.into_iter().collect();
        eyes.on(&flow.spec.target)?.settings(&subjects, limit)?
    };
    let now = to_millis(SystemTime::now());
    let first = |of: &BTreeMap<Place, Peek>, place: &Place| -> Option<Record> {
        of.get(place).and_then(|glance| glance.first.clone())
    };
    let confirmed = suspects.into_iter().filter(|one| {
        let (source, copy) = (first(&here, &one.place), first(&there, &one.there));
        one.is_confirmed(source.as_ref(), copy.as_ref(), &settings, now)
    });
    Ok(confirmed.map(|one| one.place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::judge::lag::TopicState;

    #[test]
    fn what_could_not_be_looked_at_afterwards_is_not_told_as_recreated() {
        let ends = |end| Ends { first: 0, end };
        let facts = |end, noted| Facts {
            source: ends(end),
            noted: Some(noted),
            copy: Replica::Unknown,
        };
        let topics = || {
            [Topic {
                source: "orders",
                remote: "primary.orders".to_owned(),
                state: TopicState::Mirrored,
                partition_count: 3,
                partitions: vec![(0, facts(10, 12)), (1, facts(10, 12)), (2, facts(10, 9))],
                starts_at_end: false,
                has_transactions: false,
                is_for_verify: false,
            }]
        };
        let told = |fresh: &[(i32, i64)]| {
            let place = |id| ("orders".to_owned(), id);
            let fresh = fresh.iter().map(|(id, end)| (place(*id), ends(*end)));
            let mut topics = topics();
            take(&mut topics, &fresh.collect());
            let [topic] = topics;
            let seen = topic.lag(&Left::default(), 0);
            let each = seen.partitions.iter();
            let told = each.map(|one| (one.partition, one.recreated)).collect();
            (told, seen.is_partly_unknown())
        };
        let expected: (Vec<(i32, bool)>, bool) = (vec![(2, false)], true);
        assert_eq!(told(&[]), expected, "nobody answered");
        assert_eq!(
            told(&[(0, 13), (1, 11), (2, 10)]),
            (vec![(0, false), (1, true), (2, false)], false)
        );
    }
}
