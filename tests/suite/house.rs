//! The tree keeps its own rules: who may use what, and what may stand nowhere.

use std::fs;
use std::path::Path;

/// A source file: its path from the top, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Lines of code with their numbers: no comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self
            .text
            .lines()
            .enumerate()
            .map(|(number, line)| (number + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The same, without what is compiled for tests only.
    fn own_code(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut test: Option<&str> = None;
        self.code().filter(move |(_, line)| {
            let indentation = &line[..line.len() - line.trim_start().len()];
            let is_own = test.is_none() && !line.contains("#[cfg(test)]");
            match test {
                None if !is_own => test = Some(indentation),
                Some(outer) if indentation == outer && line.ends_with(['}', ';']) => test = None,
                _ => {}
            }
            is_own
        })
    }
}

/// The sources in a directory; in `src`, those of the client too.
fn sources(directory: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    collect(top, directory, &mut sources);
    if directory == "src" {
        collect(top, "crates", &mut sources);
    }
    assert!(!sources.is_empty(), "no sources in {directory}");
    sources
}

fn collect(top: &Path, directory: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(top.join(directory)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!("{directory}/{name}");
        if top.join(&path).is_dir() {
            collect(top, &path, sources);
        } else if Path::new(&name).extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(top.join(&path)).unwrap();
            sources.push(Source { path, text });
        }
    }
}

/// Fails with every line that breaks a rule.
#[track_caller]
fn nowhere(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

/// Lines of code that have one of the words, in files whose paths do not begin with any of `allowed`.
fn with_words(directory: &str, allowed: &[&str], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources(directory) {
        if allowed.iter().any(|path| source.path.starts_with(path)) {
            continue;
        }
        let lines = source
            .code()
            .filter(|(_, line)| words.iter().any(|word| has_word(line, word)));
        found.extend(
            lines.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())),
        );
    }
    found
}

/// Whether `word` stands in the line, not as the end of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let is_longer = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_longer))
}

#[test]
fn words_are_found_only_whole() {
    assert!(has_word("use kafka::client;", "kafka::") && has_word("(kafka::Error)", "kafka::"));
    assert!(!has_word("kmk_kafka::Admin", "kafka::") && !has_word("my_kafka::x", "kafka::"));
}

#[test]
fn only_tests_are_left_out() {
    let text = "use a;\n#[cfg(test)]\nmod tests {\n    use b;\n}\n#[cfg(test)]\nmod more;\nfn c() {}\nimpl D {\n    \
                #[cfg(test)]\n    fn e() {\n        f();\n    }\n    fn g() {}\n}\n";
    let source = Source {
        path: String::new(),
        text: text.to_owned(),
    };
    let own: Vec<&str> = source.own_code().map(|(_, line)| line.trim()).collect();
    assert_eq!(own, ["use a;", "fn c() {}", "impl D {", "fn g() {}", "}"]);
}

#[test]
fn nothing_is_left_to_do() {
    let words = [
        concat!("to", "do!"),
        concat!("db", "g!"),
        concat!("unimple", "mented!"),
    ];
    for directory in ["src", "tests", "examples", "benches"] {
        nowhere("unfinished code", &with_words(directory, &[], &words));
        for source in sources(directory) {
            let notes = [
                concat!("FIX", "ME"),
                concat!("TO", "DO"),
                concat!("XX", "X"),
            ];
            assert!(
                !notes.iter().any(|note| source.text.contains(note)),
                "{} has a note of something to do",
                source.path
            );
        }
    }
}

#[test]
fn only_wait_sleeps() {
    nowhere(
        "only wait.rs sleeps",
        &with_words(
            "src",
            &["crates/kafka-client/src/wait.rs"],
            &["std::thread::sleep", "thread::sleep"],
        ),
    );
}

