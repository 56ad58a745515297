//! The networks that a container is on, and what others call it there.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The networks of a service, by compose's names.
pub(super) enum Networks {
    /// On each, others find it by its service's name.
    List(Vec<String>),
    /// The same, and on each by these names too.
    Named(BTreeMap<String, Vec<String>>),
}

/// A network that a container is on, by docker's name, and a name by which others find it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The network.
    pub network: String,
    /// Its name there.
    pub alias: String,
}

#[derive(Serialize)]
struct Aliases<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    aliases: &'a [String],
}

impl Networks {
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::List(names) => names.iter().map(String::as_str).collect(),
            Self::Named(named) => named.keys().map(String::as_str).collect(),
        }
    }

    /// What docker makes of them for a service of a project.
    pub(super) fn places(&self, project: &str, service: &str) -> Vec<Place> {
        let place = |name: &str| {
            let alias = match self {
                Self::List(_) => None,
                Self::Named(named) => named.get(name).and_then(|aliases| aliases.first()),
            };
            Place {
                network: format!("{project}_{name}"),
                alias: alias.map_or(service, String::as_str).to_owned(),
            }
        };
        self.names().into_iter().map(place).collect()
    }
}

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::List(names) => names.serialize(to),
            Self::Named(named) => {
                let mut map = to.serialize_map(Some(named.len()))?;
                for (name, aliases) in named {
                    map.serialize_entry(name, &Aliases { aliases })?;
                }
                map.end()
            }
        }
    }
}
