//! Which of a broker's connections each partition's batches take.

use crate::cluster::ConnectionId;
use std::collections::HashMap;

/// Connections to one broker: while it works on a request, it reads the next one of the other. A third was no faster.
const CONNECTIONS: u8 = 2;

/// The connection of each partition: always the same, or its batches could overtake each other.
#[derive(Debug, Default)]
pub(super) struct Connections {
    numbers: HashMap<i32, u8>,
    /// How many partitions each broker led when they came.
    led: HashMap<i32, u8>,
}

impl Connections {
    /// How batches of `partition` get to `broker`, which leads it: the partitions of a broker take its connections in turn.
    pub(super) fn of(&mut self, partition: i32, broker: i32) -> ConnectionId {
        let led = self.led.entry(broker).or_default();
        let number = *self.numbers.entry(partition).or_insert_with(|| {
            let number = *led % CONNECTIONS;
            *led = led.wrapping_add(1);
            number
        });
        ConnectionId { broker, number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_keeps_its_connection_and_those_of_a_broker_take_turns() {
        let mut connections = Connections::default();
        let mut number = |partition, broker| connections.of(partition, broker).number;
        // of three brokers, as partitions are laid out
        let first: Vec<u8> = (0..6).map(|id| number(id, id % 3)).collect();
        assert_eq!(first, [0, 0, 0, 1, 1, 1]);
        // led by another by now
        let back_off: Vec<u8> = (0..6).rev().map(|id| number(id, 1)).collect();
        assert_eq!(back_off, [1, 1, 1, 0, 0, 0]);
    }

    #[test]
    fn one_partition_takes_the_connection_that_is_there() {
        let connection = Connections::default().of(7, 2);
        assert_eq!((connection.broker, connection.number), (2, 0));
    }
}
