"""Forty seeded kills of runs, workers, a person's commands, upkeep, Prefect and Postgres: nothing is lost or paid twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_forty_kills() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "kills.py"), "40", "--seed", "7", "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=3000,
        check=False,
    )
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout)
    wrong = {row["project"]: row["losses"] for row in told["projects"] if row["losses"]}
    assert not wrong, f"seed {told['seed']}: {wrong}"
    assert told["kills"] >= 40, [row["missed"] for row in told["projects"]]
    assert told["repeated_calls"] <= told["kills"]
    assert done.returncode == 0
