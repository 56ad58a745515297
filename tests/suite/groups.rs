//! Groups, as far as they go without a broker.

use crate::docker::Docker;
use crate::flags::refused;
use crate::kmk::Kmk;
use indoc::indoc;

const RESET: &str = "group reset billing --topic t --to earliest";

fn lab() -> Kmk {
    Kmk::on(|kmk| Docker::works().with(&kmk.lab()))
}

#[test]
fn flags_that_make_no_sense() {
    refused(&[
        ("group", "Usage: kmk group [OPTIONS] <COMMAND>"),
        ("group describe", "<GROUP>"),
        (
            "group descripe billing",
            "did you mean `kmk group describe`?",
        ),
        ("group reset --topic t --to earliest", "<GROUP>"),
        ("group reset billing --to earliest", "--topic <TOPIC>"),
        ("group reset billing --topic t", "--to <WHERE>"),
        (
            "group reset billing --topic t --to never",
            "must be `earliest`, `latest`, an offset from 0, a time such as",
        ),
        (
            "group reset billing --topic a/b --to latest",
            "'/' in topic name",
        ),
        (
            "group reset billing --topic t --to 1 --partition x",
            "invalid value 'x' for '--partition <N>'",
        ),
        ("group delete", "<GROUP>"),
        ("group delete billing --timeout 3", "time unit needed"),
        ("groups --group=", "--group <GROUP>"),
        (
            "groups --bootstrap a:1 --cluster primary",
            "cannot be used with",
        ),
        (
            "groups --flow primary->secondary --cluster primary",
            "cannot be used with",
        ),
        (
            "groups --flow primary->secondary --bootstrap a:1",
            "cannot be used with",
        ),
    ]);
}

#[test]
fn a_cluster_that_is_not_there() {
    let kmk = lab();
    for line in ["groups", RESET, "group delete billing"] {
        kmk.run(&format!("{line} --cluster secondry"))
            .code(2)
            .stdout("")
            .stderr(indoc! {"
                error: there is no cluster `secondry`
                  hint: did you mean `secondary`?
            "});
    }
}

#[test]
fn a_flow_that_is_not_there() {
    lab()
        .run("groups --flow secondary->primary")
        .code(2)
        .stdout("")
        .stderr_has("error: there is no flow `secondary->primary`")
        .stderr_has("primary->secondary");
}

#[test]
fn the_help_says_what_becomes_of_a_group_on_the_other_side() {
    Kmk::new()
        .run("groups --help")
        .code(0)
        .stdout_has("redelivered")
        .stdout_has("SKIPPED")
        .stdout_has("docs/groups.md");
}

#[test]
fn brokers_that_cannot_be_reached() {
    let kmk = lab();
    kmk.run("groups --flow primary->secondary --timeout 1s")
        .code(3)
        .stdout("")
        .stderr_has("error: no Kafka broker can be reached: 127.0.0.1:$PRIMARY");
    // groups are changed where `kmk consume` reads
    for line in [RESET, "group delete billing"] {
        kmk.run(&format!("{line} --timeout 1s")).code(3).stdout("").stderr(indoc! {"
            error: no Kafka broker can be reached: 127.0.0.1:$SECONDARY: Connection refused (os error 111)
              hint: `kmk status` shows the lab's health; `kmk deploy` repairs it
        "});
    }
    kmk.run("groups --timeout 1s")
        .code(3)
        .stdout("")
        .stderr_has("error: no Kafka broker can be reached: 127.0.0.1:$PRIMARY");
}

#[test]
fn a_cluster_that_is_no_labs_is_not_explained_with_one() {
    let kmk = Kmk::new();
    for line in ["groups", RESET, "group delete billing"] {
        let ran = kmk
            .run(&format!(
                "{line} --bootstrap 127.0.0.1:$PRIMARY --timeout 1s"
            ))
            .code(3)
            .stdout("")
            .no_calls();
        ran.stderr_has("error: no Kafka broker can be reached: 127.0.0.1:$PRIMARY")
            .stderr_lacks("kmk deploy");
    }
}
