"""Every crash point that the product has, read from its source; the plan of benchmarks/kills.py must know each of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("botarmy", "cli", "flows", "tasks", "providers", "storage", "sandbox")
SIDES = ("before", "after")


class Unreadable(Exception):
    """A crash point whose name does not stand in the source."""


def in_source(root: Path = ROOT) -> frozenset[str]:
    """Return the names of all crash points: of `point("NAME")`, and both sides of `runtime.commit("NAME")`.

    Raises:
        Unreadable: a name is computed, so that nobody could tell whether the plan knows it.
    """
    found: set[str] = set()
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            text = path.read_text("utf-8")
            if "point(" in text or ".commit(" in text:
                found.update(_of_module(ast.parse(text), path.relative_to(root).as_posix()))
    return frozenset(found)


def _of_module(module: ast.Module, name: str) -> Iterator[str]:
    for call in (each for each in ast.walk(module) if isinstance(each, ast.Call) and each.args):
        commit = isinstance(call.func, ast.Attribute) and call.func.attr == "commit"
        passed = isinstance(call.func, ast.Name) and call.func.id == "point"
        if not (commit or passed):
            continue
        first = call.args[0]
        if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            if name == "tasks/runtime.py":  # runtime.commit itself, which puts the sides to the name it was given
                continue
            raise Unreadable(f"{name}:{call.lineno} names its crash point by more than plain text.")
        yield from ([f"{first.value}.{side}" for side in SIDES] if commit else [first.value])
