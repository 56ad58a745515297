//! Decides by its name alone whether a flow replicates a topic.
//!
//! As `MirrorSourceConnector.shouldReplicateTopic`, `DefaultTopicFilter` and `ReplicationPolicy` judge it.

use crate::core::mirrormaker::config;
use crate::core::spec::filter;
use crate::core::topology::{Flow, InternalName, is_heartbeats};
use serde::Serialize;

/// Characters of a topic's name at most (Kafka's `Topic.MAX_NAME_LENGTH`).
pub const MAX_TOPIC_NAME: usize = 249;

/// What a flow takes, as its MirrorMaker reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    flow: Flow,
    topics: Vec<String>,
    exclude: Vec<String>,
}

/// What becomes of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// It is copied.
    Included,
    /// It is a name of Kafka's or MirrorMaker's own.
    Internal(InternalName),
    /// It came from the target, by its prefix: it is not copied back.
    Cycle,
    /// With its prefix it is longer than Kafka allows.
    NameTooLong(
        /// Characters of the name on the target.
        usize,
    ),
    /// A pattern of `topics.exclude` takes it out.
    Excluded(
        /// As MirrorMaker reads it.
        String,
    ),
    /// No pattern of `topics` takes it.
    NotListed,
    /// Only Java can tell whether these patterns take it.
    NotEvaluated(Vec<String>),
}

impl Rules {
    /// What kmk tells MirrorMaker about a flow.
    pub fn of_flow(flow: &Flow) -> Self {
        Self::new(flow, &config::topics(flow), &config::excluded(flow))
    }

    /// With other patterns, in lists as MirrorMaker's properties have them.
    pub fn new(flow: &Flow, topics: &str, exclude: &str) -> Self {
        let list = |text: &str| {
            let patterns = text.split(',').map(str::trim);
            let patterns = patterns.filter(|pattern| !pattern.is_empty());
            patterns.map(str::to_owned).collect()
        };
        Self {
            flow: flow.clone(),
            topics: list(topics),
            exclude: list(exclude),
        }
    }

    /// The patterns of topics to copy.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// What becomes of a topic of that name. Where several rules leave it out: the first, in the order of [`Selection`], so that
    /// what no pattern could change comes before what a pattern does.
    pub fn select(&self, topic: &str) -> Selection {
        if let Some(name) = InternalName::of(topic) {
            return Selection::Internal(name);
        }
        if self.flow.is_cycle(topic) {
            return Selection::Cycle;
        }
        match self.remote(topic).chars().count() {
            length if length > MAX_TOPIC_NAME => Selection::NameTooLong(length),
            _ if self.takes_as_heartbeats(topic) => Selection::Included,
            _ => self.filtered(topic),
        }
    }

    /// Whether it is copied for its name, though the patterns do not take it in.
    pub fn takes_for_its_name(&self, topic: &str) -> bool {
        self.select(topic) == Selection::Included && self.filtered(topic) != Selection::Included
    }

