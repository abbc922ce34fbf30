"""`botarmy costs` on a real database: sums by any dimension, unknown costs as unknown, exact digits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from botarmy import errors
from botarmy.completion import CompletionRequest, Message, Usage
from botarmy.pricing import OwnPrice, Prices
from botarmy.records import Budget
from botarmy.settings import Settings
from cli.run import _take_up
from providers.fake import ScriptedProvider
from storage.database import Database
from tasks.calls import make_ask
from tasks.runtime import Runtime

PRICES = Prices({"p/model-1": OwnPrice(input=Decimal("1.100000001"), output=Decimal(3))})


def request(role: str) -> CompletionRequest:
    turn = Message(role="user", content="q")
    return CompletionRequest(
        role=role, purpose=f"of {role}", inputs={}, messages=(turn,), output_schema={}, max_output_tokens=10
    )


async def spend(url: str) -> None:
    """A project with an answered call, one after a failed try, and one of unknown price."""
    database = Database(url)
    async with database.work() as work:
        project = await work.projects.create("Book shelf", "book-shelf", "Books.", "sdlc-workflow", {})
    usage = Usage(input_tokens=1001, output_tokens=7, cached_tokens=1, reasoning_tokens=2)
    priced = ScriptedProvider([{"a": 1}, errors.Overloaded("busy", status=529), {"a": 2}], name="p", usage=usage)
    roles = {"analyst": [priced], "coder": [ScriptedProvider([{"a": 1}], name="odd")]}
    for phase, role in (("Plan", "analyst"), ("Build", "analyst"), ("Build", "coder")):
        ask = make_ask(
            database=database,
            roles=roles,
            project_id=project.id,
            phase=phase,
            attempt=1,
            prices=PRICES,
            spread=lambda: 0,
        )
        await ask(request(role))
    async with database.work() as work:
        await work.budgets.set(project.id, Decimal(2), by="me")
    await database.close()


@pytest.fixture
def spent(database_url: str, botarmy: Callable[..., Any]) -> Callable[..., Any]:
    asyncio.run(spend(database_url))
    return botarmy


ONE = Decimal(1001) * Decimal("0.000001100000001") + Decimal("0.000021")


def test_the_sum_equals_the_rows_to_the_last_digit(spent: Callable[..., Any]) -> None:
    told = spent("costs", "book-shelf", "--calls", "--json").json
    rows = [Decimal(call["cost_usd"]) for call in told["calls"] if call["cost_usd"] is not None]
    assert Decimal(told["total"]["known_usd"]) == sum(rows) == 2 * ONE
    assert sum(Decimal(line["known_usd"]) for line in told["lines"]) == sum(rows)
    assert (told["total"]["calls"], told["total"]["failed"], told["total"]["unknown"]) == (4, 1, 1)
    assert {call["outcome"] for call in told["calls"]} == {"completed", "overloaded"}
    budget = told["budgets"][0]
    assert (budget["limit_usd"], budget["reserved_usd"]) == ("2", "0")
    assert Decimal(budget["spent_usd"]) == 2 * ONE
    assert spent("show", "book-shelf", "--json").json["budgets"] == told["budgets"]


def test_by_role(spent: Callable[..., Any]) -> None:
    lines = spent("costs", "book-shelf", "--by", "role", "--json").json["lines"]
    assert [(line["role"], line["calls"], line["unknown"]) for line in lines] == [("analyst", 3, 0), ("coder", 1, 1)]


def test_for_people(spent: Callable[..., Any]) -> None:
    said = spent("costs", "book-shelf", "--by", "phase", "--by", "model")
    table = [line.split() for line in said.out.splitlines()]
    assert table[0] == ["PHASE", "MODEL", "CALLS", "FAILED", "INPUT", "CACHED", "OUTPUT", "REASONING", "COST", "(USD)"]
    assert ["Plan", "model-1", "1", "0", "1,001", "1", "7", "2", f"{ONE:f}"] in table
    assert "+ 1 unknown" in said.out
    assert f"Budget of project: 2 USD; {2 * ONE:f} spent, at most " in said.out
    assert said.out.endswith(" of unknown cost, 0 reserved.\n")
    assert f"budget    project: 2 USD; {2 * ONE:f} spent, at most " in spent("show", "book-shelf").out
    listed = spent("costs", "book-shelf", "--calls")
    assert "overloaded" in listed.out
    assert "unknown" in listed.out


def test_nothing_spent_and_no_such_project(botarmy: Callable[..., Any], spent: Callable[..., Any]) -> None:
    missing = spent("costs", "bookshelf")
    assert missing.code == 2
    assert "book-shelf" in missing.err


def test_that_there_is_no_budget_is_said(botarmy: Callable[..., Any], finished: Any) -> None:
    assert "No budget is set: nothing limits what may be spent.\n" in botarmy("costs", "books").out
    assert "budget    none\n" in botarmy("show", "books").out
    assert botarmy("show", "books", "--json").json["budgets"] == []


async def taken_up(url: str, slug: str) -> tuple[Budget, ...]:
    """Take a project up as `botarmy run --project SLUG --budget 7` does; return its limits then."""
    database = Database(url)
    runtime = cast(Runtime, SimpleNamespace(database=database, settings=Settings(_env_file=None)))
    try:
        async with AsyncExitStack() as grip:
            project, _ = await _take_up(runtime, grip, "", slug, {"definitions": {}, "budget_usd": Decimal(7)})
            async with database.read() as view:
                return await view.budgets.of_project(project.id)
    finally:
        await database.close()


def test_a_budget_of_a_finished_project_is_said_to_do_nothing(
    database_url: str, finished: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asyncio.run(taken_up(database_url, "books")) == ()
    assert "--budget does nothing now: books is completed." in capsys.readouterr().err


def test_a_budget_of_an_open_project_is_set(
    database_url: str, waiting: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [each.limit_usd for each in asyncio.run(taken_up(database_url, "books"))] == [7]
    assert capsys.readouterr().err == ""
