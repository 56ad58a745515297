//! The timeline as SVG: positions are percentages, so that it fits every width and its letters stay as they are.

use super::super::markup::{Element, element};
use super::super::scale::{tick, ticks};
use super::super::{Lane, Mark, Timeline, seconds};
use crate::cli::quantity::grouped;

/// This many marks are drawn; the list below has all.
const DRAWN: usize = 20;
/// Lines of numbers of marks that stand close together.
const LINES: usize = 6;
/// How far two numbers on one line are from each other, as a share of the whole.
const APART: f64 = 0.05;
/// Colors and dashes that curves and spans have in turn.
const STYLES: usize = 6;

const LINE: usize = 22;
const PLOT: usize = 170;
const LANE: usize = 30;
const AXIS: usize = 26;

/// The picture, what its colors mean, and the marks as a list.
pub(super) fn figure(timeline: &Timeline) -> Vec<Element> {
    let drawn = &timeline.marks[..timeline.marks.len().min(DRAWN)];
    let places = places(timeline, drawn);
    let top = LINE * places.iter().map(|(_, line)| line + 1).max().unwrap_or(0) + 4;
    let plot = if timeline.curves.is_empty() { 0 } else { PLOT };
    let lanes = timeline.lanes.len() * LANE;
    let bottom = top + plot + lanes + 6;
    let svg = element("svg")
        .class("timeline")
        .with("role", "img")
        .with("aria-label", told(timeline))
        .with("width", "100%")
        .with("height", (bottom + AXIS).to_string())
        .children(axis(timeline, top, bottom))
        .children((plot > 0).then(|| curves(timeline, top)))
        .children((plot > 0).then(|| most(timeline, top)))
        .children(
            timeline
                .lanes
                .iter()
                .enumerate()
                .flat_map(|(at, one)| lane(timeline, one, top + plot + at * LANE)),
        )
        .children(
            drawn
                .iter()
                .zip(places)
                .enumerate()
                .flat_map(|(at, (mark, (x, line)))| number(at + 1, mark, x, line * LINE, bottom)),
        );
    let figure = element("figure").child(svg).children(legend(timeline));
    let list = (!timeline.marks.is_empty()).then(|| {
        element("ol")
            .class("marks")
            .children(timeline.marks.iter().map(item))
    });
    let zero = element("p")
        .class("note")
        .text(format!("0 s: {}.", timeline.zero));
    std::iter::once(figure).chain(list).chain([zero]).collect()
}

/// What the picture shows, in words.
fn told(timeline: &Timeline) -> String {
    let spans = timeline.lanes.iter().flat_map(|lane| {
        lane.spans.iter().map(move |span| {
            let (from, to) = (seconds(span.from), seconds(span.to));
            format!("{}: {} from {from} to {to}", lane.name, span.name)
        })
    });
    let curves = timeline.curves.iter().map(|curve| {
        let last = curve.points.last().map_or(0, |point| point.1);
        format!("{} records {} in the end", grouped(last), curve.name)
    });
    let all: Vec<String> = spans.chain(curves).collect();
    format!(
        "Timeline from {} to {}. {}.",
        seconds(timeline.from),
        seconds(timeline.to),
        all.join("; ")
    )
}

