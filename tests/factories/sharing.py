"""What the processes of one test run share: started once, by whoever needs it first."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


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
def shared(folder: Path, start: Callable[[], str], stop: Callable[[str], None]) -> Iterator[str]:
    """Give what all users of a folder share; the first one starts it and the last one stops it.

    Each user holds a shared lock; the kernel frees it when a process dies.

    Args:
        folder: where the processes of a test run find each other; made where it is missing.
        start: starts it and returns what its users have to know; others wait meanwhile.
        stop: stops it, told the same.
    """
    folder.mkdir(exist_ok=True)
    note = folder / "note"
    with (folder / "users").open("w") as users:
        with _one_at_a_time(folder):
            if not note.exists():
                note.write_text(start(), "utf-8")
            fcntl.flock(users, fcntl.LOCK_SH)
        known = note.read_text("utf-8")
        try:
            yield known
        finally:
            with _one_at_a_time(folder), contextlib.suppress(BlockingIOError):  # another process still needs it
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                note.unlink()
                stop(known)


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with (folder / "door").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield
