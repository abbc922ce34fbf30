"""Our own Prefect server: a child process on loopback, its data in Postgres, shared by all who need it.

Nothing here imports Prefect: commands must choose the server (environment variables) before Prefect reads its settings.
Users who have a server of their own are respected: PREFECT_API_URL, or an active profile that names one, wins.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from dotenv import dotenv_values

from botarmy.errors import Unavailable

START_DEADLINE_S = 120.0
"""How long a first start may take: the server creates its tables, about 9 s on a quiet machine."""

TRUST = "PREFECT_API_SSL_CERT_FILE"
"""Prefect's setting: the file of the certificate authorities that its clients load."""

WITHOUT_TOKEN = {"PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false"}
"""Prefect's clients need not ask our own server for a token against forged requests, each before its first change: it is
started without that protection, since it takes a password from all."""


@dataclass(frozen=True, kw_only=True)
class PrefectApi:
    """Where the Prefect API is.

    Attributes:
        url: address of the API, ends in /api.
        auth: "user:password" of basic authentication, or "" where the server wants none.
        key: API key of Prefect Cloud, or "".
        trust: file of the certificate authorities that its clients load, or "" for Prefect's choice.
        ours: whether BotArmy started (and may stop) it.
        pid: process id of our server; 0 for a foreign one.
    """

    url: str
    auth: str = ""
    key: str = ""
    trust: str = ""
    ours: bool = False
    pid: int = 0

    @property
    def ui_url(self) -> str:
        """Return the address of the web interface."""
        return self.url.removesuffix("/api")

    def run_url(self, flow_run_id: str) -> str:
        """Return the page of a flow run.

        Our own server's second UI is named: asked without a password it leads to its login and back to the run, where
        the first one says "Page not found". A foreign server may have only one: it is given the address that both know.
        """
        return f"{self.ui_url}{'/v2' if self.ours else ''}/runs/flow-run/{flow_run_id}"

    def environment(self) -> dict[str, str]:
        """Return the variables that point Prefect at this API."""
        values = {"PREFECT_API_URL": self.url}
        values |= {"PREFECT_API_AUTH_STRING": self.auth} if self.auth else {}
        values |= {"PREFECT_API_KEY": self.key} if self.key else {}
        values |= {TRUST: self.trust} if self.trust else {}
        return values | (WITHOUT_TOKEN if self.ours else {})


def foreign_api(environ: Mapping[str, str]) -> PrefectApi | None:
    """Return the Prefect API that the user configured: by environment, `.env` or active profile, in this order, or None."""
    written = {name: value for name, value in dotenv_values(".env", interpolate=False).items() if value}
    for source in (environ, written, _active_profile(environ)):
        if url := source.get("PREFECT_API_URL"):
            auth = environ.get("PREFECT_API_AUTH_STRING") or source.get("PREFECT_API_AUTH_STRING") or ""
            key = environ.get("PREFECT_API_KEY") or source.get("PREFECT_API_KEY") or ""
            return PrefectApi(url=str(url), auth=str(auth), key=str(key))
    return None


