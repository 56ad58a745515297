//! Renders a lab's files from its spec.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use kafka_mirror_kit::core::compose::{self, ClassCache, Delivery};
use kafka_mirror_kit::core::mirrormaker::config;
use kafka_mirror_kit::core::spec::scenario::dr;
use kafka_mirror_kit::core::spec::{ClusterSpec, FlowSpec, Spec};
use kafka_mirror_kit::core::topology::Topology;

/// Numbers of clusters.
const CLUSTERS: [usize; 2] = [2, 8];

/// All clusters but the first are copied into the first.
fn spec(clusters: usize) -> Spec {
    let names: Vec<String> = (0..clusters).map(|n| format!("region-{n}")).collect();
    let spec = Spec {
        clusters: names.iter().map(|name| ClusterSpec::new(name)).collect(),
        flows: names[1..]
            .iter()
            .map(|name| FlowSpec::new(name, &names[0]))
            .collect(),
        ..dr("bench")
    };
    assert_eq!(spec.clone().validate(), Ok(()));
    spec
}

fn compose_text(topology: &Topology, properties: &str) -> String {
    compose::render(
        topology,
        Delivery::Mount("./mm2.properties"),
        ClassCache::Shared,
        properties,
    )
    .text
}

/// Every port, address and name of a lab.
#[divan::bench(args = CLUSTERS)]
fn topology(bencher: Bencher<'_, '_>, clusters: usize) {
    let spec = spec(clusters);
    bencher.bench(|| Topology::new(black_box(&spec)));
}

/// `mm2.properties`.
#[divan::bench(args = CLUSTERS)]
fn properties(bencher: Bencher<'_, '_>, clusters: usize) {
    let topology = Topology::new(&spec(clusters));
    let text = config::render(&topology);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| config::render(black_box(&topology)));
}

/// `docker-compose.yml`.
#[divan::bench(args = CLUSTERS)]
fn compose(bencher: Bencher<'_, '_>, clusters: usize) {
    let topology = Topology::new(&spec(clusters));
    let properties = config::render(&topology);
    let text = compose_text(&topology, &properties);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| compose_text(black_box(&topology), &properties));
}

/// All of it, from what was asked for.
#[divan::bench(args = CLUSTERS)]
fn files(bencher: Bencher<'_, '_>, clusters: usize) {
    let spec = spec(clusters);
    let both = |spec: &Spec| {
        let topology = Topology::new(spec);
        let properties = config::render(&topology);
        let compose = compose_text(&topology, &properties);
        (properties, compose)
    };
    let (properties, compose) = both(&spec);
    bencher
        .counter(BytesCount::new(properties.len() + compose.len()))
        .bench(|| both(black_box(&spec)));
}
