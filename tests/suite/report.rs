//! `--report`: one file for each ending, written by the real kmk, and parsed by parsers that forgive nothing.

use crate::changing::hide_changing;
use crate::healthy::Well;
use crate::json_schema::problems;
use crate::kmk::Kmk;
use roxmltree::{Document, Node, ParsingOptions};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

/// One of each kind, and one that is of none.
const ENDINGS: [&str; 5] = ["html", "xml", "md", "json", "txt"];

/// The texts of a run's reports.
pub(crate) struct Reports([String; 5]);

impl Reports {
    /// What a run with [`flags`] has written.
    pub(crate) fn of(kmk: &Kmk) -> Self {
        let read = |ending| fs::read_to_string(kmk.work(&format!("r.{ending}"))).unwrap();
        Self(ENDINGS.map(read))
    }

    /// Each is what its format asks for, and all say the same: this verdict, and these checks that failed.
    #[track_caller]
    pub(crate) fn agree(&self, sign: &str, verdict: &str, failed: &[&str]) -> Value {
        self.say(sign, verdict);
        let page = self.page();
        stands_alone(&page);
        let suites = self.suites();
        let of = |name: &'static str| {
            suites
                .descendants()
                .filter(move |node| node.has_tag_name(name))
        };
        let cases: Vec<&str> = of("failure")
            .map(|node| node.parent().unwrap().attribute("name").unwrap())
            .collect();
        assert_eq!(cases, failed);
        let all = of("testcase").count();
        assert_eq!(self.counts(), [all, failed.len(), 0]);
        assert!(all > 0, "no check");
        let title = texts(
            page.descendants()
                .find(|node| node.has_tag_name("h1"))
                .unwrap(),
        );
        assert_eq!(
            self.markdown().lines().next().map(unescaped),
            Some(format!("# {title}"))
        );
        // each section of the page is one of the text, with as many rows
        for section in page.descendants().filter(|node| node.has_tag_name("h2")) {
            let heading = texts(section);
            let told = self.markdown().lines().map(unescaped);
            let is_there = told.into_iter().any(|line| line == format!("## {heading}"));
            assert!(
                is_there || heading == "Numbers",
                "{heading} is not in\n{}",
                self.markdown()
            );
        }
        let report = self.json();
        fits_the_schema(&report);
        assert_eq!(report["version"], 1);
        let command = &report["provenance"]["command"];
        assert_eq!(property(&suites, "command"), *command);
        assert!(
            self.markdown()
                .contains(&format!("```sh\n{}\n```", command.as_str().unwrap()))
        );
        report
    }

    /// What a picture shows, in words.
    pub(crate) fn pictures(&self) -> Vec<String> {
        let page = self.page();
        let pictures = page
            .descendants()
            .filter(|node| node.attribute("role") == Some("img"));
        pictures
            .map(|node| node.attribute("aria-label").unwrap().to_owned())
            .collect()
    }

    /// The rows of the table under that heading.
    pub(crate) fn rows(&self, heading: &str) -> Vec<Vec<String>> {
        let page = self.page();
        let mut tables = page.descendants().filter(|node| node.has_tag_name("table"));
        let table = tables.find(|table| {
            let mut captions = table.children().filter(|node| node.has_tag_name("caption"));
            captions.any(|caption| texts(caption) == heading)
        });
        let table = table.unwrap_or_else(|| panic!("no table {heading}"));
        let body = table
            .children()
            .find(|node| node.has_tag_name("tbody"))
            .unwrap();
        let rows = body.children().filter(|node| node.has_tag_name("tr"));
        rows.map(|row| row.children().filter(Node::is_element).map(texts).collect())
            .collect()
    }

    fn page(&self) -> Document<'_> {
        let options = ParsingOptions {
            allow_dtd: true,
            ..ParsingOptions::default()
        };
        Document::parse_with_options(&self.0[0], options).unwrap()
    }

    fn suites(&self) -> Document<'_> {
        Document::parse(&self.0[1]).unwrap()
    }

    fn markdown(&self) -> &str {
        &self.0[2]
    }

    fn json(&self) -> Value {
        assert_eq!(self.0[3], self.0[4], "any other ending is JSON");
        serde_json::from_str(&self.0[3]).unwrap()
    }

    /// Its words for a verdict, as each of them tells it.
    #[track_caller]
    fn say(&self, sign: &str, verdict: &str) {
        let page = self.page();
        let strong = page
            .descendants()
            .find(|node| node.has_tag_name("strong"))
            .unwrap();
        assert_eq!(strong.text(), Some(&*format!("{sign} {verdict}")));
        assert_eq!(property(&self.suites(), "verdict"), verdict);
        let (_, told) = self.markdown().split_once("\n\n**").unwrap();
        assert!(told.starts_with(&format!("{verdict}**: ")), "{told}");
    }

    /// Numbers of tests, failures and errors.
    fn counts(&self) -> [usize; 3] {
        let suites = self.suites();
        let count = |name: &str| {
            suites
                .root_element()
                .attribute(name)
                .unwrap()
                .parse()
                .unwrap()
        };
        ["tests", "failures", "errors"].map(count)
    }
}

