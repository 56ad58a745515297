//! A scripted docker: rules from command lines to answers, kept as files that `docker.sh` reads.

use crate::lab::FakeLab;
use std::fs;
use std::path::Path;

/// One answer. Of all rules that fit a command, the one that was added last gives it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rule {
    pattern: String,
    stdout: String,
    stderr: String,
    code: u8,
    seconds: Option<u32>,
    from: Option<(String, u32)>,
    until: Option<(String, u32)>,
    is_journal: bool,
}

impl Rule {
    /// An empty answer to commands that match a pattern of the shell's `case`.
    pub(crate) fn on(pattern: &str) -> Self {
        Self {
            pattern: pattern.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn says(mut self, stdout: &str) -> Self {
        stdout.clone_into(&mut self.stdout);
        self
    }

    pub(crate) fn fails(mut self, code: u8, stderr: &str) -> Self {
        self.code = code;
        stderr.clone_into(&mut self.stderr);
        self
    }

    /// Takes its time after it has spoken; SIGINT ends it and is noted.
    pub(crate) fn takes(mut self, seconds: u32) -> Self {
        self.seconds = Some(seconds);
        self
    }

    /// Answers as docker does of journals: what was made is there.
    fn of_journals(mut self) -> Self {
        self.is_journal = true;
        self
    }

    /// Only once a command like this was run, that very command included.
    pub(crate) fn from(self, pattern: &str) -> Self {
        self.after(1, pattern)
    }

    /// Only once so many commands like this were run.
    pub(crate) fn after(mut self, times: u32, pattern: &str) -> Self {
        self.from = Some((pattern.to_owned(), times));
        self
    }

    /// Only until a command like this was run.
    pub(crate) fn until(self, pattern: &str) -> Self {
        self.before(1, pattern)
    }

    /// Only until so many commands like this were run.
    pub(crate) fn before(mut self, times: u32, pattern: &str) -> Self {
        self.until = Some((pattern.to_owned(), times));
        self
    }

    fn write(&self, directory: &Path) {
        fs::create_dir(directory).unwrap();
        let file = |name: &str, text: &str| fs::write(directory.join(name), text).unwrap();
        file("pattern", &format!("{}\n", self.pattern));
        file("out", &self.stdout);
        file("err", &self.stderr);
        file("code", &format!("{}\n", self.code));
        for (name, text) in [("from", &self.from), ("until", &self.until)] {
            if let Some((pattern, times)) = text {
                file(name, &format!("{pattern}\n{times}\n"));
            }
        }
        if self.is_journal {
            file("journal", "");
        }
        if let Some(seconds) = self.seconds {
            file("tenths", &format!("{}\n", seconds * 10));
        }
    }
}

/// All rules together. A command that none fits makes the test fail.
#[derive(Debug, Clone)]
pub(crate) struct Docker {
    rules: Vec<Rule>,
}

/// What `docker info` answers about a roomy engine that runs on another machine.
pub(crate) const ENGINE: &str =
    r#"{"id":"engine","memory":17179869184,"root":"/not/here","errors":null}"#;

/// What brings a lab up.
pub(crate) const UP: &str = "compose * up *";

/// Whether there is a volume of class-data archives: on an engine that works, a lab has been there before.
pub(crate) const CLASSES: &str = "volume ls --quiet --filter label=kmk.classes";
pub(crate) const FORGET_CLASSES: &str = "volume rm --force kmk-classes";

/// What kmk asks about journals.
const JOURNAL: [&str; 4] = [
    "volume ls * --filter label=kmk.journal",
    "volume create *_journal-*",
    "volume inspect *_journal-*",
    "volume rm --force *_journal-*",
];

impl Docker {
    /// An engine that works, with the image and without labs.
    pub(crate) fn works() -> Self {
        let nothing = ["ps *", "volume ls *", "network ls *"].map(Rule::on);
        let docker = Self {
            rules: nothing.to_vec(),
        };
        docker
            .rule(Rule::on("info *").says(ENGINE))
            .rule(Rule::on("compose version --short").says("2.26.1\n"))
            .rule(Rule::on("image inspect apache/kafka:3.9.2").says("[]"))
            .rule(
                Rule::on(CLASSES)
                    .says("kmk-classes\n")
                    .until(FORGET_CLASSES),
            )
            .rule(Rule::on(FORGET_CLASSES))
            .rules(JOURNAL.map(|pattern| Rule::on(pattern).of_journals()))
    }

    /// An engine that does not answer, for a reason.
    pub(crate) fn down(said: &str) -> Self {
        Self::works()
            .rule(Rule::on("info *").fails(1, said))
            .rule(Rule::on("--version").says("Docker version 27.0.0, build 1\n"))
    }

    pub(crate) fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    pub(crate) fn rules(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules.extend(rules);
        self
    }

    /// A lab that was there before.
    pub(crate) fn with(self, lab: &FakeLab) -> Self {
        self.rules(lab.rules())
    }

    /// What `compose up` makes: there as soon as that has begun.
    pub(crate) fn up_makes(self, lab: &FakeLab) -> Self {
        let made = lab.rules().into_iter().map(|rule| rule.from(UP));
        self.rule(Rule::on(UP)).rule(Rule::on("logs *")).rules(made)
    }

    pub(crate) fn write(&self, directory: &Path) {
        let rules = directory.join("rules");
        let _ = fs::remove_dir_all(&rules);
        fs::create_dir(&rules).unwrap();
        for (number, rule) in self.rules.iter().rev().enumerate() {
            rule.write(&rules.join(format!("{number:03}")));
        }
    }
}
