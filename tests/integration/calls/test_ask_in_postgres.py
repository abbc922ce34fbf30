"""`ask` on a real Postgres: crash and resume, budgets under a hundred calls at once, exact sums."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from botarmy import errors
from botarmy.completion import Ask, Completion, CompletionRequest, Message, Provider, Usage
from botarmy.pricing import OwnPrice, Prices
from botarmy.retry import RetryPolicy
from providers.fake import ScriptedProvider
from storage.database import Database
from tasks.calls import CallEvent, make_ask

PRICES = Prices(
    {"scripted/model-1": OwnPrice(input=Decimal("1.1"), output=Decimal("3.3"), cached_input=Decimal("0.1"))}
)
REQUEST = CompletionRequest(
    role="coder",
    purpose="source_code",
    inputs={"brief": "x"},
    messages=(Message(role="user", content="q"),),
    output_schema={},
    max_output_tokens=1000,
)


async def new_project(database: Database) -> UUID:
    async with database.work() as work:
        return (await work.projects.create("Shop", "shop", "A shop.", "sdlc", {})).id


def ask_of(database: Database, project: UUID, providers: Sequence[Provider], **more: Any) -> Ask:
    return make_ask(
        database=database,
        roles={"coder": providers},
        project_id=project,
        phase="Build",
        attempt=1,
        prices=PRICES,
        policy=RetryPolicy(base_s=0.001),
        **more,
    )


async def test_the_same_attempt_after_a_crash_gets_the_stored_completion(database: Database) -> None:
    project = await new_project(database)
    provider = ScriptedProvider([errors.Overloaded("busy", status=529), {"a": "é\n"}])
    first = await ask_of(database, project, [provider])(REQUEST)
    again = ScriptedProvider([{"a": "another"}])
    second = await ask_of(database, project, [again])(REQUEST)
    assert second == first
    assert again.asked == []
    async with database.work() as work:
        rows = await work.calls.of_project(project)
    assert [(row.outcome, row.cost_usd) for row in rows] == [
        ("overloaded", Decimal(0)),
        ("completed", Decimal("0.0000275")),
    ]


async def test_a_hundred_calls_at_once_never_pass_the_budget(database: Database) -> None:
    project = await new_project(database)
    limit = Decimal("0.02")
    async with database.work() as work:
        await work.budgets.set(project, limit, by="me")
    provider = ScriptedProvider([{"a": 1}], usage=Usage(input_tokens=500, output_tokens=900, cached_tokens=100))
    ask = ask_of(database, project, [provider])

    async def one(number: int) -> Completion | errors.BudgetExceeded:
        try:
            return await ask(REQUEST.model_copy(update={"purpose": f"part {number}"}))
        except errors.BudgetExceeded as error:
            return error

    results = await asyncio.gather(*(one(number) for number in range(100)))
    answered = [result for result in results if isinstance(result, Completion)]
    async with database.work() as work:
        rows = await work.calls.of_project(project)
        spent = await work.calls.spent(project)
    assert 1 <= len(answered) == len(rows) == len(provider.asked) < 100
    assert spent.counted_usd == sum((row.cost_usd or Decimal(0) for row in rows), Decimal(0)) <= limit
    refused = next(result for result in results if isinstance(result, errors.BudgetExceeded))
    assert refused.limit == limit


async def test_a_raised_budget_lets_the_same_attempt_go_on(database: Database) -> None:
    project = await new_project(database)
    events: list[CallEvent] = []
    async with database.work() as work:
        await work.budgets.set(project, Decimal("0.004"), scope="role", name="coder", by="me")
    provider = ScriptedProvider([{"a": 1}], usage=Usage(input_tokens=500, output_tokens=900))
    ask = ask_of(database, project, [provider], on_event=events.append)
    await ask(REQUEST)
    with pytest.raises(errors.BudgetExceeded, match="role:coder budget"):
        await ask(REQUEST)
    async with database.work() as work:
        await work.budgets.set(project, Decimal(1), scope="role", name="coder", by="me")
    resumed = ask_of(database, project, [provider])
    await resumed(REQUEST)
    await resumed(REQUEST)
    assert len(provider.asked) == 2
    assert [event.kind for event in events if event.kind == "budget"] == ["budget"]


async def test_tokens_and_confidence_come_back(database: Database) -> None:
    project = await new_project(database)
    usage = Usage(input_tokens=5, output_tokens=4, cached_tokens=3, reasoning_tokens=2)
    first = await ask_of(database, project, [ScriptedProvider([{"a": 1}], usage=usage)])(REQUEST)
    stored = await ask_of(database, project, [ScriptedProvider([{"a": 2}])])(REQUEST)
    assert (stored.usage, stored.confidence, stored.request_id) == (usage, 0.9, first.request_id)
