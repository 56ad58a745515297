//! A scale with round numbers.

/// Where the marks of a scale stand: round, at most six, all within the bounds.
pub(super) fn ticks(from: f64, to: f64) -> Vec<f64> {
    let length = to - from;
    if !length.is_finite() || length <= 0.0 {
        return Vec::new();
    }
    let rough = length / 5.0;
    let ten = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * ten);
    let step = steps.into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(10.0 * ten);
    let first = (from / step).ceil();
    let places = (0..6_u8).map(|n| (first + f64::from(n)) * step);
    places
        .take_while(|at| *at <= to + step * 1e-9)
        .map(|at| if at.abs() < step / 2.0 { 0.0 } else { at })
        .collect()
}

/// A tick as text: no more digits than it needs.
pub(super) fn tick(at: f64) -> String {
    let text = format!("{at:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        let texts = |from, to| ticks(from, to).into_iter().map(tick).collect::<Vec<_>>();
        assert_eq!(texts(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(texts(0.0, 12.3), ["0", "5", "10"]);
        assert_eq!(texts(-2.0, 6.8), ["-2", "0", "2", "4", "6"]);
        assert_eq!(texts(0.0, 900.0), ["0", "200", "400", "600", "800"]);
        assert_eq!(texts(3.0, 3.0), [""; 0]);
    }

    proptest! {
        #[test]
        fn ticks_are_few_and_within(from in -1e6..1e6_f64, length in 1e-3..1e6_f64) {
            let all = ticks(from, from + length);
            prop_assert!((2..=6).contains(&all.len()), "{all:?}");
            prop_assert!(all.iter().all(|at| *at >= from - 1e-6 && *at <= from + length * 1.0001));
        }
    }
}
