//! The report as JUnit XML, which build servers read: a test case for each check, the numbers as properties.

use super::markup::{Element, element};
use super::{Check, Outcome, Report};

pub(super) fn suites(report: &Report) -> String {
    let totals = |suite: Element| {
        suite
            .with("name", report.title())
            .with("tests", report.checks.len().to_string())
            .with("failures", report.count(Outcome::Failed).to_string())
            .with("errors", report.count(Outcome::Unknown).to_string())
            .with("time", format!("{:.3}", report.seconds))
    };
    let date = report.provenance.date.trim_end_matches('Z');
    let suite = totals(element("testsuite"))
        .with("skipped", "0")
        .with("timestamp", date)
        .child(element("properties").children(properties(report)))
        .children(report.checks.iter().map(|check| case(report, check)))
        .child(
            element("system-out").text(format!("{}: {}", report.verdict.word, report.verdict.why)),
        );
    totals(element("testsuites")).child(suite).xml()
}

fn properties(report: &Report) -> impl Iterator<Item = Element> {
    let property =
        |name: &str, value: &str| element("property").with("name", name).with("value", value);
    let verdict = property("verdict", report.verdict.word);
    let numbers = report.numbers.iter().map(move |number| {
        let name = format!("{}.{}", number.about, number.key);
        property(&name, &number.value)
    });
    let command = property("command", &report.provenance.command);
    let facts = report.provenance.facts().into_iter();
    let facts = facts.map(move |(name, value)| property(&name, &value));
    let lab = property("lab", &lab(report));
    std::iter::once(verdict)
        .chain(numbers)
        .chain([command])
        .chain(facts)
        .chain([lab])
}

/// As JSON: a property is one line.
fn lab(report: &Report) -> String {
    serde_json::to_string(&report.provenance.lab).unwrap_or_default()
}

fn case(report: &Report, check: &Check) -> Element {
    // build servers take what stands before the last dot for a package
    let package = format!("kmk.{}", report.command.replace(' ', "."));
    let case = element("testcase")
        .with("classname", format!("{package}.{}", check.about))
        .with("name", check.what.as_str())
        .with("time", "0");
    let told = |name: &'static str| {
        element(name)
            .with("message", check.seen.as_str())
            .with("type", check.outcome.word())
    };
    match check.outcome {
        Outcome::Passed => case,
        Outcome::Failed => case.child(told("failure")),
        Outcome::Unknown => case.child(told("error")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{hostile, lossy};
    use super::*;
    use proptest::prelude::*;
    use roxmltree::{Document, Node};

    fn all<'a>(document: &'a Document<'_>, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
        document
            .descendants()
            .filter(move |node| node.has_tag_name(name))
    }

    #[test]
    fn a_case_for_each_check_and_a_property_for_each_number() {
        let text = suites(&lossy());
        let document = Document::parse(&text).unwrap();
        let totals = ["tests", "failures", "errors", "time"];
        for suite in all(&document, "testsuites").chain(all(&document, "testsuite")) {
            assert_eq!(
                totals.map(|name| suite.attribute(name).unwrap()),
                ["3", "1", "1", "12.500"]
            );
        }
        let suite = all(&document, "testsuite").next().unwrap();
        assert_eq!(suite.attribute("timestamp"), Some("2026-01-02T03:04:05"));
        let cases: Vec<_> = all(&document, "testcase")
            .map(|case| {
                let told = case
                    .first_element_child()
                    .map(|told| (told.tag_name().name(), told.attribute("message").unwrap()));
                assert_eq!(
                    case.attribute("classname"),
                    Some("kmk.verify.primary->secondary")
                );
                (case.attribute("name").unwrap(), told)
            })
            .collect();
        assert_eq!(
            cases,
            [
                (
                    "every acknowledged record arrived",
                    Some(("failure", "412 of 10000 acknowledged records missing"))
                ),
                ("records arrived in order", None),
                (
                    "the target was read to its end",
                    Some(("error", "secondary is away"))
                ),
            ]
        );
        let property = |name: &str| {
            let found = all(&document, "property").find(|one| one.attribute("name") == Some(name));
            found.and_then(|one| one.attribute("value").map(str::to_owned))
        };
        assert_eq!(property("verdict").as_deref(), Some("NOT VERIFIED"));
        assert_eq!(
            property("primary->secondary.missing").as_deref(),
            Some("412")
        );
        assert_eq!(
            property("primary").as_deref(),
            Some("Kafka 3.9.2, apache/kafka:3.9.2, sha256:0123")
        );
        assert_eq!(
            property("link primary->secondary").as_deref(),
            Some("asked for rtt 80 ms, measured rtt 81 ms")
        );
        assert!(property("lab").unwrap().starts_with("{\"lab\":\"demo\","));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in any::<String>()) {
            let suites = suites(&hostile(&text));
            let document = Document::parse(&suites).unwrap();
            let shown = kmk_kafka::printable::text(&text);
            let case = all(&document, "testcase").next().unwrap();
            prop_assert_eq!(case.attribute("name").unwrap(), shown.replace('\n', " "));
            let said = all(&document, "system-out").next().unwrap();
            prop_assert_eq!(said.text().unwrap(), format!("NOT VERIFIED: {shown}"));
        }
    }
}