fn texts(node: Node<'_, '_>) -> String {
    let texts = node.descendants().filter(Node::is_text);
    texts.filter_map(|text| text.text()).collect()
}

/// A line of Markdown as it is shown.
fn unescaped(line: &str) -> String {
    line.replace('\\', "")
}

fn property(suites: &Document<'_>, name: &str) -> String {
    let mut all = suites
        .descendants()
        .filter(|node| node.has_tag_name("property"));
    let found = all.find(|one| one.attribute("name") == Some(name));
    found
        .unwrap_or_else(|| panic!("no property {name}"))
        .attribute("value")
        .unwrap()
        .to_owned()
}

/// One report of each kind.
pub(crate) fn flags() -> String {
    ENDINGS
        .map(|ending| format!("--report r.{ending}"))
        .join(" ")
}

#[track_caller]
pub(crate) fn fits_the_schema(report: &Value) {
    let schema = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    assert_eq!(problems(&schema, report), [""; 0]);
}

/// Nothing that a browser would fetch or run.
fn stands_alone(page: &Document<'_>) {
    for node in page.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        assert!(
            !["script", "link", "img", "iframe"].contains(&name),
            "{name}"
        );
        assert!(
            ["src", "href", "srcset"]
                .iter()
                .all(|name| !node.has_attribute(*name))
        );
    }
    let style = page
        .descendants()
        .find(|node| node.has_tag_name("style"))
        .unwrap();
    assert!(!style.text().unwrap().contains("url("));
}

#[test]
fn the_ending_of_its_name_says_what_is_written() {
    let lab = Well::new();
    let line = format!("verify --messages 1000 {}", flags());
    lab.kmk
        .run(&line)
        .code(0)
        .stdout_has("VERIFIED: primary->secondary: all 1000 records");
    let reports = Reports::of(&lab.kmk);
    reports.say("✓", "VERIFIED");
    stands_alone(&reports.page());
    assert_eq!(reports.counts(), [8, 0, 0]);
    let suites = reports.suites();
    assert_eq!(property(&suites, "primary->secondary.arrived"), "1000");
    assert_eq!(property(&suites, "primary->secondary.missing"), "0");
    assert_eq!(property(&suites, "command"), format!("kmk {line}"));
    let image = "Kafka 3.9.2, apache/kafka:3.9.2, sha256:demo-primary";
    assert_eq!(property(&suites, "primary"), image);
    assert!(
        reports
            .markdown()
            .contains("\n| 0 | 334 | 334 | 334 | 0 | 0 | 0 |\n"),
        "{}",
        reports.markdown()
    );

    let report = reports.json();
    fits_the_schema(&report);
    assert_eq!(
        (&report["version"], &report["verified"]),
        (&json!(1), &json!(true))
    );
    let made = &report["provenance"];
    assert_eq!(
        (&made["kmk"], &made["command"]),
        (
            &json!(env!("CARGO_PKG_VERSION")),
            &json!(format!("kmk {line}"))
        )
    );
    assert_eq!(made["lab"]["flows"][0]["target"], "secondary");
    assert_eq!(made["services"].as_array().unwrap().len(), 3);
    assert_eq!(report["checks"].as_array().unwrap().len(), 8);
}

