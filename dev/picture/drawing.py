"""Draws a screen and its past as an SVG that plays once. Knows no terminal and no programs.

Each line stands there as it was in the end, and is kept hidden until then; what it showed before is hidden but for its
time. So a viewer without animations, or one who wants none, sees the end.
"""

from itertools import groupby
from xml.sax.saxutils import escape

FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
SIZE, ADVANCE, LEADING = 14, 8.4, 18  # pixels: of the font, from character to character, from line to line
MARGIN, BAR = 18, 34  # pixels: around the text, the window's top
BLINK = 0.04  # seconds: what was shown for less is left out

STYLES = {
    "bold": "font-weight:bold",
    "dim": "fill:#8b949e",
    "c30": "fill:#6e7681",
    "c31": "fill:#ff7b72",
    "c32": "fill:#56d364",
    "c33": "fill:#e3b341",
    "c34": "fill:#79c0ff",
    "c35": "fill:#d2a8ff",
    "c36": "fill:#76e3ea",
    "c37": "fill:#e6edf3",
}


def draw(screen, title):
    width = round(screen.columns * ADVANCE + 2 * MARGIN)
    rows = max((row + 1 for row, past in enumerate(screen.past) if past and past[-1][1]), default=0)
    height = BAR + rows * LEADING + MARGIN
    body = "\n".join(filter(None, (line(row, past) for row, past in enumerate(screen.past[:rows]))))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{escape(title)}</title>
<style>
{style_sheet()}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>
<g fill="#30363d"><circle cx="20" cy="18" r="6"/><circle cx="40" cy="18" r="6"/><circle cx="60" cy="18" r="6"/></g>
{body}
</svg>
"""


def style_sheet():
    return "\n".join(
        [f"text{{font:{SIZE}px {FONT};fill:#e6edf3;white-space:pre}}"]
        + [f".{name}{{{style}}}" for name, style in STYLES.items()]
        + [
            "@keyframes later{from,to{opacity:0}}",
            "@keyframes while{from,to{opacity:1}}",
            ".end{animation:later 1ms backwards}",
            ".past{opacity:0;animation:while 1ms}",
            "@media (prefers-reduced-motion:reduce){.end,.past{animation:none}}",
        ]
    )


def line(row, past):
    """One line of the window: how it looked in the end, and each way it looked before."""
    if not past:
        return ""
    texts = []
    for (since, shown), (until, _) in zip(past, past[1:]):
        if shown and until - since >= BLINK:
            style = f"animation-delay:{since:.2f}s;animation-duration:{until - since:.2f}s"
            texts.append(text(row, shown, "past", style))
    since, shown = past[-1]
    if shown:
        texts.append(text(row, shown, "end", f"animation-delay:{since:.2f}s"))
    return "\n".join(texts)


def text(row, shown, kind, style):
    y = BAR + row * LEADING + SIZE
    words = "".join(span(column, letters, look) for column, letters, look in runs(shown))
    return f'<text y="{y}" class="{kind}" style="{style}">{words}</text>'


def runs(shown):
    """(column, letters, style) of each stretch in one style, without the gaps of two spaces or more between columns.

    Signs that may come from another font, of another width, are stretches of their own.
    """
    column = 0
    for (look, _), cells in groupby(shown, key=lambda cell: (cell[1], cell[0].isascii())):
        letters = "".join(character for character, _ in cells)
        at = column
        column += len(letters)
        for part in letters.split("  "):
            word = part.strip(" ")
            if word:
                yield at + len(part) - len(part.lstrip(" ")), word, look
            at += len(part) + 2


def span(column, letters, look):
    """Its length is given, so that columns line up whichever font there is."""
    names = ["bold"] * look.bold + ["dim"] * look.dim
    if look.color:
        names.append(f"c{look.color % 10 + 30}")
    of = f' class="{" ".join(names)}"' if names else ""
    x = MARGIN + column * ADVANCE
    return f'<tspan x="{x:.1f}" textLength="{len(letters) * ADVANCE:.1f}"{of}>{escape(letters)}</tspan>'
