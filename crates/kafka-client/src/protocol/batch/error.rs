//! What can be wrong with a record batch.

use crate::compression::CompressionError;

/// Why a batch can be neither read nor written. A batch is named by the offset of its first record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BatchError {
    /// Another message format: 0 and 1 are those of Kafka before 0.11.
    #[error("the batch at offset {base_offset} has message format {magic}, not 2")]
    Magic {
        /// The batch.
        base_offset: i64,
        /// Its message format.
        magic: i8,
    },
    /// A number in its header that cannot be right.
    #[error("the batch at offset {base_offset} has {value} as its {field}")]
    Header {
        /// The batch.
        base_offset: i64,
        /// What the number stands for.
        field: &'static str,
        /// The number.
        value: i64,
    },
    /// Not what was sent.
    #[error(
        "the batch at offset {base_offset} is damaged: its checksum is {found:#010x}, not {expected:#010x}"
    )]
    Checksum {
        /// The batch.
        base_offset: i64,
        /// The CRC-32C it came with.
        expected: u32,
        /// The CRC-32C of what came.
        found: u32,
    },
    /// What it holds cannot be decompressed.
    #[error("the records of the batch at offset {base_offset}: {cause}")]
    Compression {
        /// The batch.
        base_offset: i64,
        /// The reason.
        cause: CompressionError,
    },
    /// A record that makes no sense.
    #[error("record {index} of the batch at offset {base_offset}: {fault}")]
    Record {
        /// The batch.
        base_offset: i64,
        /// Which of its records, from 0.
        index: i32,
        /// What is wrong with it.
        fault: Fault,
    },
    /// More than its records.
    #[error("{bytes} bytes behind the last record of the batch at offset {base_offset}")]
    Trailing {
        /// The batch.
        base_offset: i64,
        /// How many bytes.
        bytes: usize,
    },
    /// More than the length of a batch can say.
    #[error("{bytes} bytes do not fit into one batch")]
    TooLarge {
        /// How many bytes it would take.
        bytes: usize,
    },
    /// It could not be compressed.
    #[error("{0}")]
    Compressing(CompressionError),
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// It ends too early.
    #[error("it ends too early")]
    Cut,
    /// A number of more bits than it may have.
    #[error("a number in it is too large")]
    Number,
    /// A length that cannot be.
    #[error("a length of {0}")]
    Length(i32),
    /// An offset outside its batch.
    #[error("it lies {0} behind the first of its batch")]
    Offset(i32),
    /// More headers than there is room for.
    #[error("{0} headers")]
    Headers(i32),
    /// It is longer than what it holds.
    #[error("{0} bytes too many")]
    Rest(usize),
}
