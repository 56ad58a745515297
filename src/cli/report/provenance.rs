//! What a result was made with, so that others can make it again.

use kafka_mirror_kit::core::lab::{Lab, link};
use kafka_mirror_kit::core::lab_file;
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec::Spec;
use kafka_mirror_kit::core::topology::Version;
use kmk_kafka::wait::Limit;
use serde::Serialize;
use std::time::SystemTime;

/// As JSON, fields keep their names and meanings; new ones may come.
#[derive(Clone, Serialize)]
pub(crate) struct Provenance {
    /// The version of kmk.
    pub(crate) kmk: &'static str,
    /// As it was typed.
    pub(crate) command: String,
    /// When it began: RFC 3339, UTC.
    pub(crate) date: String,
    /// Its containers, in the order of their names.
    pub(crate) services: Vec<Service>,
    /// The lines between clusters that have relays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) links: Vec<Link>,
    /// The lab, without secrets.
    pub(crate) lab: Spec,
}

#[derive(Clone, Serialize)]
pub(crate) struct Service {
    #[serde(rename = "service")]
    pub(crate) name: String,
    pub(crate) image: String,
    /// Docker's id of the image.
    pub(crate) image_id: Option<String>,
    /// The version of Kafka, as far as the image's name tells; none where it is a relay.
    pub(crate) kafka: Option<String>,
    #[serde(skip)]
    pub(super) is_relay: bool,
}

/// The line of a flow: what was asked for, and what was measured before it began, if anything could be.
#[derive(Clone, Serialize)]
pub(crate) struct Link {
    pub(crate) flow: String,
    pub(crate) asked: Option<String>,
    pub(crate) measured: Option<String>,
}

impl Link {
    /// Of each flow whose line has relays. Their rates are not measured: that would be load.
    pub(crate) fn all(lab: &Lab, limit: &Limit) -> Vec<Self> {
        if lab.topology.relays().next().is_none() {
            return Vec::new();
        }
        let links = link::measured(lab, limit).into_iter();
        links
            .filter_map(|link| {
                let asked = link.asked?.to_string();
                let rtt = link.measured.and_then(|line| line.rtt_ms);
                Some(Self {
                    flow: link.flow,
                    // a relay that passes everything on as it comes
                    asked: (!asked.is_empty()).then_some(asked),
                    measured: rtt.map(|rtt| format!("round trip {rtt:.1} ms")),
                })
            })
            .collect()
    }

    fn describe(&self) -> String {
        let asked = self.asked.as_deref().unwrap_or("nothing");
        match &self.measured {
            Some(measured) => format!("asked for {asked}, measured {measured}"),
            None => format!("asked for {asked}, not measured"),
        }
    }
}

impl Provenance {
    /// Of something that was done with a lab and began then.
    pub(crate) fn new(lab: &Lab, command: String, begun: SystemTime, links: Vec<Link>) -> Self {
        let services = lab.containers.iter().map(|container| {
            let (name, image) = (container.service(), container.image());
            let mut relays = lab.topology.relays();
            let is_relay = relays.any(|relay| relay.service == name);
            let kafka = Version::in_tag(image).filter(|_| !is_relay);
            Service {
                name: name.to_owned(),
                image: image.to_owned(),
                image_id: container.image_id().map(str::to_owned),
                kafka: kafka.map(|version| version.to_string()),
                is_relay,
            }
        });
        Self {
            kmk: env!("CARGO_PKG_VERSION"),
            command,
            date: humantime::format_rfc3339_seconds(begun).to_string(),
            services: services.collect(),
            links,
            lab: lab.spec.without_secrets(),
        }
    }

    /// Everything that takes a line: what it is, and what it was.
    pub(super) fn facts(&self) -> Vec<(String, String)> {
        let mut facts = vec![
            ("kmk".to_owned(), self.kmk.to_owned()),
            ("date".to_owned(), self.date.clone()),
        ];
        for service in &self.services {
            let kafka = match &service.kafka {
                Some(version) => format!("Kafka {version}"),
                None if service.is_relay => "relay".to_owned(),
                None => "Kafka of an unknown version".to_owned(),
            };
            let id = service.image_id.as_deref();
            let id = id.map_or_else(String::new, |id| format!(", {id}"));
            let image = format!("{kafka}, {}{id}", service.image);
            facts.push((service.name.clone(), image));
        }
        for link in &self.links {
            facts.push((format!("link {}", link.flow), link.describe()));
        }
        facts
    }

    /// The lab as a lab file, without what explains it.
    pub(super) fn lab_file(&self) -> String {
        let text = lab_file::write(&self.lab);
        let lines = text.lines();
        let said = lines.filter(|line| !line.is_empty() && !line.trim_start().starts_with('#'));
        said.collect::<Vec<_>>().join("\n")
    }
}

/// The command line of this process, to be typed again.
pub(crate) fn command_line() -> String {
    let words = std::env::args_os().skip(1);
    let words = words.map(|word| shell::word(&word.to_string_lossy()));
    let words: Vec<String> = std::iter::once("kmk".to_owned()).chain(words).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::Link;

    #[test]
    fn a_line_that_was_not_measured_has_no_number() {
        let link = |measured: Option<&str>| Link {
            flow: "a->b".to_owned(),
            asked: Some("rtt=80ms".to_owned()),
            measured: measured.map(str::to_owned),
        };
        assert_eq!(
            link(Some("round trip 81.0 ms")).describe(),
            "asked for rtt=80ms, measured round trip 81.0 ms"
        );
        assert_eq!(link(None).describe(), "asked for rtt=80ms, not measured");
    }
}
