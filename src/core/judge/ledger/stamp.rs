//! The stamp on each record of a run, by which it is recognized wherever it turns up.
//!
//! A stamp is text of fixed width, for people who look at the topic, and for speed:
//! `kmk1 CHECKSUM RUN PARTITION SEQUENCE MICROSECONDS`, padded to the record's size. The checksum (CRC-32C, in
//! hexadecimal) is of all that follows it.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// The smallest stamped record, in bytes.
pub const MIN_STAMPED: usize = BODY + RUN + PARTITION + SEQUENCE + SENT_AT + 3;

const TAG: &[u8] = b"kmk1 ";
const CHECKSUM: usize = 8;
const RUN: usize = 16;
const PARTITION: usize = 6;
const SEQUENCE: usize = 12;
const SENT_AT: usize = 14;
/// Where the part begins that the checksum is of.
const BODY: usize = TAG.len() + CHECKSUM + 1;
const PADDING: u8 = b'.';

/// The number of a run, by which it tells its own records from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(u64);

impl RunId {
    /// One that no other run has: of the time to the nanosecond, the process, and how many it has made before.
    pub fn new(now: SystemTime, process: u32, nth: u32) -> Self {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let process = u64::from(process) << 32 | u64::from(nth);
        Self(mixed(
            mixed(process) ^ u64::try_from(since.as_nanos()).unwrap_or(u64::MAX),
        ))
    }
}

/// Spreads what differs over all bits, and loses nothing of it (the finalizer of `SplitMix64`).
fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ bits >> 31
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a record says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The run that sent it.
    pub run: RunId,
    /// The partition that it was sent to, from 0 to 999,999.
    pub partition: i32,
    /// Its number in that partition, from 0.
    pub sequence: u64,
    /// When it was sent, in microseconds since the run began, by a clock that only goes forward.
    pub sent_at: u64,
}

impl Stamp {
    /// Appends a record of `size` bytes, or of [`MIN_STAMPED`] if that is more.
    ///
    /// # Panics
    /// Where a number has more digits than there is room for: a partition beyond 999,999, a sequence number of a
    /// million millions, a run of three years.
    pub fn write(&self, size: usize, to: &mut Vec<u8>) {
        let start = to.len();
        to.extend_from_slice(TAG);
        to.extend_from_slice(b"00000000 ");
        hexadecimal(self.run.0, RUN, to);
        let partition = u64::try_from(self.partition).expect("a partition is not negative");
        for (number, width) in [
            (partition, PARTITION),
            (self.sequence, SEQUENCE),
            (self.sent_at, SENT_AT),
        ] {
            to.push(b' ');
            decimal(number, width, to);
        }
        to.resize(to.len().max(start + size), PADDING);
        let mut checksum = Vec::with_capacity(CHECKSUM);
        hexadecimal(
            u64::from(crc32c::crc32c(&to[start + BODY..])),
            CHECKSUM,
            &mut checksum,
        );
        to[start + TAG.len()..start + TAG.len() + CHECKSUM].copy_from_slice(&checksum);
    }

    /// The stamp of a record, if it has one and is unchanged.
    pub fn of(value: &[u8]) -> Option<Self> {
        match Self::read(value) {
            StampCheck::Stamped(stamp) => Some(stamp),
            StampCheck::Corrupted | StampCheck::Unstamped => None,
        }
    }

    /// What stands on a record.
    pub(super) fn read(value: &[u8]) -> StampCheck {
        if !value.starts_with(TAG) {
            return StampCheck::Unstamped;
        }
        let Some(stamp) = Self::checked(value) else {
            return StampCheck::Corrupted;
        };
        StampCheck::Stamped(stamp)
    }

    fn checked(value: &[u8]) -> Option<Self> {
        let checksum = value.get(TAG.len()..BODY)?.strip_suffix(b" ")?;
        let body = &value[BODY..];
        if number(checksum, 16)? != u64::from(crc32c::crc32c(body)) {
            return None;
        }
        let (run, rest) = body.split_at_checked(RUN)?;
        let (partition, rest) = field(rest, PARTITION)?;
        let (sequence, rest) = field(rest, SEQUENCE)?;
        let (sent_at, _) = field(rest, SENT_AT)?;
        Some(Self {
            run: RunId(number(run, 16)?),
            partition: i32::try_from(partition).ok()?,
            sequence,
            sent_at,
        })
    }
}

