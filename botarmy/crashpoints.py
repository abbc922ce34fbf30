"""Places where a durability test ends this process at once, as a kill or a power cut would.

Every commit is surrounded by two of them: NAME.before (all is written, nothing committed) and NAME.after. Without the
environment variable BOTARMY_CRASH_AT a point is one look at an empty tuple. Its form: NAME[@WHERE][:COUNT][=stop], e.g.
"save.before@Build", "call.settled.before:3" (the third time), "gate.written.after=stop" (SIGSTOP instead of the end).
Several, with commas between, end the process at whichever it comes to first; which one that was is its last line on
standard error.
"""

from __future__ import annotations

import os
import re
import signal

KILLED = 137
"""Exit code of a process that ended at its point: that of a process killed by SIGKILL."""

VARIABLE = "BOTARMY_CRASH_AT"
ENDED_AT = "ended at the crash point "
"""How the line begins that an ended process leaves on standard error; the point as it was armed follows."""

_FORM = re.compile(r"(?P<name>[a-z.]+)(@(?P<where>[^:=]+))?(:(?P<count>[1-9][0-9]*))?(=(?P<how>stop|exit))?")


class _Armed:
    """A point at which this process ends, and how often it is still passed before."""

    def __init__(self, text: str) -> None:
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"{VARIABLE}={text!r} is no NAME[@WHERE][:COUNT][=stop]")
        self._text = text
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
            os.write(2, f"{ENDED_AT}{self._text}\n".encode())
            os._exit(KILLED)


_armed: tuple[_Armed, ...] = ()


def arm(text: str) -> None:
    """Choose the points at which this process ends; "" for none.

    Raises:
        ValueError: the text has another form.
    """
    global _armed  # noqa: PLW0603 (the process has one end)
    _armed = tuple(_Armed(each) for each in text.split(",")) if text else ()


def point(name: str, where: str = "") -> None:
    """Pass a crash point.

    Args:
        name: e.g. "save.before".
        where: the phase, or what else tells one passing from another.
    """
    for each in _armed:
        each.passed(name, where)


arm(os.environ.get(VARIABLE, ""))
