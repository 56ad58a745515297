//! The clusters and flows that a properties file names.

use super::Problem;
use crate::core::mirrormaker::settings::{Alternative, ClusterUse, Scope, Side, trimmed};
use std::collections::{BTreeMap, BTreeSet};

/// Dots of a key at which a name may end, at most.
pub(super) const DOTS: usize = 6;
/// More aliases than that are no clusters of anybody's.
const MOST: usize = 20;

/// Aliases, and what MirrorMaker does between them (`MirrorMakerConfig.clusterPairs`).
pub(super) struct Flows<'a> {
    aliases: BTreeSet<&'a str>,
    enabled: Vec<(&'a str, &'a str)>,
    told: BTreeMap<(&'a str, &'a str), PairSettings>,
    /// Whether pairs are enabled that the file says nothing of, as far as a worker runs for them.
    all_on: bool,
    /// Whether pairs emit heartbeats that the file says nothing of.
    all_beat: bool,
    workers: BTreeSet<&'a str>,
    sources: BTreeSet<&'a str>,
    targets: BTreeSet<&'a str>,
}

/// What the file says of a pair, if anything.
#[derive(Debug, Clone, Copy, Default)]
struct PairSettings {
    /// For MirrorMaker, which starts a worker.
    enabled: bool,
    /// For the connectors that the worker runs.
    on: Option<bool>,
    beats: Option<bool>,
}

/// An ordered pair of clusters for which a worker runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) source: &'a str,
    pub(super) target: &'a str,
    /// Whether it mirrors; otherwise it emits heartbeats.
    pub(super) is_enabled: bool,
}

