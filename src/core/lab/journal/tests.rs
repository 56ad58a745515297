//! A journal on a docker that is a script: what is written is read, whoever writes meanwhile.

use super::*;
use kmk_kafka::wait::Interrupt;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// The docker of the suite, with volumes and, if `has_lab`, a container of the lab.
struct FakeDocker {
    root: tempfile::TempDir,
}

impl FakeDocker {
    fn new(has_lab: bool) -> Self {
        let root = tempfile::tempdir().unwrap();
        let (bin, rules) = (root.path().join("bin"), root.path().join("fake/rules"));
        fs::create_dir(&bin).unwrap();
        fs::create_dir_all(&rules).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/docker.sh");
        symlink(script, bin.join("docker")).unwrap();
        let rule = |name: &str, files: &[(&str, &str)]| {
            fs::create_dir(rules.join(name)).unwrap();
            for (file, text) in files {
                fs::write(rules.join(name).join(file), text).unwrap();
            }
        };
        rule("0", &[("pattern", "volume *\n"), ("journal", "")]);
        let listed = if has_lab { "one\n" } else { "" };
        rule(
            "1",
            &[("pattern", "ps *\n"), ("out", listed), ("code", "0\n")],
        );
        let one = r#"[{"Id":"1","Name":"/a","Created":"","State":{"Status":"running"},"Config":{"Image":"i"}}]"#;
        rule(
            "2",
            &[
                ("pattern", "container inspect one\n"),
                ("out", one),
                ("code", "0\n"),
            ],
        );
        Self { root }
    }

    fn docker(&self) -> Docker {
        Docker::at(self.root.path().join("bin/docker"))
    }

    fn read(&self) -> Result<Journal, JournalError> {
        read(&self.docker(), "demo", &limit())
    }

    fn cut(&self, flow: &str, at: i64) {
        change(&self.docker(), "demo", &limit(), |journal| {
            journal.link(flow).cut = Some(cut(at));
        })
        .unwrap();
    }

