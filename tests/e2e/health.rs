//! A status that cannot lie: each part is killed, paused, hung and starved in turn, and is named within seconds; and what
//! has healed is healthy within seconds, by itself.

use crate::engine::{docker, docker_words};
use crate::lab::Lab;
use crate::process::{PATIENCE, Ran, until};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long a status may take to name what is broken, and after it is mended to be healthy again: 5 s, and as much again
/// for a machine with other work.
const SOON: Duration = Duration::from_secs(10);
/// How long one status may take, whatever is silent.
const ONE: Duration = Duration::from_secs(6);

const WORKER: &str = "mm2-secondary";
/// `MirrorMaker` beside a shell; the first process of its container is the shell.
const JAVA: &str = "for process in /proc/[0-9]*; do case $(readlink $process/exe) in *java) \
                    kill -SIGNAL ${process#/proc/} && echo done;; esac; done";

fn status(lab: &Lab) -> (Value, Ran) {
    let ran = lab.kmk("status --json");
    assert!(ran.took < ONE, "a status took {:?}", ran.took);
    (ran.json(), ran)
}

/// All problems of a status, in its order.
fn problems(status: &Value) -> Vec<String> {
    let parts = ["containers", "clusters", "flows"];
    let parts = parts
        .iter()
        .flat_map(|kind| status[*kind].as_array().unwrap());
    let told = parts.flat_map(|part| {
        let many = part["problems"].as_array().into_iter().flatten();
        many.chain([&part["problem"]]).filter_map(Value::as_str)
    });
    told.map(str::to_owned).collect()
}

/// Breaks something, waits until a status says each of these words, mends it, and waits until all is well.
#[track_caller]
fn breaks(lab: &Lab, what: &str, fault: impl FnOnce(), words: &[&str], heal: impl FnOnce()) {
    println!("{what}");
    fault();
    let broken = Instant::now();
    let mut last = Vec::new();
    until(&format!("it says {words:?}"), SOON, || {
        let (status, _) = status(lab);
        last = problems(&status);
        let said = |word: &&str| last.iter().any(|problem| problem.contains(*word));
        (status["healthy"] == false && words.iter().all(said)).then_some(())
    });
    let named = broken.elapsed();
    heal();
    let mended = Instant::now();
    until("it is healthy", SOON, || {
        (status(lab).0["healthy"] == true).then_some(())
    });
    println!(
        "  MEASURED {what}: named after {:.1} s, healthy {:.1} s after it was mended",
        named.as_secs_f64(),
        mended.elapsed().as_secs_f64()
    );
    for problem in last {
        println!("    {problem}");
    }
}

