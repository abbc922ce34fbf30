"""Where isolation cannot be had: refused, or run with untrusted evidence."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

from botarmy.checks import CheckName, CheckRequest
from botarmy.errors import IsolationMissing
from sandbox.checks import SandboxChecks
from sandbox.runner import Limits, Sandbox


@pytest.fixture
def useless(tmp_path: Path) -> Path:
    """Return a program that looks like bubblewrap but cannot build walls."""
    program = tmp_path / "bwrap"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "bubblewrap 0.1.0" && exit 0\necho "no permission" >&2\nexit 1\n'
    )
    program.chmod(0o755)
    return program


async def test_refused_with_the_reason(useless: Path, tmp_path: Path) -> None:
    for sandbox, why in (
        (Sandbox(programs=[]), "there is no bwrap program"),
        (Sandbox(programs=[useless]), "no permission"),
    ):
        assert sandbox.isolation() == "none"
        with pytest.raises(IsolationMissing, match=why) as caught:
            await sandbox.run(tmp_path, ["python", "-c", "open('/tmp/ran', 'w')"])
        assert "--unsafe-no-sandbox" in caught.value.hint


async def test_checks_are_refused_as_a_whole(make_product: Any) -> None:
    with pytest.raises(IsolationMissing):
        await SandboxChecks(Sandbox(programs=[]))(make_product(), (CheckRequest(name=CheckName.compile),))


async def test_the_first_program_that_works_is_taken(useless: Path, sandbox: Sandbox) -> None:
    assert Sandbox(programs=[useless, *sandbox.programs]).isolation() == sandbox.isolation()


async def test_unsafe_still_builds_walls_where_it_can(tmp_path: Path) -> None:
    execution = await Sandbox(unsafe=True).run(tmp_path, ["python", "-c", "import os; print(os.getcwd())"])
    assert execution.isolated
    assert execution.stdout == "/work/app\n"


@pytest.mark.parametrize("name", [name.value for name in CheckName])
async def test_unsafe_evidence_is_untrusted(make_product: Any, contexts: Any, name: str) -> None:
    checks = SandboxChecks(Sandbox(unsafe=True, programs=[]))
    (evidence,) = await checks(make_product(), (CheckRequest(name=CheckName(name), context=contexts.get(name, {})),))
    assert evidence.outcome == "passed", evidence.reasons
    assert evidence.trusted is False
    assert evidence.tool_version.endswith(", none")


async def test_limits_that_need_no_walls_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    sandbox = Sandbox(unsafe=True, programs=[])
    endless = await sandbox.run(
        tmp_path, ["python", "-c", "while True: print('x' * 999)"], limits=Limits(output_bytes=9000)
    )
    assert endless.truncated
    slow = await sandbox.run(tmp_path, ["python", "-c", "import time; time.sleep(60)"], limits=Limits(wall_s=1))
    assert slow.timed_out
    big = await sandbox.run(tmp_path, ["python", "-c", "x = bytearray(400 << 20)"], limits=Limits(memory_mb=100))
    assert "MemoryError" in big.stderr
    bare = await sandbox.run(tmp_path, ["python", "-c", "import os; print(sorted(os.environ))"])
    assert "KEY" not in bare.stdout
    assert "HOME" not in bare.stdout


async def test_what_escapes_the_group_is_ended_too(tmp_path: Path) -> None:
    marker = f"escaped-{os.getpid()}-{time.monotonic_ns()}"
    (tmp_path / "main.py").write_text(
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)', '{marker}'], start_new_session=True)\n"
    )
    execution = await Sandbox(unsafe=True, programs=[]).run(tmp_path, ["python", "main.py"], limits=Limits(wall_s=20))
    assert execution.exit_code == 0
    assert execution.duration_s < 10
    await asyncio.sleep(0.1)
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if marker.encode() in _read(path)]  # noqa: ASYNC240
    assert left == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
