//! One of the two clients that read.

use super::wire;
use crate::consumer::Fetched;
use crate::consumer::Position;
use crate::crate_v0;
use crate::error::KafkaError;
use crate::wait::Limit;

/// Reads partitions of one topic.
#[derive(Debug)]
pub(crate) enum Reader {
    /// With the `kafka` crate.
    V0(crate_v0::Reader),
    /// With the wire client.
    Wire(wire::Reader),
}

/// Both readers have the same methods.
macro_rules! either {
    ($self:expr, $reader:ident => $call:expr) => {
        match $self {
            Reader::V0($reader) => $call,
            Reader::Wire($reader) => $call,
        }
    };
}

impl Reader {
    /// See the readers' own.
    pub(crate) fn poll(&mut self, wanted: u64, limit: &Limit) -> Result<Fetched, KafkaError> {
        either!(self, reader => reader.poll(wanted, limit).map(Fetched::from))
    }

    /// Where each partition goes on.
    pub(crate) fn positions(&self) -> Vec<Position> {
        either!(self, reader => reader.positions())
    }

    /// Goes on elsewhere in a partition.
    pub(crate) fn seek(&mut self, partition: i32, next: i64) {
        either!(self, reader => reader.seek(partition, next));
    }

    /// Stops sooner in a partition that is read to an end.
    pub(crate) fn shorten(&mut self, partition: i32, end: i64) {
        either!(self, reader => reader.shorten(partition, end));
    }

    /// Reads one more partition, from its beginning and for ever.
    pub(crate) fn add(&mut self, partition: i32) {
        let at = Position {
            partition,
            next: 0,
            end: None,
        };
        either!(self, reader => reader.add(at));
    }

    /// Stops reading a partition.
    pub(crate) fn remove(&mut self, partition: i32) {
        either!(self, reader => reader.remove(partition));
    }

    /// The partitions that do not hold the offset that was to be read, since this was last asked.
    pub(crate) fn out_of_range(&mut self) -> Vec<i32> {
        either!(self, reader => reader.out_of_range())
    }
}