/// A moment as a share of the whole.
fn share(timeline: &Timeline, at: f64) -> f64 {
    let length = timeline.to - timeline.from;
    if length > 0.0 {
        ((at - timeline.from) / length).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// Where the numbers of marks stand: how far from the left, and on which line, so that none covers another.
fn places(timeline: &Timeline, marks: &[Mark]) -> Vec<(f64, usize)> {
    let mut ends = [f64::NEG_INFINITY; LINES];
    let places = marks.iter().map(|mark| {
        let x = share(timeline, mark.at);
        let free = (0..LINES).find(|line| x - ends[*line] >= APART);
        // where all are taken, the one that was taken first
        let oldest = (0..LINES).min_by(|one, other| ends[*one].total_cmp(&ends[*other]));
        let line = free.or(oldest).unwrap_or(0);
        ends[line] = x;
        (x, line)
    });
    places.collect()
}

fn line(class: &'static str, x: f64, from: usize, to: usize) -> Element {
    element("line")
        .class(class)
        .with("x1", percent(x))
        .with("x2", percent(x))
        .with("y1", from.to_string())
        .with("y2", to.to_string())
}

fn text(x: f64, y: usize, text: String) -> Element {
    let anchor = match x {
        x if x < 0.05 => "start",
        x if x > 0.93 => "end",
        _ => "middle",
    };
    element("text")
        .with("x", percent(x))
        .with("y", y.to_string())
        .with("text-anchor", anchor)
        .text(text)
}

fn axis(timeline: &Timeline, top: usize, bottom: usize) -> Vec<Element> {
    let ticks = ticks(timeline.from, timeline.to).into_iter();
    let ticks = ticks.flat_map(|at| {
        let x = share(timeline, at);
        [
            line("grid", x, top, bottom),
            text(x, bottom + 18, format!("{} s", tick(at))),
        ]
    });
    ticks.collect()
}

/// The greatest number of records that is drawn.
fn greatest(timeline: &Timeline) -> u64 {
    let points = timeline.curves.iter().flat_map(|curve| &curve.points);
    points.map(|point| point.1).max().unwrap_or(0)
}

fn most(timeline: &Timeline, top: usize) -> Element {
    let text = format!("{} records", grouped(greatest(timeline)));
    self::text(0.0, top + 14, text).with("class", "most")
}

/// In a picture of its own, which is drawn out to the width of the other.
fn curves(timeline: &Timeline, top: usize) -> Element {
    #[allow(clippy::cast_precision_loss, reason = "a picture is never that exact")]
    let most = greatest(timeline).max(1) as f64;
    let curves = timeline.curves.iter().enumerate().map(|(at, curve)| {
        let points = curve.points.iter().map(|&(time, records)| {
            #[allow(clippy::cast_precision_loss, reason = "a picture is never that exact")]
            let height = 99.0 - 97.0 * records as f64 / most;
            format!("{:.1},{height:.2}", share(timeline, time) * 1000.0)
        });
        element("polyline")
            .with("class", format!("curve s{}", at % STYLES))
            .with("vector-effect", "non-scaling-stroke")
            .with("points", points.collect::<Vec<_>>().join(" "))
    });
    element("svg")
        .with("y", top.to_string())
        .with("width", "100%")
        .with("height", PLOT.to_string())
        .with("viewBox", "0 0 1000 100")
        .with("preserveAspectRatio", "none")
        .children(curves)
}

fn lane(timeline: &Timeline, lane: &Lane, top: usize) -> Vec<Element> {
    let name = element("text")
        .class("lane")
        .with("x", "0")
        .with("y", (top + 12).to_string())
        .text(lane.name.as_str());
    let bars = lane.spans.iter().enumerate().map(|(at, span)| {
        let (from, to) = (share(timeline, span.from), share(timeline, span.to));
        let what = format!(
            "{}: {} to {}",
            span.name,
            seconds(span.from),
            seconds(span.to)
        );
        element("rect")
            .with("class", format!("span s{}", at % STYLES))
            .with("x", percent(from))
            .with("y", (top + 16).to_string())
            // a moment is seen too
            .with("width", percent((to - from).max(0.003)))
            .with("height", "10")
            .child(element("title").text(what))
    });
    std::iter::once(name).chain(bars).collect()
}

fn number(number: usize, mark: &Mark, x: f64, y: usize, bottom: usize) -> Vec<Element> {
    let circle = element("circle")
        .class("mark")
        .with("cx", percent(x))
        .with("cy", (y + 10).to_string())
        .with("r", "9")
        .child(element("title").text(format!("{}: {}", seconds(mark.at), mark.what)));
    let text = element("text")
        .class("mark")
        .with("x", percent(x))
        .with("y", (y + 14).to_string())
        .with("text-anchor", "middle")
        .text(number.to_string());
    vec![line("mark", x, y + 19, bottom), circle, text]
}

/// What the colors mean; a span that is alone in its lane is named by that.
fn legend(timeline: &Timeline) -> Option<Element> {
    let curves = timeline.curves.iter().enumerate().map(|(at, curve)| {
        let line = element("line").with("class", format!("curve s{}", at % STYLES));
        let ends = [("x1", "0"), ("x2", "30"), ("y1", "6"), ("y2", "6")];
        let line = ends
            .into_iter()
            .fold(line, |line, (name, at)| line.with(name, at));
        entry(line, &curve.name)
    });
    let lanes = timeline.lanes.iter().filter(|lane| lane.spans.len() > 1);
    let spans = lanes.flat_map(|lane| {
        lane.spans.iter().enumerate().map(move |(at, span)| {
            let rect = element("rect")
                .with("class", format!("span s{}", at % STYLES))
                .with("width", "30")
                .with("height", "12");
            let name = format!(
                "{}: {}, {}",
                lane.name,
                span.name,
                seconds(span.to - span.from)
            );
            entry(rect, &name)
        })
    });
    let all: Vec<Element> = curves.chain(spans).collect();
    (!all.is_empty()).then(|| element("ul").class("legend").children(all))
}

fn entry(swatch: Element, name: &str) -> Element {
    let picture = element("svg")
        .with("aria-hidden", "true")
        .with("width", "30")
        .with("height", "12")
        .child(swatch);
    element("li").child(picture).text(format!(" {name}"))
}

fn item(mark: &Mark) -> Element {
    element("li")
        .child(element("b").text(seconds(mark.at)))
        .text(format!(": {}", mark.what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marks(at: &[f64]) -> Timeline {
        let mark = |at: &f64| Mark {
            at: *at,
            what: "x".to_owned(),
        };
        Timeline {
            title: "Timeline".to_owned(),
            zero: "the beginning",
            from: 0.0,
            to: 10.0,
            curves: Vec::new(),
            lanes: Vec::new(),
            marks: at.iter().map(mark).collect(),
        }
    }

    #[test]
    fn numbers_that_are_close_stand_below_each_other() {
        let timeline = marks(&[1.0, 1.1, 1.2, 5.0]);
        let lines: Vec<usize> = places(&timeline, &timeline.marks)
            .iter()
            .map(|place| place.1)
            .collect();
        assert_eq!(lines, [0, 1, 2, 0]);
    }

    #[test]
    fn of_many_marks_all_are_listed() {
        let timeline = marks(&[1.0; 50]);
        let page = element("main").children(figure(&timeline)).html();
        assert_eq!(page.matches("<circle").count(), DRAWN);
        assert_eq!(page.matches("<li>").count(), 50);
    }

    proptest! {
        #[test]
        fn nothing_is_drawn_outside(at in prop::collection::vec(-20.0..20.0_f64, 0..40), to in -1.0..10.0_f64) {
            let mut timeline = marks(&at);
            timeline.to = to;
            for (x, line) in places(&timeline, &timeline.marks) {
                prop_assert!((0.0..=1.0).contains(&x) && line < LINES);
            }
        }
    }
}
