"""The embedded PostgreSQL: one server per BOTARMY_HOME, started when it is needed and left running for the next.

home/postgres.lock     held while the server is made, started or stopped
home/postgres.json     the passwords, 0600
home/postgres.ready    role and databases are complete
home/postgres/         0700, belongs to the server's account: data/, run/ (the socket), server.log
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from botarmy.errors import StorageError, Unavailable
from storage.address import socket_url
from storage.cluster import SUPERUSER, Cluster

OWNER = "botarmy"
DATABASES = ("botarmy", "prefect")
_LOCK_WAIT_S = 180.0


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server.

    Attributes:
        url: address of the database `botarmy`.
        prefect_url: address of the database `prefect`, in the form that Prefect's server wants.
        started_here: whether this call started it.
    """

    url: str
    prefect_url: str
    started_here: bool


@dataclass(frozen=True)
class EmbeddedStatus:
    """What `doctor` wants to know; `version` is the data directory's major version, "" before the first start."""

    initialised: bool
    running: bool
    pid: int | None
    account: str
    data: Path
    log: Path
    version: str


async def start_embedded(home: Path, settings: Mapping[str, str] | None = None) -> EmbeddedPostgres:
    """Return the address of the server under `home`, starting (and the first time making) it where it is not up.

    The server outlives this process; `stop_embedded` ends it. With a server that runs, this takes about a millisecond.

    Args:
        home: BOTARMY_HOME.
        settings: server settings beside ours, e.g. {"fsync": "off"} for tests; used when this call starts it.

    Raises:
        StorageError: `home` cannot be used, the disk is full, the server does not start.
        Unavailable: another process held the lock for too long.
    """
    return await asyncio.to_thread(_start, _absolute(home), settings or {})


async def stop_embedded(home: Path) -> bool:
    """Stop the server under `home`; returns False where none was running."""
    return await asyncio.to_thread(_stop, _absolute(home))


def embedded_status(home: Path) -> EmbeddedStatus:
    """Describe the server under `home` without starting anything."""
    cluster = Cluster(_absolute(home))
    pid = cluster.pid()
    version = (cluster.data / "PG_VERSION").read_text().strip() if cluster.initialised() else ""
    return EmbeddedStatus(
        initialised=cluster.initialised(),
        running=pid is not None and cluster.answers(),
        pid=pid,
        account=cluster.account.name,
        data=cluster.data,
        log=cluster.log,
        version=version,
    )


def _absolute(home: Path) -> Path:
    return home.expanduser().resolve()


def _start(home: Path, settings: Mapping[str, str]) -> EmbeddedPostgres:
    cluster = Cluster(home)
    if (known := _read_passwords(home)) and _ready_mark(home).exists() and _up(cluster):
        return _addresses(cluster, known, started_here=False)
    with _locked(home):
        passwords = _passwords(home, cluster)
        if not cluster.initialised():
            cluster.initialise(passwords[SUPERUSER])
        started = not _up(cluster)
        if started:
            cluster.start(settings)
        _make_databases(cluster, passwords)
        _ready_mark(home).touch(mode=0o600)
    return _addresses(cluster, passwords, started_here=started)


def _up(cluster: Cluster) -> bool:
    # Both: a server that was killed answers for a moment longer, and one that starts has a number before it answers.
    return cluster.pid() is not None and cluster.answers()


def _stop(home: Path) -> bool:
    cluster = Cluster(home)
    if cluster.pid() is None:
        return False
    with _locked(home):
        if cluster.pid() is None:
            return False
        cluster.stop()
    return True


def _addresses(cluster: Cluster, passwords: Mapping[str, str], *, started_here: bool) -> EmbeddedPostgres:
    folder, password = str(cluster.sockets), passwords[OWNER]
    return EmbeddedPostgres(
        url=socket_url(OWNER, password, "botarmy", folder),
        prefect_url=socket_url(OWNER, password, "prefect", folder, driver="+asyncpg"),
        started_here=started_here,
    )


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Hold the lock of `home`; the system frees it when its holder dies."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(home / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(
            f"BOTARMY_HOME {home} cannot be written to: {error.strerror}.",
            hint="Set BOTARMY_HOME to a folder that you may write to, or free space on its disk.",
        ) from error
    try:
        _wait_for(descriptor, home)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    except OSError as error:
        raise StorageError(
            f"The database under {home} could not be made ready: {error.strerror or error}.",
            hint="See that the disk has space and that BOTARMY_HOME belongs to you.",
        ) from error
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, home: Path) -> None:
    deadline = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                holder = os.pread(descriptor, 20, 0).decode() or "unknown"
                raise Unavailable(
                    f"Process {holder} has been starting or stopping the database for {_LOCK_WAIT_S:.0f} s.",
                    hint=f"See whether it hangs; end it, then try again ({home / 'postgres.lock'}).",
                ) from error
            time.sleep(0.05)
        else:
            return


def _ready_mark(home: Path) -> Path:
    """The file that says that role and databases are complete: a kill between them and the start must not hide."""
    return home / "postgres.ready"


def _passwords(home: Path, cluster: Cluster) -> Mapping[str, str]:
    known = _read_passwords(home)
    if known:
        return known
    if cluster.initialised():
        raise StorageError(
            f"{home / 'postgres.json'}, which holds the database's passwords, is missing or damaged.",
            hint="Put it back from a copy of BOTARMY_HOME; without it, start over in a new BOTARMY_HOME.",
        )
    fresh = {SUPERUSER: secrets.token_urlsafe(24), OWNER: secrets.token_urlsafe(24)}
    draft = home / "postgres.json.new"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(fresh, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(home / "postgres.json")
    return fresh


def _read_passwords(home: Path) -> Mapping[str, str] | None:
    try:
        known = json.loads((home / "postgres.json").read_text())
        return {SUPERUSER: str(known[SUPERUSER]), OWNER: str(known[OWNER])}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _make_databases(cluster: Cluster, passwords: Mapping[str, str]) -> None:
    """Make what is missing of our role and databases; the role owns them and is no superuser."""
    import psycopg
    from psycopg.sql import SQL, Identifier, Literal

    address = socket_url(SUPERUSER, passwords[SUPERUSER], "postgres", str(cluster.sockets))
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=30) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (OWNER,)).fetchone():
                connection.execute(
                    SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(Identifier(OWNER), Literal(passwords[OWNER]))
                )
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
            for name in sorted(set(DATABASES) - {row[0] for row in rows}):
                connection.execute(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(name), Identifier(OWNER)))
    except psycopg.Error as error:
        raise StorageError(
            f"The embedded database runs, but could not be set up: {str(error).strip()}",
            hint=f"The server's own words are in {cluster.log}.",
        ) from error
