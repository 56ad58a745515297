//! Requests on their way to leaders, and which of them is answered first.

use super::request::Requested;
use super::{PATIENCE, Reader};
use crate::cluster::Pending;
use crate::error::KafkaError;
use crate::wait::{Limit, Stop};
use kafka_protocol::messages::FetchRequest;
use std::time::Instant;

/// A request on its way to a leader.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) leader: i32,
    pub(super) asked: Pending<FetchRequest>,
    pub(super) wanted: Requested,
    since: Instant,
}

impl Reader {
    pub(super) fn record_in_flight(
        &mut self,
        leader: i32,
        asked: Pending<FetchRequest>,
        wanted: Requested,
    ) {
        for partition in wanted.offsets.keys() {
            if let Some(cursor) = self.cursors.get_mut(partition) {
                cursor.is_asked = true;
            }
        }
        self.in_flight.push(InFlight {
            leader,
            asked,
            wanted,
            since: Instant::now(),
        });
    }

    /// Waits for the first answer; none where nothing was asked.
    pub(super) fn next_answered(&mut self, limit: &Limit) -> Result<Option<InFlight>, KafkaError> {
        if self.in_flight.is_empty() {
            return Ok(None);
        }
        loop {
            let cluster = &mut self.cluster;
            let ready = self.in_flight.iter().position(|request| {
                cluster.is_answered(&request.asked) || request.since.elapsed() > PATIENCE
            });
            if let Some(ready) = ready {
                return Ok(Some(self.in_flight.remove(ready)));
            }
            let asked: Vec<_> = self
                .in_flight
                .iter()
                .map(|request| &request.asked)
                .collect();
            match self.cluster.wait_for_any(&asked, limit) {
                Ok(()) => {}
                Err(Stop::Interrupted) => return Err(Stop::Interrupted.into()),
                // the one that takes its answer is told how long the broker was silent
                Err(Stop::Deadline { .. }) => return Ok(Some(self.in_flight.remove(0))),
            }
        }
    }
}
