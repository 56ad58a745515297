//! A look at the records that are left to copy, and at the first ones of both sides where a copy may have been made anew. One
//! connection to each side, and only where there is something to look at.

use super::Topic;
use crate::core::kafka::{Admin, At, Glance, KafkaError, Setting, Subject};
use crate::core::lab::{Lab, addresses};
use crate::core::lag::{Ends, Facts, Replica, Seen, begins_later, may_have_expired};
use crate::core::message::{Record, to_millis};
use crate::core::topology::Flow;
use crate::core::wait::Limit;
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
    glances: BTreeMap<Place, Glance>,
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
        // what fails is not seen, and said to be counted by offsets
        let _ = renew(topics, &flow.spec.source, &mut eyes);
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

    fn glances(
        &mut self,
        cluster: &str,
        parts: &BTreeMap<Place, Range<i64>>,
    ) -> Result<BTreeMap<Place, Glance>, KafkaError> {
        if parts.is_empty() {
            return Ok(BTreeMap::new());
        }
        let limit = self.limit;
        // what the flow leaves out is neither behind nor lost
        let committed_only =
            cluster == self.flow.spec.source && self.flow.reads_committed_only(&self.lab.topology);
        self.on(cluster)?.glances(parts, committed_only, limit)
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
fn renew(topics: &mut [Topic<'_>], source: &str, eyes: &mut Eyes<'_>) -> Result<(), KafkaError> {
    let is_old = |topic: &&mut Topic<'_>| {
        let mut facts = topic.partitions.iter().map(|(_, facts)| facts);
        facts.any(|facts| facts.noted.is_some_and(|noted| noted >= facts.source.end))
    };
    let mut old: Vec<&mut Topic<'_>> = topics.iter_mut().filter(is_old).collect();
    if old.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = old.iter().map(|topic| topic.source.to_owned()).collect();
    let limit = eyes.limit;
    let admin = eyes.on(source)?;
    let first = admin.offsets(&names, At::Earliest, limit)?;
    let end = admin.offsets(&names, At::Latest, limit)?;
    for topic in &mut old {
        for (id, facts) in &mut topic.partitions {
            let place = (topic.source.to_owned(), *id);
            if let (Some(&first), Some(&end)) = (first.get(&place), end.get(&place)) {
                facts.source = Ends { first, end };
            }
        }
    }
    Ok(())
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
    let first = |of: &BTreeMap<Place, Glance>, place: &Place| -> Option<Record> {
        of.get(place).and_then(|glance| glance.first.clone())
    };
    let confirmed = suspects.into_iter().filter(|one| {
        let (source, copy) = (first(&here, &one.place), first(&there, &one.there));
        one.is_confirmed(source.as_ref(), copy.as_ref(), &settings, now)
    });
    Ok(confirmed.map(|one| one.place).collect())
}
