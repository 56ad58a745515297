//! A lab's journal: it is removed with the lab, and one that cannot be understood is told, and never replaced.

use crate::docker::{Docker, Rule};
use crate::kmk::Kmk;
use indoc::indoc;

const LIST: &str = "volume ls --quiet --filter label=kmk.lab=demo --filter label=kmk.journal";
const INSPECT: &str = "volume inspect kmk-demo_journal-7";

/// A lab with a journal that has these labels.
fn with_journal(labels: &str) -> Kmk {
    let inspected =
        format!(r#"[{{"Name": "kmk-demo_journal-7", "Labels": {{"kmk.lab": "demo", {labels}}}}}]"#);
    Kmk::on(|kmk| {
        Docker::works()
            .with(&kmk.lab().journal(7))
            .rule(Rule::on(LIST).says("kmk-demo_journal-7\n"))
            .rule(Rule::on(INSPECT).says(&inspected))
    })
}

#[test]
fn it_is_removed_with_the_lab() {
    let kmk = with_journal(r#""kmk.format": "1", "kmk.journal": "0""#);
    let gone = "Lab `demo` was removed in <time>: 3 containers, 2 networks, 3 volumes.\n";
    let ran = kmk.run("destroy").code(0).stdout(gone);
    let removed =
        "volume rm --force kmk-demo_primary-data kmk-demo_secondary-data kmk-demo_journal-7";
    assert!(ran.all_calls().iter().any(|call| call == removed));
}

#[test]
fn one_of_a_newer_kmk_is_told_and_stays() {
    let kmk = with_journal(r#""kmk.format": "2", "kmk.journal": "1""#);
    for verb in ["status", "lag", "stop"] {
        kmk.run(verb).code(3).stdout("").stderr(indoc! {"
            error: volume kmk-demo_journal-7 was written by a newer kmk (its labels have format 2; this kmk knows formats up to 1)
              hint: use the kmk that wrote it, or a newer one
        "}).changed(&[]);
    }
    kmk.run("list").code(0);
}

#[test]
fn one_that_is_damaged_is_told_with_what_removes_it() {
    let kmk = with_journal(r#""kmk.format": "1", "kmk.journal": "1", "kmk.journal.1": "{""#);
    kmk.run("status")
        .code(3)
        .stdout("")
        .stderr_has("error: volume kmk-demo_journal-7 has invalid labels `kmk.journal`: EOF")
        .stderr_has("hint: `docker volume rm kmk-demo_journal-7` removes it")
        .changed(&[]);
}
