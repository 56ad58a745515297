//! Reads the fields of a file's mappings, and reports those that are not of the right kind.

use super::TextPosition;
use super::field::{Field, Kind, Table};
use super::problem::{Problem, What};
use super::yaml::{Node, Value};
use crate::core::spec::{self, Part};
use std::collections::{BTreeMap, BTreeSet};

/// Takes fields, and keeps what is wrong with them.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// A mapping whose fields are known.
pub(super) struct Fields<'a> {
    place: TextPosition,
    table: &'static Table,
    values: BTreeMap<&'static str, &'a Node>,
}

impl<'a> Fields<'a> {
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub(super) fn get(&self, name: &'static str) -> Option<(&'static Field, &'a Node)> {
        Some((self.table.field(name), *self.values.get(name)?))
    }

    pub(super) fn place_of(&self, name: &str) -> TextPosition {
        self.values.get(name).map_or(self.place, |node| node.place)
    }

    pub(super) fn items(&self, name: &str) -> &'a [Node] {
        match self.values.get(name).map(|node| &node.value) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// Where the part of a spec that was read from here stands.
    pub(super) fn place(&self, part: &Part) -> TextPosition {
        let item = |name: &str, at: usize| {
            self.items(name)
                .get(at)
                .map_or_else(|| self.place_of(name), |node| node.place)
        };
        match part {
            Part::Whole => self.place,
            Part::Name => self.place_of(if self.table.fields[0].name == "lab" {
                "lab"
            } else {
                "name"
            }),
            Part::Image if self.values.contains_key("image") => self.place_of("image"),
            Part::Image => self.place_of("kafka"),
            Part::Memory => self.place_of("memory"),
            Part::Bind => self.place_of("bind"),
            Part::Brokers => self.place_of("brokers"),
            Part::Partitions => self.place_of("partitions"),
            Part::Port => self.place_of("port"),
            Part::Mirrormakers => self.place_of("mirrormakers"),
            Part::ExactlyOnce => self.place_of("exactly_once"),
            Part::Source => self.place_of("from"),
            Part::Target => self.place_of("to"),
            Part::Topic(at) => item("topics", *at),
            Part::Exclude(at) => item("exclude", *at),
            Part::Group(at) => item("groups", *at),
            Part::Naming => self.place_of("naming"),
            Part::Setting(key) => self
                .setting(key)
                .unwrap_or_else(|| self.place_of("settings")),
            Part::Address(at) => item("bootstrap", *at),
            Part::Property(key) => self
                .key_of("properties", key)
                .unwrap_or_else(|| self.place_of("properties")),
            Part::Canary => self.place_of("canary"),
            Part::Link => self.place_of("link"),
        }
    }

    pub(super) fn setting(&self, key: &str) -> Option<TextPosition> {
        self.key_of("settings", key)
    }

    fn key_of(&self, field: &str, key: &str) -> Option<TextPosition> {
        let Value::Map(entries) = &self.values.get(field)?.value else {
            return None;
        };
        let is_it = |node: &Node| matches!(&node.value, Value::Text { text, .. } if text == key);
        let entry = entries.iter().rfind(|(name, _)| is_it(name));
        entry.map(|(name, _)| name.place)
    }
}

impl Reader {
    pub(super) fn add(&mut self, place: TextPosition, what: What) {
        self.problems.push(Problem::at(place, what));
    }

    fn wrong(&mut self, what: String, kind: Kind, node: &Node) {
        // what was refused already is not refused again
        if !matches!(node.value, Value::Unknown) {
            let (expected, found) = (kind.expected(), node.description());
            self.add(
                node.place,
                What::WrongKind {
                    what,
                    expected,
                    found,
                },
            );
        }
    }

    pub(super) fn wrong_field(&mut self, field: &Field, node: &Node) {
        self.wrong(format!("`{}`", field.name), field.kind, node);
    }

