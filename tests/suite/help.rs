//! Every verb explains itself, and its examples are right.

use crate::kmk::Kmk;
use std::fs;
use std::path::Path;

const VERBS: [&str; 21] = [
    "init",
    "lint",
    "schema",
    "deploy",
    "scenarios",
    "produce",
    "consume",
    "verify",
    "drill",
    "status",
    "lag",
    "explain",
    "topic",
    "group",
    "link",
    "list",
    "stop",
    "start",
    "destroy",
    "logs",
    "env",
];

/// Verbs of two words.
const PAIRS: [&str; 24] = [
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
    "link show",
    "link cut",
    "link heal",
    "drill failover",
    "drill abort",
    "drill list",
    "drill mirrormaker-crash",
    "drill link-cut",
    "drill slow-link",
    "drill exactly-once",
    "drill broker-crash",
    "drill retention-race",
    "drill recreated-topic",
    "drill poison-record",
];

/// Whether kmk understands a line of shell in which it is called: with `--help` at its end it explains itself, unless
/// something before that makes no sense.
fn understood(kmk: &Kmk, line: &str) -> Result<(), String> {
    let command = line
        .split(" #")
        .next()
        .unwrap()
        .split(" | ")
        .find(|part| part.trim().starts_with("kmk"));
    let command = command.ok_or_else(|| format!("no kmk in: {line}"))?.trim();
    let program = env!("CARGO_BIN_EXE_kmk");
    let script = format!("kmk() {{ '{program}' \"$@\" --help; }}; {command}");
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", &script])
        .current_dir(kmk.work(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    (output.status.success())
        .then_some(())
        .ok_or_else(|| format!("{line}\n{said}"))
}

/// Fails where kmk does not understand it.
#[track_caller]
fn is_understood(kmk: &Kmk, line: &str) {
    understood(kmk, line).unwrap_or_else(|why| panic!("{why}"));
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

/// Every document but the changelog, which tells of commands that were: its name and text.
fn documents() -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = Vec::new();
    for directory in [".", "docs"] {
        for entry in fs::read_dir(top.join(directory)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.extension().is_some_and(|end| end == "md") && name != "CHANGELOG.md" {
                documents.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    documents
}

/// What stands between backquotes in a line.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// What a span stands for: `topic create\|delete T` for two commands, `[SERVICE]` and `FILE...` for one of them.
fn spelled_out(span: &str) -> Vec<String> {
    let plain = span.replace(['[', ']'], "").replace("...", "");
    let Some(bar) = plain.find("\\|") else {
        return vec![plain];
    };
    let begins = plain[..bar].rfind(' ').map_or(0, |blank| blank + 1);
    let ends = plain[bar..].find(' ').map_or(plain.len(), |at| bar + at);
    let ways = plain[begins..ends].split("\\|");
    // the last of them may be quoted, and have blanks of its own
    let ways = ways.filter(|way| !way.contains('\''));
    let after = Some(&plain[ends..]).filter(|after| !after.contains('\''));
    let one = |way| format!("{}{way}{}", &plain[..begins], after.unwrap_or_default());
    ways.map(one).collect()
}

/// The same for a command that a sentence names: a value may be left out, or stand there as `ADDRESS`.
fn exists(kmk: &Kmk, command: &str) -> Result<(), String> {
    let is_general = |why: &String| {
        let value = why.split("invalid value '").nth(1).unwrap_or("x");
        why.contains("a value is required")
            || value.starts_with("--help")
            || value.starts_with(|c: char| c.is_ascii_uppercase())
    };
    understood(kmk, command).or_else(|why| if is_general(&why) { Ok(()) } else { Err(why) })
}

#[test]
fn every_command_in_the_documents_is_understood() {
    let kmk = Kmk::new();
    let mut wrong = Vec::new();
    let (mut shown, mut named) = (0, 0);
    for (name, text) in documents() {
        let mut is_code = false;
        for line in text.lines().map(str::trim_start) {
            is_code ^= line.starts_with("```");
            let command = line.trim_start_matches("$ ");
            if is_code && command.starts_with("kmk ") {
                shown += 1;
                wrong.extend(
                    understood(&kmk, command)
                        .err()
                        .map(|why| format!("{name}: {why}")),
                );
            } else if !is_code {
                let commands =
                    spans(line).filter(|span| span.starts_with("kmk ") && !span.contains("VERB"));
                for command in commands.flat_map(spelled_out) {
                    named += 1;
                    wrong.extend(
                        exists(&kmk, &command)
                            .err()
                            .map(|why| format!("{name}: {why}")),
                    );
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        shown >= 50 && named >= 100,
        "only {shown} and {named} commands were found"
    );
}

/// In its table of commands, the flags of each row are flags of the commands that the row begins with.
#[test]
fn every_flag_in_the_readmes_table_is_a_flag_of_its_command() {
    let kmk = Kmk::new();
    let mut count = 0;
    for (_, text) in documents().iter().filter(|(name, _)| name == "README.md") {
        for row in text.lines().filter(|line| line.starts_with("| `kmk ")) {
            let (commands, rest) = row[2..].split_once(" | ").unwrap();
            let commands: Vec<String> = spans(commands).flat_map(spelled_out).collect();
            let flags = spans(rest).filter(|span| span.starts_with("--"));
            for flag in flags.flat_map(spelled_out) {
                let takes = |command: &String| exists(&kmk, &format!("{command} {flag}")).is_ok();
                assert!(
                    commands.iter().any(takes),
                    "{flag} is no flag of {commands:?}"
                );
                count += 1;
            }
        }
    }
    assert!(count >= 25, "only {count} flags were found");
}

#[test]
fn the_page_of_the_matrix_names_each_of_its_tests() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(top.join("docs/matrix.md")).unwrap();
    let mut count = 0;
    for entry in fs::read_dir(top.join("tests/e2e")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let (_, matrix) = text.split_once("\nmod matrix {").unwrap_or_default();
        let matrix = matrix.split("\n}\n").next().unwrap();
        for test in matrix
            .split("#[ignore = \"needs Docker\"]\n    fn ")
            .skip(1)
        {
            let name = test.split('(').next().unwrap().replace('_', " ");
            assert!(page.contains(&format!(" | {name} | ")), "it lacks: {name}");
            count += 1;
        }
    }
    assert_eq!(page.matches("\n| ").count(), count + 1, "and no others");
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
