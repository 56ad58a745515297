//! Snappy as Java's library frames it, and as it is.

use super::{Compression, CompressionError};
use snap::raw::{Decoder, Encoder, decompress_len};

/// What such a frame begins with (`org.xerial.snappy.SnappyCodec`).
const MAGIC: &[u8; 8] = b"\x82SNAPPY\0";

/// The magic bytes, the version and the oldest version that can read it.
const HEADER: &[u8; 16] = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";

/// How much is compressed into one block, in bytes: what Java's library does.
const BLOCK: usize = 32 * 1024;

/// How many times larger than its compressed form a block can be: no element of it makes more than 64 bytes out of 3.
const RATIO: usize = 22;

pub(super) fn compress(bytes: &[u8], to: &mut Vec<u8>) -> Result<(), snap::Error> {
    let mut encoder = Encoder::new();
    let mut block = vec![0; snap::raw::max_compress_len(BLOCK.min(bytes.len()))];
    to.extend_from_slice(HEADER);
    for part in bytes.chunks(BLOCK) {
        let length = encoder.compress(part, &mut block)?;
        // a block is some 38 KiB at most
        to.extend_from_slice(&u32::try_from(length).unwrap_or_default().to_be_bytes());
        to.extend_from_slice(&block[..length]);
    }
    Ok(())
}

/// Appends what `bytes` hold to `out`, at most `limit` bytes in all.
pub(super) fn decompress(
    bytes: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    if !bytes.starts_with(MAGIC) {
        return block(bytes, limit, out);
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        // streams may stand one behind the other
        if rest.starts_with(MAGIC) {
            rest = rest.get(HEADER.len()..).ok_or_else(cut)?;
            continue;
        }
        let (length, behind) = rest.split_first_chunk().ok_or_else(cut)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| cut())?;
        let (compressed, behind) = behind.split_at_checked(length).ok_or_else(cut)?;
        block(compressed, limit, out)?;
        rest = behind;
    }
    Ok(())
}

fn block(bytes: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), CompressionError> {
    let claimed = decompress_len(bytes).map_err(|error| malformed(&error.to_string()))?;
    let start = out.len();
    if claimed > limit.saturating_sub(start) {
        return Err(CompressionError::TooLarge { limit });
    }
    if claimed / RATIO > bytes.len() {
        return Err(malformed("a block claims to hold more than it can"));
    }
    out.resize(start + claimed, 0);
    Decoder::new()
        .decompress(bytes, &mut out[start..])
        .map_err(|error| malformed(&error.to_string()))?;
    Ok(())
}

fn cut() -> CompressionError {
    malformed("it ends in the middle of a block")
}

fn malformed(cause: &str) -> CompressionError {
    CompressionError::Malformed {
        compression: Compression::Snappy,
        cause: cause.to_owned(),
    }
}
