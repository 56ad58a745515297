"""Runs programs, and tells how long they took. Knows nothing of what they are."""

import os
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

from results import NotMeasured

GRACE = 60  # seconds: kmk takes back what it has begun


@dataclass
class Done:
    seconds: float  # from before it was started until it was gone
    cpu: float  # seconds of the processor, with the children that it waited for
    peak: float = 0.0  # MiB of memory at most, where it was asked for


def run(*argv, into=subprocess.DEVNULL, stdin=subprocess.DEVNULL, peak=False):
    """Runs a program to its end; it must succeed."""
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        child = subprocess.Popen(argv, stdin=stdin, stdout=into, stderr=said)
        look = Peak(child.pid) if peak else None
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            end(child)
            raise
        seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines()[-8:]
            raise NotMeasured(f"`{' '.join(argv)}` ended with {child.returncode}\n" + "\n".join(words))
    return Done(seconds, usage.ru_utime + usage.ru_stime, look.end() if look else 0.0)


def end(child):
    """Asks it to end: killed, kmk would leave half a lab, and a `docker compose` that goes on."""
    child.terminate()
    try:
        child.wait(GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextmanager
def beside(*argv, **how):
    """A program that runs meanwhile; where that comes to no good end, it is ended too."""
    with subprocess.Popen(argv, **how) as child:
        try:
            yield child
        except BaseException:
            end(child)
            raise


def succeeds(*argv):
    """Whether it does, which may be no before it is yes."""
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def until(happens, patience, what):
    """Asks twice a second; `what` says what did not happen."""
    gives_up = time.monotonic() + patience
    while not happens():
        if time.monotonic() > gives_up:
            raise NotMeasured(f"{what} within {patience} s")
        time.sleep(0.5)


def output(*argv):
    """What a program writes to stdout."""
    with tempfile.TemporaryFile() as text:
        run(*argv, into=text)
        text.seek(0)
        return text.read().decode().strip()


def mean(runs, *argv):
    """Seconds of one run, the mean of many; the first, which finds nothing in the caches, is not counted."""
    run(*argv)
    return sum(run(*argv).seconds for _ in range(runs)) / runs


class Peak:
    """The most memory that a process ever had. The kernel keeps it, and can be asked while the process lives."""

    def __init__(self, pid):
        self.file, self.most, self.ended = f"/proc/{pid}/status", 0.0, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.ended.wait(0.02):
            try:
                with open(self.file, encoding="ascii", errors="replace") as lines:
                    for line in lines:
                        if line.startswith("VmHWM:"):
                            self.most = max(self.most, int(line.split()[1]) / 1024)
            except OSError:
                return

    def end(self):
        self.ended.set()
        self.thread.join()
        if not self.most:
            raise NotMeasured("nothing here tells a process's memory")
        return self.most
