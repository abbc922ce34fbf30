"""Set this process's limits for good, then run the command: `limit.py JSON COMMAND...`.

Runs inside the sandbox: only there does the limit on processes count the sandbox alone.
"""

import json
import os
import resource
import select
import shutil
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
NAMES = {
    "cpu": resource.RLIMIT_CPU,
    "data": resource.RLIMIT_DATA,
    "space": resource.RLIMIT_AS,
    "file": resource.RLIMIT_FSIZE,
    "files": resource.RLIMIT_NOFILE,
    "processes": getattr(resource, "RLIMIT_NPROC", -1),
    "core": resource.RLIMIT_CORE,
}


def cap(name: str, value: int) -> None:
    """Lower one limit, never above what is already allowed; a system that lacks it keeps its own."""
    known = NAMES[name]
    if known < 0:
        return
    _, hard = resource.getrlimit(known)
    least = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(known, (least, least))
    except (ValueError, OSError):
        if sys.platform == "linux":
            raise


def tie() -> None:
    """Let the kernel end this process with its parent; behind walls, bubblewrap has done so."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 (10 ms that only a run without walls needs)

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def leave_if_orphaned(lifeline: int) -> None:
    """End here if whoever asked for the command is gone: it died too early for the kernel to tell us."""
    poll = select.poll()
    poll.register(lifeline, 0)  # its end is told unasked
    if poll.poll(0):
        raise SystemExit(128 + signal.SIGKILL)
    os.close(lifeline)


def main(arguments: list[str]) -> None:
    """Prepare, limit and replace this process."""
    plan = json.loads(arguments[0])
    if plan["tie"]:
        tie()
    for folder in plan["folders"]:
        Path(folder).mkdir(parents=True, exist_ok=True)
    if plan["copy"]:
        source, target = plan["copy"]
        shutil.copytree(source, target, dirs_exist_ok=True)
    os.chdir(plan["chdir"])
    environment = plan.get("environment") or dict(os.environ)
    os.environ["PATH"] = environment["PATH"]
    leave_if_orphaned(plan["lifeline"])
    for name, value in plan["limits"].items():
        cap(name, value)
    try:
        os.execvpe(arguments[1], arguments[1:], environment)  # noqa: S606 (no shell is wanted)
    except OSError as error:
        sys.stderr.write(f"{arguments[1]}: {error.strerror}\n")
        raise SystemExit(127) from None


if __name__ == "__main__":
    main(sys.argv[1:])
