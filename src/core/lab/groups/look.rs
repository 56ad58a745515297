//! Consumer groups as clusters tell of them. Changes nothing, and creates nothing.

use super::lag::Lag;
use super::report::{ClusterGroups, GroupPartition, GroupReport, MemberReport};
use super::{last_seen, other_side};
use crate::core::observe::groups::{Groups, group_snapshots};
use crate::core::observe::{addresses, side_by_side};
use crate::core::topology::{Cluster, Flow, Topology};
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::{Limit, Stop};
use kmk_kafka::{Admin, Group, KafkaError};
use std::collections::{BTreeMap, BTreeSet};

/// Offsets by topic and partition.
type Offsets = BTreeMap<(String, i32), i64>;

/// The groups of all clusters of a lab, or of the one named, in the order of the lab; each cluster is asked once, all at the same
/// time. With `all`, those of MirrorMaker and Kafka Connect too. Each with what would become of it at the other end of the flows,
/// or of the one named.
pub fn groups_and_flows(
    topology: &Topology,
    only: Option<&str>,
    flow: Option<&str>,
    all: bool,
    limit: &Limit,
) -> Vec<Result<ClusterGroups, KafkaError>> {
    let is_meant = |name: &str| only.is_none_or(|only| only == name);
    let is_asked =
        |one: &&Flow| is_meant(&one.spec.source) && flow.is_none_or(|flow| flow == one.name());
    let flows: Vec<&Flow> = topology.flows.iter().filter(is_asked).collect();
    let clusters = topology.clusters.iter();
    let asked = clusters.clone().filter(|cluster| {
        let mut targets = flows.iter().map(|flow| &flow.spec.target);
        is_meant(&cluster.name) || targets.any(|target| *target == cluster.name)
    });
    let asked: Vec<&Cluster> = asked.collect();
    let mut seen = group_snapshots(topology, &asked, limit);
    let meant = clusters.filter(|cluster| is_meant(&cluster.name));
    let reports = meant.map(|cluster| {
        let name = cluster.name.as_str();
        let flows = flows.iter().filter(|flow| flow.spec.source == name);
        let report = match &seen[name] {
            Ok(source) => {
                let groups = &source.as_source;
                let mut report = of_cluster(&cluster.endpoints(), groups, all);
                report.cluster = Some(name.to_owned());
                for flow in flows {
                    let ends = (source, &seen[flow.spec.target.as_str()]);
                    other_side::add(topology, flow, &mut report, ends, limit);
                }
                Some(report)
            }
            Err(KafkaError::Stopped(Stop::Interrupted)) => None,
            Err(error) => {
                let targets = flows.filter_map(|&flow| {
                    let target = seen[flow.spec.target.as_str()].as_ref().ok()?;
                    Some((flow, target)).filter(|_| target.problem(name).is_none())
                });
                last_seen::find(cluster, error.to_string(), targets)
            }
        };
        (name, report)
    });
    let reports: Vec<(&str, Option<ClusterGroups>)> = reports.collect();
    let reports = reports.into_iter();
    let told = reports.map(|(name, report)| match (report, seen.remove(name)) {
        (None, Some(Err(error))) => Err(error),
        (report, _) => Ok(report.expect("a cluster that answers has a report")),
    });
    told.collect()
}

/// The clusters of a lab that know a group of that name, as far as they answer.
pub fn clusters_with(topology: &Topology, group: &str, limit: &Limit) -> Vec<String> {
    let found = side_by_side(&topology.clusters, |cluster| {
        let admin = Admin::connect_patiently(&addresses(cluster).ok()?, limit);
        let groups = admin.ok()?.groups(limit).ok()?;
        let has_it = groups.iter().any(|(one, _)| one.name == group);
        has_it.then(|| cluster.name.clone())
    });
    found.into_iter().flatten().collect()
}

/// The groups of a cluster that is no lab's.
///
/// # Errors
/// When no broker answers, or one refuses.
pub fn groups_at(
    bootstrap: &[Endpoint],
    all: bool,
    limit: &Limit,
) -> Result<ClusterGroups, KafkaError> {
    let mut admin = Admin::connect_patiently(bootstrap, limit)?;
    let mut groups = Groups::ask(&mut admin, limit)?;
    groups.ask_ends(groups.topics(), &mut admin, limit)?;
    Ok(of_cluster(bootstrap, &groups, all))
}

