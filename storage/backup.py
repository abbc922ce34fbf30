"""Backup and restore with PostgreSQL's own tools, those of the embedded server's wheel.

A file appears under its name only when it is complete, and ends with the hash of what is before it: pg_restore itself
does not notice every file that was cut short. (It reads over that ending: the file stays one that it can read.) A restore goes into an empty database, or replaces what is
there when told to, in one transaction: it is all there afterwards, or nothing has changed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg

from botarmy.errors import InputError, StorageError
from storage.address import libpq_url
from storage.cluster import programs
from storage.faults import translate
from storage.migrate import HEAD

_MAGIC = b"PGDMP"
_NEWER_SETTING = b"SET transaction_timeout = 0;"
_SCHEMA = b"alembic_version (version_num) FROM stdin"
_HEAD_BYTES = 1000
_SEAL = b"\nBotArmy backup, sha256 "


def backup(url: str, file: Path) -> int:
    """Write the whole database into `file` (PostgreSQL's custom format, compressed); returns its bytes.

    It is one consistent moment, also while others write. A file of that name is replaced only by a complete one.

    Raises:
        InputError: the folder does not exist, or the name is a folder's.
        StorageError: the database cannot be read, the disk is full, the server is newer than our tools.
    """
    if file.is_dir() or not file.parent.is_dir():
        why = "It is a folder." if file.is_dir() else f"There is no folder {file.parent}."
        raise InputError(f"{file} cannot be written. {why}", hint="Name a file in a folder that exists.")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error.strerror}.", hint="Name another file.") from error
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as output:
            _run("pg_dump", ["--format=custom", "--no-owner", "--no-acl"], url=url, stdout=output)
        _seal(draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return file.stat().st_size


def restore(url: str, file: Path, *, replace: bool = False) -> None:
    """Bring a backup into a database.

    Args:
        url: the database; it must exist.
        file: what `backup` wrote.
        replace: whether to drop what the database holds; without it, a database with projects is refused.

    Raises:
        InputError: the file cannot be read, is no backup or one of a newer BotArmy, or the database holds projects and
            `replace` is not given.
        StorageError: the restore failed; the database is as it was.
    """
    _see_backup(file)
    held = _projects(url)
    if held and not replace:
        raise InputError(
            f"The database holds {held} project{'s' if held > 1 else ''}; a restore would replace them.",
            hint="Restore into an empty database (another BOTARMY_HOME), or give --yes to replace them.",
        )
    with tempfile.TemporaryDirectory(prefix="botarmy-restore-") as folder:
        script = Path(folder) / "script.sql"
        # The dump makes all objects anew; --clean drops what is there first, in the same transaction.
        options = ["--no-owner", "--no-acl", "--clean", "--if-exists", f"--file={script}", str(file)]
        _run("pg_restore", options)
        _see_schema(script)
        _leave_out_newer_settings(script)
        words = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={script}"]
        _run("psql", words, url=url)


def _see_schema(script: Path) -> None:
    """Refuse what is no database of ours, or that of a newer BotArmy, before anything is changed."""
    with script.open("rb") as opened:
        for line in opened:
            if line.startswith(b"COPY ") and _SCHEMA in line:
                schema = next(opened, b"").strip().decode(errors="replace")
                break
        else:
            raise InputError(
                "The backup holds no database of BotArmy's. Nothing was changed.",
                hint="Name a file made by `botarmy db backup`.",
            )
    if schema > HEAD:
        raise InputError(
            f"The backup has schema {schema}; this BotArmy knows schemas up to {HEAD}. Nothing was changed.",
            hint="Use the BotArmy that made it, or a newer one.",
        )


def _leave_out_newer_settings(script: Path) -> None:
    """Blank the one setting in the script's head that servers before PostgreSQL 17 do not know; all can do without it."""
    with script.open("r+b") as opened:
        head = opened.read(_HEAD_BYTES)
        at = head.find(_NEWER_SETTING)
        if at >= 0:
            opened.seek(at)
            opened.write(b" " * len(_NEWER_SETTING))


def _seal(file: Path) -> None:
    """Append the ending, and see that all is on the disk before the file gets its name."""
    try:
        ending = _SEAL + _hash(file, file.stat().st_size).encode()
        with file.open("ab") as opened:
            opened.write(ending)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise StorageError(f"The backup cannot be written: {error.strerror}.", hint="Free some space.") from error


def _see_backup(file: Path) -> None:
    ending = len(_SEAL) + 64
    try:
        size = file.stat().st_size - ending
        with file.open("rb") as opened:
            start = opened.read(len(_MAGIC))
            opened.seek(max(size, 0))
            end = opened.read()
        whole = end == _SEAL + _hash(file, size).encode()
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}.", hint="Name a file made by `botarmy db backup`."
        ) from error
    if start != _MAGIC:
        raise InputError(f"{file} is no backup of BotArmy's.", hint="Name a file made by `botarmy db backup`.")
    if not whole:
        raise InputError(f"{file} was cut short or changed since it was made.", hint="Use another copy of it.")


def _hash(file: Path, size: int) -> str:
    """Return the sha256 of the first `size` bytes."""
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while size > 0 and (block := opened.read(min(size, 1 << 20))):
            found.update(block)
            size -= len(block)
    return found.hexdigest()


def _projects(url: str) -> int:
    try:
        with psycopg.connect(libpq_url(url), connect_timeout=10) as connection:
            if connection.execute("SELECT to_regclass('projects')").fetchone() == (None,):
                return 0
            row = connection.execute("SELECT count(*) FROM projects").fetchone()
            return int(row[0]) if row else 0
    except psycopg.Error as error:
        raise translate(error) or error from error


def _run(program: str, options: Sequence[str], *, url: str = "", stdout: IO[bytes] | int = subprocess.DEVNULL) -> None:
    """Run a tool, on a database where one is given.

    The password goes by the environment: command lines can be read by everyone on the machine.
    """
    address, environment = _without_password(libpq_url(url)) if url else ("", {})
    place = [f"--dbname={address}", "--no-password"] if url else []
    command = [str(programs() / program), *place, *options]
    try:
        done = subprocess.run(  # noqa: S603 - our own program with our own paths, no shell
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, env=environment, check=False
        )
    except OSError as error:
        raise StorageError(f"{program} does not run here: {error}.", hint="Use PostgreSQL's own tools.") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        raise _explain(program, said)


def _explain(program: str, said: str) -> StorageError:
    lines = [line.partition("error: ")[2] or line for line in said.splitlines() if line.strip()]
    why = " ".join(lines[:2]) or "no reason was given"
    if "No space left on device" in said:
        return StorageError(f"{program} stopped: the disk is full.", hint="Free some space, then do the same again.")
    if "server version mismatch" in said:
        return StorageError(
            f"{program} stopped: {why}", hint="Your server is newer than our tools: use its own pg_dump and pg_restore."
        )
    return StorageError(f"{program} stopped: {why}", hint="Nothing was changed; see that the database can be reached.")


def _without_password(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    password = unquote(password) or parse_qs(parts.query).get("password", [""])[0]
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    environment |= {name: value for name, value in os.environ.items() if name.startswith(("PGSSL", "PGPASSFILE"))}
    if password:
        environment["PGPASSWORD"] = password
    return parts._replace(netloc=f"{name}@{place}" if name else place).geturl(), environment
