"""Draws lines over an axis as an SVG, readable on light and on dark. Knows nothing of what is drawn.

An axis is even, or logarithmic where its values span more than one power of ten.
"""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 74, 52  # pixels around the lines
COLORS = ("#0b7285", "#d9480f", "#5f3dc4")
COLORS_ON_DARK = ("#66d9e8", "#ffa94d", "#b197fc")
FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"


@dataclass(frozen=True)
class Line:
    name: str
    points: tuple  # (x, y), in order


@dataclass(frozen=True)
class Axis:
    words: str  # with the unit
    ticks: tuple
    is_log: bool

    def place(self, value):
        """From 0 to 1."""
        low, high = self.ticks[0], self.ticks[-1]
        if self.is_log:
            value, low, high = math.log10(value), math.log10(low), math.log10(high)
        return (value - low) / (high - low)


def axis(words, values, only=None):
    """Marks at `only` these values, or at round ones."""
    least, most = min(values), max(values)
    is_log = least > 0 and most / least > 20
    if only:
        return Axis(words, tuple(only), is_log)
    if is_log:
        first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
        return Axis(words, tuple(10.0**power for power in range(first, max(last, first + 1) + 1)), True)
    step = 10 ** math.floor(math.log10(most or 1))
    step = next(step * part for part in (0.2, 0.5, 1, 2, 5) if most / (step * part) <= 6)
    return Axis(words, tuple(step * number for number in range(math.ceil(most / step) + 1)), False)


def draw(title, across, up, lines):
    """`across` and `up` are axes."""
    body = [f'<text class="title" x="{LEFT - 52}" y="26">{escape(title)}</text>']
    body += [legend(number, line, lines) for number, line in enumerate(lines)]
    body += [mark_up(up, tick) for tick in up.ticks] + [mark_across(across, tick) for tick in across.ticks]
    middle = (LEFT + WIDTH - RIGHT) / 2
    body.append(f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">{escape(across.words)}</text>')
    upright = f"translate(20 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"
    body.append(f'<text transform="{upright}" text-anchor="middle">{escape(up.words)}</text>')
    body += [curve(number, line, across, up) for number, line in enumerate(lines)]
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">
<title>{escape(title)}</title>
<style>
{style_sheet()}
</style>
<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>
{chr(10).join(body)}
</svg>
"""


def style_sheet():
    """It has a background of its own: the page around may be dark where the reader's system is not."""
    light = [f".l{number}{{stroke:{color}}}.d{number}{{fill:{color}}}" for number, color in enumerate(COLORS)]
    dark = [f".l{number}{{stroke:{color}}}.d{number}{{fill:{color}}}" for number, color in enumerate(COLORS_ON_DARK)]
    return "\n".join(
        [
            f"text{{font:13px {FONT};fill:#24292f}}",
            ".title{font-size:15px;font-weight:600}",
            ".card{fill:#ffffff;stroke:#d0d7de}.grid{stroke:#d8dee4}",
            "path{fill:none;stroke-width:2.5}",
            *light,
            "@media (prefers-color-scheme:dark){text{fill:#e6edf3}.card{fill:#0d1117;stroke:#30363d}.grid{stroke:#21262d}",
            *dark,
            "}",
        ]
    )


def legend(number, line, lines):
    x = LEFT - 52 + sum(34 + 7.2 * len(before.name) for before in lines[:number])
    return f'<circle class="d{number}" cx="{x + 5:.0f}" cy="45" r="5"/><text x="{x + 15:.0f}" y="50">{escape(line.name)}</text>'


def mark_up(up, tick):
    y = HEIGHT - BOTTOM - up.place(tick) * (HEIGHT - BOTTOM - TOP)
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>'
    )


def mark_across(across, tick):
    x = LEFT + across.place(tick) * (WIDTH - RIGHT - LEFT)
    anchor = "end" if across.place(tick) > 0.98 else "middle"
    return f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="{anchor}">{short(tick)}</text>'


def curve(number, line, across, up):
    places = [
        (LEFT + across.place(x) * (WIDTH - RIGHT - LEFT), HEIGHT - BOTTOM - up.place(y) * (HEIGHT - BOTTOM - TOP))
        for x, y in line.points
    ]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dots = "".join(f'<circle class="d{number}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in places)
    return f'<path class="l{number}" d="{path}"/>{dots}'


def short(value):
    """1500000 as 1.5 M."""
    for unit, sign in ((1e6, " M"), (1e3, " k")):
        if value >= unit:
            return f"{value / unit:g}{sign}"
    return f"{value:g}"
