"""Who the embedded server runs as. PostgreSQL refuses root, so root gives the server an unprivileged account.

No account is created and no password file is touched: an existing one is used (`postgres`, else `nobody`). Where that
account cannot walk down to the data or to the server's programs (a checkout under /root), it alone gets the right to
pass through those directories, by an access control list; listing and reading them stays forbidden.
"""

from __future__ import annotations

import logging
import os
import pwd
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botarmy.errors import StorageError

_log = logging.getLogger(__name__)
_CANDIDATES = ("postgres", "nobody")
_ACL = "system.posix_acl_access"
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_SEARCH = 1
_OTHERS_READ = stat.S_IROTH | stat.S_IXOTH


@dataclass(frozen=True)
class Account:
    """An operating system account; `drop` says whether child processes must change to it."""

    name: str
    uid: int
    gid: int
    drop: bool

    @property
    def child(self) -> dict[str, Any]:
        """Arguments for subprocess that start a child as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.drop else {}


def server_account(data: Path) -> Account:
    """Return the account that runs, or will run, the server whose data lie in `data`.

    Raises:
        StorageError: the data belong to someone else, or root finds no account to change to.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise StorageError(
                f"The database in {data} belongs to the account {_name(owner)}; this process runs as "
                f"{_name(os.geteuid())}.",
                hint="Run BotArmy as the account that first used this BOTARMY_HOME, or name another BOTARMY_HOME.",
            )
        return Account(_name(os.geteuid()), os.geteuid(), os.getegid(), drop=False)
    if owner:
        try:
            return _account(pwd.getpwuid(owner))
        except KeyError as error:
            raise StorageError(
                f"The database in {data} belongs to the account {_name(owner)}, which this system does not know.",
                hint="Give the folder `postgres` in BOTARMY_HOME to an account of this system, with all that is in it.",
            ) from error
    for name in _CANDIDATES:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise StorageError(
        "PostgreSQL refuses to run as root, and this system has neither an account `postgres` nor `nobody`.",
        hint="Run BotArmy as an ordinary user, or set DATABASE_URL to a PostgreSQL server of your own.",
    )


def let_pass(account: Account, path: Path) -> None:
    """Let `account` walk down to `path` (a directory), changing only the directories above that keep it out.

    Raises:
        StorageError: a directory on the way cannot be opened to the account.
    """
    if not account.drop:
        return
    for directory in reversed(path.resolve().parents):
        if not _may_pass(account, directory):
            _open(account, directory)


def let_read(account: Account, tree: Path) -> None:
    """Let `account` read and run the files of `tree`, where a strict umask at installation forbids it."""
    if not account.drop or tree.stat().st_mode & _OTHERS_READ == _OTHERS_READ:
        return
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & stat.S_IXUSR else 0o044))


def _name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return f"with id {uid}"


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, drop=True)


def _may_pass(account: Account, directory: Path) -> bool:
    facts = directory.stat()
    acl = _read_acl(directory)
    # The mask bounds what the list grants; a chmod by anyone else sets it anew.
    mask = next((permissions for tag, permissions, _ in acl if tag == _MASK), _SEARCH)
    if any(tag == _USER and who == account.uid and permissions & mask & _SEARCH for tag, permissions, who in acl):
        return True
    if facts.st_uid == account.uid:
        return bool(facts.st_mode & stat.S_IXUSR)
    if facts.st_gid == account.gid:
        return bool(facts.st_mode & stat.S_IXGRP)
    return bool(facts.st_mode & stat.S_IXOTH)


def _open(account: Account, directory: Path) -> None:
    try:
        _write_acl(directory, account.uid)
        _log.debug("Let the account %s pass through %s by an access control list", account.name, directory)
    except OSError:  # a file system without access control lists: the search bit alone does not let anyone list it
        try:
            directory.chmod(stat.S_IMODE(directory.stat().st_mode) | stat.S_IXOTH)
        except OSError as error:
            raise StorageError(
                f"The database server runs as {account.name}, which may not pass through {directory} ({error}).",
                hint="Put the checkout and BOTARMY_HOME where that account can reach them, or set DATABASE_URL.",
            ) from error
        _log.warning("Set the search bit of %s, so that the account %s can reach its files", directory, account.name)


def _read_acl(directory: Path) -> list[tuple[int, int, int]]:
    try:
        raw = os.getxattr(directory, _ACL)
    except (OSError, AttributeError):  # none set, or a system that has none
        return []
    return [struct.unpack_from("<HHI", raw, offset) for offset in range(4, len(raw), 8)]


def _write_acl(directory: Path, uid: int) -> None:
    if not hasattr(os, "setxattr"):
        raise OSError("no access control lists on this system")
    mode = directory.stat().st_mode
    entries = _read_acl(directory) or [
        (_USER_OBJ, mode >> 6 & 7, _NO_ID),
        (_GROUP_OBJ, mode >> 3 & 7, _NO_ID),
        (_OTHER, mode & 7, _NO_ID),
    ]
    others = [entry for entry in entries if entry[0] != _MASK and entry[::2] != (_USER, uid)]
    mask = _SEARCH
    for tag, permissions, _ in others:
        mask |= permissions if tag in (_USER, _GROUP_OBJ, _GROUP) else 0
    kept = [*others, (_USER, _SEARCH, uid), (_MASK, mask, _NO_ID)]
    kept.sort(key=lambda entry: (entry[0], entry[2]))
    os.setxattr(directory, _ACL, struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in kept))
