"""The tables of what grows: clusters, topics, records. They have no goals. Knows no pictures but their names."""

from table import cell, plain

# heading of a column, row, side, decimals
CLUSTERS = (
    ("`kmk deploy`, s", "clusters-{}-deploy", "kmk", 1),
    ("CPU seconds", "clusters-{}-cpu", "kmk", 1),
    ("memory, MiB", "clusters-{}-memory", "kmk", 0),
    ("expected from the smallest lab", "clusters-{}-memory", "expected", 0),
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
    ("peak memory, MiB", "records-{}", "produce-memory", 0),
    ("`kmk consume > /dev/null`, s", "records-{}", "consume", 2),
    ("records/s", "records-{}", "consume-rate", 0),
    ("peak memory, MiB", "records-{}", "consume-memory", 0),
)
HUB = (
    "One hub cluster, mirrored to all others, each with its own MirrorMaker. Deploy returns once a record has"
    " crossed every flow. Expected: the memory of the smallest lab's brokers and MirrorMakers, multiplied by their number;"
    " goal: at most 1.1 times that."
)


def scale(results, drawn):
    blocks = [
        "[docs/scale.md](docs/scale.md) says how far one machine goes, and what to move to.",
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
