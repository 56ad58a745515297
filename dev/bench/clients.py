"""What a person types, and kmk with the `kafka` crate, against kcat and Kafka's perf tools: on the primary of a lab, into and out of topics of one partition
and of several. MirrorMaker has nothing to do meanwhile.
"""

import os
import re
import time

from process import run
from results import NotMeasured
from sizes import PARTITIONS
from stack import Tools

# One order a round: a broker still has to do with the client before, so each of them comes after each other one.
ORDERS = (
    "kmk kafka kcat perf",
    "perf kcat kafka kmk",
    "kafka kmk perf kcat",
    "kcat perf kmk kafka",
    "kmk perf kcat kafka",
)
INSIDE = "primary:9092"


def measure(bench):
    try:
        run(*bench.lab.up)
        with Tools(f"{bench.lab.project}_primary") as tools:
            for size, records in bench.sizes.client_records:
                for partitions in PARTITIONS:
                    for side in ORDERS[(bench.round - 1) % len(ORDERS)].split():
                        Load(bench, tools, side, size, records, partitions).measure()
                for side in ("kmk", "kafka"):
                    samples(bench, side, size, records)
    finally:
        bench.lab.down()


class Load:
    """A client, and what it writes and reads."""

    def __init__(self, bench, tools, side, size, records, partitions):
        self.bench, self.tools, self.side = bench, tools, side
        self.size, self.records, self.partitions = size, records, partitions
        self.topic = f"load-{side}-{size}-{partitions}-{bench.round}"
        self.name = f"{size}-{partitions}"

    def measure(self):
        self.bench.lab.create(self.topic, self.partitions)
        os.sync()  # what the one before wrote is on the disk, and slows down nobody
        if self.side == "perf":
            self.perf()
        else:
            self.whole_processes()
        # the memory that holds its pages is the next one's
        self.bench.kmk("topic", "delete", self.topic, "--cluster", "primary")

    def whole_processes(self):
        file = self.bench.records(self.size, self.records)
        copy = os.path.join(self.bench.work, "consumed")
        self.timed("produce", self.produce(file))
        with open(copy, "wb") as out:
            self.timed("consume-file", self.consume(), into=out)
        if os.path.getsize(copy) != os.path.getsize(file):
            raise NotMeasured(f"{self.side} read other records from {self.topic} than were written")
        os.remove(copy)
        with open(os.devnull, "wb") as out:
            self.timed("consume-null", self.consume(), into=out)

    def produce(self, file):
        address = self.bench.lab.primary
        if self.side == "kcat":
            return ["kcat", "-P", "-b", address, "-t", self.topic, "-l", file]
        how = [*client(self.side, address), "--topic", self.topic, "--file", file]
        return [self.bench.program, "--quiet", "produce", *how]

    def consume(self):
        address, records = self.bench.lab.primary, str(self.records)
        if self.side == "kcat":
            return ["kcat", "-C", "-q", "-b", address, "-t", self.topic, "-o", "beginning", "-e", "-c", records]
        how = [*client(self.side, address), "--topic", self.topic, "--messages", records]
        return [self.bench.program, "--quiet", "consume", *how]

    def timed(self, verb, command, **how):
        timed(self.bench, f"{verb}-{self.name}", self.side, self.records, command, **how)

    def perf(self):
        """Each says its own rate, without its start; and a whole process, with it."""
        records, size = str(self.records), str(self.size)
        how = ["--num-records", records, "--record-size", size, "--throughput", "-1"]
        how += ["--producer-props", f"bootstrap.servers={INSIDE}", "acks=all"]
        words = self.tool("produce", "kafka-producer-perf-test.sh", "--topic", self.topic, *how)
        # 1000000 records sent, 312793.2 records/sec (29.83 MB/sec), ...
        self.bench.add(f"produce-{self.name}", "perf", found(r"([\d.]+) records/sec.*\Z", words))
        how = ["--bootstrap-server", INSIDE, "--messages", records, "--timeout", "30000", "--hide-header"]
        words = self.tool("consume-null", "kafka-consumer-perf-test.sh", "--topic", self.topic, *how)
        # start, end, MB, MB/s, records, records/s, rebalance, fetch, MB/s of the fetch, records/s of the fetch
        self.bench.add(f"consume-null-{self.name}", "perf", found(r"(?m)^(?:[^,\n]*,){9}\s*([\d.]+)", words))

    def tool(self, verb, *command):
        path = os.path.join(self.bench.work, "tool")
        with open(path, "wb") as out:
            began = time.monotonic()
            run(*self.tools.command(*command), into=out)
            self.bench.add(f"{verb}-{self.name}", "perf-whole", self.records / (time.monotonic() - began))
        with open(path, encoding="utf-8", errors="replace") as text:
            return text.read().strip()


def client(side, address):
    """Told the address, as kcat is; without a word about the client, kmk chooses it."""
    return ["--bootstrap", address] + (["--client", side] if side != "kmk" else [])


def timed(bench, row, side, records, command, **how):
    """Records a second of a whole process, and how many cores it and the broker kept busy."""
    began, before = time.monotonic(), bench.lab.usage("primary").cpu
    done = run(*command, **how)
    broker = (bench.lab.usage("primary").cpu - before) / (time.monotonic() - began)
    bench.add(row, side, records / done.seconds)
    if side == "kmk":
        bench.add(f"{row}-cores", "kmk", done.cpu / done.seconds)
        bench.add(f"{row}-cores", "broker", broker)


def found(pattern, words):
    """The number that a tool tells."""
    if match := re.search(pattern, words):
        return float(match[1])
    raise NotMeasured(f"not what a perf tool says: {words[-500:]!r}")


def samples(bench, side, size, records):
    """Records that kmk makes up itself: no file is read."""
    topic = f"load-samples-{side}-{size}-{bench.round}"
    bench.lab.create(topic, 1)
    os.sync()
    at = [*client(side, bench.lab.primary), "--topic", topic]
    command = [bench.program, "--quiet", "produce", *at, "--messages", str(records), "--size", str(size)]
    timed(bench, f"samples-{size}", side, records, command)
    bench.kmk("topic", "delete", topic, "--cluster", "primary")
