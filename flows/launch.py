"""What a worker starts for a run: a child of the warm process (flows.warm), or Prefect's engine where there is none.

This process stands for the child: it passes signals on, and ends as the child ends. It imports next to nothing.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
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
    order = json.dumps({"environ": dict(os.environ), "cwd": folder, "words": sys.argv[1:]}).encode()
    socket.send_fds(connection, [len(order).to_bytes(4, "big")], [0, 1, 2])
    connection.sendall(order)
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda number, _frame: connection.send(bytes([number])))
    answer = connection.recv(4, socket.MSG_WAITALL)
    if not answer:  # the warm process is gone, and its children with it
        return 128 + signal.SIGKILL
    return _end_as(int.from_bytes(answer, "big", signed=True))


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
