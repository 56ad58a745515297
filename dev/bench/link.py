"""What a relay costs that delays nothing, beside the same lab without one; and whether a line is as slow as was asked for."""

import json
import subprocess
import time

from bench import copy
from process import beside, output, run
from sizes import RATES, ROUND_TRIPS
from steady import QUIET, copied, load, reach, write

RELAY = "link-primary-secondary"
LOAD = 1000  # records of 1,000 B a second that cross the line while it is measured


def measure(bench):
    """Not in the smallest form: the tests of kmk bring up such a lab anyway."""
    if not bench.sizes.link:
        return
    sides = [("none", ["--link", "none"]), ("relay", ["--link", "rtt=0ms"])]
    for side, flags in sides if bench.round % 2 else sides[::-1]:
        try:
            run(*bench.lab.up, *flags)
            cost(bench, side)
            if side == "relay":
                memory(bench)
                truth(bench)
        finally:
            bench.lab.down()


def cost(bench, side):
    sizes = bench.sizes.mirrored_by_kmk
    source = {topic: 0 for topic in (QUIET, *(load(size, 1) for size, _ in sizes))}
    for topic in source:
        bench.lab.create(topic, 1)
        write(bench, bench.lab, source, topic, bench.records(100, 1), 1)
        reach(bench, bench.lab, source, topic)
    time.sleep(bench.sizes.settled)
    records, rate = bench.sizes.latency_idle
    late = bench.probe("latency", bench.lab.primary, bench.lab.secondary, QUIET, copy(QUIET), records, rate)
    bench.add("link-latency", side, json.loads(late)["p50"])
    warm_up = bench.sizes.warm_up
    write(bench, bench.lab, source, load(100, 1), bench.records(100, warm_up), warm_up)
    reach(bench, bench.lab, source, load(100, 1))
    for size, count in sizes:
        mirrored, *_ = copied(bench, bench.lab, source, load(size, 1), bench.records(size, count), count)
        bench.add(f"link-mirrored-{size}", side, mirrored)


def memory(bench):
    """After all that went through it."""
    bench.add("link-memory", "relay", bench.lab.usage(RELAY).own)


def truth(bench):
    """While records cross the line."""
    producing = ["produce", "--topic", load(1000, 1), "--messages", "1000000", "--size", "1000", "--rate", str(LOAD)]
    with beside(*bench.kmk_command, "--quiet", *producing, stdout=subprocess.DEVNULL) as producer:
        for rtt in ROUND_TRIPS:
            found = asked(bench, "--rtt", f"{rtt}ms")
            bench.add(f"link-rtt-{rtt}", "measured", found["rtt_ms"])
        for rate in RATES:
            found = asked(bench, "--rtt", "40ms", "--rate", f"{rate}mbit")
            bench.add(f"link-rate-{rate}", "measured", found["rate_kbit"] / 1000)
        producer.terminate()


def asked(bench, *line):
    """What is measured of a line that was made so."""
    bench.kmk("link", "set", *line)
    shown = output(*bench.kmk_command, "--quiet", "link", "show", "--json", *["--load"] * ("--rate" in line))
    return json.loads(shown)["links"][0]["measured"]
