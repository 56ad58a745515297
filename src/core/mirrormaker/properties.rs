//! Java's properties files: read as `java.util.Properties.load` reads them, with the line of each key, and written so that it
//! reads back what was meant.
//!
//! Our own, as the crates that read such files keep no lines of what they read, or fail on the first fault.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line it begins on, from 1.
    pub line: usize,
    /// The key, without escapes.
    pub key: String,
    /// The value, without escapes.
    pub value: String,
    /// Key and value as they stand in the file, without what joins lines.
    pub raw: String,
    /// The first line that looks like a comment, and is a part of the value, as the one before it ends with a backslash.
    pub swallowed: Option<usize>,
    /// Whether every `\u` is followed by four hexadecimal digits. Java reads no file where one is not.
    pub spelling: Spelling,
}

/// How the bytes of a file stand for characters. Java takes every file as ISO-8859-1 (`Utils.loadProps`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// So that Java reads other characters than ASCII as two or more.
    Utf8,
    /// As Java has it.
    Latin1,
}

/// The text that a person wrote.
pub fn decode(bytes: Vec<u8>) -> (String, Encoding) {
    match String::from_utf8(bytes) {
        Ok(text) => (text, Encoding::Utf8),
        Err(error) => (as_java(&error.into_bytes()), Encoding::Latin1),
    }
}

/// What Java makes of bytes.
pub fn as_java(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Whether Java can read an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// It can.
    Fine,
    /// A `\u` without its four digits.
    Malformed,
}

/// Every entry, in order; those that are set twice too.
pub fn read(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut lines = natural_lines(text).into_iter().zip(1..);
    while let Some((first, line)) = lines.next() {
        let first = first.trim_start_matches(BLANKS);
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        // with nothing before it, the next line is one of its own
        if first == "\\" {
            continue;
        }
        let mut whole = String::new();
        let mut part = first;
        let mut swallowed = None;
        while let Some(goes_on) = without_continuation(part) {
            whole.push_str(goes_on);
            let (next, at) = lines.next().unwrap_or_default();
            part = next.trim_start_matches(BLANKS);
            let is_quoted = !whole.matches('"').count().is_multiple_of(2);
            if part.starts_with('#') && !is_quoted {
                swallowed = swallowed.or(Some(at));
            }
        }
        whole.push_str(part);
        if !whole.is_empty() {
            entries.push(entry(line, whole, swallowed));
        }
    }
    entries
}

const BLANKS: [char; 3] = [' ', '\t', '\u{c}'];

/// Lines end with `\n`, `\r` or both.
fn natural_lines(text: &str) -> Vec<&str> {
    let lines = text.split('\n');
    lines
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .collect()
}

/// The line without the backslash that joins the next one to it, if there is one: two of them are one that is meant.
fn without_continuation(line: &str) -> Option<&str> {
    let backslashes = line.len() - line.trim_end_matches('\\').len();
    (backslashes % 2 == 1).then(|| &line[..line.len() - 1])
}

fn entry(line: usize, raw: String, swallowed: Option<usize>) -> Entry {
    let (key, rest) = raw.split_at(end_of_key(&raw));
    let rest = rest.trim_start_matches(BLANKS);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    let (key, value) = (unescape(key), unescape(value.trim_start_matches(BLANKS)));
    let spelling = match (&key, &value) {
        (Ok(_), Ok(_)) => Spelling::Fine,
        _ => Spelling::Malformed,
    };
    let text = |result: Result<String, String>| result.unwrap_or_else(|raw| raw);
    Entry {
        line,
        key: text(key),
        value: text(value),
        raw,
        swallowed,
        spelling,
    }
}

/// A key ends before the first `=`, `:` or blank that has no backslash before it.
fn end_of_key(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '=' | ':' | ' ' | '\t' | '\u{c}' => return at,
            _ => {}
        }
    }
    text.len()
}

/// The text that is meant, or, where a `\u` makes no sense, the text as it stands.
fn unescape(text: &str) -> Result<String, String> {
    // as Java has it, in UTF-16: a character may be written as two escapes
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let meant = match c {
            '\\' => match chars.next() {
                Some('u') => {
                    let digits = chars.as_str().get(..4);
                    let digits = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                    let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
                    units.push(unit.ok_or_else(|| text.to_owned())?);
                    chars = chars.as_str()[4..].chars();
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some(other) => other,
                None => continue,
            },
            plain => plain,
        };
        units.extend_from_slice(meant.encode_utf16(&mut [0; 2]));
    }
    Ok(String::from_utf16_lossy(&units))
}

/// An ordered properties file.
#[derive(Default)]
pub(super) struct Properties {
    pub(super) text: String,
    /// What takes the place of settings that come, by their keys.
    pub(super) asked_for: BTreeMap<String, String>,
}

impl Properties {
    pub(super) fn section(&mut self, title: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.text, "{gap}# {title}");
    }

    pub(super) fn set(&mut self, why: &str, key: &str, value: impl AsRef<str>) {
        if !why.is_empty() {
            let _ = writeln!(self.text, "# {why}");
        }
        match self.asked_for.remove(key) {
            Some(asked_for) => {
                let _ = writeln!(self.text, "# As configured, instead of {}.", value.as_ref());
                self.line(key, &asked_for);
            }
            None => self.line(key, value.as_ref()),
        }
    }

    pub(super) fn line(&mut self, key: &str, value: &str) {
        let _ = writeln!(
            self.text,
            "{} = {}",
            escape(key, true),
            escape(value, false)
        );
    }
}

