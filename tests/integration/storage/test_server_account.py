"""Which account runs the server, and that only the way is opened to it; on real directories."""

from __future__ import annotations

import errno
import logging
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import storage.accounts
from botarmy.errors import StorageError
from storage.accounts import Account, let_pass, let_read, server_account

AS_ROOT = os.geteuid() == 0
NOBODY = Account("nobody", 65534, 65534, drop=True)
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root gives files to others")


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that only its owner may pass, with one inside; not in pytest's own, which each session shuts anew."""
    folder = Path(tempfile.mkdtemp(prefix="baclosed-"))
    (folder / "inside").mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


def reaches(account: Account, path: Path) -> bool:
    done = subprocess.run(["test", "-d", str(path)], check=False, **account.child)
    return done.returncode == 0


def without_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system that has no access control lists."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "getxattr", refuse)
    monkeypatch.setattr(os, "setxattr", refuse)


@needs_root
def test_way_is_opened_for_one_account_only(closed: Path) -> None:
    let_pass(NOBODY, closed / "inside" / "data")
    assert reaches(NOBODY, closed / "inside")
    daemon = pwd.getpwnam("daemon")
    assert not reaches(Account("daemon", daemon.pw_uid, daemon.pw_gid, drop=True), closed / "inside")
    assert subprocess.run(["ls", str(closed)], capture_output=True, check=False, **NOBODY.child).returncode != 0
    let_pass(Account("daemon", daemon.pw_uid, daemon.pw_gid, drop=True), closed / "inside" / "data")  # both, then
    assert reaches(NOBODY, closed / "inside")


@needs_root
def test_without_access_control_lists_the_search_bit_is_set_and_told(
    closed: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    without_lists(monkeypatch)
    with caplog.at_level(logging.WARNING):
        let_pass(NOBODY, closed / "inside" / "data")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o701
    assert str(closed) in caplog.text


def test_way_that_cannot_be_opened_is_told(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_lists(monkeypatch)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(StorageError, match="may not pass through") as caught:
        let_pass(NOBODY, closed / "inside" / "data")
    assert "BOTARMY_HOME" in caught.value.hint


def test_open_ways_and_ordinary_users_change_nothing(closed: Path) -> None:
    ordinary = Account("me", os.geteuid(), os.getegid(), drop=False)
    let_pass(ordinary, closed / "inside" / "data")
    let_read(ordinary, closed)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert ordinary.child == {}


def test_programs_installed_under_a_strict_umask_become_readable(tmp_path: Path) -> None:
    tree = tmp_path / "pginstall"
    (tree / "bin").mkdir(parents=True)
    for name, mode in (("bin/postgres", 0o700), ("bin/notes.txt", 0o600)):
        (tree / name).write_text("x")
        (tree / name).chmod(mode)
    (tree / "bin" / "link").symlink_to("postgres")
    (tree / "bin").chmod(0o700)
    tree.chmod(0o700)
    let_read(NOBODY, tree)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tree, *tree.rglob("*"))}
    assert modes == {"pginstall": 0o755, "bin": 0o755, "postgres": 0o755, "notes.txt": 0o644, "link": 0o755}


def test_ordinary_user_runs_it_as_himself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    account = server_account(tmp_path / "none yet")
    assert (account.uid, account.drop, account.name) == (4321, False, "with id 4321")
    with pytest.raises(StorageError, match="this process runs as with id 4321") as caught:
        server_account(tmp_path)
    assert "another BOTARMY_HOME" in caught.value.hint


@needs_root
def test_root_keeps_to_the_account_that_owns_the_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 65534, 65534)
    assert server_account(data) == NOBODY
    os.chown(data, 54321, 54321)  # e.g. a volume of another system: an account that has no name here
    with pytest.raises(StorageError, match="belongs to the account with id 54321, which this system"):
        server_account(data)


def test_root_without_any_account_to_change_to_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(storage.accounts, "_CANDIDATES", ("no-such-account",))
    with pytest.raises(StorageError, match="refuses to run as root") as caught:
        server_account(tmp_path / "none yet")
    assert "DATABASE_URL" in caught.value.hint
