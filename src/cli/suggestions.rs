//! Suggestions for mistyped verbs and flags, also for those of other tools.

use super::output::tell;
use super::{Cli, CliError, Exit, lab_name};
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _, Parser as _};
use kafka_mirror_kit::core::nearest::nearest_spelling;
use kafka_mirror_kit::core::spec::DEFAULT_LAB;
use kafka_mirror_kit::core::spec::scenario::Scenario;
use kmk_kafka::printable;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Words of other tools, and what does it here.
const VERBS: [(&[&str], &str); 15] = [
    (&["version"], "`kmk --version`"),
    (
        &["down"],
        "`kmk stop` keeps the records, `kmk destroy` removes everything",
    ),
    (
        &["pause", "halt", "suspend", "unload"],
        "`kmk stop` stops the lab and keeps the records",
    ),
    (
        &["resume", "unpause", "continue"],
        "`kmk start` starts a stopped lab",
    ),
    (&["restart"], "`kmk stop`, then `kmk start`"),
    (
        &["rm", "remove", "delete", "clean", "purge", "teardown"],
        "`kmk destroy` removes the lab, `kmk topic delete` a topic",
    ),
    (
        &["create", "run", "apply", "launch", "new"],
        "`kmk deploy` starts a lab, `kmk topic create` creates a topic",
    ),
    (
        &["send", "publish", "pub", "write", "put", "producer"],
        "`kmk produce` sends records",
    ),
    (
        &["read", "subscribe", "sub", "cat", "tail", "get", "consumer"],
        "`kmk consume` reads records",
    ),
    (
        &["check", "test", "validate", "prove"],
        "`kmk verify` proves that flows replicate, `kmk lint` checks an mm2.properties file",
    ),
    (
        &["why", "diagnose", "doctor"],
        "`kmk explain` says why a topic is not mirrored",
    ),
    (
        &["health", "info", "show", "describe"],
        "`kmk status` shows the lab's health, `kmk topic describe` a topic",
    ),
    (
        &["offsets", "cg", "consumer-groups"],
        "`kmk group list` shows the consumer groups",
    ),
    (
        &["cut", "heal", "disconnect", "reconnect", "isolate", "sever"],
        "`kmk link cut` cuts the link of a flow, `kmk link heal` restores it",
    ),
    (
        &["delay", "latency", "behind"],
        "`kmk lag` shows how far the mirrored topics are behind",
    ),
];

/// The same of verbs of topics, groups and links.
const VERBS_OF_NOUNS: [(&[&str], &str); 7] = [
    (&["rm", "remove", "drop"], "delete"),
    (&["show", "get", "info", "inspect"], "describe"),
    (&["new", "add", "make"], "create"),
    (&["set", "config", "change", "update"], "alter"),
    (&["disconnect", "down", "sever"], "cut"),
    (
        &["restore", "repair", "mend", "connect", "reconnect", "up"],
        "heal",
    ),
    (&["list", "ls", "status"], "show"),
];

/// Flags of other tools, and those that do it here, for the verbs that have them.
const FLAGS: [(&[&str], &str); 9] = [
    (
        &[
            "--count",
            "--num",
            "--number",
            "--max-messages",
            "--records",
        ],
        "--messages",
    ),
    (
        &[
            "-b",
            "--brokers",
            "--broker-list",
            "--bootstrap-server",
            "--bootstrap-servers",
        ],
        "--bootstrap",
    ),
    (&["--offset", "--start"], "--from"),
    (&["--output", "--output-format"], "--format"),
    (&["--consumer-group", "--group-id"], "--group"),
    (&["-H", "--headers"], "--header"),
    (&["-K"], "--key-separator"),
    (&["-l", "--input", "--stdin"], "--file"),
    (&["--throughput"], "--rate"),
];

