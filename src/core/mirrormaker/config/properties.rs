//! An ordered properties file, as Java reads it. Knows nothing of MirrorMaker.

use std::collections::BTreeMap;
use std::fmt::Write as _;

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

    /// What `java.util.Properties.load` makes of one line.
    fn unescape(text: &str) -> String {
        let mut units: Vec<u16> = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let unit = match c {
                '\\' => match chars.next().unwrap() {
                    'n' => u16::from(b'\n'),
                    'r' => u16::from(b'\r'),
                    't' => u16::from(b'\t'),
                    'u' => {
                        let hex: String = chars.by_ref().take(4).collect();
                        u16::from_str_radix(&hex, 16).unwrap()
                    }
                    other => u16::try_from(u32::from(other)).unwrap(),
                },
                plain => u16::try_from(u32::from(plain)).unwrap(),
            };
            units.push(unit);
        }
        String::from_utf16(&units).unwrap()
    }

    proptest! {
        #[test]
        fn java_reads_back_what_was_written(text in any::<String>(), key in any::<bool>()) {
            let escaped = escape(&text, key);
            prop_assert!(escaped.is_ascii() && !escaped.contains('\n') && !escaped.starts_with(' '));
            prop_assert_eq!(unescape(&escaped), text);
        }
    }
}
