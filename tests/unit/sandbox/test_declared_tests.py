"""Counting the tests that a source declares."""

from __future__ import annotations

import textwrap

from botarmy.checks import FileText
from sandbox.checks.declared import declared_tests, is_test_file, module_name

TEST = "import unittest\n\n\nclass A(unittest.TestCase):\n    def test_one(self):\n        pass\n"


def ids(**sources: str) -> set[str]:
    """Return the declared ids; a keyword a__b stands for a/b.py."""
    files = [
        FileText(path=f"{name.replace('__', '/')}.py", content=textwrap.dedent(text)) for name, text in sources.items()
    ]
    return set(declared_tests(files).places)


def test_methods_of_test_cases_in_test_files() -> None:
    assert ids(tests__test_a=TEST, tests__helper=TEST, app=TEST) == {"tests.test_a.A.test_one"}


def test_places_are_lines() -> None:
    declared = declared_tests([FileText(path="tests/test_a.py", content=TEST)])
    assert declared.places == {"tests.test_a.A.test_one": "tests/test_a.py:5"}
    assert declared.files == ("tests/test_a.py",)


def test_only_test_methods_of_test_cases_count() -> None:
    source = """
        from unittest import TestCase as Base, IsolatedAsyncioTestCase

        class A(Base):
            def helper(self): ...
            def test_a(self):
                def test_inner(): ...
        class B(IsolatedAsyncioTestCase):
            async def test_b(self): ...
        class Plain:
            def test_c(self): ...
        def test_d(): ...
    """
    assert ids(test_x=source) == {"test_x.A.test_a", "test_x.B.test_b"}


def test_inheritance_within_a_file_and_across_files() -> None:
    base = """
        import unittest
        class Shared(unittest.TestCase):
            def test_shared(self): ...
        class Mixin:
            def test_mixed(self): ...
    """
    source = """
        import unittest
        from tests import base
        from tests.base import Mixin
        from .base import Mixin as Again
        class A(base.Shared):
            def test_a(self): ...
        class B(Mixin, unittest.TestCase): ...
        class C(Again, unittest.TestCase):
            def test_mixed(self): ...
    """
    assert ids(tests__base=base, tests__test_x=source) == {
        "tests.test_x.A.test_a",
        "tests.test_x.A.test_shared",
        "tests.test_x.B.test_mixed",
        "tests.test_x.C.test_mixed",
    }


def test_imported_test_cases_are_collected_too() -> None:
    base = "import unittest\nclass Shared(unittest.TestCase):\n    def test_shared(self): ...\n"
    assert ids(base=base, test_x="from base import Shared\n") == {"base.Shared.test_shared"}
    assert ids(base=base, test_x="from base import *\n") == {"base.Shared.test_shared"}


def test_nested_classes_are_not_collected_but_can_be_bases() -> None:
    source = """
        import unittest
        class Holder:
            class Cases(unittest.TestCase):
                def test_a(self): ...
        class Real(Holder.Cases): ...
    """
    assert ids(test_x=source) == {"test_x.Real.test_a"}


def test_classes_in_conditions_count() -> None:
    source = "import unittest, sys\nif sys:\n    class A(unittest.TestCase):\n        def test_a(self): ...\n"
    assert ids(test_x=source) == {"test_x.A.test_a"}


def test_circles_and_files_that_do_not_parse_do_no_harm() -> None:
    circle = "class A(B): ...\nclass B(A):\n    def test_a(self): ...\n"
    assert ids(test_x=circle, test_y="def (") == set()


def test_what_makes_tests_vanish_is_noted() -> None:
    source = textwrap.dedent("""
        import unittest
        class A(unittest.TestCase):
            def test_a(self): ...
            def test_a(self): ...
        class A(unittest.TestCase):
            def test_b(self): ...
        def load_tests(loader, tests, pattern): ...
    """)
    notes = declared_tests([FileText(path="test_x.py", content=source)]).notes
    assert [note.split(":")[1] for note in notes] == ["5", "6", "8"]


def test_names() -> None:
    assert module_name("tests/test_a.py") == "tests.test_a"
    assert module_name("tests/__init__.py") == "tests"
    assert is_test_file("a/test_b.py")
    assert is_test_file("testing.py")
    assert not is_test_file("a/b_test.py")
