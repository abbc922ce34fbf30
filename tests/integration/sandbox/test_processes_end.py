"""What a command starts ends: with it, with its time, with whoever asked for it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.runner import Limits
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


def test_a_killed_parent_takes_its_sandbox_along(tmp_path: Path) -> None:
    marker = f"orphan-{os.getpid()}-{time.monotonic_ns()}"
    (tmp_path / "main.py").write_text("import time\ntime.sleep(300)")
    script = f"""
import asyncio, pathlib
from sandbox.runner import Sandbox
asyncio.run(Sandbox().run(pathlib.Path({str(tmp_path)!r}), ["python", "main.py", {marker!r}]))"""
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    try:
        deadline = time.monotonic() + 20
        while not running(marker):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 5
    while running(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running(marker) == []
