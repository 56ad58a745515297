"""Rows of Markdown from what was measured: median, spread, goal. Knows nothing of what the rows mean."""

from dataclasses import dataclass
from typing import Callable

SIGNS = {"<=": "≤", ">=": "≥", "<": "<"}


@dataclass(frozen=True)
class Goal:
    of: str  # "ratio" of the medians, "median", or "difference" of the medians
    sign: str
    number: float
    words: str = ""  # in place of the number

    def __str__(self):
        what = {"ratio": "", "median": "", "difference": "+"}[self.of]
        return self.words or f"{SIGNS[self.sign]} {what}{self.number:g}"

    def is_met(self, mine, other):
        if mine is None or (other is None and self.of != "median"):
            return None
        reached = {"median": lambda: mine, "ratio": lambda: mine / other, "difference": lambda: mine - other}[self.of]()
        return {"<=": reached <= self.number, ">=": reached >= self.number, "<": reached < self.number}[self.sign]


@dataclass(frozen=True)
class Row:
    name: str  # as it was measured
    what: str  # as it is called
    sides: tuple  # whose values stand in the cells, the first one's against the last one's; None: nobody's
    goals: tuple = ()
    decimals: int = 0
    limit: Callable = lambda results: ""  # what it runs into, and how far from it this is
    other: str = ""  # the row of the last side, where it is another


def table(results, heads, rows):
    """All rows have as many sides; where there is one, there is no ratio."""
    compared = any(len(row.sides) > 1 for row in rows)
    ends = (["ratio"] if compared else []) + ["goal", "met"] * any(row.goals for row in rows)
    ends.append("limit, and kmk relative to it")
    head = [*heads, *ends]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [row.what, *(cell(results, of(row, side), side, row.decimals) for side in row.sides)]
        mine, other = medians(results, row)
        cells += [""] * (len(heads) - len(cells))
        if compared:
            cells.append(f"{mine / other:.{2 if mine / other >= 0.1 else 3}f}" if mine is not None and other else "")
        if any(row.goals for row in rows):
            cells += [", ".join(map(str, row.goals)), met(row, mine, other)]
        cells.append(row.limit(results) if mine is not None else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def medians(results, row):
    mine = results.median(row.name, row.sides[0])
    other = results.median(of(row, row.sides[-1]), row.sides[-1]) if len(row.sides) > 1 else None
    return mine, other


def of(row, side):
    return row.other if row.other and side == row.sides[-1] else row.name


def met(row, mine, other):
    answers = [goal.is_met(mine, other) for goal in row.goals]
    if not answers:
        return ""
    if None in answers:
        return "not measured"
    return "yes" if all(answers) else "**no**"


def cell(results, row, side, decimals):
    if side is None:
        return ""
    values = sorted(results.all(row, side))
    if not values:
        gap = results.gap(row, side)
        return f"not measured: {gap}" if gap else "not measured"
    middle = f"**{number(results.median(row, side), decimals)}**"
    if len(values) == 1:
        return f"{middle} (of 1)"
    return f"{number(values[0], decimals)} / {middle} / {number(values[-1], decimals)} (of {len(values)})"


def number(value, decimals):
    return f"{value:,.{decimals}f}"


def plain(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
