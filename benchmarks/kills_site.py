"""Where benchmarks/kills.py kills: a home with its own Postgres, Prefect server, loopback model and nursery of lives."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from botarmy.crashpoints import ENDED_AT
from botarmy.errors import Unavailable
from botarmy.records import digest
from botarmy.settings import ROLES
from flows.api import PrefectRefused, call
from flows.deploy import ensure_deployments
from flows.server import PrefectApi, PrefectServer, server_environment
from providers.fake_server import Asked, FakeServer, Say
from providers.fake_vendors import ChatVoice
from storage.cluster import Cluster
from storage.connect import open_database
from storage.database import Database
from storage.unit import UnitOfWork
from tests.factories.environ import without_settings
from tests.factories.model_server import answers_for

_Read = TypeVar("_Read")
ROOT = Path(__file__).resolve().parents[1]
BRIEF = "# Shelf\nEach book has a required title.\n"
WINDOW_S = 1.0
PATIENCE_S = 180.0
"""How long a killed Prefect server may be away on a busy machine."""

PRICES = {"openai/gpt-test": {"input": "1", "output": "1"}}
"""USD for a million tokens, so that a budget can be kept."""


@dataclass(eq=False)
class Life:
    """One process of a project.

    Attributes:
        pid: its process.
        exit: its exit code, when it has ended.
        log: what it printed.
        what: cli, flow or upkeep.
        seconds: how long it lived.
    """

    what: str
    log: Path
    born: asyncio.Future[int]
    exit: asyncio.Future[int]
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    async def kill(self, sign: int = signal.SIGKILL) -> None:
        """Send a signal, unless it has ended."""
        pid = await self.born
        if not self.exit.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)

    def crash(self) -> str:
        """Return the crash point at which it ended, as it was armed, or ""."""
        _, _, rest = self.tail().rpartition(ENDED_AT)  # the line before it may be unfinished
        return rest.splitlines()[0] if ENDED_AT in self.tail() else ""

    def tail(self) -> str:
        """Return the end of what it printed."""
        try:
            return self.log.read_text("utf-8", "replace")[-1500:]
        except OSError:
            return ""


class Model:
    """A model on loopback that answers each purpose with what the scaffold generator said to the same brief.

    A key of the form NAME.NUMBER is the story's NAME: whoever likes may tell processes apart.

    Attributes:
        answers: purpose -> the text of its answer.
        log: (story, kills that it had gone through, digest of the request's body, purpose) in the order in which they
            came.
    """

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.log: list[tuple[str, int, str, str]] = []
        self._kills: Counter[str] = Counter()
        self._common = 0

    def struck(self, story: str, *, common: bool = False) -> None:
        """Take note of a kill; a common one (of a server) counts for every story."""
        self._common += common
        self._kills[story] += not common

    def respond(self, asked: Asked) -> Say:
        """Answer a request; the key that came with it says whose it is."""
        story = asked.headers["authorization"].removeprefix("Bearer ").partition(".")[0]
        purpose = asked.body["response_format"]["json_schema"]["name"]
        self.log.append((story, self._kills[story] + self._common, digest(asked.body), purpose))
        return ChatVoice().streamed(self.answers[purpose])

    def repeats(self, story: str) -> dict[int, tuple[str, ...]]:
        """Return, by the number of kills until then, the purposes of the requests that the story had made before."""
        seen: set[str] = set()
        repeated: dict[int, tuple[str, ...]] = {}
        for _, kills, body, purpose in (each for each in self.log if each[0] == story):
            if body in seen:
                repeated[kills] = (*repeated.get(kills, ()), purpose)
            seen.add(body)
        return repeated


@dataclass
class Site:
    """The running services; made by `site`."""

    home: Path
    database: Database
    prefect_url: str
    api: PrefectApi
    model: Model
    model_url: str
    environ: dict[str, str]
    _nursery: asyncio.subprocess.Process | None = None
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    workers: asyncio.Lock = field(default_factory=asyncio.Lock)
    lives: dict[int, Life] = field(default_factory=dict)

    async def life(
        self, what: str, *words: str, crash: str = "", key: str = "none", environ: Mapping[str, str] | None = None
    ) -> Life:
        """Begin a process; see benchmarks/kills_nursery.py."""
        if self._nursery is None or self._nursery.stdin is None:
            raise RuntimeError("the nursery is not open")
        number, loop = len(self.lives) + 1, asyncio.get_running_loop()
        log = self.home / "lives" / f"{number:04}-{key}-{what}.log"
        life = self.lives[number] = Life(what, log, loop.create_future(), loop.create_future())
        order = {
            "id": number,
            "what": what,
            "words": words,
            "crash": crash,
            "log": str(log),
            "environ": {"OPENAI_API_KEY": key, **(environ or {})},
        }
        self._nursery.stdin.write(json.dumps(order).encode() + b"\n")
        return life

    async def open_nursery(self) -> None:
        """Start the process that forks."""
        self._nursery = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "benchmarks" / "kills_nursery.py"),
            env=self.environ,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        reader = self._nursery.stdout
        if reader is None or not await reader.readline():
            raise RuntimeError("the nursery did not open")
        self._listening = asyncio.create_task(self._listen(reader))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            told = json.loads(line)
            life = self.lives[told["id"]]
            if "pid" in told:
                life.born.set_result(told["pid"])
            else:
                life.seconds = time.monotonic() - life.began
                life.exit.set_result(told["exit"])

    async def close_nursery(self) -> None:
        """End all lives that are left, and the nursery."""
        if self._nursery is None or self._nursery.stdin is None:
            return
        for life in self.lives.values():
            if life.born.done() and not life.exit.done():
                await life.kill()
        self._nursery.stdin.close()
        await self._nursery.wait()
        await self._listening
        self._nursery = None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the Prefect API."""
        return call(self.api, method, path, body)

    async def patiently(self, function: Callable[..., Any], *words: Any, **named: Any) -> Any:
        """Call Prefect in a thread; again while its server is being killed and comes back."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await asyncio.to_thread(function, *words, **named)
            except (Unavailable, PrefectRefused):
                if time.monotonic() > deadline:
                    raise
            async with self.alone:  # held by whoever kills a server, until it is back
                await asyncio.sleep(0.3)

    async def read(self, look: Callable[[UnitOfWork], Awaitable[_Read]]) -> _Read:
        """Read from Postgres; again where it was restarted meanwhile."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                async with self.database.work() as work:
                    return await look(work)
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
            async with self.alone:
                await asyncio.sleep(0.3)

    async def restart_postgres(self) -> None:
        """Restart Postgres as after a power cut."""
        cluster = Cluster(self.home)

        def restart() -> None:
            cluster.stop("immediate")
            cluster.start({})

        await asyncio.to_thread(restart)

    async def kill_server(self) -> None:
        """Kill the Prefect server and start it again on its port."""
        running = PrefectServer(self.home).running()  # a run may have started another one since
        if running is not None:
            os.kill(running.pid, signal.SIGKILL)
        port = int(self.api.url.rsplit(":", 1)[1].split("/")[0])
        await asyncio.sleep(0.5)
        self.api = await asyncio.to_thread(PrefectServer(self.home).restart, self.prefect_url, port)


@contextlib.asynccontextmanager
async def site(home: Path, outer: Mapping[str, str]) -> AsyncIterator[Site]:
    """Start everything, with a model that knows all answers to BRIEF; stop it at the end.

    Args:
        home: an empty folder.
        outer: the environment to build the lives' one on.
    """
    (home / "lives").mkdir()
    answers = asyncio.create_task(asyncio.to_thread(answers_for, BRIEF))  # while the servers start
    opened = await open_database(None, home, migrate=True)
    prefect_url = opened.prefect_url or ""
    model = Model()
    try:
        async with FakeServer(respond=model.respond) as fake:
            server = PrefectServer(home)
            with contextlib.ExitStack() as stack:
                api = await asyncio.to_thread(stack.enter_context, server.use(prefect_url))
                environ = _environment(home, api, fake.url, outer)
                made = Site(home, opened.database, prefect_url, api, model, fake.url, environ)
                await made.open_nursery()
                try:
                    await asyncio.to_thread(ensure_deployments, api, environ, home)
                    for purpose, answer in (await answers).items():
                        model.answers[purpose] = json.dumps({"answer": answer, "confidence": 0.9})
                    yield made
                finally:
                    await made.close_nursery()
    finally:
        from storage.embedded import stop_embedded  # noqa: PLC0415

        await opened.database.close()
        await stop_embedded(home)


def _environment(home: Path, api: PrefectApi, model_url: str, outer: Mapping[str, str]) -> dict[str, str]:
    served = server_environment(home, "", api.auth)
    ours = {name: value for name, value in served.items() if name.startswith("PREFECT_")}
    roles = {f"{role.upper()}_AGENT_PROVIDER": "openai" for role in ROLES}
    roles |= {f"{role.upper()}_AGENT_MODEL": "gpt-test" for role in ROLES}
    prices = home / "prices.json"
    prices.write_text(json.dumps(PRICES), "utf-8")
    return (
        without_settings(outer)
        | ours
        | api.environment()
        | roles
        | {
            "BOTARMY_HOME": str(home),
            "BOTARMY_PRICES": str(prices),
            "BOTARMY_RECOVERY_WINDOW_S": str(WINDOW_S),
            "DO_NOT_TRACK": "1",
            "OPENAI_BASE_URL": f"{model_url}/v1",
            "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_CLIENT_MAX_RETRIES": "8",
        }
    )
