//! Numbers with units: parsing what people type, and formatting what they read.

use std::ops::RangeInclusive;

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

/// `7.7/s`, `77/s`, `76,844/s`: no more digits than anyone reads.
pub(super) fn pace(a_second: f64) -> String {
    if a_second < 9.95 {
        return format!("{a_second:.1}/s");
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "never less than 0, and the cast stops at the greatest number"
    )]
    let whole = a_second.round() as u64;
    format!("{}/s", grouped(whole))
}

/// `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// What may stand behind a count.
const COUNTS: [(&str, u64); 4] = [("", 1), ("k", THOUSAND), ("m", MILLION), ("g", BILLION)];

/// What may stand behind a size: thousands, and with an `i` 1024s.
const SIZES: [(&str, u64); 14] = [
    ("", 1),
    ("b", 1),
    ("k", THOUSAND),
    ("kb", THOUSAND),
    ("m", MILLION),
    ("mb", MILLION),
    ("g", BILLION),
    ("gb", BILLION),
    ("ki", 1 << 10),
    ("kib", 1 << 10),
    ("mi", 1 << 20),
    ("mib", 1 << 20),
    ("gi", 1 << 30),
    ("gib", 1 << 30),
];

const THOUSAND: u64 = 1_000;
const MILLION: u64 = 1_000_000;
const BILLION: u64 = 1_000_000_000;

/// A whole number: `1000`, `1_000`, `1e3`, `1k`, `1.5k`, `2M`, `1G`.
pub(super) fn whole(text: &str) -> Option<u64> {
    // a small m is a minute, or a thousandth
    let text = (!text.ends_with('m')).then_some(text)?;
    product(text, &COUNTS)
}

/// What is as much as a type can hold is no bound that helps anyone.
const UNBOUND: u64 = 1 << 62;

/// Reads a [`whole`] number in this range.
pub(super) fn counted<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = whole(text).filter(|number| range.contains(number));
        number
            .and_then(|number| number.try_into().ok())
            .ok_or_else(|| {
                let most = match *range.end() {
                    UNBOUND.. => String::new(),
                    most => format!(" to {most}"),
                };
                format!(
                    "must be a number from {}{most}, such as 1000, 10k or 1e6",
                    range.start()
                )
            })
    }
}

/// Reads a number of bytes in this range: `1000`, `10k` or `10kB`, `10MB`, `10MiB`.
pub(super) fn sized(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |text| {
        let bytes = product(text, &SIZES).filter(|bytes| range.contains(bytes));
        bytes.ok_or_else(|| {
            let (least, most) = range.clone().into_inner();
            format!("must be a size from {least} to {most} bytes, such as 1000, 10kB, 1MB (10^6) or 1MiB (2^20)")
        })
    }
}

/// Digits with or without a point, an exponent and a unit, as far as that is a whole number.
fn product(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let is_unit = |c: char| c.is_ascii_alphabetic() && !c.eq_ignore_ascii_case(&'e');
    let (number, unit) = text.split_at(text.find(is_unit).unwrap_or(text.len()));
    let (number, exponent) = match number.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, digits(exponent)?.parse().ok()?),
        None => (number, 0u32),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let (whole, part) = (digits(whole)?, digits(part)?);
    let all: u128 = format!("{whole}{part}").parse().ok()?;
    let unit = unit.to_ascii_lowercase();
    let (_, times) = units.iter().find(|(name, _)| *name == unit)?;
    let product = all
        .checked_mul(10u128.checked_pow(exponent)?)?
        .checked_mul(u128::from(*times))?;
    let below = 10u128.checked_pow(part.len().try_into().ok()?)?;
    let is_whole = product.is_multiple_of(below);
    is_whole
        .then(|| (product / below).try_into().ok())
        .flatten()
}

/// Digits, between which `_` may stand.
fn digits(text: &str) -> Option<String> {
    let groups = text.split('_');
    let all_digits = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    groups.clone().all(all_digits).then(|| groups.collect())
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

    #[test]
    fn a_pace_has_no_more_digits_than_anyone_reads() {
        for (a_second, text) in [
            (0.0, "0.0/s"),
            (0.76, "0.8/s"),
            (9.96, "10/s"),
            (76.8438, "77/s"),
            (999.6, "1,000/s"),
            (1_234_567.8, "1,234,568/s"),
        ] {
            assert_eq!(pace(a_second), text);
        }
    }

    #[test]
    fn large_numbers_are_read_from_afar() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn counts_as_people_write_them() {
        for (text, number) in [
            ("0", 0),
            ("007", 7),
            ("1000", 1_000),
            ("1_000_000", 1_000_000),
            ("1e6", 1_000_000),
            ("1E6", 1_000_000),
            ("2.5e3", 2_500),
            ("10k", 10_000),
            ("10K", 10_000),
            ("1.5M", 1_500_000),
            ("1G", 1_000_000_000),
            ("1.0", 1),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for bad in [
            "",
            "-1",
            "+1",
            "1m",
            "k",
            "e6",
            "1e",
            "1e-3",
            "1.5",
            "1.",
            ".5",
            "_1",
            "1_",
            "1__0",
            "1,000",
            "1 000",
            "0x10",
            "1kB",
            "1T",
            "ten",
            "1e6e6",
            "18446744073709551616",
            "1e40",
            "1e4000000000",
            "１",
        ] {
            assert_eq!(whole(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_take_thousands_and_with_an_i_1024s() {
        let read = sized(0..=u64::MAX);
        for (text, bytes) in [
            ("200", 200),
            ("200B", 200),
            ("10k", 10_000),
            ("10kB", 10_000),
            ("10KB", 10_000),
            ("10MB", 10_000_000),
            ("1.5mb", 1_500_000),
            ("1GB", 1_000_000_000),
            ("10KiB", 10_240),
            ("10MiB", 10_485_760),
            ("1Gi", 1 << 30),
            ("1e6", 1_000_000),
            ("0.5KiB", 512),
        ] {
            assert_eq!(read(text), Ok(bytes), "{text}");
        }
        for bad in ["", "-1", "MB", "10Mib/s", "10 MB", "1TB", "0.3KiB", "10ib"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_number_out_of_its_range_hears_what_is_allowed() {
        let read = counted::<u16>(1..=300);
        assert_eq!(read("300"), Ok(300));
        let allowed = "must be a number from 1 to 300, such as 1000, 10k or 1e6";
        assert_eq!(read("301"), Err(allowed.to_owned()));
        assert_eq!(read("1e6"), Err(allowed.to_owned()));
        let told = sized(65..=100_000_000)("64").unwrap_err();
        assert!(
            told.starts_with("must be a size from 65 to 100000000 bytes, "),
            "{told}"
        );
    }

    proptest! {
        #[test]
        fn a_number_in_digits_is_that_number(number: u64) {
            prop_assert_eq!(whole(&number.to_string()), Some(number));
        }

        #[test]
        fn nothing_that_is_written_makes_it_panic(text in "[0-9._eEkMGib]{0,40}") {
            let _ = (whole(&text), sized(0..=9)(&text));
        }

        #[test]
        fn no_size_takes_more_than_8_characters(number: u64) {
            prop_assert!(bytes(number).len() <= 8, "{}", bytes(number));
        }
    }
}
