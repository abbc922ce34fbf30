"""Put a finished directory where the user wants it, whole or not at all.

The tree is built aside, on the same file system, and renamed. Where the destination cannot be renamed over (a mount
point, or a parent without write permission) it is built inside and its entries are moved.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botarmy.errors import ExportError, InputError
from cli.manifest import changes, has_other_commits, is_plain, manifest

MARKER = Path(".git") / "botarmy-export.json"
"""Tells a former export from a directory of the user's own; inside .git, so that it is no part of the history."""


def check_destination(destination: Path, project: str | None) -> None:
    """Refuse a destination that holds anything which is not a former, untouched export of the same project.

    Files there are read, nothing is run.

    Args:
        destination: where the export shall be.
        project: the project's id; None where an untouched export of any project may be replaced.

    Raises:
        InputError: the destination is a file, or holds something that must not be overwritten.
        ExportError: it cannot be read.
    """
    try:
        _see_free(destination, project)
    except OSError as error:
        raise explained(destination, error) from error


def _see_free(destination: Path, project: str | None) -> None:
    if not destination.exists():
        return
    if not destination.is_dir():
        raise InputError(f"Cannot export to {destination}. There is a file of that name.", hint="Name a directory.")
    if not any(destination.iterdir()):
        return
    marker = _read_marker(destination)
    if marker is None:
        raise InputError(
            f"Cannot export to {destination}. It is not empty, and not an export of BotArmy.",
            hint="Name an empty or new directory.",
        )
    if project is not None and marker.get("project") != project:
        raise InputError(
            f'Cannot export to {destination}. It holds an export of another project, "{marker.get("slug")}".',
            hint="Name another directory, or remove that one yourself.",
        )
    _refuse_changes(destination, marker)


def _refuse_changes(destination: Path, marker: dict[str, Any]) -> None:
    if not (isinstance(marker.get("files"), dict) and isinstance(marker.get("refs"), dict)):
        raise InputError(
            f"Cannot export to {destination}. It holds an export of an earlier BotArmy, which noted too little to see "
            "whether it was changed.",
            hint="Remove it yourself, or name another directory.",
        )
    if has_other_commits(destination, marker):
        raise InputError(
            f"Cannot export to {destination}. It holds commits that BotArmy did not make.",
            hint="Name another directory; git can fetch from the one into the other.",
        )
    changed = changes(destination, marker)
    if changed:
        raise InputError(
            f"Cannot export to {destination}. Files there were changed, added or removed since the last export: "
            f"{', '.join(changed[:3])}{' …' if len(changed) > len(changed[:3]) else ''}.",
            hint="Move them away, or name another directory.",
        )


def _read_marker(destination: Path) -> dict[str, Any] | None:
    path = destination / MARKER
    if path.parent.is_symlink() or not is_plain(path):
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def write_marker(directory: Path, project: str, slug: str, head: str) -> None:
    """Note in a new export whose it is and what it holds."""
    text = json.dumps({"project": project, "slug": slug, "head": head, **manifest(directory)})
    (directory / MARKER).write_text(text + "\n", encoding="utf-8")


@contextmanager
def staged(destination: Path) -> Iterator[Path]:
    """Give an empty directory to build in; when the block ends well, it takes the destination's place.

    When the block or the exchange fails, the destination is as it was and the building site is gone.

    Raises:
        ExportError: there is no permission or no space, or the path cannot be made.
    """
    try:
        site = _building_site(destination)
    except OSError as error:
        raise explained(destination, error) from error
    try:
        tree = site / "new"
        tree.mkdir()
        yield tree
        _exchange(site, tree, destination)
    except OSError as error:
        raise explained(destination, error) from error
    finally:
        shutil.rmtree(site, ignore_errors=True)


def explained(destination: Path, error: OSError) -> ExportError:
    """Translate the operating system's error."""
    hints = {
        errno.ENOSPC: "Free some space, or name a directory on another disk.",
        errno.EDQUOT: "Free some of your quota, or name a directory on another disk.",
        errno.EACCES: "Name a directory that you may write to.",
        errno.EPERM: "Name a directory that you may write to.",
        errno.EROFS: "Name a directory that you may write to.",
        errno.ENOTDIR: "A part of the path is a file; name another directory.",
        errno.ENAMETOOLONG: "Name a shorter path.",
    }
    reason = error.strerror or str(error)
    return ExportError(
        f"Cannot export to {destination}. {reason}; nothing was changed there.",
        hint=hints.get(error.errno or 0, "Name another directory."),
    )


def _building_site(destination: Path) -> Path:
    parent = destination.parent
    if destination.is_dir() and (os.path.ismount(destination) or not os.access(parent, os.W_OK)):
        return Path(tempfile.mkdtemp(prefix=".botarmy-export-", dir=destination))
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{destination.name[:60]}.botarmy-", dir=parent))


def _exchange(site: Path, tree: Path, destination: Path) -> None:
    tree.chmod(0o777 & ~_umask())
    if site.parent == destination:
        _exchange_entries(site, tree, destination)
    elif destination.exists():
        _exchange_directory(site, tree, destination)
    else:
        tree.rename(destination)


def _exchange_directory(site: Path, tree: Path, destination: Path) -> None:
    old = site / "old"
    destination.rename(old)
    try:
        tree.rename(destination)
    except OSError:
        old.rename(destination)
        raise


def _exchange_entries(site: Path, tree: Path, destination: Path) -> None:
    old = site / "old"
    old.mkdir()
    moved: list[tuple[Path, Path]] = []
    try:
        for entry in sorted(destination.iterdir()):
            if entry != site:
                _move(entry, old / entry.name, moved)
        for entry in sorted(tree.iterdir()):
            _move(entry, destination / entry.name, moved)
    except OSError:
        for origin, target in reversed(moved):
            target.rename(origin)
        raise


def _move(origin: Path, target: Path, moved: list[tuple[Path, Path]]) -> None:
    origin.rename(target)
    moved.append((origin, target))


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
