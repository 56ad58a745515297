//! Finds what MirrorMaker would not do of what its properties file says. Pure.
//!
//! MirrorMaker silently ignores unknown and misplaced keys. Which key is read where is known to
//! [`mm2_settings`](crate::core::mirrormaker::settings); here it is applied to a whole file with its aliases and flows.

mod cycles;
mod finding;
mod flows;
mod own;
mod reach;
mod value;
mod workers;
mod written;

pub use finding::{Finding, Problem};
pub(crate) use value::{has_own_code, is_readable};

pub use crate::core::mirrormaker::properties::Encoding;
use crate::core::mirrormaker::properties::{Entry, Spelling, read};
use crate::core::mirrormaker::settings::BEATS_PRODUCER;
use crate::core::mirrormaker::settings::reader::{is_of_brokers, is_of_its_topics};
use crate::core::mirrormaker::settings::{
    Alternative, ClusterUse, Generation, KeyVerdict, Scope, Type, alternatives, known_for,
};
use crate::core::nearest::nearest;
use flows::{Flows, Standing};
use own::OwnCode;
use reach::{Reach, Readers};
use std::collections::BTreeMap;
use value::{Read, Values};

/// Keys in question at most; after that many it is another kind of file. Keeps the longest file quick.
pub const MOST: usize = 200;

/// Everything in the text that MirrorMaker ignores, or cannot read, by line; with no Kafka named, a setting that any of
/// those known has is right.
pub fn lint(text: &str, kafka: Option<Generation>) -> Vec<Finding> {
    lint_in(text, Encoding::Utf8, kafka)
}

/// As [`lint`], of a text that stood in the file in this encoding.
pub fn lint_in(text: &str, encoding: Encoding, kafka: Option<Generation>) -> Vec<Finding> {
    let (text, mark) = written::without_mark(text);
    let entries = read(text);
    let last: BTreeMap<&str, usize> = (0..)
        .zip(&entries)
        .map(|(index, entry)| (entry.key.as_str(), index))
        .collect();
    let counts: BTreeMap<&str, &str> = last
        .iter()
        .map(|(key, index)| (*key, entries[*index].value.as_str()))
        .collect();
    let flows = Flows::new(&counts);
    let file = File {
        values: Values::new(&counts, kafka),
        own_code: OwnCode::new(&flows, &counts),
        readers: Readers::new(&flows, &counts, kafka),
        flows,
        encoding,
        kafka,
    };
    let clusters = last.get("clusters").map_or(1, |index| entries[*index].line);
    let missing = file.flows.missing(&counts).into_iter();
    let missing = missing.map(|problem| Finding {
        line: clusters,
        key: "clusters".to_owned(),
        problem,
    });
    let mut findings: Vec<Finding> = mark.into_iter().chain(missing).collect();
    let round = cycles::same_clusters(&file.flows, &counts).into_iter();
    let round = round.chain(cycles::rings(&file.flows, &counts));
    let round = round.chain(workers::shared(&file.flows, &counts));
    findings.extend(round.take(MOST).map(|(key, problem)| {
        Finding {
            line: last
                .get(key.as_str())
                .map_or(clusters, |index| entries[*index].line),
            key,
            problem,
        }
    }));
    let mut let_pass = 0;
    for (index, entry) in entries.iter().enumerate() {
        if findings.len() + let_pass >= MOST {
            findings.push(finding(entry, Problem::TooMany));
            break;
        }
        let counting = last[entry.key.as_str()];
        if entry.spelling == Spelling::Malformed {
            findings.push(finding(entry, Problem::Malformed));
        } else if counting == index {
            let problems = file.judge(entry, &mut let_pass).into_iter();
            findings.extend(problems.map(|problem| finding(entry, problem)));
        } else {
            findings.push(finding(entry, Problem::SetAgain(entries[counting].line)));
        }
    }
    findings.sort_by_key(|finding| finding.line);
    findings
}

fn finding(entry: &Entry, problem: Problem) -> Finding {
    Finding {
        line: entry.line,
        key: entry.key.clone(),
        problem,
    }
}

