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
