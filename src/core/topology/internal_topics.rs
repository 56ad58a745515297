//! Names of the topics in which MirrorMaker keeps its state (`MirrorMakerConfig`, `MirrorUtils`): most carry the name of the
//! source and lie on the target.

/// Where MirrorMaker notes how its connectors that read `source` are, on its target.
pub fn status_topic(source: &str) -> String {
    format!("mm2-status.{source}.internal")
}

/// Where it keeps how far it has read `source`, on its target.
pub fn offsets_topic(source: &str) -> String {
    format!("mm2-offsets.{source}.internal")
}

/// Where it keeps what its connectors run with, on the target.
pub fn configs_topic(source: &str) -> String {
    format!("mm2-configs.{source}.internal")
}

/// Where it notes committed offsets of groups of `source`, as they are on the target.
pub fn checkpoints_topic(source: &str) -> String {
    format!("{source}.checkpoints.internal")
}

/// Where it notes which record is a copy of which: on the source with the target's name, or, by
/// `offset-syncs.topic.location`, on the target with the source's.
pub fn offset_syncs_topic(other: &str) -> String {
    format!("mm2-offset-syncs.{other}.internal")
}
