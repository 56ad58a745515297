"""What the ledger costs: `kmk verify` against `kmk produce` and `kmk consume` side by side, which count nothing but records."""

import time

from bench import copy
from process import beside, run
from results import NotMeasured

SIZE, PARTITIONS, TIMEOUT = 200, 3, "300s"


def measure(bench):
    sides = [("verify", verify), ("bare", bare)]
    try:
        run(*bench.lab.up)
        for side, through in sides if bench.round % 2 else sides[::-1]:
            topic = f"ledger-{side}"
            known(bench, topic)
            began = time.monotonic()
            through(bench, topic)
            bench.add("ledger", side, bench.sizes.ledger_records / (time.monotonic() - began))
        # the same every time, and ten million records take a minute
        for records in bench.sizes.ledger_many if bench.round == 1 else ():
            memory(bench, records)
    finally:
        bench.lab.down()


def known(bench, topic):
    """To MirrorMaker, before the clock starts."""
    bench.kmk("topic", "create", topic, "--cluster", "primary", "--partitions", str(PARTITIONS))
    bench.kmk("produce", "--topic", topic, "--messages", str(PARTITIONS))
    bench.kmk("consume", "--topic", copy(topic), "--messages", str(PARTITIONS), "--timeout", TIMEOUT)


def verify(bench, topic):
    records = str(bench.sizes.ledger_records)
    bench.kmk("verify", "--topic", topic, "--messages", records, "--size", str(SIZE), "--timeout", TIMEOUT)


def bare(bench, topic):
    records = bench.sizes.ledger_records
    reading = [*bench.kmk_command, "--quiet", "consume", "--topic", copy(topic)]
    reading += ["--messages", str(records + PARTITIONS), "--timeout", TIMEOUT]
    with open(f"{bench.work}/consumed", "wb") as out, beside(*reading, stdout=out) as reader:
        bench.kmk("produce", "--topic", topic, "--messages", str(records), "--size", str(SIZE))
        if reader.wait() != 0:
            raise NotMeasured(f"not all copies of `{topic}` were read")


def memory(bench, records):
    done = bench.kmk("verify", "--messages", str(records), "--size", "100", "--timeout", TIMEOUT, peak=True)
    bench.add(f"ledger-memory-{records}", "verify", done.peak)
