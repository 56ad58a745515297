//! Values: what looks like a comment, references to providers, classes that are not Kafka's. Knows nothing of keys' places.

use crate::core::mm2_settings::Type;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a person believed that a value ends at `#`. Between quotes it is meant.
pub(super) fn ends_in_a_comment(value: &str) -> bool {
    let is_one = |(at, _): &(usize, &str)| value[..*at].ends_with([' ', '\t']);
    let mark = value.match_indices('#').find(is_one);
    mark.is_some_and(|(at, _)| value[..at].matches('"').count().is_multiple_of(2))
}

/// Whether Kafka can read a value, as far as it can be known: what a reference stands for is not.
pub(crate) fn is_readable(kind: Type, value: &str) -> bool {
    kind.takes(value) || value.contains("${")
}

/// Whether classes of the person's own may read settings that nobody else knows.
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

/// What `config.providers` names.
pub(super) struct Providers<'a>(BTreeSet<&'a str>);

impl<'a> Providers<'a> {
    pub(super) fn new(settings: &BTreeMap<&'a str, &'a str>) -> Self {
        let list = settings
            .get("config.providers")
            .copied()
            .unwrap_or_default();
        Self(list.split(',').map(str::trim).collect())
    }

    /// The first provider that a value refers to and that there is not: the text then stays as it is.
    pub(super) fn lacking(&self, value: &str) -> Option<String> {
        let references = value.split("${").skip(1);
        let names = references.filter_map(|rest| {
            let (inside, _) = rest.split_once('}')?;
            Some(inside.split_once(':')?.0)
        });
        let mut lacking = names.filter(|name| !self.0.contains(name));
        lacking.next().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_behind_a_value() {
        for value in ["a, b  # all", "true\t#", "a #b"] {
            assert!(ends_in_a_comment(value), "{value}");
        }
        for value in ["a#b", "#", "", r#"x password="a #b";"#] {
            assert!(!ends_in_a_comment(value), "{value}");
        }
    }

    #[test]
    fn a_reference_without_its_provider() {
        let providers = Providers::new(&BTreeMap::from([("config.providers", "env, file")]));
        assert_eq!(providers.lacking("${env:A}${file:/a:b}"), None);
        assert_eq!(providers.lacking("x${vault:A}"), Some("vault".to_owned()));
        assert_eq!(providers.lacking("${A} ${env"), None);
    }
}
