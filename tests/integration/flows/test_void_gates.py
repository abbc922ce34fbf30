"""A gate that became void while a door held it goes back to the flow; an answer that nobody can use leaves it open."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from botarmy.errors import InputError, TooLarge
from botarmy.records import Decision, GateRequest, Status, Verdict
from flows import people
from flows.form import GateForm
from flows.people import Door, NobodyHere, Terminal, person_at_terminal, taken_up
from storage.database import Database
from tasks.decide import Answer
from tasks.runtime import Runtime


async def _open_gate(database: Database) -> GateRequest:
    verdict = Verdict(decision=Decision.needs_approval, reasons=("a person decides",))
    async with database.work() as work:
        project = await work.projects.create("Books", "books", "A book has a title.", "sdlc-workflow", {})
        attempt = await work.attempts.open(project.id, "Discovery", "analyst")
        return await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, {})


async def _nobody_is_asked(_gate: GateRequest, _why: str) -> Answer | None:
    raise AssertionError("a void gate asks nobody")


@pytest.mark.parametrize("door", [NobodyHere(), Terminal()], ids=["auto", "ask"])
async def test_a_void_gate_goes_back_to_the_flow(database: Database, door: Door) -> None:
    gate = await _open_gate(database)
    async with database.work() as work:
        await work.gates.cancel(gate.id, "amended", by="Bea")
    runtime = cast("Runtime", cast("Any", SimpleNamespace(database=database)))
    token = person_at_terminal.set(_nobody_is_asked)
    try:
        answered = await door.ask(runtime, gate)
    finally:
        person_at_terminal.reset(token)
    assert answered is not None
    assert (answered.id, answered.status, answered.decision) == (gate.id, Status.cancelled, None)


@pytest.mark.parametrize("error", [TooLarge("The project_plan has too many bytes."), InputError("It is no JSON.")])
async def test_an_answer_that_a_dead_run_was_given_and_nobody_can_use_leaves_the_gate_open(
    database: Database, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def left(_gate: GateRequest) -> GateForm:
        return GateForm(decision="approve", reviewer="Ann", amended_artifact="project_plan", amended_content="{")

    async def refuse(*_: object) -> GateRequest:
        raise error

    monkeypatch.setattr(people, "_left_answer", left)  # what Prefect keeps
    monkeypatch.setattr(people, "decide", refuse)
    gate = await _open_gate(database)
    async with database.work() as work:
        await work.gates.shown(gate.id, "a dead run")
        gate = await work.gates.get(str(gate.id))
    found = await taken_up(cast("Runtime", cast("Any", SimpleNamespace(database=database))), gate)
    assert (found.id, found.status, found.decision) == (gate.id, Status.waiting, None)
