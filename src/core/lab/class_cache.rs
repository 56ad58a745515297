//! The volume in which MirrorMakers keep their class-data archives, so that later starts are faster. It belongs to no
//! lab; the script of MirrorMaker's container fills it.

use crate::core::compose::{CLASSES, LABEL_CLASSES};
use crate::core::docker::{Docker, DockerError};
use kmk_kafka::wait::Limit;

/// Whether it is there.
///
/// # Errors
/// When docker cannot be asked.
pub fn exists(docker: &Docker, limit: &Limit) -> Result<bool, DockerError> {
    let labelled = [format!("label={LABEL_CLASSES}")];
    docker.has_volumes(&labelled, limit)
}

/// Sees to it that it is there.
pub(super) fn ensure(docker: &Docker, limit: &Limit) -> Result<(), DockerError> {
    let labels = [(LABEL_CLASSES.to_owned(), "1".to_owned())];
    docker.make_volume(CLASSES, &labels, limit)
}

/// Removes it; whether there was one.
///
/// # Errors
/// When docker refuses: a MirrorMaker has it.
pub fn remove(docker: &Docker, limit: &Limit) -> Result<bool, DockerError> {
    let existed = exists(docker, limit)?;
    if existed {
        docker.remove_volumes(&[CLASSES.to_owned()], limit)?;
    }
    Ok(existed)
}
