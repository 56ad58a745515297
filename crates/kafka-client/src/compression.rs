//! The ways Kafka compresses a batch of records, in pure Rust.

mod snappy;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::CompressionLevel;
use std::fmt;
use std::io::{self, Read, Write as _};
use std::str::FromStr;

/// The most that one batch may hold decompressed, in bytes: a broker takes requests of up to 100 MiB
/// (`socket.request.max.bytes`), and batches that could not be sent uncompressed are hardly meant.
pub(crate) const LIMIT: usize = 128 * 1024 * 1024;

/// How a batch of records is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy's blocks in the frame of Java's library.
    Snappy,
    /// LZ4's frame format.
    Lz4,
    /// RFC 8878.
    Zstd,
}

/// Why bytes could not be decompressed, or compressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompressionError {
    /// They hold more than is good for anyone's memory.
    #[error("more than {limit} bytes once decompressed")]
    TooLarge {
        /// The most they may hold.
        limit: usize,
    },
    /// They are not what they are said to be.
    #[error("no valid {compression}: {cause}")]
    Malformed {
        /// What they are said to be.
        compression: Compression,
        /// What is wrong, by the library that read them.
        cause: String,
    },
}

/// A name that stands for no way to compress.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of `none`, `gzip`, `snappy`, `lz4` and `zstd`")]
pub struct UnknownCompression(pub String);

impl Compression {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// Its number in the attributes of a batch (`org.apache.kafka.common.record.CompressionType`).
    pub fn id(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// The one with this number.
    pub fn of(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.id() == id)
    }

    /// Its name, as Kafka spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// Appends `bytes`, compressed, to `to`.
    pub(crate) fn compress(self, bytes: &[u8], to: &mut Vec<u8>) -> Result<(), CompressionError> {
        match self {
            Self::None => to.extend_from_slice(bytes),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(to, flate2::Compression::default());
                encoder
                    .write_all(bytes)
                    .and_then(|()| encoder.try_finish())
                    .map_err(|error| self.malformed(&error))?;
            }
            Self::Snappy => snappy::compress(bytes, to).map_err(|error| self.malformed(&error))?,
            Self::Lz4 => {
                // Kafka's own reader knows no blocks that depend on each other; 64 KiB is what its writer makes
                let info = FrameInfo::new()
                    .block_mode(BlockMode::Independent)
                    .block_size(BlockSize::Max64KB);
                let mut encoder = FrameEncoder::with_frame_info(info, to);
                encoder
                    .write_all(bytes)
                    .map_err(|error| self.malformed(&error))?;
                encoder
                    .try_finish()
                    .map_err(|error| self.malformed(&error))?;
            }
            Self::Zstd => ruzstd::encoding::compress(bytes, to, CompressionLevel::Fastest),
        }
        Ok(())
    }

    /// What `bytes` hold: at most `limit` bytes. Memory grows with what comes out, not with what the bytes claim.
    pub(crate) fn decompress(self, bytes: &Bytes, limit: usize) -> Result<Bytes, CompressionError> {
        let mut out = Vec::new();
        match self {
            Self::None if bytes.len() > limit => return Err(CompressionError::TooLarge { limit }),
            Self::None => return Ok(bytes.clone()),
            Self::Snappy => snappy::decompress(bytes, limit, &mut out)?,
            Self::Gzip => self.read(MultiGzDecoder::new(&bytes[..]), limit, &mut out)?,
            Self::Lz4 => {
                // one frame, as Kafka's own reader has it: each may take 12 MiB for its blocks, however few it has
                let mut decoder = FrameDecoder::new(&bytes[..]);
                self.read(&mut decoder, limit, &mut out)?;
                if !decoder.into_inner().is_empty() {
                    return Err(self.malformed(&"something stands behind its end"));
                }
            }
            Self::Zstd => self.frames(bytes, limit, &mut out, |from, out| {
                // a window as large as the limit is no danger: its memory, too, grows with what comes out
                let mut decoder = StreamingDecoder::new_with_max_window_size(from, limit as u64)
                    .map_err(|error| self.malformed(&error))?;
                self.read(&mut decoder, limit, out)?;
                Ok(decoder.into_inner())
            })?,
        }
        Ok(out.into())
    }

    /// Reads frame after frame with `one`, which gives back what it left.
    fn frames<'a>(
        self,
        bytes: &'a [u8],
        limit: usize,
        out: &mut Vec<u8>,
        mut one: impl FnMut(&'a [u8], &mut Vec<u8>) -> Result<&'a [u8], CompressionError>,
    ) -> Result<(), CompressionError> {
        let mut rest = bytes;
        loop {
            let left = one(rest, out)?;
            if left.is_empty() {
                return Ok(());
            }
            if left.len() == rest.len() || out.len() > limit {
                return Err(self.malformed(&"it does not end"));
            }
            rest = left;
        }
    }

    /// Reads all of `from` behind what `out` holds already.
    fn read(
        self,
        from: impl Read,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CompressionError> {
        let room = (limit - out.len().min(limit)) as u64;
        from.take(room + 1)
            .read_to_end(out)
            .map_err(|error: io::Error| self.malformed(&error))?;
        if out.len() > limit {
            return Err(CompressionError::TooLarge { limit });
        }
        Ok(())
    }

    fn malformed(self, cause: &dyn fmt::Display) -> CompressionError {
        CompressionError::Malformed {
            compression: self,
            cause: cause.to_string(),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|one| one.name() == name)
            .ok_or_else(|| UnknownCompression(name.to_owned()))
    }
}

#[cfg(test)]
mod tests;
