//! Suggests which of the known names was probably meant.

/// Below this likeness (0 to 1) a name is no suggestion. `my_topic` and `primary.my_topic` reach 1.0 (one holds the
/// other), `ordres` and `orders` 0.83, `orders` and `payments` 0.25.
const ALIKE: f64 = 0.55;

/// All `candidates`, those most like `name` first; equally likely ones in alphabetical order.
pub fn by_nearness<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut rated: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| (likeness(name, candidate), candidate))
        .collect();
    rated.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    rated.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The candidate most like `name`, if any is alike enough to be worth suggesting.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    by_nearness(name, candidates)
        .into_iter()
        .next()
        .filter(|candidate| likeness(name, candidate) >= ALIKE)
}

/// The candidate that differs least from `name` letter by letter, if it is alike enough; an end in common counts for no
/// more than that.
pub fn nearest_spelling<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let rated = candidates.into_iter().map(|candidate| {
        let alike = strsim::normalized_damerau_levenshtein(name, candidate);
        (alike, candidate)
    });
    let nearest = rated.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)));
    nearest
        .filter(|(alike, _)| *alike >= ALIKE)
        .map(|(_, candidate)| candidate)
}

/// From 0 (nothing in common) to 1. A name that ends like the other after a dot is as near as can be: the usual
/// slip is to leave out the cluster in `primary.orders`, or to add it.
fn likeness(a: &str, b: &str) -> f64 {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let tail_of = |whole: &str, tail: &str| {
        !tail.is_empty()
            && whole
                .strip_suffix(tail)
                .is_some_and(|head| head.is_empty() || head.ends_with('.'))
    };
    if tail_of(&a, &b) || tail_of(&b, &a) {
        return 1.0;
    }
    strsim::normalized_damerau_levenshtein(&a, &b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_what_was_meant() {
        let topics = ["orders", "payments", "primary.orders", "heartbeats"];
        assert_eq!(nearest("ordres", topics), Some("orders"));
        assert_eq!(nearest("Payment", topics), Some("payments"));
        assert_eq!(nearest("secondary.orders", topics), Some("orders"));
        assert_eq!(
            nearest("my_topic", ["heartbeats", "primary.my_topic"]),
            Some("primary.my_topic")
        );
        assert_eq!(nearest("zzz", topics), None);
        assert_eq!(nearest("orders", []), None);
    }

    #[test]
    fn an_end_in_common_is_no_likeness_of_spelling() {
        let keys = ["enabled", "emit.heartbeats.enabled"];
        assert_eq!(nearest("emit.heartbeat.enabled", keys), Some("enabled"));
        assert_eq!(
            nearest_spelling("emit.heartbeat.enabled", keys),
            Some("emit.heartbeats.enabled")
        );
        assert_eq!(nearest_spelling("zzz", keys), None);
    }

    proptest! {
        #[test]
        fn no_candidate_is_lost_and_the_name_itself_comes_first(
            name in "[a-z.]{1,8}", mut others in proptest::collection::vec("[a-z.]{1,8}", 0..6)
        ) {
            others.push(name.clone());
            let sorted = by_nearness(&name, others.iter().map(String::as_str));
            prop_assert_eq!(sorted.len(), others.len());
            prop_assert!((likeness(&name, sorted[0]) - 1.0).abs() < f64::EPSILON);
        }
    }
}
