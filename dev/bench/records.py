"""Ever more records of 100 B through `kmk produce` and `kmk consume`: time, and memory."""

import os
import shutil

from process import run

SIZE = 100
ON_DISK = 115  # bytes a record takes in a topic, and some
SPARE = 4e9  # bytes that are left to everybody else
TIMEOUT = "900s"


def measure(bench):
    try:
        run(*bench.lab.up)
        for count in bench.sizes.records:
            free = room(bench)
            wanted = count * ON_DISK + SPARE
            if free < wanted:
                why = f"it needs {wanted / 1e9:.0f} GB of disk, and {free / 1e9:.0f} GB are free"
                bench.results.leave_out(f"records-{count}", "produce", why)
                continue
            through(bench, count)
    finally:
        bench.lab.down()


def through(bench, count):
    topic = f"load-records-{count}"
    bench.lab.create(topic, 1)
    how = ["--messages", str(count), "--size", str(SIZE)]
    note(bench, count, "produce", bench.kmk("produce", "--topic", topic, *how, peak=True))
    how = ["--messages", str(count), "--timeout", TIMEOUT]
    note(bench, count, "consume", bench.kmk("consume", "--topic", topic, "--cluster", "primary", *how, peak=True))
    bench.kmk("topic", "delete", topic, "--cluster", "primary")


def note(bench, count, verb, done):
    bench.add(f"records-{count}", verb, done.seconds)
    bench.add(f"records-{count}", f"{verb}-rate", count / done.seconds)
    bench.add(f"records-{count}", f"{verb}-memory", done.peak)


def room(bench):
    """Bytes free where the engine keeps its volumes; of this machine where the engine is another's."""
    there = bench.engine.info.get("DockerRootDir", "")
    return shutil.disk_usage(there if os.path.isdir(there) else bench.work).free
