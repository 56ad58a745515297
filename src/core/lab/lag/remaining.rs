//! A peek at the records that remain to be copied, and at the first ones of both topics where one may have been recreated.
//! One connection to each cluster, and only where there is something to see.

use super::Topic;
use crate::core::judge::lag::{Ends, Facts, Replica, Seen, begins_later, may_have_expired};
use crate::core::lab::Lab;
use crate::core::observe::connect;
use crate::core::topology::Flow;
use kmk_kafka::message::{Record, to_millis};
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, KafkaError, Peek, Setting, Subject};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, SystemTime};

/// How long all of it may take. What was not seen by then is counted by its offsets.
const PATIENCE: Duration = Duration::from_secs(1);

/// A topic of the source and a partition of it.
type Place = (String, i32);

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Remaining {
    peeks: BTreeMap<Place, Peek>,
    /// Where a topic was recreated, as its first record shows.
    recreated: BTreeSet<Place>,
}

impl Remaining {
    /// Looks, as far as it can.
    pub(super) fn look(lab: &Lab, flow: &Flow, topics: &[Topic<'_>], limit: &Limit) -> Self {
        let limit = limit.at_most(PATIENCE);
        let mut look = Look {
            lab,
            flow,
            limit: &limit,
            open: BTreeMap::new(),
        };
        let mut remaining = Self::default();
        // what fails is not seen, and said to be counted by offsets
        if let Ok(peeks) = look.peeks(&flow.spec.source, &outlooks(topics)) {
            remaining.peeks = peeks;
        }
        if let Ok(recreated) = suspects(topics, flow, &mut look) {
            remaining.recreated = recreated;
        }
        remaining
    }

    /// What was seen of the records that are left.
    pub(super) fn seen(&self, place: &Place) -> Option<Seen> {
        let peek = self.peeks.get(place)?;
        Some(Seen {
            records: peek.records,
            reached: peek.reached,
            oldest: peek.oldest,
            is_stamped: !peek.has_producer_time,
        })
    }

    /// Whether a topic that may have been recreated was.
    pub(super) fn is_confirmed(&self, place: &Place) -> bool {
        self.recreated.contains(place)
    }
}

/// Connections, made when first needed.
struct Look<'a> {
    lab: &'a Lab,
    flow: &'a Flow,
    limit: &'a Limit,
    open: BTreeMap<String, Admin>,
}

impl Look<'_> {
    fn on(&mut self, cluster: &str) -> Result<&mut Admin, KafkaError> {
        if !self.open.contains_key(cluster) {
            let admin = connect(&self.lab.topology, cluster, self.limit)?;
            self.open.insert(cluster.to_owned(), admin);
        }
        Ok(self.open.get_mut(cluster).expect("it is open by now"))
    }

    fn peeks(
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
    look: &mut Look<'_>,
) -> Result<BTreeSet<Place>, KafkaError> {
    let suspects: Vec<Suspect> = partitions(topics).filter_map(Suspect::of).collect();
    let whole = |ends: &Ends| ends.first..ends.end;
    let here = (suspects.iter()).map(|one| (one.place.clone(), whole(&one.source)));
    let here = look.peeks(&flow.spec.source, &here.collect())?;
    let held = suspects.iter().filter(|one| one.copy.length() > 0);
    let there = held.map(|one| (one.there.clone(), whole(&one.copy)));
    let there = look.peeks(&flow.spec.target, &there.collect())?;
    let cut = suspects.iter().filter(|one| one.copy.first > 0);
    let cut: BTreeSet<Subject> = cut.map(|one| Subject::Topic(one.there.0.clone())).collect();
    let settings = if cut.is_empty() {
        BTreeMap::new()
    } else {
        let limit = look.limit;
        let subjects: Vec<Subject> = cut.into_iter().collect();
        look.on(&flow.spec.target)?.settings(&subjects, limit)?
    };
    let now = to_millis(SystemTime::now());
    let first = |of: &BTreeMap<Place, Peek>, place: &Place| -> Option<Record> {
        of.get(place).and_then(|peek| peek.first.clone())
    };
    let confirmed = suspects.into_iter().filter(|one| {
        let (source, copy) = (first(&here, &one.place), first(&there, &one.there));
        one.is_confirmed(source.as_ref(), copy.as_ref(), &settings, now)
    });
    Ok(confirmed.map(|one| one.place).collect())
}