def _active_profile(environ: Mapping[str, str]) -> dict[str, object]:
    home = Path(environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    path = Path(environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    active = environ.get("PREFECT_PROFILE") or document.get("active", "")
    profile = document.get("profiles", {}).get(active, {})
    return profile if isinstance(profile, dict) else {}


def server_environment(home: Path, database_url: str, auth: str) -> dict[str, str]:
    """Return the environment of our server and of the processes that talk to it.

    Args:
        home: BOTARMY_HOME; Prefect's own files live in its folder `prefect`.
        database_url: SQLAlchemy URL (postgresql+asyncpg) of the database `prefect`.
        auth: "user:password" that the API asks for.
    """
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return (
        environ
        | {
            "PREFECT_HOME": str(home / "prefect"),
            "PREFECT_SERVER_API_AUTH_STRING": auth,
            "PREFECT_API_AUTH_STRING": auth,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
            "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "false",  # see WITHOUT_TOKEN
            # A server that lost its database for a moment answers 500; Prefect's client gives such answers up at once.
            "PREFECT_CLIENT_RETRY_EXTRA_CODES": os.environ.get("PREFECT_CLIENT_RETRY_EXTRA_CODES", "500"),
            # In memory, as is Prefect's default, the place of a killed upkeep is never given back once the server dies.
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        }
        | ({"PREFECT_API_DATABASE_CONNECTION_URL": database_url} if database_url else {})
    )


@dataclass(frozen=True, kw_only=True)
class _State:
    """What server.json says about the running server."""

    pid: int
    started: float
    url: str


def _alive(state: _State) -> bool:
    """Tell whether the process that server.json names still is our server, not a later one with its number."""
    return process_started(state.pid) == state.started


def process_started(pid: int) -> float | None:
    """Return when a live process started (seconds, a stable identity beside its number), or None when it is gone.

    Counted from the system's start where /proc tells it: a time of day changes when the clock is set, and our own
    server would then be taken for a stranger.
    """
    if Path("/proc/self/stat").exists():
        return _started_since_boot(pid)
    import psutil  # noqa: PLC0415 (only needed where services are looked at)

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return round(float(process.create_time()), 2)
    except psutil.Error:
        return None


def _started_since_boot(pid: int) -> float | None:
    try:
        # The name of the program stands in brackets and may itself have any character.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    state, ticks = fields[0], fields[19]
    return None if state in "ZX" else int(ticks) / os.sysconf("SC_CLK_TCK")


class PrefectServer:
    """Our server of one BOTARMY_HOME: started by the first who needs it, stopped by the last.

    Each user holds a shared lock on `server.lock` while it needs the server; the kernel frees it at process death.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "prefect"
        self._home = home
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._state_file = self._folder / "server.json"
        self.log_file = self._folder / "server.log"

    @property
    def auth(self) -> str:
        """Return the API's user and password; made once, kept in a file that only its owner reads."""
        path = self._folder / "auth"
        if not path.exists():
            aside = path.with_suffix(f".{os.getpid()}")
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"botarmy:{secrets.token_urlsafe(24)}")
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
            aside.unlink()
        return path.read_text("utf-8")

    @property
    def trust(self) -> str:
        """Return a file with one certificate authority, unless the user names one.

        Our server speaks plain HTTP on loopback. Prefect's clients load all authorities all the same, each of the dozen
        that a run opens: 12 ms of CPU each time (docs/decisions/0018-one-authority.md).
        """
        if named := os.environ.get(TRUST):
            return named
        path = self._folder / "authority.pem"
        if not path.exists():
            import certifi  # noqa: PLC0415 (only the first time)

            first, end, _ = Path(certifi.where()).read_text("utf-8").partition("-----END CERTIFICATE-----\n")
            write_whole(path, first + end)
        return str(path.resolve())

    def running(self) -> PrefectApi | None:
        """Return the API of the live server, or None."""
        state = self._read_state()
        return self._api(state) if state is not None and _alive(state) else None

    def _api(self, state: _State) -> PrefectApi:
        return PrefectApi(url=state.url, auth=self.auth, trust=self.trust, ours=True, pid=state.pid)

    @contextlib.contextmanager
    def use(self, database_url: str, *, port: int = 0) -> Iterator[PrefectApi]:
        """Give the running server, started where absent; the last user stops it.

        Raises:
            Unavailable: the server did not come up; the message quotes the end of its log.
        """
        with (self._folder / "server.lock").open("w") as lock, (self._folder / "start.lock").open("w") as start:
            fcntl.flock(lock, fcntl.LOCK_SH)
            fcntl.flock(start, fcntl.LOCK_EX)
            api = self.running() or self._start(database_url, port)
            fcntl.flock(start, fcntl.LOCK_UN)
            try:
                yield api
            finally:
                fcntl.flock(start, fcntl.LOCK_EX)
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self.stop()

    def restart(self, database_url: str, port: int, *, give_up: Callable[[], bool] = lambda: False) -> PrefectApi:
        """Start the server again on the same port after it died; the caller already uses it.

        Args:
            database_url: as in `use`.
            port: on which it was.
            give_up: asked while the server comes up; True ends the wait, and the server.

        Raises:
            Unavailable: the server did not come up, or the caller gave up.
        """
        with (self._folder / "start.lock").open("w") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            return self.running() or self._start(database_url, port, give_up)

    def used(self) -> bool:
        """Tell whether a live process uses the server."""
        with (self._folder / "server.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def stop(self, *, patience_s: float = 10.0) -> bool:
        """Stop the server that server.json names; return whether there was one."""
        state = self._read_state()
        stopped = state is not None and end_process(state.pid, state.started, patience_s=patience_s)
        self._state_file.unlink(missing_ok=True)
        return stopped

    def _read_state(self) -> _State | None:
        try:
            return _State(**json.loads(self._state_file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _start(self, database_url: str, port: int, give_up: Callable[[], bool] = lambda: False) -> PrefectApi:
        port = port or free_port()
        url = f"http://127.0.0.1:{port}/api"
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        environ = server_environment(self._home, database_url, self.auth) | {"PREFECT_API_URL": url, TRUST: self.trust}
        with self.log_file.open("w") as log:
            process = subprocess.Popen(  # noqa: S603 (our own interpreter and words)
                command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        started = process_started(process.pid) or 0.0
        state = _State(pid=process.pid, started=started, url=url)
        write_whole(self._state_file, json.dumps(asdict(state)))
        try:
            wait_healthy(url, process, give_up)
        except Unavailable as error:
            self.stop()
            raise Unavailable(f"{error.message} Its log ends: {log_tail(self.log_file)}", hint=error.hint) from None
        return self._api(state)


@contextlib.contextmanager
def prefect_for(home: Path, database_url: str) -> Iterator[PrefectApi]:
    """Give the Prefect API that this user has: a configured one, else our own server while the body runs.

    Args:
        home: BOTARMY_HOME.
        database_url: of the database `prefect` (postgresql+asyncpg), or "" for Prefect's own SQLite file.
    """
    foreign = foreign_api(os.environ)
    if foreign is None:
        with PrefectServer(home).use(database_url) as api:
            yield api
        return
    if not answers(foreign.url):
        raise Unavailable(
            f"The Prefect API at {foreign.url} does not answer. PREFECT_API_URL or the active profile names it.",
            hint="Start that server, or unset PREFECT_API_URL to use our own.",
        )
    yield foreign


def write_whole(path: Path, text: str) -> None:
    """Write a file that others may read at any time: they find the old text or the new one, never a part."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    aside.write_text(text, "utf-8")
    aside.replace(path)


def free_port() -> int:
    """Return a TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a TCP port of loopback and be the only one there."""
    with socket.socket() as caller:  # some systems let two listen, one of them on all addresses
        if caller.connect_ex(("127.0.0.1", port)) == 0:
            return False
    with socket.socket() as probe:
        # As the server does: connections of an earlier one, ended a moment ago, do not keep its port from it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def log_tail(path: Path, size: int = 600) -> str:
    """Return the end of a log file, for an error message."""
    try:
        return path.read_text("utf-8", "replace")[-size:].strip()
    except OSError:
        return "(no log)"


def answers(url: str, *, timeout_s: float = 2.0) -> bool:
    """Tell whether the API at this address says that it is healthy."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=timeout_s) as response:  # noqa: S310 (http by configuration)
            return bool(response.status == 200)  # noqa: PLR2004 (HTTP OK)
    except urllib.error.HTTPError as error:
        return error.code == 401  # noqa: PLR2004 (alive, and asks for the password)
    except (OSError, ValueError):
        return False


def wait_healthy(url: str, process: subprocess.Popen[bytes], give_up: Callable[[], bool] = lambda: False) -> None:
    """Wait until the server answers.

    Raises:
        Unavailable: it ended, or did not answer before the deadline, or the caller gave up.
    """
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline and not give_up():
        if process.poll() is not None:
            raise Unavailable(
                f"The Prefect server ended with exit code {process.returncode}.", hint="Run: botarmy doctor"
            )
        if answers(url):
            return
        time.sleep(0.1)
    if give_up():
        raise Unavailable("The Prefect server was not waited for: its supervisor was asked to end.")
    raise Unavailable(f"The Prefect server did not answer within {START_DEADLINE_S:.0f} s.", hint="Run: botarmy doctor")


def end_process(pid: int, started: float, *, patience_s: float = 10.0) -> bool:
    """Ask a process group to end, then kill it; do nothing when the number belongs to another process by now."""
    if process_started(pid) != started:
        return False
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, sign)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            if process_started(pid) is None:
                return True
            time.sleep(0.05)
    return process_started(pid) is None
