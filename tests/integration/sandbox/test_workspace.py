"""A folder lasts as long as its process, however that ends."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from sandbox.workspace import PREFIX, clear_abandoned, workspace

ROOT = Path(__file__).resolve().parents[3]
HOLDER = """
from sandbox.workspace import workspace
with workspace() as folder:
    (folder / "tree").mkdir()
    print(folder, flush=True)
    input()"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the system's for temporary ones in this test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_is_ours_alone_and_gone_at_the_end(temporary: Path) -> None:
    with workspace() as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_text("x")
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_goes_when_the_next_begins(temporary: Path) -> None:
    (temporary / "botarmy-other").mkdir()
    words = [sys.executable, "-c", HOLDER]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        left = Path(holder.stdout.readline().strip())
        with workspace():
            assert left.joinpath("tree").is_dir(), "what another still uses stays"
        holder.kill()
    assert left.is_dir()
    with workspace() as folder:
        assert sorted(temporary.iterdir()) == sorted([folder, temporary / "botarmy-other"])


def test_what_is_no_folder_of_ours_is_left(temporary: Path) -> None:
    kept = temporary / "kept"
    kept.mkdir()
    (temporary / f"{PREFIX}link").symlink_to(kept)
    (temporary / f"{PREFIX}file").write_text("x")
    clear_abandoned(temporary)
    assert len(list(temporary.iterdir())) == 3


def use_some(number: int) -> int:
    """Make and use workspaces, one after the other."""
    for _ in range(number):
        with workspace() as folder:
            (folder / "file").write_text("x")
            assert (folder / "file").read_text() == "x"
    return number


def test_many_at_once_do_not_clear_each_other_away(temporary: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        assert sum(pool.map(use_some, [150] * 4)) == 600
    assert list(temporary.iterdir()) == []