#[test]
fn nothing_panics_because_it_cannot_be_printed() {
    let macros = ["println!", "print!", "eprintln!", "eprint!"];
    let macros: Vec<String> = (macros.iter())
        .flat_map(|name| [(*name).to_owned(), format!("anstream::{name}")])
        .collect();
    let macros: Vec<&str> = macros.iter().map(String::as_str).collect();
    nowhere(
        "only src/cli prints, with what src/cli/output.rs has for it",
        &with_words("src", &[], &macros),
    );
}

#[test]
fn each_crate_has_one_door() {
    for (crates, doors) in [
        (&["duct::", "which::"][..], &["src/core/docker/"][..]),
        (&["kafka::"], &["crates/kafka-client/src/crate_v0/"]),
        (&["kafka_protocol::"], &["crates/kafka-client/src/"]),
        (
            &["flate2::", "lz4_flex::", "ruzstd::", "snap::"],
            &["crates/kafka-client/src/compression"],
        ),
        (
            &["crc32c::", "crc32c("],
            &[
                "crates/kafka-client/src/protocol/",
                "crates/kafka-client/src/cluster/peek/tests.rs",
                "crates/kafka-client/src/consumer/wire/tests.rs",
                "src/core/judge/ledger/stamp.rs",
            ],
        ),
        (&["hdrhistogram::"], &["src/core/judge/ledger/latency.rs"]),
        (&["ureq::"], &["src/core/lab/link/relay.rs"]),
        (
            &["clap::", "indicatif::", "anstream::", "ctrlc::"],
            &["src/cli/", "src/main.rs"],
        ),
        (&["serde_yaml::"], &["src/core/compose"]),
        (&["saphyr_parser::"], &["src/core/lab_file/yaml.rs"]),
        (&["regex_syntax::"], &["src/core/spec/filter"]),
        (&["listeners::"], &["src/core/lab/port.rs"]),
        (&["std::process::Command", "process::Command"], &[]),
    ] {
        nowhere(
            &format!("{crates:?} only in {doors:?}"),
            &with_words("src", doors, crates),
        );
    }
}

/// The modules of the core, layer by layer: each uses only layers above its own.
const LAYERS: [&[&str]; 10] = [
    &["digest", "event", "nearest", "shell"],
    &["docker"],
    &["spec"],
    &["topology"],
    &["compose", "image", "mirrormaker"],
    &["judge"],
    &["lab_file"],
    &["observe"],
    &["records"],
    &["lab"],
];

#[test]
fn data_flows_one_way() {
    let mut broken = Vec::new();
    for source in sources("src/core") {
        let module = source.path["src/core/".len()..]
            .split(['/', '.'])
            .next()
            .unwrap();
        if module == "mod" {
            continue;
        }
        let layer = LAYERS.iter().position(|layer| layer.contains(&module));
        let layer = layer.unwrap_or_else(|| panic!("say in LAYERS where `{module}` belongs"));
        let others = LAYERS[layer..].iter().copied().flatten();
        let others: Vec<_> = others.filter(|other| **other != module).collect();
        for (number, line) in source.own_code() {
            let used = others.iter().filter(|name| uses(line, name, &source.path));
            broken
                .extend(used.map(|name| format!("{}:{number}: {module} uses {name}", source.path)));
        }
    }
    nowhere("imports against the design", &broken);
}

/// Whether a line of code names a module of the core, by its full path or from beside it.
fn uses(line: &str, module: &str, path: &str) -> bool {
    let beside = path.matches('/').count() == 2 && has_word(line, &format!("super::{module}::"));
    let grouped = line
        .trim()
        .strip_prefix("use crate::core::{")
        .is_some_and(|list| {
            list.split([',', '}', ' '])
                .any(|name| name.split("::").next() == Some(module))
        });
    beside
        || grouped
        || has_word(line, &format!("crate::core::{module}::"))
        || has_word(line, &format!("crate::core::{module};"))
}

