"""What a terminal shows: as much of it as `kmk` needs. Knows no programs, and not how it is drawn."""

import re
from typing import NamedTuple

# A sequence such as ESC [ 1 ; 32 m, or the beginning of one whose end has not come yet.
CONTROL = re.compile(r"\x1b\[([?0-9;]*)([@-~])")
UNFINISHED = re.compile(r"\x1b(\[[?0-9;]*)?$")


class Style(NamedTuple):
    color: int = 0  # 0, or as in the sequence: 30..37, 90..97
    bold: bool = False
    dim: bool = False


class Screen:
    """Lines without end, that do not scroll. Remembers what each line showed, and from when."""

    def __init__(self, columns):
        self.columns = columns
        self.lines = []  # of (character, Style)
        self.past = []  # for each line, of (seconds, what it showed from then on)
        self.row = self.column = 0
        self.style = Style()
        self.rest = ""

    def text(self):
        return "\n".join("".join(character for character, _ in line).rstrip() for line in self.lines)

    def feed(self, text, seconds):
        text = self.rest + text
        unfinished = UNFINISHED.search(text)
        self.rest = unfinished.group() if unfinished else ""
        text = text[: len(text) - len(self.rest)]
        at = 0
        while at < len(text):
            control = CONTROL.match(text, at)
            if control:
                self._control(*control.groups())
                at = control.end()
            else:
                self._character(text[at])
                at += 1
        self._remember(seconds)

    def _character(self, character):
        if character == "\n":
            self.row += 1
        elif character == "\r":
            self.column = 0
        elif character >= " ":
            if self.column == self.columns:
                self.row, self.column = self.row + 1, 0
            line = self._line()
            line.extend([(" ", Style())] * (self.column + 1 - len(line)))
            line[self.column] = (character, self.style)
            self.column += 1

    def _line(self):
        while len(self.lines) <= self.row:
            self.lines.append([])
            self.past.append([])
        return self.lines[self.row]

    def _control(self, parameters, kind):
        if parameters.startswith("?"):  # shows or hides the cursor, which is not drawn
            return
        numbers = [int(number or 0) for number in parameters.split(";")]
        count = max(1, numbers[0])
        if kind == "m":
            self._select(numbers)
        elif kind == "A":
            self.row = max(0, self.row - count)
        elif kind == "B":
            self.row += count
        elif kind == "C":
            self.column = min(self.columns, self.column + count)
        elif kind == "D":
            self.column = max(0, self.column - count)
        elif kind == "G":
            self.column = count - 1
        elif kind == "K" and numbers[0] == 0:
            del self._line()[self.column :]
        elif kind == "K" and numbers[0] == 2:
            self._line().clear()
        elif kind == "J" and numbers[0] == 0:
            del self._line()[self.column :]
            for line in self.lines[self.row + 1 :]:
                line.clear()
        else:
            raise ValueError(f"the screen does not know ESC[{parameters}{kind}")

    def _select(self, numbers):
        for number in numbers:
            if number == 0:
                self.style = Style()
            elif number == 1:
                self.style = self.style._replace(bold=True)
            elif number == 2:
                self.style = self.style._replace(dim=True)
            elif number == 22:
                self.style = self.style._replace(bold=False, dim=False)
            elif number == 39:
                self.style = self.style._replace(color=0)
            elif 30 <= number <= 37 or 90 <= number <= 97:
                self.style = self.style._replace(color=number)
            else:
                raise ValueError(f"the screen does not know the style {number}")

    def _remember(self, seconds):
        for line, past in zip(self.lines, self.past):
            shown = list(line)
            while shown and shown[-1][0] == " ":
                shown.pop()
            if shown != (past[-1][1] if past else []):
                past.append((seconds, shown))
