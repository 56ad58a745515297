//! The line of a flow in a lab file.

use super::{TWO, bad, good};
use crate::core::spec::LinkSpec;

#[test]
fn the_line_of_a_flow() {
    let link = |text: &str| good(&format!("{TWO}    link: {text}\n")).flows[0].link;
    let shown = |text: &str| link(text).map(|link| link.to_string());
    let all = "{rtt: 80ms, jitter: 5ms, rate: 100mbit}";
    assert_eq!(
        shown(all).as_deref(),
        Some("rtt=80ms,jitter=5ms,rate=100mbit")
    );
    assert_eq!(link("transatlantic"), LinkSpec::preset("transatlantic"));
    // a relay that passes everything on as it comes
    assert_eq!(link("{}"), Some(LinkSpec::default()));
    for (text, expected) in [
        ("lunar", "7:11 `link` must be a mapping such as"),
        ("{loss: 1}", "7:12 a link has no field `loss`"),
        ("{rtt: 80}", "7:17 `rtt` must be a time such as 80ms, got"),
        (
            "{rtt: 9s}",
            "7:11 link of flow a->b: a round trip (rtt) of 9000ms is too long",
        ),
    ] {
        let problems = bad(&format!("{TWO}    link: {text}\n"));
        assert!(
            problems.len() == 1 && problems[0].starts_with(expected),
            "{problems:#?}"
        );
    }
    let there = TWO.replace("name: a", "name: a\n    bootstrap: h:1");
    let problems = bad(&format!("{there}    link: metro\n"));
    assert!(problems[0].contains("past any relay"), "{problems:#?}");
}
