//! Whether topics and groups can be observed: they are there, and the flow takes them along.

use super::Observe;
use crate::core::lab::drill::finding::Finding;
use crate::core::lab::drill::plan::{Plan, Side, not_synced};
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::spec::Naming;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, At, KafkaError};
use std::collections::BTreeMap;
use std::time::Duration;

/// A producer that is running writes something within this time.
const A_MOMENT: Duration = Duration::from_secs(1);

impl Observe {
    /// What does not allow to observe them, by the lab alone.
    pub(in crate::core::lab::drill) fn unfit(&self, plan: &Plan<'_>) -> Vec<Finding> {
        let flow = plan.flow.name();
        let rules = Rules::of_flow(plan.flow);
        let topics = self
            .topics
            .iter()
            .filter_map(|topic| match rules.select(topic) {
                Selection::Included | Selection::NotEvaluated(_) => None,
                selection => Some(Finding::NotReplicated {
                    flow: flow.clone(),
                    topic: topic.clone(),
                    selection,
                }),
            });
        let groups = self.groups.iter();
        let groups = groups.filter_map(|group| not_synced(plan.flow, group));
        topics.chain(groups).collect()
    }

    /// Which of them are not there.
    pub(in crate::core::lab::drill) fn missing(
        &self,
        plan: &Plan<'_>,
        limit: &Limit,
    ) -> Result<Vec<Finding>, KafkaError> {
        let mut source = Admin::connect_patiently(&plan.source.endpoints, limit)?;
        let there = source.topics(limit)?;
        let mut target = Admin::connect_patiently(&plan.target.endpoints, limit)?;
        let copies = target.topics(limit)?;
        let mut findings = Vec::new();
        let mut not_there = |what: String, side: &Side| {
            let cluster = side.name.clone();
            findings.push(Finding::NotThere { what, cluster });
        };
        for topic in &self.topics {
            let mirrored = plan.flow.remote_topic(topic);
            if !there.contains_key(topic) {
                not_there(format!("topic `{topic}`"), &plan.source);
            } else if !copies.contains_key(&mirrored) {
                not_there(format!("topic `{mirrored}`"), &plan.target);
            }
        }
        for group in &self.groups {
            let mut offsets = BTreeMap::new();
            for topic in &self.topics {
                offsets.extend(source.group_offsets(group, topic, limit)?);
            }
            if offsets.is_empty() {
                let what = format!("a committed offset of group `{group}` in these topics");
                not_there(what, &plan.source);
            }
        }
        findings.extend(self.written_already(plan, &mut target, limit)?);
        Ok(findings)
    }

    /// With prefixed names, producers continue with a topic that may have producers on the target.
    fn written_already(
        &self,
        plan: &Plan<'_>,
        target: &mut Admin,
        limit: &Limit,
    ) -> Result<Vec<Finding>, KafkaError> {
        let copies = target.topics(limit)?;
        let own = self.topics.iter();
        let own = own.filter(|topic| copies.contains_key(*topic));
        let own: Vec<String> = own.cloned().collect();
        if own.is_empty() || plan.flow.spec.naming == Naming::Same {
            return Ok(Vec::new());
        }
        let before = target.offsets(&own, At::Latest, limit)?;
        limit.pause(A_MOMENT)?;
        let after = target.offsets(&own, At::Latest, limit)?;
        let grown = own.into_iter().filter(|topic| {
            let mut its = after.iter().filter(|((of, _), _)| of == topic);
            its.any(|(partition, end)| before.get(partition) != Some(end))
        });
        let grown = grown.map(|topic| Finding::WrittenAlready {
            topic,
            cluster: plan.target.name.clone(),
        });
        Ok(grown.collect())
    }
}
