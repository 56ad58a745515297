//! What a response claims to hold, checked before any of it is decoded.
//!
//! kafka-protocol reserves memory for an array by the count on the wire, before it reads the first element. So a body
//! is walked once over its schema first: every count and length must fit the bytes that are there.

mod admin;
mod cluster;
mod data;
mod groups;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod samples;
mod schema;
#[cfg(test)]
mod tests;

use kafka_protocol::messages::ApiKey;
use schema::{Field, Schema, Shape};

/// What is decoded takes at most this many bytes for each byte of the body, and [`SPARE`] more. The greediest element, a group of
/// `ListGroups`, has 38 in memory for one on the wire, if all its names are empty; more than that is had with unknown tagged fields only.
const GROWTH: usize = 64;

/// So that a small body may carry a few unknown tagged fields.
const SPARE: usize = 4096;

/// What a map takes for the first unknown tagged field of a struct: a node of `BTreeMap<i32, Bytes>`, 11 places at 36 bytes, and 12
/// links in an inner one (504 bytes).
const FIRST_TAG: usize = 512;

/// And for each further one: nodes are at least 5 of 11 full.
const NEXT_TAG: usize = 128;

/// A body is not what its schema says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BoundsError {
    /// It has no schema: not one of [`crate::protocol::api::APIS`].
    #[error("no schema for {api:?} version {version}")]
    NoSchema {
        /// The request.
        api: ApiKey,
        /// Its version.
        version: i16,
    },
    /// More is claimed than there are bytes left.
    #[error("{claimed} claimed at byte {at}, and room for {room}")]
    TooMuch {
        /// Where, counted from the start of the body.
        at: usize,
        /// Elements of an array, or bytes.
        claimed: u64,
        /// How many of them at most fit what is left of the body.
        room: usize,
    },
    /// Nothing stands where something must.
    #[error("a null at byte {at} where none may be")]
    Null {
        /// Where, counted from the start of the body.
        at: usize,
    },
    /// A length below -1, a varint that does not end, tags out of order, or a tagged field of another size than it says.
    #[error("no Kafka encoding at byte {at}")]
    Malformed {
        /// Where, counted from the start of the body.
        at: usize,
    },
    /// Bytes are left over.
    #[error("{left} bytes left over at byte {at}")]
    LeftOver {
        /// Where, counted from the start of the body.
        at: usize,
        /// How many.
        left: usize,
    },
    /// Decoded it would be out of all proportion to its bytes.
    #[error("it would take {bytes} bytes of memory")]
    Bloated {
        /// How many bytes, at least.
        bytes: usize,
    },
}

/// Whether `body` (a response without its header) can be decoded as `version` of `api`: every count and length fits the bytes that are
/// there. What is decoded then takes at most 64 times the size of the body and 4 KiB, beside the body itself; nothing is reserved here.
///
/// Bytes left over are refused: a version of a message has one schema, and whatever is added to it later comes as tagged fields.
///
/// # Errors
/// The first thing that does not fit, and where.
pub(crate) fn check(api: ApiKey, version: i16, body: &[u8]) -> Result<(), BoundsError> {
    let schema = schema_for(api, version).ok_or(BoundsError::NoSchema { api, version })?;
    let mut walk = Walk::new(body, version, schema.is_flexible(version));
    walk.shape(schema.shape)?;
    walk.done()
}

/// The size of the header in front of the body, in bytes: the correlation id, and what tagged fields there are.
///
/// # Errors
/// The frame is too short for it, or the tagged fields are none.
pub(crate) fn header(api: ApiKey, version: i16, frame: &[u8]) -> Result<usize, BoundsError> {
    let flexible = api.response_header_version(version) > 0;
    let mut walk = Walk::new(frame, version, flexible);
    walk.shape(&schema::HEADER)?;
    walk.afford(0)?;
    Ok(walk.at)
}

/// The schema of a response, if the client speaks it.
fn schema_for(api: ApiKey, version: i16) -> Option<&'static Schema> {
    let all = [
        cluster::SCHEMAS,
        data::SCHEMAS,
        groups::SCHEMAS,
        admin::SCHEMAS,
    ];
    let mut schemas = all.into_iter().flatten();
    schemas.find(|schema| schema.api == api && schema.versions.contains(&version))
}

/// One way over a body.
struct Walk<'b> {
    body: &'b [u8],
    /// Up to where: the end of the body, or of a tagged field in it.
    end: usize,
    at: usize,
    version: i16,
    /// Whether lengths are varints and every struct ends in tagged fields (KIP-482).
    flexible: bool,
    /// Memory that decoding takes for what was met so far, in bytes.
    spent: usize,
}

impl<'b> Walk<'b> {
    fn new(body: &'b [u8], version: i16, flexible: bool) -> Self {
        Self {
            body,
            end: body.len(),
            at: 0,
            version,
            flexible,
            spent: 0,
        }
    }

    fn done(&self) -> Result<(), BoundsError> {
        match self.end - self.at {
            0 => Ok(()),
            left => Err(BoundsError::LeftOver { at: self.at, left }),
        }
    }

