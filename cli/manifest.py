"""What an export holds, so that a later one can see that nobody has changed it: by reading, without running anything.

Git is not asked: in a directory that is not ours (or no longer) its configuration names programs that git would run.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

GIT = ".git"
_CACHES = frozenset({"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache"})
_LEFT_OUT = frozenset(
    f"{GIT}/{name}"
    for name in (
        *("refs", "packed-refs", "info/refs"),  # compared by what they say
        *("index", "objects", "logs", "FETCH_HEAD", "ORIG_HEAD", "COMMIT_EDITMSG", "gc.log"),  # written in passing
        "botarmy-export.json",
    )
)


def manifest(directory: Path) -> dict[str, Any]:
    """Return what a new export holds: "files" (path -> sha256, those of .git that count among them) and "refs"."""
    return {"files": {path: _sha256(directory / path) for path in _paths(directory)}, "refs": _refs(directory / GIT)}


def has_other_commits(directory: Path, known: Mapping[str, Any]) -> bool:
    """Whether the references of an export are others than when it was made."""
    return bool(_refs(directory / GIT) != known["refs"])


def changes(directory: Path, known: Mapping[str, Any]) -> list[str]:
    """Return the files of an export that were changed, added or taken away; the caches of a run are none of them.

    A symbolic link, a pipe and the like are never followed or opened: there is none in an export, so it is an addition.
    """
    files: Mapping[str, str] = known["files"]
    now = set(_paths(directory))
    added = {path for path in now - files.keys() if not _is_cache(path)}
    gone = files.keys() - now
    changed = {path for path in now & files.keys() if _sha256(directory / path) != files[path]}
    return sorted(added | gone | changed)


def is_plain(path: Path) -> bool:
    """Whether this is a regular file and no link to one."""
    return path.is_file() and not path.is_symlink()


def _is_cache(path: str) -> bool:
    return path.endswith(".pyc") or not _CACHES.isdisjoint(path.split("/"))


def _paths(directory: Path, inside: str = "") -> Iterator[str]:
    """Yield the path of everything but folders, with forward slashes, links not followed."""
    with os.scandir(directory / inside) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            path = f"{inside}/{entry.name}" if inside else entry.name
            if path in _LEFT_OUT:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _paths(directory, path)
            else:
                yield path


def _sha256(path: Path) -> str:
    """Return the hash of a regular file; of anything else a word that no file has."""
    if not is_plain(path):
        return "no regular file"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refs(git: Path) -> dict[str, str]:
    """Return the references of a repository: loose ones win over packed ones, as for git."""
    found: dict[str, str] = {}
    packed = git / "packed-refs"
    if is_plain(packed):
        lines = packed.read_text("utf-8", "replace").splitlines()
        found = {name: value for value, _, name in (line.partition(" ") for line in lines) if name and value != "#"}
    elif packed.is_symlink():
        found = {"packed-refs": "a link"}
    loose = git / "refs"
    for path in _paths(git, "refs") if loose.is_dir() and not loose.is_symlink() else ():
        found[path] = (git / path).read_text("utf-8", "replace").strip() if is_plain(git / path) else "no regular file"
    return found
