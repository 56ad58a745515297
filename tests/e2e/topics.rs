//! Which topics are mirrored, and what deploying again changes.

use crate::kcat::CROSSING;
use crate::lab::Lab;
use std::collections::BTreeSet;

const MIRRORED: [&str; 2] = ["orders", "pay.cards"];
const NOT_MIRRORED: [&str; 4] = ["other", "orders2", "payments", "pay.secret.keys"];

#[test]
#[ignore = "needs Docker"]
fn the_topics_asked_for_are_mirrored_and_no_others() {
    let lab = Lab::new("topics");
    lab.deploy(r"--topics orders,pay\..* --exclude .*secret.* --partitions 3")
        .code(0);
    // twice: topics that are new, then ones that MirrorMaker has looked at
    for round in ["first", "second"] {
        for topic in NOT_MIRRORED.iter().chain(&MIRRORED) {
            lab.primary()
                .produce(topic, &format!("{round} in {topic}\n"));
        }
        for topic in MIRRORED {
            let rounds = ["first", "second"]
                .iter()
                .take(if round == "first" { 1 } else { 2 });
            let expected = rounds.map(|round| format!("{round} in {topic}")).collect();
            lab.secondary()
                .until_it_has(&format!("primary.{topic}"), &expected, CROSSING);
        }
    }
    let copies = lab.secondary().topics();
    for topic in NOT_MIRRORED {
        assert!(
            !copies.contains_key(&format!("primary.{topic}")),
            "{copies:?}"
        );
    }
    for topic in MIRRORED {
        assert_eq!(lab.primary().topics()[topic], 3);
        assert_eq!(copies[&format!("primary.{topic}")], 3);
    }

    println!("deploying again changes nothing");
    let before = lab.ids();
    lab.kmk("deploy")
        .code(0)
        .prints("already runs as requested");
    lab.deploy("").code(0).prints("already runs as requested");
    assert_eq!(lab.ids(), before);

    println!("with another filter, MirrorMaker is recreated");
    lab.kmk("deploy --topics other")
        .code(0)
        .prints("Recreated: mm2-secondary.");
    let after = lab.ids();
    assert_eq!(changed(&before, &after), ["mm2-secondary"]);
    let expected = ["first", "second"].map(|round| format!("{round} in other"));
    lab.secondary()
        .until_it_has("primary.other", &BTreeSet::from(expected), CROSSING);

    println!("with other partitions, brokers are, and keep their records");
    lab.kmk("deploy --partitions 2").code(0);
    assert_eq!(changed(&after, &lab.ids()), ["primary", "secondary"]);
    assert_eq!(lab.primary().values("other").len(), 2);
    assert_eq!(lab.secondary().values("primary.orders").len(), 2);
    lab.primary().produce("other", "third in other\n");
    let rounds = ["first", "second", "third"].map(|round| format!("{round} in other"));
    lab.secondary()
        .until_it_has("primary.other", &BTreeSet::from(rounds), CROSSING);
    lab.primary().produce("orders3", "new\n");
    assert_eq!(lab.primary().topics()["orders3"], 2);
    assert_eq!(lab.mounted_volumes(), lab.volumes());
}

type Ids = std::collections::BTreeMap<String, String>;

/// The services whose containers are others now.
fn changed(before: &Ids, after: &Ids) -> Vec<String> {
    assert_eq!(before.len(), after.len());
    let changed = after
        .iter()
        .filter(|(service, id)| before.get(*service) != Some(id));
    changed.map(|(service, _)| service.clone()).collect()
}
