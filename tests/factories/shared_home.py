"""A home that all processes of one test run share: services are started once, by whoever needs them first."""

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
def shared_home(folder: Path, start: Callable[[Path], None], stop: Callable[[Path], None]) -> Iterator[Path]:
    """Give the home that all users of a folder share, made and started by the first; the last one stops and removes it.

    Each user holds a shared lock; the kernel frees it when a process dies.

    Args:
        folder: where the processes of a test run find each other; made where it is missing.
        start: starts what the home is for; others wait meanwhile.
        stop: stops it.
    """
    folder.mkdir(exist_ok=True)
    name = folder / "home"
    with (folder / "users").open("w") as users:
        with _one_at_a_time(folder):
            if not name.exists():
                home = new_home()
                start(home)
                name.write_text(str(home), "utf-8")
            fcntl.flock(users, fcntl.LOCK_SH)
            home = Path(name.read_text("utf-8"))
        try:
            yield home
        finally:
            with _one_at_a_time(folder), contextlib.suppress(BlockingIOError):  # another process still needs it
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                name.unlink()
                stop(home)
                shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with (folder / "door").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield
