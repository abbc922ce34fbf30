"""What a worker starts for a run: a child of the warm process (flows.warm), or Prefect's engine where there is none.

This process stands for the child: it passes signals on, and ends as the child ends. It imports next to nothing.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

ADDRESS = "BOTARMY_WARM"
"""Environment variable: path of the warm process's socket; set by `botarmy up` for its workers."""

CONNECT_S = 2.0


def main() -> int:
    """Run the flow run that the environment names; return its exit code."""
    connection = _connect(os.environ.get(ADDRESS, ""))
    if connection is None:
        _become_the_engine()
    folder = os.getcwd()  # noqa: PTH109 (pathlib takes as long to import as everything else here)
    send_order(connection, sys.argv[1:], dict(os.environ), folder, (0, 1, 2))
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda number, _frame: connection.send(bytes([number])))
    code = exit_code(connection)
    return 128 + signal.SIGKILL if code is None else _end_as(code)


def send_order(
    connection: socket.socket, words: Sequence[str], environ: dict[str, str], folder: str, files: Sequence[int]
) -> None:
    """Tell a warm process what to run.

    Args:
        connection: to it.
        words: the child's arguments.
        environ: its environment.
        folder: where it works.
        files: its input, output and error output.
    """
    order = json.dumps({"environ": environ, "cwd": folder, "words": list(words)}).encode()
    socket.send_fds(connection, [len(order).to_bytes(4, "big")], files)
    connection.sendall(order)


def exit_code(connection: socket.socket) -> int | None:
    """Wait for the child's end; None when the warm process is gone, and its children with it."""
    answer = connection.recv(4, socket.MSG_WAITALL)
    return int.from_bytes(answer, "big", signed=True) if answer else None


def _connect(path: str) -> socket.socket | None:
    if not path:
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(CONNECT_S)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return None
    connection.settimeout(None)
    return connection


def _become_the_engine() -> NoReturn:
    os.execv(sys.executable, [sys.executable, "-m", "prefect.engine", *sys.argv[1:]])  # noqa: S606 (our own interpreter)


def _end_as(code: int) -> int:
    """Return the child's exit code; end by the same signal where one ended it."""
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main())
