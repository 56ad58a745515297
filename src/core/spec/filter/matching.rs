//! Whether a filter matches a name, as Java's `Matcher.matches` would say.
//!
//! Patterns that only Java supports are not evaluated: the result is none. A match is kept as the set of indexes at which it
//! may end; names are short, so no pattern is slow.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};
use std::collections::BTreeSet;

/// Whether `filter` takes all of `name`. None where only Java can tell: look-behind, look-ahead elsewhere than at the
/// beginning, what refers back, possessive repetition, classes of its own.
pub fn matches(filter: &str, name: &str) -> Option<bool> {
    let mut rest = unquoted(filter);
    while let Some((wanted, ahead, after)) = look_ahead(&rest) {
        if wanted == ends(&ahead, name)?.is_empty() {
            return Some(false);
        }
        rest = after;
    }
    Some(ends(&rest, name)?.contains(&name.len()))
}

/// Where a match of `pattern` that begins at the beginning may end.
fn ends(pattern: &str, name: &str) -> Option<BTreeSet<usize>> {
    if is_javas_own(pattern) {
        return None;
    }
    let mut parser = ParserBuilder::new().unicode(false).utf8(false).build();
    let pattern = parser.parse(pattern).ok()?;
    step(&pattern, name.as_bytes(), &BTreeSet::from([0]))
}

fn step(pattern: &Hir, name: &[u8], from: &BTreeSet<usize>) -> Option<BTreeSet<usize>> {
    let some = |to: &dyn Fn(usize) -> Option<usize>| from.iter().filter_map(|&at| to(at)).collect();
    Some(match pattern.kind() {
        HirKind::Empty => from.clone(),
        HirKind::Literal(literal) => some(&|at| {
            let is_here = name[at..].starts_with(&literal.0);
            is_here.then_some(at + literal.0.len())
        }),
        HirKind::Class(class) => some(&|at| has(class, *name.get(at)?).then_some(at + 1)),
        HirKind::Look(look) => {
            let holds = |at: &usize| is_at(*look, name, *at);
            let all: Option<Vec<bool>> = from.iter().map(holds).collect();
            let kept = from.iter().zip(all?).filter(|(_, holds)| *holds);
            kept.map(|(at, _)| *at).collect()
        }
        HirKind::Repetition(repetition) => repeat(repetition, name, from)?,
        HirKind::Capture(capture) => step(&capture.sub, name, from)?,
        HirKind::Concat(parts) => {
            let mut here = from.clone();
            for part in parts {
                here = step(part, name, &here)?;
            }
            here
        }
        HirKind::Alternation(parts) => {
            let mut all = BTreeSet::new();
            for part in parts {
                all.extend(step(part, name, from)?);
            }
            all
        }
    })
}

fn repeat(repetition: &Repetition, name: &[u8], from: &BTreeSet<usize>) -> Option<BTreeSet<usize>> {
    let mut here = from.clone();
    for _ in 0..repetition.min {
        let next = step(&repetition.sub, name, &here)?;
        if next == here {
            break;
        }
        here = next;
    }
    let mut all = here.clone();
    let more = repetition.max.map_or(u32::MAX, |max| max - repetition.min);
    for _ in 0..more {
        here = step(&repetition.sub, name, &here)?;
        let known = all.len();
        all.extend(&here);
        if all.len() == known {
            break;
        }
    }
    Some(all)
}

fn has(class: &Class, byte: u8) -> bool {
    match class {
        Class::Bytes(class) => class
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&byte)),
        // names are ASCII
        Class::Unicode(class) => class
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&char::from(byte))),
    }
}

/// Names have no line breaks, so the beginning of a line is that of the name.
fn is_at(look: Look, name: &[u8], at: usize) -> Option<bool> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let before = at.checked_sub(1).and_then(|at| name.get(at));
    let at_edge = before.is_some_and(is_word) != name.get(at).is_some_and(is_word);
    match look {
        Look::Start | Look::StartLF => Some(at == 0),
        Look::End | Look::EndLF => Some(at == name.len()),
        Look::WordAscii => Some(at_edge),
        Look::WordAsciiNegate => Some(!at_edge),
        _ => None,
    }
}

/// `(?!x)rest` or `(?=x)rest`: whether x is wanted, x, and the rest.
fn look_ahead(pattern: &str) -> Option<(bool, String, String)> {
    let (wanted, inner) = match pattern.strip_prefix("(?!") {
        Some(inner) => (false, inner),
        None => (true, pattern.strip_prefix("(?=")?),
    };
    let mut depth = 0_usize;
    let mut end = None;
    for (at, c) in outside_classes(inner) {
        match (c, depth) {
            ('(', _) => depth += 1,
            (')', 0) if end.is_none() => end = Some(at),
            (')', _) => depth = depth.saturating_sub(1),
            // of `(?!a)b|c`, the look belongs to the first half alone
            ('|', 0) if end.is_some() => return None,
            _ => {}
        }
    }
    let end = end?;
    Some((wanted, inner[..end].to_owned(), inner[end + 1..].to_owned()))
}

