"""BENCHMARKS.md: every table, and links to the pictures. Knows nothing of how anything was measured."""

import os
import sys

import pictures
from clients import PARTITIONS
from table import Goal, Row, cell, number, table
import reason

TITLE = """# Benchmarks

Made by `make bench`. It measures `kmk` on your machine beside what a person would use instead, in turn, in one run: the stack
that one writes by hand from Kafka's documentation ([dev/bench/baseline](dev/bench/baseline)), kcat, and Kafka's own tools.
It is no test: a goal that is not met is a "no".

- Machine: {machine}
- Versions: {versions}
- Date: {date}

A cell is least / **median** / greatest, and of how many runs; the ratio is that of the medians, the first column's to the
last one's. The last column names what the row runs into in the end, measured in the same run where it can be, and how far
from it `kmk` is.
"""
STACKS = ["measured", "kmk", "written by hand"]


def write(results, directory):
    """Into a directory, or on stdout."""
    drawn = pictures.draw(results)
    text = "\n".join([TITLE.format(**results.facts), *sections(results, drawn)])
    if directory is None:
        sys.stdout.write(text)
        return
    at = os.path.join(directory, "docs", "bench")
    os.makedirs(at, exist_ok=True)
    for name, picture in drawn.items():
        with open(os.path.join(at, name), "w", encoding="utf-8") as out:
            out.write(picture)
    with open(os.path.join(directory, "BENCHMARKS.md"), "w", encoding="utf-8") as out:
        out.write(text)


def sections(results, drawn):
    if results.failed:
        yield "**Could not be measured:** " + "; ".join(failure.splitlines()[0] for failure in results.failed) + "\n"
    for title, names, build in (
        ("Start and end", ("first",), start),
        ("MirrorMaker", ("latency-idle-p50", "memory-idle"), mirror),
        ("Clients", ("produce-100-1",), load),
        ("Commands", ("help",), commands),
        ("The ledger", ("ledger",), ledger),
        ("Scale", ("records-", "clusters-", "topics-"), lambda found: scale(found, drawn)),
        ("What the machine can do", ("limit-disk",), floor),
    ):
        if any(row.startswith(name) for row in [*results.values, *results.gaps] for name in names):
            yield f"## {title}\n\n{build(results)}\n"


def start(results):
    rows = [
        Row("first", "`kmk deploy` to the first record mirrored, cold, s", ("cold", "hand"), (Goal("ratio", "<=", 1 / 3, "≤ 1/3"),), 2, reason.start("cold")),
        Row("first", "the same, warm, s", ("warm", "hand"), (Goal("ratio", "<=", 1 / 3.5, "≤ 1/3.5"),), 2, reason.start("warm")),
        Row("cpu", "CPU seconds until then, cold", ("cold", "hand"), (Goal("ratio", "<=", 0.5),), 1, reason.java),
        Row("cpu", "the same, warm", ("warm", "hand"), (Goal("ratio", "<=", 0.5),), 1, reason.java),
        Row("ready", "`kmk deploy`, `docker compose up -d` until they return, cold, s", ("cold", "hand"), (), 2),
        Row("ready", "the same, warm, s", ("warm", "hand"), (), 2),
        Row("destroy", "`kmk destroy`; `docker compose down -v -t 0` of the same lab, s", ("kmk", "compose"), (Goal("difference", "<=", 0.3),), 2,
            reason.word("the engine takes networks and containers down one by one")),
    ]
    return table(results, STACKS, rows) + (
        "\n\nThe clock runs from before the command is started until a record can be read on the target that was written on the source"
        " as soon as that took one. Cold: MirrorMaker's class-data archive is removed before; warm: it is there from the deploy"
        " before. CPU seconds are those of all containers, of `kmk` and of `docker compose`; the engine's own are not in it."
    )


