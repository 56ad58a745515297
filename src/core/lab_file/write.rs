//! Writes a spec as a lab file, with every field explained.

use super::field::{CLUSTER, FLOW, Field, Kind, LAB, Table};
use crate::core::spec::{ClusterSpec, FlowSpec, LinkSpec, Naming, Spec};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where editors find the description of this file, of the kmk that wrote it.
const SCHEMA: &str = concat!(
    "https://raw.githubusercontent.com/kafka-mirror-kit/kafka-mirror-kit/v",
    env!("CARGO_PKG_VERSION"),
    "/docs/kmk.schema.json"
);

/// Whether fields are explained, and those that are not given shown: once for clusters, once for flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Talk {
    Explained,
    Bare,
}

/// The text of a lab file that says what `spec` says.
pub fn write(spec: &Spec) -> String {
    let mut text = format!(
        "# yaml-language-server: $schema={SCHEMA}\n\
         # A lab of Kafka clusters. Run `kmk deploy` in this directory to start it, and again to apply changes.\n\
         # Commented lines are examples. Flags of `kmk deploy` override this file.\n"
    );
    let Spec {
        lab,
        image,
        memory,
        bind,
        clusters,
        flows,
    } = spec;
    let top = [
        ("lab", Some(quoted(lab))),
        ("kafka", None),
        ("image", image.as_deref().map(quoted)),
        ("memory", memory.map(|mib| format!("{mib}m"))),
        ("bind", bind.map(|address| quoted(&address.to_string()))),
    ];
    for (name, value) in top {
        text.push('\n');
        entry(
            &mut text,
            LAB.field(name),
            "",
            value.as_deref(),
            Talk::Explained,
        );
    }
    let _ = write!(text, "\n# {}\nclusters:\n", LAB.field("clusters").about);
    for (index, cluster) in clusters.iter().enumerate() {
        item(&mut text, index, &CLUSTER, &cluster_values(cluster));
    }
    let none = if flows.is_empty() { " []" } else { "" };
    let _ = write!(text, "\n# {}\nflows:{none}\n", LAB.field("flows").about);
    for (index, flow) in flows.iter().enumerate() {
        item(&mut text, index, &FLOW, &flow_values(flow));
    }
    text
}

fn cluster_values(cluster: &ClusterSpec) -> Vec<Option<String>> {
    let ClusterSpec {
        name,
        brokers,
        partitions,
        port,
        image,
        mirrormakers,
        exactly_once,
        settings,
        bootstrap,
        properties,
        canary,
    } = cluster;
    vec![
        Some(quoted(name)),
        (*brokers != 0).then(|| brokers.to_string()),
        (*partitions != 0).then(|| partitions.to_string()),
        port.map(|port| port.to_string()),
        None,
        image.as_deref().map(quoted),
        mirrormakers.map(|count| count.to_string()),
        exactly_once.then(|| exactly_once.to_string()),
        mapping(settings),
        list(bootstrap),
        mapping(properties),
        canary.then(|| canary.to_string()),
    ]
}

fn flow_values(flow: &FlowSpec) -> Vec<Option<String>> {
    let FlowSpec {
        source,
        target,
        topics,
        exclude,
        groups,
        naming,
        settings,
        link,
    } = flow;
    let naming = match naming {
        Naming::Prefix => "prefix",
        Naming::Same => "same",
    };
    vec![
        Some(quoted(source)),
        Some(quoted(target)),
        list(topics),
        list(exclude),
        list(groups),
        Some(naming.to_owned()),
        mapping(settings),
        link.as_ref().map(inline),
    ]
}

fn inline(link: &LinkSpec) -> String {
    let LinkSpec { rtt, jitter, rate } = link;
    let parts = [
        rtt.map(|rtt| format!("rtt: {rtt}")),
        jitter.map(|jitter| format!("jitter: {jitter}")),
        rate.map(|rate| format!("rate: {rate}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{{{}}}", parts.join(", "))
}

/// An entry of a list, its values in the order of the table.
fn item(text: &mut String, index: usize, table: &Table, values: &[Option<String>]) {
    let talk = if index == 0 {
        Talk::Explained
    } else {
        Talk::Bare
    };
    for (at, (field, value)) in table.fields.iter().zip(values).enumerate() {
        let indent = if at == 0 { "  - " } else { "    " };
        entry(text, field, indent, value.as_deref(), talk);
    }
}

fn entry(text: &mut String, field: &Field, indent: &str, value: Option<&str>, talk: Talk) {
    let name = field.name;
    let margin = if indent == "  - " { "  " } else { indent };
    if talk == Talk::Explained {
        let _ = writeln!(text, "{margin}# {}", field.about);
    }
    match value {
        Some(value) if field.kind == Kind::Settings => {
            let _ = writeln!(text, "{indent}{name}:");
            for line in value.lines() {
                let _ = writeln!(text, "{margin}  {line}");
            }
        }
        Some(value) => {
            let _ = writeln!(text, "{indent}{name}: {value}");
        }
        None if talk == Talk::Explained => {
            let _ = writeln!(text, "{margin}# {name}: {}", field.example);
        }
        None => {}
    }
}

fn list(texts: &[String]) -> Option<String> {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    (!texts.is_empty()).then(|| format!("[{}]", texts.join(", ")))
}

/// A line each.
fn mapping(settings: &BTreeMap<String, String>) -> Option<String> {
    let line = |(key, value): (&String, &String)| format!("{key}: {}", quoted(value));
    let lines: Vec<String> = settings.iter().map(line).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A text as it stands where that means the same, else between quotes.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_word = text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(is_plain);
    if is_word && text != "null" {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            ' '..='~' => quoted.push(c),
            _ if c.is_alphanumeric() => quoted.push(c),
            _ => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(c));
            }
        }
    }
    quoted.push('"');
    quoted
}