/// Says what clap says, without what a terminal would obey in the words that were typed.
pub(super) fn refuse(error: clap::Error) -> ExitCode {
    let typed: Vec<OsString> = std::env::args_os().collect();
    let words = typed.iter().cloned().map(OsString::into_string);
    let words: Result<Vec<String>, _> = words.collect();
    let harmless = words.ok().and_then(|words| {
        let words = words.iter().map(|word| printable::line(word));
        Cli::try_parse_from(words).err()
    });
    let is_harmless = harmless.is_some();
    let error = with_suggestion(harmless.unwrap_or(error), &typed);
    let exit = if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    };
    if error.use_stderr() && !is_harmless {
        tell(error.render().to_string().trim_end());
        return exit.into();
    }
    let printed = error.print().and_then(|()| io::stdout().flush());
    match printed {
        Err(cause) if !error.use_stderr() && cause.kind() != io::ErrorKind::BrokenPipe => {
            let error = CliError::unwritten(&cause);
            error.show(DEFAULT_LAB);
            error.exit.into()
        }
        _ => exit.into(),
    }
}

/// The error with what was probably meant, instead of what is spelled alike by chance.
fn with_suggestion(mut error: clap::Error, words: &[OsString]) -> clap::Error {
    let invalid = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.clone()),
        _ => None,
    };
    let mut root = Cli::command();
    root.build();
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let parent = command_of(&root, words);
            let Some(word) = invalid(&error, ContextKind::InvalidSubcommand) else {
                return error;
            };
            let is_top = parent.get_name() == root.get_name();
            let meant = if is_top {
                verb(&word)
            } else {
                verb_of_noun(&word, parent)
            };
            error.remove(ContextKind::SuggestedSubcommand);
            suggest(
                &mut error,
                meant.unwrap_or_else(|| nearest_verb(&word, parent)),
            );
        }
        ErrorKind::UnknownArgument => {
            let command = command_of(&root, words);
            let Some(word) = invalid(&error, ContextKind::InvalidArg) else {
                return error;
            };
            if let Some(tip) = flag(&word, command) {
                error.remove(ContextKind::SuggestedArg);
                error.remove(ContextKind::Suggested);
                suggest(&mut error, tip);
            }
        }
        _ => {}
    }
    error
}

fn suggest(error: &mut clap::Error, tip: String) {
    let tip = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
    error.insert(ContextKind::Suggested, tip);
}

/// The verb that the words lead to, as far as they are verbs.
fn command_of<'a>(root: &'a Command, words: &[OsString]) -> &'a Command {
    let words = words.iter().skip(1).filter_map(|word| word.to_str());
    words
        .filter(|word| !word.starts_with('-'))
        .fold(root, |command, word| {
            command.find_subcommand(word).unwrap_or(command)
        })
}

fn verb(word: &str) -> Option<String> {
    let mut verbs = VERBS.iter();
    let (_, meant) = verbs.find(|(words, _)| words.contains(&word))?;
    Some((*meant).to_owned())
}

fn verb_of_noun(word: &str, noun: &Command) -> Option<String> {
    let mut verbs = VERBS_OF_NOUNS.iter();
    let (_, meant) = verbs.find(|(words, _)| words.contains(&word))?;
    let within = noun.get_bin_name().unwrap_or("kmk");
    let verb = noun.find_subcommand(meant)?;
    Some(format!("did you mean `{within} {}`?", verb.get_name()))
}

