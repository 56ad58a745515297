//! Ready-made labs, as data. Knows nothing of how they are run.

use crate::core::spec::{ClusterSpec, FlowSpec, Spec};

/// Disaster recovery: everything in `primary` is copied to `secondary`.
pub fn dr(lab: &str) -> Spec {
    Spec {
        lab: lab.to_owned(),
        image: None,
        memory: None,
        clusters: vec![ClusterSpec::new("primary"), ClusterSpec::new("secondary")],
        flows: vec![FlowSpec::new("primary", "secondary")],
    }
}
