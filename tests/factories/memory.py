"""A folder in memory for what tests write: databases consist of hundreds of files, which a disk makes slowly."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import psutil

FOLDER = Path("/dev/shm")  # noqa: S108 (what is made in it gets a random name)
NEEDED_BYTES = 4 * 2**30
"""Several times what the suite holds at once: a dozen databases of some 60 MB each, and the products of a few tests."""


def work_in_memory() -> Path | None:
    """Let temporary folders be made in memory, for this process and those it starts; TMPDIR, where it is set, wins.

    Returns:
        A new folder, which holds all of them and what killed processes leave there: to be removed at the end. None where
        there is no room; a container's limit on memory is not seen, and who has one sets TMPDIR.
    """
    if "TMPDIR" in os.environ or not _has_room(FOLDER):
        return None
    folder = Path(tempfile.mkdtemp(prefix="ba-", dir=FOLDER))  # a short name: a socket's path may not be long
    folder.chmod(0o755)  # root runs Postgres under another account
    os.environ["TMPDIR"] = str(folder)
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(FOLDER))  # what failed tests wrote is kept
    tempfile.tempdir = None  # asked before, it would be remembered
    return folder


def _has_room(folder: Path) -> bool:
    """Tell whether enough can be held in a folder, and programs be run from it."""
    if sys.platform != "linux" or not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    room = min(found.f_bavail * found.f_frsize, psutil.virtual_memory().available // 2)
    return room >= NEEDED_BYTES and not found.f_flag & os.ST_NOEXEC
