//! The report as one HTML file: no script, nothing from elsewhere, light and dark, for a telephone as well as for paper.

mod timeline;

use super::markup::{Element, element};
use super::{Check, Column, Histogram, Number, Outcome, Provenance, Report, Table};
use crate::cli::quantity::grouped;

const STYLE: &str = include_str!("html/style.css");

pub(super) fn page(report: &Report) -> String {
    let title = format!("{}: {}", report.verdict.word, report.title());
    let meta = |name, content: &str| element("meta").with("name", name).with("content", content);
    let head = element("head")
        .child(element("meta").with("charset", "utf-8"))
        .child(meta("viewport", "width=device-width, initial-scale=1"))
        .child(meta("color-scheme", "light dark"))
        .child(meta("generator", &format!("kmk {}", report.provenance.kmk)))
        .child(element("title").text(title))
        .child(element("style").text(STYLE));
    let main = element("main")
        .child(header(report))
        .child(section("Numbers").children(numbers(report)))
        .children(
            report
                .timelines
                .iter()
                .map(|one| section(&one.title).children(timeline::figure(one))),
        )
        .child(section("Checks").child(checks(&report.checks)))
        .children(report.tables.iter().map(|one| {
            let note = one.note.as_deref().map(note);
            section(&one.title).child(table(one)).children(note)
        }))
        .children(report.histograms.iter().map(|one| {
            section(&one.title)
                .child(histogram(one))
                .child(note(&one.note))
        }))
        .child(section("Provenance").children(provenance(&report.provenance)));
    element("html")
        .with("lang", "en")
        .child(head)
        .child(element("body").child(main))
        .html()
}

fn header(report: &Report) -> Element {
    let verdict = &report.verdict;
    let date = element("time")
        .with("datetime", report.provenance.date.as_str())
        .text(
            report
                .provenance
                .date
                .replace('T', " ")
                .replace('Z', " UTC"),
        );
    element("header")
        .child(
            element("h1")
                .text(format!("kmk {}: ", report.command))
                .child(element("span").text(report.subject.as_str())),
        )
        .child(
            element("p")
                .with("class", format!("verdict {}", verdict.outcome.word()))
                .child(element("strong").text(format!(
                    "{} {}",
                    verdict.outcome.sign(),
                    verdict.word
                )))
                .text(" ")
                .child(element("span").text(verdict.why.as_str())),
        )
        .child(
            element("p")
                .class("note")
                .text("Lab ")
                .child(element("b").text(report.provenance.lab.lab.as_str()))
                .text(", ")
                .child(date)
                .text(format!(", kmk {}", report.provenance.kmk)),
        )
}

fn section(title: &str) -> Element {
    element("section").child(element("h2").text(title))
}

fn note(text: &str) -> Element {
    element("p").class("note").text(text)
}

fn numbers(report: &Report) -> Vec<Element> {
    let is_one = report.numbers_by_subject().count() == 1;
    let groups = report.numbers_by_subject().flat_map(|(about, numbers)| {
        let heading = (!is_one).then(|| element("h3").text(about));
        let tiles = element("dl")
            .class("tiles")
            .children(numbers.iter().map(tile));
        heading.into_iter().chain([tiles])
    });
    groups.collect()
}

fn tile(number: &Number) -> Element {
    let tile = element("div")
        .child(element("dt").text(number.name.as_str()))
        .child(element("dd").text(number.text.as_str()))
        .child(element("dd").class("note").text(number.definition));
    if number.is_bad {
        tile.class("bad")
    } else {
        tile
    }
}

