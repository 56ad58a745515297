//! Whether MirrorMaker has exited in a running container, as its log says.

use crate::core::docker::Docker;
use crate::core::lab::Lab;
use crate::core::topology::Flow;
use kmk_kafka::wait::Limit;
use std::time::Duration;

/// Lines of a log in which its end is looked for: a start writes about a thousand.
const LINES: usize = 2_500;
/// How long docker may take to show them.
const PATIENCE: Duration = Duration::from_millis(800);
/// What is said before the cause of its end.
const ENDS: &str = "Uncaught exception in herder work thread, exiting";
/// What is said by one that has come to its work.
const WORKS: &str = "Finished starting connectors and tasks";

/// Why the MirrorMaker of a flow has ended, where its container runs all the same.
pub(super) fn ended(docker: &Docker, lab: &Lab, flow: &Flow, limit: &Limit) -> Option<String> {
    let mirror = lab.topology.mirror_of(&flow.spec.target)?;
    let containers = mirror.workers.iter().filter_map(|one| lab.container(one));
    let limit = limit.at_most(PATIENCE);
    let mut running = containers.filter(|container| container.is_running());
    running.find_map(|container| {
        let lines = docker.log_tail(&container.id, LINES, &limit).ok()?;
        end(&lines)
    })
}

/// Why it last ended, by the lines of its log, unless it has come to its work since.
fn end(lines: &[String]) -> Option<String> {
    let at = lines.iter().rposition(|line| line.contains(ENDS))?;
    let after = lines.get(at + 1..)?;
    if after.iter().any(|line| line.contains(WORKS)) {
        return None;
    }
    let cause = after.first()?.trim();
    // a sentence is enough of an advice
    let end = cause.find(". ").map_or(cause.len(), |dot| dot);
    Some(cause[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_ended_until_it_works_again() {
        let log = "\
[2026-11-30 04:19:23,685] ERROR [Worker clientId=primary->secondary, groupId=primary-mm2] Uncaught exception in herder work thread, exiting:  (org.apache.kafka.connect.runtime.distributed.DistributedHerder)
org.apache.kafka.common.config.ConfigException: Topic 'mm2-offsets.primary.internal' is required to have 'cleanup.policy=compact', but found 'cleanup.policy=delete'. Continuing would be bad.
\tat org.apache.kafka.connect.util.TopicAdmin.verifyTopicCleanupPolicyOnlyCompact(TopicAdmin.java:552)
kmk: MirrorMaker has ended: starting it again
[2026-11-30 04:19:25,001] INFO Kafka MirrorMaker initializing ... (org.apache.kafka.connect.mirror.MirrorMaker)";
        let mut lines: Vec<String> = log.lines().map(str::to_owned).collect();
        assert_eq!(
            end(&lines).as_deref(),
            Some(
                "org.apache.kafka.common.config.ConfigException: Topic 'mm2-offsets.primary.internal' is required to have 'cleanup.policy=compact', but found 'cleanup.policy=delete'"
            )
        );
        lines.push(format!("[2026-11-30 04:19:28,000] INFO {WORKS} (org)"));
        assert_eq!(end(&lines), None);
        assert_eq!(end(&[]), None);
    }
}
