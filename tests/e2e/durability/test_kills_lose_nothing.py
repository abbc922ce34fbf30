"""Forty seeded kills of runs, workers, a person's commands, upkeep, Prefect and Postgres: nothing is lost or paid twice."""

from __future__ import annotations

import pytest

from tests.e2e.durability.conftest import Scene

import kills  # isort: skip (benchmarks/kills.py; the conftest has put its folder on the path)

pytestmark = pytest.mark.asyncio(loop_scope="session")
COUNT, SEED = 40, 7


async def test_forty_kills(scene: Scene) -> None:
    rows = await kills.kill(scene.site, COUNT, SEED)
    wrong = {row["project"]: row["losses"] for row in rows if row["losses"]}
    assert not wrong, f"seed {SEED}: {wrong}"
    struck = sum(row["kills"] for row in rows)
    assert struck >= COUNT, [row["missed"] for row in rows]
    assert sum(row["repeated_calls"] for row in rows) <= struck
