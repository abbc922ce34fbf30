"""A process that has imported everything a flow needs and forks a child for each run: a run starts without imports.

    python -m flows.warm SOCKET

Started and kept by `botarmy up`, used through flows.launch. Each run still is a process of its own, with its own
environment, folder and output; it dies with its launcher (a worker kills that) and with this process. There is one thread
here and nothing is open but the socket, so that a fork is safe. Linux only; elsewhere runs start without it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from storage.definitions import read_ahead

MODULES = (
    "prefect.flow_engine",
    "prefect._internal.metrics",
    "prefect.deployments.steps.core",
    "prefect.deployments.steps.pull",
    "flows.sdlc",
    "flows.upkeep",
    "prefect.task_engine",
    "prefect.utilities.visualization",
    "providers.offline",
    "storage.embedded",
    "storage.engine",
    "storage.migrate",
    "anyio._backends._asyncio",
    "encodings.idna",
    "encodings.unicode_escape",
)
"""What a run imports, itself or through these."""

ORDER_S = 5.0
"""How long a launcher may take to say what it wants."""

_PR_SET_PDEATHSIG = 1


@dataclass
class _Life:
    pid: int
    connection: socket.socket


class Nursery:
    """Forks on demand, passes signals on, and tells each launcher how its child ended."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, None)
        self._ending = False

    def serve(self) -> dict[str, Any] | None:
        """Serve until a signal asks to end; return None then, and in each child, at once, what it is to run."""
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._end)
        while not self._ending:
            for key, _ in self._selector.select(timeout=0.5):
                if key.fileobj is self._listener:
                    if (order := self._accept()) is not None:
                        return order
                elif key.fd == key.fileobj:
                    self._ended(key.fd, key.data)
                else:
                    self._pass_on(key.data)
        return None

    def _end(self, *_: object) -> None:
        self._ending = True

    def _accept(self) -> dict[str, Any] | None:
        connection, _ = self._listener.accept()
        connection.settimeout(ORDER_S)
        try:
            order, files = _read_order(connection)
        except (OSError, ValueError):
            connection.close()
            return None
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            connection.close()
            self._be_born(parent, files)
            return order
        for file in files:
            os.close(file)
        connection.settimeout(None)
        life = _Life(pid, connection)
        self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, life)
        self._selector.register(connection, selectors.EVENT_READ, life)
        return None

    def _be_born(self, parent: int, files: list[int]) -> None:
        """Let go of everything that is the parent's."""
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        os.setsid()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, signal.SIG_DFL if sign is signal.SIGTERM else signal.default_int_handler)
        for key in list(self._selector.get_map().values()):  # unregistering would take them from the parent
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
            else:
                os.close(key.fd)
        self._selector.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)

    def _pass_on(self, life: _Life) -> None:
        """Send the launcher's signals to its child; a launcher that is gone takes its child with it."""
        try:
            signs = life.connection.recv(16)
        except OSError:
            signs = b""
        for sign in signs or bytes([signal.SIGKILL]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(life.pid, sign)  # not reaped yet, so the number is still the child's
        if not signs:
            self._selector.unregister(life.connection)

    def _ended(self, descriptor: int, life: _Life) -> None:
        _, status = os.waitpid(life.pid, 0)
        self._selector.unregister(descriptor)
        os.close(descriptor)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(life.connection)
        with contextlib.suppress(OSError):
            life.connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
        life.connection.close()


def _read_order(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    head, files, _, _ = socket.recv_fds(connection, 4, 3)
    if len(head) != 4 or len(files) != 3:  # noqa: PLR2004 (a length, and stdin, stdout, stderr)
        raise ValueError("no order")
    size, data = int.from_bytes(head, "big"), b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ValueError("half an order")
        data += more
    order: dict[str, Any] = json.loads(data)
    return order, files


def settings_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return Prefect's settings in an environment: what was read when Prefect was imported."""
    return {name: value for name, value in environ.items() if name.startswith("PREFECT_") and name[8] != "_"}


def load(*more: str) -> None:
    """Import what a run needs, and more modules if wanted, and do all else that can be done before a fork."""
    for name in (*MODULES, *more):
        importlib.import_module(name)
    _complete_models(BaseModel)
    read_ahead()
    gc.collect()
    gc.freeze()  # the children share these pages as long as nobody touches them


def _complete_models(base: type[BaseModel]) -> None:
    """Build the validators that pydantic puts off until they are used: in each run otherwise."""
    for model in base.__subclasses__():
        _complete_models(model)
        if not model.__pydantic_complete__:
            with contextlib.suppress(Exception):  # a generic one, or one with names of a module that nobody imports
                model.model_rebuild(raise_errors=False)


def _current_settings() -> dict[str, str]:
    """Return Prefect's settings as a worker passes them on: read from the environment and the active profile."""
    from prefect.settings import get_current_settings  # noqa: PLC0415 (imported by then)

    return get_current_settings().to_environment_variables(exclude_unset=True)


def run(order: dict[str, Any], before: dict[str, str]) -> None:
    """Be the engine, in a child.

    Args:
        order: environment, folder and arguments of the launcher.
        before: Prefect's settings when it was imported here; where they differ, only a new interpreter will do.
    """
    take_place(order)
    sys.argv = ["prefect.engine", *order["words"]]
    now = settings_of(order["environ"])
    if now != before:
        other = sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
        print(f"{', '.join(other)} differ: this run starts a new interpreter", file=sys.stderr, flush=True)
        os.execv(sys.executable, [sys.executable, "-m", *sys.argv])  # noqa: S606 (our own interpreter)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*found in sys.modules.*")
        runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


def take_place(order: dict[str, Any]) -> None:
    """Take folder and environment of the launcher, in a child."""
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environ"])


def serve(path: str) -> dict[str, Any] | None:
    """Fork for whoever asks at the path, when all is imported; return as Nursery.serve does."""
    if threading.active_count() > 1:
        sys.exit("something that was imported has started a thread: a fork would not be safe")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(64)
    return Nursery(listener).serve()


def main(path: str) -> None:
    """Import, listen at the path, serve."""
    load()
    before = settings_of(os.environ | _current_settings())
    order = serve(path)
    if order is not None:
        run(order, before)


if __name__ == "__main__":
    main(sys.argv[1])