    fn volumes(&self) -> Vec<String> {
        let Ok(files) = fs::read_dir(self.root.path().join("fake/volumes")) else {
            return Vec::new();
        };
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn has_written(&self, volume: &str, labels: &str) {
        let directory = self.root.path().join("fake/volumes");
        fs::create_dir_all(&directory).unwrap();
        let text = format!(r#"{{"Name":"{volume}","Labels":{{{labels}}}}}"#);
        fs::write(directory.join(volume), text).unwrap();
    }
}

fn limit() -> Limit {
    Limit::new(Duration::from_secs(60), &Interrupt::default())
}

fn cut(at: i64) -> Cut {
    Cut {
        at,
        until: None,
        half_open: false,
    }
}

#[test]
fn what_is_written_is_read_and_only_changes_are_written() {
    let fake = FakeDocker::new(true);
    assert_eq!(fake.read().unwrap(), Journal::default());
    let nothing = change(&fake.docker(), "demo", &limit(), |journal| {
        journal.link("a->b");
        7
    });
    assert_eq!(nothing.unwrap(), 7);
    assert!(fake.volumes().is_empty());
    fake.cut("a->b", 1);
    assert_eq!(fake.volumes(), ["kmk-demo_journal-1"]);
    fake.cut("a->b", 1);
    assert_eq!(fake.volumes(), ["kmk-demo_journal-1"]);
    fake.cut("b->a", 2);
    assert_eq!(fake.volumes(), ["kmk-demo_journal-2"]);
    let journal = fake.read().unwrap();
    assert_eq!(journal.cut("a->b"), Some(&cut(1)));
    assert_eq!(journal.cut("b->a"), Some(&cut(2)));
    let other = read(&fake.docker(), "other", &limit());
    assert_eq!(other.unwrap(), Journal::default());
}

#[test]
fn of_several_who_write_at_once_nothing_is_lost() {
    let fake = FakeDocker::new(true);
    thread::scope(|scope| {
        for writer in 0..4 {
            let fake = &fake;
            scope.spawn(move || {
                for at in 1..4 {
                    fake.cut(&format!("{writer}->{at}"), at);
                }
            });
        }
    });
    let links = fake.read().unwrap().links;
    assert_eq!(links.len(), 12, "{links:?}");
    fake.cut("last->one", 9);
    assert_eq!(fake.volumes().len(), 1);
}

#[test]
fn a_replacement_that_was_interrupted_is_finished_by_the_next() {
    let fake = FakeDocker::new(true);
    fake.cut("a->b", 1);
    let first = fake.root.path().join("fake/volumes/kmk-demo_journal-1");
    let kept = fs::read(&first).unwrap();
    fake.cut("a->b", 2);
    fs::write(&first, kept).unwrap();
    assert_eq!(fake.volumes(), ["kmk-demo_journal-1", "kmk-demo_journal-2"]);
    assert_eq!(fake.read().unwrap().cut("a->b"), Some(&cut(2)));
    fake.cut("a->b", 3);
    assert_eq!(fake.volumes(), ["kmk-demo_journal-3"]);
}

#[test]
fn a_lab_that_is_gone_leaves_no_journal() {
    let fake = FakeDocker::new(false);
    fake.cut("a->b", 1);
    assert!(fake.volumes().is_empty());
}

#[test]
fn what_cannot_be_understood_is_refused_and_stays() {
    let fake = FakeDocker::new(true);
    let damaged = [
        (r#""kmk.format":"2","kmk.journal":"0""#, "newer kmk"),
        (
            r#""kmk.format":"1","kmk.journal":"1""#,
            "`kmk.journal.1` is missing",
        ),
        (
            r#""kmk.format":"1","kmk.journal":"1","kmk.journal.1":"{""#,
            "EOF",
        ),
    ];
    for (labels, why) in damaged {
        fake.has_written("kmk-demo_journal-5", labels);
        let error = fake.read().unwrap_err().to_string();
        assert!(
            error.contains("kmk-demo_journal-5") && error.contains(why),
            "{error}"
        );
        let refused = change(&fake.docker(), "demo", &limit(), |journal| {
            journal.link("a->b").cut = Some(cut(1));
        });
        refused.unwrap_err();
        assert_eq!(fake.volumes(), ["kmk-demo_journal-5"]);
    }
}

#[test]
fn what_an_older_kmk_wrote_is_read_and_what_a_newer_one_added_stays() {
    assert_eq!(
        serde_json::from_str::<Journal>("{}").unwrap(),
        Journal::default()
    );
    let text = r#"{"links":{"a->b":{"cut":{"at":1}}},"weather":{"sun":[1]}}"#;
    let mut journal: Journal = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&journal).unwrap(), text);
    journal.links.clear();
    assert_eq!(
        serde_json::to_string(&journal).unwrap(),
        r#"{"weather":{"sun":[1]}}"#
    );
}

fn journals() -> impl Strategy<Value = Journal> {
    let cut =
        (any::<i64>(), any::<Option<i64>>(), any::<bool>()).prop_map(|(at, until, half_open)| {
            Cut {
                at,
                until,
                half_open,
            }
        });
    let link = prop::option::of(cut).prop_map(|cut| LinkState { cut, asked: None });
    prop::collection::btree_map("[a-z]{1,9}->[a-z\"\\\\é]{1,9}", link, 0..50).prop_map(|links| {
        let mut journal = Journal::default();
        journal.links = links;
        journal.tidy();
        journal
    })
}

proptest! {
    #[test]
    fn any_journal_is_the_same_again(journal in journals()) {
        let labels: std::collections::BTreeMap<_, _> = written("demo", &journal).into_iter().collect();
        let inspected = serde_json::json!({"Name": "kmk-demo_journal-1", "Labels": labels});
        let volume: Labelled = serde_json::from_value(inspected).unwrap();
        prop_assert_eq!(parse(&volume).unwrap(), journal);
    }
}
