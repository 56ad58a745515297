"""A person at a terminal: types commands, and lets the programs write on the screen."""

import codecs
import errno
import fcntl
import os
import pty
import struct
import subprocess
import termios
import time

from screen import Screen

ROWS = 50
KEYS, STROKES = 0.12, 4  # so many seconds for so many keys
GLANCE = 0.6  # seconds from a prompt to the first key, and from the last key to Enter
PROMPT = "\x1b[32;1m$\x1b[0m "


class Session:
    """Takes the time that a person takes, for programs do their work meanwhile."""

    def __init__(self, columns, directory):
        self.screen = Screen(columns)
        self.directory = directory
        self.began = time.monotonic()

    def show(self, text):
        self.screen.feed(text, time.monotonic() - self.began)

    def type(self, command):
        self.show("\r\n" * bool(self.screen.lines) + PROMPT)
        time.sleep(GLANCE)
        for start in range(0, len(command), STROKES):
            self.show(f"\x1b[1m{command[start:start + STROKES]}\x1b[0m")
            time.sleep(KEYS)
        time.sleep(GLANCE)
        self.show("\r\n")

    def run(self, argv):
        """Runs a program on a terminal of its own, and returns its exit code."""
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, self.screen.columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color"}
        program = subprocess.Popen(
            argv, stdin=its, stdout=its, stderr=its, cwd=self.directory, env=environment, start_new_session=True
        )
        os.close(its)
        try:
            self._show_all(ours)
            return program.wait()
        except BaseException:
            program.terminate()
            program.wait()
            raise
        finally:
            os.close(ours)

    def _show_all(self, terminal):
        decoder = codecs.getincrementaldecoder("utf-8")()
        while True:
            try:
                written = os.read(terminal, 65536)
            except OSError as error:  # Linux says so when the program has left its terminal
                if error.errno != errno.EIO:
                    raise
                return
            if not written:
                return
            self.show(decoder.decode(written))
