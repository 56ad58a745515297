//! Checks broker settings of a lab file against Kafka's own definitions.
//!
//! A broker ignores what it does not know. But a class of the person's own may read it, so that this is a warning; a value
//! that Kafka cannot read is refused, as no broker would start with it.

use super::problem::What;
use crate::core::mirrormaker::lint::{MOST, is_readable};
use crate::core::mirrormaker::settings::{BrokerVerdict, Generation, known_to_brokers};
use crate::core::spec::{Finding, Part, Problem, Subject};
use crate::core::topology::Topology;

/// What is wrong with values, and what looks wrong: a cluster, the name of a setting of it, and why.
pub(super) fn judge(topology: &Topology) -> (Vec<Finding>, Vec<(usize, String, What)>) {
    let (mut findings, mut warnings) = (Vec::new(), Vec::new());
    for (index, cluster) in topology.clusters.iter().enumerate() {
        let version = cluster.image.version();
        let kafka = version.as_ref().map(Generation::of);
        for (key, value) in &cluster.settings {
            // to look for what was meant takes its time
            if warnings.len() >= MOST {
                break;
            }
            match known_to_brokers(key, kafka) {
                BrokerVerdict::Known(kind) if is_readable(kind, value) => {}
                BrokerVerdict::Known(kind) => findings.push(Finding {
                    subject: Subject::Cluster(index),
                    part: Part::Setting(key.clone()),
                    problem: Problem::SettingValue {
                        key: key.clone(),
                        reason: format!("must be {kind}: no broker would start with this value"),
                    },
                }),
                BrokerVerdict::OnlyIn(only) => {
                    let has = only.kafka();
                    let what = What::OtherBrokers {
                        key: key.clone(),
                        has,
                    };
                    warnings.push((index, key.clone(), what));
                }
                BrokerVerdict::Unknown(meant) => {
                    let what = What::UnknownSetting {
                        key: key.clone(),
                        meant,
                    };
                    warnings.push((index, key.clone(), what));
                }
            }
        }
    }
    (findings, warnings)
}
