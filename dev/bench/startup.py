"""From nothing to the first record that has crossed: how long it takes, and what it costs. And how long the end takes."""

import subprocess
import threading
import time

from bench import TOPIC, copy
from process import output, run
from results import NotMeasured

ARCHIVE = "label=kmk.classes"  # the volume that keeps MirrorMaker's class-data archive between deploys


def measure(bench):
    for stack in bench.stacks:
        if stack is bench.lab:
            lab(bench)
        else:
            first_record(bench, stack, "hand")
            bench.add("compose-down", "hand", stack.down().seconds)


def lab(bench):
    """Without the archive, and with it. One of the two labs is taken away by kmk, the other by compose, in turn."""
    forget_archive()
    ends = [("kmk", bench.lab.down), ("compose", bench.lab.down_by_compose)]
    for way, (side, down) in zip(("cold", "warm"), ends if bench.round % 2 else ends[::-1]):
        first_record(bench, bench.lab, way)
        if way == "cold":
            until_archive_is_made(bench)
        bench.add("destroy", side, down().seconds)
    bench.lab.down()  # what compose does not know of


def forget_archive():
    for volume in output("docker", "volume", "ls", "-q", "--filter", ARCHIVE).split():
        run("docker", "volume", "rm", volume)


def until_archive_is_made(_bench):
    """There is none to wait for yet."""


def first_record(bench, stack, way):
    """The probe writes as soon as the source takes a record; the clock runs from before the command is started."""
    seen = {}
    began = time.monotonic()
    crossed = [bench.prober, "first", stack.primary, stack.secondary, TOPIC, copy(TOPIC)]
    with subprocess.Popen(crossed, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as probe:

        def look():
            said = probe.stderr.read().decode(errors="replace")
            if probe.wait() != 0:
                seen["trouble"] = said
                return
            seen["first"] = time.monotonic() - began
            try:
                seen["cpu"] = stack.usage().cpu
            except NotMeasured as why:
                seen["trouble"] = str(why)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            up = run(*stack.up)
        except NotMeasured:
            probe.kill()
            raise
        finally:
            looking.join()
    if "trouble" in seen:
        raise NotMeasured(seen["trouble"])
    bench.add("first", way, seen["first"])
    bench.add("ready", way, up.seconds)
    bench.add("cpu", way, seen["cpu"] + up.cpu)
