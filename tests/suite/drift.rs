//! What somebody took from a lab's containers while they ran: a deploy gives it back.

use crate::docker::{Docker, Rule, UP};
use crate::kmk::{DEPLOY, Kmk};
use crate::lab::FakeLab;

/// A lab that runs as it was deployed, but for a change; and `docker` with it.
fn with(change: impl Fn(FakeLab) -> FakeLab) -> Kmk {
    let kmk = Kmk::new();
    kmk.run(&format!("{DEPLOY} --dry-run")).code(0);
    let written = std::fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    let lab = change(kmk.lab().made_from(&written));
    let docker = Docker::works().with(&lab).rule(Rule::on(UP));
    kmk.docker(
        &docker
            .rule(Rule::on("network connect *"))
            .rule(Rule::on("logs *")),
    )
}

pub(crate) const IN_PLACE: &str = "compose --ansi never -p kmk-demo -f $ROOT/here/kmk-lab/docker-compose.yml up --detach --quiet-pull";

#[test]
fn a_link_that_was_cut_is_mended_under_the_name_that_others_look_for() {
    for (service, cluster) in [("mm2-secondary", "primary"), ("primary", "primary")] {
        let kmk = with(|lab| lab.cut(service, cluster));
        kmk.deploy("--timeout 1s")
            .code(3)
            .changed(&[
                &format!("{IN_PLACE} --no-recreate"),
                &format!("network connect --alias {service} kmk-demo_{cluster} id-demo-{service}"),
            ])
            .stderr_has(&format!(
                "✓ Reconnected {service} to network kmk-demo_{cluster} (<time>)\n"
            ));
    }
}

#[test]
fn a_container_with_other_limits_is_recreated() {
    const MEMORY: u64 = 512 << 20;
    for (change, is_recreated) in [
        (
            &(|lab: FakeLab| lab.memory("primary", MEMORY / 2)) as &dyn Fn(FakeLab) -> FakeLab,
            true,
        ),
        (&|lab| lab.nano_cpus("primary", 10_000_000), true),
        (
            &|lab| {
                lab.memory("primary", MEMORY)
                    .nano_cpus("primary", 2_000_000_000)
            },
            false,
        ),
    ] {
        let up = [
            format!("{IN_PLACE} --force-recreate --no-deps -- primary"),
            format!("{IN_PLACE} --no-recreate"),
        ];
        let expected: Vec<&str> = up
            .iter()
            .filter(|_| is_recreated)
            .map(String::as_str)
            .collect();
        with(change)
            .deploy("--timeout 1s")
            .code(3)
            .changed(&expected);
    }
}

#[test]
fn a_mirrormaker_that_was_stopped_is_started_only_once_the_brokers_answer() {
    let stopped = serde_json::json!({"Status": "exited", "StartedAt": "2026-01-01T00:00:01Z"});
    with(|lab| lab.state("mm2-secondary", stopped.clone()))
        .deploy("--timeout 1s")
        .code(3)
        .changed(&[])
        .stderr_has("broker primary of cluster `primary` does not answer");
}