fn of_cluster(bootstrap: &[Endpoint], seen: &Groups, all: bool) -> ClusterGroups {
    let groups = seen.by_name.values();
    let shown = groups.filter(|(group, _)| all || !is_internal(group));
    let shown: Vec<GroupReport> = shown
        .map(|(group, offsets)| report(group, offsets, &seen.end))
        .collect();
    let addresses: Vec<String> = bootstrap.iter().map(ToString::to_string).collect();
    ClusterGroups {
        cluster: None,
        bootstrap: addresses.join(","),
        hidden: seen.by_name.len() - shown.len(),
        groups: shown,
        problem: None,
    }
}

/// Whether its members are workers of Kafka Connect, and so of MirrorMaker, rather than consumers.
pub(super) fn is_internal(group: &Group) -> bool {
    group.protocol == "connect"
}

/// Where it has committed offsets, and what its members read.
fn partitions<'a>(group: &'a Group, offsets: &'a Offsets) -> BTreeSet<&'a (String, i32)> {
    let read = group.members.iter().flat_map(|member| &member.reads);
    offsets.keys().chain(read).collect()
}

/// All partitions of these topics: where the group has no committed offset, it may have everything left to read.
fn with_the_rest<'a>(
    mut partitions: BTreeSet<&'a (String, i32)>,
    ends: &'a Offsets,
) -> BTreeSet<&'a (String, i32)> {
    let topics: BTreeSet<&str> = partitions.iter().map(|(topic, _)| topic.as_str()).collect();
    partitions.extend(
        ends.keys()
            .filter(|(topic, _)| topics.contains(topic.as_str())),
    );
    partitions
}

fn report(group: &Group, offsets: &Offsets, ends: &Offsets) -> GroupReport {
    let report = |at: &(String, i32)| {
        let committed = offsets.get(at).copied();
        let end = ends.get(at).copied();
        let lag = committed
            .zip(end)
            .map(|(committed, end)| Lag::of(committed, end));
        let mut members = group.members.iter();
        let reader = members.find(|member| member.reads.contains(at));
        GroupPartition {
            topic: at.0.clone(),
            partition: at.1,
            committed,
            end,
            lag: lag.map(Lag::left),
            ahead: match lag {
                Some(Lag::Ahead(over)) => Some(over),
                _ => None,
            },
            client: reader.map(|member| member.client.clone()),
            host: reader.map(|member| member.host.clone()),
        }
    };
    let partitions = with_the_rest(partitions(group, offsets), ends);
    let partitions: Vec<GroupPartition> = partitions.into_iter().map(report).collect();
    let lags: Vec<u64> = partitions.iter().filter_map(|one| one.lag).collect();
    GroupReport {
        group: group.name.clone(),
        kind: group.kind.to_string(),
        state: group.state.clone(),
        members: group
            .members
            .iter()
            .map(|member| MemberReport {
                member: member.id.clone(),
                client: member.client.clone(),
                host: member.host.clone(),
                partitions: member.reads.len(),
            })
            .collect(),
        lag: (!lags.is_empty()).then(|| lags.iter().sum()),
        partitions,
        flows: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmk_kafka::{GroupKind, Member};

    fn at(partition: i32) -> (String, i32) {
        ("t".to_owned(), partition)
    }

    #[test]
    fn all_partitions_of_a_groups_topics_are_told() {
        let member = Member {
            id: "m".to_owned(),
            client: "billing-1".to_owned(),
            host: "10.0.0.1".to_owned(),
            reads: BTreeSet::from([at(0), at(2)]),
            work: None,
        };
        let group = Group {
            name: "billing".to_owned(),
            kind: GroupKind::Classic,
            protocol: "consumer".to_owned(),
            state: "Stable".to_owned(),
            members: vec![member],
        };
        let committed = Offsets::from([(at(0), 4), (at(1), 9), (at(3), 1)]);
        let other = ("other".to_owned(), 0);
        let ends = Offsets::from([(at(0), 10), (at(1), 7), (at(2), 5), (at(4), 2), (other, 8)]);
        let report = report(&group, &committed, &ends);
        let seen: Vec<_> = report
            .partitions
            .iter()
            .map(|one| {
                (
                    one.committed,
                    one.end,
                    one.lag,
                    one.ahead,
                    one.client.is_some(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                (Some(4), Some(10), Some(6), None, true),
                (Some(9), Some(7), Some(0), Some(2), false),
                (None, Some(5), None, None, true),
                (Some(1), None, None, None, false),
                (None, Some(2), None, None, false),
            ]
        );
        assert_eq!(
            (report.lag, report.topics(), report.not_begun()),
            (Some(6), 1, 2)
        );
    }
}
