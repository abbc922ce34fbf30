"""A run started by the warm process is a process like any other: its output, its end, its signals, its death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.launch import ADDRESS
from flows.server import process_started
from tests.factories.product import ROOT, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runs are forked on Linux only")

NURSERY = """
import os, socket, sys
from flows.warm import Nursery
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(sys.argv[1])
listener.listen(64)
order = Nursery(listener).serve()
if order is not None:
    os.environ.update(order["environ"])
    exec(order["words"][0])
"""
SLEEP = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


@pytest.fixture
def address() -> Iterator[str]:
    """The socket of a process that forks; what it runs is Python code instead of Prefect's engine."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/warm"
        nursery = subprocess.Popen([sys.executable, "-c", NURSERY, path], cwd=ROOT)
        wait_for(lambda: Path(path).exists(), "the socket", 60)
        yield path
        nursery.terminate()
        nursery.wait(30)


@contextmanager
def launched(address: str, code: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.launch", code],
        env=os.environ | {ADDRESS: address} | environ,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def child_of(process: subprocess.Popen[str]) -> int:
    """Return the number that the child printed."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def test_it_has_the_launchers_environment_and_output_and_ends_as_it_ends(address: str) -> None:
    code = "import os, sys; print(os.environ['WORD'], os.getsid(0) == os.getpid()); sys.exit(7)"
    with launched(address, code, WORD="kept") as process:
        assert process.communicate(timeout=60)[0] == "kept True\n"
        assert process.returncode == 7
    with launched(address, "import os, signal; os.kill(os.getpid(), signal.SIGUSR1)") as process:
        assert process.wait(60) == -signal.SIGUSR1
    with launched(address, "1 / 0") as process:
        assert "ZeroDivisionError" in process.communicate(timeout=60)[0]
        assert process.returncode == 1


def test_many_run_at_once(address: str) -> None:
    with launched(address, SLEEP) as first, launched(address, SLEEP) as second:
        assert child_of(first) != child_of(second)
        with launched(address, "print('third')") as third:
            assert third.communicate(timeout=60)[0] == "third\n"
        assert (first.poll(), second.poll()) == (None, None)


def test_signals_reach_it(address: str) -> None:
    code = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); " + SLEEP
    with launched(address, code) as process:
        child_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 3
    with launched(address, SLEEP) as process:
        child_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == -signal.SIGTERM


def test_it_dies_with_its_launcher_and_with_the_warm_process(address: str) -> None:
    with launched(address, SLEEP) as process:
        child = child_of(process)
        process.kill()
        wait_for(lambda: process_started(child) is None, "the child to be gone", 60)
    with launched(address, "import os; print(os.getppid(), flush=True); " + SLEEP) as process:
        nursery, child = child_of(process), child_of(process)
        os.kill(nursery, signal.SIGKILL)
        wait_for(lambda: process_started(child) is None, "the child to be gone", 60)
        assert process.wait(60) == 128 + signal.SIGKILL


def test_without_a_warm_process_it_is_the_engine(tmp_path: Path) -> None:
    with launched(str(tmp_path / "none"), "no flow run") as process:
        assert "Invalid flow run id" in process.communicate(timeout=120)[0]
        assert process.returncode == 1
