"""What changed between two versions of a document, short enough for a person who must decide now."""

from __future__ import annotations

import difflib
from typing import Any

EXCERPT_LINES = 24
"""Changed lines that a summary quotes; the rest is counted and `botarmy artifact --diff` shows it."""
LINE_LIMIT = 160
"""Characters of a quoted line."""
COMPARED_LINES = 4_000
"""Longest document that is compared here: the time grows with the square of the lines, and the gate waits for it."""


def summarise_change(before: str, after: str) -> dict[str, Any] | None:
    """Compare two documents line by line.

    Returns:
        "added" and "removed": how many lines; "lines": the first changed lines, each with "+ " or "- " in front.
        None where a document is too long to be compared while somebody waits.
    """
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > COMPARED_LINES:
        return None
    changed = [line for line in difflib.unified_diff(old, new, lineterm="", n=0) if line[:1] in "+-"][
        2:
    ]  # the first two name the files
    return {
        "added": sum(line.startswith("+") for line in changed),
        "removed": sum(line.startswith("-") for line in changed),
        "lines": [_shortened(line) for line in changed if line[1:].strip()][:EXCERPT_LINES],
    }


def _shortened(changed: str) -> str:
    line = f"{changed[0]} {changed[1:]}"
    return line if len(line) <= LINE_LIMIT else line[: LINE_LIMIT - 1] + "…"
