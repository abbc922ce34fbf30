"""Every line of a folder of recordings through the adapters: text, tool calls, usage, stop word, errors, request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OWN = Path(__file__).parent / "recordings"
GIVEN = Path(os.environ.get("BOTARMY_RECORDINGS") or ROOT.parent / "shared" / "data" / "recordings")


def conformance(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / "conformance.py"), str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)


def test_own_recordings_are_read_alike(tmp_path: Path) -> None:
    dump = tmp_path / "dump.jsonl"
    done = conformance(OWN, "--dump", str(dump))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = sum(len(file.read_text().splitlines()) for file in OWN.glob("*.jsonl"))
    assert f"all: {lines} of {lines} equal" in done.stdout
    assert len(dump.read_text().splitlines()) == lines


def test_a_difference_is_found(tmp_path: Path) -> None:
    """The yardstick reads only the status here; the adapter goes by the vendor's word. That they differ must show."""
    line = json.loads((OWN / "openai.jsonl").read_text().splitlines()[0])
    line |= {"status": 418, "response_body": {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}}
    (tmp_path / "one.jsonl").write_text(json.dumps(line))
    done = conformance(tmp_path)
    assert done.returncode == 1
    assert "FAILED one.jsonl:1 error: recorded 'unknown-failure', returned 'rate-limited'" in done.stdout


def test_an_empty_folder_is_no_success(tmp_path: Path) -> None:
    assert conformance(tmp_path).returncode == 2


@pytest.mark.skipif(not list(GIVEN.glob("*.jsonl")), reason=f"no recordings in {GIVEN} (set BOTARMY_RECORDINGS)")
def test_given_recordings_are_read_alike() -> None:
    done = conformance(GIVEN)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
