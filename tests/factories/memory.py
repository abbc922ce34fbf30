"""A folder in memory for what tests write: there a database is made in a tenth of the time that a disk takes for its files."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import psutil

FOLDER = Path("/dev/shm")  # noqa: S108 (what is made in it gets a random name and is closed to others)
NEEDED_BYTES = 4 * 2**30
"""Several times what the suite holds at once: a dozen databases of some 60 MB each, and the products of a few tests."""


def work_in_memory() -> None:
    """Let temporary folders be made in memory, for this process and those it starts; TMPDIR, where it is set, wins."""
    if "TMPDIR" not in os.environ and has_room(FOLDER):
        os.environ["TMPDIR"] = str(FOLDER)
        tempfile.tempdir = None  # asked before, it would be remembered


def has_room(folder: Path, needed: int = NEEDED_BYTES) -> bool:
    """Tell whether so many bytes can be held in a folder of this kind, and programs be run from it."""
    if sys.platform != "linux" or not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    room = min(found.f_bavail * found.f_frsize, psutil.virtual_memory().available // 2)
    return room >= needed and not found.f_flag & os.ST_NOEXEC
