//! Ctrl-C at any moment: what was made is taken back, and the exit code says so.

use crate::deploy::ROLLED_BACK;
use crate::docker::{Docker, Rule, UP};
use crate::kmk::{DEPLOY, Kmk};
use indoc::indoc;
use rustix::process::Signal;
use std::process::Command;

fn hangs_in_up(kmk: &Kmk) -> Docker {
    Docker::works().up_makes(&kmk.lab()).rule(
        Rule::on(UP)
            .says("Container kmk-demo-primary-1  Starting\n")
            .takes(60),
    )
}

#[test]
fn while_compose_works() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let kmk = Kmk::on(hangs_in_up);
        let running = kmk.start(DEPLOY);
        running.until_docker_waits();
        running.signal(signal);
        running
            .finish()
            .code(130)
            .stdout("")
            .changed(&ROLLED_BACK)
            .stderr(indoc! {"
            Starting the containers ...
              Container kmk-demo-primary-1  Starting
            Rolling back ...
            error: interrupted
            Rolled back: nothing from this deploy is left.
        "});
        assert_eq!(
            kmk.noted("signals"),
            ["INT"],
            "compose is asked to end, whatever kmk was sent"
        );
        assert!(!kmk.work("kmk-lab").exists());
    }
}

#[test]
fn while_brokers_start() {
    let kmk = Kmk::on(|kmk| {
        let inspect = "container inspect id-demo-mm2-secondary id-demo-primary id-demo-secondary";
        let answer = Docker::works().up_makes(&kmk.lab());
        // the first look at the containers after `up` takes a while; those of the rollback do not
        answer.rule(Rule::on(inspect).takes(60).until(&format!("{inspect}*")))
    });
    let running = kmk.start(DEPLOY);
    running.until_called("container inspect");
    running.signal(Signal::INT);
    let ran = running.finish().code(130).changed(&ROLLED_BACK);
    ran.stderr_has("Waiting for the brokers ...\nRolling back ...\nerror: interrupted\n");
}

#[test]
fn while_the_engine_is_asked() {
    let kmk = Kmk::new().docker(&Docker::works().rule(Rule::on("info *").takes(60)));
    let running = kmk.start(DEPLOY);
    running.until_docker_waits();
    running.signal(Signal::INT);
    running
        .finish()
        .code(130)
        .stdout("")
        .stderr("error: interrupted\n")
        .changed(&[]);
}

#[test]
fn while_an_image_is_pulled() {
    let docker = Docker::works()
        .rule(Rule::on("image inspect *").fails(1, ""))
        .rule(Rule::on("pull *").takes(60));
    let kmk = Kmk::new().docker(&docker);
    let running = kmk.start(DEPLOY);
    running.until_docker_waits();
    running.signal(Signal::INT);
    let pull = ["pull apache/kafka:3.9.2"];
    running
        .finish()
        .code(130)
        .stderr("Pulling apache/kafka:3.9.2 ...\nerror: interrupted\n")
        .changed(&pull);
}

#[test]
fn a_kept_lab_stays_after_ctrl_c() {
    let kmk = Kmk::on(hangs_in_up);
    let running = kmk.start(&format!("{DEPLOY} --keep"));
    running.until_docker_waits();
    running.signal(Signal::INT);
    running
        .finish()
        .code(130)
        .changed(&ROLLED_BACK[..1])
        .stderr_has("Kept for inspection");
}

#[test]
fn a_lab_that_was_there_stays_after_ctrl_c() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()).rule(Rule::on(UP).takes(2)));
    let running = kmk.start(DEPLOY);
    running.until_docker_waits();
    running.signal(Signal::INT);
    // what compose has begun to replace it also brings up again
    let ran = running
        .finish()
        .code(130)
        .stderr_has("error: interrupted\nThe lab existed before and is kept");
    ran.stderr_lacks("Rolling back");
    assert_eq!(kmk.noted("signals"), [""; 0], "compose was left alone");
    assert!(
        kmk.noted("calls")
            .iter()
            .all(|call| !call.starts_with("rm "))
    );
}

#[test]
fn destroy_and_status_and_logs() {
    for verb in ["destroy", "status", "logs", "env"] {
        let kmk = Kmk::new().docker(&Docker::works().rule(Rule::on("ps *").takes(60)));
        let running = kmk.start(verb);
        running.until_docker_waits();
        running.signal(Signal::INT);
        running
            .finish()
            .code(130)
            .stdout("")
            .stderr("error: interrupted\n")
            .changed(&[]);
    }
}

#[test]
fn a_destroy_that_has_begun_says_what_is_left() {
    let kmk = Kmk::on(|kmk| {
        let docker = Docker::works().with(&kmk.lab().without_containers());
        docker.rule(Rule::on("volume rm *").takes(60))
    });
    for verb in ["status", "start", "topics"] {
        kmk.run(verb).code(3).stdout("").changed(&[]).stderr(indoc! {"
            error: lab `demo` is incomplete: its containers are gone, and 2 networks, 2 volumes remain
              hint: `kmk destroy` removes what is left; `kmk deploy` rebuilds the lab, with the records on its volumes
        "});
    }
    let running = kmk.start("destroy");
    running.until_docker_waits();
    running.signal(Signal::INT);
    // the volumes are gone as soon as docker is told, here
    running.finish().code(130).stdout("").stderr(indoc! {"
        error: interrupted: 2 networks of lab `demo` are left
          hint: `kmk destroy` continues
    "});
}

#[test]
fn following_a_log_ends_with_ctrl_c() {
    let kmk = Kmk::on(|kmk| {
        Docker::works().with(&kmk.lab()).rule(
            Rule::on("logs *--follow id-demo-primary")
                .says("one\ntwo\n")
                .takes(60),
        )
    });
    let running = kmk.start("logs primary --follow");
    running.until_docker_waits();
    running.signal(Signal::INT);
    running.finish().code(130).stderr("");
}

#[cfg(target_os = "linux")]
#[test]
fn while_a_pipe_has_nobody_who_writes_to_it() {
    for line in [
        "lint pipe",
        "deploy --dry-run --config pipe",
        "produce --topic t --file pipe",
    ] {
        let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()));
        let made = Command::new("mkfifo").arg(kmk.work("pipe")).status();
        assert!(made.unwrap().success());
        let running = kmk.start(line);
        running.until_it_listens(Signal::TERM);
        running.signal(Signal::TERM);
        running.until_it_has_ended();
        running
            .finish()
            .code(130)
            .stdout("")
            .stderr("error: interrupted\n");
    }
}
