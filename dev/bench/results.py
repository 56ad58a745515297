"""What was measured: a row, a side, and a value a round. Knows nothing of how it was measured or is shown."""

import json
import statistics
import sys
import time

BEGAN = time.monotonic()


class NotMeasured(Exception):
    """Why something could not be measured."""


def say(words):
    print(f"bench: {time.monotonic() - BEGAN:4.0f} s: {words}", file=sys.stderr, flush=True)


class Results:
    """Kept in a file as they come: an hour's work is not lost with its last minute."""

    def __init__(self, file, earlier=None):
        self.file = file
        self.facts, self.values, self.gaps, self.failed = {}, {}, {}, []
        self.old = set()  # rows of an earlier run, until they are measured anew
        if earlier:
            with open(earlier, encoding="utf-8") as text:
                kept = json.load(text)
            self.facts, self.values, self.gaps = kept["facts"], kept["values"], kept["gaps"]
            self.old = set(self.values) | set(self.gaps)

    def add(self, row, side, value):
        self.renew(row)
        self.values.setdefault(row, {}).setdefault(side, []).append(value)
        say(f"  {row} ({side}): {value:.6g}")
        self.save()

    def leave_out(self, row, side, why):
        """Says that something is not measured, on purpose."""
        self.renew(row)
        self.gaps.setdefault(row, {})[side] = why
        say(f"  {row} ({side}): not measured: {why}")
        self.save()

    def fail(self, row, side, why):
        """Says that something could not be measured; the rest goes on."""
        self.leave_out(row, side, why.splitlines()[0] if why else "it failed")
        self.failed.append(f"{row} ({side}): {why}")

    def renew(self, row):
        if row in self.old:
            self.old.discard(row)
            self.values.pop(row, None)
            self.gaps.pop(row, None)

    def save(self):
        kept = {"facts": self.facts, "values": self.values, "gaps": self.gaps}
        with open(self.file, "w", encoding="utf-8") as out:
            json.dump(kept, out, indent=1)

    def all(self, row, side):
        return self.values.get(row, {}).get(side, [])

    def median(self, row, side):
        """None where nothing was measured."""
        values = self.all(row, side)
        return statistics.median(values) if values else None

    def gap(self, row, side):
        return self.gaps.get(row, {}).get(side)
