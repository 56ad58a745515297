//! Waits until MirrorMaker has copied a topic to its end, by its positions: ends of the copy prove nothing where it repeats
//! records.

use crate::core::lab::drill::DrillError;
use crate::core::lab::positions;
use crate::core::observe::connect_patiently;
use crate::core::topology::{Flow, Topology};
use kmk_kafka::wait::{Limit, Probe, Stop};
use kmk_kafka::{At, KafkaError};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often it is looked: MirrorMaker commits its positions every tenth of a second.
const LOOK: Duration = Duration::from_millis(200);

/// Waits until every partition of a topic of the flow's source is copied to where it ends now.
///
/// # Errors
/// [`DrillError::NotCopied`].
pub(super) fn wait(
    topology: &Topology,
    flow: &Flow,
    topic: &str,
    limit: &Limit,
) -> Result<(), DrillError> {
    let mut source = connect_patiently(topology, &flow.spec.source, limit)?;
    let ends = source.offsets(&[topic.to_owned()], At::Latest, limit)?;
    let copied = limit.until(LOOK, || {
        let positions = positions::of_flow(topology, flow, limit)?;
        let short = short(&ends, &positions);
        Ok::<_, KafkaError>(short.map_or(Probe::Ready(()), Probe::NotYet))
    });
    copied.map_err(|error| match error {
        KafkaError::Stopped(Stop::Deadline { allowed, last_seen }) => DrillError::NotCopied {
            seen: format!("{}: {last_seen}", flow.name()),
            waited: allowed,
        },
        other => other.into(),
    })
}

/// A partition that is not copied to its end.
fn short(
    ends: &BTreeMap<(String, i32), i64>,
    positions: &BTreeMap<(String, i32), i64>,
) -> Option<String> {
    ends.iter().find_map(|(place, end)| {
        let next = positions.get(place).map_or(0, |last| last + 1);
        let partition = place.1;
        (next < *end).then(|| format!("partition {partition} is copied to {next} of {end}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_record_has_to_be_copied() {
        let at = |offsets: &[(i32, i64)]| -> BTreeMap<(String, i32), i64> {
            let places = offsets.iter();
            places
                .map(|(partition, offset)| (("t".to_owned(), *partition), *offset))
                .collect()
        };
        let ends = at(&[(0, 5), (1, 0)]);
        assert_eq!(short(&ends, &at(&[(0, 4)])), None);
        let told = "partition 0 is copied to 4 of 5".to_owned();
        assert_eq!(short(&ends, &at(&[(0, 3)])), Some(told));
        assert!(short(&ends, &at(&[])).is_some());
    }
}
