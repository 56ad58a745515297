//! How the body of a response is built, as data: enough to walk over it.

use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::StrBytes;
use std::mem::size_of;

/// One field of a response.
pub(super) enum Field {
    /// This many bytes, whatever they say.
    Fixed(usize),
    /// Not there before this version of the response.
    Since(i16, &'static Field),
    /// Text behind its length.
    Text { null: bool },
    /// Bytes behind their length; records too, which are not looked into.
    Bytes { null: bool },
    /// Elements behind their count.
    Array {
        null: bool,
        of: &'static Field,
        /// What one element takes once it is decoded, in bytes, without what its own arrays hold.
        held: usize,
    },
    /// Fields that end, in a flexible version, with tagged ones.
    Struct(&'static Shape),
}

/// The fields of a struct, and the tagged ones that kafka-protocol decodes.
pub(super) struct Shape {
    pub(super) fields: &'static [Field],
    pub(super) tags: &'static [(u32, Field)],
}

/// The response to one request.
pub(super) struct Schema {
    pub(super) api: ApiKey,
    /// The versions described.
    pub(super) versions: &'static [i16],
    /// The first of all versions that is flexible (KIP-482).
    pub(super) flexible_since: i16,
    pub(super) shape: &'static Shape,
}

impl Schema {
    pub(super) fn is_flexible(&self, version: i16) -> bool {
        version >= self.flexible_since
    }
}

pub(super) const BOOL: Field = Field::Fixed(1);
pub(super) const INT8: Field = Field::Fixed(1);
pub(super) const INT16: Field = Field::Fixed(2);
pub(super) const INT32: Field = Field::Fixed(4);
pub(super) const INT64: Field = Field::Fixed(8);
pub(super) const UUID: Field = Field::Fixed(16);
pub(super) const TEXT: Field = Field::Text { null: false };
pub(super) const TEXT_OR_NULL: Field = Field::Text { null: true };
pub(super) const BYTES: Field = Field::Bytes { null: false };
pub(super) const BYTES_OR_NULL: Field = Field::Bytes { null: true };
pub(super) const INTS: Field = array::<i32>(&INT32);
pub(super) const TEXTS: Field = array::<StrBytes>(&TEXT);

/// An array of what kafka-protocol decodes to `T`.
pub(super) const fn array<T>(of: &'static Field) -> Field {
    Field::Array {
        null: false,
        of,
        held: size_of::<T>(),
    }
}

/// The same, or a null.
pub(super) const fn array_or_null<T>(of: &'static Field) -> Field {
    Field::Array {
        null: true,
        of,
        held: size_of::<T>(),
    }
}

/// A struct without tagged fields that anybody knows.
pub(super) const fn plain(fields: &'static [Field]) -> Shape {
    Shape { fields, tags: &[] }
}

/// What stands in front of every body.
pub(super) const HEADER: Shape = plain(&[INT32]);
