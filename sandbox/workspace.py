"""Folders of our own for as long as they are used; what a killed process left behind goes when the next one begins."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "botarmy-work-"


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """Yield a new folder among the system's temporary ones, readable for us alone; remove it at the end.

    Its user holds a shared lock on it, which the kernel gives back with the process. So one that nobody holds is left
    over from a process that was killed; each new workspace clears these away first.
    """
    clear_abandoned(Path(tempfile.gettempdir()))
    folder, descriptor = _made_and_held()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _made_and_held() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with contextlib.suppress(FileNotFoundError):  # cleared away by another before we held it
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if folder.exists():
                return folder, descriptor
            os.close(descriptor)


def clear_abandoned(parent: Path) -> None:
    """Remove the workspaces in a folder that nobody holds and that this user may remove."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # held, gone, or not ours
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
