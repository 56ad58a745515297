"""The tables of what grows: clusters, topics, records. They have no goals. Knows no pictures but their names."""

from table import cell, plain

# heading of a column, row, side, decimals
CLUSTERS = (
    ("`kmk deploy`, s", "clusters-{}-deploy", "kmk", 1),
    ("CPU seconds", "clusters-{}-cpu", "kmk", 1),
    ("memory, MiB", "clusters-{}-memory", "kmk", 0),
    ("expected of the smallest", "clusters-{}-memory", "expected", 0),
    ("idle CPU, % of a core", "clusters-{}-idle-cpu", "kmk", 1),
)
TOPICS = (
    ("`kmk status`, ms", "topics-{}", "status", 0),
    ("`kmk lag`, ms", "topics-{}", "lag", 0),
    ("memory of the lab, MiB", "topics-{}", "memory", 0),
    ("idle CPU, % of a core", "topics-{}", "idle-cpu", 1),
)
RECORDS = (
    ("`kmk produce`, s", "records-{}", "produce", 2),
    ("records/s", "records-{}", "produce-rate", 0),
    ("memory at most, MiB", "records-{}", "produce-memory", 0),
    ("`kmk consume > /dev/null`, s", "records-{}", "consume", 2),
    ("records/s", "records-{}", "consume-rate", 0),
    ("memory at most, MiB", "records-{}", "consume-memory", 0),
)
HUB = (
    "A hub, and the others mirrored from it, each by a MirrorMaker of its own. Deploy returns once a record has"
    " crossed every flow. Expected: brokers and MirrorMakers of the smallest lab, as often as there are of them;"
    " goal: at most 1.1 of that."
)


def scale(results, drawn):
    blocks = [
        "[docs/scale.md](docs/scale.md) says where one machine ends, and what to move to.",
        *grown(results, "clusters", "clusters", CLUSTERS, HUB),
        *grown(results, "topics", "topics, all mirrored", TOPICS),
        *grown(results, "records", "records of 100 B", RECORDS),
        *(f"![{name[:-4].replace('-', ' ')}](docs/bench/{name})" for name in drawn),
    ]
    return "\n\n".join(blocks)


def grown(results, part, heading, columns, *below):
    """A row for each count; nothing where the part was not looked at."""
    if not results.has(part, f"{part}-"):
        return []
    rows = [
        [f"{count:,}", *(cell(results, row.format(count), side, decimals) for _, row, side, decimals in columns)]
        for count in results.facts[part]
    ]
    return [plain([heading, *(column[0] for column in columns)], rows), *below]