    fn takes_as_heartbeats(&self, topic: &str) -> bool {
        is_heartbeats(topic) && self.flow.setting("heartbeats.replication.enabled") != Some("false")
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
            Selection::Included
        } else {
            Selection::NotEvaluated(unjudged)
        }
    }

    /// What a topic is called on the target.
    pub fn remote(&self, topic: &str) -> String {
        self.flow.remote_topic(topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::Naming;
    use crate::core::spec::scenario;
    use crate::core::topology::{HEARTBEATS, Topology, is_internal};
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
        assert_eq!(all.select("orders"), Selection::Included);
        assert_eq!(
            all.select("secrets"),
            excluded("(?!kmk-canary$)(?:secret.*)")
        );
        assert_eq!(all.select("kmk-canary"), Selection::Included);
        assert_eq!(all.select("x.replica"), excluded(r".*\.replica"));
        let some = rules(Naming::Prefix, &["orders.*", "payments"], &[]);
        assert_eq!(some.select("orders2"), Selection::Included);
        assert_eq!(some.select("payments2"), Selection::NotListed);
        assert_eq!(some.select("kmk-canary"), Selection::Included);
        assert_eq!(some.select("heartbeats"), Selection::Included);
        let java = rules(Naming::Prefix, &["(?<=x)a|b", "orders"], &[]);
        assert_eq!(java.select("orders"), Selection::Included);
        assert_eq!(
            java.select("b"),
            Selection::NotEvaluated(vec!["(?<=x)a|b".to_owned()])
        );
    }

    #[test]
    fn names_of_kafkas_and_mirrormakers_own_come_before_any_pattern() {
        let rules = rules(Naming::Prefix, &["orders"], &["a.*"]);
        for (topic, name) in [
            (".x", InternalName::Dot),
            ("__consumer_offsets", InternalName::Underscores),
            ("a-internal", InternalName::Suffix),
            ("a.internal", InternalName::Suffix),
        ] {
            assert_eq!(rules.select(topic), Selection::Internal(name));
        }
    }

    #[test]
    fn heartbeats_are_taken_whatever_the_patterns() {
        let mut some = rules(Naming::Prefix, &["orders"], &["team.*"]);
        for (topic, is_taken) in [
            ("heartbeats", true),
            ("team.heartbeats", true),
            ("myheartbeats", false),
            ("team.other", false),
        ] {
            assert_eq!(
                some.select(topic) == Selection::Included,
                is_taken,
                "{topic}"
            );
            assert_eq!(some.takes_for_its_name(topic), is_taken, "{topic}");
        }
        assert!(!some.takes_for_its_name("orders"));
        assert_eq!(some.select("secondary.heartbeats"), Selection::Cycle);
        // Kafka 4.2 can be told otherwise
        let settings = &mut some.flow.spec.settings;
        settings.insert(
            "heartbeats.replication.enabled".to_owned(),
            "false".to_owned(),
        );
        assert_eq!(some.select("heartbeats"), Selection::NotListed);
    }

    #[test]
    fn what_came_from_the_target_does_not_go_back() {
        let prefix = rules(Naming::Prefix, &[], &[]);
        let listed = rules(Naming::Prefix, &["orders"], &["third.*"]);
        for topic in ["secondary.orders", "third.secondary.orders", "secondary..x"] {
            assert_eq!(prefix.select(topic), Selection::Cycle, "{topic}");
            assert_eq!(listed.select(topic), Selection::Cycle, "{topic}");
        }
        for topic in [
            "primary.orders",
            "secondary",
            "a.secondary",
            "secondary.",
            "secondary2.x",
        ] {
            assert_eq!(prefix.select(topic), Selection::Included, "{topic}");
        }
        let same = rules(Naming::Same, &[], &[]);
        assert_eq!(same.select("secondary.orders"), Selection::Included);
        assert_eq!(same.remote("orders"), "orders");
        assert_eq!(same.remote("heartbeats"), "primary.heartbeats");
        assert_eq!(same.remote("myheartbeats"), "primary.myheartbeats");
    }

    #[test]
    fn a_prefix_can_make_a_name_too_long() {
        let rules = rules(Naming::Prefix, &[], &[]);
        let prefix = "primary.".len();
        let (fits, too_long) = (MAX_TOPIC_NAME - prefix, MAX_TOPIC_NAME - prefix + 1);
        assert_eq!(rules.select(&"a".repeat(fits)), Selection::Included);
        assert_eq!(
            rules.select(&"a".repeat(too_long)),
            Selection::NameTooLong(MAX_TOPIC_NAME + 1)
        );
    }

    /// `--` and the like are for Java to judge.
    fn is_taken(selection: &Selection) -> bool {
        matches!(selection, Selection::Included | Selection::NotEvaluated(_))
    }

    proptest! {
        /// What is advised for a name that is not listed, or excluded, brings it across.
        #[test]
        fn whoever_lists_what_is_not_listed_has_it_taken(
            topic in "((secondary|third)\\.){0,2}[a-z._-]{1,9}(heartbeats|-internal)?|l{230,249}",
            exclude in "[a-z]\\.\\*",
        ) {
            match rules(Naming::Prefix, &["orders"], &[&exclude]).select(&topic) {
                Selection::NotListed => {
                    let listed = rules(Naming::Prefix, &["orders", &topic], &[&exclude]);
                    prop_assert!(is_taken(&listed.select(&topic)));
                }
                Selection::Excluded(pattern) if !config::NEVER.contains(&pattern) => {
                    let listed = rules(Naming::Prefix, &["orders", &topic], &[]);
                    prop_assert!(is_taken(&listed.select(&topic)));
                }
                _ => {}
            }
        }

        #[test]
        fn whatever_the_filters_what_is_internal_is_not_taken(topic in "[a-z._-]{1,20}", exclude in "[a-z.*]{1,5}") {
            let rules = rules(Naming::Prefix, &[], &[&exclude]);
            let is_ours = topic.contains("kmk-canary") || topic.ends_with(HEARTBEATS);
            if rules.select(&topic) == Selection::Included && !is_ours {
                prop_assert!(!is_internal(&topic));
            }
        }
    }
}
