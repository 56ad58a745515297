//! Finds characters that Java reads differently from what they look like.

use super::{Finding, Problem};
use crate::core::mirrormaker::properties::{Encoding, Entry, as_java};

const MARK: char = '\u{feff}';
const NO_BREAK: char = '\u{a0}';

/// The text without the byte-order mark at its beginning, and what that does.
pub(super) fn without_mark(text: &str) -> (&str, Option<Finding>) {
    let Some(rest) = text.strip_prefix(MARK) else {
        return (text, None);
    };
    let line = rest.lines().next().unwrap_or_default();
    let key = line.split(['=', ':', ' ', '\t']).next().unwrap_or_default();
    let finding = Finding {
        line: 1,
        key: key.to_owned(),
        problem: Problem::ByteOrderMark,
    };
    (rest, Some(finding))
}

/// The first character of an entry that Java takes for another one, or for no blank.
pub(super) fn odd(entry: &Entry, encoding: Encoding) -> Option<Problem> {
    if entry.raw.contains(NO_BREAK) {
        return Some(Problem::NoBreakSpace);
    }
    let written = entry.raw.chars().find(|c| !c.is_ascii());
    let written = written.filter(|_| encoding == Encoding::Utf8)?;
    let read = as_java(written.encode_utf8(&mut [0; 4]).as_bytes());
    Some(Problem::Encoding { written, read })
}