/// Characters that are neither escaped nor in a class, with their places.
fn outside_classes(pattern: &str) -> Vec<(usize, char)> {
    let (mut found, mut depth) = (Vec::new(), 0_usize);
    let mut chars = pattern.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '[' => depth += 1,
            ']' if depth > 0 => depth -= 1,
            _ if depth == 0 => found.push((at, c)),
            _ => {}
        }
    }
    found
}

/// What Rust's syntax would read as something else.
fn is_javas_own(pattern: &str) -> bool {
    let outside = outside_classes(pattern);
    let is_possessive = |pair: &[(usize, char)]| {
        let [(first, quantifier), (second, '+')] = pair else {
            return false;
        };
        second - first == 1 && "*+?}".contains(*quantifier)
    };
    // differences of classes are Rust's alone
    outside.windows(2).any(is_possessive) || pattern.contains("--") || pattern.contains("~~")
}

/// With `\Q…\E` written as single characters.
fn unquoted(filter: &str) -> String {
    let (mut plain, mut rest) = (String::new(), filter);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        if let Some(quoted) = escape.strip_prefix(r"\Q") {
            let (quoted, after) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
            plain.push_str(&regex_syntax::escape(quoted));
            rest = after;
        } else {
            let length = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
            plain.push_str(&escape[..length]);
            rest = &escape[length..];
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn says(filter: &str, takes: &[&str], leaves: &[&str]) {
        for (names, expected) in [(takes, true), (leaves, false)] {
            for name in names {
                assert_eq!(matches(filter, name), Some(expected), "{filter} {name}");
            }
        }
    }

    #[test]
    fn a_filter_takes_whole_names() {
        says("orders", &["orders"], &["order", "orders2", "my.orders"]);
        says(".*", &["", "a.b-c_1"], &[]);
        says("a.b", &["a.b", "a-b"], &["ab"]);
        says(
            r"orders\.v[0-9]+",
            &["orders.v12"],
            &["orders.v", "ordersxv1"],
        );
        says("a|bc", &["a", "bc"], &["abc", "b"]);
        says("(a|ab)(c|bcd)", &["ac", "abc", "abcd", "abbcd"], &["ab"]);
        says("(?i)Orders", &["oRDERS"], &["payments"]);
        says("[a-z&&[^b]]+", &["acd"], &["abc"]);
        says("a{2}b?", &["aa", "aab"], &["a", "aaa"]);
        says(r"\Qa.b\E.*", &["a.b", "a.bc"], &["axb"]);
        says(r"\bx\b.*", &["x", "x.y"], &["xy"]);
        says("^a$", &["a"], &["aa"]);
        says(
            r".*[\-\.]internal",
            &["a.internal", "a-internal"],
            &["internal", "a.internals"],
        );
        says("(?:a?){1000}", &["", "aaa"], &["b"]);
        says("a*?b", &["aab"], &["aa"]);
        says(r"[*+]+\++", &["*+"], &["*"]);
    }

    #[test]
    fn looks_ahead_at_the_beginning() {
        says(
            "(?!kmk-canary$)(?:kmk.*)",
            &["kmk", "kmk-canary-2"],
            &["kmk-canary", "x"],
        );
        says("(?!a)(?!b).*", &["c", ""], &["a1", "b"]);
        says("(?=a.*z$).*", &["az", "abz"], &["ab", "bz"]);
        says("(?!x|y(z)).*", &["y", "a"], &["x1", "yz"]);
    }

    #[test]
    fn what_only_java_knows_is_not_guessed_at() {
        for filter in [
            "a*+b",
            "(?<=a)b",
            r"(a)\1",
            "a(?!b).*",
            "(?!a)b|c",
            "(?>a)",
            r"\p{javaLowerCase}+",
            "[a--b]",
        ] {
            assert_eq!(matches(filter, "a"), None, "{filter}");
        }
    }

    proptest! {
        #[test]
        fn a_name_takes_itself(name in "[a-zA-Z0-9._-]{1,40}", other in "[a-zA-Z0-9._-]{1,40}") {
            for filter in [regex_syntax::escape(&name), format!(r"\Q{name}\E")] {
                prop_assert_eq!(matches(&filter, &name), Some(true));
                prop_assert_eq!(matches(&filter, &other), Some(name == other));
            }
        }

        #[test]
        fn what_is_left_out_is_the_opposite(filter in "[ab.*?+|()]{1,8}", name in "[ab]{0,6}") {
            let not = matches(&format!("(?!(?:{filter})$).*"), &name);
            if let (Some(plain), Some(not)) = (matches(&filter, &name), not) {
                prop_assert_eq!(plain, !not);
            }
        }

        #[test]
        fn no_filter_is_too_odd(filter in ".{0,20}", name in "[a-z.]{0,10}") {
            matches(&filter, &name);
        }
    }
}
