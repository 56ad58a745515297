"""BENCHMARKS.md: every table, and links to the pictures. Knows nothing of how anything was measured."""

import os
import sys

import pictures
from growth import scale
from link_rows import link
from rows import commands, ledger, load, mirror, start
from table import cell, plain

TITLE = """# Benchmarks

`make bench` writes this page. It measures `kmk` on your machine and, in turn, what you would use instead: a stack
written by hand from Kafka's documentation ([dev/bench/baseline](dev/bench/baseline)), kcat, and Kafka's own tools.
It is not a test: a goal that is missed shows as "no".

- Machine: {machine}
- Versions: {versions}
- Date: {date}{again}

A cell shows minimum / **median** / maximum, and the number of runs. The ratio is the first column's median divided by the
last one's. The last column names what finally limits the row, measured in the same run if possible, and how `kmk` compares
with that limit. Slow measurements have fewer runs: three for slow lines, two for clusters, one for topics, records, memory after 1 GB and the
new topics.
"""


def write(results, directory):
    """Into a directory, or on stdout."""
    drawn = pictures.draw(results)
    text = "\n".join([title(results), *sections(results, drawn)])
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


def title(results):
    """Names what was measured again since, and when; also the machine and the versions, where they are others."""
    facts, again = results.facts, {}
    for part, run in facts.get("again", {}).items():
        others = [run[fact] for fact in ("machine", "versions") if run[fact] != facts[fact]]
        again.setdefault(", ".join([run["date"], *others]), []).append(part)
    words = "".join(f"; measured again: {', '.join(parts)} ({run})" for run, parts in again.items())
    return TITLE.format(**{**facts, "again": words})


def sections(results, drawn):
    if results.failed:
        failures = (f"{part}, {why.splitlines()[0]}" for part, whys in results.failed.items() for why in whys)
        yield "**Could not be measured:** " + "; ".join(failures) + "\n"
    for heading, parts, build in (
        ("Start and stop", {"startup": "first"}, start),
        ("MirrorMaker", {"steady": "latency-", "rest": "memory-idle"}, mirror),
        ("Clients", {"clients": "produce-"}, load),
        ("Commands", {"commands": "help"}, commands),
        ("kmk verify", {"ledger": "ledger"}, ledger),
        ("A slow line", {"link": "link-"}, link),
        (
            "Scale",
            {"clusters": "clusters-", "topics": "topics-", "records": "records-"},
            lambda found: scale(found, drawn),
        ),
        ("What the machine can do", {"limits": "limit-disk"}, floor),
    ):
        if any(results.has(part, rows) for part, rows in parts.items()):
            yield f"## {heading}\n\n{build(results)}\n"


def floor(results):
    names = (
        ("limit-broker", "seconds", "the plain image: one broker, until it has started, s", 2),
        ("limit-broker", "cpu", "its CPU seconds", 1),
        ("limit-hop", "p50", "one record to a broker and back, p50, ms", 1),
        ("limit-disk", "cache", "copying the records' file, MB/s", 0),
        ("limit-disk", "disk", "the same, until the copy is on disk, MB/s", 0),
        ("limit-loopback", "tcp", "bytes over the loopback, MB/s", 0),
        ("process", "true", "`true`, a process that does nothing, ms", 1),
        ("process", "docker", "`docker version`, ms", 1),
    )
    return plain(
        ["measured", "this machine"],
        [[what, cell(results, row, side, decimals)] for row, side, what, decimals in names],
    )
