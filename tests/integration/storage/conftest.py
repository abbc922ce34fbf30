"""Shorthands for tests of the stores."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from botarmy.records import Decision, LLMCall, Project, Provenance, Verdict
from storage.database import Database
from storage.embedded import stop_embedded

VERDICT = Verdict(decision=Decision.needs_approval, reasons=("a person decides",))


@pytest.fixture
def home() -> Iterator[Path]:
    """A BOTARMY_HOME for a server of this test's own; what runs there is stopped at the end.

    Not in pytest's own folder: every session of pytest shuts that for others anew, also for the account of a server
    that root runs.
    """
    folder = Path(tempfile.mkdtemp(prefix="bahome-"))
    yield folder / "home"
    asyncio.run(stop_embedded(folder / "home"))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def project(database: Database) -> Project:
    async with database.work() as work:
        return await work.projects.create("Library", "library", "Lend books.", "sdlc")


@pytest.fixture
def verdict() -> Verdict:
    return VERDICT


@pytest.fixture
def make_call() -> Any:
    """Return a maker of ledger rows: make_call(project_id, cost="0.01", …)."""

    def make(project_id: UUID, *, cost: str | None = None, **values: Any) -> LLMCall:
        filled = {
            "id": uuid4(),
            "project_id": project_id,
            "phase": "Discovery",
            "attempt": 1,
            "ordinal": 1,
            "key": uuid4().hex,
            "role": "analyst",
            "purpose": "project_plan",
            "provider": "openai",
            "model": "some-model",
            "outcome": "completed",
            "cost_usd": Decimal(cost) if cost is not None else None,
            "created_at": datetime.now(UTC),
        }
        return LLMCall(**(filled | values))

    return make


@pytest.fixture
def made_by() -> Any:
    """Return a maker of provenances: made_by(phase="Plan", attempt=2, inputs=(…))."""

    def make(**values: Any) -> Provenance:
        filled = {
            "phase": "Discovery",
            "attempt": 1,
            "agent": "analyst",
            "provider": "offline",
            "model": "scaffold-1",
            "template": "prd-template",
            "template_sha256": "0" * 64,
        }
        return Provenance(**(filled | values))

    return make
