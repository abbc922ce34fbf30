"""A run that lost its project while the model was answering: what it paid is in the ledger, and it writes nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from botarmy import errors
from botarmy.completion import Completion, CompletionRequest
from botarmy.records import LLMCall
from providers.fake import ScriptedProvider
from storage.database import Database
from tests.integration.calls.test_ask_in_postgres import REQUEST, ask_of, new_project


class TakenOver(ScriptedProvider):
    """A model that answers after another run has taken the project over, and has perhaps asked the same."""

    def __init__(self, script: list[Any], database: Database, project: UUID, other: ScriptedProvider | None) -> None:
        super().__init__(script, name="scripted")
        self._database, self._project, self._other = database, project, other

    async def complete(self, request: CompletionRequest) -> Completion:
        """Let the other run go first."""
        async with self._database.hold(self._project, "another run") as hold:
            if self._other is not None:
                await ask_of(self._database, self._project, [self._other], hold=hold)(REQUEST)
        return await super().complete(request)


async def fenced(database: Database, script: list[Any], other: ScriptedProvider | None = None) -> UUID:
    """Ask in a run that loses its project meanwhile; return the project."""
    project = await new_project(database)
    async with database.hold(project, "the run") as hold:
        pass  # its lock is gone; it notices when it writes
    provider = TakenOver(script, database, project, other)
    with pytest.raises(errors.Fenced):
        await ask_of(database, project, [provider], hold=hold)(REQUEST)
    assert len(provider.asked) == 1, "a fenced run asks nothing more"
    return project


async def rows_of(database: Database, project: UUID) -> list[LLMCall]:
    async with database.work() as work:
        return sorted(await work.calls.of_project(project), key=lambda row: row.outcome)


async def test_the_answer_and_its_cost_are_kept_and_serve_the_next_run(database: Database) -> None:
    project = await fenced(database, [{"a": "paid"}])
    (row,) = await rows_of(database, project)
    assert (row.outcome, row.cost_usd) == ("completed", Decimal("0.0000275"))
    again = ScriptedProvider([{"a": "another"}])
    async with database.hold(project, "the next run") as hold:
        done = await ask_of(database, project, [again], hold=hold)(REQUEST)
    assert (done.parsed, again.asked) == ({"a": "paid"}, [])


async def test_the_first_answer_counts_where_both_runs_asked(database: Database) -> None:
    project = await fenced(database, [{"a": "late"}], ScriptedProvider([{"a": "first"}]))
    first, late = await rows_of(database, project)
    assert [(row.outcome, row.text) for row in (first, late)] == [
        ("completed", '{"a":"first"}'),
        ("repeated", '{"a":"late"}'),
    ]
    assert late.cost_usd == first.cost_usd == Decimal("0.0000275")


async def test_a_failure_is_settled_too(database: Database) -> None:
    project = await fenced(database, [errors.Overloaded("busy", status=529)])
    (row,) = await rows_of(database, project)
    assert (row.outcome, row.cost_usd) == ("overloaded", Decimal(0))
