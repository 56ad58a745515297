//! What a lab's containers wrote.

use super::Lab;
use crate::core::docker::{Container, Docker, DockerError};
use kmk_kafka::wait::{Interrupt, Limit, Stop};
use std::sync::mpsc;
use std::thread;

/// Which lines of the logs are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Only this service's.
    pub service: Option<String>,
    /// Only this many last lines of each service; all if none.
    pub tail: Option<usize>,
    /// Go on with what is written from now on.
    pub follow: bool,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It has no container of that service.
    #[error("lab `{lab}` has no service `{service}`")]
    UnknownService {
        /// The lab.
        lab: String,
        /// As given.
        service: String,
        /// The services that it has.
        known: Vec<String>,
    },
    /// The service should have a container and has none.
    #[error("service `{service}` has no container now")]
    NoContainer {
        /// As given.
        service: String,
    },
    /// Docker does not tell.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// The person interrupted, or time was up.
    #[error(transparent)]
    Stopped(#[from] Stop),
}

/// Tells `on_line` the service and the bytes of every line, as they come; it stops all by returning false.
///
/// # Errors
/// [`LogError`].
pub fn logs(
    docker: &Docker,
    lab: &Lab,
    selection: &Selection,
    limit: &Limit,
    mut on_line: impl FnMut(&str, &[u8]) -> bool,
) -> Result<(), LogError> {
    let wanted = |container: &&Container| {
        selection
            .service
            .as_ref()
            .is_none_or(|service| service == container.service())
    };
    let containers: Vec<&Container> = lab.containers.iter().filter(wanted).collect();
    if let (Some(service), true) = (&selection.service, containers.is_empty()) {
        if lab.topology.services().contains(service) {
            return Err(LogError::NoContainer {
                service: service.clone(),
            });
        }
        return Err(LogError::UnknownService {
            lab: lab.spec.lab.clone(),
            service: service.clone(),
            known: lab.topology.services(),
        });
    }
    let tail = selection
        .tail
        .map_or_else(|| "all".to_owned(), |lines| lines.to_string());
    let enough = Interrupt::default();
    let reading = Limit::endless(&enough);
    let (sender, lines) = mpsc::sync_channel::<(usize, Vec<u8>)>(256);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..containers.len())
            .map(|index| {
                let (sender, tail, id, reading) =
                    (sender.clone(), &tail, &containers[index].id, &reading);
                scope.spawn(move || {
                    docker.logs(id, tail, selection.follow, reading, |line| {
                        // fails once nobody listens any more: then `enough` ends this reader too
                        let _ = sender.send((index, line));
                    })
                })
            })
            .collect();
        drop(sender);
        let ended = loop {
            match limit.receive(&lines) {
                Ok(Some((index, line))) if on_line(containers[index].service(), &line) => {}
                Ok(_) => break Ok(()),
                Err(stop) => break Err(stop),
            }
        };
        enough.raise();
        drop(lines);
        for reader in readers {
            match reader.join().expect("a reader of logs does not panic") {
                Err(DockerError::Stopped { .. }) | Ok(()) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(ended?)
    })
}
