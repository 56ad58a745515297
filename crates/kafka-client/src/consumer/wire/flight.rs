//! Requests on their way to leaders, and which of them is answered first. Knows nothing of what the answers hold.

use super::request::Wanted;
use super::{PATIENCE, Reader};
use crate::cluster::Asked;
use crate::error::KafkaError;
use crate::wait::{Limit, Stop};
use kafka_protocol::messages::FetchRequest;
use std::time::Instant;

/// A request on its way to a leader.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) leader: i32,
    pub(super) asked: Asked<FetchRequest>,
    pub(super) wanted: Wanted,
    since: Instant,
}

impl Reader {
    pub(super) fn take_off(&mut self, leader: i32, asked: Asked<FetchRequest>, wanted: Wanted) {
        for partition in wanted.offsets.keys() {
            if let Some(cursor) = self.cursors.get_mut(partition) {
                cursor.is_asked = true;
            }
        }
        self.flights.push(Flight {
            leader,
            asked,
            wanted,
            since: Instant::now(),
        });
    }

    /// Waits for the first answer; none where nothing was asked.
    pub(super) fn next_answered(&mut self, limit: &Limit) -> Result<Option<Flight>, KafkaError> {
        if self.flights.is_empty() {
            return Ok(None);
        }
        loop {
            let cluster = &mut self.cluster;
            let ready = self.flights.iter().position(|flight| {
                cluster.is_answered(&flight.asked) || flight.since.elapsed() > PATIENCE
            });
            if let Some(ready) = ready {
                return Ok(Some(self.flights.remove(ready)));
            }
            let asked: Vec<_> = self.flights.iter().map(|flight| &flight.asked).collect();
            match self.cluster.wait_for_any(&asked, limit) {
                Ok(()) => {}
                Err(Stop::Interrupted) => return Err(Stop::Interrupted.into()),
                // whoever takes its answer is told how long the broker was silent
                Err(Stop::Deadline { .. }) => return Ok(Some(self.flights.remove(0))),
            }
        }
    }
}
