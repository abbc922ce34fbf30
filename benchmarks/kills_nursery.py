"""Lives of processes for benchmarks/kills.py: forks a child for each line it reads, with everything imported already.

A fork saves the three seconds that importing Prefect takes; what the child then runs is the real thing: the command
line, Prefect's engine on a flow run (as a worker starts it), or the upkeep flow. It dies by os._exit or SIGKILL as any
process does.

Reads lines {"id", "what": "cli" | "flow" | "upkeep", "words": [...], "environ": {...}, "crash": "...", "log": path};
writes {"id", "pid"} when the life begins and {"id", "exit"} when it has ended (minus the signal's number, if killed).
"""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import select
import sys
import time
from typing import Any

import openai  # noqa: F401 (imported before the forks)
import prefect.context
import prefect.engine

import flows.sdlc
import flows.upkeep
import storage.unit  # noqa: F401
from botarmy import crashpoints
from cli.failures import run_guarded
from cli.main import botarmy
from flows.warm import load
from tests.factories.warm_commands import LATER

# Loading what a process loads later on, each time, before the forks halves the work of a short life.
load("cli.run", "cli.show", *LATER)


def live(order: dict[str, Any]) -> int:
    """Be the child: run what is ordered; return the exit code."""
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.setsid()
    os.environ.update(order["environ"])
    prefect.context.refresh_global_settings_context()  # as a process of its own reads them when it begins
    crashpoints.arm(order["crash"])
    if order["what"] == "cli":
        return int(run_guarded(botarmy, order["words"]) or 0)
    if order["what"] == "upkeep":
        asyncio.run(flows.upkeep.keep_up())
        return 0
    sys.argv = ["prefect.engine", *order["words"]]
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
    return 0


def ended(order: dict[str, Any]) -> int:
    """Run the child's life; turn every way out of it into an exit code."""
    try:
        return live(order)
    except SystemExit as out:
        return out.code if isinstance(out.code, int) else int(bool(out.code))
    except BaseException:  # noqa: BLE001 (the child must never go on in the parent's loop)
        import traceback  # noqa: PLC0415

        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def tell(**what: Any) -> None:
    """Write one line to the harness."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Fork and reap until standard input ends."""
    lives: dict[int, int] = {}
    pending = b""
    tell(ready=True)
    reading = True
    while reading or lives:
        readable = select.select([0], [], [], 0.02)[0] if reading else time.sleep(0.02)
        if readable:
            data = os.read(0, 65536)
            reading = bool(data)
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    os._exit(ended(order))
                lives[pid] = order["id"]
                tell(id=order["id"], pid=pid)
        for pid in list(lives):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                tell(id=lives.pop(pid), exit=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
