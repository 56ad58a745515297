//! Sharing partitions out among the members of a group, exactly as Java's `RangeAssignor` and `RoundRobinAssignor` do.
//!
//! Racks (KIP-881) play no part: they matter only to who leads a group of members that name theirs.

use crate::protocol::consumer_protocol::Share;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A way to share partitions out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assignor {
    /// Of each topic a run of neighbours for each member.
    Range,
    /// All partitions of all topics dealt out like cards.
    RoundRobin,
}

/// Both, the one that is liked best first: it is among the defaults of Java (`range, cooperative-sticky`) and of
/// librdkafka (`range, roundrobin`).
pub(super) const ASSIGNORS: [Assignor; 2] = [Assignor::Range, Assignor::RoundRobin];

/// A member, and which topics it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscriber {
    /// The coordinator's name for it.
    pub(super) member: String,
    /// The name that a static member gave itself (KIP-345).
    pub(super) instance: Option<String>,
    /// What it subscribes to.
    pub(super) topics: BTreeSet<String>,
}

impl Assignor {
    /// Its name in the protocol.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
        }
    }

    /// The one of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        ASSIGNORS
            .into_iter()
            .find(|assignor| assignor.name() == name)
    }

    /// What each member gets, by its name; nothing is something too. `topics` says how many partitions each topic has;
    /// one that does not exist is assigned to no member.
    pub(super) fn assign(
        self,
        members: &[Subscriber],
        topics: &BTreeMap<String, i32>,
    ) -> BTreeMap<String, Share> {
        let mut members: Vec<&Subscriber> = members.iter().collect();
        members.sort_by(|one, other| in_order(one, other));
        let none = |member: &&Subscriber| (member.member.clone(), Share::new());
        let mut shares = members.iter().map(none).collect();
        let wanted: BTreeSet<&String> = members.iter().flat_map(|member| &member.topics).collect();
        let wanted: Vec<(&String, i32)> = wanted
            .into_iter()
            .filter_map(|topic| Some((topic, *topics.get(topic)?)))
            .collect();
        match self {
            Self::Range => range(&members, &wanted, &mut shares),
            Self::RoundRobin => round_robin(&members, &wanted, &mut shares),
        }
        shares
    }
}

fn range(members: &[&Subscriber], topics: &[(&String, i32)], shares: &mut BTreeMap<String, Share>) {
    for &(topic, partitions) in topics {
        let subscribers = members
            .iter()
            .filter(|member| member.topics.contains(topic));
        let count = i32::try_from(subscribers.clone().count()).unwrap_or(i32::MAX);
        let (each, mut extra) = (partitions / count.max(1), partitions % count.max(1));
        let mut next = 0;
        for member in subscribers {
            let end = next + each + i32::from(extra > 0);
            extra -= i32::from(extra > 0);
            give(shares, member, topic, next..end);
            next = end;
        }
    }
}

fn round_robin(
    members: &[&Subscriber],
    topics: &[(&String, i32)],
    shares: &mut BTreeMap<String, Share>,
) {
    let mut turn = 0;
    for &(topic, partitions) in topics {
        for partition in 0..partitions {
            // a member that does not want the topic loses its turn; some member does
            while !members[turn % members.len()].topics.contains(topic) {
                turn += 1;
            }
            let member = members[turn % members.len()];
            give(shares, member, topic, partition..partition + 1);
            turn += 1;
        }
    }
}

fn give(
    shares: &mut BTreeMap<String, Share>,
    member: &Subscriber,
    topic: &str,
    partitions: std::ops::Range<i32>,
) {
    if let Some(share) = shares
        .get_mut(&member.member)
        .filter(|_| !partitions.is_empty())
    {
        let mine = share.entry(topic.to_owned()).or_default();
        mine.extend(partitions);
    }
}