    fn shape(&mut self, shape: &Shape) -> Result<(), BoundsError> {
        for field in shape.fields {
            self.field(field)?;
        }
        if self.flexible {
            self.tags(shape)?;
        }
        Ok(())
    }

    fn field(&mut self, field: &Field) -> Result<(), BoundsError> {
        match field {
            Field::Fixed(bytes) => self.skip(*bytes),
            Field::Since(version, field) if self.version >= *version => self.field(field),
            Field::Since(..) => Ok(()),
            Field::Text { null } => {
                let length = self.length(2, *null)?;
                self.skip(length.unwrap_or(0))
            }
            Field::Bytes { null } => {
                let length = self.length(4, *null)?;
                self.skip(length.unwrap_or(0))
            }
            Field::Array { null, of, held } => {
                let at = self.at;
                let count = self.length(4, *null)?.unwrap_or(0);
                let room = (self.end - self.at) / self.least(of).max(1);
                if count > room {
                    let claimed = count as u64;
                    return Err(BoundsError::TooMuch { at, claimed, room });
                }
                self.afford(count.saturating_mul(*held))?;
                (0..count).try_for_each(|_| self.field(of))
            }
            Field::Struct(shape) => self.shape(shape),
        }
    }

    /// Tagged fields: those of the schema are walked, as kafka-protocol decodes them; the others are kept as bytes.
    fn tags(&mut self, shape: &Shape) -> Result<(), BoundsError> {
        let mut last = None;
        let mut unknown = 0;
        for _ in 0..self.varint()? {
            let at = self.at;
            let tag = self.varint()?;
            // in order and each once, or a field would be decoded many times over
            if last.is_some_and(|last| last >= tag) {
                return Err(BoundsError::Malformed { at });
            }
            last = Some(tag);
            let size = self.varint()? as usize;
            let known = shape.tags.iter().find(|(number, _)| *number == tag);
            if let Some((_, field)) = known.filter(|_| size <= self.end - self.at) {
                let outer = std::mem::replace(&mut self.end, self.at + size);
                self.field(field)?;
                if self.at != self.end {
                    return Err(BoundsError::Malformed { at });
                }
                self.end = outer;
            } else {
                self.skip(size)?;
                self.afford(if unknown == 0 { FIRST_TAG } else { NEXT_TAG })?;
                unknown += 1;
            }
        }
        Ok(())
    }

    /// A length or count, of `wide` bytes where it is no varint; nothing for a null.
    fn length(&mut self, wide: usize, null: bool) -> Result<Option<usize>, BoundsError> {
        let at = self.at;
        let length = if self.flexible {
            i64::from(self.varint()?) - 1
        } else {
            let bytes = self.take(wide)?;
            let sign = if bytes[0] < 0x80 { 0 } else { -1 };
            bytes
                .iter()
                .fold(sign, |length, byte| length << 8 | i64::from(*byte))
        };
        match usize::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if length == -1 && null => Ok(None),
            Err(_) if length == -1 => Err(BoundsError::Null { at }),
            Err(_) => Err(BoundsError::Malformed { at }),
        }
    }

    fn varint(&mut self) -> Result<u32, BoundsError> {
        let at = self.at;
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = u32::from(self.take(1)?[0]);
            // the fifth byte has room for four bits
            if shift == 28 && byte > 0xf {
                return Err(BoundsError::Malformed { at });
            }
            value |= (byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Ok(value)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), BoundsError> {
        self.take(bytes).map(drop)
    }

    fn take(&mut self, bytes: usize) -> Result<&'b [u8], BoundsError> {
        let (at, room) = (self.at, self.end - self.at);
        if bytes > room {
            let claimed = bytes as u64;
            return Err(BoundsError::TooMuch { at, claimed, room });
        }
        self.at += bytes;
        Ok(&self.body[at..self.at])
    }

    fn afford(&mut self, bytes: usize) -> Result<(), BoundsError> {
        self.spent = self.spent.saturating_add(bytes);
        let limit = self.body.len().saturating_mul(GROWTH).saturating_add(SPARE);
        if self.spent > limit {
            return Err(BoundsError::Bloated { bytes: self.spent });
        }
        Ok(())
    }

    /// The fewest bytes that a field takes on the wire.
    fn least(&self, field: &Field) -> usize {
        least(field, self.version, self.flexible)
    }
}

fn least(field: &Field, version: i16, flexible: bool) -> usize {
    match field {
        Field::Fixed(bytes) => *bytes,
        Field::Since(since, field) if version >= *since => least(field, version, flexible),
        Field::Since(..) => 0,
        Field::Text { .. } | Field::Bytes { .. } | Field::Array { .. } if flexible => 1,
        Field::Text { .. } => 2,
        Field::Bytes { .. } | Field::Array { .. } => 4,
        Field::Struct(shape) => {
            let fields = shape.fields.iter();
            let least: usize = fields.map(|field| least(field, version, flexible)).sum();
            least + usize::from(flexible)
        }
    }
}
