"""Types commands into a terminal, and draws what happened there.

Usage: main.py DIRECTORY FILE.svg COMMAND...    each command runs in DIRECTORY; one that fails ends it
"""

import shlex
import sys

from drawing import draw
from session import Session


def main(directory, file, *commands):
    session = Session(columns=94, directory=directory)
    for command in commands:
        session.type(command)
        status = session.run(shlex.split(command))
        if status != 0:
            sys.exit(f"picture: error: `{command}` ended with {status}:\n{session.screen.text()}")
    picture = draw(session.screen, title="A run of " + ", ".join(command.split()[1] for command in commands))
    with open(file, "w", encoding="utf-8") as out:
        out.write(picture)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
