"""A home that all processes of one test run share: services are started once, by whoever needs them first."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def a_home() -> Iterator[Path]:
    """A folder of its own: pytest closes its temporary folders to other users, and Postgres runs as one of them."""
    home = new_home()
    yield home
    shutil.rmtree(home, ignore_errors=True)


def new_home() -> Path:
    """Make an empty folder that Postgres's user can enter."""
    home = Path(tempfile.mkdtemp(prefix="botarmy-e2e-"))
    home.chmod(0o755)
    return home


@contextlib.contextmanager
def shared_home(marker: Path, start: Callable[[Path], None], stop: Callable[[Path], None]) -> Iterator[Path]:
    """Give the home that the marker names, made and started by the first user; the last one stops and removes it.

    Each user holds a shared lock on the marker; the kernel frees it when a process dies.

    Args:
        marker: a file in a folder that the processes of this test run have in common.
        start: starts what the home is for; others wait meanwhile.
        stop: stops it.
    """
    with marker.open("a+") as lock:
        home = _taken(marker, lock, start)
        try:
            yield home
        finally:
            with contextlib.suppress(BlockingIOError):  # another process still needs it
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                marker.write_text("", "utf-8")
                stop(home)
                shutil.rmtree(home, ignore_errors=True)


def _taken(marker: Path, lock: IO[str], start: Callable[[Path], None]) -> Path:
    while True:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.read_text("utf-8"):
            home = new_home()
            start(home)
            marker.write_text(str(home), "utf-8")
        fcntl.flock(lock, fcntl.LOCK_SH)  # for a moment without any: the last user may just have stopped it
        if text := marker.read_text("utf-8"):
            return Path(text)
