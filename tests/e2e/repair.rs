//! What was killed, removed or cut off comes back, and nothing is lost.

use crate::engine::{docker, docker_words};
use crate::kcat::CROSSING;
use crate::lab::Lab;
use crate::process::{PATIENCE, until};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

/// MirrorMaker comes back by itself within 15 s on an idle machine.
const BY_ITSELF: Duration = Duration::from_secs(30);

/// What is done to a container, and what status says of it.
const KILL: (&str, &str) = ("kill", "has exited with code 137");
const REMOVE: (&str, &str) = ("rm -f", "is missing");
const PAUSE: (&str, &str) = ("pause", "is paused");

#[test]
#[ignore = "needs Docker"]
fn deploy_repairs_what_was_killed_or_removed() {
    deploy_repairs(
        &[
            (PAUSE, "primary"),
            (REMOVE, "primary"),
            (KILL, "secondary"),
            (KILL, "mm2-secondary"),
            (REMOVE, "mm2-secondary"),
        ],
        &[("mm2-secondary", "primary"), ("primary", "primary")],
    );
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn deploy_repairs_every_container_and_link() {
        let services = ["primary", "secondary", "mm2-secondary"];
        let faults: Vec<_> = [KILL, REMOVE, PAUSE]
            .iter()
            .flat_map(|fault| services.map(|service| (*fault, service)))
            .collect();
        let links = [
            ("mm2-secondary", "primary"),
            ("mm2-secondary", "secondary"),
            ("primary", "primary"),
            ("secondary", "secondary"),
        ];
        deploy_repairs(&faults, &links);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn mirror_maker_comes_back_by_itself_when_the_link_was_cut_as_it_started() {
        let lab = Lab::deployed("by-itself", "");
        let (network, mirror) = (lab.network("primary"), lab.container("mm2-secondary"));
        let begun = now();
        docker(&format!("network disconnect {network} {mirror}"));
        docker(&format!("restart -t 1 {mirror}"));
        until_it_failed(&mirror, &begun);
        lab.primary().produce("orders", "while cut\n");
        let sent = BTreeSet::from(["while cut".to_owned()]);
        let healed = Instant::now();
        docker(&format!("network connect {network} {mirror}"));
        lab.secondary()
            .until_it_has("primary.orders", &sent, BY_ITSELF);
        println!(
            "  MEASURED {:.1} s from the link's healing to the record",
            healed.elapsed().as_secs_f64()
        );
        until("status is well again", BY_ITSELF, || healthy(&lab));
    }
}

fn deploy_repairs(faults: &[((&str, &str), &str)], links: &[(&str, &str)]) {
    let lab = Lab::deployed("repair", "");
    let mut sent = BTreeSet::new();
    let produce = |sent: &mut BTreeSet<String>, when: &str| {
        let records: Vec<String> = (0..20).map(|number| format!("{number} {when}")).collect();
        lab.primary()
            .produce("orders", &(records.join("\n") + "\n"));
        sent.extend(records);
    };
    produce(&mut sent, "at first");
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);
    for ((fault, problem), service) in faults {
        println!("docker {fault} {service}");
        produce(&mut sent, &format!("before {fault} {service}"));
        docker(&format!("{fault} {}", lab.container(service)));
        lab.kmk("status")
            .code(1)
            .prints("NOT HEALTHY")
            .prints(service)
            .prints(problem);
        let status = lab.kmk("status --json").code(1).json();
        assert_eq!(status["healthy"], false);
        lab.kmk("deploy").code(0);
        produce(&mut sent, &format!("after {fault} {service}"));
        lab.secondary()
            .until_it_has("primary.orders", &sent, CROSSING);
        lab.primary().until_it_has("orders", &sent, CROSSING);
        assert_eq!(
            lab.primary().values("orders").len(),
            sent.len(),
            "each once at the source"
        );
        lab.kmk("status").code(0);
    }
    for (service, cluster) in links {
        println!("{service} is cut off from the network of {cluster}");
        produce(&mut sent, &format!("before {service} {cluster}"));
        let (network, container) = (lab.network(cluster), lab.container(service));
        docker(&format!("network disconnect {network} {container}"));
        lab.kmk("status").code(1).prints("NOT HEALTHY");
        lab.kmk("deploy").code(0).prints("is repaired");
        produce(&mut sent, &format!("after {service} {cluster}"));
        lab.secondary()
            .until_it_has("primary.orders", &sent, CROSSING);
        // a broker that was cut off may still lose its session, and lead nothing until it has another
        until("status is well again", BY_ITSELF, || healthy(&lab));
    }
    println!("MirrorMaker is given less memory");
    let mirror = lab.container("mm2-secondary");
    let memory = || {
        docker_words(
            &["inspect", "--format", "{{.HostConfig.Memory}}", &mirror],
            b"",
        )
    };
    let as_made = memory();
    docker(&format!("update --memory 400m --memory-swap 800m {mirror}"));
    assert_ne!(memory(), as_made);
    lab.kmk("deploy").code(0).prints("Recreated: mm2-secondary");
    assert_eq!(memory(), as_made);
    println!(
        "  {} records sent, {} arrived",
        sent.len(),
        lab.secondary().values("primary.orders").len()
    );
    assert_eq!(lab.mounted_volumes(), lab.volumes(), "no anonymous ones");
    lab.kmk("destroy").code(0);
    lab.assert_gone();
}