/// Java's order of members (`AbstractPartitionAssignor.MemberInfo`): static ones first, by their own names.
fn in_order(one: &Subscriber, other: &Subscriber) -> Ordering {
    match (&one.instance, &other.instance) {
        (Some(one), Some(other)) => by_java(one, other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => by_java(&one.member, &other.member),
    }
}

/// As Java compares texts: by UTF-16 units.
fn by_java(one: &str, other: &str) -> Ordering {
    one.encode_utf16().cmp(other.encode_utf16())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn member(name: &str, topics: &[&str]) -> Subscriber {
        Subscriber {
            member: name.to_owned(),
            instance: None,
            topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
        }
    }

    fn topics(counts: &[(&str, i32)]) -> BTreeMap<String, i32> {
        let topic = |&(name, count): &(&str, i32)| (name.to_owned(), count);
        counts.iter().map(topic).collect()
    }

    /// Shares as the documentation of Java's assignors writes them: `C0: [t0p0, t0p1]`.
    fn told(shares: &BTreeMap<String, Share>) -> String {
        let one = |(member, share): (&String, &Share)| {
            let partitions = share
                .iter()
                .flat_map(|(topic, ids)| ids.iter().map(move |id| format!("{topic}p{id}")));
            format!("{member}: [{}]", partitions.collect::<Vec<_>>().join(", "))
        };
        shares.iter().map(one).collect::<Vec<_>>().join("\n")
    }

    fn shared(assignor: Assignor, members: &[Subscriber], counts: &[(&str, i32)]) -> String {
        told(&assignor.assign(members, &topics(counts)))
    }

    /// The examples in the documentation of Java's two classes.
    #[test]
    fn shares_are_those_of_javas_documentation() {
        let two = [member("C0", &["t0", "t1"]), member("C1", &["t0", "t1"])];
        let counts = [("t0", 3), ("t1", 3)];
        assert_eq!(
            shared(Assignor::Range, &two, &counts),
            "C0: [t0p0, t0p1, t1p0, t1p1]\nC1: [t0p2, t1p2]"
        );
        assert_eq!(
            shared(Assignor::RoundRobin, &two, &counts),
            "C0: [t0p0, t0p2, t1p1]\nC1: [t0p1, t1p0, t1p2]"
        );
        let three = [
            member("C0", &["t0"]),
            member("C1", &["t0", "t1"]),
            member("C2", &["t0", "t1", "t2"]),
        ];
        assert_eq!(
            shared(
                Assignor::RoundRobin,
                &three,
                &[("t0", 1), ("t1", 2), ("t2", 3)]
            ),
            "C0: [t0p0]\nC1: [t1p0]\nC2: [t1p1, t2p0, t2p1, t2p2]"
        );
    }

    /// Cases of Java's `RangeAssignorTest` and `RoundRobinAssignorTest`.
    #[test]
    fn shares_are_those_of_javas_tests() {
        let range = Assignor::Range;
        let robin = Assignor::RoundRobin;
        for assignor in [range, robin] {
            let one = [member("consumer1", &["topic"])];
            assert_eq!(shared(assignor, &one, &[]), "consumer1: []");
            assert_eq!(shared(assignor, &one, &[("topic", 0)]), "consumer1: []");
            assert_eq!(
                shared(assignor, &one, &[("other", 3), ("topic", 3)]),
                "consumer1: [topicp0, topicp1, topicp2]"
            );
            let two = [
                member("consumer1", &["topic"]),
                member("consumer2", &["topic"]),
            ];
            assert_eq!(
                shared(assignor, &two, &[("topic", 1)]),
                "consumer1: [topicp0]\nconsumer2: []"
            );
        }
        // testMultipleConsumersMixedTopics
        let mixed = [
            member("consumer1", &["topic1"]),
            member("consumer2", &["topic1", "topic2"]),
            member("consumer3", &["topic1"]),
        ];
        let counts = [("topic1", 3), ("topic2", 2)];
        assert_eq!(
            shared(range, &mixed, &counts),
            "consumer1: [topic1p0]\nconsumer2: [topic1p1, topic2p0, topic2p1]\nconsumer3: [topic1p2]"
        );
        assert_eq!(
            shared(robin, &mixed, &counts),
            "consumer1: [topic1p0]\nconsumer2: [topic1p1, topic2p0, topic2p1]\nconsumer3: [topic1p2]"
        );
        // testTwoConsumersTwoTopicsSixPartitions
        let two = [
            member("consumer1", &["topic1", "topic2"]),
            member("consumer2", &["topic1", "topic2"]),
        ];
        assert_eq!(
            shared(range, &two, &[("topic1", 3), ("topic2", 3)]),
            "consumer1: [topic1p0, topic1p1, topic2p0, topic2p1]\nconsumer2: [topic1p2, topic2p2]"
        );
    }

    #[test]
    fn members_that_name_themselves_come_first_and_texts_compare_as_in_java() {
        let mut named = member("z", &["t"]);
        named.instance = Some("b".to_owned());
        let mut earlier = member("y", &["t"]);
        earlier.instance = Some("a".to_owned());
        let members = [member("a", &["t"]), named, earlier];
        assert_eq!(
            shared(Assignor::Range, &members, &[("t", 3)]),
            "a: [tp2]\ny: [tp0]\nz: [tp1]"
        );
        // in UTF-16 a surrogate is less than U+FF41, in UTF-8 it is not
        let members = [member("\u{ff41}", &["t"]), member("\u{1f600}", &["t"])];
        let shares = Assignor::Range.assign(&members, &topics(&[("t", 1)]));
        assert_eq!(shares["\u{1f600}"]["t"], [0]);
    }

    #[test]
    fn assignors_are_found_by_name() {
        assert_eq!(Assignor::named("range"), Some(Assignor::Range));
        assert_eq!(Assignor::named("roundrobin"), Some(Assignor::RoundRobin));
        assert_eq!(Assignor::named("cooperative-sticky"), None);
    }

    fn any_members() -> impl Strategy<Value = Vec<Subscriber>> {
        let topics = proptest::collection::btree_set("[a-d]", 0..4);
        let instance = proptest::option::of("[a-z]{1,2}");
        proptest::collection::btree_map("[a-z]{1,3}", (instance, topics), 0..8).prop_map(
            |members| {
                let one = |(member, (instance, topics))| Subscriber {
                    member,
                    instance,
                    topics,
                };
                members.into_iter().map(one).collect()
            },
        )
    }

    proptest! {
        #[test]
        fn every_partition_that_is_wanted_goes_to_one_who_wants_it(
            members in any_members(), counts in proptest::collection::btree_map("[a-e]", 0i32..20, 0..5)
        ) {
            for assignor in ASSIGNORS {
                let shares = assignor.assign(&members, &counts);
                prop_assert_eq!(shares.len(), members.len());
                let mut given: Vec<(&String, i32)> = Vec::new();
                for member in &members {
                    for (topic, partitions) in &shares[&member.member] {
                        prop_assert!(member.topics.contains(topic));
                        given.extend(partitions.iter().map(|&partition| (topic, partition)));
                    }
                }
                given.sort_unstable();
                let wanted = |topic: &String| members.iter().any(|member| member.topics.contains(topic));
                let all = counts.iter().filter(|(topic, _)| wanted(topic));
                let all: Vec<(&String, i32)> =
                    all.flat_map(|(topic, &count)| (0..count).map(move |id| (topic, id))).collect();
                prop_assert_eq!(given, all);
            }
        }

        #[test]
        fn of_one_topic_nobody_gets_two_more_than_another(members in 1usize..9, count in 0i32..40) {
            let members: Vec<Subscriber> =
                (0..members).map(|number| member(&format!("m{number}"), &["t"])).collect();
            for assignor in ASSIGNORS {
                let shares = assignor.assign(&members, &topics(&[("t", count)]));
                let sizes = shares.values().map(|share| share.get("t").map_or(0, Vec::len));
                let (least, most) = (sizes.clone().min().unwrap(), sizes.max().unwrap());
                prop_assert!(most - least <= 1);
            }
        }
    }
}
