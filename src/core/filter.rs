//! Filters of topics and groups: Java regular expressions, checked and matched as far as they can be without Java. Knows nothing
//! of what they are for.

mod matching;

pub use matching::matches;

use regex_syntax::ast::{self, ErrorKind};

/// Looks for what Java's `Pattern` refuses too. What only Java knows (possessive groups, `\Q…\E`, its own classes) passes.
///
/// # Errors
/// What is wrong, and what to write instead where that is known.
pub fn check(filter: &str) -> Result<(), String> {
    if filter.trim().is_empty() {
        return Err("is empty; leave it out, or write `.*` for all topics".to_owned());
    }
    if filter.trim() != filter || filter.contains([',', '\n', '\r']) {
        return Err(
            "has a comma, a line break or a space at its end, where MirrorMaker splits its lists"
                .to_owned(),
        );
    }
    let Err(error) = ast::parse::Parser::new().parse(filter) else {
        return Ok(());
    };
    let hint = match error.kind() {
        ErrorKind::RepetitionMissing => "; a filter is a regular expression: `.*` matches anything",
        ErrorKind::RepetitionCountUnclosed => {
            "; a comma ends a filter, so `{1,2}` cannot be written: say `aa?` instead"
        }
        ErrorKind::ClassUnclosed
        | ErrorKind::ClassRangeInvalid
        | ErrorKind::GroupUnclosed
        | ErrorKind::GroupUnopened
        | ErrorKind::GroupNameEmpty
        | ErrorKind::GroupNameInvalid
        | ErrorKind::GroupNameUnexpectedEof
        | ErrorKind::GroupNameDuplicate { .. }
        | ErrorKind::RepetitionCountInvalid
        | ErrorKind::RepetitionCountDecimalEmpty
        | ErrorKind::EscapeUnexpectedEof
        | ErrorKind::EscapeHexInvalidDigit
        | ErrorKind::EscapeHexEmpty
        | ErrorKind::EscapeHexInvalid => "",
        _ => return Ok(()),
    };
    Err(format!(
        "{} at character {}{hint}",
        error.kind(),
        error.span().start.column
    ))
}

/// The same of a filter of topics, whose names have no quotes.
///
/// # Errors
/// As [`check`].
pub fn check_topics(filter: &str) -> Result<(), String> {
    check(filter)?;
    match filter.chars().find(|c| "\"'`".contains(*c)) {
        // between brackets it is one of several
        Some(quote) if !filter.contains('[') => Err(format!(
            "has a {quote} in it, and no topic's name has one: it can match nothing"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_java_takes_passes() {
        for good in [
            ".*",
            "orders",
            r"orders\.v[0-9]+",
            "(?i)a|b",
            "a*+",
            "(?!x).*",
            "(?<=a)b",
            r"\Qa.b\E",
            r"\p{javaLowerCase}+",
            "[a-z&&[^b]]",
            r"(a)\1",
            "(?<name>x)",
            "a{2}",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_java_refuses_is_named() {
        for (bad, part) in [
            ("*", "`.*` matches anything"),
            ("orders*(", "unclosed group at character 8"),
            ("a)", "unopened group"),
            ("[a", "unclosed character class"),
            ("a{1", "a comma ends a filter"),
            ("[z-a]", "character 2"),
            (r"a\", "escape"),
            ("", "empty"),
            ("a, b", "splits its lists"),
        ] {
            let reason = check(bad).unwrap_err();
            assert!(reason.contains(part), "{bad}: {reason}");
        }
    }

    #[test]
    fn quotes_are_in_no_topic_s_name() {
        for quoted in ["\"orders\"", "'orders'", "a|`b`"] {
            assert!(check(quoted).is_ok());
            let reason = check_topics(quoted).unwrap_err();
            assert!(reason.contains("can match nothing"), "{reason}");
        }
        assert!(check_topics("[^\"]+").is_ok() && check_topics("orders").is_ok());
        assert!(check_topics("(").is_err());
    }
}
