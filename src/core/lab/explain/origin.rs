//! Whether a topic with a prefix was really mirrored from elsewhere: anybody can choose such a name.

use super::{Scene, sight};
use crate::core::judge::explain::{Origin, Sight};
use crate::core::mirrormaker::patterns::{Rules, Selection};
use crate::core::topology::Flow;

impl Scene<'_> {
    /// What stands behind the prefixes of `topic` of `cluster`, up to the one that names the cluster `of`.
    pub(super) fn origin(&self, cluster: &str, topic: &str, of: &str) -> Origin {
        let source = topic.split('.').next().unwrap_or_default();
        let name = format!("{source}->{cluster}");
        let mut flows = self.lab.topology.flows.iter();
        let flow = flows.find(|flow| flow.name() == name);
        let Some((flow, upstream)) = flow.and_then(|flow| Some((flow, flow.source_topic(topic)?)))
        else {
            return Origin::NoFlow { flow: name };
        };
        match sight::of(&self.clusters[source], upstream) {
            Sight::Absent => Origin::NoTopic {
                topic: upstream.to_owned(),
                cluster: source.to_owned(),
            },
            Sight::Unreachable { .. } | Sight::Secured => Origin::Unknown {
                cluster: source.to_owned(),
            },
            Sight::There(_) if !is_taken(flow, upstream) => Origin::NotIncluded {
                topic: upstream.to_owned(),
                flow: name,
            },
            Sight::There(_) if source == of => Origin::Mirrored,
            Sight::There(_) => self.origin(source, upstream, of),
        }
    }
}

fn is_taken(flow: &Flow, topic: &str) -> bool {
    let selection = Rules::of_flow(flow).select(topic);
    matches!(selection, Selection::Included | Selection::NotEvaluated(_))
}
