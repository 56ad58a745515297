//! Texts of others as they may be shown: what moves a terminal's cursor, colors it, or cannot be seen, is written out
//! as JSON writes it, `\u001b`.

use std::fmt::Write as _;

/// A name: any two that differ are shown differently, blanks at the ends and runs of them included.
pub fn name(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let behind = &text[at + c.len_utf8()..];
        let is_lost = c == ' ' && (before == ' ' || behind.is_empty());
        if is_lost || is_unseen(c) || c == '\\' && looks_written_out(behind) {
            write_out(c, &mut shown);
        } else {
            shown.push(c);
        }
        before = c;
    }
    shown
}

/// A text of at most one line.
pub fn line(text: &str) -> String {
    without(is_unseen, text)
}

/// A text of several lines.
pub fn text(text: &str) -> String {
    without(|c| c != '\n' && is_unseen(c), text)
}

/// What a record holds: lines and tabs are its own, and letters are joined as its language has it.
pub fn content(bytes: &[u8]) -> String {
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text = String::from_utf8_lossy(bytes);
    without(
        |c| c != '\n' && c != '\t' && (c.is_control() || turns(c)),
        &text,
    )
}

/// Whether a character leaves no picture of its own on a terminal; whatever else it may do there.
pub fn is_unseen(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    // as Rust writes texts to be read by programmers; behind a letter, where an accent is at its place
    String::from_iter(['a', c]).escape_debug().count() > 2
}

fn without(is_meant: impl Fn(char) -> bool, text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_meant(c) {
            write_out(c, &mut shown);
        } else {
            shown.push(c);
        }
    }
    shown
}

fn write_out(c: char, to: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(to, "\\u{unit:04x}");
    }
}

/// Whether what stands behind a backslash is as written out here.
fn looks_written_out(text: &str) -> bool {
    let digits = text.strip_prefix('u').and_then(|digits| digits.get(..4));
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        let hostile = "a\u{1b}]52;c;cHduZWQ=\u{7}\r\n\tb\u{9b}2J\u{202e}\u{7f}";
        let harmless = r"a\u001b]52;c;cHduZWQ=\u0007\u000d\u000a\u0009b\u009b2J\u202e\u007f";
        assert_eq!(name(hostile), harmless);
        assert_eq!(line(hostile), harmless);
        assert_eq!(text("a\nb\u{1b}"), "a\nb\\u001b");
        assert_eq!(
            content(b"a\n\tb\r\x1b[2J\xff"),
            "a\n\tb\\u000d\\u001b[2J\u{fffd}"
        );
    }

    #[test]
    fn letters_of_all_languages_stay() {
        for text in [
            "zürich→",
            "München",
            "東京",
            "हिन्दी",
            "\u{1f600}",
            r"DOMAIN\user",
            r"orders\..*",
        ] {
            assert_eq!((name(text), line(text)), (text.to_owned(), text.to_owned()));
        }
        // joined by a character that cannot be seen: right in a text, and another name
        assert_eq!(content("می\u{200c}خواهم".as_bytes()), "می\u{200c}خواهم");
        assert_eq!(name("a\u{200c}b"), r"a\u200cb");
    }

    #[test]
    fn names_that_differ_look_different() {
        let alike = [
            "a",
            "a ",
            " a",
            "a\u{a0}",
            "a\t",
            r"a\u0009",
            r"a\u005cu0009",
            "a\u{200b}",
            "a\u{1b}[0m",
            "a\n",
        ];
        let mut shown: Vec<String> = alike.iter().map(|text| name(text)).collect();
        shown.sort();
        shown.dedup();
        assert_eq!(shown.len(), alike.len(), "{shown:?}");
        assert_ne!(name("a  b"), name("a b"));
        assert_eq!(name("a b c"), "a b c");
    }

    proptest! {
        #[test]
        fn nothing_unseen_is_left(text in any::<String>()) {
            prop_assert!(!name(&text).chars().any(is_unseen));
            prop_assert!(!line(&text).chars().any(is_unseen));
        }

        #[test]
        fn no_two_names_look_the_same(one in "(\\\\|u|0009|005c| |\t){0,5}", other in "(\\\\|u|0009|005c| |\t){0,5}") {
            prop_assert_eq!(one == other, name(&one) == name(&other));
        }
    }
}
