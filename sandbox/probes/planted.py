"""Tests that must fail: planted among the tree's tests, in the same process, by the same machinery."""

from __future__ import annotations

import os
import sys
import types
import unittest

from sandbox.probes.recording import Recorder

SOURCE = """
import unittest

class {name}(unittest.TestCase):
    def test_fail(self):
        self.fail("planted")

    def test_equal(self):
        self.assertEqual(1, 2)

    def test_true(self):
        self.assertTrue(False)

    def test_in(self):
        self.assertIn(1, [])

    def test_raises(self):
        with self.assertRaises(ValueError):
            pass

    def test_assert(self):
        assert 1 == 2

    def test_error(self):
        raise ValueError("planted")
"""


def planted_survivors(top: str) -> list[str]:
    """Run the planted tests; return those that did not fail."""
    name = f"Test{os.urandom(6).hex()}"
    module = types.ModuleType(f"tests.test_{os.urandom(6).hex()}")
    sys.modules[module.__name__] = module
    try:
        exec(compile(SOURCE.format(name=name), f"{module.__name__}.py", "exec"), module.__dict__)  # noqa: S102
        suite = unittest.defaultTestLoader.loadTestsFromModule(module)
        recorder = Recorder(top, quiet=True)
        unittest.TestSuite.run(suite, recorder)
    finally:
        del sys.modules[module.__name__]
    methods = [name for name in vars(getattr(module, name)) if name.startswith("test_")]
    failed = {case["id"].rsplit(".", 1)[1] for case in recorder.cases() if case["outcome"] == "failed"}
    return sorted(set(methods) - failed)
