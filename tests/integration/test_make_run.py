"""`make run` says that a waiting project is no failure, and keeps the command's exit code as an error."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An installed environment, as far as make can tell."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").touch()
    (tmp_path / ".installed").touch()
    return tmp_path


@pytest.mark.parametrize(("code", "said"), [(0, False), (1, False), (3, True), (4, False)])
def test_waiting_is_told_from_failing(venv: Path, code: int, said: bool) -> None:
    command = venv / "bin" / "botarmy"
    command.write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
    command.chmod(0o755)
    words = ["make", "--no-print-directory", "run", f"VENV={venv}", "BRIEF=b.md", "OUT=my out"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.stdout == "run b.md --gates auto --out my out\n"
    assert (done.returncode != 0) == (code != 0)
    assert ("exit 3 means that the project waits for your decision" in done.stderr) == said
    assert f"{venv}/bin/botarmy" in done.stderr or not said
