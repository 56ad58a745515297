//! A flow that is added to a lab that runs: records cross in both directions, none is lost, and none goes round.

use crate::kcat::CROSSING;
use crate::lab::Lab;
use std::collections::BTreeSet;

#[test]
#[ignore = "needs Docker"]
fn a_flow_back_is_added_and_nothing_else_changes() {
    let lab = Lab::deployed("add-flow", "");
    let (primary, secondary) = (lab.primary(), lab.secondary());
    primary.produce("orders", "there 1\nthere 2\n");
    secondary.produce("orders", "here 1\nhere 2\n");
    let before = lab.ids();
    lab.kmk("deploy --add-flow secondary:primary")
        .code(0)
        .prints("is updated and replicates")
        .says("note: adding secondary->primary starts mm2-primary and recreates mm2-secondary, primary; records are kept");
    let after = lab.ids();
    assert_eq!(before["secondary"], after["secondary"]);
    assert_ne!(before["primary"], after["primary"]);
    assert!(after.contains_key("mm2-primary"), "{after:?}");
    primary.produce("orders", "there 3\n");
    secondary.produce("orders", "here 3\n");
    let all = |side: &str| -> BTreeSet<String> {
        (1..=3).map(|number| format!("{side} {number}")).collect()
    };
    primary.until_it_has("secondary.orders", &all("here"), CROSSING);
    secondary.until_it_has("primary.orders", &all("there"), CROSSING);
    // what was there before is kept, and nothing comes back under a second prefix
    assert_eq!(primary.values("orders"), ["there 1", "there 2", "there 3"]);
    assert_eq!(secondary.values("orders"), ["here 1", "here 2", "here 3"]);
    for (kcat, round) in [
        (&primary, "secondary.primary.orders"),
        (&secondary, "primary.secondary.orders"),
    ] {
        assert!(!kcat.topics().contains_key(round), "{round}");
    }
    lab.kmk("deploy --add-flow secondary:primary")
        .code(2)
        .says("error: flow secondary->primary exists already");
    lab.kmk("deploy")
        .code(0)
        .prints("already runs as requested");
    lab.kmk("status").code(0);
}
