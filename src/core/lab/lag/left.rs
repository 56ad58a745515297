//! A look at the records that are left to copy, and at the first ones of both sides where a copy may have been made anew. One
//! connection to each side, and only where there is something to look at.

use super::Topic;
use crate::core::kafka::{Admin, At, Glance, KafkaError};
use crate::core::lab::{Lab, addresses};
use crate::core::lag::{Ends, Facts, Replica, Seen, begins_later};
use crate::core::message::Record;
use crate::core::topology::Flow;
use crate::core::wait::Limit;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

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
            limit: &limit,
            open: BTreeMap::new(),
        };
        let mut left = Self::default();
        // what fails is not seen, and said to be counted by offsets
        let _ = renew(topics, &flow.spec.source, &mut eyes);
        if let Ok(glances) = eyes.left(flow, &outlooks(topics)) {
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
            oldest: glance.first.as_ref().and_then(|first| first.time),
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

    /// What is left, as MirrorMaker will see it.
    fn left(
        &mut self,
        flow: &Flow,
        parts: &BTreeMap<Place, Range<i64>>,
    ) -> Result<BTreeMap<Place, Glance>, KafkaError> {
        if parts.is_empty() || !flow.reads_committed_only(&self.lab.topology) {
            return self.glances(&flow.spec.source, parts);
        }
        let limit = self.limit;
        self.on(&flow.spec.source)?
            .glances_at_committed(parts, limit)
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
        self.on(cluster)?.glances(parts, limit)
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

/// Of the copies that may have been made anew, those whose first record says so.
fn suspects(
    topics: &[Topic<'_>],
    flow: &Flow,
    eyes: &mut Eyes<'_>,
) -> Result<BTreeSet<Place>, KafkaError> {
    let suspects: Vec<(Place, Place, Ends, Ends)> = partitions(topics)
        .filter(|(.., facts)| facts.outlook().is_suspicion)
        .filter_map(|(topic, place, facts)| {
            let Replica::There(copy) = facts.copy else {
                return None;
            };
            let there = (topic.remote.clone(), place.1);
            Some((place, there, facts.source, copy))
        })
        .collect();
    let whole = |ends: &Ends| ends.first..ends.end;
    let here = suspects
        .iter()
        .map(|(place, _, ends, _)| (place.clone(), whole(ends)));
    let here = eyes.glances(&flow.spec.source, &here.collect())?;
    let there = suspects
        .iter()
        .map(|(_, there, _, ends)| (there.clone(), whole(ends)));
    let there = eyes.glances(&flow.spec.target, &there.collect())?;
    let first = |of: &BTreeMap<Place, Glance>, place: &Place| -> Option<Record> {
        of.get(place).and_then(|glance| glance.first.clone())
    };
    let confirmed = suspects.into_iter().filter(|(place, copy, _, ends)| {
        let (source, copy) = (first(&here, place), first(&there, copy));
        begins_later(source.as_ref(), copy.as_ref(), ends.first)
    });
    Ok(confirmed.map(|(place, ..)| place).collect())
}
