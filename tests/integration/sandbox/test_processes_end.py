"""What a command starts ends: with it, with its time, with whoever asked for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.runner import Limits
from sandbox.supervision import Lifeline
from tests.factories.processes import running
from tests.factories.sandboxed import Run

ROOT = Path(__file__).resolve().parents[3]


async def test_ignored_signals_and_grandchildren_do_not_help(run: Run) -> None:
    marker = f"stay-{os.getpid()}-{time.monotonic_ns()}"
    source = f"""
import os, signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
    signal.signal(number, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import os, time\\nos.setsid()\\nif os.fork() == 0:\\n    time.sleep(300)", "{marker}"])
time.sleep(300)"""
    execution = await run(source, limits=Limits(wall_s=1))
    assert execution.timed_out
    assert execution.duration_s < 3
    assert running(marker) == []


async def test_what_a_command_leaves_running_ends_with_it(run: Run) -> None:
    marker = f"left-{os.getpid()}-{time.monotonic_ns()}"
    source = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", "{marker}"], start_new_session=True)"""
    execution = await run(source)
    assert execution.exit_code == 0
    assert execution.duration_s < 3
    assert running(marker) == []


async def test_processor_time_is_limited(run: Run) -> None:
    execution = await run("while True: pass", limits=Limits(cpu_s=1, wall_s=20))
    assert not execution.timed_out
    assert execution.exit_code in {128 + signal.SIGKILL, 128 + signal.SIGXCPU}


async def test_cancelling_ends_the_run(run: Run) -> None:
    marker = f"cancel-{os.getpid()}-{time.monotonic_ns()}"
    source = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", "import time; time.sleep(300)", "{marker}"])"""
    task = asyncio.create_task(run(source))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if running(marker):
            break
    assert running(marker)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.2)
    assert running(marker) == []


SANDBOXES = {"walls": "Sandbox()", "no walls": "Sandbox(unsafe=True, programs=[])"}


@contextlib.contextmanager
def parent_of(tree: Path, marker: str, sandbox: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that runs a command of 300 s in a sandbox, wait until it is about to, and kill it at the end."""
    (tree / "main.py").write_text("import time\ntime.sleep(300)")
    script = f"""
import asyncio, pathlib
from sandbox.runner import Sandbox
sandbox = {sandbox}
sandbox.require()
print(flush=True)
asyncio.run(sandbox.run(pathlib.Path({str(tree)!r}), ["python", "main.py", {marker!r}]))"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        parent.stdout.readline()
        yield parent
        parent.kill()


def all_gone(marker: str) -> bool:
    """Return whether all processes with this argument are gone, or are within five seconds."""
    deadline = time.monotonic() + 5
    while running(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not running(marker)


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_a_killed_parent_takes_its_command_along(tmp_path: Path, sandbox: str) -> None:
    marker = f"orphan-{os.getpid()}-{time.monotonic_ns()}"
    with parent_of(tmp_path, marker, SANDBOXES[sandbox]):
        deadline = time.monotonic() + 20
        while not running(marker):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert all_gone(marker)


@pytest.mark.parametrize("after_ms", range(0, 10, 2))
def test_a_parent_killed_while_the_walls_are_built_takes_them_along(tmp_path: Path, after_ms: int) -> None:
    marker = f"early-{os.getpid()}-{time.monotonic_ns()}"
    with parent_of(tmp_path, marker, SANDBOXES["walls"]):
        time.sleep(after_ms / 1000)
    time.sleep(0.1)  # for a child that was not yet bubblewrap to become it
    assert all_gone(marker)


def test_a_command_is_not_begun_for_one_who_is_gone(tmp_path: Path) -> None:
    """Where the test above has to hit a moment, this one holds its result: a lifeline that has ended before."""
    with Lifeline() as lifeline:
        reader = os.dup(lifeline.reader)
        alive = limited(tmp_path, reader)
    orphaned = limited(tmp_path, reader)
    os.close(reader)
    assert (alive.stdout, alive.returncode) == ("begun\n", 1)
    assert "Bad file descriptor" in alive.stderr, "the command itself does not get the lifeline"
    assert (orphaned.stdout, orphaned.returncode) == ("", 128 + signal.SIGKILL)


def limited(folder: Path, lifeline: int) -> subprocess.CompletedProcess[str]:
    """Run what stands between the walls and a command, with one that says it has begun and looks for the lifeline."""
    plan = {"limits": {}, "folders": [], "copy": None, "chdir": str(folder), "tie": False, "lifeline": lifeline}
    command = [sys.executable, "-c", f"import os\nprint('begun')\nos.fstat({lifeline})"]
    words = [sys.executable, "-I", "-S", ROOT / "sandbox/launch/limit.py", json.dumps(plan), *command]
    return subprocess.run(words, pass_fds=[lifeline], capture_output=True, text=True, check=False)
