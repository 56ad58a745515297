"""Measures kmk beside what a person would use instead, round by round, and writes BENCHMARKS.md.

Started by run.sh, which sees to what it needs. It is no test: a goal that is not met is a "no" in the table. It ends with 1
only where something could not be measured.
"""

import argparse
import os
import signal
import sys
import tempfile

import clients
import clusters
import commands
import ledger
import limits
import link
import page
import records
import rest
import startup
import steady
import topics
from bench import Bench
from results import NotMeasured, Results, say
from sizes import FULL, SMALLEST

# name -> what measures it
PARTS = {
    "limits": limits.measure,
    "startup": startup.measure,
    "steady": steady.measure,
    "rest": rest.measure,
    "clients": clients.measure,
    "commands": commands.measure,
    "ledger": ledger.measure,
    "link": link.measure,
    "clusters": clusters.measure,
    "topics": topics.measure,
    "records": records.measure,
}
MOST = {"link": 3, "clusters": 2, "topics": 1, "records": 1}  # rounds of what takes minutes


def arguments():
    parser = argparse.ArgumentParser(prog="dev/bench/run.sh", description=__doc__, allow_abbrev=False)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(PARTS)}, or none")
    parser.add_argument("--rounds", type=int, help=f"how often [default: {FULL.rounds}; some parts take fewer]")
    parser.add_argument("--smallest", action="store_true", help="a little of everything, to see that it works")
    parser.add_argument(
        "--into",
        metavar="DIR",
        help="where BENCHMARKS.md and docs/bench go [default: here; "
        "with --smallest, or with parts and no --with, to stdout]",
    )
    parser.add_argument(
        "--with", dest="earlier", metavar="FILE", help="results of another run, for what is not measured now"
    )
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)  # these arguments, and no more
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS) - {"none"}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if chosen.rounds is not None and chosen.rounds < 1:
        parser.error("--rounds: at least 1")
    if chosen.earlier and not os.path.isfile(chosen.earlier):
        parser.error(f"--with: there is no file {chosen.earlier}")
    return chosen


def main():
    asked = arguments()
    if asked.check:
        return 0
    sizes = SMALLEST if asked.smallest else FULL
    rounds = asked.rounds or sizes.rounds
    binaries = os.environ["BENCH_BINARIES"]
    # an earlier run does not count when everything is measured
    results = Results(os.path.join(binaries, "bench.json"), asked.earlier if asked.parts else None)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="kmk-bench-") as work:
        bench = Bench(sizes, results, binaries, work)
        bench.lab.refuse_one_that_is_there()
        results.describe(limits.facts(bench))
        try:
            measure(bench, asked.parts or list(PARTS), rounds)
        finally:
            bench.finish()
    page.write(results, where(asked))
    if results.parts:
        say(f"all that was measured: {results.file}")
    failed = [f"{part}, {why}" for part in results.parts for why in results.failed.get(part, [])]
    for failure in failed:
        say(f"error: could not measure {failure}")
    return 1 if failed else 0


def measure(bench, parts, rounds):
    for bench.round in range(1, rounds + 1):
        for part in parts:
            if part == "none" or bench.round > MOST.get(part, rounds):
                continue
            bench.results.begin(part)
            say(f"round {bench.round} of {rounds}: {part}")
            try:
                if part not in ("limits", "startup"):
                    startup.see_to_archive(bench)
                PARTS[part](bench)
            except NotMeasured as why:
                bench.results.fail(part, f"round {bench.round}: {why}")
                bench.finish()


def where(asked):
    """The directory that is written to; None for stdout."""
    if asked.into or asked.smallest or (asked.parts and not asked.earlier):
        return asked.into
    return "."


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotMeasured as why:
        sys.exit(f"bench: error: {why}")
    except KeyboardInterrupt:
        sys.exit(130)
