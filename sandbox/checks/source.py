"""Reading Python source as a tree, without running it."""

from __future__ import annotations

import ast

TRIES = 3


def parse(text: str) -> ast.Module | None:
    """Return the tree of a module; None when it cannot be parsed."""
    for _ in range(TRIES):
        try:
            return ast.parse(text)
        except SystemError:
            continue  # CPython 3.11 counts its recursion for all threads together, and trips over another one's parsing
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    return None
