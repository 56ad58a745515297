//! `--from` and `--to`: a start position as people write it, such as `earliest`, an offset, or a time.

use crate::cli::quantity::whole;
use kmk_kafka::Start;
use kmk_kafka::message::to_millis;
use std::time::{Duration, SystemTime};

const EXPECTED: &str = "must be `earliest`, `latest`, an offset from 0, a time such as 2026-11-22T10:00:00Z or ...+01:00, or a time ago such as -10m";

/// Understands `earliest`, `latest`, an offset, a time by RFC 3339, and a time ago with a minus before it.
pub(in crate::cli) fn start(text: &str) -> Result<Start, String> {
    start_at(text, SystemTime::now())
}

/// A time by RFC 3339, or a time ago with a minus before it.
pub(in crate::cli) fn time(text: &str, now: SystemTime) -> Option<SystemTime> {
    match text.strip_prefix('-') {
        Some(ago) => now.checked_sub(humantime::parse_duration(ago).ok()?),
        None => rfc_3339(text),
    }
}

fn start_at(text: &str, now: SystemTime) -> Result<Start, String> {
    match text {
        // the others are kcat's and rpk's
        "earliest" | "beginning" | "start" => return Ok(Start::Earliest),
        "latest" | "end" => return Ok(Start::Latest),
        _ => {}
    }
    let offset = whole(text).and_then(|offset| offset.try_into().ok());
    match (time(text, now), offset) {
        (Some(time), _) => Ok(Start::Time(to_millis(time).max(0))),
        (None, Some(offset)) => Ok(Start::Offset(offset)),
        (None, None) => Err(EXPECTED.to_owned()),
    }
}

/// A time with `Z` or an offset behind it; humantime understands the former only.
fn rfc_3339(text: &str) -> Option<SystemTime> {
    if let Ok(time) = humantime::parse_rfc3339(text) {
        return Some(time);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub("+hh:mm".len())?)?;
    let (sign, offset) = offset.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    let ahead = Duration::from_secs(60 * (60 * below(24, hours)? + below(60, minutes)?));
    let time = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    match sign {
        "+" => time.checked_sub(ahead),
        "-" => time.checked_add(ahead),
        _ => None,
    }
}

/// Two digits of a number less than `bound`.
fn below(bound: u64, digits: &str) -> Option<u64> {
    let is_plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_plain.then(|| digits.parse().ok()).flatten();
    number.filter(|&number| number < bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEN: i64 = 1_795_341_600_000;

    fn now() -> SystemTime {
        humantime::parse_rfc3339("2026-11-22T10:00:00Z").unwrap()
    }

    #[test]
    fn a_time_may_be_anywhere_on_earth() {
        for (text, millis) in [
            ("2026-11-22T10:00:00Z", TEN),
            ("2026-11-22T10:00:00.25Z", TEN + 250),
            ("2026-11-22T11:00:00+01:00", TEN),
            ("2026-11-22T04:30:00-05:30", TEN),
            ("2026-11-22T10:00:00.125+00:00", TEN + 125),
            ("2026-11-23T00:00:00+14:00", TEN),
            ("1970-01-01T00:00:00+01:00", 0),
        ] {
            assert_eq!(start_at(text, now()), Ok(Start::Time(millis)), "{text}");
        }
    }

    #[test]
    fn the_ends_have_several_names() {
        for first in ["earliest", "beginning", "start"] {
            assert_eq!(start_at(first, now()), Ok(Start::Earliest));
        }
        for last in ["latest", "end"] {
            assert_eq!(start_at(last, now()), Ok(Start::Latest));
        }
    }

    #[test]
    fn a_time_ago_is_counted_back_from_now() {
        for (text, ago) in [
            ("-10m", 600_000),
            ("-1h30m", 5_400_000),
            ("-250ms", 250),
            ("-1day 2h", 93_600_000),
        ] {
            assert_eq!(start_at(text, now()), Ok(Start::Time(TEN - ago)), "{text}");
        }
        assert_eq!(start_at("-100years", now()), Ok(Start::Time(0)));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "-",
            "-5",
            "-x",
            "never",
            "+10m",
            "10m",
            "2026-11-22",
            "2026-11-22T10:00:00",
            "2026-11-22T10:00:00+1:00",
            "2026-11-22T10:00:00+24:00",
            "2026-11-22T10:00:00+01:60",
            "2026-11-22T10:00:00*01:00",
            "2026-13-22T10:00:00+01:00",
            "2026-11-22T10:00:00ö01:00",
            "9999999999999999999",
        ] {
            assert_eq!(start_at(text, now()), Err(EXPECTED.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,40}") {
            let _ = start_at(&text, now());
        }

        #[test]
        fn an_offset_in_the_partition_is_that(offset in 0i64..) {
            prop_assert_eq!(start_at(&offset.to_string(), now()), Ok(Start::Offset(offset)));
        }
    }
}