def mirror(results):
    ratio = {(100, 1): 8, (1000, 1): 25}
    never_above = Goal("ratio", "<=", 1)
    rows = [
        Row("pickup", "a topic made later: until its copy has its first record, s", ("kmk", "hand"), (Goal("median", "<=", 1.5),), 2, reason.pickup),
        Row("pickup-slowest", "the slowest of them, s", ("kmk", "hand"), (Goal("median", "<=", 2.5),), 2),
        Row("latency-idle-p50", "latency of one record, idle, p50, ms", ("kmk", "hand"), (Goal("median", "<=", 10), never_above), 1, reason.hop("p50")),
        Row("latency-idle-p99", "p99, ms", ("kmk", "hand"), (Goal("median", "<=", 25), never_above), 1, reason.hop("p99")),
        Row("latency-busy-p50", "latency at 1,000 records/s, p50, ms", ("kmk", "hand"), (never_above,), 1, reason.hop("p50")),
        Row("latency-busy-p99", "p99, ms", ("kmk", "hand"), (never_above,), 1),
        *(
            Row(f"mirrored-{size}-{count}", f"mirrored, {size:,} B, {in_words(count)}, records/s", ("kmk", "hand"),
                (Goal("ratio", ">=", ratio[size, count]),) if (size, count) in ratio else (), 0, reason.mirrored(size, count))
            for size in (100, 1000) for count in PARTITIONS
        ),
        Row("memory-idle", "memory of the lab, idle, MiB", ("kmk", "hand"), (Goal("ratio", "<=", 0.65),), 0, reason.word("heap and code of three JVMs")),
        Row("memory-full", "after 1 GB was mirrored, MiB", ("kmk", "hand"), (Goal("ratio", "<=", 0.65),), 0, reason.word("the pages of what was written count too")),
        Row("own-memory-full", "the same without pages of files, MiB", ("kmk", "hand"), (Goal("ratio", "<=", 0.65),), 0, reason.word("heap and code of three JVMs")),
        Row("idle-cpu", f"idle CPU over {results.facts['idle']:.0f} s, % of a core", ("kmk", "hand"), (Goal("median", "<=", 10),), 1, reason.word("timers: it looks for topics and groups every second")),
    ]
    return table(results, STACKS, rows) + (
        "\n\nSteady state: a backlog is written while MirrorMaker is paused; its first tenth is not counted, nor what is mirrored after 15 s."
        " Latency is that of single records of 100 B, written and read by one process with one clock: 20 a second, or 1,000."
        " Memory is what `docker stats` shows."
    )


def load(results):
    sizes = dict(results.facts["client_records"])
    heads = ["records/s", "`--client wire`", "`--client kafka`", "Kafka's perf tool, its own count", "kcat"]
    sides = ("wire", "kafka", "perf", "kcat")
    produce, consume, samples = [], [], []
    for size in sizes:
        for count in PARTITIONS:
            name, words = f"{size}-{count}", f"{size:,} B, {in_words(count)}"
            produce.append(Row(f"produce-{name}", f"file → topic, {words}", sides, (Goal("ratio", ">=", 1.5),), 0, reason.client("produce", size, count)))
            consume.append(Row(f"consume-file-{name}", f"topic → file, {words}", sides, (Goal("ratio", ">=", 1.2),), 0, reason.client("consume-file", size, count)))
            consume.append(Row(f"consume-null-{name}", f"topic → /dev/null, {words}", sides, (Goal("ratio", ">=", 1.2),), 0, reason.client("consume-null", size, count)))
        samples.append(Row(f"samples-{size}", f"samples → topic, {size:,} B; kcat from a file", sides, (Goal("ratio", ">=", 1.5),), 0, other=f"produce-{size}-1"))
    whole = ", ".join(
        f"{verb} {size:,} B {number(results.median(f'{verb}-{size}-1', 'perf-whole'), 0)}"
        for verb in ("produce", "consume-null") for size in sizes if results.median(f"{verb}-{size}-1", "perf-whole")
    )
    counts = ", ".join(f"{records:,} records of {size:,} B" for size, records in sizes.items())
    return table(results, heads, [*produce, *samples, *consume]) + (
        f"\n\n{counts}; `acks=all`, nothing compressed; whole processes, but for Kafka's perf tools: those tell their own rate, without"
        f" their start. With it, in records/s, one partition: {whole or 'not measured'}. The ratio is wire to kcat."
    )


def commands(results):
    rows = [
        Row("ten", "produce 10 and consume 10; Kafka's console tools, s", ("kmk", "console"), (Goal("ratio", "<=", 1 / 50, "≤ 1/50"),), 3, reason.processes(2)),
        Row("help", "`kmk --help`, ms", ("kmk",), (Goal("median", "<", 5),), 1, reason.processes(1)),
        Row("render", "`kmk deploy --dry-run`, ms", ("kmk",), (Goal("median", "<", 10),), 1, reason.processes(1)),
        Row("status", "`kmk status`, which sends a record through the flow; `docker compose ps`, ms", ("kmk", "compose"), (Goal("median", "<", 150),), 0, reason.status),
        Row("status", "`kmk status`; `kcat -L`, ms", ("kmk", "kcat"), (), 0, reason.word("kcat asks one broker, once")),
        Row("size", "the executable, MB", ("kmk",), (Goal("median", "<", 8),), 2, reason.word("one file, nothing beside it")),
    ]
    return table(results, ["measured", "kmk", "compared with"], rows) + (
        "\n\nKafka's console tools run in a container that is there (`docker exec`), with their own default settings."
    )


