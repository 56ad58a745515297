"""What ever more topics cost, all mirrored: looking at them, and keeping them up."""

import re
import subprocess
import time

from process import mean, output, run
from results import NotMeasured

PATIENCE = 180  # seconds until all must be mirrored


def measure(bench):
    made = 0
    try:
        run(*bench.lab.up)
        for count in bench.sizes.topics:
            while made < count:
                made += 1
                bench.kmk("topic", "create", f"many-{made}", "--cluster", "primary", "--partitions", "1")
            until_mirrored(bench, count)
            for verb in ("status", "lag"):
                took = mean(bench.sizes.runs, *bench.kmk_command, verb)
                bench.add(f"topics-{count}", verb, took * 1000)
            usage, began = bench.lab.usage(), time.monotonic()
            bench.add(f"topics-{count}", "memory", usage.memory)
            time.sleep(bench.sizes.idle / 3)
            cores = (bench.lab.usage().cpu - usage.cpu) / (time.monotonic() - began)
            bench.add(f"topics-{count}", "idle-cpu", cores * 100)
    finally:
        bench.lab.down()


def until_mirrored(bench, count):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        listed = output("kcat", "-L", "-J", "-b", bench.lab.secondary)
        is_well = subprocess.run([*bench.kmk_command, "status"], capture_output=True, check=False).returncode == 0
        if is_well and len(re.findall(r'"topic":"primary\.many-\d+"', listed)) >= count:
            return
        time.sleep(0.5)
    raise NotMeasured(f"{count} topics were not mirrored within {PATIENCE} s")
