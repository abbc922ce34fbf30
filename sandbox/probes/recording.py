"""What became of each test."""

from __future__ import annotations

import re
import sys
import traceback
import unittest
from pathlib import Path
from types import TracebackType
from typing import Any

MAX_MESSAGE = 500  # characters
NESTED = "Traceback (most recent call last)"
ErrorInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class Recorder(unittest.TestResult):
    """Keeps an outcome and a message for each test id.

    Attributes:
        trouble: what went wrong outside of any test, e.g. in setUpClass or while importing a module.
    """

    def __init__(self, top: str, *, quiet: bool = False) -> None:
        super().__init__()
        self.quiet = quiet
        self.top = top
        self.outcomes: dict[str, tuple[str, str]] = {}
        self.trouble: list[dict[str, str]] = []

    def cases(self) -> list[dict[str, str]]:
        """Return {"id", "outcome", "message"} of each test that ran."""
        return [{"id": name, "outcome": outcome, "message": text} for name, (outcome, text) in self.outcomes.items()]

    def _note(self, test: Any, outcome: str, message: str = "") -> None:
        name = test.id()
        known = type(test).__module__.startswith("unittest.")
        if known:  # a module that could not be imported, or setUpClass: no test of the tree
            self.trouble.append({"id": name, "outcome": outcome, "message": message})
        elif self.outcomes.get(name, ("passed", ""))[0] != "failed":
            self.outcomes[name] = (outcome, message)
        if not self.quiet:
            sys.stdout.write(f"{outcome:8} {name}{': ' + message if message else ''}\n")

    def addSuccess(self, test: Any) -> None:  # noqa: N802 (unittest names it)
        """Keep a pass, unless a subtest failed before."""
        if test.id() not in self.outcomes:
            self._note(test, "passed")

    def addFailure(self, test: Any, err: ErrorInfo) -> None:  # noqa: N802 (unittest names it)
        """Keep a failure."""
        self._note(test, "failed", describe(err[1], self.top))

    def addError(self, test: Any, err: ErrorInfo) -> None:  # noqa: N802 (unittest names it)
        """Keep an error as a failure."""
        self._note(test, "failed", describe(err[1], self.top))

    def addSubTest(self, test: Any, subtest: Any, err: ErrorInfo | None) -> None:  # noqa: N802 (unittest names it)
        """Keep the failure of a subtest as the test's own."""
        if err is not None:
            self._note(test, "failed", f"{subtest._subDescription()}: {describe(err[1], self.top)}")

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802 (unittest names it)
        """Keep a skip."""
        self._note(test, "skipped", reason)

    def addExpectedFailure(self, test: Any, err: ErrorInfo) -> None:  # noqa: N802 (unittest names it)
        """Keep as skipped: it shows nothing that works."""
        self._note(test, "skipped", f"expected to fail: {describe(err[1], self.top)}")

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802 (unittest names it)
        """Keep as a failure."""
        self._note(test, "failed", "passes, but is marked as expected to fail")


def describe(error: BaseException | None, top: str) -> str:
    """Return "file:line: Type: message" with the last place inside the tree."""
    if error is None:
        return "unknown"
    try:
        where = place_of(error, top)
        text = "".join(traceback.format_exception_only(type(error), error)).strip()
        if NESTED in text:  # unittest wraps the failed import of a module as text
            places = re.findall(r'File "(.+?)", line (\d+)', text)
            inside = [
                f"{Path(name).relative_to(top)}:{line}: " for name, line in places if Path(name).is_relative_to(top)
            ]
            where, text = (inside or [where])[-1], text.splitlines()[-1]
    except Exception:  # noqa: BLE001 (the tree's exceptions may fail to print themselves)
        where, text = "", type(error).__name__
    return f"{where}{text}"[:MAX_MESSAGE]


def place_of(error: BaseException, top: str) -> str:
    """Return "file:line: " of the last frame inside the tree; empty when there is none."""
    where = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(top):
            where = f"{Path(frame.filename).relative_to(top)}:{frame.lineno}: "
    return where
