"""From nothing to the first record that has crossed: how long it takes, and what it costs. And how long the end takes."""

import subprocess
import threading
import time

from bench import TOPIC, copy
from process import beside, output, run, succeeds, until
from results import NotMeasured

ARCHIVE = "label=kmk.classes"  # the volume that keeps MirrorMaker's class-data archive between deploys
# A container touches the one that it uses or makes; others, of other images, may lie beside it.
MADE = "find /usr/logs -name '*.jsa' -newer /etc/hostname | grep -q ."
PATIENCE = 180  # seconds


def measure(bench):
    for stack in bench.stacks:
        if stack is bench.lab:
            lab(bench)
        else:
            first_record(bench, stack, "hand")
            bench.add("compose-down", "hand", stack.down().seconds)


def lab(bench):
    """Without the archive, and with it. One of the two labs is taken away by kmk, the other by compose, in turn."""
    ends = [("kmk", bench.lab.down), ("compose", bench.lab.down_by_compose)]
    for way, (side, down) in zip(("cold", "warm"), ends if bench.round % 2 else ends[::-1]):
        if way == "cold" and not forget_archive(bench):
            bench.results.leave_out("first", way, "a lab that is up keeps the class-data archive")
            see_to_archive(bench)
            continue
        first_record(bench, bench.lab, way)
        if way == "cold":
            until_archive_is_made(bench)
        else:
            start_again(bench)
        bench.add("destroy", side, down().seconds)
    bench.lab.down()  # what compose does not know of


def start_again(bench):
    bench.add("stop", "kmk", bench.kmk("stop").seconds)
    done = bench.kmk("start")
    bench.add("start", "kmk", done.seconds)
    bench.add("cpu", "start", bench.lab.usage().cpu + done.cpu)


def archives():
    return output("docker", "volume", "ls", "-q", "--filter", ARCHIVE).split()


def forget_archive(bench):
    """Whether it is gone: all labs of an engine share it, and one that is up, somebody's, keeps it."""
    bench.has_archive = False
    try:
        for volume in archives():
            run("docker", "volume", "rm", volume)
    except NotMeasured:
        return False
    return True


def see_to_archive(bench):
    """It is there for whatever is not about its making: that keeps a core busy for some seconds, soon after a deploy."""
    if bench.has_archive:
        return
    try:
        run(*bench.lab.up)
        until_archive_is_made(bench)
    finally:
        bench.lab.down()


def until_archive_is_made(bench):
    """MirrorMaker's container makes it at leisure, whole or not at all."""
    [mirror] = bench.lab.containers(bench.lab.mirror)
    made = ["docker", "exec", mirror, "sh", "-c", MADE]
    until(lambda: succeeds(*made), PATIENCE, "the class-data archive was not made")
    bench.has_archive = True


def first_record(bench, stack, way):
    """The probe writes as soon as the source takes a record; the clock runs from before the command is started."""
    seen = {}
    began = time.monotonic()
    crossed = [bench.prober, "first", stack.primary, stack.secondary, TOPIC, copy(TOPIC)]
    with beside(*crossed, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as probe:

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
        up = run(*stack.up)
        looking.join()
    if "trouble" in seen:
        raise NotMeasured(seen["trouble"])
    bench.add("first", way, seen["first"])
    bench.add("ready", way, up.seconds)
    bench.add("cpu", way, seen["cpu"] + up.cpu)
