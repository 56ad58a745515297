//! Patterns of topics that take no topic there is, and look as if they should: they must match whole names.

use crate::core::event::{Event, Observer};
use crate::core::lab::addresses;
use crate::core::spec::filter::matches;
use crate::core::topology::{Flow, Topology};
use kmk_kafka::Admin;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// How long a cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says so of each flow whose source has a topic with such a name in its own.
pub(super) fn warn(topology: &Topology, limit: &Limit, observer: &dyn Observer) {
    let limit = limit.at_most(PATIENCE);
    let listed = topology.flows.iter();
    for flow in listed.filter(|flow| !flow.spec.topics.is_empty()) {
        let Some(names) = names(topology, flow, &limit) else {
            continue;
        };
        for pattern in &flow.spec.topics {
            if let Some((topic, wider)) = longer(pattern, &names) {
                observer.on(Event::Warning(format!(
                    "`{pattern}` must match whole names, and matches no topic of {}; `{wider}` would match {topic}",
                    flow.spec.source
                )));
            }
        }
    }
}

fn names(topology: &Topology, flow: &Flow, limit: &Limit) -> Option<Vec<String>> {
    let source = topology.cluster(&flow.spec.source)?;
    let mut admin = Admin::connect(&addresses(source).ok()?, limit).ok()?;
    let names = admin.topics(limit).ok()?.into_keys();
    Some(names.filter(|name| !topology.is_internal(name)).collect())
}

/// A topic that has a plain pattern in its name, and a pattern that takes it, where the pattern takes none.
fn longer<'a>(pattern: &str, names: &'a [String]) -> Option<(&'a str, String)> {
    let plain = pattern.replace(r"\.", ".");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !plain.chars().all(is_plain)
        || names
            .iter()
            .any(|name| matches(pattern, name) != Some(false))
    {
        return None;
    }
    let mut beginning = names.iter().filter(|name| name.starts_with(&plain));
    let mut within = names.iter().filter(|name| name.contains(&plain));
    let topic = beginning.next();
    let wider = match topic {
        Some(_) => format!("{pattern}.*"),
        None => format!(".*{pattern}.*"),
    };
    Some((topic.or_else(|| within.next())?, wider))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_takes_nothing() {
        let names = ["orders", "team.orders", "payments"].map(str::to_owned);
        let longer = |pattern| longer(pattern, &names);
        assert_eq!(longer("order"), Some(("orders", "order.*".to_owned())));
        assert_eq!(
            longer(r"team\.o"),
            Some(("team.orders", r"team\.o.*".to_owned()))
        );
        assert_eq!(longer("ment"), Some(("payments", ".*ment.*".to_owned())));
        for right in ["orders", "order.", "order.*", "new-topic", "(?<=x)a"] {
            assert_eq!(longer(right), None, "{right}");
        }
    }
}
