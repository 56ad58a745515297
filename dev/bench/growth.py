"""The tables of what grows: clusters, topics, records. They have no goals. Knows no pictures but their names."""

from table import cell, plain


def scale(results, drawn):
    blocks = ["[docs/scale.md](docs/scale.md) says where one machine ends, and what to move to."]
    facts = results.facts
    if any(row.startswith("clusters-") for row in results.values):
        rows = [
            [
                str(count),
                *(
                    cell(results, f"clusters-{count}-{what}", side, decimals)
                    for what, side, decimals in (
                        ("deploy", "kmk", 1),
                        ("cpu", "kmk", 1),
                        ("memory", "kmk", 0),
                        ("memory", "expected", 0),
                        ("idle-cpu", "kmk", 1),
                    )
                ),
            ]
            for count in facts["clusters"]
        ]
        heads = [
            "clusters",
            "`kmk deploy`, s",
            "CPU seconds",
            "memory, MiB",
            "expected of the smallest",
            "idle CPU, % of a core",
        ]
        blocks += [
            plain(heads, rows),
            "A hub, and the others mirrored from it, each by a MirrorMaker of its own. Deploy returns once a record has"
            " crossed every flow. Expected: brokers and MirrorMakers of the smallest lab, as often as there are of them; goal: at most 1.1 of that.",
        ]
    if any(row.startswith("topics-") for row in results.values):
        rows = [
            [
                f"{count:,}",
                *(
                    cell(results, f"topics-{count}", side, decimals)
                    for side, decimals in (("status", 0), ("lag", 0), ("memory", 0), ("idle-cpu", 1))
                ),
            ]
            for count in facts["topics"]
        ]
        blocks += [
            plain(
                [
                    "topics, all mirrored",
                    "`kmk status`, ms",
                    "`kmk lag`, ms",
                    "memory of the lab, MiB",
                    "idle CPU, % of a core",
                ],
                rows,
            )
        ]
    if any(row.startswith("records-") for row in [*results.values, *results.gaps]):
        rows = [
            [
                f"{count:,}",
                *(
                    cell(results, f"records-{count}", side, decimals)
                    for side, decimals in (
                        ("produce", 2),
                        ("produce-rate", 0),
                        ("produce-memory", 0),
                        ("consume", 2),
                        ("consume-rate", 0),
                        ("consume-memory", 0),
                    )
                ),
            ]
            for count in facts["records"]
        ]
        heads = [
            "records of 100 B",
            "`kmk produce`, s",
            "records/s",
            "memory at most, MiB",
            "`kmk consume > /dev/null`, s",
            "records/s",
            "memory at most, MiB",
        ]
        blocks += [plain(heads, rows)]
    blocks += [f"![{name[:-4].replace('-', ' ')}](docs/bench/{name})" for name in drawn]
    return "\n\n".join(blocks)