    /// The entries of a mapping, each name once.
    fn entries<'a>(
        &mut self,
        entries: &'a [(Node, Node)],
    ) -> Vec<(&'a str, TextPosition, &'a Node)> {
        let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
        for (key, value) in entries {
            match &key.value {
                Value::Text { text, .. } if !seen.insert(text) => {
                    self.add(key.place, What::FieldTwice(text.clone()));
                }
                Value::Text { text, .. } => found.push((text.as_str(), key.place, value)),
                _ => self.wrong("the key before a `:`".to_owned(), Kind::Name, key),
            }
        }
        found
    }

    pub(super) fn fields<'a>(
        &mut self,
        node: &'a Node,
        table: &'static Table,
    ) -> Option<Fields<'a>> {
        let Value::Map(entries) = &node.value else {
            if !matches!(node.value, Value::Unknown) {
                let what = What::WrongKind {
                    what: table.owner.to_owned(),
                    expected: format!("a mapping with `{}`", table.names().join("`, `")),
                    found: node.description(),
                };
                self.add(node.place, what);
            }
            return None;
        };
        let mut values = BTreeMap::new();
        for (name, place, value) in self.entries(entries) {
            let mut known = table.fields.iter();
            match known.find(|field| field.name == name) {
                Some(field) => {
                    values.insert(field.name, value);
                }
                None => self.add(
                    place,
                    What::UnknownField {
                        owner: table.owner,
                        name: name.to_owned(),
                        known: table.names(),
                    },
                ),
            }
        }
        for field in table.fields {
            if field.is_required && !values.contains_key(field.name) {
                let (owner, field) = (table.owner, field.name);
                self.add(node.place, What::MissingField { owner, field });
            }
        }
        let place = node.place;
        Some(Fields {
            place,
            table,
            values,
        })
    }

    /// A value that is no list and no mapping, made into something.
    pub(super) fn one<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
        make: impl Fn(&str, bool) -> Option<T>,
    ) -> Option<T> {
        let (field, node) = fields.get(name)?;
        let value = match &node.value {
            _ if node.is_nothing() => None,
            Value::Text { text, is_quoted } => make(text, *is_quoted),
            _ => None,
        };
        if value.is_none() {
            self.wrong_field(field, node);
        }
        value
    }

    pub(super) fn text(&mut self, fields: &Fields<'_>, name: &'static str) -> Option<String> {
        self.one(fields, name, |text, _| Some(text.to_owned()))
    }

    pub(super) fn number<T: std::str::FromStr>(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
    ) -> Option<T> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        self.one(fields, name, |text, is_quoted| {
            (!is_quoted && digits(text))
                .then(|| text.parse().ok())
                .flatten()
        })
    }

    /// Texts of a list; one that is none keeps its index, so that the others keep theirs.
    pub(super) fn patterns(&mut self, fields: &Fields<'_>, name: &'static str) -> Vec<String> {
        let Some((field, node)) = fields.get(name) else {
            return Vec::new();
        };
        let Value::List(items) = &node.value else {
            self.wrong_field(field, node);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::Text { text, .. } if !item.is_nothing() => texts.push(text.clone()),
                _ => {
                    let what = format!("an entry of `{name}`");
                    if !matches!(item.value, Value::Unknown) {
                        let expected = "a regular expression".to_owned();
                        let found = item.description();
                        self.add(
                            item.place,
                            What::WrongKind {
                                what,
                                expected,
                                found,
                            },
                        );
                    }
                    texts.push(".*".to_owned());
                }
            }
        }
        texts
    }

    /// Addresses of a list, or of a text with commas between them.
    pub(super) fn addresses(&mut self, fields: &Fields<'_>, name: &'static str) -> Vec<String> {
        let Some((field, node)) = fields.get(name) else {
            return Vec::new();
        };
        let texts: Option<Vec<String>> = match &node.value {
            _ if node.is_nothing() => None,
            Value::Text { text, .. } => {
                Some(text.split(',').map(|one| one.trim().to_owned()).collect())
            }
            Value::List(items) => {
                let one = |item: &Node| match &item.value {
                    Value::Text { text, .. } if !item.is_nothing() => Some(text.clone()),
                    _ => None,
                };
                let texts: Option<Vec<String>> = items.iter().map(one).collect();
                texts.filter(|texts| !texts.is_empty())
            }
            _ => None,
        };
        texts.unwrap_or_else(|| {
            self.wrong_field(field, node);
            // so that nothing else is said about a cluster that was meant to exist already
            let host = node.place.to_string().replace(':', "-");
            vec![format!("{host}.invalid:1")]
        })
    }

    pub(super) fn settings(&mut self, fields: &Fields<'_>) -> BTreeMap<String, String> {
        self.mapping(fields, "settings")
    }

    pub(super) fn mapping(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
    ) -> BTreeMap<String, String> {
        let Some((field, node)) = fields.get(name) else {
            return BTreeMap::new();
        };
        let Value::Map(entries) = &node.value else {
            self.wrong_field(field, node);
            return BTreeMap::new();
        };
        let mut settings = BTreeMap::new();
        for (key, place, value) in self.entries(entries) {
            match &value.value {
                Value::Text { text, .. } if !value.is_nothing() => {
                    if spec::is_secret(key) && spec::names_in(text).is_empty() {
                        let what = What::PlainSecret(key.to_owned());
                        self.warnings.push(Problem::at(place, what));
                    }
                    if name == "properties" && key.ends_with("store.location") {
                        let what = What::FileNotInContainer(key.to_owned());
                        self.warnings.push(Problem::at(place, what));
                    }
                    settings.insert(key.to_owned(), text.clone());
                }
                _ if matches!(value.value, Value::Unknown) => {}
                _ => {
                    let what = What::WrongKind {
                        what: format!("setting `{key}`"),
                        expected: "a value".to_owned(),
                        found: value.description(),
                    };
                    self.add(value.place, what);
                }
            }
        }
        settings
    }
}
