//! Generates any valid spec, for property tests.

use super::{ClusterSpec, FlowSpec, LinkSpec, Millis, Naming, Rate, Spec};
use crate::core::spec::filter;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

fn image() -> impl Strategy<Value = Option<String>> {
    option::of(prop_oneof![
        // older ones have no variables for MirrorMaker
        "apache/kafka:3\\.[5-9]\\.[0-9]",
        "apache/kafka:4\\.[0-9]\\.[0-9]",
        "[a-z]{1,5}/[a-z]{1,5}:[a-z0-9]{1,4}",
    ])
}

fn filters() -> impl Strategy<Value = Vec<String>> {
    let text = prop_oneof!["[a-z.*|\\\\]{1,8}", "[^,\\p{C}\\p{Z}]{1,6}"];
    vec(text, 0..3).prop_map(|mut filters| {
        filters.retain(|filter| filter::check_topics(filter).is_ok());
        filters
    })
}

/// Nothing that kmk owns or counts begins with these words.
fn settings() -> impl Strategy<Value = BTreeMap<String, String>> {
    let value = prop_oneof![
        "[0-9]{1,4}",
        "\\PC{0,8}",
        "[ -~]{0,4}\\$\\{env:[A-Z]{4}\\}[ -~]{0,4}",
    ];
    let value = value.prop_filter("a reference", |value| super::pieces(value).is_ok());
    btree_map("sample(\\.[a-z]{1,4}|[-_][0-9]){0,3}", value, 0..3)
}

/// What all clients of a cluster read.
fn properties() -> impl Strategy<Value = BTreeMap<String, String>> {
    let texts = [
        "sasl.kerberos.service.name",
        "sasl.jaas.config",
        "ssl.key.password",
    ];
    let text = (
        prop::sample::select(texts.to_vec()),
        "[a-z]{0,4}(\\$\\{env:[A-Z]{4}\\})?",
    );
    let numbers = [
        "sasl.login.retry.backoff.ms",
        "sasl.login.retry.backoff.max.ms",
    ];
    let number = (prop::sample::select(numbers.to_vec()), "[1-9][0-9]{0,3}");
    let one = prop_oneof![text, number].prop_map(|(key, value)| (key.to_owned(), value));
    vec(one, 0..3).prop_map(|all| all.into_iter().collect())
}

/// Settings that MirrorMaker reads: with numbers, and with whatever a transformation of one's own takes.
fn flow_settings() -> impl Strategy<Value = BTreeMap<String, String>> {
    let numbers = prop::sample::select(vec![
        "consumer.fetch.max.wait.ms",
        "consumer.poll.timeout.ms",
        "consumer.request.timeout.ms",
        "offset.lag.max",
        "producer.override.batch.size",
        "refresh.topics.interval.seconds",
        "source.consumer.max.poll.records",
        "tasks.max",
    ]);
    let number = prop_oneof!["[1-9][0-9]{0,3}", "\\$\\{env:KMK_[A-Z]{4}\\}"];
    let number = (numbers.prop_map(str::to_owned), number);
    let own = settings().prop_map(|settings| {
        let settings = settings.into_iter();
        let own: BTreeMap<_, _> = settings
            .map(|(key, value)| (format!("transforms.{key}"), value))
            .collect();
        own
    });
    (vec(number, 0..3), own).prop_map(|(numbers, mut settings)| {
        settings.extend(numbers);
        settings
    })
}

fn link() -> impl Strategy<Value = Option<LinkSpec>> {
    let rtt = option::of((5u32..=2000).prop_map(Millis));
    let parts = (rtt, 1u32..=5, option::of((8u32..1_000_000).prop_map(Rate)));
    option::of(parts.prop_map(|(rtt, jitter, rate)| LinkSpec {
        jitter: rtt.map(|_| Millis(jitter)),
        rtt,
        rate,
    }))
}

fn bind() -> impl Strategy<Value = Option<IpAddr>> {
    let addresses = ["127.0.0.1", "192.0.2.7", "::1", "2001:db8::7"];
    let addresses = addresses.map(|address| address.parse::<IpAddr>().unwrap());
    option::of(proptest::sample::select(addresses.to_vec()))
}

pub(crate) fn any_spec() -> impl Strategy<Value = Spec> {
    let workers = option::of(1u16..=9);
    // one in five is an existing cluster
    let existing = (0u8..5, any::<bool>(), properties(), any::<bool>());
    let cluster = (1u16..=9, 1u32..1001, image(), settings(), workers, existing);
    let flow = (
        any::<(usize, usize)>(),
        [filters(), filters(), filters()],
        any::<bool>(),
        flow_settings(),
        link(),
    );
    let heap = option::of(128u32..=16384);
    let parts = (
        vec(cluster, 1..12),
        vec(flow, 0..12),
        image(),
        heap,
        any::<bool>(),
        bind(),
    );
    parts.prop_map(|(clusters, flows, image, memory, has_ports, bind)| {
        let name = |index: usize| format!("c{index}");
        let count = clusters.len();
        let mut spec = Spec {
            lab: "any".to_owned(),
            image,
            memory,
            bind,
            clusters: Vec::new(),
            flows: Vec::new(),
        };
        for (index, (brokers, partitions, image, settings, mirrormakers, there)) in
            clusters.into_iter().enumerate()
        {
            let (is_made, canary, properties, exactly_once) = there;
            if is_made == 0 {
                let address = format!("host-{index}.example:9092");
                let there = ClusterSpec::existing(
                    &name(index),
                    &[&address, "[fd00::1]:9092"][..=usize::from(index == 0)],
                );
                spec.clusters.push(ClusterSpec {
                    mirrormakers,
                    properties,
                    canary,
                    ..there
                });
                continue;
            }
            let port = u16::try_from(20_000 + 100 * index).ok();
            spec.clusters.push(ClusterSpec {
                brokers,
                partitions,
                port: port.filter(|_| has_ports),
                image,
                settings,
                mirrormakers,
                exactly_once,
                ..ClusterSpec::new(&name(index))
            });
        }
        let mut seen = BTreeSet::new();
        for ((from, to), [topics, exclude, groups], is_same, settings, link) in flows {
            let (from, to) = (from % count, to % count);
            if from == to || !seen.insert((from, to)) {
                continue;
            }
            let naming = if is_same {
                Naming::Same
            } else {
                Naming::Prefix
            };
            // further ones may have more relays than their cluster has ports
            let is_first = spec.flows.iter().all(|flow| flow.source != name(from));
            let link = link.filter(|_| is_first && !spec.clusters[from].is_existing());
            spec.flows.push(FlowSpec {
                topics,
                exclude,
                groups,
                naming,
                settings,
                link,
                ..FlowSpec::new(&name(from), &name(to))
            });
        }
        for index in 0..spec.flows.len() {
            if !super::flow_cycles::findings(&spec).is_empty() {
                spec.flows[index].naming = Naming::Prefix;
            }
        }
        if spec.flows.is_empty() {
            spec.clusters.push(ClusterSpec::new("made"));
        }
        let targets: BTreeSet<String> = spec.flows.iter().map(|flow| flow.target.clone()).collect();
        for cluster in &mut spec.clusters {
            cluster.mirrormakers = cluster
                .mirrormakers
                .filter(|_| targets.contains(&cluster.name));
            cluster.exactly_once &= targets.contains(&cluster.name);
        }
        spec
    })
}
