//! Turns the tree of a lab file into a `Spec`, and reports all mistakes.

use super::field::{CLUSTER, FLOW, LAB, LINK, Table};
use super::fields::{Fields, Reader};
use super::problem::{Problem, What};
use super::yaml::{self, Node, Value};
use super::{TextPosition, brokers, clients};
use crate::core::lab_file::flow_setting;
use crate::core::spec::{
    self, ClusterSpec, Finding, FlowSpec, LinkSpec, Naming, Part, Spec, Subject,
};
use crate::core::topology::{Topology, Version, official_image};

/// Problems that are listed at most: more of them mean that it is another kind of file.
const MAX_PROBLEMS: usize = 50;

/// What a lab file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabFile {
    /// The lab; valid.
    pub spec: Spec,
    /// What looks wrong and is not.
    pub warnings: Vec<Problem>,
}

pub(super) fn read(text: &str) -> Result<LabFile, Vec<Problem>> {
    let mut reader = Reader::default();
    let document = yaml::parse(text, &mut reader.problems);
    let spec = match &document {
        Some(node) if node.is_nothing() => None,
        Some(node) => reader.lab(node),
        None => None,
    };
    if spec.is_none() && reader.problems.is_empty() {
        reader.add(TextPosition::FIRST, What::Empty);
    }
    let Reader {
        mut problems,
        mut warnings,
    } = reader;
    if let Some(spec) = spec.filter(|_| problems.is_empty()) {
        warnings.sort_by_key(|warning| warning.place);
        return Ok(LabFile { spec, warnings });
    }
    problems.sort_by_key(|problem| problem.place);
    problems.dedup();
    if problems.len() > MAX_PROBLEMS {
        let more = problems.len() - MAX_PROBLEMS;
        problems.truncate(MAX_PROBLEMS);
        problems.push(Problem::of_file(What::More(more)));
    }
    Err(problems)
}

impl Reader {
    /// An image, by its name or by Kafka's version.
    fn image(&mut self, fields: &Fields<'_>) -> Option<String> {
        let version = self.one(fields, "kafka", |text, _| {
            Version::parse(text).map(|_| official_image(text))
        });
        let image = self.text(fields, "image");
        if fields.has("kafka") && fields.has("image") {
            self.add(fields.place_of("image"), What::KafkaAndImage);
        }
        image.or(version)
    }

    /// The entries of a list of mappings.
    fn list<'a>(
        &mut self,
        fields: &Fields<'a>,
        name: &'static str,
        table: &'static Table,
    ) -> Vec<Fields<'a>> {
        let Some((field, node)) = fields.get(name) else {
            return Vec::new();
        };
        let Value::List(items) = &node.value else {
            self.wrong_field(field, node);
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| self.fields(item, table))
            .collect()
    }

    fn lab(&mut self, node: &Node) -> Option<Spec> {
        let fields = self.fields(node, &LAB)?;
        let (mut clusters, mut flows) = (Vec::new(), Vec::new());
        for cluster in self.list(&fields, "clusters", &CLUSTER) {
            clusters.push((self.cluster(&cluster), cluster));
        }
        for flow in self.list(&fields, "flows", &FLOW) {
            flows.push((self.flow(&flow), flow));
        }
        let is_whole = clusters.iter().all(|(cluster, _)| cluster.is_some())
            && clusters.len() == fields.items("clusters").len();
        // what has no name cannot be spoken of
        clusters.retain(|(cluster, _)| cluster.is_some());
        flows.retain(|(flow, _)| flow.is_some());
        let (clusters, cluster_fields): (Vec<_>, Vec<_>) = clusters.into_iter().unzip();
        let (flows, flow_fields): (Vec<_>, Vec<_>) = flows.into_iter().unzip();
        let spec = Spec {
            lab: self
                .text(&fields, "lab")
                .unwrap_or_else(|| spec::DEFAULT_LAB.to_owned()),
            image: self.image(&fields),
            memory: self.one(&fields, "memory", |text, _| mebibytes(text)),
            bind: self.one(&fields, "bind", |text, _| text.parse().ok()),
            clusters: clusters.into_iter().flatten().collect(),
            flows: flows.into_iter().flatten().collect(),
        };
        let mut findings = spec.findings();
        findings.extend(port_clashes(&spec, &findings));
        let warnings = judge_settings(&spec, &mut findings);
        for (index, part, what) in warnings {
            let place = cluster_fields[index].place(&part);
            self.warnings.push(Problem::at(place, what));
        }
        for finding in findings {
            let there = match &finding.problem {
                spec::Problem::NoClusters => is_whole && fields.has("clusters"),
                _ => true,
            };
            let place = match finding.subject {
                Subject::Lab if finding.problem == spec::Problem::NoClusters => {
                    fields.place_of("clusters")
                }
                Subject::Lab => fields.place(&finding.part),
                Subject::Cluster(index) => cluster_fields[index].place(&finding.part),
                Subject::Flow(index) => flow_fields[index].place(&finding.part),
            };
            if there {
                self.add(place, What::Spec(finding.problem));
            }
        }
        for index in spec
            .unused_clusters()
            .into_iter()
            .filter(|_| !spec.flows.is_empty())
        {
            let what = What::UnusedCluster(spec.clusters[index].name.clone());
            let place = cluster_fields[index].place(&Part::Name);
            self.warnings.push(Problem::at(place, what));
        }
        Some(spec)
    }

    fn cluster(&mut self, fields: &Fields<'_>) -> Option<ClusterSpec> {
        let name = self.text(fields, "name");
        let usual = if fields.has("bootstrap") {
            ClusterSpec::existing("", &[])
        } else {
            ClusterSpec::new("")
        };
        let cluster = ClusterSpec {
            name: String::new(),
            brokers: self.number(fields, "brokers").unwrap_or(usual.brokers),
            partitions: self
                .number(fields, "partitions")
                .unwrap_or(usual.partitions),
            port: self.number(fields, "port"),
            image: self.image(fields),
            mirrormakers: self.number(fields, "mirrormakers"),
            settings: self.settings(fields),
            bootstrap: self.addresses(fields, "bootstrap"),
            properties: self.mapping(fields, "properties"),
            exactly_once: self.flag(fields, "exactly_once"),
            canary: self.flag(fields, "canary"),
        };
        name.map(|name| ClusterSpec { name, ..cluster })
    }

    /// Unless it is said to be so, it is not.
    fn flag(&mut self, fields: &Fields<'_>, name: &'static str) -> bool {
        let read = |text: &str, is_quoted: bool| match text {
            "true" if !is_quoted => Some(true),
            "false" if !is_quoted => Some(false),
            _ => None,
        };
        self.one(fields, name, read).unwrap_or(false)
    }

    fn flow(&mut self, fields: &Fields<'_>) -> Option<FlowSpec> {
        let ends = (self.text(fields, "from"), self.text(fields, "to"));
        let naming = self.one(fields, "naming", |text, _| match text {
            "prefix" => Some(Naming::Prefix),
            "same" => Some(Naming::Same),
            _ => None,
        });
        let flow = FlowSpec {
            source: String::new(),
            target: String::new(),
            topics: self.patterns(fields, "topics"),
            exclude: self.patterns(fields, "exclude"),
            groups: self.patterns(fields, "groups"),
            naming: naming.unwrap_or(Naming::Prefix),
            settings: self.settings(fields),
            link: self.link(fields),
        };
        match ends {
            (Some(source), Some(target)) => Some(FlowSpec {
                source,
                target,
                ..flow
            }),
            _ => None,
        }
    }
}

