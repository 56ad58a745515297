"""MirrorMaker at work: latency, throughput, memory, and new topics; the same way on both stacks."""

import json
import subprocess
import time

from bench import copy
from process import beside, output, run
from results import NotMeasured
from sizes import PARTITIONS

QUIET = "quiet"  # the topic whose records' latency is measured
PATIENCE = 180  # seconds until something that does not happen is given up


def measure(bench):
    for stack in bench.stacks:
        try:
            on(bench, stack)
        finally:
            stack.down()


def on(bench, stack):
    topics = {load(size, count): count for size, _ in bench.sizes.client_records for count in PARTITIONS}
    stack.begin({QUIET: 1, **topics})
    source = {topic: 0 for topic in (QUIET, *topics)}
    for topic in source:
        write(bench, stack, source, topic, bench.records(100, 1), 1)
        reach(bench, stack, source, topic)
    time.sleep(bench.sizes.settled)
    late = wait_for_new_topic(bench, stack)
    try:
        at_work(bench, stack, source, topics)
        if bench.round == 1:
            gigabyte(bench, stack, source)
            new_topics(bench, stack, late)
    finally:
        if late:
            late.kill()


def at_work(bench, stack, source, topics):
    latency(bench, stack)
    write(bench, stack, source, load(100, 1), bench.records(100, bench.sizes.warm_up), bench.sizes.warm_up)
    reach(bench, stack, source, load(100, 1))
    for topic, partitions in topics.items():
        mirrored(bench, stack, source, topic, partitions)


def load(size, partitions):
    return f"t{size}p{partitions}"


def write(bench, stack, source, topic, file, count):
    """With kcat, which is neither side's."""
    run("kcat", "-P", "-b", stack.primary, "-t", topic, "-l", file)
    source[topic] += count


def reach(bench, stack, source, topic):
    """Waits until all that was written is mirrored."""
    bench.probe("reached", stack.secondary, copy(topic), source[topic], PATIENCE * 5)


def latency(bench, stack):
    for name, (records, rate) in (("idle", bench.sizes.latency_idle), ("busy", bench.sizes.latency_busy)):
        late = json.loads(bench.probe("latency", stack.primary, stack.secondary, QUIET, copy(QUIET), records, rate))
        for what in ("p50", "p99", "max"):
            bench.add(f"latency-{name}-{what}", stack.side, late[what])
    if stack is bench.lab:
        # into one broker and out of it again: what two of them and a MirrorMaker cannot be below
        records, rate = bench.sizes.latency_idle
        stack.create("load-hop", 1)
        hop = json.loads(bench.probe("latency", stack.primary, stack.primary, "load-hop", "load-hop", records, rate))
        bench.add("limit-hop", "p50", hop["p50"])
        bench.add("limit-hop", "p99", hop["p99"])


def mirrored(bench, stack, source, topic, partitions):
    sizes = bench.sizes.mirrored_by_kmk if stack is bench.lab else bench.sizes.mirrored_by_hand
    size, count = next((size, count) for size, count in sizes if topic == load(size, partitions))
    row = f"mirrored-{size}-{partitions}"
    rate, cores, mirror_cores = copied(bench, stack, source, topic, bench.records(size, count), count)
    bench.add(row, stack.side, rate)
    bench.add(f"{row}-cores", stack.side, cores)
    bench.add(f"{row}-mirror-cores", stack.side, mirror_cores)


def copied(bench, stack, source, topic, file, count):
    """Records a second while a backlog is copied: between a tenth of it and all, or what a window's time is enough for.

    MirrorMaker is paused while it is written. Its first records are not counted: what it had fetched before the pause is
    there for nothing, and waking up costs it a moment. Also how many cores all containers, and MirrorMaker, keep busy.
    """
    before = source[topic]
    [mirror] = stack.containers(stack.mirror)
    bench.engine.pause(mirror)
    write(bench, stack, source, topic, file, count)
    asked = [bench.prober, "reached", stack.secondary, copy(topic), str(source[topic]), str(PATIENCE)]
    with beside(*asked, stdout=subprocess.PIPE, text=True) as probe:
        lines = [probe.stdout.readline()]  # it is connected, and has looked once
        all_cpu, mirror_cpu, began = stack.usage().cpu, stack.usage(stack.mirror).cpu, time.monotonic()
        bench.engine.unpause(mirror)
        lines += list(probe.stdout)
        took = time.monotonic() - began
        if probe.wait() != 0:
            raise NotMeasured(f"{topic} was not mirrored within {PATIENCE} s")
    looks = [(float(seconds), int(there)) for seconds, there in map(str.split, lines)]
    rate = slope(looks, before, count, bench.sizes.window)
    return rate, (stack.usage().cpu - all_cpu) / took, (stack.usage(stack.mirror).cpu - mirror_cpu) / took


def slope(looks, before, count, window):
    steady = [look for look in looks if look[1] - before >= count / 10]
    steady = [look for look in steady if look[0] <= steady[0][0] + window]
    (began, first), (ended, last) = steady[0], steady[-1]
    if last == first:  # a backlog so small that it came at once
        (began, first), (ended, last) = looks[0], looks[-1]
    return (last - first) / (ended - began)


def gigabyte(bench, stack, source):
    """In six partitions, which is faster on both."""
    size, most = bench.sizes.client_records[-1]
    topic, left = load(size, PARTITIONS[-1]), bench.sizes.gigabyte
    while left > 0:
        part = min(left, most)
        write(bench, stack, source, topic, bench.records(size, part), part)
        left -= part
    reach(bench, stack, source, topic)
    time.sleep(bench.sizes.settled)
    usage = stack.usage()
    bench.add("memory-full", stack.side, usage.memory)
    bench.add("own-memory-full", stack.side, usage.own)


def wait_for_new_topic(bench, stack):
    """The hand-written stack takes ten minutes: they are waited for only once, while the rest is measured."""
    if stack is bench.lab or bench.round > 1:
        return None
    if not bench.sizes.new_topic_by_hand:
        bench.results.leave_out("pickup", stack.side, "its ten minutes are not waited for here")
        return None
    asked = [bench.prober, "pickup", stack.primary, stack.secondary, "late", "1", str(bench.sizes.new_topic_by_hand)]
    return subprocess.Popen(asked, stdout=subprocess.PIPE, text=True)


def new_topics(bench, stack, late):
    if stack is bench.lab:
        found = output(bench.prober, "pickup", stack.primary, stack.secondary, "new", str(bench.sizes.new_topics), "60")
    elif late:
        found, _ = late.communicate()
        if late.returncode != 0:
            raise NotMeasured("the new topic was not mirrored")
    else:
        return
    took = [float(milliseconds) / 1000 for milliseconds in found.split()]
    for seconds in took:
        bench.add("pickup", stack.side, seconds)
    bench.add("pickup-slowest", stack.side, max(took))
