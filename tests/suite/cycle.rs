//! From healthy to healthy: what is told of a drill meanwhile, and what is told of the way home before it is begun.

use crate::failback::docker;
use crate::kmk::Kmk;
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
