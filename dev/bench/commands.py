"""Commands that take milliseconds, and ten records in and out: whole processes, as scripts start them."""

import os

from process import mean, run
from stack import Tools

RECORDS = 10
SETTING = "--bootstrap-server"


def measure(bench):
    bench.add("size", "kmk", os.path.getsize(bench.program) / 1e6)
    answers(bench, "help", kmk=[bench.program, "--help"])
    answers(
        bench, "render", kmk=[*bench.kmk_command, "deploy", "--dry-run", "--dir", os.path.join(bench.work, "rendered")]
    )
    answers(bench, "process", true=["true"], docker=["docker", "version"])
    try:
        run(*bench.lab.up)
        answers(
            bench,
            "status",
            kmk=[*bench.kmk_command, "status"],
            compose=["docker", "compose", "-p", bench.lab.project, "ps"],
            kcat=["kcat", "-L", "-b", bench.lab.primary],
        )
        ten(bench)
    finally:
        bench.lab.down()


def answers(bench, row, **commands):
    """Milliseconds of one run, the mean of many."""
    for side, command in commands.items():
        bench.add(row, side, mean(bench.sizes.runs, *command) * 1000)


def ten(bench):
    lines = bench.records(100, RECORDS)
    with Tools(f"{bench.lab.project}_primary") as tools:
        bench.lab.create("load-ten-kmk", 1)
        bench.lab.create("load-ten-console", 1)
        at = ["--topic", "load-ten-kmk", "--bootstrap", bench.lab.primary]
        took = bench.kmk("produce", *at, "--file", lines).seconds
        took += bench.kmk("consume", *at, "--messages", str(RECORDS)).seconds
        bench.add("ten", "kmk", took)
        at = ["--topic", "load-ten-console", SETTING, "primary:9092"]
        with open(lines, "rb") as stdin:
            took = run(*tools.command("kafka-console-producer.sh", *at), stdin=stdin).seconds
        how = ["--from-beginning", "--max-messages", str(RECORDS)]
        took += run(*tools.command("kafka-console-consumer.sh", *at, *how)).seconds
        bench.add("ten", "console", took)
