"""Child processes that are started again when they end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flows.server import process_started


class Restarts:
    """When something that ended is started again: later after each short life, soon again after a good one."""

    FIRST_S, LONGEST_S = 1.0, 30.0
    LIVED_WELL_S = 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pause = self.FIRST_S
        self._since = clock()
        self._at: float | None = None

    def started(self) -> None:
        """Note that it was started."""
        self._since, self._at = self._clock(), None

    def ended(self) -> float | None:
        """Note that it is not there (any more); return the pause until its next start, None where that was noted."""
        if self._at is not None:
            return None
        now = self._clock()
        if now - self._since >= self.LIVED_WELL_S:
            self._pause = self.FIRST_S
        pause, self._pause = self._pause, min(self._pause * 2, self.LONGEST_S)
        self._at = now + pause
        return pause

    def failed(self) -> float | None:
        """Note that a start came to nothing; return the pause until the next."""
        self.started()
        return self.ended()

    @property
    def due(self) -> bool:
        """Whether the pause after its end is over."""
        return self._at is not None and self._clock() >= self._at


class Child:
    """A process of ours that is to run as long as we do."""

    def __init__(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.name = name
        self._start = start
        self._restarts = Restarts()
        self._run()

    def _run(self) -> None:
        self.process = self._start()
        self._started = process_started(self.process.pid)
        self._restarts.started()

    @property
    def identity(self) -> dict[str, Any]:
        """Return number and start time, which together no other process ever has."""
        return {"pid": self.process.pid, "started": self._started}

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def keep(self) -> bool:
        """Start it again where it has ended and its pause is over; return whether it was."""
        if not self.ended:
            return False
        pause = self._restarts.ended()
        if pause is not None:
            tell(f"{self.name} ended with {self.process.returncode}; the next one starts in {pause:.0f} s")
        if not self._restarts.due:
            return False
        self._run()
        return True


def tell(text: str) -> None:
    """Write a line to the supervisor's log."""
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}", file=sys.stderr, flush=True)
