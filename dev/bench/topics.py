"""What ever more topics cost, all mirrored: looking at them, and keeping them up."""

import re

from process import mean, output, run, succeeds, until

PATIENCE = 180  # seconds until all must be mirrored


def measure(bench):
    made = 0
    try:
        run(*bench.lab.up)
        for count in bench.sizes.topics:
            while made < count:
                made += 1
                bench.kmk("topic", "create", f"many-{made}", "--cluster", "primary", "--partitions", "1")
            until(lambda wanted=count: are_mirrored(bench, wanted), PATIENCE, f"{count} topics were not mirrored")
            for verb in ("status", "lag"):
                took = mean(bench.sizes.runs, *bench.kmk_command, verb)
                bench.add(f"topics-{count}", verb, took * 1000)
            bench.add(f"topics-{count}", "memory", bench.lab.usage().memory)
            bench.add(f"topics-{count}", "idle-cpu", bench.lab.busy_cores(bench.sizes.idle / 3) * 100)
    finally:
        bench.lab.down()


def are_mirrored(bench, count):
    listed = output("kcat", "-L", "-J", "-b", bench.lab.secondary)
    return succeeds(*bench.kmk_command, "status") and len(re.findall(r'"topic":"primary\.many-\d+"', listed)) >= count