/// Those about the same thing together.
fn checks(checks: &[Check]) -> Element {
    let failed = |check: &&Check| check.outcome != Outcome::Passed;
    let count = checks.iter().filter(failed).count();
    let caption = match (checks.len(), count) {
        (all, 0) => format!("All {all} passed"),
        (all, count) => format!("{count} of {all} did not pass"),
    };
    let columns = ["Check", "Result", "Seen"].map(Column::Text);
    let groups = checks.chunk_by(|one, other| one.about == other.about);
    let groups = groups.map(|group| {
        let about = element("th")
            .with("scope", "rowgroup")
            .with("colspan", columns.len().to_string())
            .text(group[0].about.as_str());
        element("tbody")
            .child(element("tr").child(about))
            .children(group.iter().map(check))
    });
    framed(&caption, false, &columns, groups)
}

fn check(check: &Check) -> Element {
    let outcome = check.outcome;
    let result = element("td")
        .with("class", format!("outcome {}", outcome.word()))
        .text(format!("{} {}", outcome.sign(), outcome.word()));
    element("tr")
        .child(element("th").with("scope", "row").text(check.what.as_str()))
        .child(result)
        .child(element("td").text(check.seen.as_str()))
}

fn table(table: &Table) -> Element {
    let rows = table.rows.iter().map(|row| {
        let cells = row.iter().zip(&table.columns).enumerate();
        element("tr").children(cells.map(|(at, (text, column))| {
            let cell = match at {
                0 => element("th").with("scope", "row"),
                _ => element("td"),
            };
            let class = match (column.is_text(), column.is_bad(text)) {
                (true, _) => None,
                (false, false) => Some("number"),
                (false, true) => Some("number bad"),
            };
            let cell = class.into_iter().fold(cell, Element::class);
            cell.text(text.as_str())
        }))
    });
    let body = element("tbody").children(rows);
    framed(&table.title, true, &table.columns, [body])
}

/// A table that scrolls by itself where it is too wide.
fn framed(
    caption: &str,
    is_heading: bool,
    columns: &[Column],
    bodies: impl IntoIterator<Item = Element>,
) -> Element {
    let heading = columns.iter().map(|column| {
        let cell = element("th").with("scope", "col").text(column.name());
        if column.is_text() {
            cell
        } else {
            cell.class("number")
        }
    });
    let name = element("caption").text(caption);
    // a heading above says it already
    let name = if is_heading {
        name.class("unseen")
    } else {
        name
    };
    let table = element("table")
        .child(name)
        .child(element("thead").child(element("tr").children(heading)))
        .children(bodies);
    element("div")
        .class("scroll")
        .with("tabindex", "0")
        .with("role", "region")
        .with("aria-label", caption)
        .child(table)
}

fn histogram(histogram: &Histogram) -> Element {
    let most = histogram.most();
    let rows = histogram.bars.iter().map(|bar| {
        let picture = element("svg")
            .with("aria-hidden", "true")
            .with("width", "100%")
            .with("height", "14")
            .child(
                element("rect")
                    .with("width", share(bar.records, most))
                    .with("height", "14")
                    .with("rx", "2"),
            );
        element("tr")
            .child(element("th").with("scope", "row").text(bar.name.as_str()))
            .child(element("td").class("number").text(grouped(bar.records)))
            .child(element("td").class("bar").child(picture))
    });
    let columns = [
        Column::Text("Latency"),
        Column::Number("Records"),
        Column::Text("Share"),
    ];
    let body = element("tbody").children(rows);
    framed(&histogram.title, true, &columns, [body])
}

