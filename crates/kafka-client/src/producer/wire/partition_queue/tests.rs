//! Partition queues against a broker that keeps Kafka's rules, over a network that keeps none.

use super::SendOutcome::{Doubtful, OutOfSequence, Refused, TooLarge, Unknown, Written};
use super::*;
use crate::producer::Batch;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What a partition's leader knows of a producer: its last batches, as (first, last) sequence number and offset.
#[derive(Debug, Default)]
struct Broker {
    log: Vec<Vec<u8>>,
    producer_id: Option<ProducerId>,
    batches: VecDeque<(i32, i32, i64)>,
    /// The most records of one batch.
    largest: usize,
}

#[derive(Debug, Clone)]
struct Sent {
    producer_id: Option<ProducerId>,
    number: u64,
    sequence: i32,
    records: Vec<Vec<u8>>,
}

fn refused(code: i16) -> KafkaError {
    KafkaError::check(code, || "write".to_owned()).unwrap_err()
}

impl Broker {
    /// As `ProducerAppendInfo` and `ProducerStateEntry` do it.
    fn write(&mut self, sent: &Sent) -> SendOutcome {
        if sent.records.len() > self.largest {
            let topic = "t".to_owned();
            return TooLarge { topic };
        }
        let base = i64::try_from(self.log.len()).unwrap();
        let Some(producer_id) = sent.producer_id else {
            self.log.extend(sent.records.clone());
            return Written(Some(base));
        };
        let last = sequence::after(sent.sequence, sent.records.len() - 1);
        if self.producer_id == Some(producer_id) {
            let mut known = self.batches.iter();
            if let Some((_, _, at)) = known.find(|(f, l, _)| (*f, *l) == (sent.sequence, last)) {
                return Written(Some(*at));
            }
        }
        let is_next = match self.batches.back() {
            Some((_, previous, _)) if self.producer_id == Some(producer_id) => {
                sent.sequence == sequence::after(*previous, 1)
            }
            // an unknown producer may begin anywhere
            _ => true,
        };
        if !is_next {
            return OutOfSequence(refused(45));
        }
        if self.producer_id != Some(producer_id) {
            self.batches.clear();
            self.producer_id = Some(producer_id);
        }
        self.batches.push_back((sent.sequence, last, base));
        if self.batches.len() > WINDOW {
            self.batches.pop_front();
        }
        self.log.extend(sent.records.clone());
        Written(Some(base))
    }

    /// A clean shutdown: its snapshot has the last batch only.
    fn restart(&mut self) {
        while self.batches.len() > 1 {
            self.batches.pop_front();
        }
    }
}

/// What the network and the broker do next.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answer,
    /// Refused before anything is written.
    NotLeader,
    /// Written, and yet called late (`REQUEST_TIMED_OUT`).
    Late,
    /// The connection breaks: this many of the requests on it are carried out, no answer comes.
    Cut {
        carried_out: usize,
        restart: bool,
        ghosts: bool,
    },
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Answer),
        1 => Just(Fate::NotLeader),
        1 => Just(Fate::Late),
        2 => (0usize..=WINDOW, any::<bool>(), any::<bool>()).prop_map(|(carried_out, restart, ghosts)| {
            Fate::Cut { carried_out, restart, ghosts: ghosts && !restart }
        }),
    ]
}

fn chunk(values: &[Vec<u8>]) -> Chunk {
    let mut batch = Batch::default();
    for value in values {
        batch.push(0, None, Some(value), 0);
    }
    batch.into_chunks().remove(&0).unwrap_or_default()
}

fn leave(batch: &mut ProducerBatch, producer_id: Option<ProducerId>) -> Sent {
    batch.mark_sent();
    Sent {
        producer_id,
        number: batch.number,
        sequence: batch.sequence,
        records: batch
            .chunk
            .iter()
            .map(|item| item.value.unwrap().to_vec())
            .collect(),
    }
}

