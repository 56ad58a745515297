//! A flow that is added to a lab that is there: what is refused, what is said before, and what docker is told.

use crate::docker::{Docker, Rule, UP};
use crate::flags::refused;
use crate::kmk::{DEPLOY, Kmk};
use indoc::indoc;

/// A lab that runs as it was deployed with these flags.
fn running(flags: &str) -> Kmk {
    let kmk = Kmk::new();
    kmk.run(&format!("{DEPLOY} --dry-run {flags}")).code(0);
    let written = std::fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    let lab = kmk.lab().made_from(&written);
    let docker = Docker::works().with(&lab).rule(Rule::on(UP));
    kmk.docker(&docker.rule(Rule::on("logs *")))
}

const RECREATE: &str = "compose --ansi never -p kmk-demo -f $ROOT/here/kmk-lab/docker-compose.yml up --detach --quiet-pull \
                        --force-recreate --no-deps -- mm2-secondary primary";
const TOLD: &str = "note: adding secondary->primary starts mm2-primary and recreates mm2-secondary, primary; records are kept; \
                    primary becomes a target, where a record keeps the time that its producer gave it: its brokers restart\n";

#[test]
fn what_it_starts_and_recreates_is_said_before_it_is_done() {
    for flow in ["secondary->primary", "secondary:primary"] {
        let kmk = running("--topics orders");
        // nobody answers on the ports of this test: MirrorMaker is not started yet
        let ran = kmk.run_words(["deploy", "--add-flow", flow, "--timeout", "1s"]);
        ran.code(3)
            .changed(&[RECREATE])
            .stderr_has(&format!("{TOLD}Starting the containers ...\n"));
        let written = |file: &str| std::fs::read_to_string(kmk.work("kmk-lab").join(file)).unwrap();
        let properties = written("mm2.properties");
        for line in [
            "primary->secondary.topics = orders, kmk-canary\n",
            "secondary->primary.enabled = true\n",
            "secondary->primary.topics = orders, kmk-canary\n",
        ] {
            assert!(properties.contains(line), "{line}\n{properties}");
        }
        assert!(written("docker-compose.yml").contains("\n  mm2-primary:\n"));
    }
}

#[test]
fn a_lab_that_does_not_fit_is_left_alone() {
    let kmk = running("");
    for (flow, said) in [
        (
            "primary->secondary",
            "error: flow primary->secondary exists already\n",
        ),
        (
            "secondary->primry",
            "error: there is no cluster `primry`\n  hint: did you mean `primary`?\n",
        ),
        (
            "primary->primary",
            "error: flow primary->primary goes from a cluster to itself\n",
        ),
    ] {
        let ran = kmk.run_words(["deploy", "--add-flow", flow]);
        ran.code(2).stdout("").changed(&[]).stderr(said);
    }
    let written = std::fs::read_to_string(kmk.work("kmk-lab/mm2.properties")).unwrap();
    assert!(
        !written.contains("secondary->primary.enabled = true"),
        "{written}"
    );
}

#[test]
fn both_directions_under_the_same_names_would_loop() {
    let kmk = Kmk::new();
    let file = indoc! {"
        clusters: [{name: primary}, {name: secondary}]
        flows: [{from: primary, to: secondary, naming: same}]
    "};
    std::fs::write(kmk.work("kmk.yml"), file).unwrap();
    kmk.run(&format!("{DEPLOY} --dry-run")).code(0);
    let written = std::fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    let lab = kmk.lab().made_from(&written);
    let kmk = kmk.docker(&Docker::works().with(&lab));
    kmk.run("deploy --add-flow secondary:primary")
        .code(2)
        .changed(&[])
        .stderr_has(
            "error: flows primary->secondary, secondary->primary form a cycle that MirrorMaker does not break",
        )
        .stderr_has(
            "note: kmk.yml is not read with --add-flow; add {from: secondary, to: primary} to its `flows`, or the next \
             deploy that reads it removes the flow\n",
        );
}

#[test]
fn there_must_be_a_lab() {
    let ran = Kmk::new().run("deploy --add-flow secondary:primary");
    ran.code(3)
        .stdout("")
        .changed(&[])
        .stderr_has("error: there is no lab `demo`\n");
}

#[test]
fn what_makes_no_sense_with_it() {
    refused(&[
        (
            "deploy --add-flow secondary",
            "write it as 'SOURCE->TARGET' in quotes, or SOURCE:TARGET",
        ),
        (
            "deploy --add-flow secondary-",
            "the shell took `>` for a redirection; write 'secondary->TARGET' in quotes, or secondary:TARGET",
        ),
        (
            "deploy --add-flow secondary:primary --dry-run",
            "cannot be used with '--dry-run'",
        ),
        (
            "deploy --add-flow secondary:primary --scenario dr",
            "cannot be used with",
        ),
    ]);
}