/// As long as the share of the fullest bar; something wherever there is a record.
fn share(records: u64, most: u64) -> String {
    let thousandths = (u128::from(records) * 1000).div_ceil(u128::from(most));
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

fn provenance(provenance: &Provenance) -> Vec<Element> {
    let code = |text: String| {
        element("pre")
            .with("tabindex", "0")
            .child(element("code").text(text))
    };
    let facts = provenance
        .facts()
        .into_iter()
        .flat_map(|(name, value)| [element("dt").text(name), element("dd").text(value)]);
    vec![
        code(provenance.command.clone()),
        element("dl").class("facts").children(facts),
        element("h3").text("The lab"),
        code(provenance.lab_file()),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::sample::{hostile, lossy};
    use super::*;
    use roxmltree::{Document, Node, ParsingOptions};

    /// Parsed by a parser that forgives nothing.
    fn strict(page: &str) -> Document<'_> {
        let options = ParsingOptions {
            allow_dtd: true,
            ..ParsingOptions::default()
        };
        Document::parse_with_options(page, options).unwrap()
    }

    fn texts(node: Node<'_, '_>) -> String {
        let texts = node.descendants().filter(Node::is_text);
        texts.filter_map(|text| text.text()).collect()
    }

    #[test]
    fn a_run_that_lost_records_is_told_on_one_page() {
        let report = lossy();
        let page = page(&report);
        let page = strict(&page);
        let all = |name: &'static str| {
            page.descendants()
                .filter(move |node| node.has_tag_name(name))
        };
        assert_eq!(all("h1").count(), 1);
        let heads: Vec<String> = all("h2").map(texts).collect();
        assert_eq!(
            heads,
            [
                "Numbers",
                "Timeline",
                "Checks",
                "primary->secondary: partitions",
                "primary->secondary: latency",
                "Provenance",
            ]
        );
        let verdict = all("p")
            .find(|p| p.attribute("class") == Some("verdict failed"))
            .unwrap();
        assert!(texts(verdict).contains("✗ NOT VERIFIED"));
        let bad: Vec<String> = page
            .descendants()
            .filter(|node| {
                node.attribute("class")
                    .is_some_and(|class| class.split(' ').any(|one| one == "bad"))
            })
            .map(texts)
            .collect();
        assert!(bad.iter().any(|text| text.contains("412")), "{bad:?}");
        // every table says what it is, and every row and column what it is about
        for table in all("table") {
            let has = |name: &str| table.descendants().any(|node| node.has_tag_name(name));
            assert!(has("caption"));
            for row in table.descendants().filter(|node| node.has_tag_name("tr")) {
                assert!(
                    row.children()
                        .any(|cell| cell.has_tag_name("th") && cell.has_attribute("scope"))
                );
            }
        }
        for picture in all("svg").filter(|svg| svg.parent().is_none_or(|p| !p.has_tag_name("svg")))
        {
            let named = picture.attribute("aria-label").is_some()
                && picture.attribute("role") == Some("img");
            assert!(named || picture.attribute("aria-hidden") == Some("true"));
        }
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        for report in [
            lossy(),
            hostile("<script src=\"http://x.example/\">\u{1b}]]>&amp;</style>"),
        ] {
            let page = page(&report);
            for node in strict(&page).descendants().filter(Node::is_element) {
                let name = node.tag_name().name();
                assert!(
                    !["script", "link", "iframe", "img", "object", "embed", "base"].contains(&name),
                    "{name}"
                );
                for attribute in node.attributes() {
                    let name = attribute.name();
                    assert!(
                        !["src", "href", "style", "action", "srcset"].contains(&name),
                        "{name}"
                    );
                    assert!(!name.starts_with("on"), "{name}");
                }
            }
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
        // what HTML reads as it stands, and XML does not
        assert!(!STYLE.contains(['<', '>', '&', '"']));
    }

    #[test]
    fn text_of_others_stays_text() {
        let hostile_text = "</title><b onclick=\"x\">&lt;";
        let page = page(&hostile(hostile_text));
        let page = strict(&page);
        assert!(
            page.descendants()
                .filter(Node::is_element)
                .all(|node| !node.has_attribute("onclick"))
        );
        let cells = page.descendants().filter(|node| node.has_tag_name("td"));
        assert!(cells.filter(|cell| texts(*cell) == hostile_text).count() > 1);
    }

    #[test]
    fn a_bar_is_never_empty_where_there_is_a_record() {
        assert_eq!(share(0, 10), "0.0%");
        assert_eq!(share(1, u64::MAX), "0.1%");
        assert_eq!(share(5, 10), "50.0%");
        assert_eq!(share(7, 7), "100.0%");
    }
}
