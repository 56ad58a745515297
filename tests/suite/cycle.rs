//! From healthy to healthy: what is told of a drill meanwhile, and what is told of the way home before it is begun.

use crate::failback::{Lab, docker, docker_of};
use crate::kmk::{DEPLOY, Kmk};
use serde_json::{Value, json};

#[test]
fn a_drill_that_was_not_taken_back_is_told_to_scripts() {
    let drill = |naming: &str, phase: &str| -> Value {
        let kmk = Kmk::on(|kmk| docker(kmk, naming, phase));
        let ran = kmk.run("status --json").code(1);
        let text = ran.text().replace(": $PRIMARY", ": 1");
        let status: Value = serde_json::from_str(&text.replace(": $SECONDARY", ": 2")).unwrap();
        status["drill"].clone()
    };
    assert_eq!(
        drill("prefix", "failed-over"),
        json!({
            "what": "failover", "flow": "primary->secondary", "phase": "failed_over", "since": "1970-01-01T00:00:00Z",
            "next": ["kmk drill failback", "kmk drill abort"],
        })
    );
    let begun = drill("prefix", "running");
    assert_eq!(
        (&begun["phase"], &begun["next"]),
        (&json!("begun"), &json!(["kmk drill abort"]))
    );
}

#[test]
fn a_dry_run_of_a_failback_lists_what_is_stranded_and_touches_nothing() {
    let lab = Lab::new();
    let before = [lab.primary.topics(), lab.secondary.topics()];
    let ran = lab.kmk.run("drill failback --dry-run").code(0).changed(&[]);
    ran.stdout_has("A failback of primary->secondary would:\n  1. check that no mirrored topic grows on primary")
        .stdout_has("  2. start primary->secondary and secondary->primary: these records are mirrored too, late\n")
        .stdout_has("\n  8. remove the drill's topics and groups\n\nOnly on primary now: 6 records:\n")
        .stdout_has("kmk-drill-1-orders  1          10..12   3        mirrors them late\n");
    let ran = lab
        .kmk
        .run("drill failback --dry-run --keep --json")
        .code(0);
    let rehearsal: Value = serde_json::from_str(ran.text()).unwrap();
    assert_eq!(
        (&rehearsal["stranded_records"], &rehearsal["adds_flow"]),
        (&json!(6), &json!(false))
    );
    assert_eq!(rehearsal["steps"].as_array().unwrap().len(), 7);
    assert_eq!([lab.primary.topics(), lab.secondary.topics()], before);
}

#[test]
fn a_dry_run_says_what_cannot_be_read_and_which_flow_is_added() {
    let kmk = Kmk::new();
    kmk.run(&format!("{DEPLOY} --dry-run")).code(0);
    let written = std::fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    let lab = kmk.lab().made_from(&written).exited("primary", 137);
    let kmk = kmk.docker(&docker_of(lab, "failed-over"));
    let ran = kmk.run("drill failback --dry-run").code(0).changed(&[]);
    ran.stdout_has("would:\n  1. start primary\n")
        .stdout_has("  3. add flow secondary->primary, and start primary->secondary: ")
        .stdout_has("  9. remove the drill's topics and groups, and flow secondary->primary\n")
        .stdout_has("note: adding secondary->primary starts mm2-primary and recreates mm2-secondary, primary")
        .stdout_has("\n\nRecords that are only on primary cannot be read: primary is down.\n");
}
