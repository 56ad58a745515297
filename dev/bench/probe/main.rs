//! What the bench looks at two clusters with, whoever runs them: when a record has crossed, how many have, how late.
//!
//! ```text
//! probe first   PRIMARY SECONDARY TOPIC COPY               writes a record as soon as it can; ends when its copy is there
//! probe pickup  PRIMARY SECONDARY PREFIX TOPICS SECONDS    makes topics, one after the other: milliseconds to each copy's record
//! probe reached SECONDARY COPY RECORDS SECONDS             "seconds records", a line for each change, until so many are there
//! probe latency PRIMARY SECONDARY TOPIC COPY RECORDS RATE  {"p50", "p99", "max"} of single records, in milliseconds
//! ```
//!
//! Knows nothing of labs, of containers, or of what the numbers are for.

mod arrival;
mod cluster;
mod latency;

use anyhow::{Context as _, bail};
use cluster::Cluster;
use std::time::Duration;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["first", primary, secondary, topic, copy] => {
            arrival::first(&at(primary)?, &at(secondary)?, topic, copy)
        }
        ["pickup", primary, secondary, prefix, topics, patience] => arrival::pickup(
            &at(primary)?,
            &at(secondary)?,
            prefix,
            number(topics)?,
            seconds(patience)?,
        ),
        ["reached", secondary, copy, records, patience] => {
            arrival::reached(&at(secondary)?, copy, number(records)?, seconds(patience)?)
        }
        ["latency", primary, secondary, topic, copy, records, rate] => latency::measure(
            &at(primary)?,
            &at(secondary)?,
            topic,
            copy,
            number(records)?,
            number(rate)?,
        ),
        _ => bail!("usage: probe first|pickup|reached|latency ...; see dev/bench/probe/main.rs"),
    }
}

fn at(address: &str) -> anyhow::Result<Cluster> {
    Ok(Cluster::new(address.parse()?))
}

fn number(text: &str) -> anyhow::Result<u64> {
    text.parse()
        .with_context(|| format!("`{text}` is no number"))
}

fn seconds(text: &str) -> anyhow::Result<Duration> {
    Ok(Duration::from_secs(number(text)?))
}
