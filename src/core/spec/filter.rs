//! Topic and group filters: Java regular expressions, checked and matched as far as possible without Java.

mod matching;

pub use matching::matches;

use regex_syntax::ast::{self, Ast, ErrorKind, RepetitionKind, Visitor};

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
            "contains a comma, a line break or a space at one end, where MirrorMaker splits its lists"
                .to_owned(),
        );
    }
    syntax(filter)
}

/// What is wrong with a list of filters as MirrorMaker compiles it: joined by `|` (`MirrorUtils.compilePatternList`).
///
/// # Errors
/// The first filter that cannot be read, or the list where only the whole of it cannot, and why.
pub fn check_list(filters: &[&str]) -> Result<(), (String, String)> {
    let whole = filters.join("|");
    let Err(reason) = syntax(&whole) else {
        return Ok(());
    };
    let mut alone = filters.iter().filter_map(|filter| {
        let reason = syntax(filter).err()?;
        Some(((*filter).to_owned(), reason))
    });
    Err(alone.next().unwrap_or((whole, reason)))
}

fn syntax(filter: &str) -> Result<(), String> {
    let error = match ast::parse::Parser::new().parse(filter) {
        Ok(parsed) => return ast::visit(&parsed, Twice),
        Err(error) => error,
    };
    let hint = match error.kind() {
        ErrorKind::RepetitionMissing if is_fine_in_java(filter, error.span().start.offset) => {
            return Ok(());
        }
        ErrorKind::RepetitionMissing => ANYTHING,
        ErrorKind::RepetitionCountUnclosed => {
            "; a comma ends a filter, so `{1,2}` cannot be used: write `aa?` instead"
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

/// `{2}` with nothing before it, and `(?)`.
fn is_fine_in_java(filter: &str, at: usize) -> bool {
    let is_count = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let rest = &filter[at..];
    rest.strip_prefix('{').is_some_and(is_count)
        || (rest.starts_with('?') && filter[..at].ends_with('('))
}

const ANYTHING: &str = "; a filter is a regular expression: `.*` matches anything";

/// Looks for what is repeated twice, as `.**`: Java knows only `+` behind another sign, and only once.
struct Twice;

impl Visitor for Twice {
    type Output = ();
    type Err = String;

    fn finish(self) -> Result<(), String> {
        Ok(())
    }

    fn visit_pre(&mut self, part: &Ast) -> Result<(), String> {
        let Ast::Repetition(outer) = part else {
            return Ok(());
        };
        let Ast::Repetition(inner) = outer.ast.as_ref() else {
            return Ok(());
        };
        let is_count = |kind: &RepetitionKind| matches!(kind, RepetitionKind::Range(_));
        let is_possessive = matches!(outer.op.kind, RepetitionKind::OneOrMore)
            && outer.greedy
            && inner.greedy
            && (is_count(&inner.op.kind) || !matches!(*inner.ast, Ast::Repetition(_)));
        if is_possessive || is_count(&outer.op.kind) {
            return Ok(());
        }
        let at = outer.op.span.start.column;
        Err(format!("repeated twice at character {at}{ANYTHING}"))
    }
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
            "contains a {quote}, which no topic name has: it can match nothing"
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
            "{2}",
            "a++",
            "a{2}+",
            "(a*)*",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_java_refuses_is_named() {
        for (bad, part) in [
            ("*", "`.*` matches anything"),
            ("orders*(", "unclosed group at character 8"),
            ("(*", "character 2; a filter is a regular expression"),
            ("**", "character 1; a filter is a regular expression"),
            (
                ".**",
                "repeated twice at character 3; a filter is a regular expression",
            ),
            ("a+*", "repeated twice"),
            ("a+++", "repeated twice"),
            ("a*??", "repeated twice"),
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
    fn a_list_is_one_pattern() {
        assert_eq!(check_list(&["(a", "b)"]), Ok(()));
        assert_eq!(check_list(&[]), Ok(()));
        let (filter, reason) = check_list(&["__.*", "*.replica"]).unwrap_err();
        assert_eq!(filter, "*.replica");
        assert!(reason.contains("at character 1; "), "{reason}");
        let (filter, reason) = check_list(&["a{1", "2}"]).unwrap_err();
        assert!(
            filter == "a{1" && reason.contains("a comma ends"),
            "{filter} {reason}"
        );
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
