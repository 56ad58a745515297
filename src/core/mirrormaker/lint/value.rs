//! Checks values: those that Kafka cannot read, or reads otherwise than intended.

use super::Problem;
use crate::core::mirrormaker::properties::Entry;
use crate::core::mirrormaker::settings::{
    Consequence, Generation, KeyVerdict, Scope, Type, entries, failure, is_of_patterns, known_for,
    trimmed,
};
use crate::core::spec::filter::check_list;
use std::collections::{BTreeMap, BTreeSet};

type Settings<'a> = BTreeMap<&'a str, &'a str>;

/// A key that is read, where it is, and what it takes.
pub(super) struct Read<'k> {
    pub(super) place: Scope,
    /// Without the prefix of its place.
    pub(super) bare: &'k str,
    pub(super) kind: Type,
    /// The flow it stands at.
    pub(super) flow: Option<(&'k str, &'k str)>,
    /// What is to be said of it where only clients that do not matter here read it.
    pub(super) partly: Option<Problem>,
}

/// What values are judged by.
pub(super) struct Values<'a> {
    settings: &'a Settings<'a>,
    providers: Providers<'a>,
    /// Whether a class of the person's own may read the lists of topics and groups.
    has_own_filter: bool,
    kafka: Option<Generation>,
}

impl<'a> Values<'a> {
    pub(super) fn new(settings: &'a Settings<'a>, kafka: Option<Generation>) -> Self {
        let is_own = |(key, value): (&&str, &&str)| {
            key.ends_with("filter.class") && !trimmed(value).starts_with("org.apache.kafka.")
        };
        Self {
            settings,
            providers: Providers::new(settings),
            has_own_filter: settings.iter().any(is_own),
            kafka,
        }
    }

    /// All that is wrong with a value; nothing is known of what only a class of the person's own reads.
    pub(super) fn problems(&self, entry: &Entry, read: Option<&Read<'_>>) -> Vec<Problem> {
        let value = &entry.value;
        let wrong = match (entry.swallowed, read) {
            (Some(line), _) => Some(Problem::Swallowed(line)),
            _ if ends_in_a_comment(value) => Some(Problem::Comment),
            (None, Some(read)) => self.wrong(value, read),
            (None, None) => None,
        };
        wrong
            .into_iter()
            .chain(self.providers.lacking(value))
            .collect()
    }

    fn wrong(&self, value: &str, read: &Read<'_>) -> Option<Problem> {
        if value.contains("${") {
            return None;
        }
        let failure = failure(read.place, read.bare, self.kafka);
        let is_list = matches!(read.kind, Type::List | Type::Filled | Type::SomeOf(_));
        let entries = if is_list { entries(value) } else { Vec::new() };
        if entries.contains(&"") && (read.place, read.bare) == (Scope::Top, "clusters") {
            return Some(Problem::EmptyCluster);
        }
        if !read.kind.takes(value) {
            return Some(match read.kind {
                Type::Filled if !is_older(read) => Problem::EmptyEntry(failure),
                kind => Problem::Value {
                    value: value.to_owned(),
                    kind,
                    failure,
                },
            });
        }
        if is_quoted(&entries) {
            return Some(Problem::Quoted);
        }
        if read.kind == Type::Filled
            && matches!(failure, Consequence::Refused(_))
            && let Some(entry) = repeated(&entries)
        {
            let entry = entry.to_owned();
            return Some(Problem::Repeated { entry, failure });
        }
        if is_of_patterns(read.bare)
            && !self.has_own_filter
            && let Err((pattern, reason)) = check_list(&entries)
        {
            return Some(Problem::Pattern { pattern, reason });
        }
        self.blank_behind(value, read).map(Problem::BlankBehind)
    }