#[test]
fn json_on_standard_output_is_that_of_the_file() {
    let lab = Well::new();
    let ran = lab
        .kmk
        .run("verify --messages 10 --json --report r.json")
        .code(0);
    let file = fs::read_to_string(lab.kmk.work("r.json")).unwrap();
    let [primary, secondary] = lab.kmk.ports().map(|port| port.to_string());
    let file = file
        .replace(&primary, "$PRIMARY")
        .replace(&secondary, "$SECONDARY");
    assert_eq!(ran.text(), hide_changing(&file));
}

/// Waits until so many records have been sent to a partition.
fn until_sent(lab: &Well, least: usize) {
    let end = Instant::now() + Duration::from_secs(20);
    while lab.primary.records("kmk-verify", 0).len() < least {
        assert!(Instant::now() < end, "they were never sent");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_is_lost_and_what_came_twice_is_in_each() {
    let mut lab = Well::new();
    let line = format!(
        "verify --messages 600 --rate 600/s --partitions 1 --timeout 2s --keep --exactly-once {}",
        flags()
    );
    let mirror = lab.mirror.take();
    {
        let running = lab.kmk.start(&line);
        until_sent(&lab, 100);
        drop(mirror);
        let arrived = lab.secondary.records("primary.kmk-verify", 0);
        lab.secondary.write("primary.kmk-verify", 0, &arrived[..7]);
        running
            .finish()
            .code(1)
            .stdout_has("NOT VERIFIED: primary->secondary: ");
    }
    let reports = Reports::of(&lab.kmk);
    reports.say("✗", "NOT VERIFIED");
    let report = reports.json();
    fits_the_schema(&report);
    let account = &report["flows"][0]["account"];
    let missing = account["missing"].as_u64().unwrap();
    assert!((1..600).contains(&missing), "{missing}");
    assert_eq!(account["duplicated"], 7);
    let suites = reports.suites();
    assert_eq!(
        property(&suites, "primary->secondary.missing"),
        missing.to_string()
    );
    assert_eq!(property(&suites, "primary->secondary.duplicated"), "7");
    let failures: Vec<&str> = suites
        .descendants()
        .filter(|node| node.has_tag_name("failure"))
        .map(|node| node.parent().unwrap().attribute("name").unwrap())
        .collect();
    assert!(
        failures.contains(&"every acknowledged record arrived"),
        "{failures:?}"
    );
    assert!(
        failures.contains(&"no record arrived twice"),
        "{failures:?}"
    );
    assert_eq!(reports.counts()[1], failures.len());
    let page = reports.page();
    let bad = page
        .descendants()
        .filter(|node| node.attribute("class") == Some("number bad"));
    assert_eq!(
        bad.filter_map(|cell| cell.text()).collect::<Vec<_>>(),
        [&missing.to_string(), "7"]
    );
}

#[test]
fn an_interrupted_run_has_not_failed_and_not_passed() {
    let lab = Well::new();
    let running = lab.kmk.start(&format!(
        "verify --for 60s --rate 500/s --partitions 1 {}",
        flags()
    ));
    until_sent(&lab, 50);
    running.signal(Signal::INT);
    running.finish().code(130);
    let reports = Reports::of(&lab.kmk);
    reports.say("?", "INTERRUPTED");
    let [tests, failures, errors] = reports.counts();
    assert_eq!((tests, failures), (8, 0));
    assert!(errors > 1, "{errors}");
    fits_the_schema(&reports.json());
}
