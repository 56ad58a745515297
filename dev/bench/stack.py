"""The two stacks that are measured side by side: kmk's lab, and the one a person writes by hand. Never up at once.

Knows nothing of what is measured on them.
"""

import os
import subprocess
import time

from process import run
from results import NotMeasured

LAB = "bench"
LOAD = "load.*"  # topics that are not mirrored: where clients are measured, MirrorMaker is not


class Stack:
    """What both have: `side`, `project`, `primary`, `secondary` and `mirror`, MirrorMaker's service."""

    def __init__(self, bench):
        self.bench = bench

    def create(self, topic, partitions):
        """On the source."""
        self.bench.kmk("topic", "create", topic, "--bootstrap", self.primary, "--partitions", str(partitions))

    def containers(self, service=None, status=None):
        return self.bench.engine.containers(self.project, service, status)

    def usage(self, service=None):
        return self.bench.engine.usage(self.project, service)

    def busy_cores(self, seconds):
        """How many cores its containers keep busy, the mean over this time."""
        before, began = self.usage().cpu, time.monotonic()
        time.sleep(seconds)
        return (self.usage().cpu - before) / (time.monotonic() - began)

    def unpause(self):
        """No engine stops a paused container."""
        for container in self.containers(status="paused"):
            self.bench.engine.unpause(container)


class Kmk(Stack):
    side, project, mirror = "kmk", f"kmk-{LAB}", "mm2-secondary"
    primary, secondary = "localhost:29192", "localhost:29292"

    @property
    def up(self):
        """The command that brings all of it up."""
        ports = ["--port", "primary=29192", "--port", "secondary=29292"]
        return [*self.bench.kmk_command, "deploy", *ports, "--exclude", LOAD]

    def begin(self, topics):
        """Up, with these topics in the source (name -> partitions)."""
        run(*self.up)
        for topic, partitions in topics.items():
            self.create(topic, partitions)

    def down(self):
        self.unpause()
        return run(*self.bench.kmk_command, "--quiet", "destroy")

    def down_by_compose(self):
        """The same lab, taken away without kmk."""
        return run("docker", "compose", "-p", self.project, "down", "-v", "-t", "0")

    def refuse_one_that_is_there(self):
        """One that is there is somebody's, and not ours to destroy. 3: there is none."""
        status = subprocess.run([*self.bench.kmk_command, "status"], capture_output=True, check=False).returncode
        if status != 3:
            raise NotMeasured(f"there is a lab named {LAB} already: remove it with 'kmk destroy --lab {LAB}'")


class ByHand(Stack):
    side, project, mirror = "hand", "kmk_bench_by_hand", "mm2"
    primary, secondary = "localhost:29092", "localhost:39092"

    @property
    def compose(self):
        file = os.path.join(self.bench.work, "baseline", "docker-compose.yml")
        return ["docker", "compose", "-p", self.project, "-f", file]

    @property
    def up(self):
        return [*self.compose, "up", "-d"]

    def begin(self, topics):
        """MirrorMaker last: it looks for topics when it starts, and again only ten minutes later."""
        run(*self.up, "primary", "secondary")
        for topic, partitions in topics.items():
            self.create_patiently(topic, partitions)
        run(*self.up)

    def create_patiently(self, topic, partitions):
        self.bench.probe("first", self.primary, self.primary, "started", "started")
        self.create(topic, partitions)

    def down(self):
        self.unpause()
        return run(*self.compose, "down", "-v", "-t", "0")


class Tools:
    """A container for Kafka's own tools, as their documentation has them: none of a lab's settings in it."""

    name = f"kmk-{LAB}-tools"

    def __init__(self, network):
        self.network = network

    def __enter__(self):
        image = os.environ["KAFKA_IMAGE"]
        at = ["--name", self.name, "--network", self.network, "--entrypoint", "sleep"]
        run("docker", "run", "-d", *at, image, "3600")
        return self

    def command(self, script, *arguments):
        return ["docker", "exec", "-i", self.name, f"/opt/kafka/bin/{script}", *arguments]

    def __exit__(self, *_):
        self.remove()

    @classmethod
    def remove(cls):
        """With the volumes that the image asks for; whether or not it is there."""
        subprocess.run(["docker", "rm", "-f", "-v", cls.name], capture_output=True, check=False)