/// How many settings a file has; those set twice count once.
pub fn settings(text: &str) -> usize {
    let entries = read(written::without_mark(text).0);
    let keys: std::collections::BTreeSet<&str> =
        entries.iter().map(|entry| entry.key.as_str()).collect();
    keys.len()
}

/// A file as a whole.
struct File<'a> {
    flows: Flows<'a>,
    values: Values<'a>,
    own_code: OwnCode<'a>,
    readers: Readers<'a>,
    encoding: Encoding,
    kafka: Option<Generation>,
}

/// Where everything is read that clusters can have.
const ANY_USE: ClusterUse = ClusterUse {
    is_read: true,
    is_written: true,
    has_worker: true,
};

impl File<'_> {
    /// `let_pass` counts the keys that only a class of the person's own can know.
    fn judge(&self, entry: &Entry, let_pass: &mut usize) -> Vec<Problem> {
        if entry.value.starts_with("->") {
            return vec![Problem::BlankInKey];
        }
        let mut problems = Vec::from_iter(written::odd(entry, self.encoding));
        if problems == [Problem::NoBreakSpace] {
            return problems;
        }
        let mut read = match self.read(entry) {
            Ok(read) => read,
            Err(problem) => {
                problems.push(problem);
                return problems;
            }
        };
        *let_pass += usize::from(read.is_none());
        let gone = read.as_ref().and_then(|read| self.gone(entry, read));
        problems.extend(gone);
        problems.extend(read.as_mut().and_then(|read| read.partly.take()));
        problems.extend(self.values.problems(entry, read.as_ref()));
        problems
    }

    /// A list that Kafka 4 has under another name only, where both Kafkas are asked for.
    fn gone(&self, entry: &Entry, read: &Read<'_>) -> Option<Problem> {
        let now = known_for(read.place, read.bare, Some(Generation::Four));
        let is_gone = self.kafka.is_none() && now == KeyVerdict::OnlyIn(Generation::Three);
        renamed(&entry.key).filter(|_| is_gone)
    }

    /// What is read; nothing where only a class of the person's own can know.
    fn read<'k>(&self, entry: &'k Entry) -> Result<Option<Read<'k>>, Problem> {
        let standing = self.standing(&entry.key);
        let (place, bare) = match &standing {
            Standing::Top(key) => (Scope::Top, *key),
            Standing::Cluster(alias, key) => (Scope::Cluster(self.flows.use_of(alias)), *key),
            Standing::Flow(_, _, key) => (Scope::Flow, *key),
            Standing::Itself(alias) => return Err(Problem::Itself((*alias).to_owned())),
            Standing::Nobody(name) => return Err(self.unknown_alias(&entry.key, name)),
        };
        if let Some(problem) = workers::only_connector(&standing, &entry.value) {
            return Err(problem);
        }
        match known_for(place, bare, self.kafka) {
            KeyVerdict::Known(kind) => {
                let flow = match standing {
                    Standing::Flow(source, target, _) => Some((source, target)),
                    _ => None,
                };
                let read = Read {
                    place,
                    bare,
                    kind: self.strictest(place, bare, kind),
                    flow,
                    partly: None,
                };
                self.reached(&entry.key, bare, &standing, Ok(read))
                    .map(Some)
            }
            KeyVerdict::Partly {
                reaches,
                alternatives,
            } => {
                let instead = self.names(&alternatives, &standing);
                let partly = Err(Problem::Partly { reaches, instead });
                self.reached(&entry.key, bare, &standing, partly).map(Some)
            }
            KeyVerdict::Overruled(why) => Err(Problem::Overruled(why)),
            KeyVerdict::OnlyIn(only) => Err(renamed(&entry.key).unwrap_or(Problem::OnlyIn(only))),
            KeyVerdict::Misplaced(alternatives) => {
                Err(Problem::Misplaced(self.names(&alternatives, &standing)))
            }
            KeyVerdict::Unknown { meant } => {
                let stray = matches!(standing, Standing::Top(_));
                if let Some(name) = stray.then(|| self.stray_alias(bare)).flatten() {
                    return Err(self.unknown_alias(&entry.key, name));
                }
                if is_of_brokers(bare) {
                    return Err(Problem::OfBroker);
                }
                if is_of_its_topics(bare) {
                    return Err(Problem::OfTopic);
                }
                if meant.is_empty() && self.own_code.could_read(&standing) {
                    return Ok(None);
                }
                Err(Problem::Unknown(self.names(&meant, &standing)))
            }
        }
    }

    /// Takes a key apart. Some that begin like a cluster's are settings as a whole: `source.cluster.alias`.
    fn standing<'k>(&self, key: &'k str) -> Standing<'k> {
        let standing = self
            .flows
            .standing(key, |place, key| self.is_known(place, key));
        match &standing {
            Standing::Cluster(alias, bare)
                if !self.is_known(Scope::Cluster(self.flows.use_of(alias)), bare)
                    && self.is_known(Scope::Top, key) =>
            {
                Standing::Top(key)
            }
            _ => standing,
        }
    }

    /// `at_best` is what can be said of the place; here it is known who gets it.
    fn reached<'k>(
        &self,
        key: &str,
        bare: &str,
        standing: &Standing,
        at_best: Result<Read<'k>, Problem>,
    ) -> Result<Read<'k>, Problem> {
        let elsewhere = || {
            let mut names = self.names(&alternatives(bare, self.kafka), standing);
            names.retain(|name| name != key);
            names
        };
        match self.readers.reach(key, standing) {
            Some(Reach::Shadowed(winners)) => Err(Problem::Shadowed(winners)),
            Some(Reach::NotEnabled(flow)) => Err(Problem::NotEnabled(flow)),
            Some(Reach::Nobody) => Err(Problem::Misplaced(elsewhere())),
            Some(Reach::Beside(reaches)) => {
                // there is no better place in a flow that does not run
                let only_beats = reaches == BEATS_PRODUCER;
                let instead = if only_beats { Vec::new() } else { elsewhere() };
                let partly = Problem::Partly { reaches, instead };
                match at_best {
                    Ok(read) => Ok(Read {
                        partly: Some(partly),
                        ..read
                    }),
                    Err(_) if only_beats => Err(partly),
                    said => said,
                }
            }
            _ => at_best,
        }
    }

    fn names(&self, alternatives: &[Alternative], standing: &Standing) -> Vec<String> {
        let names = alternatives
            .iter()
            .map(|right| self.flows.name(right, standing));
        let mut names: Vec<String> = names.collect();
        names.dedup();
        names
    }

    /// Of a list, what Kafka 4.2 takes, if no Kafka is named: what it refuses no other one needs.
    fn strictest(&self, place: Scope, bare: &str, kind: Type) -> Type {
        match known_for(place, bare, self.kafka.or(Some(Generation::Four))) {
            KeyVerdict::Known(Type::Filled) => Type::Filled,
            _ => kind,
        }
    }

    fn is_known(&self, place: Scope, key: &str) -> bool {
        matches!(known_for(place, key, self.kafka), KeyVerdict::Known(_))
    }

    /// The name before what could only be a setting of a cluster.
    fn stray_alias<'k>(&self, key: &'k str) -> Option<&'k str> {
        let mut dots = key.match_indices('.').map(|(at, _)| at).take(flows::DOTS);
        let name = dots.find(|at| self.is_known(Scope::Cluster(ANY_USE), &key[at + 1..]));
        name.map(|at| &key[..at])
    }

    fn unknown_alias(&self, key: &str, name: &str) -> Problem {
        let near = nearest(name, self.flows.aliases());
        // behind the arrow, unless it is the source
        let arrow = key
            .find("->")
            .filter(|_| !key.starts_with(&format!("{name}->")));
        let (before, rest) = key.split_at(arrow.map_or(0, |at| at + 2));
        let with = |near: &str| Some(format!("{before}{near}{}", rest.strip_prefix(name)?));
        Problem::UnknownAlias {
            name: name.to_owned(),
            nearest: near.map(str::to_owned),
            instead: near.and_then(with).into_iter().collect(),
        }
    }
}

/// What `topics.blacklist` and its like are called in Kafka 4.
fn renamed(key: &str) -> Option<Problem> {
    let list = key.strip_suffix(".blacklist")?;
    Some(Problem::Gone(vec![format!("{list}.exclude")]))
}

#[cfg(test)]
mod tests;
