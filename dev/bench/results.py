"""What was measured: a row, a side, and a value a round. Knows nothing of how it was measured or is shown."""

import json
import statistics
import sys
import time

BEGAN = time.monotonic()
RUN = ("date", "versions", "machine")  # facts that say when, what and where
# part -> facts that only its own rows are about
SIZES = {
    "steady": ("window",),
    "rest": ("idle", "rest"),
    "clients": ("client_records",),
    "ledger": ("ledger_many",),
    "clusters": ("clusters",),
    "topics": ("topics",),
    "records": ("records",),
}
COUNTS = ("ledger_many", "clusters", "topics", "records")  # each of them is a row


class NotMeasured(Exception):
    """Why something could not be measured."""


def say(words):
    print(f"bench: {time.monotonic() - BEGAN:4.0f} s: {words}", file=sys.stderr, flush=True)


class Results:
    """Kept in a file as they come: an hour's work is not lost with its last minute."""

    def __init__(self, file, earlier=None):
        self.file, self.earlier = file, earlier
        self.now, self.facts, self.values, self.gaps = {}, {}, {}, {}
        self.failed = {}  # part -> what could not be measured of it
        self.parts = []  # that were begun in this run
        self.old = set()  # rows of an earlier run, until they are measured again
        if earlier:
            with open(earlier, encoding="utf-8") as text:
                kept = json.load(text)
            self.facts, self.values, self.gaps = kept["facts"], kept["values"], kept["gaps"]
            self.failed = kept.get("failed", {})
            self.old = set(self.values) | set(self.gaps)

    def describe(self, now):
        """The facts of this run. Those of an earlier one stay, until a part is begun."""
        self.now = now
        self.facts = {**now, **self.facts}

    def begin(self, part):
        """What is measured from here on is of this part."""
        if part in self.parts:
            return
        self.parts.append(part)
        self.failed.pop(part, None)
        for fact in SIZES.get(part, ()):
            new = self.now[fact]
            self.facts[fact] = sorted({*self.facts[fact], *new}) if fact in COUNTS else new
        if self.earlier:
            self.facts.setdefault("again", {})[part] = {fact: self.now[fact] for fact in RUN}

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

    def fail(self, part, why):
        """Says that something of a part could not be measured; the rest goes on."""
        self.failed.setdefault(part, []).append(why)
        say(f"  {part}: could not be measured: {why}")
        self.save()

    def renew(self, row):
        if row in self.old:
            self.old.discard(row)
            self.values.pop(row, None)
            self.gaps.pop(row, None)

    def save(self):
        kept = {"facts": self.facts, "values": self.values, "gaps": self.gaps, "failed": self.failed}
        with open(self.file, "w", encoding="utf-8") as out:
            json.dump(kept, out, indent=1)

    def all(self, row, side):
        return self.values.get(row, {}).get(side, [])

    def has(self, part, rows):
        """Whether a part was looked at, whatever came of it; the names of its rows begin so."""
        return part in self.failed or any(row.startswith(rows) for row in (*self.values, *self.gaps))

    def median(self, row, side):
        """None where nothing was measured."""
        values = self.all(row, side)
        return statistics.median(values) if values else None

    def gap(self, row, side):
        return self.gaps.get(row, {}).get(side)
