//! Numbers with their units, as people read them.

/// `1 record`, `2 records`.
pub(super) fn count(number: impl TryInto<u64>, what: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `17 B`, `1.5 kB`, `16.8 MB`: thousands, as disks are sold.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if number < 1000 {
        return format!("{number} B");
    }
    #[allow(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut size = number as f64;
    let mut unit = "";
    for next in UNITS {
        size /= 1000.0;
        unit = next;
        // what would be shown as 1000.0
        if size < 999.95 {
            break;
        }
    }
    format!("{size:.1} {unit}")
}

/// A dash where there is none.
pub(super) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_as_people_read_them() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1550, "1.6 kB"),
            (999_949, "999.9 kB"),
            (999_999, "1.0 MB"),
            (16_800_000, "16.8 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(number), text);
        }
        assert_eq!(count(1u64, "record"), "1 record");
        assert_eq!(count(2usize, "record"), "2 records");
    }

    proptest! {
        #[test]
        fn no_size_takes_more_than_8_characters(number: u64) {
            prop_assert!(bytes(number).len() <= 8, "{}", bytes(number));
        }
    }
}
