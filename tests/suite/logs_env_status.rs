//! What is said about a lab that is there, and about one that is not.

use crate::docker::{Docker, Rule};
use crate::kmk::Kmk;
use indoc::indoc;

#[test]
fn no_such_lab() {
    for verb in [
        "status",
        "env",
        "logs",
        "produce --topic t",
        "consume --topic t",
    ] {
        Kmk::new().run(verb).code(3).stdout("").stderr(indoc! {"
            error: there is no lab `demo`
              hint: `kmk deploy` starts it
        "});
    }
    Kmk::new()
        .run("status --lab two")
        .code(3)
        .stderr_has("hint: `kmk deploy --lab two` starts it\n");
}

#[test]
fn another_lab_may_be_meant() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()));
    kmk.run("status --lab dmeo")
        .code(3)
        .stdout("")
        .stderr(indoc! {"
        error: there is no lab `dmeo`
          hint: did you mean --lab demo?
    "});
    kmk.run("env --lab something")
        .code(3)
        .stdout("")
        .stderr(indoc! {"
        error: there is no lab `something`
          hint: existing labs: demo; `kmk deploy --lab something` creates this one
    "});
}

#[test]
fn env_is_for_scripts() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()));
    kmk.run("env").code(0).stderr("").stdout(indoc! {"
        export KMK_LAB=demo
        export PRIMARY_BOOTSTRAP=127.0.0.1:$PRIMARY
        export PRIMARY_BOOTSTRAP_INSIDE=primary:9092
        export PRIMARY_NETWORK=kmk-demo_primary
        export SECONDARY_BOOTSTRAP=127.0.0.1:$SECONDARY
        export SECONDARY_BOOTSTRAP_INSIDE=secondary:9092
        export SECONDARY_NETWORK=kmk-demo_secondary
    "});
}

#[test]
fn a_spec_that_no_kmk_wrote() {
    let kmk =
        Kmk::on(|kmk| Docker::works().with(&kmk.lab().spec(serde_json::json!({"lab": "demo"}))));
    let ran = kmk.run("env").code(3).stdout("");
    ran.stderr_has("error: container kmk-demo-")
        .stderr_has("of lab `demo` has an invalid label `kmk.spec`: ");
}

#[test]
fn an_answer_of_docker_that_makes_no_sense() {
    for answer in ["", "<html>", "{}", "[{}]"] {
        let kmk = Kmk::on(|kmk| {
            Docker::works()
                .with(&kmk.lab())
                .rule(Rule::on("container inspect *").says(answer))
        });
        let ran = kmk.run("env").code(3).stdout("");
        ran.stderr_has(
            "error: cannot parse the output of `docker container inspect id-demo-mm2-secondary ",
        )
        .stderr_has("\n  caused by: ");
    }
}

#[test]
fn status_of_brokers_that_do_not_answer() {
    let kmk = Kmk::on(|kmk| {
        Docker::works().with(&kmk.lab().exited("mm2-secondary", 143).without("secondary"))
    });
    let ran = kmk.run("status").code(1).changed(&[]);
    ran.stderr("\nhint: `kmk logs` shows more; `kmk deploy` repairs what can be repaired\n").stdout(indoc! {"
        Lab `demo`: NOT HEALTHY
          - container of secondary is missing
          - container kmk-demo-mm2-secondary-1 has exited with code 143
          - cluster primary: broker primary does not answer: 127.0.0.1:$PRIMARY: Connection refused (os error 111)
          - cluster secondary: broker secondary has no container
          - flow primary->secondary: MirrorMaker does not run

        CONTAINER      STATE    FOR
        primary        running  <time>
        secondary      missing  -
        mm2-secondary  exited   <time>

        CLUSTER    BROKERS  TOPICS  ADDRESS
        primary    0/1      -       127.0.0.1:$PRIMARY
        secondary  0/1      -       127.0.0.1:$SECONDARY

        FLOW                STATE      CANARY  TOPIC  MIRRORED AS  BEHIND  SECONDS
        primary->secondary  unhealthy  -       -                   -       -
    "});
}

#[test]
fn status_as_json() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab().exited("primary", 1)));
    let ran = kmk.run("status --json --quiet").code(1).stderr("");
    let status: serde_json::Value = serde_json::from_str(ran.text()).unwrap();
    assert_eq!(status["lab"], "demo");
    assert_eq!(status["healthy"], false);
    assert_eq!(
        status["containers"][0]["problem"],
        "container kmk-demo-primary-1 has exited with code 1"
    );
    assert_eq!(status["containers"][0]["since"], "2026-01-01T00:01:00Z");
    assert_eq!(status["clusters"][1]["bootstrap"], "127.0.0.1:$SECONDARY");
    assert_eq!(status["flows"][0]["name"], "primary->secondary");
    assert!(status["flows"][0]["behind"].is_null());
}

#[test]
fn status_with_memory() {
    let stats = r#"{"ID":"id-demo-primary","MemUsage":"201.3MiB / 512MiB"}"#;
    let kmk = Kmk::on(|kmk| {
        let lab = kmk.lab().exited("secondary", 1);
        Docker::works()
            .with(&lab)
            .rule(Rule::on("stats *id-demo-mm2-secondary id-demo-primary").says(stats))
    });
    let ran = kmk.run("status --verbose").code(1);
    ran.stdout_has("CONTAINER      STATE    FOR")
        .stdout_has("  MEMORY\n")
        .stdout_has("  201.3MiB\n");
}

fn logs() -> Kmk {
    Kmk::on(|kmk| {
        Docker::works()
            .with(&kmk.lab())
            .rule(Rule::on("logs --tail all id-demo-*").says("started\n"))
            .rule(Rule::on("logs --tail 1 id-demo-primary").says("last line\n"))
    })
}

#[test]
fn logs_of_one_service_are_plain() {
    logs()
        .run("logs primary")
        .code(0)
        .stdout("started\n")
        .stderr("");
    logs()
        .run("logs primary --tail 1")
        .code(0)
        .stdout("last line\n")
        .stderr("");
}

#[test]
fn logs_of_all_services_say_whose_they_are() {
    let ran = logs().run("logs").code(0).stderr("");
    let mut lines: Vec<&str> = ran.text().lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "mm2-secondary | started",
            "primary | started",
            "secondary | started"
        ]
    );
}

