"""The pictures of how costs grow, from what was measured: a file name, and an SVG each."""

import chart


# file, title, what grows, unit, and the curves: words, row, side, and the fact that names its counts
PICTURES = (
    (
        "deploy-by-clusters",
        "Deploy, by clusters",
        ("clusters", "seconds"),
        ("until a record has crossed every flow", "clusters-{}-deploy", "kmk", "clusters"),
        ("CPU seconds", "clusters-{}-cpu", "kmk", "clusters"),
    ),
    (
        "memory-by-clusters",
        "Memory of the lab, by clusters",
        ("clusters", "MiB"),
        ("all containers", "clusters-{}-memory", "kmk", "clusters"),
        ("expected from the smallest lab", "clusters-{}-memory", "expected", "clusters"),
    ),
    (
        "status-by-topics",
        "kmk status and kmk lag, by topics",
        ("topics, all mirrored", "milliseconds"),
        ("kmk status", "topics-{}", "status", "topics"),
        ("kmk lag", "topics-{}", "lag", "topics"),
    ),
    (
        "memory-by-topics",
        "Memory of the lab, by topics",
        ("topics, all mirrored", "MiB"),
        ("all containers", "topics-{}", "memory", "topics"),
    ),
    (
        "time-by-records",
        "Produce and consume, by records",
        ("records of 100 B", "seconds"),
        ("kmk produce", "records-{}", "produce", "records"),
        ("kmk consume > /dev/null", "records-{}", "consume", "records"),
    ),
    (
        "memory-by-records",
        "Peak memory of kmk, by records",
        ("records of 100 B", "MiB"),
        ("kmk produce", "records-{}", "produce-memory", "records"),
        ("kmk consume", "records-{}", "consume-memory", "records"),
        ("kmk verify", "ledger-memory-{}", "verify", "ledger_many"),
    ),
)


def draw(results):
    """Those of which two points or more were measured."""
    drawn = {}
    for name, title, (across, up), *curves in PICTURES:
        lines = [curve(results, *of) for of in curves]
        lines = [line for line in lines if len(line.points) > 1]
        if lines:
            drawn[f"{name}.svg"] = picture(title, across, up, lines)
    return drawn


def picture(title, across, up, lines):
    places = sorted({x for line in lines for x, _ in line.points})
    heights = [y for line in lines for _, y in line.points]
    return chart.draw(title, chart.axis(across, places, only=places), chart.axis(up, heights), lines)


def curve(results, name, row, side, counts):
    points = ((count, results.median(row.format(count), side)) for count in results.facts[counts])
    return chart.Line(name, tuple((count, value) for count, value in points if value is not None))