    /// What comes of a blank at the end, where Kafka reads the value as it stands: everything else it trims.
    fn blank_behind(&self, value: &str, read: &Read<'_>) -> Option<&'static str> {
        let bare = trimmed(value);
        if bare == value {
            return None;
        }
        let is_true = bare.eq_ignore_ascii_case("true");
        let was_true = is_true.then_some("MirrorMaker reads it as false");
        match (read.place, read.bare) {
            (Scope::Top | Scope::Flow, "replication.policy.separator") => {
                Some("it becomes part of topic names, and Kafka does not allow such names")
            }
            (Scope::Top | Scope::Flow, "replication.policy.internal.topic.separator.enabled")
            | (Scope::Top, "emit.heartbeats.enabled") => was_true,
            (Scope::Flow, "emit.heartbeats.enabled") => {
                was_true.filter(|_| !self.is_true(read, "enabled", None))
            }
            // where a worker runs for the heartbeats, its connectors trim what they read
            (Scope::Flow, "enabled") => was_true.filter(|_| {
                let beats = "emit.heartbeats.enabled";
                !self.is_true(read, beats, Some(beats))
            }),
            (Scope::Top, key)
                if read.kind == Type::Class && key.starts_with("config.providers.") =>
            {
                Some("there is no such class, and MirrorMaker does not start")
            }
            (Scope::Top | Scope::Cluster(_), "plugin.discovery") => {
                Some("MirrorMaker does not know this value and does not start")
            }
            _ => None,
        }
    }

    /// A switch of a pair of clusters as `MirrorMakerConfig.clusterPairs` reads it: untrimmed. `usual` is read where the pair
    /// says nothing; without that it is off, and without a value there on.
    fn is_true(&self, read: &Read<'_>, key: &str, usual: Option<&str>) -> bool {
        let Some((source, target)) = read.flow else {
            return false;
        };
        let own = self
            .settings
            .get(format!("{source}->{target}.{key}").as_str());
        let says = |value: &&str| value.eq_ignore_ascii_case("true");
        match (own, usual) {
            (Some(value), _) => says(value),
            (None, Some(key)) => self.settings.get(key).is_none_or(says),
            (None, None) => false,
        }
    }
}

/// Whether Kafka took no empty entries before 4.0 either.
fn is_older(read: &Read<'_>) -> bool {
    let old = known_for(read.place, read.bare, Some(Generation::Three));
    old == KeyVerdict::Known(Type::Filled)
}

/// Whether a person believed that a value ends at `#`. Between quotes it is meant.
fn ends_in_a_comment(value: &str) -> bool {
    let is_one = |(at, _): &(usize, &str)| {
        let before = &value[..*at];
        before.ends_with([' ', '\t']) || (before.is_empty() && value.starts_with("# "))
    };
    let mark = value.match_indices('#').find(is_one);
    mark.is_some_and(|(at, _)| value[..at].matches('"').count().is_multiple_of(2))
}

/// Whether quotes stand around a list, or around its entries. Between brackets they may be meant.
fn is_quoted(entries: &[&str]) -> bool {
    const QUOTES: [char; 3] = ['"', '\'', '`'];
    let mut plain = entries.iter().filter(|entry| !entry.contains('['));
    plain.any(|entry| entry.starts_with(QUOTES) || entry.ends_with(QUOTES))
}

/// The first entry that stands there a second time.
fn repeated<'e>(entries: &[&'e str]) -> Option<&'e str> {
    let mut seen = BTreeSet::new();
    entries.iter().copied().find(|entry| !seen.insert(*entry))
}

/// Whether Kafka can read a value, as far as it can be known: what a reference stands for is not.
pub(crate) fn is_readable(kind: Type, value: &str) -> bool {
    kind.takes(value) || value.contains("${")
}

/// Whether classes of the person's own may read settings that nothing else knows.
pub(crate) fn has_own_code(settings: &BTreeMap<&str, &str>) -> bool {
    let mut settings = settings.iter();
    settings.any(|(key, value)| is_own_class(key, value))
}

/// Whether a setting names a class that is not Kafka's.
pub(super) fn is_own_class(key: &str, value: &str) -> bool {
    let ends = [
        ".class",
        ".classes",
        ".reporters",
        ".type",
        "key.converter",
        "value.converter",
        "header.converter",
    ];
    let is_own = |name: &str| name.contains('.') && !name.trim().starts_with("org.apache.kafka.");
    ends.iter().any(|end| key.ends_with(end)) && value.split(',').any(is_own)
}

/// What `config.providers` names, and whether each has its class: without it MirrorMaker makes no provider, and says nothing.
struct Providers<'a>(BTreeMap<&'a str, bool>);

impl<'a> Providers<'a> {
    fn new(settings: &Settings<'a>) -> Self {
        let list = settings.get("config.providers").copied();
        let has_class =
            |name: &str| settings.contains_key(format!("config.providers.{name}.class").as_str());
        let names = entries(list.unwrap_or_default()).into_iter();
        Self(names.map(|name| (name, has_class(name))).collect())
    }

    /// The first reference in a value that stays as it is.
    fn lacking(&self, value: &str) -> Option<Problem> {
        let references = value.split("${").skip(1);
        let mut names = references.filter_map(|rest| {
            let (inside, _) = rest.split_once('}')?;
            Some(inside.split_once(':')?.0)
        });
        names.find_map(|name| match self.0.get(name) {
            Some(true) => None,
            Some(false) => Some(Problem::NoProviderClass(name.to_owned())),
            None => Some(Problem::NoProvider(name.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_behind_a_value() {
        for value in ["a, b  # all", "true\t#", "a #b", "# all"] {
            assert!(ends_in_a_comment(value), "{value}");
        }
        for value in ["a#b", "#", "#b", "", r#"x password="a #b";"#] {
            assert!(!ends_in_a_comment(value), "{value}");
        }
    }

    #[test]
    fn quotes_that_are_a_part_of_what_they_stand_around() {
        for list in ["\"a", "a'", "`a`"] {
            assert!(is_quoted(&["x", list]), "{list}");
        }
        assert!(!is_quoted(&["a", "[\"]", "b\"c"]));
    }

    #[test]
    fn a_reference_without_its_provider() {
        let providers = Providers::new(&BTreeMap::from([
            ("config.providers", "env, file , vault"),
            ("config.providers.env.class", "E"),
            ("config.providers.file.class", "F"),
        ]));
        assert_eq!(providers.lacking("${env:A}${file:/a:b}"), None);
        let none = Problem::NoProvider("other".to_owned());
        assert_eq!(providers.lacking("x${other:A}"), Some(none));
        let no_class = Problem::NoProviderClass("vault".to_owned());
        assert_eq!(providers.lacking("${env:A}${vault:A}"), Some(no_class));
        assert_eq!(providers.lacking("${A} ${env"), None);
    }
}
