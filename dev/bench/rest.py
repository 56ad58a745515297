"""Both stacks left alone: memory, and idle CPU once their JVMs have compiled what they go on doing."""

import time

from bench import TOPIC
from steady import reach, write


def measure(bench):
    for stack in bench.stacks:
        try:
            stack.begin({TOPIC: 1})
            source = {TOPIC: 0}
            write(bench, stack, source, TOPIC, bench.records(100, 1), 1)
            reach(bench, stack, source, TOPIC)
            time.sleep(bench.sizes.rest)
            usage = stack.usage()
            bench.add("memory-idle", stack.side, usage.memory)
            bench.add("own-memory-idle", stack.side, usage.own)
            bench.add("idle-cpu", stack.side, stack.busy_cores(bench.sizes.idle) * 100)
        finally:
            stack.down()
