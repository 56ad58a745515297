use crate::cli::output::seconds;
use kafka_mirror_kit::core::judge::link::LinkStatus;
use kafka_mirror_kit::core::lab::deploy::{Deployed, Outcome as Did};
use kafka_mirror_kit::core::topology::{Cluster, Proof, Topology};

pub(super) fn summary(deployed: &Deployed) -> String {
    let lab = &deployed.topology.spec.lab;
    let took = seconds(deployed.took);
    let mut replicates = replicates(&deployed.topology, &deployed.cut);
    if deployed.has_lost {
        replicates.push_str(" from now on (losses are listed above)");
    }
    let text = match &deployed.outcome {
        Did::Created => format!("Lab `{lab}` is up and {replicates}, after {took}."),
        Did::Unchanged => {
            format!("Lab `{lab}` already runs as requested and {replicates}; checked in {took}.")
        }
        Did::Repaired if deployed.has_lost => {
            format!("Lab `{lab}` is running again and {replicates}, after {took}.")
        }
        Did::Repaired => {
            format!("Lab `{lab}` is repaired and {replicates}, after {took}.")
        }
        Did::Changed { recreated, removed } => {
            let what = [("Recreated", recreated), ("Removed", removed)];
            let what = what
                .into_iter()
                .filter(|(_, services)| !services.is_empty());
            let what = what.map(|(what, services)| format!(" {what}: {}.", services.join(", ")));
            let what: String = what.collect();
            format!("Lab `{lab}` is updated and {replicates}, after {took}.{what}")
        }
    };
    text + &addresses(&deployed.topology)
}

/// What is known of a lab that is up: for some flows only what MirrorMaker reports.
pub(in crate::cli) fn replicates(topology: &Topology, cut: &[LinkStatus]) -> String {
    let mut flows = topology.flows.iter();
    let mut flows = flows
        .by_ref()
        .filter(|flow| cut.iter().all(|link| link.flow != flow.name()))
        .peekable();
    let seen = if flows.peek().is_none() {
        "its brokers answer"
    } else if flows.all(|flow| flow.proof == Proof::Canary) {
        "replicates"
    } else {
        "MirrorMaker runs"
    };
    let kept = [(false, "cut"), (true, "half-open")].map(|(half_open, how)| {
        let links = cut.iter().filter(|link| link.is_half_open() == half_open);
        let flows: Vec<&str> = links.map(|link| link.flow.as_str()).collect();
        let verb = if flows.len() == 1 { "stays" } else { "stay" };
        (!flows.is_empty()).then(|| format!("{} {verb} {how}", flows.join(", ")))
    });
    let kept: Vec<String> = kept.into_iter().flatten().collect();
    if kept.is_empty() {
        return seen.to_owned();
    }
    format!("{seen} ({})", kept.join("; "))
}

/// Each cluster with its addresses, on a line of its own.
pub(in crate::cli) fn addresses(topology: &Topology) -> String {
    let clusters = &topology.clusters;
    let width = clusters.iter().map(|c| c.name.len()).max().unwrap_or(0);
    let line = |c: &Cluster| format!("\n  {:width$}  {}", c.name, c.bootstrap_outside());
    clusters.iter().map(line).collect()
}
