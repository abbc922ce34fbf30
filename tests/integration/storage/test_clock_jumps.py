"""The clock of the machine goes an hour ahead or back: what is decided by stored times, and what must not be.

Stored times are Postgres's own. That its clock was set back by an hour is, for what is stored, the same as that all of
it was stored an hour later; so the tests shift what is stored.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from botarmy.rate_limit import RateLimit
from botarmy.records import Project, Status, Verdict
from botarmy.settings import Settings
from flows import upkeep
from storage.database import Database

HOUR = timedelta(hours=1)
AHEAD, BACK = -HOUR, HOUR
"""What a jump of the clock ahead or back does to stored times, as the clock then sees them."""
LIMIT = RateLimit(requests=60)


class Clock:
    """Sets the clock of a database by shifting what it holds."""

    def __init__(self, admin_url: str) -> None:
        self._url = admin_url

    def shift(self, by: timedelta, *columns: str) -> None:
        """Shift "table.column"s; the superuser's session passes the guards of append-only rows."""
        with psycopg.connect(self._url, autocommit=True) as admin:
            admin.execute("SET session_replication_role = replica")
            for table, column in (each.split(".") for each in columns):
                kind = admin.execute(
                    "SELECT data_type FROM information_schema.columns WHERE table_name = %s AND column_name = %s",
                    (table, column),
                ).fetchone()
                amount = by.total_seconds() if kind == ("double precision",) else by
                admin.execute(f"UPDATE {table} SET {column} = {column} + %s", (amount,))  # noqa: S608


@pytest.fixture
def clock(postgres: Any, database_url: str) -> Clock:
    return Clock(postgres.admin(urlsplit(database_url).path[1:]))


async def slugs_quiet_for(database: Database, quiet: timedelta) -> list[str]:
    async with database.work() as work:
        return [each.slug for each in await work.projects.with_status(Status.pending, quiet_for=quiet)]


async def test_a_project_that_moved_a_moment_ago_is_not_quiet_until_the_clock_says_so(
    database: Database, project: Project, clock: Clock
) -> None:
    assert await slugs_quiet_for(database, HOUR / 2) == []
    assert await slugs_quiet_for(database, timedelta(0)) == [project.slug]
    clock.shift(AHEAD, "projects.updated_at")
    assert await slugs_quiet_for(database, HOUR / 2) == [project.slug]


async def test_a_clock_that_was_set_back_hides_no_dead_project(
    database: Database, project: Project, clock: Clock
) -> None:
    clock.shift(BACK, "projects.updated_at")
    assert await slugs_quiet_for(database, timedelta(minutes=1)) == [project.slug]


async def test_the_newest_run_is_the_newest_whatever_the_clock(
    database: Database, project: Project, clock: Clock
) -> None:
    async with database.work() as work:
        await work.executions.start(project.id, "sdlc", "first")
    clock.shift(BACK, "workflow_executions.created_at")
    for later in ("second", "third"):
        async with database.work() as work:
            await work.executions.start(project.id, "sdlc", later)
    async with database.read() as view:
        assert [run.flow_run_id for run in await view.executions.of_project(project.id)] == ["first", "second", "third"]


async def test_questions_of_an_attempt_keep_their_order(
    database: Database, project: Project, clock: Clock, verdict: Verdict
) -> None:
    async with database.work() as work:
        attempt = await work.attempts.open(project.id, "Discovery", "analyst")
        first = await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, {})
        await work.gates.cancel(first.id, "amended")
    clock.shift(BACK, "hitl_requests.created_at")
    async with database.work() as work:
        second = await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, {}, ask=2)
        assert [gate.id for gate in await work.gates.of_attempt(attempt.id)] == [first.id, second.id]


@pytest.mark.parametrize(("jump", "left"), [(AHEAD, True), (BACK, False), (timedelta(0), False)])
async def test_a_gate_expires_by_the_clock_that_opened_it(
    database: Database, project: Project, clock: Clock, verdict: Verdict, jump: timedelta, left: bool
) -> None:
    async with database.work() as work:
        attempt = await work.attempts.open(project.id, "Discovery", "analyst")
        await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, {}, expires_after=HOUR / 2)
    clock.shift(jump, "hitl_requests.expires_at", "hitl_requests.created_at")
    async with database.work() as work:
        assert bool(await work.gates.expired()) is left
        assert bool(await work.gates.open_for_longer_than(HOUR / 2)) is left


