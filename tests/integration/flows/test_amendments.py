"""An amendment takes as long as its checks; what happens meanwhile is neither overruled nor mixed with it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from botarmy.agents.work import PhaseResult
from botarmy.errors import Duplicate, InputError, InvalidOutput, Stale
from botarmy.records import GateRequest, Measure, Status
from botarmy.settings import Settings
from storage.database import Database
from storage.definitions import default_directory, load_core
from tasks import amend as module
from tasks.amend import amend
from tasks.runtime import Runtime
from tests.factories import content, provenance, verdict

OUTPUTS = ("project_plan", "user_requirements", "success_criteria")
AMENDED = content("project_plan") | {"purpose": "Keep order."}

PASSED = tuple(
    Measure(name=name, value=1.0) for name in load_core(default_directory()).workflow("sdlc").phases[0].gate.measures
)
Meanwhile = Callable[[], Awaitable[None]]


@pytest.fixture
async def gate(database: Database) -> GateRequest:
    async with database.work() as work:
        project = await work.projects.create("Shelf", "shelf", "Keep books.", "sdlc")
        attempt = await work.attempts.open(project.id, "Discovery", "analyst")
        for kind in OUTPUTS:
            await work.artifacts.save(project.id, kind, content(kind), "", provenance())
        hashes = await work.artifacts.hashes(project.id)
        return await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict(), hashes)


@pytest.fixture
def amending(database: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[GateRequest]]:
    """Return `amend` of the plan, with checks during which something else happens."""
    runtime = SimpleNamespace(
        database=database, hold=None, settings=Settings(_env_file=None), core=load_core(default_directory()), check=None
    )
    runtime.commit = partial(Runtime.commit, cast(Runtime, runtime))

    async def run(
        gate: GateRequest,
        meanwhile: Meanwhile | None = None,
        plan: dict[str, Any] = AMENDED,
        measures: tuple[Measure, ...] | None = None,
    ) -> GateRequest:
        async def checked(work: Any, ask: Any, check: Any) -> PhaseResult:
            if meanwhile:
                await meanwhile()
            made = {kind: content(kind) for kind in OUTPUTS} | {"project_plan": plan}
            named = measures if measures is not None else PASSED
            return PhaseResult(artifacts=made, measures=named, summary="Checked again.")

        monkeypatch.setattr(module, "agent_of", lambda phase, template: checked)
        return await amend(cast(Runtime, runtime), gate, "project_plan", json.dumps(plan), by="mallory")

    return run


async def plan_of(database: Database, project_id: UUID) -> tuple[int, str]:
    async with database.read() as view:
        head = (await view.artifacts.heads(project_id))["project_plan"]
    return head.version, head.content["purpose"]


async def test_the_gate_is_void_and_the_new_version_counts(
    database: Database, gate: GateRequest, amending: Any
) -> None:
    assert (await amending(gate)).status is Status.cancelled
    assert await plan_of(database, gate.project_id) == (2, "Keep order.")


async def test_who_approves_while_it_is_checked_has_approved_what_counts(
    database: Database, gate: GateRequest, amending: Any
) -> None:
    async def approve() -> None:
        async with database.work() as work:
            await work.gates.decide(gate.id, "approve", "bob", hashes=gate.hashes)

    with pytest.raises(Duplicate, match="approved by bob"):
        await amending(gate, approve)
    assert await plan_of(database, gate.project_id) == (1, content("project_plan")["purpose"])
    async with database.read() as view:
        assert (await view.artifacts.hashes(gate.project_id)) == gate.hashes


async def test_of_two_at_once_the_second_is_told(database: Database, gate: GateRequest, amending: Any) -> None:
    async def another() -> None:
        async with database.work() as work:
            await work.artifacts.save(
                gate.project_id, "success_criteria", content("success_criteria") | {"extra": 1}, "", provenance()
            )

    with pytest.raises(Stale, match="success_criteria changed while the amendment was checked"):
        await amending(gate, another)
    assert (await plan_of(database, gate.project_id))[0] == 1


async def test_what_cannot_be_checked_is_asked_again_and_does_not_fail_the_run(
    database: Database, gate: GateRequest, amending: Any
) -> None:
    async def fail() -> None:
        raise InvalidOutput("The answer does not fit its schema.")

    with pytest.raises(InputError, match="The amended project_plan cannot be checked: The answer does not fit"):
        await amending(gate, fail)
    assert (await plan_of(database, gate.project_id))[0] == 1


async def test_what_the_gate_would_reject_is_not_stored(database: Database, gate: GateRequest, amending: Any) -> None:
    low = tuple(each.model_copy(update={"value": 0.0, "reasons": ("S1 is lost",)}) for each in PASSED)
    with pytest.raises(InputError, match=r"the gate of Discovery is not met: .*S1 is lost"):
        await amending(gate, measures=low)
    assert (await plan_of(database, gate.project_id))[0] == 1
    async with database.read() as view:
        assert (await view.gates.get(str(gate.id))).status is Status.waiting


async def test_what_changes_nothing_voids_nothing(database: Database, gate: GateRequest, amending: Any) -> None:
    with pytest.raises(InputError, match="nothing to store"):
        await amending(gate, plan=content("project_plan"))
    async with database.read() as view:
        assert (await view.gates.get(str(gate.id))).status is Status.waiting
