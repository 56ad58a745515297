"""What a container of this machine uses, read from its control group (v1 or v2): at once, where the engine takes a second.

Knows no engine: it is told the id of a container and of a process in it.
"""

import os
from dataclasses import dataclass

MIB = 1024 * 1024
TOP = "/sys/fs/cgroup"


@dataclass
class Usage:
    cpu: float = 0.0  # seconds since the container was started
    memory: float = 0.0  # MiB, as `docker stats` shows it: with the pages of files in use
    own: float = 0.0  # MiB of the processes alone

    def __add__(self, other):
        return Usage(self.cpu + other.cpu, self.memory + other.memory, self.own + other.own)


def usage(container, process):
    """None where its files cannot be read, as on an engine in a virtual machine or on another one."""
    try:
        with open(f"/proc/{process}/cgroup", encoding="ascii") as lines:
            groups = [line.rstrip("\n").split(":", 2) for line in lines]
        # another machine's process may have the number of one of this
        paths = {controllers: path for _, controllers, path in groups if container in path}
        return version_1(paths) if any("cpuacct" in name.split(",") for name in paths) else version_2(paths[""])
    except (OSError, LookupError, ValueError):
        return None


def version_1(paths):
    cpu, memory = directory(paths, "cpuacct"), directory(paths, "memory")
    stat = numbers(f"{memory}/memory.stat")
    used = number(f"{memory}/memory.usage_in_bytes") - stat["total_inactive_file"]
    return Usage(number(f"{cpu}/cpuacct.usage") / 1e9, used / MIB, stat["total_rss"] / MIB)


def directory(paths, controller):
    [controllers] = [name for name in paths if controller in name.split(",")]
    mounted = controller if os.path.isdir(f"{TOP}/{controller}") else controllers
    return f"{TOP}/{mounted}{paths[controllers]}"


def version_2(path):
    stat = numbers(f"{TOP}{path}/memory.stat")
    used = number(f"{TOP}{path}/memory.current") - stat["inactive_file"]
    return Usage(numbers(f"{TOP}{path}/cpu.stat")["usage_usec"] / 1e6, used / MIB, stat["anon"] / MIB)


def number(file):
    with open(file, encoding="ascii") as text:
        return int(text.read())


def numbers(file):
    with open(file, encoding="ascii") as lines:
        return {name: int(value) for name, value in map(str.split, lines)}