#[test]
#[ignore = "needs Docker"]
fn what_is_broken_is_named_and_what_has_healed_is_well_within_seconds() {
    let lab = Lab::deployed("health", "");
    let well = lab.kmk("status --json").code(0).json();
    assert_eq!(well["flows"][0]["canary"]["outcome"], "arrived", "{well}");
    a_cluster_breaks(&lab, "primary");
    a_worker_breaks(&lab);
    let [worker, primary, secondary] =
        [WORKER, "primary", "secondary"].map(|service| lab.container(service));
    breaks(
        &lab,
        "three parts at once",
        || {
            docker(&format!("kill --signal STOP {primary}"));
            docker(&format!("pause {secondary}"));
            signal(&worker, "STOP");
        },
        &[
            "broker primary does not answer",
            "broker secondary is paused",
        ],
        || {
            docker(&format!("kill --signal CONT {primary}"));
            docker(&format!("unpause {secondary}"));
            signal(&worker, "CONT");
        },
    );
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn a_target_that_is_down_while_mirrormaker_starts_is_named_and_copied_to_when_it_is_back() {
        let lab = Lab::deployed("midlife", "");
        docker(&format!("kill {}", lab.container("secondary")));
        docker(&format!("restart -t 1 {}", lab.container(WORKER)));
        lab.primary().produce("orders", "while it was down\n");
        let (down, _) = status(&lab);
        assert_eq!(down["healthy"], false, "{down}");
        docker(&format!("start {}", lab.container("secondary")));
        lab.secondary().until_it_answers();
        let healed = Instant::now();
        copied(&lab, 1);
        until("it is healthy", PATIENCE, || {
            (status(&lab).0["healthy"] == true).then_some(())
        });
        println!(
            "  MEASURED {:.1} s from the target's start until it is healthy",
            healed.elapsed().as_secs_f64()
        );
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_target_that_is_broken_is_named_and_well_within_seconds_when_it_has_healed() {
        a_cluster_breaks(&Lab::deployed("health", ""), "secondary");
    }
}

/// Sends a signal to `MirrorMaker` in its container.
pub(crate) fn signal(worker: &str, signal: &str) {
    let script = JAVA.replace("SIGNAL", signal);
    let words = ["exec", worker, "bash", "-c", &script];
    assert_eq!(docker_words(&words, b""), "done");
}

fn a_cluster_breaks(lab: &Lab, service: &str) {
    let (container, worker) = (lab.container(service), lab.container(WORKER));
    let gone = format!("cluster {service} cannot be reached");
    let order = |line: &str| drop(docker(&format!("{line} {container}")));
    breaks(
        lab,
        &format!("{service} is paused"),
        || order("pause"),
        &[&format!("broker {service} is paused"), &gone],
        || order("unpause"),
    );
    breaks(
        lab,
        &format!("{service} hangs"),
        || order("kill --signal STOP"),
        &[&format!("broker {service} does not answer"), &gone],
        || order("kill --signal CONT"),
    );
    breaks(
        lab,
        &format!("{service} is killed"),
        || order("kill"),
        &[&format!("broker {service} has exited with code 137"), &gone],
        || {
            order("start");
            match service {
                "primary" => lab.primary().until_it_answers(),
                _ => lab.secondary().until_it_answers(),
            }
        },
    );
    breaks(
        lab,
        &format!("{service} starves"),
        || order("update --cpus 0.01"),
        &[&format!("{service} may use only 0.01 of a CPU")],
        || order("update --cpus 2"),
    );
    let network = lab.network(service);
    breaks(
        lab,
        &format!("the link to {service} is cut"),
        || drop(docker(&format!("network disconnect {network} {worker}"))),
        &[&format!("cut off from the network of cluster {service}")],
        || drop(docker(&format!("network connect {network} {worker}"))),
    );
}

fn a_worker_breaks(lab: &Lab) {
    let worker = lab.container(WORKER);
    let order = |line: &str| drop(docker(&format!("{line} {worker}")));
    breaks(
        lab,
        "MirrorMaker is paused",
        || order("pause"),
        &["MirrorMaker is paused"],
        || order("unpause"),
    );
    breaks(
        lab,
        "MirrorMaker hangs, and says of itself that it runs",
        || signal(&worker, "STOP"),
        &["MirrorMaker has sent no heartbeat for", "has not arrived"],
        || signal(&worker, "CONT"),
    );
    breaks(
        lab,
        "MirrorMaker starves",
        || order("update --cpus 0.01"),
        &["mm2-secondary may use only 0.01 of a CPU"],
        || order("update --cpus 2"),
    );
    breaks(
        lab,
        "MirrorMaker is killed",
        || order("kill"),
        &["MirrorMaker does not run"],
        || order("start"),
    );
}

#[test]
#[ignore = "needs Docker"]
fn a_task_that_fails_in_the_middle_of_its_life_is_named_and_goes_on_by_itself() {
    let lab = Lab::deployed("midlife", "");
    lab.primary().produce("orders", "small\n");
    copied(&lab, 1);
    let limit = |bytes: u32| {
        let alter = "topic alter primary.orders --cluster secondary --force";
        lab.kmk(&format!("{alter} --config max.message.bytes={bytes}"))
            .code(0);
    };
    breaks(
        &lab,
        "a record is too large for the target",
        || {
            limit(1_000);
            lab.primary().produce("orders", &("x".repeat(5_000) + "\n"));
        },
        &[
            "topic `orders` blocks the whole flow: `primary.orders` accepts records of up to 1000 bytes",
        ],
        || limit(100_000),
    );
    copied(&lab, 2);
}

fn copied(lab: &Lab, records: usize) {
    until(&format!("{records} records are copied"), PATIENCE, || {
        let there = lab.secondary().topics().contains_key("primary.orders");
        (there && lab.secondary().values("primary.orders").len() >= records).then_some(())
    });
}
