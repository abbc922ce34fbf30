"""A finished directory takes its place as a whole, and nothing of the user's own is overwritten."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from botarmy.errors import ExportError, InputError
from cli import placing
from cli.placing import check_destination, staged, write_marker

ROOT = Path(__file__).resolve().parents[3]
PROJECT = "11111111-0000-0000-0000-000000000000"


def untouched(_: Path) -> tuple[str, str]:
    return "abc", ""


def fill(tree: Path, text: str) -> None:
    (tree / "a.txt").write_text(text)
    (tree / ".git").mkdir()
    write_marker(tree, PROJECT, "books", "abc")


def left_over(parent: Path) -> list[str]:
    return [entry.name for entry in parent.iterdir() if "botarmy-" in entry.name]


@pytest.mark.parametrize("prepare", ["absent", "absent parents", "empty", "former"])
def test_a_destination_that_is_free_is_taken(tmp_path, prepare):
    destination = tmp_path / "x" / "y" / "out" if prepare == "absent parents" else tmp_path / "out"
    if prepare == "empty":
        destination.mkdir()
    if prepare == "former":
        with staged(destination) as tree:
            fill(tree, "old")
            (tree / "old-only").write_text("")
    check_destination(destination, PROJECT, untouched)
    with staged(destination) as tree:
        fill(tree, "new")
    assert (destination / "a.txt").read_text() == "new"
    assert not (destination / "old-only").exists()
    assert left_over(destination.parent) == []


def test_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="There is a file of that name"):
        check_destination(tmp_path / "out", PROJECT, untouched)


def test_a_directory_of_the_users_own_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="It is not empty, and not an export"):
        check_destination(tmp_path, PROJECT, untouched)


def test_an_export_of_another_project_is_refused(tmp_path):
    with staged(tmp_path / "out") as tree:
        fill(tree, "old")
    with pytest.raises(InputError, match='another project, "books"'):
        check_destination(tmp_path / "out", "another", untouched)


def test_commits_of_the_user_are_refused(tmp_path):
    with staged(tmp_path / "out") as tree:
        fill(tree, "old")
    with pytest.raises(InputError, match="commits that BotArmy did not make"):
        check_destination(tmp_path / "out", PROJECT, lambda _: ("def", ""))


@pytest.mark.parametrize("status", [" M a.txt\n", "?? notes.md\n", "!! data/app.db\n"])
def test_changes_of_the_user_are_refused(tmp_path, status):
    with staged(tmp_path / "out") as tree:
        fill(tree, "old")
    with pytest.raises(InputError, match="changed or added since the last export"):
        check_destination(tmp_path / "out", PROJECT, lambda _: ("abc", status))


def test_caches_of_a_run_are_no_changes(tmp_path):
    with staged(tmp_path / "out") as tree:
        fill(tree, "old")
    check_destination(tmp_path / "out", PROJECT, lambda _: ("abc", "!! app/__pycache__/\n?? app/x.pyc\n"))


def test_a_failure_while_building_leaves_the_destination_as_it_was(tmp_path):
    destination = tmp_path / "out"
    with staged(destination) as tree:
        fill(tree, "old")
    with pytest.raises(RuntimeError, match="stopped"), staged(destination) as tree:
        (tree / "half").write_text("half")
        raise RuntimeError("stopped")
    assert sorted(entry.name for entry in destination.iterdir()) == [".git", "a.txt"]
    assert left_over(tmp_path) == []


def test_no_space_is_said_and_leaves_nothing(tmp_path):
    with (
        pytest.raises(ExportError, match="No space left on device; nothing was changed") as raised,
        staged(tmp_path / "out"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "Free some space" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said(tmp_path):
    with pytest.raises(ExportError, match="No space left"), staged(tmp_path / "out") as tree:
        with Path("/dev/full").open("w") as full:
            full.write("x" * 100_000)
        fill(tree, "never")
    assert list(tmp_path.iterdir()) == []


def test_a_path_through_a_file_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="Cannot export to"), staged(tmp_path / "file" / "out"):
        pass


def without_privileges(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python as somebody whom permissions bind: root gives its privileges away first."""
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if drop and shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and there is no setpriv to give that up")
    return subprocess.run(
        [*drop, sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def place(destination: Path) -> str:
    return (
        "from pathlib import Path\nfrom cli.placing import staged\n"
        f"with staged(Path({str(destination)!r})) as tree: (tree / 'a.txt').write_text('new')"
    )


def test_no_permission_is_said(tmp_path):
    tmp_path.chmod(0o500)
    try:
        done = without_privileges(place(tmp_path / "out"))
    finally:
        tmp_path.chmod(0o700)
    assert "ExportError: Cannot export to" in done.stderr
    assert "Permission denied" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_writable_directory_in_a_forbidden_one_is_filled_from_inside(tmp_path):
    (tmp_path / "out").mkdir()
    tmp_path.chmod(0o500)
    try:
        done = without_privileges(place(tmp_path / "out"))
    finally:
        tmp_path.chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["a.txt"]


def test_a_failed_rename_puts_the_old_tree_back(tmp_path, monkeypatch):
    destination = tmp_path / "out"
    with staged(destination) as tree:
        fill(tree, "old")
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(ExportError, match="Input/output error"), staged(destination) as tree:
        fill(tree, "new")
    assert (destination / "a.txt").read_text() == "old"
    assert left_over(tmp_path) == []


def test_a_mount_point_is_filled_from_inside(tmp_path, monkeypatch):
    destination = tmp_path / "out"
    with staged(destination) as tree:
        fill(tree, "old")
        (tree / "old-only").write_text("")
    inode = destination.stat().st_ino
    monkeypatch.setattr(placing.os.path, "ismount", lambda path: Path(path) == destination)
    with staged(destination) as tree:
        fill(tree, "new")
    assert destination.stat().st_ino == inode
    assert sorted(entry.name for entry in destination.iterdir()) == [".git", "a.txt"]
    assert (destination / "a.txt").read_text() == "new"


def test_a_failed_exchange_of_entries_puts_them_back(tmp_path, monkeypatch):
    destination = tmp_path / "out"
    with staged(destination) as tree:
        fill(tree, "old")
    monkeypatch.setattr(placing.os.path, "ismount", lambda path: Path(path) == destination)
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "a.txt" and target.parent == destination and self.parent.name == "new":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(ExportError), staged(destination) as tree:
        fill(tree, "new")
    assert (destination / "a.txt").read_text() == "old"
    assert sorted(entry.name for entry in destination.iterdir()) == [".git", "a.txt"]
