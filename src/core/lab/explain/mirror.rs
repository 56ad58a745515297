//! What is known of the MirrorMaker of a flow beside what it stores on its target: containers, networks, its file and
//! its log.

use crate::core::docker::Docker;
use crate::core::judge::explain::Worker;
use crate::core::judge::link::{LinkState, LinkStatus};
use crate::core::lab::workdir::PROPERTIES_FILE;
use crate::core::lab::{Lab, link};
use crate::core::mirrormaker::properties;
use crate::core::topology::Flow;
use kmk_kafka::wait::Limit;
use std::fs;
use std::time::SystemTime;

/// Lines of a log in which a refusal is looked for. MirrorMaker writes some hundred at each try.
const LINES: usize = 5_000;

/// The containers that carry a flow.
pub(super) fn workers(lab: &Lab, flow: &Flow) -> Vec<Worker> {
    let mirror = lab.topology.mirror_of(&flow.spec.target);
    let services = mirror.into_iter().flat_map(|mirror| &mirror.workers);
    let worker = |service: &String| match lab.container(service) {
        Some(container) => Worker {
            service: service.clone(),
            container: Some(container.name().to_owned()),
            state: container.state.status.clone(),
            described: container.state.describe(),
        },
        None => Worker {
            service: service.clone(),
            container: None,
            state: "missing".to_owned(),
            described: "is missing".to_owned(),
        },
    };
    services.map(worker).collect()
}

/// Clusters of a flow from which each MirrorMaker that runs is cut off: by their networks, or by relays.
pub(super) fn cut_off(
    lab: &Lab,
    flow: &Flow,
    workers: &[Worker],
    link: &LinkStatus,
) -> Vec<String> {
    if link.state == LinkState::HalfOpen {
        return vec![flow.spec.source.clone()];
    }
    let running = workers.iter().filter(|worker| worker.runs());
    let running = running.filter_map(|worker| lab.container(&worker.service));
    let is_cut_off = |(_, network): &(&String, String)| {
        let mut running = running.clone();
        running.all(|one| !one.networks().any(|name| name == network))
    };
    let cut_off = link::networks(&lab.topology, flow).filter(is_cut_off);
    cut_off.map(|(cluster, _)| cluster.clone()).collect()
}

/// The file that MirrorMaker was started with, where it says that the flow is not to run: somebody edited it.
pub(super) fn disabled_by(lab: &Lab, flow: &Flow, workers: &[Worker]) -> Option<String> {
    let file = lab.directory()?.join(PROPERTIES_FILE);
    let key = format!("{}.enabled", flow.name());
    let entries = properties::read(&fs::read_to_string(&file).ok()?);
    let mut said = entries.iter().filter(|entry| entry.key == key);
    let is_off = said.next_back()?.value.trim().eq_ignore_ascii_case("false");
    let edited = fs::metadata(&file).ok()?.modified().ok()?;
    // what runs was told before
    let knows = |worker: &Worker| {
        let container = lab.container(&worker.service);
        let started = container.map(|container| container.state.started_at.as_str());
        let started = started.and_then(|time| humantime::parse_rfc3339(time).ok());
        started.is_some_and(|started: SystemTime| started >= edited)
    };
    (is_off && workers.iter().any(knows)).then(|| file.display().to_string())
}

/// What MirrorMaker wrote about a topic that it could not create.
pub(super) fn told(
    docker: &Docker,
    lab: &Lab,
    workers: &[Worker],
    remote: &str,
    limit: &Limit,
) -> Option<String> {
    let containers = workers.iter().filter_map(|one| lab.container(&one.service));
    let mut told = containers.filter_map(|container| {
        let lines = docker.log_tail(&container.id, LINES, limit).ok()?;
        refusal(&lines, remote)
    });
    told.next()
}

/// The last refusal of a topic among the lines of a log.
fn refusal(lines: &[String], remote: &str) -> Option<String> {
    let words = format!("Could not create topic {remote}. ");
    let at = lines.iter().rposition(|line| line.contains(&words))?;
    let cause = lines.get(at + 1)?;
    let cause = cause
        .rsplit_once("Exception: ")
        .map_or(cause.as_str(), |(_, words)| words);
    Some(cause.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_refusal_in_a_log_is_told_without_its_classes() {
        let log = "\
[2026-11-23 03:58:58,633] WARN Could not create topic primary.a.b. (org.apache.kafka.connect.mirror.MirrorSourceConnector)
java.util.concurrent.CompletionException: org.apache.kafka.common.errors.InvalidTopicException: Topic 'primary.a.b' collides with existing topic: primary.a_b
\tat java.base/java.util.concurrent.CompletableFuture.encodeThrowable(CompletableFuture.java:332)
[2026-11-23 03:58:59,633] WARN Could not create topic primary.a.b.c. (org.apache.kafka.connect.mirror.MirrorSourceConnector)
other";
        let lines: Vec<String> = log.lines().map(str::to_owned).collect();
        assert_eq!(
            refusal(&lines, "primary.a.b").unwrap(),
            "Topic 'primary.a.b' collides with existing topic: primary.a_b"
        );
        assert_eq!(refusal(&lines, "primary.a.b.c").unwrap(), "other");
        assert_eq!(refusal(&lines, "primary.a"), None);
        assert_eq!(refusal(&lines[..1], "primary.a.b"), None);
    }
}
