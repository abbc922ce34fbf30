"""Places where a durability test ends this process at once, as a kill or a power cut would.

Every commit is surrounded by two of them: NAME.before (all is written, nothing committed) and NAME.after. Without the
environment variable BOTARMY_CRASH_AT a point is one comparison with None. Its form: NAME[@WHERE][:COUNT][=stop], e.g.
"save.before@Build", "calls.settle.before:3" (the third time), "gate.written.after=stop" (SIGSTOP instead of the end).
"""

from __future__ import annotations

import os
import re
import signal

KILLED = 137
"""Exit code of a process that ended at its point: that of a process killed by SIGKILL."""

VARIABLE = "BOTARMY_CRASH_AT"
_FORM = re.compile(r"(?P<name>[a-z.]+)(@(?P<where>[^:=]+))?(:(?P<count>[1-9][0-9]*))?(=(?P<how>stop|exit))?")


class _Armed:
    """The one point at which this process ends, and how often it is still passed before."""

    def __init__(self, text: str) -> None:
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"{VARIABLE}={text!r} is no NAME[@WHERE][:COUNT][=stop]")
        self._name, self._where = found["name"], found["where"]
        self._left = int(found["count"] or 1)
        self._stop = found["how"] == "stop"

    def passed(self, name: str, where: str) -> None:
        """Count the passing; end or stop the process when it is the one."""
        if name != self._name or self._where not in (None, where):
            return
        self._left -= 1
        if self._left == 0 and self._stop:
            os.kill(os.getpid(), signal.SIGSTOP)
        elif self._left == 0:
            os._exit(KILLED)


_armed: _Armed | None = None


def arm(text: str) -> None:
    """Choose the point at which this process ends; "" for none.

    Raises:
        ValueError: the text has another form.
    """
    global _armed  # noqa: PLW0603 (the process has one end)
    _armed = _Armed(text) if text else None


def point(name: str, where: str = "") -> None:
    """Pass a crash point.

    Args:
        name: e.g. "save.before".
        where: the phase, or what else tells one passing from another.
    """
    if _armed is not None:
        _armed.passed(name, where)


arm(os.environ.get(VARIABLE, ""))
