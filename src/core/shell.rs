//! Quotes words for a shell.

use kmk_kafka::printable;
use std::fmt::Write as _;

/// A word as a shell takes it: in quotes where it means something to it, or cannot be seen.
pub fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    // zsh looks for a program behind a `=`
    if !text.is_empty() && !text.starts_with('=') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    if text.chars().any(printable::is_unseen) {
        let mut coded = "$'".to_owned();
        text.chars().for_each(|c| code(c, &mut coded));
        return coded + "'";
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A flag with its value, a blank before it: ` --group billing`. What begins with `-` would be taken for another flag.
pub fn flag(name: &str, value: &str) -> String {
    let between = if value.starts_with('-') { '=' } else { ' ' };
    format!(" {name}{between}{}", word(value))
}

/// Adds a character between `$'` and `'`, as bash, zsh and ksh read it.
fn code(c: char, to: &mut String) {
    match c {
        '\'' | '\\' => to.extend(['\\', c]),
        '\t' => to.push_str(r"\t"),
        '\n' => to.push_str(r"\n"),
        '\r' => to.push_str(r"\r"),
        c if printable::is_unseen(c) => {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                // three digits: what follows is none of it
                let _ = write!(to, "\\{byte:03o}");
            }
        }
        c => to.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_quotes_gets_them() {
        for (text, typed) in [
            ("billing", "billing"),
            ("a.b:9092,c_d-e=f", "a.b:9092,c_d-e=f"),
            ("", "''"),
            ("=ls", "'=ls'"),
            ("~", "'~'"),
            ("primary->secondary", "'primary->secondary'"),
            ("a b;$(rm x)`y`\"z\"!*", "'a b;$(rm x)`y`\"z\"!*'"),
            ("it's", r"'it'\''s'"),
            ("a\tb", r"$'a\tb'"),
            ("\u{1b}]52;'\\\u{7}1\u{9b}", r"$'\033]52;\'\\\0071\302\233'"),
        ] {
            assert_eq!(word(text), typed);
        }
        assert_eq!(flag("--group", "a b"), " --group 'a b'");
        assert_eq!(flag("--group", "-x"), " --group=-x");
    }
}