def ledger(results):
    most = [Goal("median", "<", 191)]
    rows = [Row("ledger", "`kmk verify`; `kmk produce` and `kmk consume`, records/s", ("verify", "bare"), (Goal("ratio", ">=", 0.8),), 0,
                reason.word("MirrorMaker, see above"))]
    rows += [
        Row(f"ledger-memory-{records}", f"memory for {records:,} records, at most, MiB", ("verify",), tuple(most), 0, reason.word("it does not grow"))
        for records in results.facts["ledger_many"]
    ]
    return table(results, ["measured", "kmk verify", "compared with"], rows) + (
        "\n\nRecords of 200 B in three partitions, from source to target, through MirrorMaker, until the last one was read. 191 MiB are 200 MB."
    )


def scale(results, drawn):
    blocks = ["[docs/scale.md](docs/scale.md) says where one machine ends, and what to move to."]
    facts = results.facts
    if any(row.startswith("clusters-") for row in results.values):
        rows = [
            [str(count), *(cell(results, f"clusters-{count}-{what}", side, decimals) for what, side, decimals in (
                ("deploy", "kmk", 1), ("cpu", "kmk", 1), ("memory", "kmk", 0), ("memory", "expected", 0), ("idle-cpu", "kmk", 1)))]
            for count in facts["clusters"]
        ]
        heads = ["clusters", "`kmk deploy`, s", "CPU seconds", "memory, MiB", "expected of the smallest", "idle CPU, % of a core"]
        blocks += [plain(heads, rows), "A hub, and the others mirrored from it, each by a MirrorMaker of its own. Deploy returns once a record has"
                   " crossed every flow. Expected: brokers and MirrorMakers of the smallest lab, as often as there are of them; goal: at most 1.1 of that."]
    if any(row.startswith("topics-") for row in results.values):
        rows = [[f"{count:,}", *(cell(results, f"topics-{count}", side, decimals) for side, decimals in (
            ("status", 0), ("lag", 0), ("memory", 0), ("idle-cpu", 1)))] for count in facts["topics"]]
        blocks += [plain(["topics, all mirrored", "`kmk status`, ms", "`kmk lag`, ms", "memory of the lab, MiB", "idle CPU, % of a core"], rows)]
    if any(row.startswith("records-") for row in [*results.values, *results.gaps]):
        rows = [[f"{count:,}", *(cell(results, f"records-{count}", side, decimals) for side, decimals in (
            ("produce", 2), ("produce-rate", 0), ("produce-memory", 0), ("consume", 2), ("consume-rate", 0), ("consume-memory", 0)))]
            for count in facts["records"]]
        heads = ["records of 100 B", "`kmk produce`, s", "records/s", "memory at most, MiB", "`kmk consume > /dev/null`, s", "records/s", "memory at most, MiB"]
        blocks += [plain(heads, rows)]
    blocks += [f"![{name[:-4].replace('-', ' ')}](docs/bench/{name})" for name in drawn]
    return "\n\n".join(blocks)


def plain(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def floor(results):
    names = (
        ("limit-broker", "seconds", "the image as it is: one broker, alone, until it is started, s", 2),
        ("limit-broker", "cpu", "CPU seconds of it", 1),
        ("limit-hop", "p50", "a record into one broker and out of it, p50, ms", 1),
        ("limit-disk", "cache", "the records' file copied, MB/s", 0),
        ("limit-disk", "disk", "the same until it is on the disk, MB/s", 0),
        ("limit-loopback", "tcp", "bytes over the loopback, MB/s", 0),
        ("process", "true", "`true`, a process that does nothing, ms", 1),
        ("process", "docker", "`docker version`, ms", 1),
    )
    return plain(["measured", "this machine"], [[what, cell(results, row, side, decimals)] for row, side, what, decimals in names])


def in_words(partitions):
    return "one partition" if partitions == 1 else f"{partitions} partitions"