impl Reader {
    /// A line: a mapping, or a preset by its name.
    fn link(&mut self, fields: &Fields<'_>) -> Option<LinkSpec> {
        let (_, node) = fields.get("link")?;
        if !matches!(node.value, Value::Map(_)) {
            return self.one(fields, "link", |text, _| LinkSpec::preset(text));
        }
        let fields = self.fields(node, &LINK)?;
        Some(LinkSpec {
            rtt: self.one(&fields, "rtt", |text, _| text.parse().ok()),
            jitter: self.one(&fields, "jitter", |text, _| text.parse().ok()),
            rate: self.one(&fields, "rate", |text, _| text.parse().ok()),
        })
    }
}

/// Ports that the file itself gives to two clusters; what clashes with usual ports is known once all are chosen.
fn port_clashes(spec: &Spec, findings: &[Finding]) -> Vec<Finding> {
    let is_wrong = |index: usize| {
        findings.iter().any(|finding| {
            let is_it = [Subject::Cluster(index), Subject::Lab].contains(&finding.subject);
            is_it && matches!(finding.part, Part::Whole | Part::Brokers | Part::Port)
        })
    };
    let mut given = spec.clone();
    let clusters = spec.clusters.iter().enumerate();
    let clusters = clusters.filter(|(index, cluster)| cluster.port.is_some() && !is_wrong(*index));
    given.clusters = clusters.map(|(_, cluster)| cluster.clone()).collect();
    let clashes = Topology::new(&given).port_clashes();
    let finding = |problem: spec::Problem| {
        let spec::Problem::PortTwice { other, .. } = &problem else {
            return None;
        };
        let index = spec
            .clusters
            .iter()
            .rposition(|cluster| cluster.name == *other)?;
        Some(Finding {
            subject: Subject::Cluster(index),
            part: Part::Port,
            problem,
        })
    };
    clashes.into_iter().filter_map(finding).collect()
}

/// Adds what Kafka's own definitions say of settings; of one that is refused already, nothing more. The rest are warnings:
/// a cluster, the part of it, and what is odd.
fn judge_settings(spec: &Spec, findings: &mut Vec<Finding>) -> Vec<(usize, Part, What)> {
    let is_too_much = |finding: &Finding| matches!(finding.problem, spec::Problem::TooMany { .. });
    if findings.iter().any(is_too_much) {
        return Vec::new();
    }
    let topology = Topology::new(spec);
    let (mut more, warnings) = brokers::judge(&topology);
    let of_brokers = warnings.into_iter();
    let of_brokers = of_brokers.map(|(index, key, what)| (index, Part::Setting(key), what));
    let of_clients = clients::judge(&topology).into_iter();
    let of_clients = of_clients.map(|(index, key, what)| (index, Part::Property(key), what));
    let mut warnings: Vec<_> = of_brokers.chain(of_clients).collect();
    more.extend(flow_setting::findings(&topology));
    let is_refused = |subject: Subject, part: &Part| {
        let mut refused = findings.iter();
        refused.any(|finding| finding.subject == subject && finding.part == *part)
    };
    more.retain(|one| !is_refused(one.subject, &one.part));
    warnings.retain(|(index, part, _)| !is_refused(Subject::Cluster(*index), part));
    findings.extend(more);
    warnings
}

/// `512m` or `2g`, in MiB.
fn mebibytes(text: &str) -> Option<u32> {
    let unit = match text.chars().last()? {
        'm' | 'M' => 1,
        'g' | 'G' => 1024,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| number.parse::<u32>().ok()?.checked_mul(unit))
        .flatten()
}
