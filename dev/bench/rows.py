"""The tables of what has a goal: each row with what it is compared with, and the limit it runs into. Knows no pictures."""

import reason
from sizes import PARTITIONS
from table import Goal, Row, number, table

STACKS = ["measured", "kmk", "written by hand"]


def start(results):
    rows = [
        Row(
            "first",
            "`kmk deploy` until the first record is mirrored, cold, s",
            ("cold", "hand"),
            (Goal("ratio", "<=", 1 / 3, "≤ 1/3"),),
            2,
            reason.start("cold"),
        ),
        Row(
            "first",
            "the same, warm, s",
            ("warm", "hand"),
            (Goal("ratio", "<=", 1 / 3.5, "≤ 1/3.5"),),
            2,
            reason.start("warm"),
        ),
        Row(
            "cpu", "CPU seconds until then, cold", ("cold", "hand"), (Goal("ratio", "<=", 0.5),), 1, reason.java("cold")
        ),
        Row("cpu", "the same, warm", ("warm", "hand"), (Goal("ratio", "<=", 0.5),), 1, reason.java("warm")),
        Row(
            "ready",
            "until `kmk deploy` or `docker compose up -d` returns, cold, s",
            ("cold", "hand"),
            (),
            2,
            reason.start("cold", "ready"),
        ),
        Row("ready", "the same, warm, s", ("warm", "hand"), (), 2, reason.start("warm", "ready")),
        Row(
            "stop",
            "`kmk stop`, s",
            ("kmk",),
            (),
            2,
            reason.word("three JVMs shut down by themselves, and flush their data first"),
        ),
        Row(
            "start",
            "`kmk start` after that, until records cross again, s",
            ("kmk",),
            (),
            2,
            reason.start("start", "start", "kmk"),
        ),
        Row(
            "destroy",
            "`kmk destroy`; `docker compose down -v -t 0` of the same lab, s",
            ("kmk", "compose"),
            (Goal("difference", "<=", 0.3),),
            2,
            reason.word("the engine removes networks and containers one by one"),
        ),
    ]
    return table(results, STACKS, rows) + (
        "\n\nTime is measured from just before the command starts until a record, written as soon as the source accepts one,"
        " can be read on the target. Cold: without MirrorMaker's class-data archive; warm: with the archive of the previous"
        " deploy. CPU seconds are those of all containers, `kmk` and `docker compose`, without the engine's own."
    )


def mirror(results):
    ratio = {(100, 1): 8, (1000, 1): 25}

    def late(load, rank, words, *goals):
        row, goals = f"latency-{load}-{rank}", (*goals, Goal("ratio", "<=", 1))
        return Row(row, words, ("kmk", "hand"), goals, 1, reason.hop(row, rank))

    rows = [
        Row(
            "pickup",
            "a new topic, until its first record is mirrored, s",
            ("kmk", "hand"),
            (Goal("median", "<=", 1.5),),
            2,
            reason.pickup("pickup", 0.5, "on average"),
        ),
        Row(
            "pickup-slowest",
            "the slowest of them, s",
            ("kmk", "hand"),
            (Goal("median", "<=", 2.5),),
            2,
            reason.pickup("pickup-slowest", 1, "at most"),
        ),
        late("idle", "p50", "latency of one record, idle, p50, ms", Goal("median", "<=", 10)),
        late("idle", "p99", "p99, ms", Goal("median", "<=", 25)),
        late("busy", "p50", "latency at 1,000 records/s, p50, ms"),
        late("busy", "p99", "p99, ms"),
        *(
            Row(
                f"mirrored-{size}-{count}",
                f"mirrored, {size:,} B, {in_words(count)}, records/s",
                ("kmk", "hand"),
                (Goal("ratio", ">=", ratio[size, count]),) if (size, count) in ratio else (),
                0,
                reason.mirrored(size, count),
            )
            for size in (100, 1000)
            for count in PARTITIONS
        ),
        Row(
            "memory-idle",
            "memory of the lab, idle, MiB",
            ("kmk", "hand"),
            (Goal("ratio", "<=", 0.65),),
            0,
            reason.word("heap and code of three JVMs"),
        ),
        Row(
            "memory-full",
            "after 1 GB was mirrored, MiB",
            ("kmk", "hand"),
            (Goal("ratio", "<=", 0.65),),
            0,
            reason.word("the page cache of written data counts too"),
        ),
        Row(
            "own-memory-full",
            "the same without page cache, MiB",
            ("kmk", "hand"),
            (Goal("ratio", "<=", 0.65),),
            0,
            reason.word("heap and code of three JVMs"),
        ),
        Row(
            "idle-cpu",
            f"idle CPU over {results.facts['idle']:.0f} s, % of a core",
            ("kmk", "hand"),
            (Goal("median", "<=", 10),),
            1,
            reason.word("timers: MirrorMaker looks for topics and groups every second"),
        ),
    ]
    return table(results, STACKS, rows) + (
        "\n\nThroughput: a backlog is written while MirrorMaker is paused. Its first tenth is not counted, nor what is mirrored"
        f" more than {results.facts['window']:g} s after that."
        " Latency: single records of 100 B, written and read by one process with one clock, 20 or 1,000 a second."
        " Memory: as shown by `docker stats`. Idle: a stack with one topic of one record,"
        f" {results.facts['rest']:g} s after that record was mirrored."
    )


