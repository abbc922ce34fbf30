"""`--gates ask`: the terminal asks at every gate, and asks again where the answer cannot be used."""

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
from pathlib import Path

from cli.terminal import clean
from tests.factories.product import ROOT, SMALL_BRIEF, Product


class Terminal:
    """A command on a terminal of its own, and the person in front of it."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self.process = process
        self.seen = ""
        self._read_up_to = 0

    def expect(self, text: str, timeout: float = 120) -> str:
        """Read until the text shows; return what showed since the last time, with it."""
        end = time.monotonic() + timeout
        while text not in self.seen[self._read_up_to :]:
            assert time.monotonic() < end, f"no {text!r} within {timeout:.0f} s:\n{self.seen}"
            if not self._more():
                assert self.process.poll() is None, f"it ended without {text!r}:\n{self.seen}"
        at = self.seen.index(text, self._read_up_to) + len(text)
        shown, self._read_up_to = self.seen[self._read_up_to : at], at
        return shown

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


def test_the_terminal_asks_until_the_answer_can_be_used(product: Product, tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text(SMALL_BRIEF.format(name="asked"), "utf-8")
    question = "approve, reject or later"
    with on_a_terminal(product, "run", str(brief), "--project", "asked", "--gates", "ask") as terminal:
        shown = terminal.expect(question)
        assert "Discovery, attempt 1" in shown
        assert "botarmy artifact asked project_plan" in shown
        terminal.answer("perhaps")
        terminal.expect(question)
        terminal.answer("reject")
        terminal.expect("What must be different")
        terminal.answer("")
        terminal.expect("What must be different")
        terminal.answer("Each book has a unique isbn.")
        shown = terminal.expect(question)
        assert "Discovery, attempt 2" in shown
        assert "--diff 1 2" in shown
        terminal.answer("approve")
        assert "Plan, attempt 1" in terminal.expect(question)
        # Somebody else is faster: the terminal hears who, and the run goes on.
        gate = product.gate("asked", "Plan")
        assert product.run("approve", gate["id"], "--by", "Bea").returncode == 0
        terminal.answer("reject")
        terminal.expect("What must be different")
        terminal.answer("No.")
        assert "Design, attempt 1" in terminal.expect(question)
        terminal.answer("later")
        assert terminal.end() == 3
        assert "botarmy run --project asked" in terminal.seen
    assert "isbn" in product.run("artifact", "asked", "user_requirements").stdout
    assert product.phase("asked", "Discovery")["gate"]["by"] == "Ann"
    assert product.phase("asked", "Plan")["gate"]["by"] == "Bea"
    history = product.show("asked")["runs"][-1]["phase_history"]
    assert [(each["phase"], each["attempt"], each["status"]) for each in history] == [
        ("Discovery", 1, "rejected"),
        ("Discovery", 2, "completed"),
        ("Plan", 1, "completed"),
        ("Design", 1, "running"),
    ]


def test_without_a_terminal_nobody_is_asked(product: Product, tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text(SMALL_BRIEF.format(name="unasked"), "utf-8")
    done = product.run("run", str(brief), "--project", "unasked", "--gates", "ask")
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert all(each["slug"] != "unasked" for each in product.json("projects")["projects"])
