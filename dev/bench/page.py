"""BENCHMARKS.md: every table, and links to the pictures. Knows nothing of how anything was measured."""

import os
import sys

import pictures
from growth import scale
from rows import commands, ledger, load, mirror, start
from table import cell, plain

TITLE = """# Benchmarks

Made by `make bench`. It measures `kmk` on your machine beside what a person would use instead, in turn, in one run: the stack
that one writes by hand from Kafka's documentation ([dev/bench/baseline](dev/bench/baseline)), kcat, and Kafka's own tools.
It is no test: a goal that is not met is a "no".

- Machine: {machine}
- Versions: {versions}
- Date: {date}{anew}

A cell is least / **median** / greatest, and of how many runs; the ratio is that of the medians, the first column's to the
last one's. The last column names what the row runs into in the end, measured in the same run where it can be, and how far
from it `kmk` is. What takes minutes is measured less often: clusters twice, topics and records once, memory after 1 GB and
the new topics once.
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
    """Names what was measured anew since, and when; also the machine and the versions, where they are others."""
    facts, anew = results.facts, {}
    for part, run in facts.get("anew", {}).items():
        others = [run[fact] for fact in ("machine", "versions") if run[fact] != facts[fact]]
        anew.setdefault(", ".join([run["date"], *others]), []).append(part)
    words = "".join(f"; anew: {', '.join(parts)} ({run})" for run, parts in anew.items())
    return TITLE.format(**{**facts, "anew": words})


def sections(results, drawn):
    if results.failed:
        failures = (f"{part}, {why.splitlines()[0]}" for part, whys in results.failed.items() for why in whys)
        yield "**Could not be measured:** " + "; ".join(failures) + "\n"
    for heading, parts, build in (
        ("Start and end", {"startup": "first"}, start),
        ("MirrorMaker", {"steady": "latency-", "rest": "memory-idle"}, mirror),
        ("Clients", {"clients": "produce-"}, load),
        ("Commands", {"commands": "help"}, commands),
        ("The ledger", {"ledger": "ledger"}, ledger),
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
        ("limit-broker", "seconds", "the image as it is: one broker, alone, until it is started, s", 2),
        ("limit-broker", "cpu", "CPU seconds of it", 1),
        ("limit-hop", "p50", "a record into one broker and out of it, p50, ms", 1),
        ("limit-disk", "cache", "the records' file copied, MB/s", 0),
        ("limit-disk", "disk", "the same until it is on the disk, MB/s", 0),
        ("limit-loopback", "tcp", "bytes over the loopback, MB/s", 0),
        ("process", "true", "`true`, a process that does nothing, ms", 1),
        ("process", "docker", "`docker version`, ms", 1),
    )
    return plain(
        ["measured", "this machine"],
        [[what, cell(results, row, side, decimals)] for row, side, what, decimals in names],
    )
