//! Looking at consumer groups, and changing where they stand.

use super::Admin;
use crate::cluster::groups::{Group, GroupKind};
use crate::error::KafkaError;
use crate::wait::Limit;
use std::collections::BTreeMap;

/// Offsets by topic and partition.
type Offsets = BTreeMap<(String, i32), i64>;

impl Admin {
    /// All groups of the cluster in the order of their names, each with its committed offsets.
    ///
    /// # Errors
    /// When a broker does not answer, or refuses, until `limit`.
    pub fn groups(&mut self, limit: &Limit) -> Result<Vec<(Group, Offsets)>, KafkaError> {
        self.cluster.patiently(limit, |cluster, limit| {
            let groups = cluster.groups(limit)?;
            // groups of other kinds keep their offsets elsewhere
            let with_offsets = groups
                .iter()
                .filter(|(_, group)| !matches!(group.kind, GroupKind::Other(_)));
            let coordinated: Vec<(i32, String)> = with_offsets
                .map(|(broker, group)| (*broker, group.name.clone()))
                .collect();
            let mut offsets = cluster.offsets_of_groups(&coordinated, limit)?;
            let with_its_own = |(_, group): (i32, Group)| {
                let own = offsets.remove(&group.name).unwrap_or_default();
                (group, own)
            };
            Ok(groups.into_iter().map(with_its_own).collect())
        })
    }

    /// Commits these offsets for `group`, by topic and partition, as none of its members.
    ///
    /// # Errors
    /// [`KafkaError::Refused`] while the group has members; or when the broker does not answer until `limit`.
    pub fn move_group(
        &mut self,
        group: &str,
        to: &Offsets,
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        self.cluster.commit(group, to, None, limit)
    }

    /// Deletes a group and its committed offsets.
    ///
    /// # Errors
    /// Refused with `NON_EMPTY_GROUP` while it has members, with `GROUP_ID_NOT_FOUND` where there is none.
    pub fn delete_group(&mut self, group: &str, limit: &Limit) -> Result<(), KafkaError> {
        self.cluster.delete_group(group, limit)
    }

    /// Deletes the offsets that a group has committed in these partitions of a topic.
    ///
    /// # Errors
    /// Refused with `GROUP_SUBSCRIBED_TO_TOPIC` while a member reads the topic.
    pub fn delete_group_offsets(
        &mut self,
        group: &str,
        topic: &str,
        partitions: &[i32],
        limit: &Limit,
    ) -> Result<(), KafkaError> {
        self.cluster
            .delete_group_offsets(group, topic, partitions, limit)
    }
}
