//! Whether a flow takes a topic, by the topic's name alone. Knows nothing of clusters that run.
//!
//! As `MirrorSourceConnector.shouldReplicateTopic`, `DefaultTopicFilter` and `ReplicationPolicy` judge it.

use crate::core::filter;
use crate::core::mm2;
use crate::core::spec::Naming;
use crate::core::topology::Flow;
use serde::Serialize;

/// Characters of a topic's name at most (Kafka's `Topic.MAX_NAME_LENGTH`).
pub const MAX_TOPIC_NAME: usize = 249;
/// The topic in which each MirrorMaker shows that it lives; copied whatever the filters.
const HEARTBEATS: &str = "heartbeats";

/// What a flow takes, as its MirrorMaker reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    source: String,
    target: String,
    naming: Naming,
    topics: Vec<String>,
    exclude: Vec<String>,
}

/// What becomes of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// It is copied.
    Taken,
    /// A pattern of `topics.exclude` takes it out.
    Excluded(
        /// As MirrorMaker reads it.
        String,
    ),
    /// No pattern of `topics` takes it.
    NotListed,
    /// It is a name of Kafka's or MirrorMaker's own.
    Internal(InternalName),
    /// It came from the target, by its prefix: it is not copied back.
    Cycle,
    /// With its prefix it is longer than Kafka allows.
    TooLong(
        /// Characters of the name on the target.
        usize,
    ),
    /// Only Java can tell whether these patterns take it.
    Unjudged(Vec<String>),
}

/// By what a name is known as internal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InternalName {
    /// It begins with `__`.
    Underscores,
    /// It begins with a dot.
    Dot,
    /// It ends with `.internal` or `-internal`.
    Suffix,
}

impl Rules {
    /// What kmk tells MirrorMaker about a flow.
    pub fn of_flow(flow: &Flow) -> Self {
        Self::new(flow, &mm2::topics(flow), &mm2::excluded(flow))
    }

    /// With other patterns, in lists as MirrorMaker's properties have them.
    pub fn new(flow: &Flow, topics: &str, exclude: &str) -> Self {
        let list = |text: &str| {
            let patterns = text.split(',').map(str::trim);
            let patterns = patterns.filter(|pattern| !pattern.is_empty());
            patterns.map(str::to_owned).collect()
        };
        Self {
            source: flow.spec.source.clone(),
            target: flow.spec.target.clone(),
            naming: flow.spec.naming,
            topics: list(topics),
            exclude: list(exclude),
        }
    }

    /// The patterns of topics to copy.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// What becomes of a topic of that name. Where several rules leave it out: one that no pattern could change.
    pub fn select(&self, topic: &str) -> Selection {
        // what no pattern could change comes first
        if let Some(name) = internal(topic) {
            return Selection::Internal(name);
        }
        if self.is_cycle(topic) {
            return Selection::Cycle;
        }
        match self.remote(topic).chars().count() {
            length if length > MAX_TOPIC_NAME => Selection::TooLong(length),
            _ if is_heartbeats(topic) => Selection::Taken,
            _ => self.filtered(topic),
        }
    }

    fn filtered(&self, topic: &str) -> Selection {
        let mut unjudged = Vec::new();
        for pattern in &self.exclude {
            match filter::matches(pattern, topic) {
                Some(true) => return Selection::Excluded(pattern.clone()),
                Some(false) => {}
                None => unjudged.push(pattern.clone()),
            }
        }
        let listed = |pattern: &String| filter::matches(pattern, topic);
        if !self
            .topics
            .iter()
            .any(|pattern| listed(pattern) == Some(true))
        {
            let may_list = self
                .topics
                .iter()
                .filter(|pattern| listed(pattern).is_none());
            let may_list: Vec<String> = may_list.cloned().collect();
            if may_list.is_empty() {
                return Selection::NotListed;
            }
            unjudged.extend(may_list);
        }
        if unjudged.is_empty() {
            Selection::Taken
        } else {
            Selection::Unjudged(unjudged)
        }
    }

    /// What a topic is called on the target; heartbeats carry the source's name always.
    pub fn remote(&self, topic: &str) -> String {
        match self.naming {
            Naming::Same if !topic.ends_with(HEARTBEATS) => topic.to_owned(),
            _ => format!("{}.{topic}", self.source),
        }
    }

    /// Whether its prefixes say that it was copied from the target before, at whatever remove.
    fn is_cycle(&self, topic: &str) -> bool {
        if self.naming == Naming::Same && !topic.ends_with(HEARTBEATS) {
            return false;
        }
        let mut name = topic;
        // as Java's `split` has it, which forgets dots at the end
        while let Some((source, upstream)) = name
            .split_once('.')
            .filter(|_| name.trim_end_matches('.').contains('.'))
        {
            if source == self.target {
                return true;
            }
            name = upstream;
        }
        false
    }
}

/// Whether it is a topic of heartbeats, here or copied from elsewhere.
fn is_heartbeats(topic: &str) -> bool {
    topic == HEARTBEATS || topic.ends_with(".heartbeats")
}

