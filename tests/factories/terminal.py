"""A command on a terminal of its own, and the person in front of it."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cli.terminal import clean
from tests.factories.product import ROOT, Product

QUESTION = "approve, reject or later"


class Terminal:
    """A command on a terminal of its own, and the person in front of it."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self.process = process
        self.seen = ""
        self._read_up_to = 0

    def expect(self, text: str, timeout: float = 120) -> str:
        """Read until the text shows; return what showed since the last time, with it."""
        before = self._read_up_to
        assert self.shows(text, timeout), f"it ended without {text!r}:\n{self.seen}"
        return self.seen[before : self._read_up_to]

    def shows(self, text: str, timeout: float = 120) -> bool:
        """Read until the text shows; False where the command ends without it."""
        end = time.monotonic() + timeout
        while text not in self.seen[self._read_up_to :]:
            assert time.monotonic() < end, f"no {text!r} within {timeout:.0f} s:\n{self.seen}"
            if not self._more() and self.process.poll() is not None:
                return False
        self._read_up_to = self.seen.index(text, self._read_up_to) + len(text)
        return True

    def answer(self, line: str) -> None:
        """Type a line."""
        os.write(self._master, f"{line}\n".encode())

    def end(self, timeout: float = 120) -> int:
        """Read to the end; return the exit code."""
        end = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < end:
            self._more()
        while self._more():
            pass
        return self.process.wait(timeout=1)

    def _more(self) -> bool:
        if not select.select([self._master], [], [], 0.2)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            return False
        self.seen += clean(data.decode("utf-8", "replace"))
        return bool(data)


@contextmanager
def on_a_terminal(product: Product, *words: str) -> Iterator[Terminal]:
    """Start a command on a terminal; it is gone at the end."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *words],
        env=product.environ | {"TERM": "xterm", "BOTARMY_BY": "Ann"},
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(master)