#[test]
fn logs_of_an_unknown_service() {
    logs()
        .run("logs primry")
        .code(2)
        .stdout("")
        .stderr(indoc! {"
        error: lab `demo` has no service `primry`
          hint: did you mean `primary`?
    "});
    logs()
        .run("logs zookeeper")
        .code(2)
        .stdout("")
        .stderr(indoc! {"
        error: lab `demo` has no service `zookeeper`
          hint: existing services: primary, secondary, mm2-secondary
    "});
}

#[test]
fn logs_of_a_service_whose_container_is_gone() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab().without("primary")));
    let ran = kmk.run("logs primary").code(3).stdout("");
    ran.stderr_lacks("has no service `primary`")
        .stderr_has("primary")
        .stderr_has("kmk deploy");
}

#[test]
fn logs_that_docker_does_not_tell() {
    let kmk = Kmk::on(|kmk| {
        Docker::works()
            .with(&kmk.lab())
            .rule(Rule::on("logs *").fails(1, "no such container\n"))
    });
    let ran = kmk.run("logs primary").code(3);
    ran.stderr_has("error: `docker logs --tail all id-demo-primary` failed with exit code 1\n  caused by: no such container\n");
}

#[test]
fn the_lab_of_the_environment_is_meant_unless_another_is_typed() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()));
    let kmk = kmk.variable("KMK_LAB", "other");
    kmk.run("env").code(3).stderr(indoc! {"
        error: there is no lab `other`
          hint: existing labs: demo; `kmk deploy --lab other` creates this one
    "});
    kmk.run("env --lab demo")
        .code(0)
        .stdout_has("export KMK_LAB=demo\n");
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()));
    kmk.variable("KMK_LAB", "").run("env").code(0);
    Kmk::new()
        .variable("KMK_LAB", "No!")
        .run("env")
        .code(2)
        .stderr_has("error: invalid value 'No!' for KMK_LAB: use lower-case letters")
        .no_calls();
}
