"""A flow run that seemed dead and the one that upkeep put in its place make one project from one order, whoever is first."""

from __future__ import annotations

import asyncio
from functools import partial
from types import SimpleNamespace
from typing import cast

import pytest

from botarmy.errors import InputError
from botarmy.records import Project
from botarmy.settings import load_settings
from storage.database import Database
from tasks.project import Order, claim
from tasks.runtime import Runtime

BRIEF = "# Shelf\nEach book has a required title.\n"


@pytest.fixture
def runtime(database: Database) -> Runtime:
    made = SimpleNamespace(database=database, hold=None, settings=load_settings())
    made.commit = partial(Runtime.commit, cast(Runtime, made))
    return cast(Runtime, made)


async def claimed(runtime: Runtime, flow_run_id: str, instead_of: str = "") -> Project:
    return await claim(runtime, flow_run_id, Order(brief=BRIEF, instead_of=instead_of))


@pytest.mark.parametrize("order", [("first", "second", "third"), ("third", "first", "second")])
async def test_one_after_the_other(runtime: Runtime, order: tuple[str, ...]) -> None:
    projects = [await claimed(runtime, run, "" if run == "first" else "first") for run in order]
    assert {project.slug for project in projects} == {"shelf"}
    async with runtime.database.work() as work:
        runs = await work.executions.of_project(projects[0].id)
    assert [run.flow_run_id for run in runs] == list(order)


async def test_at_once(runtime: Runtime) -> None:
    runs = [("first", ""), *((f"run-{number}", "first") for number in range(7))]
    projects = await asyncio.gather(*(claimed(runtime, *run) for run in runs))
    assert {project.slug for project in projects} == {"shelf"}


async def test_another_order_of_the_same_brief_makes_another(runtime: Runtime) -> None:
    assert [(await claimed(runtime, run)).slug for run in ("one", "two", "one")] == ["shelf", "shelf-2", "shelf"]


@pytest.mark.parametrize("run", [("first", ""), ("late", "first")])
async def test_a_run_of_a_purged_project_makes_it_no_second_time(runtime: Runtime, run: tuple[str, str]) -> None:
    project = await claimed(runtime, "first")
    async with runtime.database.work() as work:
        await work.purge(project.id, "Ann")
    with pytest.raises(InputError, match="was purged"):
        await claimed(runtime, *run)
    async with runtime.database.work() as work:
        assert await work.projects.list() == ()
    assert (await claimed(runtime, "another")).slug == "shelf", "the same brief may be begun anew"
    with pytest.raises(InputError, match="was purged"):
        await claim(runtime, "first", Order(project="shelf"))