/// Runs a queue to its end; at first as `fates` have it, then all goes well.
fn run(
    mut queue: PartitionQueue,
    broker: &mut Broker,
    fates: &[Fate],
    tally: &mut Tally,
) -> Result<(), KafkaError> {
    let mut fates = fates.iter().copied();
    let mut flying: VecDeque<Sent> = VecDeque::new();
    // requests of broken connections that the broker still has to read
    let mut ghosts: VecDeque<Sent> = VecDeque::new();
    let mut steps = 0;
    let mut named = BTreeSet::new();
    while queue.len() > 0 {
        steps += 1;
        assert!(steps < 10_000, "it does not end: {queue:?}");
        flying.extend(send(&mut queue));
        assert!(flying.len() <= WINDOW);
        let mut outcomes = Vec::new();
        match fates.next().unwrap_or(Fate::Answer) {
            Fate::Cut {
                carried_out,
                restart,
                ghosts: haunt,
            } => {
                for (at, sent) in flying.drain(..).enumerate() {
                    if at < carried_out {
                        broker.write(&sent);
                    } else if haunt {
                        ghosts.push_back(sent.clone());
                    }
                    let lost = KafkaError::Lost {
                        address: String::new(),
                        cause: String::new(),
                    };
                    outcomes.push((sent.number, Doubtful(lost)));
                }
                if restart {
                    broker.restart();
                    ghosts.clear();
                }
            }
            fate => {
                if let Some(sent) = flying.pop_front() {
                    let outcome = match fate {
                        Fate::NotLeader => Refused(refused(6)),
                        Fate::Late => match broker.write(&sent) {
                            Written(_) => Doubtful(refused(7)),
                            other => other,
                        },
                        _ => broker.write(&sent),
                    };
                    outcomes.push((sent.number, outcome));
                }
                if let Some(ghost) = ghosts.pop_front() {
                    broker.write(&ghost);
                }
            }
        }
        for (number, outcome) in outcomes {
            if let NextStep::Final(error) = queue.settle(0, number, outcome, tally) {
                queue.give_up(tally);
                return Err(error);
            }
        }
        for told in tally.take_acknowledged() {
            let first = told.offset.map(|offset| usize::try_from(offset).unwrap());
            for (nth, number) in told.records.enumerate() {
                let value = u32::try_from(number + 1).unwrap().to_be_bytes().to_vec();
                let is_written = match first {
                    Some(first) => broker.log[first + nth] == value,
                    None => broker.log.contains(&value),
                };
                assert!(is_written, "{number} is not written");
                assert!(named.insert(number), "{number} twice");
            }
        }
        assert_eq!(named.len() as u64, tally.acknowledged());
        if queue.needs_producer_id()? {
            let producer_id = ProducerId {
                id: steps,
                epoch: 0,
            };
            queue.restart_as(producer_id);
        }
    }
    Ok(())
}

fn values(sizes: &[usize]) -> Vec<Vec<Vec<u8>>> {
    let mut number = 0u32;
    let mut one = || {
        number += 1;
        number.to_be_bytes().to_vec()
    };
    sizes
        .iter()
        .map(|&size| (0..size).map(|_| one()).collect())
        .collect()
}

const ID: ProducerId = ProducerId { id: 7, epoch: 0 };

fn queue(producer_id: Option<ProducerId>, first: i32, batches: &[Vec<Vec<u8>>]) -> PartitionQueue {
    let mut queue = PartitionQueue::new(producer_id);
    queue.next_sequence = first;
    let mut begins = 0;
    for batch in batches {
        queue.push(chunk(batch), begins);
        begins += batch.len() as u64;
    }
    queue
}

proptest! {
    #[test]
    fn every_record_is_there_once_and_in_order(
        sizes in proptest::collection::vec(1usize..6, 1..14),
        fates in proptest::collection::vec(any_fate(), 0..40),
        largest in 2usize..6,
        near_the_end: bool
    ) {
        let batches = values(&sizes);
        let mut broker = Broker { largest, ..Broker::default() };
        let mut tally = Tally::default();
        let first = if near_the_end { i32::MAX - 7 } else { 0 };
        let ended = run(queue(Some(ID), first, &batches), &mut broker, &fates, &mut tally);
        prop_assert!(ended.is_ok(), "{:?}", ended);
        prop_assert_eq!(&broker.log, &batches.concat());
        prop_assert_eq!(tally.acknowledged(), broker.log.len() as u64);
        let written = tally.partitions[&0];
        prop_assert_eq!((written.first, written.last + 1), (0, i64::try_from(broker.log.len()).unwrap()));
        prop_assert_eq!((tally.may_have_repeated, tally.in_doubt), (0, 0));
    }

    #[test]
    fn without_sequence_numbers_what_may_be_there_twice_is_told(
        sizes in proptest::collection::vec(1usize..4, 1..8),
        fates in proptest::collection::vec(any_fate(), 0..20),
    ) {
        let batches = values(&sizes);
        let all = batches.concat();
        let mut broker = Broker { largest: 9, ..Broker::default() };
        let mut tally = Tally::default();
        let ended = run(queue(None, 0, &batches), &mut broker, &fates, &mut tally);
        prop_assert!(ended.is_ok(), "{:?}", ended);
        prop_assert_eq!(tally.acknowledged(), all.len() as u64);
        let twice = broker.log.len() - all.len();
        // a ghost may still be written after its record was acknowledged, but its doubt was counted before
        prop_assert!(twice as u64 <= tally.may_have_repeated);
        let mut seen = Vec::new();
        for record in &broker.log {
            if !seen.contains(record) {
                seen.push(record.clone());
            }
        }
        prop_assert_eq!(seen, all);
    }
}

