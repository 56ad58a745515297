"""What every part of the bench has at hand: the programs, the stacks, the work directory, the results."""

import os
import shutil

import limits
from engine import Engine
from process import output, run
from stack import LAB, ByHand, Kmk, Tools

TOPIC = "my_topic"  # the first topic that is mirrored


def copy(topic):
    """What a topic of the source is called on the target."""
    return f"primary.{topic}"


class Bench:
    def __init__(self, sizes, results, binaries, work):
        self.sizes, self.results, self.work = sizes, results, work
        self.round = 1
        self.has_archive = False  # MirrorMaker's class-data archive, as far as this run knows
        self.program = os.path.join(binaries, "kmk")
        self.prober = os.path.join(binaries, "examples", "probe")
        self.kmk_command = [self.program, "--lab", LAB]
        os.environ["KMK_DIR"] = os.path.join(work, "kmk-lab")
        self.engine = Engine()
        self.lab, self.by_hand = Kmk(self), ByHand(self)
        baseline = os.path.join(os.path.dirname(os.path.abspath(__file__)), "baseline")
        shutil.copytree(baseline, os.path.join(work, "baseline"))
        for directory, _, files in os.walk(work):
            os.chmod(directory, 0o755)  # MirrorMaker reads its file as another user
            for file in files:
                os.chmod(os.path.join(directory, file), 0o644)

    @property
    def stacks(self):
        """Both, each of them first in every second round."""
        both = [self.lab, self.by_hand]
        return both if self.round % 2 else both[::-1]

    def kmk(self, *arguments, **how):
        return run(*self.kmk_command, "--quiet", *arguments, **how)

    def probe(self, *arguments):
        return output(self.prober, *map(str, arguments))

    def add(self, row, side, value):
        self.results.add(row, side, value)

    def records(self, size, count):
        """A file of lines that differ, as events or log lines do; each of `size` bytes without its newline."""
        path = os.path.join(self.work, f"records-{size}-{count}")
        if not os.path.exists(path):
            with open(path, "w", encoding="ascii", buffering=1 << 20) as out:
                for number in range(1, count + 1):
                    amount = number * 7919 % 1000003
                    line = f'{{"id":{number:08},"region":"eu-west","amount":{amount:010},"note":"'
                    out.write(f'{line}{number:0{size - len(line) - 2}}"}}\n')
        return path

    def finish(self):
        """Whatever happened, nothing is left."""
        Tools.remove()
        limits.remove()
        try:
            self.lab.down()
        finally:
            self.by_hand.down()