fn internal(topic: &str) -> Option<InternalName> {
    if topic.starts_with("__") {
        Some(InternalName::Underscores)
    } else if topic.starts_with('.') {
        Some(InternalName::Dot)
    } else if topic.ends_with(".internal") || topic.ends_with("-internal") {
        Some(InternalName::Suffix)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::scenario;
    use crate::core::topology::{Topology, is_internal};
    use proptest::prelude::*;

    fn rules(naming: Naming, topics: &[&str], exclude: &[&str]) -> Rules {
        let mut spec = scenario::dr("demo");
        let flow = &mut spec.flows[0];
        flow.naming = naming;
        flow.topics = topics.iter().map(|one| (*one).to_owned()).collect();
        flow.exclude = exclude.iter().map(|one| (*one).to_owned()).collect();
        Rules::of_flow(&Topology::new(&spec).flows[0])
    }

    #[test]
    fn names_are_judged_by_the_patterns() {
        let all = rules(Naming::Prefix, &[], &["secret.*", "kmk.*"]);
        let excluded = |pattern: &str| Selection::Excluded(pattern.to_owned());
        assert_eq!(all.select("orders"), Selection::Taken);
        assert_eq!(
            all.select("secrets"),
            excluded("(?!kmk-canary$)(?:secret.*)")
        );
        assert_eq!(all.select("kmk-canary"), Selection::Taken);
        assert_eq!(
            all.select("a.internal"),
            Selection::Internal(InternalName::Suffix)
        );
        assert_eq!(
            all.select("__x"),
            Selection::Internal(InternalName::Underscores)
        );
        let listed = rules(Naming::Prefix, &["orders"], &[]);
        assert_eq!(listed.select("secondary.orders"), Selection::Cycle);
        assert_eq!(all.select("x.replica"), excluded(r".*\.replica"));
        let some = rules(Naming::Prefix, &["orders.*", "payments"], &[]);
        assert_eq!(some.select("orders2"), Selection::Taken);
        assert_eq!(some.select("payments2"), Selection::NotListed);
        assert_eq!(some.select("kmk-canary"), Selection::Taken);
        assert_eq!(some.select("heartbeats"), Selection::Taken);
        let java = rules(Naming::Prefix, &["(?<=x)a|b", "orders"], &[]);
        assert_eq!(java.select("orders"), Selection::Taken);
        assert_eq!(
            java.select("b"),
            Selection::Unjudged(vec!["(?<=x)a|b".to_owned()])
        );
    }

    #[test]
    fn names_of_kafkas_and_mirrormakers_own() {
        let rules = rules(Naming::Prefix, &[], &[]);
        assert_eq!(rules.select(".x"), Selection::Internal(InternalName::Dot));
        let none = Rules {
            exclude: Vec::new(),
            ..rules
        };
        for (topic, name) in [
            ("__x", InternalName::Underscores),
            ("a-internal", InternalName::Suffix),
            ("a.internal", InternalName::Suffix),
        ] {
            assert_eq!(none.select(topic), Selection::Internal(name));
        }
    }

    #[test]
    fn what_came_from_the_target_does_not_go_back() {
        let prefix = rules(Naming::Prefix, &[], &[]);
        for topic in ["secondary.orders", "third.secondary.orders", "secondary..x"] {
            assert_eq!(prefix.select(topic), Selection::Cycle, "{topic}");
        }
        for topic in [
            "primary.orders",
            "secondary",
            "a.secondary",
            "secondary.",
            "secondary2.x",
        ] {
            assert_eq!(prefix.select(topic), Selection::Taken, "{topic}");
        }
        let same = rules(Naming::Same, &[], &[]);
        assert_eq!(same.select("secondary.orders"), Selection::Taken);
        assert_eq!(same.remote("orders"), "orders");
        assert_eq!(same.remote("heartbeats"), "primary.heartbeats");
    }

    #[test]
    fn a_prefix_can_make_a_name_too_long() {
        let rules = rules(Naming::Prefix, &[], &[]);
        let prefix = "primary.".len();
        let (fits, too_long) = (MAX_TOPIC_NAME - prefix, MAX_TOPIC_NAME - prefix + 1);
        assert_eq!(rules.select(&"a".repeat(fits)), Selection::Taken);
        assert_eq!(
            rules.select(&"a".repeat(too_long)),
            Selection::TooLong(MAX_TOPIC_NAME + 1)
        );
    }

    proptest! {
        #[test]
        fn whatever_the_filters_what_is_internal_is_not_taken(topic in "[a-z._-]{1,20}", exclude in "[a-z.*]{1,5}") {
            let rules = rules(Naming::Prefix, &[], &[&exclude]);
            let is_ours = topic.contains("kmk-canary") || topic.ends_with(HEARTBEATS);
            if rules.select(&topic) == Selection::Taken && !is_ours {
                prop_assert!(!is_internal(&topic));
            }
        }
    }
}
