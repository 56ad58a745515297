//! A lab driven by a program: deploy, produce, consume, destroy, with progress events.
//!
//! `cargo run --example lab` needs what `kmk deploy` needs. It uses a lab and ports of its own.

use anyhow::{Context as _, ensure};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::event::{Event, Silent};
use kafka_mirror_kit::core::lab::deploy::{Change, Request, deploy};
use kafka_mirror_kit::core::lab::destroy::destroy;
use kafka_mirror_kit::core::lab::workdir::Workdir;
use kafka_mirror_kit::core::records::consume::{Consume, Sink, consume};
use kafka_mirror_kit::core::records::produce::{Input, Key, Produce, produce};
use kafka_mirror_kit::core::topology::Cluster;
use kafka_mirror_kit::kafka::message::RecordRef;
use kafka_mirror_kit::kafka::wait::{Interrupt, Limit};
use kafka_mirror_kit::kafka::{Client, ProducerOptions, Start};
use std::io;
use std::time::Duration;

const LAB: &str = "example";

/// Keeps the records' values as text.
struct Lines(Vec<String>);

impl Sink for Lines {
    fn record(&mut self, _: &str, record: RecordRef<'_>) -> io::Result<()> {
        let value = record.value.unwrap_or_default();
        self.0.push(String::from_utf8_lossy(value).into_owned());
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    let interrupt = Interrupt::default();
    let limit = Limit::new(Duration::from_secs(120), &interrupt);
    let directory = Workdir::new(std::env::temp_dir().join("kmk-example"));
    let request = Request {
        lab: LAB.to_owned(),
        wanted: None,
        scenario: None,
        change: Change::default(),
        any_port: true,
        directory: Some(directory.path().to_owned()),
        overwrite: false,
        keep: false,
        relay_image: None,
    };
    let deployed = deploy(&request, &limit, &|event: Event| eprintln!("{event:?}"))?;
    println!("replicates after {:.1} s", deployed.took.as_secs_f64());

    let flow = deployed
        .topology
        .flows
        .first()
        .context("the default lab has a flow")?;
    let addresses = |name: &str| {
        deployed
            .topology
            .cluster(name)
            .map_or_else(Vec::new, Cluster::endpoints)
    };
    let sent = produce(
        &addresses(&flow.spec.source),
        Produce {
            topic: "orders".to_owned(),
            input: Input::Samples { size: None },
            input_name: None,
            messages: Some(10),
            key: Key::None,
            partition: None,
            headers: Vec::new(),
            time: None,
            rate: None,
            writing: ProducerOptions::default(),
            patience: Duration::from_secs(30),
        },
        &interrupt,
        &Silent,
        &mut |_| {},
    )?;
    println!("{} records acknowledged", sent.tally.acknowledged());

    let mut copies = Lines(Vec::new());
    let wanted = Consume {
        topics: vec![flow.remote_topic("orders")],
        must_be_there: Vec::new(),
        partition: None,
        start: Start::Earliest,
        until: None,
        group: None,
        messages: Some(10),
        follow: false,
        timeout: Duration::from_secs(30),
        committed_only: false,
        client: Client::Auto,
        needs: Vec::new(),
    };
    let read = consume(
        &addresses(&flow.spec.target),
        &wanted,
        &interrupt,
        &Silent,
        &mut copies,
    )?;
    println!(
        "{} copies read on {}:\n{}",
        read.read,
        flow.spec.target,
        copies.0.join("\n")
    );

    let gone = destroy(&Docker::find()?, LAB, &directory, &limit)?;
    println!("{} containers removed", gone.containers);
    ensure!(
        read.read == 10,
        "10 records were sent, and {} copies arrived",
        read.read
    );
    Ok(())
}
