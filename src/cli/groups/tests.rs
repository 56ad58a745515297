//! Texts for made-up reports of groups.

use super::*;
use kafka_mirror_kit::core::lab::groups::{MemberReport, UNKNOWN};

fn partition(
    partition: i32,
    lag: Option<u64>,
    ahead: Option<u64>,
    client: Option<&str>,
) -> GroupPartition {
    GroupPartition {
        topic: "orders".to_owned(),
        partition,
        committed: Some(4),
        end: Some(10),
        lag,
        ahead,
        client: client.map(str::to_owned),
        host: client.map(|_| "10.0.0.1".to_owned()),
    }
}

fn group(partitions: Vec<GroupPartition>) -> GroupReport {
    let member = |client: &str, partitions| MemberReport {
        member: "m".to_owned(),
        client: client.to_owned(),
        host: "10.0.0.1".to_owned(),
        partitions,
    };
    GroupReport {
        group: "billing".to_owned(),
        kind: "classic".to_owned(),
        state: "Stable".to_owned(),
        members: vec![member("app-1", 1), member("app-2", 0)],
        lag: Some(6),
        partitions,
        flows: Vec::new(),
    }
}

#[test]
fn a_group_partition_by_partition() {
    let partitions = vec![
        partition(0, Some(6), None, Some("app-1")),
        partition(1, Some(0), Some(3), None),
    ];
    let expected = "\
billing: Stable, 2 members, lag 6, ahead in other partitions
app-2 on 10.0.0.1 has no partitions
TOPIC   PARTITION  OFFSET  END  LAG      CLIENT  HOST
orders  0          4       10   6        app-1   10.0.0.1
orders  1          4       10   ahead 3  -       -";
    assert_eq!(detail(&group(partitions)), expected);
}

#[test]
fn of_a_cluster_that_does_not_answer_nothing_is_made_up() {
    let group = GroupReport {
        kind: UNKNOWN.to_owned(),
        state: UNKNOWN.to_owned(),
        members: Vec::new(),
        lag: None,
        ..group(vec![partition(0, None, None, None)])
    };
    let cluster = ClusterGroups {
        cluster: Some("primary".to_owned()),
        bootstrap: "127.0.0.1:19092".to_owned(),
        groups: vec![group],
        hidden: 0,
        problem: Some("it is away".to_owned()),
    };
    let expected = "\
primary (127.0.0.1:19092)
no answer; its groups as MirrorMaker last saw them:
GROUP    STATE    MEMBERS  TOPICS  LAG
billing  unknown  -        1       -";
    assert_eq!(describe(&cluster, false), expected);
    assert!(describe(&cluster, true).ends_with("\nbilling: unknown"));
}

#[test]
fn an_offset_behind_the_end_is_said_in_the_summary_too() {
    let group = group(vec![
        partition(0, Some(6), None, None),
        partition(1, Some(0), Some(3), None),
    ]);
    assert_eq!(
        summary(&[group]),
        "GROUP    STATE   MEMBERS  TOPICS  LAG\n\
         billing  Stable  2        1       6, ahead in other partitions"
    );
}

#[test]
fn whether_there_is_a_group_is_not_known_while_a_cluster_does_not_answer() {
    let cluster = |name: &str, groups, problem: Option<&str>| ClusterGroups {
        cluster: Some(name.to_owned()),
        bootstrap: "127.0.0.1:19092".to_owned(),
        groups,
        hidden: 0,
        problem: problem.map(str::to_owned),
    };
    let keep = |name: &str, problem| {
        let mut clusters = vec![
            cluster("primary", vec![group(Vec::new())], None),
            cluster("secondary", Vec::new(), problem),
        ];
        keep(name, &mut clusters, " --lab x").map(|()| clusters.len())
    };
    assert_eq!(keep("billing", None).unwrap(), 1);
    assert_eq!(keep("billing", Some("it is away")).unwrap(), 2);
    let told = |problem| {
        keep("billin", problem).unwrap_err().problems[0]
            .what
            .clone()
    };
    assert_eq!(told(None), "there is no group `billin`");
    assert_eq!(
        told(Some("it is away")),
        "group `billin` was not found, but it may exist: secondary does not answer (it is away)"
    );
}
