"""How deploy time and memory grow with the number of clusters: a hub, and the rest mirrored from it, each by a MirrorMaker of
its own.
"""

import os
import time

from process import run


def measure(bench):
    """What is `expected`: brokers and MirrorMakers of the smallest lab of the same round, as often as there are of them."""
    one = None
    for count in bench.sizes.clusters:
        file = os.path.join(bench.work, "hub.yml")
        with open(file, "w", encoding="ascii") as out:
            out.write(hub_and_edges(count))
        try:
            done = run(*bench.kmk_command, "deploy", "--config", file, "--any-port")
            bench.add(f"clusters-{count}-deploy", "kmk", done.seconds)
            bench.add(f"clusters-{count}-cpu", "kmk", bench.lab.usage().cpu + done.cpu)
            time.sleep(bench.sizes.settled)
            usage = bench.lab.usage()
            bench.add(f"clusters-{count}-memory", "kmk", usage.memory)
            mirrors = sum(bench.lab.usage(f"mm2-edge-{edge}").memory for edge in range(1, count))
            one = one or ((usage.memory - mirrors) / count, mirrors / (count - 1))
            bench.add(f"clusters-{count}-memory", "expected", count * one[0] + (count - 1) * one[1])
            bench.add(f"clusters-{count}-idle-cpu", "kmk", bench.lab.busy_cores(bench.sizes.idle / 3) * 100)
        finally:
            bench.lab.down()


def hub_and_edges(count):
    edges = [f"edge-{number}" for number in range(1, count)]
    clusters = "".join(f"  - name: {name}\n" for name in ["hub", *edges])
    flows = "".join(f"  - {{from: hub, to: {name}}}\n" for name in edges)
    return f"clusters:\n{clusters}flows:\n{flows}"
