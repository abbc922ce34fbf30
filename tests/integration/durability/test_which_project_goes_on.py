"""`botarmy run BRIEF` goes on with what broke off, and with nothing else: not with a live project, nor a submitted one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest

from botarmy.errors import DefinitionError, Held
from botarmy.records import Project, Status
from botarmy.settings import load_settings
from storage.database import Database
from tasks.carry_on import Taken, Wish, take_up
from tasks.project import Order, claim, new_project
from tasks.runtime import Runtime
from tasks.selection import Selection
from tasks.taking_up import SUBMITTED

BRIEF = "# Shelf\nEach book has a required title."


@pytest.fixture
def runtime(database: Database) -> Runtime:
    async def serving(*_: Any) -> None:
        """Serve it."""

    made = SimpleNamespace(database=database, hold=None, settings=load_settings(), serving=serving)
    made.commit = partial(Runtime.commit, cast(Runtime, made))
    return cast(Runtime, made)


class Run:
    """A `botarmy run` that lives until it is killed."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._grip = AsyncExitStack()

    async def __call__(self, name: str = "", budget: str = "", brief: str = BRIEF, **given: Any) -> Taken:
        limit = Decimal(budget) if budget else None
        wish = Wish(brief=brief, name=name, given=given, budget_usd=limit, by="Ann")
        return await take_up(self._runtime, self._grip, wish, "botarmy run (process 1)")

    async def kill(self) -> None:
        await self._grip.aclose()


@pytest.fixture
async def runs(runtime: Runtime) -> AsyncIterator[list[Run]]:
    made = [Run(runtime) for _ in range(6)]
    yield made
    for each in made:
        await each.kill()


async def budget_of(runtime: Runtime, project: Project) -> Any:
    async with runtime.database.read() as view:
        return await view.budgets.of_project(project.id)


async def test_a_live_run_is_never_taken_for_one_that_broke_off(runs: list[Run]) -> None:
    first = await runs[0]()
    second = await runs[1]()
    assert [(each.project.slug, each.broke_off) for each in (first, second)] == [("shelf", False), ("shelf-2", False)]


async def test_many_at_once_make_a_project_each(runs: list[Run]) -> None:
    taken = await asyncio.gather(*(run() for run in runs))
    assert sorted(each.project.slug for each in taken) == ["shelf", *(f"shelf-{number}" for number in range(2, 7))]
    assert not any(each.broke_off for each in taken)


async def test_what_broke_off_goes_on_once(runtime: Runtime, runs: list[Run]) -> None:
    await runs[0]()
    await runs[0].kill()
    again = await runs[1](budget="0.5")
    assert (again.project.slug, again.broke_off) == ("shelf", True)
    assert [each.limit_usd for each in await budget_of(runtime, again.project)] == [Decimal("0.5")]
    third = await runs[2](budget="7")
    assert third.project.slug == "shelf-2"
    assert [each.limit_usd for each in await budget_of(runtime, again.project)] == [Decimal("0.5")], (
        "not another's limit"
    )
    await runs[1].kill()
    assert (await runs[3](workflow="fast")).project.slug == "shelf-3", "other definitions are another project"
    assert (await runs[4]()).project.slug == "shelf"


async def test_of_several_that_broke_off_each_goes_on_once(runs: list[Run]) -> None:
    for run in runs[:2]:
        await run()
    for run in runs[:2]:
        await run.kill()
    assert [(await run()).project.slug for run in runs[2:5]] == ["shelf-2", "shelf", "shelf-3"]


async def test_what_was_submitted_is_not_taken(runtime: Runtime, runs: list[Run]) -> None:
    stored = await new_project(runtime, BRIEF, selection=Selection())  # too long for a parameter: stored, then queued
    claimed = await claim(runtime, "run-1", Order(brief=BRIEF))  # its worker has not taken it yet
    assert [stored.slug, claimed.slug] == ["shelf", "shelf-2"]
    assert (await runs[0]()).project.slug == "shelf-3"


async def test_what_broke_off_and_was_submitted_then_is_not_taken_until_its_run_has_begun(
    runtime: Runtime, runs: list[Run]
) -> None:
    mine = (await runs[0]()).project
    await runs[0].kill()
    async with runtime.database.work() as work:
        await work.audit.add(mine.id, "Ann", SUBMITTED, mine.slug)
    assert (await runs[1]()).project.slug == "shelf-2"
    await claim(runtime, "run-1", Order(project="shelf"))
    assert (await runs[2]()).project.slug == "shelf"


async def test_a_named_project_that_is_held_is_left_as_it_is(runtime: Runtime, runs: list[Run]) -> None:
    mine = (await runs[0](name="mine", budget="1")).project
    with pytest.raises(Held, match=r"held by botarmy run \(process 1\)"):
        await runs[1](name="mine", budget="9")
    assert [each.limit_usd for each in await budget_of(runtime, mine)] == [Decimal(1)]


async def test_what_cannot_be_served_is_not_made(runtime: Runtime, runs: list[Run]) -> None:
    async def refused(*_: Any) -> None:
        raise DefinitionError("There is no such team.")

    vars(runtime)["serving"] = refused
    with pytest.raises(DefinitionError):
        await runs[0]()
    async with runtime.database.read() as view:
        assert await view.projects.list() == ()


async def test_what_ended_is_not_taken(runtime: Runtime, runs: list[Run]) -> None:
    for status in (Status.completed, Status.waiting, Status.failed, Status.stopped, Status.cancelled):
        run = Run(runtime)
        taken = await run()
        assert not taken.broke_off
        async with runtime.database.work(taken.hold) as work:
            await work.projects.set_status(taken.project.id, status)
        await run.kill()
