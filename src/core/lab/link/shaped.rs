//! The relays of a lab, and whether each does what is asked of it.

use super::relay::{self, Api, RelayError};
use super::shape::Shape;
use crate::core::event::{Event, Observer};
use crate::core::lab::Journal;
use crate::core::observe::side_by_side;
use crate::core::spec::LinkSpec;
use crate::core::topology::{Flow, Relay, Topology};
use kmk_kafka::wait::Limit;
use std::time::{Duration, Instant};

/// What is asked of the line of a flow, if it has relays: what it was deployed with, unless `kmk link` said otherwise since.
pub(super) fn asked_line(flow: &Flow, journal: &Journal) -> Option<LinkSpec> {
    let link = flow.link.as_ref()?;
    Some(journal.asked(&flow.name()).unwrap_or(link.spec))
}

/// What each connection gets of it: toxiproxy limits the rate of each.
pub(super) fn of_connection(flow: &Flow, journal: &Journal) -> Option<LinkSpec> {
    let connections = flow.link.as_ref()?.connections.unwrap_or(1);
    Some(asked_line(flow, journal)?.shared_by(connections))
}

/// What is asked of each relay of a flow, if it has any.
pub(super) fn asked(flow: &Flow, journal: &Journal) -> Option<Shape> {
    of_connection(flow, journal).map(|link| Shape {
        link,
        half_open: journal.cut(&flow.name()).is_some_and(|cut| cut.half_open),
    })
}

/// How much later than usual a record may come through a line: what is asked for arrives with the answer to a request, which
/// may have just been on its way.
pub(in crate::core::lab) fn delay(flow: &Flow, journal: &Journal) -> Duration {
    let link = asked(flow, journal)
        .map(|shape| shape.link)
        .unwrap_or_default();
    Duration::from_millis(u64::from(2 * (link.rtt_ms() + link.jitter_ms())))
}

/// How long the answer to one fetch of MirrorMaker may be on its way through a line with a rate, where this many partitions have
/// records that wait. MirrorMaker gets none of it before it has all of it.
pub(in crate::core::lab) fn longest_answer(
    flow: &Flow,
    topology: &Topology,
    journal: &Journal,
    partitions: usize,
) -> Duration {
    let rate = of_connection(flow, journal).and_then(|link| link.rate);
    let Some(rate) = rate else {
        return Duration::ZERO;
    };
    let [whole, of_partition] = flow.fetch_bytes(topology);
    let partitions = u64::try_from(partitions).unwrap_or(u64::MAX);
    let bytes = whole.min(of_partition.saturating_mul(partitions));
    // thousands of bits a second are bits a millisecond
    Duration::from_millis(bytes.saturating_mul(8) / u64::from(rate.0.max(1)))
}

/// Tells the relays of one flow what to do, as far as they are among these.
pub(in crate::core::lab) fn put_some(
    flow: &Flow,
    journal: &Journal,
    which: impl Fn(&Relay) -> bool,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<bool, RelayError> {
    let (Some(link), Some(shape)) = (&flow.link, asked(flow, journal)) else {
        return Ok(false);
    };
    let begun = Instant::now();
    let relays = link.relays.iter().filter(|relay| which(relay));
    let mut changed = Vec::new();
    for relay in relays {
        if relay::put(relay, &shape, limit)?.is_some() {
            changed.push(relay.service.as_str());
        }
    }
    if !changed.is_empty() {
        observer.on(Event::Done {
            what: format!("Told {} {}", changed.join(", "), shape.order()),
            took: begun.elapsed(),
        });
    }
    Ok(!changed.is_empty())
}

/// Tells all relays of these flows what to do. Whether some did something else before.
pub(in crate::core::lab) fn put_all(
    topology: &Topology,
    journal: &Journal,
    limit: &Limit,
    observer: &dyn Observer,
) -> Result<bool, RelayError> {
    let mut changed = false;
    for flow in &topology.flows {
        changed |= put_some(flow, journal, |_| true, limit, observer)?;
    }
    Ok(changed)
}

/// What is wrong with the relays of a flow, by what they say themselves.
pub(in crate::core::lab) fn problems(flow: &Flow, journal: &Journal, limit: &Limit) -> Vec<String> {
    let (Some(link), Some(shape)) = (&flow.link, asked(flow, journal)) else {
        return Vec::new();
    };
    let relays = side_by_side(&link.relays, |relay| {
        let upstream = relay.upstream.to_string();
        match Api::new(relay, limit).look() {
            Ok(found) => {
                let difference = shape.difference(found.as_ref(), &upstream)?;
                Some(format!(
                    "relay {} has lost its shape: {difference}",
                    relay.service
                ))
            }
            Err(error) => Some(error.to_string()),
        }
    });
    relays.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario::Scenario;

    #[test]
    fn an_answer_takes_as_long_as_its_bytes_need_at_the_rate_of_a_connection() {
        let answer = |line: Option<&str>, settings: &[(&str, &str)], partitions: usize| {
            let mut spec = Scenario::Dr.spec("demo");
            let flow = &mut spec.flows[0];
            flow.link = line.map(|line| line.parse().unwrap());
            let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            flow.settings = settings.iter().map(own).collect();
            let topology = Topology::new(&spec);
            let journal = Journal::default();
            longest_answer(&topology.flows[0], &topology, &journal, partitions).as_millis()
        };
        let slow = Some("rtt=80ms,rate=20mbit");
        assert_eq!(answer(slow, &[], 1), 419, "1 MiB");
        assert_eq!(answer(slow, &[], 1000), 20_971, "50 MiB");
        assert_eq!(answer(slow, &[("tasks.max", "4")], 1), 1_677);
        let all = ("source.consumer.fetch.max.bytes", "2500000");
        assert_eq!(answer(slow, &[all], 1000), 1_000);
        assert_eq!(answer(Some("rtt=80ms"), &[], 1000), 0);
        assert_eq!(answer(None, &[], 1000), 0);
    }
}
