//! Checks the existing clusters of a spec.

use super::check::judge;
use super::part::{Part, Subject};
use super::problem::{Finding, Problem};
use super::{ClusterSpec, Spec, owned};
use kmk_kafka::endpoint::Endpoint;
use std::collections::BTreeMap;

/// Everything that is wrong with a cluster as far as it says, or does not say, that it already exists.
pub(super) fn check(subject: Subject, cluster: &ClusterSpec, found: &mut Vec<Finding>) {
    let mut add = |part: Part, problem: Problem| {
        found.push(Finding {
            subject,
            part,
            problem,
        });
    };
    let name = || cluster.name.clone();
    if !cluster.is_existing() {
        for (part, is_given, field) in [
            (
                first_property(cluster),
                !cluster.properties.is_empty(),
                "properties",
            ),
            (Part::Canary, cluster.canary, "canary"),
        ] {
            if is_given {
                let cluster = name();
                add(part, Problem::NoBootstrap { cluster, field });
            }
        }
        return;
    }
    let first_setting = cluster.settings.keys().next().cloned();
    for (part, is_given, field) in [
        (Part::Brokers, cluster.brokers != 0, "brokers"),
        (Part::Partitions, cluster.partitions != 0, "partitions"),
        (Part::Port, cluster.port.is_some(), "port"),
        (Part::Image, cluster.image.is_some(), "image"),
        (
            Part::Setting(first_setting.unwrap_or_default()),
            !cluster.settings.is_empty(),
            "settings",
        ),
    ] {
        if is_given {
            let cluster = name();
            add(part, Problem::NotMade { cluster, field });
        }
    }
    for (index, address) in cluster.bootstrap.iter().enumerate() {
        if let Err(reason) = parse(address) {
            let (cluster, address) = (name(), address.clone());
            let problem = Problem::Address {
                cluster,
                address,
                reason,
            };
            add(Part::Address(index), problem);
        }
    }
    for (key, value) in &cluster.properties {
        let is_key = owned::is_key(key, true);
        if let Some(problem) = judge(key, value, owned::of_client(key), is_key) {
            add(Part::Property(key.clone()), problem);
        }
    }
}

fn first_property(cluster: &ClusterSpec) -> Part {
    Part::Property(
        cluster
            .properties
            .keys()
            .next()
            .cloned()
            .unwrap_or_default(),
    )
}

/// Addresses that two clusters have.
pub(super) fn same_addresses(spec: &Spec, found: &mut Vec<Finding>) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (index, cluster) in spec.clusters.iter().enumerate() {
        for (at, address) in cluster.bootstrap.iter().enumerate() {
            let Ok(endpoint) = parse(address) else {
                continue;
            };
            let first = *seen.entry(meant(&endpoint)).or_insert(index);
            if first != index {
                let problem = Problem::AddressTwice {
                    address: address.clone(),
                    one: spec.clusters[first].name.clone(),
                    other: cluster.name.clone(),
                };
                found.push(Finding {
                    subject: Subject::Cluster(index),
                    part: Part::Address(at),
                    problem,
                });
            }
        }
    }
}

/// An address, in which nothing stands that a shell, compose or a list of addresses would make something else of.
fn parse(address: &str) -> Result<Endpoint, String> {
    let endpoint: Endpoint = address
        .parse()
        .map_err(|error: kmk_kafka::endpoint::EndpointError| error.to_string())?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if endpoint.host.chars().all(is_plain) && !endpoint.host.starts_with('-') {
        Ok(endpoint)
    } else {
        Err("a host name has only letters, digits, `.` and `-`".to_owned())
    }
}

/// The same text for what certainly is the same address.
fn meant(endpoint: &Endpoint) -> String {
    let host = if endpoint.is_loopback() {
        "localhost".to_owned()
    } else {
        endpoint.host.to_ascii_lowercase()
    };
    Endpoint::new(host, endpoint.port).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;

    fn parts(spec: &Spec) -> Vec<Part> {
        spec.findings().into_iter().map(|one| one.part).collect()
    }

    #[test]
    fn what_kmk_does_not_make_it_does_not_shape() {
        let mut spec = scenario::dr("demo");
        spec.clusters[0] = ClusterSpec::existing("primary", &["localhost:9092", "[::1]:9093"]);
        assert_eq!(spec.validate(), Ok(()));
        let cluster = &mut spec.clusters[0];
        cluster.brokers = 3;
        cluster.partitions = 1;
        cluster.port = Some(29092);
        cluster.image = Some("x:1".to_owned());
        cluster.settings.insert("a.b".to_owned(), "1".to_owned());
        let expected = [
            Part::Brokers,
            Part::Partitions,
            Part::Port,
            Part::Image,
            Part::Setting("a.b".to_owned()),
        ];
        assert_eq!(parts(&spec), expected);
    }

    #[test]
    fn properties_and_a_canary_are_for_what_is_there_already() {
        let mut spec = scenario::dr("demo");
        let client = ("client.id".to_owned(), "x".to_owned());
        spec.clusters[1].properties = [client].into();
        spec.clusters[1].canary = true;
        let property = Part::Property("client.id".to_owned());
        assert_eq!(parts(&spec), [property, Part::Canary]);
    }

    #[test]
    fn addresses_are_addresses_and_of_one_cluster_each() {
        let mut spec = scenario::dr("demo");
        let bad = ["nowhere", "a b:1", "$(x):1", "*:9092", "-x:1", "h:0"];
        spec.clusters[0] = ClusterSpec::existing("primary", &bad);
        assert_eq!(parts(&spec).len(), bad.len());
        spec.clusters[0] = ClusterSpec::existing("primary", &["LOCALHOST:9092", "h:1"]);
        spec.clusters[1] = ClusterSpec::existing("secondary", &["H:1", "127.0.0.1:9092", "h:2"]);
        assert_eq!(parts(&spec), [Part::Address(0), Part::Address(1)]);
        spec.clusters[1] = ClusterSpec::existing("secondary", &["h:2", "h:2"]);
        assert_eq!(spec.validate(), Ok(()));
    }

    #[test]
    fn what_a_client_needs_and_what_is_not_its_own_to_say() {
        let mut spec = scenario::dr("demo");
        spec.clusters[0] = ClusterSpec::existing("primary", &["h:1"]);
        let property = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        spec.clusters[0].properties = [
            ("security.protocol", "SASL_SSL"),
            (
                "sasl.jaas.config",
                "x required username=\"a\" password=\"${env:P}\";",
            ),
            ("consumer.client.rack", "a"),
        ]
        .map(property)
        .into();
        assert_eq!(spec.validate(), Ok(()));
        spec.clusters[0].properties = [
            ("bootstrap.servers", "h:2"),
            ("a b", "1"),
            ("client.id", "${file:x:y}"),
        ]
        .map(property)
        .into();
        assert_eq!(spec.validate().unwrap_err().len(), 3);
    }
}