/// As `java.util.Properties` reads it back.
fn escape(text: &str, key: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (index, c) in text.chars().enumerate() {
        match c {
            '\\' => escaped.push_str(r"\\"),
            '\n' => escaped.push_str(r"\n"),
            '\r' => escaped.push_str(r"\r"),
            '\t' => escaped.push_str(r"\t"),
            ' ' if key || index == 0 => escaped.push_str(r"\ "),
            ':' | '=' if key => {
                escaped.push('\\');
                escaped.push(c);
            }
            '#' | '!' if key && index == 0 => {
                escaped.push('\\');
                escaped.push(c);
            }
            ' '..='~' => escaped.push(c),
            _ => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(text: &str) -> Vec<(usize, String, String)> {
        let entries = read(text).into_iter();
        entries.map(|e| (e.line, e.key, e.value)).collect()
    }

    #[track_caller]
    fn reads(text: &str, expected: &[(usize, &str, &str)]) {
        let found = pairs(text);
        let found: Vec<(usize, &str, &str)> = found
            .iter()
            .map(|(line, key, value)| (*line, key.as_str(), value.as_str()))
            .collect();
        assert_eq!(found, expected, "{text:?}");
    }

    // each was read by OpenJDK 17 too
    #[test]
    fn what_java_reads() {
        reads(
            "a=1\n\n# b=2\n! c\n  d : 4 ",
            &[(1, "a", "1"), (5, "d", "4 ")],
        );
        reads(
            "a 1\r\nb\t=\t2\rc",
            &[(1, "a", "1"), (2, "b", "2"), (3, "c", "")],
        );
        reads("a = 1, \\\n    2\nb=3", &[(1, "a", "1, 2"), (3, "b", "3")]);
        reads("a = 1\\\\\nb=3", &[(1, "a", "1\\"), (2, "b", "3")]);
        reads("a = 1\\\n# 2\n", &[(1, "a", "1# 2")]);
        reads("a = 1\\\n\nb=2", &[(1, "a", "1"), (3, "b", "2")]);
        reads("# a\\\nb=2", &[(2, "b", "2")]);
        reads("\\\n\nb=2\\", &[(3, "b", "2")]);
        reads("\\\n# a = 1\nb=2", &[(3, "b", "2")]);
        reads(
            r"a\ b\=c\:d = \u00e4\ud83d\ude00\t",
            &[(1, "a b=c:d", "ä😀\t")],
        );
        reads("a==1", &[(1, "a", "=1")]);
        reads("a = : 1", &[(1, "a", ": 1")]);
        reads("a->b.enabled = true", &[(1, "a->b.enabled", "true")]);
        reads("a -> b.enabled = true", &[(1, "a", "-> b.enabled = true")]);
        reads("= 1", &[(1, "", "1")]);
        reads("", &[]);
    }

    #[test]
    fn comments_that_a_backslash_makes_part_of_a_value() {
        for (text, line) in [
            ("a = 1, \\\n# 2\n", Some(2)),
            ("a = 1,\\\n  2,\\\n  #3,\\\n#4", Some(3)),
            ("a = 1\n# 2", None),
            ("a = x \"1\\\n#2\"", None),
        ] {
            assert_eq!(read(text)[0].swallowed, line, "{text:?}");
        }
    }

    #[test]
    fn bytes_as_they_were_meant() {
        let latin = vec![b'a', 0xe4];
        assert_eq!(decode(latin), ("aä".to_owned(), Encoding::Latin1));
        assert_eq!(decode("aä".into()), ("aä".to_owned(), Encoding::Utf8));
        assert_eq!(as_java("ä".as_bytes()), "Ã¤");
    }

    #[test]
    fn what_java_refuses() {
        for text in [
            r"a = \u12",
            r"a = \u12g4",
            r"a\u = 1",
            r"a = \uäöü1",
            r"a = \u+123",
        ] {
            assert_eq!(read(text)[0].spelling, Spelling::Malformed, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(key in any::<String>(), value in any::<String>()) {
            let mut file = Properties::default();
            file.line(&key, &value);
            let line = file.text.strip_suffix('\n').unwrap();
            prop_assert!(line.is_ascii() && !line.contains('\n'));
            prop_assert_eq!(pairs(&file.text), [(1, key, value)]);
        }

        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            let last = natural_lines(&text).len();
            let entries = read(&text);
            prop_assert!(entries.is_sorted_by(|a, b| a.line < b.line));
            prop_assert!(entries.iter().all(|entry| (1..=last).contains(&entry.line)));
        }

        #[test]
        fn lines_are_counted_whatever_stands_between(
            gaps in prop::collection::vec("(\n|\r|\r\n|#[a-z=\\\\]{0,5}\n| \t\n){0,4}", 1..6)
        ) {
            let lines: Vec<String> = (0..).zip(&gaps).map(|(n, gap)| format!("{gap}k{n} = \\\n v{n}\n")).collect();
            let text = lines.concat();
            let found = pairs(&text);
            prop_assert_eq!(found.len(), gaps.len());
            for (n, (line, key, value)) in found.iter().enumerate() {
                prop_assert_eq!(key, &format!("k{n}"));
                prop_assert_eq!(value, &format!("v{n}"));
                prop_assert!(natural_lines(&text)[line - 1].starts_with(key.as_str()));
            }
        }
    }
}