#[test]
#[ignore = "needs Docker"]
fn mirror_maker_comes_back_by_itself() {
    let lab = Lab::deployed("by-itself", "");
    let mirror = lab.container("mm2-secondary");
    lab.primary().produce("orders", "at first\n");
    let mut sent = BTreeSet::from(["at first".to_owned()]);
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);

    println!("MirrorMaker itself dies in its container");
    let kill = "for process in /proc/[0-9]*; do case $(readlink $process/exe) in *java) \
                kill -9 ${process#/proc/} && echo killed;; esac; done";
    assert_eq!(
        docker_words(&["exec", &mirror, "bash", "-c", kill], b""),
        "killed"
    );
    lab.primary().produce("orders", "after its death\n");
    sent.insert("after its death".to_owned());
    lab.secondary()
        .until_it_has("primary.orders", &sent, BY_ITSELF);

    println!("the source is down while MirrorMaker starts");
    let begun = now();
    docker(&format!("kill {}", lab.container("primary")));
    docker(&format!("restart -t 1 {mirror}"));
    until_it_failed(&mirror, &begun);
    let healed = Instant::now();
    docker(&format!("start {}", lab.container("primary")));
    lab.primary().until_it_answers();
    lab.primary().produce("orders", "at last\n");
    sent.insert("at last".to_owned());
    lab.secondary()
        .until_it_has("primary.orders", &sent, BY_ITSELF);
    println!(
        "  MEASURED {:.1} s from the source's start to the record",
        healed.elapsed().as_secs_f64()
    );
    until("status is well again", BY_ITSELF, || healthy(&lab));
}

fn healthy(lab: &Lab) -> Option<()> {
    let status = lab.command("status").output().unwrap();
    status.status.success().then_some(())
}

/// Now, as docker writes it.
fn now() -> String {
    humantime::format_rfc3339_nanos(std::time::SystemTime::now()).to_string()
}

/// Waits until MirrorMaker's log says that it could not start what reads the source.
fn until_it_failed(mirror: &str, since: &str) {
    until("MirrorMaker has failed", PATIENCE, || {
        let log = Command::new("docker")
            .args(["logs", "--since", since, mirror])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&log.stdout);
        let failed = [
            "Failed to start connector",
            "uncaught and unrecoverable",
            "Failed to reconfigure connector",
        ];
        failed
            .iter()
            .any(|words| text.contains(words))
            .then_some(())
    });
}
