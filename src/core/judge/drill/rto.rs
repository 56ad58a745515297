//! How long it took, part by part.

use super::facts::{Micros, Times};
use super::groups::GroupOutcome;
use super::seconds;
use serde::Serialize;

/// From the fault to the first new record of the slowest partition of the slowest group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rto {
    /// From the earlier of the two readings around the fault: at most this.
    pub seconds: f64,
    /// By how much it may be less: the readings around the fault are so far apart.
    pub uncertain_seconds: f64,
    /// What it consists of; they add up to it.
    pub parts: Vec<Part>,
    /// The group that was last.
    pub slowest_group: String,
    /// Its partition that was last.
    pub slowest_partition: i32,
}

/// A part of the time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// What it took this long to be: `detected`, `decided`, `fenced`, `switched`, `first_write_acknowledged`, `first_new_record`.
    pub name: &'static str,
    /// How long.
    pub seconds: f64,
}

/// None where nothing was written to the target, or a group was not given what was.
pub(super) fn rto(times: &Times, groups: &[GroupOutcome]) -> Option<Rto> {
    let first_write = times.first_write?;
    if groups.iter().any(|group| !group.not_served.is_empty()) {
        return None;
    }
    let served = groups
        .iter()
        .filter_map(|group| Some((group.served?, group)));
    let ((at, partition), slowest) = served.max_by_key(|((at, _), _)| *at)?;
    let marks = [
        ("detected", times.detected),
        ("decided", times.decided),
        ("fenced", times.fenced),
        ("switched", times.switched),
        ("first_write_acknowledged", first_write),
        ("first_new_record", at),
    ];
    // what went on side by side takes no time of its own
    let mut now = times.fault.from;
    let mut parts = Vec::new();
    for (name, mark) in marks {
        let reached: Micros = mark.max(now);
        let seconds = seconds(reached - now);
        parts.push(Part { name, seconds });
        now = reached;
    }
    Some(Rto {
        seconds: seconds(now - times.fault.from),
        uncertain_seconds: seconds(times.fault.until.saturating_sub(times.fault.from)),
        parts,
        slowest_group: slowest.name.clone(),
        slowest_partition: partition,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn group(at: Micros) -> GroupOutcome {
        GroupOutcome {
            name: "g".to_owned(),
            served: Some((at, 3)),
            ..GroupOutcome::default()
        }
    }

    #[test]
    fn a_group_that_is_not_served_leaves_it_open() {
        let times = Times {
            first_write: Some(5),
            ..Times::default()
        };
        assert!(rto(&times, &[group(7)]).is_some());
        let without = GroupOutcome {
            not_served: vec![1],
            ..group(7)
        };
        assert_eq!(rto(&times, &[without]), None);
        assert_eq!(rto(&Times::default(), &[group(7)]), None, "nothing written");
    }

    proptest! {
        #[test]
        fn the_parts_add_up(marks in proptest::collection::vec(0..100_000_000_u64, 7)) {
            let times = Times {
                fault: super::super::Bracket { from: marks[0], until: marks[0] + 1_000 },
                acknowledged_before: 0,
                detected: marks[1],
                decided: marks[2],
                fenced: marks[3],
                switched: marks[4],
                first_write: Some(marks[5]),
            };
            let rto = rto(&times, &[group(marks[6]), group(0)]).unwrap();
            let sum: f64 = rto.parts.iter().map(|part| part.seconds).sum();
            prop_assert!((sum - rto.seconds).abs() < 1e-6, "{rto:?}");
            prop_assert!(rto.seconds + 1e-6 >= seconds(marks[6].saturating_sub(marks[0])));
            prop_assert_eq!(rto.slowest_partition, 3);
        }
    }
}