def load(results):
    sizes = dict(results.facts["client_records"])
    heads = ["records/s", "kmk", "kmk `--client kafka`", "Kafka's perf tool, its own count", "kcat"]
    sides, no_perf = ("kmk", "kafka", "perf", "kcat"), ("kmk", "kafka", None, "kcat")
    produce, consume, samples = [], [], []

    def client(verb, words, size, count, goal):
        goals = (Goal("ratio", ">=", goal),)
        row, words = f"{verb}-{size}-{count}", f"{words}, {size:,} B, {in_words(count)}"
        who = no_perf if verb == "consume-file" else sides
        return Row(row, words, who, goals, 0, reason.client(row, size, verb != "consume-null"))

    for size in sizes:
        for count in PARTITIONS:
            produce.append(client("produce", "file → topic", size, count, 1.1))
            consume.append(client("consume-file", "topic → file", size, count, 1.2))
            consume.append(client("consume-null", "topic → /dev/null", size, count, 1.2))
        samples.append(
            Row(
                f"samples-{size}",
                f"samples → topic, {size:,} B; kcat from a file",
                no_perf,
                (Goal("ratio", ">=", 1.5),),
                0,
                reason.client(f"samples-{size}", size, has_file=False),
                other=f"produce-{size}-1",
            )
        )
    whole = ", ".join(
        f"{verb} {size:,} B {number(results.median(f'{verb}-{size}-1', 'perf-whole'), 0)}"
        for verb in ("produce", "consume-null")
        for size in sizes
        if results.median(f"{verb}-{size}-1", "perf-whole")
    )
    counts = ", ".join(f"{records:,} records of {size:,} B" for size, records in sizes.items())
    return table(results, heads, [*produce, *samples, *consume]) + (
        f"\n\n{counts}; `acks=all`, no compression. Rates are those of whole processes, except that Kafka's perf tools report their"
        f" own rate, without start-up. Including start-up, in records/s, one partition: {whole or 'not measured'}. The ratio"
        " compares kmk, as it is without `--client`, with kcat."
    )


def commands(results):
    rows = [
        Row(
            "ten",
            "produce 10 and consume 10; Kafka's console tools, s",
            ("kmk", "console"),
            (Goal("ratio", "<=", 1 / 50, "≤ 1/50"),),
            3,
            reason.processes("ten", 2, 1),
        ),
        Row("help", "`kmk --help`, ms", ("kmk",), (Goal("median", "<", 5),), 1, reason.processes("help", 1, 1000)),
        Row(
            "render",
            "`kmk deploy --dry-run`, ms",
            ("kmk",),
            (Goal("median", "<", 10),),
            1,
            reason.processes("render", 1, 1000),
        ),
        Row(
            "status",
            "`kmk status`, which sends a record through the flow; `docker compose ps`, ms",
            ("kmk", "compose"),
            (Goal("median", "<", 150),),
            0,
            reason.status,
        ),
        Row("status", "`kmk status`; `kcat -L`, ms", ("kmk", "kcat"), (), 0, reason.word("kcat asks one broker, once")),
        Row(
            "size",
            "the executable, MB",
            ("kmk",),
            (Goal("median", "<", 8),),
            2,
            reason.word("a single file"),
        ),
    ]
    return table(results, ["measured", "kmk", "compared with"], rows) + (
        "\n\nKafka's console tools run in a running container (`docker exec`), with their default settings."
    )


def ledger(results):
    most = [Goal("median", "<", 191)]
    rows = [
        Row(
            "ledger",
            "`kmk verify`; `kmk produce` and `kmk consume`, records/s",
            ("verify", "bare"),
            (Goal("ratio", ">=", 0.8),),
            0,
            reason.word("MirrorMaker, see above"),
        )
    ]
    rows += [
        Row(
            f"ledger-memory-{records}",
            f"peak memory for {records:,} records, MiB",
            ("verify",),
            tuple(most),
            0,
            reason.ledger_memory,
        )
        for records in results.facts["ledger_many"]
    ]
    return table(results, ["measured", "kmk verify", "compared with"], rows) + (
        "\n\nRecords of 200 B in three partitions, from source to target through MirrorMaker, until the last one has been read. 191 MiB are 200 MB."
    )


def in_words(partitions):
    return "one partition" if partitions == 1 else f"{partitions} partitions"
