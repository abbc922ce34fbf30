"""Whether the tree replaced parts of unittest."""

from __future__ import annotations

import unittest
import unittest.case
import unittest.loader
import unittest.suite
from collections.abc import Iterable
from typing import Any

from sandbox.probes.recording import Recorder

GUARDED: tuple[type, ...] = (
    unittest.TestCase,
    unittest.IsolatedAsyncioTestCase,
    unittest.FunctionTestCase,
    unittest.TestSuite,
    unittest.suite.BaseTestSuite,
    unittest.TestLoader,
    unittest.TestResult,
    unittest.case._Outcome,  # type: ignore[attr-defined]
    Recorder,
)
"""The classes that decide whether a test passes."""

OWN = ("run", "debug", "fail", "__call__", "_callTestMethod", "_callSetUp", "_callTearDown", "_callCleanup")
"""What a test class must leave as it is, besides unittest's assert methods."""

OVERRIDABLE = frozenset(["setUp", "tearDown", "setUpClass", "tearDownClass", "asyncSetUp", "asyncTearDown"])


def _members(kind: type) -> dict[str, Any]:
    return {name: value for name, value in vars(kind).items() if callable(value) or isinstance(value, classmethod)}


class Machinery:
    """A picture of the guarded classes, taken before any code of the tree runs."""

    def __init__(self) -> None:
        self._before = {kind: _members(kind) for kind in GUARDED}
        self._names = {name: value for name, value in vars(unittest).items() if isinstance(value, type)}

    def replaced(self) -> list[str]:
        """Return the names of what is no longer the same."""
        changed = []
        for kind, before in self._before.items():
            after = _members(kind)
            changed += [f"{kind.__name__}.{name}" for name in before if after.get(name) is not before[name]]
            changed += [f"{kind.__name__}.{name}" for name in after if name not in before]
        changed += [
            f"unittest.{name}" for name, value in self._names.items() if getattr(unittest, name, None) is not value
        ]
        return sorted(changed)


def overridden(cases: Iterable[unittest.TestCase]) -> list[str]:
    """Return the parts of unittest.TestCase that test classes redefine so that a failure could go unseen."""
    names = {name for name in vars(unittest.TestCase) if name.startswith("assert")} | set(OWN)
    found = set()
    for kind in {type(case) for case in cases}:
        for base in kind.__mro__:
            if base in GUARDED or base is object or base.__module__.startswith("unittest."):
                continue
            found |= {f"{base.__module__}.{base.__qualname__}.{name}" for name in vars(base) if name in names}
    return sorted(found)