fn nearest_verb(word: &str, parent: &Command) -> String {
    let known: Vec<&str> = parent
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set())
        .flat_map(|verb| std::iter::once(verb.get_name()).chain(verb.get_visible_aliases()))
        .filter(|name| *name != "help")
        .collect();
    let within = parent.get_bin_name().unwrap_or("kmk");
    match nearest_spelling(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{within} {meant}`?"),
        None => format!("`{within} --help` lists the commands: {}", known.join(", ")),
    }
}

fn flag(word: &str, command: &Command) -> Option<String> {
    if word == "--from-beginning" && command.get_name() == "consume" {
        return Some("that is the default: leave the flag out".to_owned());
    }
    if command.get_name() == "deploy" && Scenario::ALL.iter().any(|one| one.name() == word) {
        return Some(format!("did you mean `--scenario {word}`?"));
    }
    if is_about_a_lab(command) && lab_name(word).is_ok() {
        return Some(format!("did you mean `--lab {word}`?"));
    }
    let word = word.split('=').next().unwrap_or(word);
    let known: Vec<String> = command
        .get_arguments()
        .filter(|flag| !flag.is_hide_set())
        .filter_map(|flag| Some(format!("--{}", flag.get_long()?)))
        .collect();
    let is_known = |meant: &&str| known.iter().any(|flag| flag == meant);
    let mut flags = FLAGS.iter();
    let meant = flags.find(|(words, _)| words.contains(&word));
    let meant = meant
        .map(|(_, meant)| *meant)
        .filter(|meant| is_known(meant));
    let meant = meant.or_else(|| nearest_spelling(word, known.iter().map(String::as_str)));
    let within = command.get_bin_name().unwrap_or("kmk");
    match meant {
        Some(meant) => Some(format!("did you mean `{meant}`?")),
        // a value that looks like a flag is clap's to explain
        None if word.starts_with("--") || word.len() <= 2 => {
            Some(format!("`{within} --help` lists the flags"))
        }
        None => None,
    }
}

/// Whether it is a command about a lab as a whole.
fn is_about_a_lab(command: &Command) -> bool {
    ["deploy", "destroy", "env", "start", "status", "stop"].contains(&command.get_name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &[&str]) -> String {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let Err(error) = Cli::try_parse_from(&words) else {
            panic!("{words:?} makes sense");
        };
        let told = with_suggestion(error, &words).to_string();
        let tip = told
            .lines()
            .find_map(|line| line.trim().strip_prefix("tip: "));
        tip.unwrap_or_default().to_owned()
    }

    #[test]
    fn words_of_other_tools_lead_to_what_does_it_here() {
        for (verb, meant) in [
            ("pause", "`kmk stop` stops the lab and keeps the records"),
            (
                "down",
                "`kmk stop` keeps the records, `kmk destroy` removes everything",
            ),
            ("staus", "did you mean `kmk status`?"),
            ("depoly", "did you mean `kmk deploy`?"),
            (
                "rebalance",
                "`kmk --help` lists the commands: deploy, up, init, schema, scenarios, produce, consume, verify, drill, status, ps, lag, explain, topic, group, link, list, ls, stop, start, destroy, logs, env, lint",
            ),
        ] {
            assert_eq!(told(&["kmk", verb]), meant);
        }
        assert_eq!(
            told(&["kmk", "topic", "rm", "x"]),
            "did you mean `kmk topic delete`?"
        );
        assert_eq!(told(&["kmk", "status", "x1"]), "did you mean `--lab x1`?");
        assert_eq!(told(&["kmk", "deploy", "x1"]), "did you mean `--lab x1`?");
        assert_eq!(
            told(&["kmk", "deploy", "ha"]),
            "did you mean `--scenario ha`?"
        );
        assert_eq!(
            told(&["kmk", "link", "restore"]),
            "did you mean `kmk link heal`?"
        );
        assert_eq!(
            told(&["kmk", "link", "ls"]),
            "did you mean `kmk link show`?"
        );
        assert_eq!(
            told(&["kmk", "topic", "lst"]),
            "did you mean `kmk topic list`?"
        );
    }

    #[test]
    fn flags_of_other_tools_lead_to_those_here() {
        for (words, meant) in [
            (
                ["consume", "orders", "--count"],
                "did you mean `--messages`?",
            ),
            (["consume", "orders", "--offset"], "did you mean `--from`?"),
            (
                ["produce", "orders", "--mesages"],
                "did you mean `--messages`?",
            ),
            (["produce", "orders", "-b"], "did you mean `--bootstrap`?"),
            (["status", "--wtach", "x"], "did you mean `--watch`?"),
            (["status", "-x", "x"], "`kmk status --help` lists the flags"),
            (
                ["status", "--offset", "x"],
                "`kmk status --help` lists the flags",
            ),
        ] {
            let words: Vec<&str> = ["kmk"].into_iter().chain(words).collect();
            assert_eq!(told(&words), meant, "{words:?}");
        }
    }

    #[test]
    fn what_is_meant_is_there() {
        let root = Cli::command();
        for (_, meant) in VERBS {
            for command in meant.split('`').filter(|part| part.starts_with("kmk ")) {
                let mut verbs = command
                    .split(' ')
                    .skip(1)
                    .filter(|word| !word.starts_with('-'));
                let found = verbs.try_fold(&root, |at, verb| at.find_subcommand(verb));
                assert!(found.is_some(), "{command}");
            }
        }
    }
}
