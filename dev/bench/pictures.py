"""The pictures of how costs grow, from what was measured: a file name, and an SVG each."""

import chart


def pictures(results):
    facts = results.facts
    clusters, topics, records = facts["clusters"], facts["topics"], facts["records"]
    yield (
        "deploy-by-clusters.svg",
        "Deploy, by clusters",
        "clusters",
        "seconds",
        [
            curve(results, "until every flow has carried a record", "clusters-{}-deploy", "kmk", clusters),
            curve(results, "CPU seconds", "clusters-{}-cpu", "kmk", clusters),
        ],
    )
    yield (
        "memory-by-clusters.svg",
        "Memory of the lab, by clusters",
        "clusters",
        "MiB",
        [
            curve(results, "all containers", "clusters-{}-memory", "kmk", clusters),
            curve(results, "expected of the smallest lab", "clusters-{}-memory", "expected", clusters),
        ],
    )
    yield (
        "status-by-topics.svg",
        "Looking at a lab, by topics",
        "topics, all mirrored",
        "milliseconds",
        [
            curve(results, "kmk status", "topics-{}", "status", topics),
            curve(results, "kmk lag", "topics-{}", "lag", topics),
        ],
    )
    yield (
        "memory-by-topics.svg",
        "Memory of the lab, by topics",
        "topics, all mirrored",
        "MiB",
        [
            curve(results, "all containers", "topics-{}", "memory", topics),
        ],
    )
    yield (
        "time-by-records.svg",
        "Produce and consume, by records",
        "records of 100 B",
        "seconds",
        [
            curve(results, "kmk produce", "records-{}", "produce", records),
            curve(results, "kmk consume > /dev/null", "records-{}", "consume", records),
        ],
    )
    yield (
        "memory-by-records.svg",
        "Memory of kmk at most, by records",
        "records of 100 B",
        "MiB",
        [
            curve(results, "kmk produce", "records-{}", "produce-memory", records),
            curve(results, "kmk consume", "records-{}", "consume-memory", records),
            curve(results, "kmk verify", "ledger-memory-{}", "verify", facts["ledger_many"]),
        ],
    )


def draw(results):
    """Those of which two points or more were measured."""
    drawn = {}
    for name, title, across, up, lines in pictures(results):
        lines = [line for line in lines if len(line.points) > 1]
        if lines:
            drawn[name] = picture(title, across, up, lines)
    return drawn


def picture(title, across, up, lines):
    places = sorted({x for line in lines for x, _ in line.points})
    heights = [y for line in lines for _, y in line.points]
    return chart.draw(title, chart.axis(across, places, only=places), chart.axis(up, heights), lines)


def curve(results, name, row, side, counts):
    points = ((count, results.median(row.format(count), side)) for count in counts)
    return chart.Line(name, tuple((count, value) for count, value in points if value is not None))