/// A key, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing<'k> {
    Top(&'k str),
    Cluster(&'k str, &'k str),
    Flow(&'k str, &'k str, &'k str),
    /// A flow from a cluster to itself.
    Itself(&'k str),
    /// A flow of a cluster that there is not.
    Nobody(&'k str),
}

impl<'a> Flows<'a> {
    /// From the settings that count.
    pub(super) fn new(settings: &BTreeMap<&'a str, &'a str>) -> Self {
        let list = settings.get("clusters").copied().unwrap_or_default();
        // what looks like a comment is found elsewhere; here it would only make an alias that nothing fits
        let list = list.split(" #").next().unwrap_or_default();
        let list = trimmed(list).trim_matches('"');
        let aliases: BTreeSet<&str> = list
            .split(',')
            .map(trimmed)
            .filter(|name| !name.is_empty())
            .collect();
        // pairs are read as they stand, what connectors are given is trimmed
        let is_true = |value: &str| value.eq_ignore_ascii_case("true");
        let is_on = |value: &str| is_true(trimmed(value));
        let beats = "emit.heartbeats.enabled";
        let all_beat = settings.get(beats).is_none_or(|value| is_true(value));
        let all_on = settings.get("enabled").is_some_and(|value| is_on(value));
        let mut flows = Self {
            aliases,
            enabled: Vec::new(),
            told: BTreeMap::new(),
            all_on,
            all_beat,
            workers: BTreeSet::new(),
            sources: BTreeSet::new(),
            targets: BTreeSet::new(),
        };
        for (key, value) in settings {
            let Some((source, target, bare)) = flows.pair(key) else {
                continue;
            };
            let told = flows.told.entry((source, target)).or_default();
            match bare {
                "enabled" => (told.enabled, told.on) = (is_true(value), Some(is_on(value))),
                _ if bare == beats => told.beats = Some(is_true(value)),
                _ => {}
            }
        }
        // a pair that the file says nothing of starts a worker all the same, unless heartbeats are off everywhere
        let mut silenced: BTreeMap<&str, usize> = BTreeMap::new();
        for (source, target) in flows.told.keys().copied().collect::<Vec<_>>() {
            if flows.is_enabled(source, target) {
                flows.enabled.push((source, target));
                flows.sources.insert(source);
                flows.targets.insert(target);
            }
            if flows.runs(source, target) {
                flows.workers.insert(target);
            } else {
                *silenced.entry(target).or_default() += 1;
            }
        }
        let others = flows.aliases.len().saturating_sub(1);
        if all_beat {
            let unsaid = |alias: &&str| silenced.get(alias).copied().unwrap_or(0) < others;
            let more: Vec<&str> = flows.aliases.iter().copied().filter(unsaid).collect();
            flows.workers.extend(more);
        }
        if all_on && all_beat && others > 0 {
            flows.sources.extend(&flows.aliases);
            flows.targets.extend(&flows.aliases);
        }
        flows
    }

    pub(super) fn aliases(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.aliases.iter().copied()
    }

    /// Whether to look at every pair would take too long.
    pub(super) fn are_too_many(&self) -> bool {
        self.aliases.len() > MOST
    }

    fn told(&self, source: &str, target: &str) -> PairSettings {
        let told = self.told.get(&(source, target));
        told.copied().unwrap_or_default()
    }

    /// Whether a worker runs for a pair; the `enabled` of all pairs starts none.
    fn runs(&self, source: &str, target: &str) -> bool {
        let told = self.told(source, target);
        told.enabled || told.beats.unwrap_or(self.all_beat)
    }

    fn is_enabled(&self, source: &str, target: &str) -> bool {
        let told = self.told(source, target);
        told.on.unwrap_or(self.all_on) && self.runs(source, target)
    }

    /// Every flow that is enabled.
    pub(super) fn pairs(&self) -> Vec<(&'a str, &'a str)> {
        if !self.all_on {
            return self.enabled.clone();
        }
        let pairs = self.every_pair();
        pairs
            .filter(|(source, target)| self.is_enabled(source, target))
            .collect()
    }

    /// Every pair for which a worker runs. Where no flow is enabled, all are taken to be: the rest is meant for them.
    pub(super) fn running(&self) -> Vec<Pair<'a>> {
        let is_none = self.targets.is_empty();
        let pairs = self.every_pair();
        let pairs = pairs.filter(|(source, target)| is_none || self.runs(source, target));
        pairs
            .map(|(source, target)| Pair {
                source,
                target,
                is_enabled: is_none || self.is_enabled(source, target),
            })
            .collect()
    }

    fn every_pair(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        let sources = self.aliases.iter().copied();
        let pairs = sources.flat_map(|one| self.aliases.iter().map(move |other| (one, *other)));
        pairs.filter(|(source, target)| source != target)
    }

    pub(super) fn use_of(&self, alias: &str) -> ClusterUse {
        if self.targets.is_empty() {
            return super::ANY_USE;
        }
        ClusterUse {
            is_read: self.sources.contains(alias),
            is_written: self.targets.contains(alias),
            has_worker: self.workers.contains(alias),
        }
    }

    /// What the file as a whole lacks.
    pub(super) fn missing(&self, settings: &BTreeMap<&str, &str>) -> Vec<Problem> {
        if self.aliases.is_empty() {
            return vec![Problem::NoClusters];
        }
        let has =
            |alias: &str| settings.contains_key(format!("{alias}.bootstrap.servers").as_str());
        let lacking = self.aliases.iter().filter(|alias| !has(alias));
        let lacking: Vec<Problem> = if settings.contains_key("bootstrap.servers") {
            Vec::new()
        } else {
            let problems = lacking.map(|alias| Problem::NoBootstrap((*alias).to_owned()));
            problems.take(super::MOST).collect()
        };
        let no_flow = self.targets.is_empty().then_some(Problem::NoFlow);
        lacking.into_iter().chain(no_flow).collect()
    }

    /// Takes a key apart; `is_known` tells whether what is left makes sense behind a name.
    pub(super) fn standing<'k>(
        &self,
        key: &'k str,
        is_known: impl Fn(Scope, &str) -> bool,
    ) -> Standing<'k> {
        let Some((source, rest)) = key.split_once("->") else {
            return match self.alias(key) {
                Some((alias, bare)) => Standing::Cluster(alias, bare),
                None => Standing::Top(key),
            };
        };
        let target = self.alias(rest);
        if !self.aliases.contains(source) {
            return Standing::Nobody(source);
        }
        match target {
            Some((target, _)) if target == source => Standing::Itself(source),
            Some((target, bare)) => Standing::Flow(source, target, bare),
            None => {
                let mut dots = rest.match_indices('.').map(|(at, _)| at).take(DOTS);
                let end = dots.find(|at| is_known(Scope::Flow, &rest[at + 1..]));
                let end = end.or_else(|| rest.find('.')).unwrap_or(rest.len());
                Standing::Nobody(&rest[..end])
            }
        }
    }

    fn pair<'k>(&self, key: &'k str) -> Option<(&'k str, &'k str, &'k str)> {
        let (source, rest) = key.split_once("->")?;
        let (target, bare) = self.alias(rest)?;
        (self.aliases.contains(source) && source != target).then_some((source, target, bare))
    }

    /// The longest alias that the text begins with, and what stands behind its dot.
    fn alias<'k>(&self, text: &'k str) -> Option<(&'k str, &'k str)> {
        let dots = text.match_indices('.').map(|(at, _)| at);
        let mut ends = dots.filter(|at| self.aliases.contains(&text[..*at]));
        ends.next_back().map(|at| (&text[..at], &text[at + 1..]))
    }

    /// A place to write a key at, by the names that are nearest to where it stands.
    pub(super) fn name(&self, right: &Alternative, standing: &Standing) -> String {
        let (source, target) = self.flow_near(standing);
        match right {
            Alternative::Top(key) => key.clone(),
            Alternative::Flow(key) => format!("{source}->{target}.{key}"),
            Alternative::Cluster(side, key) => {
                let own = match (side, standing) {
                    (Side::Source, Standing::Cluster(alias, _)) => self.sources.get(alias),
                    (Side::Target, Standing::Cluster(alias, _)) => self.targets.get(alias),
                    (Side::Either, Standing::Cluster(alias, _)) => self.aliases.get(alias),
                    _ => None,
                };
                let of_flow = if *side == Side::Source {
                    source
                } else {
                    target
                };
                format!("{}.{key}", own.copied().unwrap_or(of_flow))
            }
        }
    }

    /// The flow that a key is about, or might be.
    fn flow_near<'k>(&self, standing: &Standing<'k>) -> (&'k str, &'k str)
    where
        'a: 'k,
    {
        let touches = |alias: &str| {
            let mut flows = self.enabled.iter();
            flows.find(|(source, target)| *source == alias || *target == alias)
        };
        let near = match standing {
            Standing::Flow(source, target, _) => Some((*source, *target)),
            Standing::Cluster(alias, _) => touches(alias).copied(),
            _ => None,
        };
        near.or_else(|| self.enabled.first().copied())
            .unwrap_or(("<source>", "<target>"))
    }
}
