//! Color is for people at terminals, or for whoever insists.

use crate::kmk::Kmk;

const RED_ERROR: &str = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m there is no lab `demo`\n";
const PLAIN_ERROR: &str = "error: there is no lab `demo`\n";

#[test]
fn none_in_a_pipe() {
    Kmk::new()
        .run("env")
        .code(3)
        .stderr_has(PLAIN_ERROR)
        .stderr_lacks("\u{1b}");
    Kmk::new()
        .run("env --color auto")
        .code(3)
        .stderr_has(PLAIN_ERROR)
        .stderr_lacks("\u{1b}");
    Kmk::new()
        .run("env --color never")
        .code(3)
        .stderr_has(PLAIN_ERROR)
        .stderr_lacks("\u{1b}");
}

#[test]
fn always_means_always() {
    Kmk::new()
        .run("env --color always")
        .code(3)
        .stderr_has(RED_ERROR);
    Kmk::new()
        .variable("NO_COLOR", "1")
        .run("--color always env")
        .code(3)
        .stderr_has(RED_ERROR);
}

#[test]
fn no_color_wins_where_nobody_insists() {
    let kmk = Kmk::new()
        .variable("NO_COLOR", "1")
        .variable("CLICOLOR_FORCE", "1");
    kmk.run("env")
        .code(3)
        .stderr_has(PLAIN_ERROR)
        .stderr_lacks("\u{1b}");
    Kmk::new()
        .variable("CLICOLOR_FORCE", "1")
        .run("env")
        .code(3)
        .stderr_has(RED_ERROR);
}

#[test]
fn data_has_no_color() {
    let ran = Kmk::new().run("deploy --dry-run --color always").code(0);
    assert!(!ran.text().contains('\u{1b}'), "{}", ran.text());
}

/// Sets the clipboard, and clears the line.
const HOSTILE: &str = "a\u{1b}]52;c;cm0gLXJm\u{7}\r\n\u{1b}[2Kerror: b";
const HARMLESS: &str = r"a\u001b]52;c;cm0gLXJm\u0007\u000d\u000a\u001b[2Kerror: b";

#[test]
fn what_a_terminal_obeys_comes_from_no_word_that_was_typed() {
    let kmk = Kmk::new();
    for (words, told) in [
        (
            vec!["deploy", "--lab", HOSTILE],
            "invalid value '{}' for '--lab <NAME>'",
        ),
        (vec!["explain", HOSTILE], "invalid value '{}' for"),
        (vec!["deploy", "--config", HOSTILE], "{}: cannot be read"),
        (vec!["lint", HOSTILE], "cannot read {}"),
        (
            vec!["produce", "--topic", "t", "--file", HOSTILE],
            "cannot read {}",
        ),
        (vec!["deploy", "--dry-run", "--topics", HOSTILE], "`{}`"),
    ] {
        for color in ["always", "never"] {
            kmk.run_words(words.iter().copied().chain(["--color", color]))
                .code(2)
                .stderr_has(&told.replace("{}", HARMLESS))
                .stderr_lacks("\u{1b}]")
                .stderr_lacks("\r");
        }
    }
}
