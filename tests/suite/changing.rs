//! Times and process ids, which differ from run to run, hidden from comparison.
//! Behind a time in milliseconds, which has as many digits as it has, the blanks up to the next column are two.

/// Times become `<time>`, process ids `<pid>`. A time as it was typed (`3s`) stays.
pub(crate) fn hide_changing(text: &str) -> String {
    let mut hidden = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let begins =
            first.is_ascii_digit() && !hidden.ends_with(|c: char| c.is_alphanumeric() || c == '.');
        let (length, token) = match begins {
            true if hidden.ends_with("process ") => (digits(rest), "<pid>"),
            true => (seconds(rest).max(span(rest)).max(millis(rest)), "<time>"),
            false => (0, ""),
        };
        if length == 0 {
            hidden.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            hidden.push_str(token);
            let column = rest[..length].ends_with(" ms") && rest[length..].starts_with("  ");
            rest = &rest[length..];
            if column {
                hidden.push_str("  ");
                rest = rest.trim_start_matches(' ');
            }
        }
    }
    hidden
}

fn digits(text: &str) -> usize {
    text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len()
}

/// How much of the beginning is a time such as `2.4 s`.
fn seconds(text: &str) -> usize {
    let whole = digits(text);
    let Some(rest) = text[whole..].strip_prefix('.') else {
        return 0;
    };
    let tail = &rest[digits(rest)..];
    let is_seconds =
        tail.starts_with(" s") && !tail[2..].starts_with(|c: char| c.is_alphanumeric());
    if is_seconds {
        text.len() - tail.len() + 2
    } else {
        0
    }
}

/// How much of the beginning is a time such as `56 ms` or `2.41 ms`.
fn millis(text: &str) -> usize {
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let after = number.strip_prefix(" ms");
    let ends = |after: &&str| !after.starts_with(|c: char| c.is_alphanumeric());
    after
        .filter(ends)
        .map_or(0, |after| text.len() - after.len())
}

/// How much of the beginning is a time of two parts or more, such as `1h 2m 3s`.
fn span(text: &str) -> usize {
    const UNITS: [&str; 10] = [
        "years", "year", "months", "month", "days", "day", "h", "ms", "m", "s",
    ];
    let (mut length, mut parts) = (0, 0);
    loop {
        let rest = text[length..]
            .strip_prefix(' ')
            .filter(|_| parts > 0)
            .unwrap_or(&text[length..]);
        let unit = &rest[digits(rest)..];
        let after = UNITS.iter().find_map(|name| unit.strip_prefix(name));
        let ends = |after: &&str| !after.starts_with(|c: char| c.is_alphanumeric());
        match after.filter(ends).filter(|_| digits(rest) > 0) {
            Some(after) => length = text.len() - after.len(),
            None => return if parts > 1 { length } else { 0 },
        }
        parts += 1;
    }
}

#[test]
fn only_what_changes_is_hidden() {
    let text = "✓ Up (2.4 s), 12.0 s. kmk (process 4711) within 3s 1.5 state 2026 1h 2m 3s\n9days 1m 5 ms    7.25 ms";
    let hidden = "✓ Up (<time>), <time>. kmk (process <pid>) within 3s 1.5 state 2026 <time>\n<time> <time>  <time>";
    assert_eq!(hide_changing(text), hidden);
}