async def test_a_decision_in_the_last_moment_is_not_overruled_by_expiry(
    database: Database, project: Project, verdict: Verdict
) -> None:
    async with database.work() as work:
        attempt = await work.attempts.open(project.id, "Discovery", "analyst")
        gate = await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, {}, expires_after=-HOUR)
    async with database.work() as work:
        await work.gates.decide(gate.id, "approve", "Ann")
        tending = asyncio.create_task(upkeep._expired_gates(runtime_on(database), NO_PREFECT))
        await asyncio.sleep(0.3)  # it has found the gate by now, and waits for the project
    assert await tending == 0
    async with database.read() as view:
        assert (await view.projects.get(project.id)).status is Status.pending
        assert (await view.gates.get(gate.id)).decided_by == "Ann"


async def test_an_expired_gate_stops_its_project(database: Database, project: Project, verdict: Verdict) -> None:
    async with database.work() as work:
        attempt = await work.attempts.open(project.id, "Discovery", "analyst")
        await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, {}, expires_after=-HOUR)
    assert await upkeep._expired_gates(runtime_on(database), NO_PREFECT) == 1
    async with database.read() as view:
        assert (await view.projects.get(project.id)).status is Status.stopped


NO_PREFECT: Any = None
"""Gates that no flow run shows are closed without Prefect."""


def runtime_on(database: Database) -> Any:
    """As much of a runtime as upkeep needs here."""
    return SimpleNamespace(database=database, settings=Settings(_env_file=None))


async def outcomes(database: Database, project_id: UUID) -> list[str]:
    async with database.read() as view:
        return [call.outcome for call in await view.calls.of_project(project_id)]


async def test_a_live_run_keeps_its_call_though_the_clock_goes_ahead(
    database: Database, project: Project, clock: Clock, make_call: Any
) -> None:
    call = make_call(project.id)
    async with database.hold(project.id, "a run") as hold:
        async with database.work(hold) as work:
            await work.calls.reserve(call, Decimal(0), {})
        clock.shift(2 * AHEAD, "llm_calls.created_at")
        assert await upkeep._abandoned_calls(runtime_on(database)) == 0
        async with database.work(hold) as work:  # the answer comes, and counts
            await work.calls.settle(call.id, call)
    assert await outcomes(database, project.id) == ["completed"]


@pytest.mark.parametrize(("jump", "closed"), [(2 * AHEAD, 1), (timedelta(0), 0), (BACK, 0)])
async def test_a_dead_runs_call_is_closed_in_time(
    database: Database, project: Project, clock: Clock, make_call: Any, jump: timedelta, closed: int
) -> None:
    async with database.work() as work:
        await work.calls.reserve(make_call(project.id), Decimal(0), {})
    clock.shift(jump, "llm_calls.created_at")
    assert await upkeep._abandoned_calls(runtime_on(database)) == closed
    assert await outcomes(database, project.id) == (["abandoned"] if closed else ["reserved"])


async def book(database: Database) -> float | None:
    async with database.work() as work:
        return await work.rates.book("openai", "gpt", LIMIT, tokens=1, longest_wait_s=90)


async def test_the_schedule_of_calls_survives_a_clock_that_is_set_back(database: Database, clock: Clock) -> None:
    before = [await book(database) for _ in range(20)][-1]
    clock.shift(BACK, "provider_rates.requests_until", "provider_rates.tokens_until", "provider_rates.written_at")
    after = await book(database)
    assert before is not None
    assert after is not None
    assert 0 < after < before + 3  # a turn later than the last one, and not an hour later


async def test_the_schedule_of_calls_begins_anew_where_the_clock_goes_ahead(database: Database, clock: Clock) -> None:
    for _ in range(20):
        await book(database)
    clock.shift(AHEAD, "provider_rates.requests_until", "provider_rates.tokens_until", "provider_rates.written_at")
    assert await book(database) == 0
