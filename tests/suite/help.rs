//! Every verb explains itself, and its examples are right.

use crate::kmk::Kmk;
use std::fs;
use std::path::Path;

const VERBS: [&str; 19] = [
    "init",
    "lint",
    "schema",
    "deploy",
    "scenarios",
    "produce",
    "consume",
    "verify",
    "status",
    "lag",
    "explain",
    "topic",
    "group",
    "list",
    "stop",
    "start",
    "destroy",
    "logs",
    "env",
];

/// Verbs of two words.
const PAIRS: [&str; 10] = [
    "topic list",
    "topic create",
    "topic delete",
    "topic alter",
    "topic describe",
    "topic truncate",
    "group list",
    "group describe",
    "group reset",
    "group delete",
];

/// Whether kmk understands a line of shell in which it is called: with `--help` at its end it explains itself, unless
/// something before that makes no sense.
fn is_understood(kmk: &Kmk, line: &str) {
    let command = line
        .split(" #")
        .next()
        .unwrap()
        .split(" | ")
        .find(|part| part.trim().starts_with("kmk"));
    let command = command
        .unwrap_or_else(|| panic!("no kmk in: {line}"))
        .trim();
    let program = env!("CARGO_BIN_EXE_kmk");
    let script = format!("kmk() {{ '{program}' \"$@\" --help; }}; {command}");
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", &script])
        .current_dir(kmk.work(""))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{line}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_overview_names_every_verb_and_the_exit_codes() {
    let kmk = Kmk::new();
    for line in ["--help", "-h", "help"] {
        let ran =
            kmk.run(line).code(0).stderr("").stdout_has(
                "Exit codes:\n  0    done, or the check passed\n  1    the check failed: ",
            );
        for verb in VERBS {
            assert!(
                ran.text().contains(&format!("\n  {verb} ")),
                "{verb} is missing:\n{}",
                ran.text()
            );
        }
    }
}

#[test]
fn every_verb_has_help() {
    let kmk = Kmk::new();
    for verb in VERBS.iter().chain(&PAIRS) {
        for line in [
            format!("{verb} --help"),
            format!("help {verb}"),
            format!("{verb} -h"),
        ] {
            let ran = kmk
                .run(&line)
                .code(0)
                .stderr("")
                .stdout_has(&format!("Usage: kmk {verb}"))
                .no_calls();
            ran.stdout_has("--lab <NAME>");
        }
    }
}

#[test]
fn verbs_with_many_flags_show_examples() {
    let kmk = Kmk::new();
    let own = [
        "deploy",
        "scenarios",
        "produce",
        "consume",
        "verify",
        "explain",
        "lag",
        "lint",
    ];
    for verb in own.iter().chain(&PAIRS) {
        kmk.run(&format!("{verb} --help"))
            .stdout_has(&format!("\nExamples:\n  kmk {verb}"));
    }
    kmk.run("env --help").stdout_has("eval \"$(kmk env)\"");
}

#[test]
fn every_example_in_the_help_is_understood() {
    let kmk = Kmk::new();
    let mut count = 0;
    for line in VERBS
        .iter()
        .chain(&PAIRS)
        .map(|verb| format!("{verb} --help"))
        .collect::<Vec<_>>()
        .iter()
        .map(String::as_str)
        .chain(["--help"])
    {
        let help = kmk.run(line).code(0);
        let (_, examples) = help
            .text()
            .split_once("Examples:\n")
            .or(help.text().split_once("First steps:\n"))
            .unwrap_or_default();
        for example in examples.lines().take_while(|line| line.starts_with("  ")) {
            is_understood(&kmk, example);
            count += 1;
        }
    }
    assert!(count >= 40, "only {count} examples were found");
}

#[test]
fn every_command_in_the_documents_is_understood() {
    let kmk = Kmk::new();
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in [
        "README.md",
        "CONTRIBUTING.md",
        "docs/scenarios.md",
        "docs/lag.md",
    ] {
        let text = fs::read_to_string(top.join(file)).unwrap();
        let commands = text
            .lines()
            .map(|line| line.trim_start().trim_start_matches("$ "));
        for command in commands.filter(|line| line.starts_with("kmk ")) {
            is_understood(&kmk, command);
        }
    }
}

#[test]
fn the_readme_has_the_first_steps() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let help = Kmk::new().run("--help").code(0);
    let (_, steps) = help.text().split_once("First steps:\n").unwrap();
    let steps: Vec<&str> = steps
        .lines()
        .take_while(|line| !line.is_empty())
        .map(str::trim)
        .collect();
    assert_eq!(steps.len(), 5);
    for step in steps {
        assert!(readme.contains(step), "the README lacks: {step}");
    }
}

#[test]
fn the_version() {
    let version = concat!("kmk ", env!("CARGO_PKG_VERSION"), "\n");
    Kmk::new()
        .run("--version")
        .code(0)
        .stdout(version)
        .stderr("");
    Kmk::new().run("-V").code(0).stdout(version).stderr("");
}
