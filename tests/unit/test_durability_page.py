"""docs/durability.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "durability.md").read_text("utf-8")
TESTS = {path.name: path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")}


def test_every_file_that_is_named_is_there() -> None:
    paths = re.findall(r"\btests/[\w/]+\.py", PAGE)
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).is_file()] == []
    assert [name for name in re.findall(r"\btest_\w+\.py", PAGE) if name not in TESTS] == []


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"(test_\w+\.py) `(?:…)?(\w+)(?:…)?`", PAGE)
    assert len(named) > 8
    assert [each for each in named if not re.search(rf"def test_\w*{each[1]}|def {each[1]}", TESTS[each[0]])] == []
