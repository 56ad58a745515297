//! Records that arrived together, read in place in the answers.

use super::fetch;
use crate::message::RecordRef;
use kafka::client::fetch::Response;
use std::ops::Range;

/// Records that arrived together.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(super) answers: Vec<Response>,
    deliveries: Vec<Delivery>,
}

/// The records of one partition in one answer.
#[derive(Debug)]
struct Delivery {
    answer: usize,
    partition: i32,
    offsets: Range<i64>,
}

impl Fetched {
    /// The records, those of a partition in order.
    pub(crate) fn records(&self) -> impl Iterator<Item = RecordRef<'_>> {
        self.deliveries.iter().flat_map(|delivery| {
            let mut next = delivery.offsets.start;
            fetch::partitions(&self.answers[delivery.answer])
                .filter(|found| found.partition() == delivery.partition)
                .filter_map(|found| fetch::look(found, delivery.offsets.start).ok())
                .flat_map(|(messages, _)| messages)
                .take_while(|message| message.offset < delivery.offsets.end)
                // a broker that converts to version 0 repeats what follows the marker of a transaction
                .filter(move |message| {
                    let is_new = message.offset >= next;
                    next = next.max(message.offset + 1);
                    is_new
                })
                .map(|message| fetch::record(delivery.partition, message))
        })
    }

    /// Whether there are as many as that.
    pub(super) fn has(&self, wanted: u64) -> bool {
        wanted < u64::MAX && self.records().count() as u64 >= wanted
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    pub(super) fn deliver(&mut self, answer: usize, partition: i32, offsets: Range<i64>) {
        self.deliveries.push(Delivery {
            answer,
            partition,
            offsets,
        });
    }
}
