//! A text on several labels: one argument of a process is at most 128 KiB long (Linux's `MAX_ARG_STRLEN`).

/// Label on a journal's volume: the number of parts that follow, `kmk.journal.1` and so on.
pub(super) const LABEL_PARTS: &str = "kmk.journal";
/// Bytes of one part at most; its label's name comes on top.
const PART: usize = 100_000;

/// The labels of a text.
pub(super) fn split(text: &str) -> Vec<(String, String)> {
    let mut rest = text;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let mut ends = (1..=rest.len().min(PART)).rev();
        let end = ends.find(|end| rest.is_char_boundary(*end));
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        parts.push((
            format!("{LABEL_PARTS}.{}", parts.len() + 1),
            part.to_owned(),
        ));
        rest = after;
    }
    parts.insert(0, (LABEL_PARTS.to_owned(), parts.len().to_string()));
    parts
}

/// The text of labels.
///
/// # Errors
/// In words, when a label is missing.
pub(super) fn join<'a>(label: impl Fn(&str) -> Option<&'a str>) -> Result<String, String> {
    let parts = label(LABEL_PARTS).and_then(|parts| parts.parse::<usize>().ok());
    let parts = parts.ok_or("it does not say how many follow")?;
    let part = |number: usize| {
        let name = format!("{LABEL_PARTS}.{number}");
        label(&name).ok_or_else(|| format!("`{name}` is missing"))
    };
    (1..=parts).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn joined(labels: &BTreeMap<String, String>) -> Result<String, String> {
        join(|name| labels.get(name).map(String::as_str))
    }

    #[test]
    fn a_part_that_is_missing_is_named() {
        let mut labels: BTreeMap<_, _> = split(&"x".repeat(PART + 1)).into_iter().collect();
        labels.remove("kmk.journal.2");
        assert_eq!(
            joined(&labels),
            Err("`kmk.journal.2` is missing".to_owned())
        );
        labels.clear();
        joined(&labels).unwrap_err();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_text_is_the_same_again(pattern in ".{1,20}", times in 0usize..20_000) {
            let text = pattern.repeat(times);
            let labels = split(&text);
            for (name, value) in &labels {
                // as one argument: `name=value`, ended by a zero
                prop_assert!(name.len() + value.len() + 2 <= 128 * 1024);
            }
            prop_assert_eq!(joined(&labels.into_iter().collect()), Ok(text));
        }
    }
}