/// A command to type is about the lab at hand: where that is not the default one, it names it.
#[test]
fn each_command_to_type_can_name_the_lab() {
    // comments in files that kmk writes, and labs that are none yet
    let of_no_lab = [
        "src/core/lab_file/write.rs",
        "src/core/mirrormaker/config.rs",
        "src/cli/list.rs",
        "src/cli/suggestions.rs",
        "src/cli/scenarios.rs",
    ];
    let verbs = [
        "consume", "deploy", "destroy", "drill", "env", "explain", "group", "groups", "lag",
        "link", "logs", "produce", "start", "status", "stop", "topic", "topics", "verify",
    ];
    let other = ["--bootstrap", "--scenario", "--config", "--help"];
    // who cut a link, and not what to type
    let mentions = [
        "kmk link",
        "kmk link cut",
        "kmk link cut --half-open",
        "kmk link set",
    ];
    let mut broken = Vec::new();
    for source in sources("src") {
        if of_no_lab.contains(&source.path.as_str()) || source.path.contains("/tests") {
            continue;
        }
        for (number, line) in source.own_code() {
            let commands = line.match_indices("kmk ").filter(|(at, _)| {
                line[..*at].ends_with(['`', '"']) || line[..*at].ends_with("hint: ")
            });
            for (at, _) in commands {
                let command = line[at..].split(['`', '"']).next().unwrap_or_default();
                let verb = command["kmk ".len()..].split([' ', '{']).next();
                if verb.is_some_and(|verb| verbs.contains(&verb))
                    && !mentions.contains(&command)
                    && !names_the_lab(command)
                    && !other.iter().any(|other| command.contains(other))
                {
                    broken.push(format!("{}:{number}: {command}", source.path));
                }
            }
        }
    }
    nowhere("commands that name no lab", &broken);
}

/// Whether a lab's flags are filled in: they bring their own blank.
fn names_the_lab(command: &str) -> bool {
    let flags = ["", "lab", "LAB", "flags", "at", "asked", "in_lab", "config"];
    let filled_in = command.match_indices('{').filter(|(at, _)| {
        let name = command[at + 1..].split(['}', '(']).next();
        !command[..*at].ends_with(' ') && name.is_some_and(|name| flags.contains(&name))
    });
    filled_in.count() > 0
}

#[test]
fn a_topic_that_is_filled_in_names_no_lab() {
    for named in [
        "kmk explain{lab} {topic}",
        "kmk explain {topic}{at}",
        "kmk stop{}",
        "kmk lag{in_lab(lab)}",
    ] {
        assert!(names_the_lab(named), "{named}");
    }
    for nameless in [
        "kmk explain {topic}",
        "kmk topic delete {}",
        "kmk topic alter {topic}{settings}",
        "kmk lag",
    ] {
        assert!(!names_the_lab(nameless), "{nameless}");
    }
}

#[test]
fn no_file_is_long() {
    let lines = |source: &Source| source.text.lines().count();
    let long = sources("src")
        .iter()
        .filter(|source| lines(source) > 400)
        .map(|s| format!("{}: {}", s.path, lines(s)))
        .collect::<Vec<_>>();
    nowhere("files of more than 400 lines", &long);
}

#[test]
fn every_module_says_what_it_is() {
    let silent = ["src", "tests", "benches"].into_iter().flat_map(sources);
    let silent = silent
        .filter(|source| !source.text.starts_with("//!") && !source.path.starts_with("src/cli/"));
    nowhere(
        "files without a first line that says what they are",
        &silent.map(|source| source.path).collect::<Vec<_>>(),
    );
}

#[test]
fn no_file_is_named_for_nothing() {
    let vague = [
        "util", "utils", "common", "helper", "helpers", "misc", "manager",
    ];
    let named = |source: &Source| {
        source
            .path
            .split(['/', '.'])
            .any(|part| vague.contains(&part))
    };
    let broken: Vec<String> = ["src", "tests", "benches"]
        .into_iter()
        .flat_map(sources)
        .filter(named)
        .map(|s| s.path)
        .collect();
    nowhere("names that say nothing", &broken);
}
