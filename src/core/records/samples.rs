//! Sample records that look like something, and how large a record may be.

use std::io::Write as _;
use std::time::SystemTime;

/// The largest value kmk produces, in bytes: what fits into a request as a broker allows it unless told otherwise
/// (`socket.request.max.bytes`, 100 MiB). A record of more than 1 MiB must also be allowed by the topic.
pub const MAX_VALUE: usize = 100_000_000;

/// The smallest sample record, in bytes: the fields of an event fit whatever its number.
pub const MIN_SAMPLE: usize = 96;

/// Makes small JSON events, numbered from 1.
#[derive(Debug, Clone)]
pub struct Samples {
    made: u64,
    size: Option<usize>,
}

impl Samples {
    const REGIONS: [&str; 4] = ["eu-west", "us-east", "us-west", "ap-south"];

    /// Events of exactly `size` bytes, or as long as they come out. `size` is at least [`MIN_SAMPLE`].
    pub fn new(size: Option<usize>) -> Self {
        Self { made: 0, size }
    }

    /// Appends the next event to `to`.
    pub fn write_next(&mut self, now: SystemTime, to: &mut Vec<u8>) {
        self.made += 1;
        let id = self.made;
        let start = to.len();
        let region = Self::REGIONS[usize::try_from(id % 4).unwrap_or(0)];
        // spread like amounts of money, yet the same in every run
        let cents = id.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 100_000;
        // writing to a Vec cannot fail
        let _ = write!(
            to,
            r#"{{"id":{id},"time":"{}","region":"{region}","amount":{}.{:02}"#,
            humantime::format_rfc3339_millis(now),
            cents / 100,
            cents % 100,
        );
        if let Some(size) = self.size {
            pad(to, size.saturating_sub(to.len() - start + 1));
        }
        to.push(b'}');
    }
}

/// Fills `room` bytes inside a JSON object: with one more field, or blanks where it does not fit.
fn pad(to: &mut Vec<u8>, room: usize) {
    const FIELD: &[u8] = br#","pad":"""#;
    let end = to.len() + room;
    if room >= FIELD.len() {
        to.extend_from_slice(&FIELD[..FIELD.len() - 1]);
        to.resize(end - 1, b'.');
        to.push(b'"');
    } else {
        to.resize(end, b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sample_is_an_event_with_an_id_a_time_a_region_and_a_number() {
        let mut samples = Samples::new(None);
        let mut bytes = Vec::new();
        samples.write_next(SystemTime::UNIX_EPOCH, &mut bytes);
        let event: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(event["id"], 1);
        assert_eq!(event["time"], "1970-01-01T00:00:00.000Z");
        assert_eq!(event["region"], "us-east");
        assert!(event["amount"].is_number());
    }

    proptest! {
        #[test]
        fn a_sample_has_exactly_the_size_asked_for(
            size in MIN_SAMPLE..2_000, made in 0u64..1_000_000_000_000, seconds in 0u64..4_000_000_000
        ) {
            let mut samples = Samples { made, size: Some(size) };
            let mut bytes = b"before".to_vec();
            let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            samples.write_next(now, &mut bytes);
            prop_assert_eq!(bytes.len(), 6 + size);
            let event: serde_json::Value = serde_json::from_slice(&bytes[6..]).unwrap();
            prop_assert_eq!(&event["id"], &serde_json::json!(made + 1));
        }
    }
}