/// What was found on a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StampCheck {
    /// A stamp whose checksum is right.
    Stamped(Stamp),
    /// The beginning of a stamp, and something else than what was written.
    Corrupted,
    /// No stamp.
    Unstamped,
}

/// A number behind a blank, and what follows it.
fn field(bytes: &[u8], width: usize) -> Option<(u64, &[u8])> {
    let (digits, rest) = bytes.strip_prefix(b" ")?.split_at_checked(width)?;
    Some((number(digits, 10)?, rest))
}

fn number(digits: &[u8], radix: u32) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, &digit| {
        // what was written in small letters and came in capitals was changed
        let digit = Some(char::from(digit)).filter(|digit| !digit.is_ascii_uppercase())?;
        let digit = digit.to_digit(radix)?;
        number
            .checked_mul(u64::from(radix))?
            .checked_add(u64::from(digit))
    })
}

fn decimal(mut number: u64, width: usize, to: &mut Vec<u8>) {
    let start = to.len();
    to.resize(start + width, b'0');
    for digit in to[start..].iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    assert!(number == 0, "a stamp has {width} digits for this number");
}

fn hexadecimal(number: u64, width: usize, to: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |place: usize| DIGITS[usize::try_from(number >> (4 * place) & 15).unwrap_or(0)];
    to.extend((0..width).rev().map(digit));
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::core::judge::ledger) fn run(number: u64) -> RunId {
        RunId(number)
    }

    fn stamp() -> impl Strategy<Value = Stamp> {
        let places = (0..1_000_000_i32, 0..1_000_000_000_000_u64);
        (any::<u64>(), places, 0..100_000_000_000_000_u64).prop_map(
            |(run, (partition, sequence), sent_at)| Stamp {
                run: RunId(run),
                partition,
                sequence,
                sent_at,
            },
        )
    }

    fn example() -> Vec<u8> {
        let mut value = Vec::new();
        let stamp = Stamp {
            run: RunId(0xabc),
            partition: 2,
            sequence: 17,
            sent_at: 1_234_567,
        };
        stamp.write(MIN_STAMPED + 3, &mut value);
        value
    }

    #[test]
    fn a_stamp_can_be_read_by_a_person() {
        let text = String::from_utf8(example()).unwrap();
        assert_eq!(
            text,
            "kmk1 052c4a8d 0000000000000abc 000002 000000000017 00000001234567..."
        );
    }

    #[test]
    fn what_is_no_stamp_is_unstamped() {
        for value in [&b""[..], b"kmk", b"{\"id\":1}", b"KMK1 00000000 "] {
            assert_eq!(Stamp::read(value), StampCheck::Unstamped);
        }
    }

    #[test]
    fn a_capital_letter_in_the_checksum_is_a_change() {
        let mut value = example();
        value.make_ascii_uppercase();
        value[..TAG.len()].copy_from_slice(TAG);
        assert_eq!(Stamp::read(&value), StampCheck::Corrupted);
    }

    #[test]
    fn runs_of_one_moment_differ() {
        let now = SystemTime::now();
        assert_ne!(RunId::new(now, 1, 0), RunId::new(now, 1, 1));
        assert_ne!(RunId::new(now, 1, 0), RunId::new(now, 2, 0));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(stamp in stamp(), size in 0..500_usize) {
            let mut value = b"before".to_vec();
            stamp.write(size, &mut value);
            let value = &value[6..];
            prop_assert_eq!(value.len(), size.max(MIN_STAMPED));
            prop_assert_eq!(Stamp::read(value), StampCheck::Stamped(stamp));
        }

        #[test]
        fn a_changed_byte_is_noticed(stamp in stamp(), at in 0..150_usize, flip in 1_u8..) {
            let mut value = Vec::new();
            stamp.write(150, &mut value);
            value[at] ^= flip;
            let expected = if at < TAG.len() { StampCheck::Unstamped } else { StampCheck::Corrupted };
            prop_assert_eq!(Stamp::read(&value), expected);
        }

        #[test]
        fn a_cut_record_is_noticed(stamp in stamp(), length in 0..150_usize) {
            let mut value = Vec::new();
            stamp.write(150, &mut value);
            let expected = if length < TAG.len() { StampCheck::Unstamped } else { StampCheck::Corrupted };
            prop_assert_eq!(Stamp::read(&value[..length]), expected);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            Stamp::read(&bytes);
            Stamp::read(&[TAG, &bytes].concat());
        }
    }
}
