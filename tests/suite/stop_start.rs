//! A lab is stopped and started: what docker is told, in which order, and what is said of a lab that is stopped.

use crate::docker::{Docker, Rule};
use crate::kmk::Kmk;
use crate::lab::FakeLab;
use indoc::indoc;
use rustix::process::Signal;
use serde_json::json;

const STOP: [&str; 2] = [
    "stop id-demo-mm2-secondary",
    "stop id-demo-primary id-demo-secondary",
];
const START: [&str; 2] = [
    "start id-demo-primary id-demo-secondary",
    "start id-demo-mm2-secondary",
];

fn asleep(kmk: &Kmk) -> FakeLab {
    ["primary", "secondary", "mm2-secondary"]
        .iter()
        .fold(kmk.lab(), |lab, service| lab.exited(service, 143))
}

fn stopped() -> Kmk {
    Kmk::on(|kmk| {
        Docker::works()
            .with(&asleep(kmk))
            .rule(Rule::on("start *"))
            .rule(Rule::on("logs *"))
    })
}

fn running() -> Kmk {
    Kmk::on(|kmk| {
        Docker::works()
            .with(&kmk.lab())
            .rule(Rule::on("stop *"))
            .rule(Rule::on("logs *"))
    })
}

#[test]
fn mirror_maker_stops_first_and_nothing_is_removed() {
    running()
        .run("stop")
        .code(0)
        .changed(&STOP)
        .stdout("Lab `demo` was stopped in <time>: 3 containers. Its records are kept.\n")
        .stderr(indoc! {"
        Stopping MirrorMaker ...
        ✓ Stopped MirrorMaker (<time>)
        Stopping the brokers ...
        ✓ Stopped the brokers (<time>)

        Next:
          kmk start  # start it again
          kmk destroy  # remove everything
    "});
    running().run("stop --quiet").code(0).stderr("");
}

#[test]
fn stopping_twice_does_nothing_more() {
    let ran = stopped().run("stop --quiet").code(0).changed(&[]);
    ran.stdout("Lab `demo` is already stopped.\n");
}

#[test]
fn what_is_left_of_a_lab_is_stopped_too() {
    let paused = json!({"Status": "paused"});
    let kmk = Kmk::on(|kmk| {
        let lab = kmk.lab().without("mm2-secondary").state("primary", paused);
        let docker = Docker::works().with(&lab);
        docker.rule(Rule::on("unpause *")).rule(Rule::on("stop *"))
    });
    kmk.run("stop").code(0).changed(&[
        "unpause id-demo-primary",
        "stop id-demo-primary id-demo-secondary",
    ]);
}

#[test]
fn what_docker_does_not_stop_is_an_error() {
    let kmk = Kmk::on(|kmk| {
        let docker = Docker::works().with(&kmk.lab());
        docker.rule(Rule::on("stop *").fails(1, "cannot stop container\n"))
    });
    let ran = kmk.run("stop").code(3).stdout("").changed(&STOP[..1]);
    ran.stderr_has("error: `docker stop id-demo-mm2-secondary` failed with exit code 1\n  caused by: cannot stop container\n");
}

#[test]
fn labs_that_are_not_there_or_not_understood() {
    for verb in ["stop", "start"] {
        Kmk::new().run(verb).code(3).stdout("").stderr(indoc! {"
            error: there is no lab `demo`
              hint: `kmk deploy` starts it
        "});
        let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab().format("99")));
        let ran = kmk.run(verb).code(3).stdout("").changed(&[]);
        ran.stderr_has("error: lab `demo` was created by a newer kmk");
        crate::flags::refused(&[
            (
                &format!("{verb} --timeout 0s"),
                "it must be longer than zero",
            ),
            (&format!("{verb} --lab A"), "use lower-case letters"),
            (&format!("{verb} demo"), "unexpected argument 'demo'"),
        ]);
    }
}

#[test]
fn brokers_start_before_mirror_maker_and_are_waited_for() {
    let ran = stopped()
        .run("start --timeout 500ms")
        .code(3)
        .stdout("")
        .changed(&START);
    ran.stderr_has("Starting the containers ...\n✓ Started the containers (<time>)\nWaiting for the brokers ...\n")
        .stderr_has("error: broker primary of cluster `primary` does not answer: not within <time>; last seen: 127.0.0.1:$PRIMARY does not answer yet\n  hint: give it more time with --timeout 300s\n")
        .stderr_has("What was started keeps running: `kmk status` shows the lab's health, `kmk start` tries again.\n");
}

#[test]
fn a_broker_that_ends_again_is_shown_with_its_log() {
    let kmk = Kmk::on(|kmk| {
        let docker = Docker::works().with(&asleep(kmk)).rule(Rule::on("start *"));
        docker.rule(Rule::on("logs *").says("out of disk\n"))
    });
    let ran = kmk.run("start --timeout 20s").code(3).stdout("");
    ran.stderr_has("error: broker primary of cluster `primary` does not answer: its container has exited with code 143")
        .stderr_has("Container kmk-demo-primary-1 has exited with code 143; the last lines of its log:\n  | out of disk\n");
}

#[test]
fn only_what_does_not_run_is_started() {
    let kmk = Kmk::on(|kmk| {
        let paused = json!({"Status": "paused"});
        let lab = kmk.lab().state("primary", paused).exited("secondary", 1);
        let docker = Docker::works().with(&lab).rule(Rule::on("unpause *"));
        docker.rule(Rule::on("start *")).rule(Rule::on("logs *"))
    });
    kmk.run("start --timeout 1s")
        .code(3)
        .changed(&["unpause id-demo-primary", "start id-demo-secondary"]);
    // one that runs is only waited for
    let ran = running().run("start --timeout 1s").code(3).changed(&[]);
    ran.stderr_has("Waiting for the brokers ...\n");
}

#[test]
fn what_was_removed_is_for_a_deploy() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&asleep(kmk).without("primary")));
    kmk.run("start")
        .code(3)
        .stdout("")
        .changed(&[])
        .stderr(indoc! {"
        error: lab `demo` is missing containers: primary
          hint: `kmk deploy` recreates them; the records on the lab's volumes are used again
    "});
}

#[test]
fn a_port_that_another_has_by_now() {
    let kmk = Kmk::on(|kmk| {
        let said = format!(
            "Error response from daemon: driver failed programming external connectivity: Bind for 127.0.0.1:{} failed: port is already allocated\n",
            kmk.ports()[0]
        );
        let docker = Docker::works().with(&asleep(kmk));
        docker
            .rule(Rule::on("ps *--filter publish=* --filter status=running"))
            .rule(Rule::on("start *").fails(1, &said))
    });
    kmk.run("start --quiet")
        .code(3)
        .stdout("")
        .changed(&START[..1])
        .stderr(indoc! {"
        error: port $PRIMARY for cluster `primary` is in use
          hint: free the port, or choose another with `kmk deploy --port CLUSTER=PORT`
        What was started keeps running: `kmk status` shows the lab's health, `kmk start` tries again.
    "});
}

#[test]
fn a_start_that_docker_refuses_may_be_repaired() {
    let kmk = Kmk::on(|kmk| {
        let docker = Docker::works().with(&asleep(kmk));
        docker.rule(Rule::on("start *").fails(1, "mount source is gone\n"))
    });
    let ran = kmk.run("start --lab demo").code(3).stdout("");
    ran.stderr_has(
        "  caused by: mount source is gone\n  hint: `kmk deploy` repairs what can be repaired\n",
    );
}

#[test]
fn an_interrupted_start_or_stop_says_so() {
    let kmk = Kmk::on(|kmk| {
        let docker = Docker::works().with(&asleep(kmk));
        docker.rule(Rule::on("start *").takes(60))
    });
    let start = kmk.start("start");
    start.until_docker_waits();
    kmk.run("stop")
        .code(3)
        .stderr_has("error: lab `demo` is in use by kmk start (process <pid>)\n");
    kmk.run("deploy").code(3).stderr_has("in use by kmk start");
    start.signal(Signal::INT);
    start.finish().code(130).stdout("").stderr(indoc! {"
        note: the lab's files were missing from $ROOT/here/kmk-lab, and have been written again
        Starting the containers ...
        error: interrupted
        What was started keeps running: `kmk status` shows the lab's health, `kmk start` tries again.
    "});

    let waiting = stopped();
    let start = waiting.start("start");
    start.until_called("start id-demo-mm2-secondary");
    start.signal(Signal::INT);
    start.finish().code(130).stderr_has("error: interrupted\n");

    let kmk = Kmk::on(|kmk| {
        let docker = Docker::works().with(&kmk.lab());
        docker.rule(Rule::on("stop *").takes(60))
    });
    let stop = kmk.start("stop");
    stop.until_docker_waits();
    kmk.run("start")
        .code(3)
        .stderr_has("in use by kmk stop (process <pid>)");
    stop.signal(Signal::INT);
    stop.finish().code(130).stdout("").stderr(indoc! {"
            Stopping MirrorMaker ...
            error: interrupted: mm2-secondary, primary, secondary of lab `demo` still run
              hint: `kmk stop` continues, `kmk start` starts what was stopped
        "});
}

#[test]
fn files_that_are_gone_are_written_before_a_container_mounts_them() {
    let kmk = stopped();
    kmk.run("start --timeout 300ms")
        .code(3)
        .changed(&START)
        .stderr_has("note: the lab's files were missing from $ROOT/here/kmk-lab, and have been written again\nStarting");
    let written = |file: &str| std::fs::read_to_string(kmk.work("kmk-lab").join(file)).unwrap();
    assert!(written("mm2.properties").contains("primary->secondary.enabled = true"));
    assert!(written("docker-compose.yml").contains("kmk-demo"));
    let again = kmk.run("start --timeout 300ms").code(3);
    again.stderr_lacks("have been written again");
}

#[test]
fn the_status_of_a_stopped_lab() {
    let kmk = stopped();
    kmk.run("status")
        .code(1)
        .changed(&[])
        .stderr("\nhint: `kmk start` starts it again\n")
        .stdout(indoc! {"
        Lab `demo`: stopped

        CONTAINER      STATE   FOR
        primary        exited  <time>
        secondary      exited  <time>
        mm2-secondary  exited  <time>

        CLUSTER    BROKERS  TOPICS  ADDRESS
        primary    0/1      -       127.0.0.1:$PRIMARY
        secondary  0/1      -       127.0.0.1:$SECONDARY

        FLOW                STATE    CANARY  TOPIC  MIRRORED AS  BEHIND  SECONDS
        primary->secondary  stopped  -       -                   -       -
    "});
    let ran = kmk.run("status --json").code(1);
    let status: serde_json::Value = serde_json::from_str(ran.text()).unwrap();
    assert_eq!(status["state"], "stopped");
    assert_eq!(status["healthy"], false);
    assert_eq!(status["clusters"][0]["problem"], "it is stopped");
}

#[test]
fn nobody_talks_to_a_lab_that_is_stopped() {
    // another listens on its port by now
    let kmk = stopped();
    let other = std::net::TcpListener::bind(("127.0.0.1", kmk.ports()[0])).unwrap();
    other.set_nonblocking(true).unwrap();
    for line in [
        "produce --topic t --messages 1",
        "consume --topic t --messages 1",
        "topics",
        "topic create t",
        "groups",
        "group delete g",
    ] {
        kmk.run(line).code(3).stdout("").stderr(indoc! {"
            error: lab `demo` is stopped
              hint: `kmk start` starts it again
        "});
    }
    kmk.run("status").code(1);
    assert!(other.accept().is_err(), "nobody connected");
    // asking what it is needs no broker
    kmk.run("env").code(0).stdout_has("KMK_LAB=demo\n");
}
