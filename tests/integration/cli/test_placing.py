"""A finished directory takes its place as a whole, and nothing of the user's own is overwritten."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from botarmy.errors import ExportError, InputError
from cli import placing
from cli.placing import MARKER, check_destination, staged, write_marker

ROOT = Path(__file__).resolve().parents[3]
PROJECT = "11111111-0000-0000-0000-000000000000"


def fill(tree: Path, text: str) -> None:
    (tree / "a.txt").write_text(text)
    refs = tree / ".git" / "refs" / "heads"
    refs.mkdir(parents=True)
    (refs / "main").write_text("abc\n")
    (tree / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (tree / ".git" / "index").write_text("index")
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
            (tree / "old-only").write_text("")
            fill(tree, "old")
    check_destination(destination, PROJECT)
    with staged(destination) as tree:
        fill(tree, "new")
    assert (destination / "a.txt").read_text() == "new"
    assert not (destination / "old-only").exists()
    assert left_over(destination.parent) == []


def test_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="There is a file of that name"):
        check_destination(tmp_path / "out", PROJECT)


def test_a_directory_of_the_users_own_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="It is not empty, and not an export"):
        check_destination(tmp_path, PROJECT)


def test_an_export_of_another_project_is_refused(tmp_path):
    with staged(tmp_path / "out") as tree:
        fill(tree, "old")
    with pytest.raises(InputError, match='another project, "books"'):
        check_destination(tmp_path / "out", "another")


def exported(parent: Path) -> Path:
    with staged(parent / "out") as tree:
        fill(tree, "old")
    return parent / "out"


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("name", ["refs/heads/main", "refs/heads/mine", "refs/stash", "packed-refs"])
def test_commits_of_the_user_are_refused(tmp_path, name):
    out = exported(tmp_path)
    put(out / ".git" / name, "def refs/tags/v1\n")
    with pytest.raises(InputError, match="commits that BotArmy did not make"):
        check_destination(out, PROJECT)


CHANGES = {
    "changed": ("a.txt", lambda path: path.write_text("mine")),
    "added": ("notes.md", lambda path: path.write_text("mine")),
    "added in a folder": ("data/app.db", lambda path: put(path, "mine")),
    "taken away": ("a.txt", lambda path: path.unlink()),
    "a link": ("link", lambda path: path.symlink_to("a.txt")),
    "a link to a folder": ("folder", lambda path: path.symlink_to("/")),
    "a link in place of a file": ("a.txt", lambda path: (path.rename(path.parents[1] / "a"), path.symlink_to("../a"))),
    "a pipe": ("pipe", os.mkfifo),
    "git's configuration": (".git/config", lambda path: path.write_text("[core]\n")),
    "a hook": (".git/hooks/post-checkout", lambda path: put(path, "")),
    "another branch": (".git/HEAD", lambda path: path.write_text("ref: refs/heads/mine\n")),
}


@pytest.mark.parametrize("what", sorted(CHANGES))
def test_changes_of_the_user_are_refused(tmp_path, what):
    out = exported(tmp_path)
    path, change = CHANGES[what]
    change(out / path)
    with pytest.raises(InputError, match=r"changed, added or removed since the last export") as refused:
        check_destination(out, PROJECT)
    assert f"last export: {path}." in refused.value.message


def test_traces_of_a_look_are_no_changes(tmp_path):
    out = exported(tmp_path)
    for name in ("app/__pycache__/x.pyc", "app/x.pyc", ".ruff_cache/0/1", ".git/index", ".git/objects/ab/cd"):
        put(out / name, "anything")
    put(out / ".git" / "packed-refs", "# pack-refs with: peeled\nabc refs/heads/main\n")
    (out / ".git" / "refs" / "heads" / "main").unlink()
    check_destination(out, PROJECT)


def test_an_export_of_an_earlier_version_is_refused(tmp_path):
    out = exported(tmp_path)
    (out / MARKER).write_text(json.dumps({"project": PROJECT, "slug": "books", "head": "abc"}))
    with pytest.raises(InputError, match="an export of an earlier BotArmy"):
        check_destination(out, PROJECT)


@pytest.mark.parametrize("linked", [MARKER, MARKER.parent])
def test_a_linked_marker_is_none(tmp_path, linked):
    out = exported(tmp_path)
    (out / linked).rename(tmp_path / "elsewhere")
    (out / linked).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="not an export of BotArmy"):
        check_destination(out, PROJECT)


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
