//! Resets the committed offsets of a group, and deletes groups.

use super::GroupError;
use super::look::is_internal;
use crate::core::lab::topics;
use crate::core::nearest::by_nearness;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::Limit;
use kmk_kafka::{Admin, Group, Start};
use std::collections::BTreeMap;

/// Offsets by topic and partition.
type Offsets = BTreeMap<(String, i32), i64>;

/// Where a group is to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    /// The group. It must exist, and have no members.
    pub group: String,
    /// In this topic.
    pub topic: String,
    /// Only in this partition; none for all.
    pub partition: Option<i32>,
    /// From here.
    pub to: Start,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What happened to one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Moved {
    /// Its number.
    pub partition: i32,
    /// The offset that the group had committed.
    pub was: Option<i64>,
    /// The one that is committed now.
    pub now: i64,
    /// The one that was asked for, where the partition does not reach so far.
    #[serde(rename = "requested")]
    pub asked: Option<i64>,
}

/// Notes that a group goes on somewhere else.
///
/// # Errors
/// [`GroupError`]: no such group, topic or partition, or someone reads for the group.
pub fn reset(
    bootstrap: &[Endpoint],
    what: &Reset,
    limit: &Limit,
) -> Result<Vec<Moved>, GroupError> {
    let mut admin = Admin::connect_patiently(bootstrap, limit)?;
    let (group, committed) = find(&mut admin, &what.group, limit)?;
    refuse_active(&group)?;
    let info = topics::find(&mut admin, &what.topic, limit)?;
    let partitions = topics::partitions(&what.topic, &info, what.partition)?;
    let starts = admin.start_offsets(&what.topic, &partitions, what.to, limit)?;
    let moved = starts.into_iter().map(|(partition, start)| {
        let now = within(start.meant, start.first, start.end);
        Moved {
            partition,
            was: committed.get(&(what.topic.clone(), partition)).copied(),
            now,
            asked: (now != start.meant).then_some(start.meant),
        }
    });
    let moved: Vec<Moved> = moved.collect();
    if !what.dry_run {
        let to: Offsets = moved
            .iter()
            .map(|one| ((what.topic.clone(), one.partition), one.now))
            .collect();
        admin.move_group(&what.group, &to, limit)?;
    }
    Ok(moved)
}

/// The nearest offset that the partition has.
fn within(asked: i64, first: i64, end: i64) -> i64 {
    asked.min(end).max(first.min(end))
}

/// Takes a group away, and with it where it stood.
///
/// # Errors
/// [`GroupError`]: no such group, or someone reads for it.
pub fn delete(bootstrap: &[Endpoint], group: &str, limit: &Limit) -> Result<(), GroupError> {
    let mut admin = Admin::connect_patiently(bootstrap, limit)?;
    let (found, _) = find(&mut admin, group, limit)?;
    refuse_active(&found)?;
    Ok(admin.delete_group(group, limit)?)
}

/// Makes a group forget where it stood in one topic. How many partitions that were.
///
/// # Errors
/// [`GroupError`]: no such group, no committed offset in that topic, or a member reads that topic.
pub fn forget(
    bootstrap: &[Endpoint],
    group: &str,
    topic: &str,
    limit: &Limit,
) -> Result<usize, GroupError> {
    let mut admin = Admin::connect_patiently(bootstrap, limit)?;
    let (found, committed) = find(&mut admin, group, limit)?;
    let there = committed.keys().filter(|(name, _)| name == topic);
    let partitions: Vec<i32> = there.map(|(_, partition)| *partition).collect();
    if partitions.is_empty() {
        return Err(GroupError::NoPlace {
            group: group.to_owned(),
            topic: topic.to_owned(),
        });
    }
    let mut reads = found.members.iter().flat_map(|member| &member.reads);
    if reads.any(|(name, _)| name == topic) {
        refuse_active(&found)?;
    }
    admin.delete_group_offsets(group, topic, &partitions, limit)?;
    Ok(partitions.len())
}

fn find(admin: &mut Admin, name: &str, limit: &Limit) -> Result<(Group, Offsets), GroupError> {
    let mut groups = admin.groups(limit)?;
    match groups.iter().position(|(group, _)| group.name == name) {
        Some(at) => Ok(groups.swap_remove(at)),
        None => Err(no_group(name, groups.iter().map(|(group, _)| group))),
    }
}

/// Those of Kafka Connect are not to be reset or deleted, and are not proposed.
fn no_group<'a>(name: &str, groups: impl Iterator<Item = &'a Group>) -> GroupError {
    let others = groups.filter(|group| !is_internal(group));
    let near = by_nearness(name, others.map(|group| group.name.as_str()));
    GroupError::NoGroup {
        group: name.to_owned(),
        groups: near.into_iter().map(str::to_owned).collect(),
    }
}

fn refuse_active(group: &Group) -> Result<(), GroupError> {
    if !group.is_active() {
        return Ok(());
    }
    Err(GroupError::Active {
        group: group.name.clone(),
        members: group.members.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmk_kafka::{GroupKind, Member};
    use proptest::prelude::*;

    fn group(state: &str, members: usize) -> Group {
        let member = |number| Member {
            id: String::new(),
            client: format!("c{number}"),
            host: "10.0.0.1".to_owned(),
            reads: std::collections::BTreeSet::new(),
            work: None,
        };
        Group {
            name: "g".to_owned(),
            kind: GroupKind::Classic,
            protocol: "consumer".to_owned(),
            state: state.to_owned(),
            members: (0..members).map(member).collect(),
        }
    }

    #[test]
    fn a_group_with_members_is_left_alone() {
        assert!(refuse_active(&group("Empty", 0)).is_ok());
        let says = |group: &Group| refuse_active(group).unwrap_err().to_string();
        assert_eq!(
            says(&group("Stable", 1)),
            "group `g` is in use: c0 on 10.0.0.1 is a member"
        );
        assert_eq!(
            says(&group("Stable", 2)),
            "group `g` is in use: c0 on 10.0.0.1, c1 on 10.0.0.1 read for it"
        );
        assert!(says(&group("Stable", 7)).ends_with(" and 2 more read for it"));
        assert_eq!(
            says(&group("PreparingRebalance", 0)),
            "group `g` is in use: its members are changing"
        );
    }

    #[test]
    fn a_group_of_kafka_connect_is_not_proposed() {
        let mut mirrormaker = group("Stable", 1);
        mirrormaker.protocol = "connect".to_owned();
        let GroupError::NoGroup { groups, .. } =
            no_group("f", [mirrormaker, group("Empty", 0)].iter())
        else {
            panic!("another error")
        };
        assert_eq!(groups, ["g"]);
    }

    #[test]
    fn an_offset_that_is_not_there_becomes_the_nearest_that_is() {
        assert_eq!(within(0, 5, 9), 5);
        assert_eq!(within(7, 5, 9), 7);
        assert_eq!(within(100, 5, 9), 9);
    }

    proptest! {
        #[test]
        fn a_group_is_never_moved_out_of_the_partition(asked: i64, first in 0i64.., length in 0i64..9) {
            let end = first.saturating_add(length);
            let now = within(asked, first, end);
            prop_assert!((first..=end).contains(&now));
            prop_assert!(!(first..=end).contains(&asked) || now == asked);
        }
    }
}