/// A queue of whose producer id something was written already.
fn known(batches: &[Vec<Vec<u8>>]) -> PartitionQueue {
    PartitionQueue {
        is_new: false,
        ..queue(Some(ID), 5, batches)
    }
}

/// Sends what may go out, and hands it over.
fn send(queue: &mut PartitionQueue) -> Vec<Sent> {
    let producer_id = queue.producer_id;
    let mut sent = Vec::new();
    while let Some(batch) = queue.ready() {
        sent.push(leave(batch, producer_id));
    }
    sent
}

fn settle(
    queue: &mut PartitionQueue,
    sent: &Sent,
    outcome: SendOutcome,
    tally: &mut Tally,
) -> NextStep {
    queue.settle(0, sent.number, outcome, tally)
}

#[test]
fn a_window_is_on_its_way_and_no_more() {
    let batches = values(&[1; 9]);
    assert_eq!(send(&mut known(&batches)).len(), WINDOW);
    // a broker that does not know the producer id would take the second without the first
    assert_eq!(send(&mut queue(Some(ID), 0, &batches)).len(), 1);
    assert_eq!(send(&mut queue(None, 0, &batches)).len(), 1);
}

#[test]
fn a_broker_that_forgot_its_producer_is_given_another_one() {
    let mut tally = Tally::default();
    let mut queue = known(&values(&[2, 3]));
    let sent = send(&mut queue);
    let next = settle(&mut queue, &sent[0], Unknown(refused(59)), &mut tally);
    assert!(matches!(next, NextStep::Again(_)));
    assert!(
        !queue.needs_producer_id().unwrap(),
        "one is still on its way"
    );
    let out_of_sequence = OutOfSequence(refused(45));
    settle(&mut queue, &sent[1], out_of_sequence, &mut tally);
    assert!(queue.needs_producer_id().unwrap());
    queue.restart_as(ProducerId { id: 8, epoch: 0 });
    let again = send(&mut queue);
    assert_eq!(
        (again[0].sequence, again[0].producer_id.unwrap().id),
        (0, 8)
    );
    // and when that one is not known either, it is over
    let next = settle(&mut queue, &again[0], Unknown(refused(59)), &mut tally);
    assert!(matches!(next, NextStep::Final(_)));
}

#[test]
fn what_is_in_doubt_is_never_sent_under_another_name() {
    let mut tally = Tally::default();
    let mut queue = known(&values(&[2, 3]));
    let sent = send(&mut queue);
    for sent in &sent {
        settle(&mut queue, sent, Doubtful(refused(7)), &mut tally);
    }
    let again = send(&mut queue);
    let next = settle(&mut queue, &again[0], Unknown(refused(59)), &mut tally);
    assert!(matches!(next, NextStep::Final(_)));
    queue.give_up(&mut tally);
    assert_eq!((tally.in_doubt, tally.acknowledged()), (5, 0));
}

#[test]
fn a_leader_that_lost_what_it_acknowledged_is_found_out() {
    let mut tally = Tally::default();
    let mut queue = known(&values(&[2, 3]));
    for sent in &send(&mut queue) {
        settle(&mut queue, sent, Doubtful(refused(7)), &mut tally);
    }
    for over in [false, true] {
        let again = send(&mut queue);
        assert_eq!(again.len(), 1);
        let out_of_sequence = OutOfSequence(refused(45));
        let next = settle(&mut queue, &again[0], out_of_sequence, &mut tally);
        assert_eq!(matches!(next, NextStep::Final(_)), over);
    }
    queue.give_up(&mut tally);
    assert_eq!(tally.in_doubt, 5);
}

#[test]
fn a_record_that_is_too_large_alone_ends_it() {
    let mut tally = Tally::default();
    let mut queue = queue(Some(ID), 0, &values(&[1]));
    let sent = send(&mut queue);
    let topic = "t".to_owned();
    let next = settle(&mut queue, &sent[0], TooLarge { topic }, &mut tally);
    let NextStep::Final(KafkaError::RecordTooLarge { bytes, .. }) = next else {
        panic!("{next:?}");
    };
    queue.give_up(&mut tally);
    assert_eq!((bytes, tally.in_doubt), (4, 0));
}
