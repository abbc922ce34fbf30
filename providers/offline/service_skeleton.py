"""The fixed part of every generated service: files of the folder skeleton/, taken as they are."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from botarmy.checks import FileText

GENERATED = frozenset({"app/models.py", "app/openapi.json"})
"""Files that the skeleton has only to be a running service of its own; the generator writes them anew."""


@cache
def skeleton(folder: str) -> tuple[FileText, ...]:
    """Return the Python files of skeleton/<folder>, in the order of their names."""
    place = files("providers.offline") / "skeleton" / folder
    names = sorted(entry.name for entry in place.iterdir() if entry.name.endswith(".py"))
    paths = {name: f"{folder}/{name}" for name in names if f"{folder}/{name}" not in GENERATED}
    return tuple(
        FileText(path=path, content=(place / name).read_text(encoding="utf-8")) for name, path in paths.items()
    )
