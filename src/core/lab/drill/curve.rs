//! How many records there were when, with as many points as a picture takes.

use super::stage::{Scene, Written};
use crate::core::judge::drill::Micros;
use crate::core::lab::verify::locked;
use std::time::Duration;

/// A picture shows no more points than this.
const POINTS: u64 = 300;

/// How many records there were when.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Which.
    pub of: Counted,
    /// Seconds since the drill began, and how many there were by then.
    pub points: Vec<(f64, u64)>,
}

/// Which records are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Acknowledged by the source before the switch.
    OnSource,
    /// Read on the target, where MirrorMaker had written them.
    Mirrored,
    /// Acknowledged by the target after the switch.
    OnTarget,
    /// Acknowledged by the source to the producer that stayed.
    Late,
}

/// Those of which there is one.
pub(super) fn all(scene: &Scene, until: Micros) -> Vec<Curve> {
    let of = |of, counts: &[(Micros, u64)]| Curve {
        of,
        points: points(counts, until),
    };
    let all = [
        of(Counted::OnSource, &acknowledged(&scene.source)),
        of(Counted::Mirrored, locked(&scene.crossed).arrived()),
        of(Counted::OnTarget, &acknowledged(&scene.target)),
        of(Counted::Late, &acknowledged(&scene.late)),
    ];
    all.into_iter()
        .filter(|curve| !curve.points.is_empty())
        .collect()
}

fn acknowledged(written: &Written) -> Vec<(Micros, u64)> {
    let books = locked(&written.books);
    let acknowledged = books.acknowledged.iter();
    acknowledged
        .map(|one| (one.at, one.sequences.end - one.sequences.start))
        .collect()
}

/// Of counts in order. Between two points the line is straight: where nothing came it has to be level.
fn points(counts: &[(Micros, u64)], until: Micros) -> Vec<(f64, u64)> {
    let slot = (until / POINTS).max(1);
    let (mut points, mut sum): (Vec<(Micros, u64)>, u64) = (Vec::new(), 0);
    for (at, records) in counts {
        let last = points.last().map(|last| last.0 / slot);
        if last.is_none_or(|last| at / slot > last + 1) {
            points.push((*at, sum));
        } else if last == Some(at / slot) {
            points.pop();
        }
        sum += records;
        points.push((*at, sum));
    }
    let end = points.last().map(|last| (until.max(last.0), sum));
    points.extend(end);
    let seconds = |at| Duration::from_micros(at).as_secs_f64();
    points
        .into_iter()
        .map(|(at, sum)| (seconds(at), sum))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_level_where_nothing_comes_and_ends_where_all_does() {
        assert_eq!(points(&[], 10), []);
        let second = 1_000_000;
        let counts = [(second, 5), (second + 1, 2), (8 * second, 3)];
        assert_eq!(
            points(&counts, 10 * second),
            [(1.0, 0), (1.000_001, 7), (8.0, 7), (8.0, 10), (10.0, 10)]
        );
    }

    #[test]
    fn many_counts_make_few_points() {
        let counts: Vec<_> = (0..100_000).map(|at| (at, 1)).collect();
        let points = points(&counts, 100_000);
        assert!(points.len() < 310, "{}", points.len());
        assert_eq!(points.last(), Some(&(0.1, 100_000)));
    }
}
