//! Bytes that are no text: refused where a name is meant, taken where a path is.

use crate::kmk::Kmk;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

#[test]
fn arguments_that_are_not_utf_8() {
    let kmk = Kmk::new();
    let odd = OsStr::from_bytes(b"a\xff");
    for words in [
        ["deploy", "--lab"],
        ["deploy", "--topics"],
        ["deploy", "--image"],
        ["deploy", "--port"],
        ["deploy", "--timeout"],
        ["logs", "--tail"],
        ["produce", "--topic"],
        ["consume", "--topic"],
    ] {
        let words = words.map(OsStr::new).into_iter().chain([odd]);
        kmk.run_words(words)
            .code(2)
            .stdout("")
            .stderr_has("error: invalid UTF-8")
            .stderr_lacks("panicked")
            .no_calls();
    }
    kmk.run_words([odd]).code(2).stderr_lacks("panicked");
    kmk.run_words([OsStr::new("logs"), odd])
        .code(2)
        .stderr_lacks("panicked");
}

#[test]
fn what_a_terminal_obeys_is_not_repeated_of_such_an_argument() {
    let odd = OsStr::from_bytes(b"--a\xff\x1b]52;c;\x07\rb");
    for color in ["always", "never"] {
        let color = ["--color", color].map(OsStr::new);
        Kmk::new()
            .run_words(color.into_iter().chain([OsStr::new("deploy"), odd]))
            .code(2)
            .stdout("")
            .stderr_has("error: unexpected argument '--a")
            .stderr_lacks("\u{1b}]")
            .stderr_lacks("\r");
    }
}

#[test]
fn a_directory_need_not_be_utf_8() {
    let kmk = Kmk::new();
    let odd = OsStr::from_bytes(b"a\xff");
    kmk.run_words([
        OsStr::new("deploy"),
        OsStr::new("--dry-run"),
        OsStr::new("--dir"),
        odd,
    ])
    .code(0);
    assert!(kmk.path("here").join(odd).join("mm2.properties").exists());
}

#[test]
fn variables_that_are_not_utf_8() {
    let kmk = Kmk::new().variable("KMK_KAFKA_IMAGE", OsStr::from_bytes(b"a\xff"));
    kmk.run("deploy --dry-run")
        .code(2)
        .stdout("")
        .stderr_has("error: KMK_KAFKA_IMAGE is not an image name: ");
}
