//! Numbers of a length that depends on their size: zigzag, seven bits a byte.

use super::error::Fault;

/// How many bytes a number of 32 bits takes at most.
pub(super) const MAX_INT: usize = 5;

/// How many bytes a number of 64 bits takes at most.
pub(super) const MAX_LONG: usize = 10;

/// How many bytes `number` takes.
pub(super) fn length(number: i64) -> usize {
    let bits = 64 - (zigzag(number) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Writes `number` to the front of `to`, which has room for it, and says how many bytes that took.
pub(super) fn put(number: i64, to: &mut [u8]) -> usize {
    let mut left = zigzag(number);
    let mut at = 0;
    while left >= 0x80 {
        to[at] = low_bits(left) | 0x80;
        left >>= 7;
        at += 1;
    }
    to[at] = low_bits(left);
    at + 1
}

/// Takes a number of 64 bits from the front of `bytes`.
pub(super) fn long(bytes: &mut &[u8]) -> Result<i64, Fault> {
    take(bytes, MAX_LONG).map(|number| (number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

/// Takes a number of 32 bits from the front of `bytes`.
pub(super) fn int(bytes: &mut &[u8]) -> Result<i32, Fault> {
    let number = take(bytes, MAX_INT)?;
    let number = u32::try_from(number).map_err(|_| Fault::Number)?;
    Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

fn take(bytes: &mut &[u8], most: usize) -> Result<u64, Fault> {
    let (&first, rest) = bytes.split_first().ok_or(Fault::Cut)?;
    if first < 0x80 {
        *bytes = rest;
        return Ok(u64::from(first));
    }
    let mut number = u64::from(first & 0x7f);
    for (index, &byte) in rest.iter().take(most - 1).enumerate() {
        let shift = 7 * (index + 1);
        let part = u64::from(byte & 0x7f);
        if shift == 63 && part > 1 {
            return Err(Fault::Number);
        }
        number |= part << shift;
        if byte < 0x80 {
            *bytes = &rest[index + 1..];
            return Ok(number);
        }
    }
    Err(if rest.len() < most - 1 {
        Fault::Cut
    } else {
        Fault::Number
    })
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn low_bits(number: u64) -> u8 {
    number.to_le_bytes()[0] & 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(number: i64) -> Vec<u8> {
        let mut bytes = [0; MAX_LONG];
        let length = put(number, &mut bytes);
        bytes[..length].to_vec()
    }

    #[test]
    fn numbers_are_written_as_kafka_writes_them() {
        // org.apache.kafka.common.utils.ByteUtilsTest
        for (number, bytes) in [
            (0, &[0x00][..]),
            (-1, &[0x01]),
            (1, &[0x02]),
            (63, &[0x7e]),
            (-64, &[0x7f]),
            (64, &[0x80, 0x01]),
            (-65, &[0x81, 0x01]),
            (8191, &[0xfe, 0x7f]),
            (i64::from(i32::MAX), &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
            (i64::from(i32::MIN), &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        ] {
            assert_eq!(written(number), bytes, "{number}");
        }
        assert_eq!(written(i64::MIN).len(), MAX_LONG);
    }

    #[test]
    fn a_number_that_does_not_end_or_is_too_large_is_refused() {
        assert_eq!(int(&mut &b""[..]), Err(Fault::Cut));
        assert_eq!(int(&mut &b"\x80\x80"[..]), Err(Fault::Cut));
        assert_eq!(
            int(&mut &b"\x80\x80\x80\x80\x80\x01"[..]),
            Err(Fault::Number)
        );
        assert_eq!(int(&mut &b"\xff\xff\xff\xff\x10"[..]), Err(Fault::Number));
        assert_eq!(long(&mut &[0x80; 11][..]), Err(Fault::Number));
        let two_in_the_last = b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02";
        assert_eq!(long(&mut &two_in_the_last[..]), Err(Fault::Number));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(number in any::<i64>(), shift in 0u32..64, rest in any::<Vec<u8>>()) {
            let number = number >> shift;
            let mut bytes = written(number);
            prop_assert_eq!(bytes.len(), length(number));
            bytes.extend_from_slice(&rest);
            let mut left = bytes.as_slice();
            prop_assert_eq!(long(&mut left), Ok(number));
            prop_assert_eq!(left, &rest[..]);
            let mut left = bytes.as_slice();
            let expected = i32::try_from(number).map_err(|_| Fault::Number);
            prop_assert_eq!(int(&mut left), expected);
        }
    }
}
