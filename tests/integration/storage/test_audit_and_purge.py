"""The audit chain shows every tampering; guards refuse it in the first place; a purge is the only deletion."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from botarmy.errors import InputError, StorageError, UnknownName
from botarmy.records import Evidence, Handoff, Project, Status, Verdict
from storage.database import Database

GUARDED = ["audit_events", "artifact_versions", "evidence", "llm_calls", "hitl_requests"]


@pytest.fixture
async def full(database: Database, project: Project, made_by: Any, make_call: Any, verdict: Verdict) -> Project:
    """A project with rows in every table that belongs to projects."""
    async with database.work() as work:
        await work.executions.start(project.id, "sdlc", "run-1")
        attempt = await work.attempts.open(project.id, "Discovery", "analyst")
        plan = await work.artifacts.save(project.id, "project_plan", {"n": 1}, "# one", made_by())
        await work.artifacts.save(project.id, "feature_breakdown", {}, "", made_by(phase="Plan"), [plan.sha256])
        await work.evidence.add(attempt.id, Evidence(check="lint", command=("ruff",), exit_code=0, outcome="passed"))
        await work.calls.record(make_call(project.id, cost="0.1"))
        await work.budgets.set(project.id, Decimal(5), by="ada")
        await work.conflicts.open(project.id, ["analyst"], "differs")
        gate = await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, {"project_plan": plan.sha256})
        await work.gates.decide(gate.id, "approve", "ada")
        handoff = Handoff(from_phase="Discovery", to_phase="Plan", artifacts={"project_plan": plan.sha256}, summary="s")
        await work.attempts.finish(attempt.id, Status.completed, verdict, handoff)
    return project


def as_superuser(postgres: Any, url: str, *queries: str) -> None:
    """Tamper as only a superuser can, with the guards off."""
    name = urlsplit(url).path[1:]
    with psycopg.connect(postgres.admin(name), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for query in queries:
            connection.execute(query.encode())


async def test_chain_of_all_events_is_whole(database: Database, full: Project) -> None:
    async with database.work() as work:
        check = await work.verify_audit(full.id)
        events = await work.audit.of_project(full.id)
    assert check.whole
    assert check.events == len(events) > 10
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert all(later.prev_sha256 == earlier.own_sha256 for earlier, later in pairwise(events))


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("UPDATE audit_events SET actor = 'nobody' WHERE seq = 4", "Event 4 was changed"),
        ("UPDATE audit_events SET detail = '{}' WHERE seq = 1", "Event 1 was changed"),
        ("UPDATE audit_events SET created_at = created_at - interval '1 day' WHERE seq = 2", "Event 2 was changed"),
        ("DELETE FROM audit_events WHERE seq = 3", "Event 3 is missing before event 4"),
        ("DELETE FROM audit_events WHERE seq >= 9", "event 13 was written"),
        ("UPDATE audit_events SET prev_sha256 = repeat('0', 64) WHERE seq = 5", "Event 5 does not follow"),
        ("DELETE FROM audit_events", "The chain ends at event 0"),
    ],
)
async def test_every_tampering_shows(
    database: Database, full: Project, postgres: Any, tampering: str, said: str
) -> None:
    async with database.read() as view:
        last = len(await view.audit.of_project(full.id))
    as_superuser(postgres, database.url, tampering)
    async with database.read() as view:
        check = await view.audit.verify(full.id)
    assert not check.whole
    assert said.replace("event 13", f"event {last}") in check.reason


async def test_concurrent_writers_keep_one_chain(database: Database, project: Project) -> None:
    async def write(number: int) -> None:
        async with database.work() as work:
            await work.audit.add(project.id, "ada", "noted", str(number), detail={"n": number})
            await work.audit.add(None, "ada", "noted", str(number))

    await asyncio.gather(*(write(number) for number in range(40)))
    async with database.read() as view:
        assert (await view.audit.verify(project.id)).model_dump() == {
            "whole": True, "events": 41, "broken_at": None, "reason": "",
        }  # fmt: skip
        assert (await view.audit.verify(None)).events == 40


async def test_detail_is_hashed_as_it_is_read_back(database: Database, project: Project) -> None:
    detail = {"cost": Decimal("0.10"), "rate": 1e22, "none": None, "id": project.id, "list": (1, 2.5)}
    async with database.work() as work:
        await work.audit.add(project.id, "ada", "noted", "x", detail=detail)
    async with database.read() as view:
        assert (await view.audit.verify(project.id)).whole
    with pytest.raises(InputError):
        async with database.work() as work:
            await work.audit.add(project.id, "ada", "noted", "x", detail={"nul": "\0"})


@pytest.mark.parametrize("table", GUARDED)
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET created_at = now()", "TRUNCATE {} CASCADE"])
async def test_what_happened_cannot_be_changed_by_sql(
    database: Database, full: Project, table: str, change: str
) -> None:
    allowed = change.startswith("UPDATE") and table == "hitl_requests"  # that a run goes on is noted in the gate
    with psycopg.connect(database.url) as connection:
        if allowed:
            connection.execute(change.format(table).encode())
            return
        with pytest.raises(psycopg.Error, match="append-only"):
            connection.execute(change.format(table).encode())


async def test_guard_speaks_as_one_of_our_errors(database: Database, full: Project) -> None:
    with pytest.raises(StorageError, match="artifact_versions is append-only") as caught:
        async with database.work() as work:
            await work.projects._rows("DELETE FROM artifact_links RETURNING 1")
            await work.projects._rows("DELETE FROM artifact_versions RETURNING 1")
    assert "append-only" in caught.value.hint


async def test_purge_removes_all_but_the_audit(database: Database, full: Project) -> None:
    async with database.work() as work:
        kept = await work.projects.create("other", "other", "b", "sdlc")
    async with database.work() as work:
        await work.purge(full.id, "ada")
    with psycopg.connect(database.url) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'project_id'"
        ).fetchall()
        query = "SELECT count(*) FROM {} WHERE project_id = %s"
        left = {table: connection.execute(query.format(table).encode(), (full.id,)).fetchone() for (table,) in tables}
    assert left.pop("audit_events") != (0,)
    assert left.pop("purged_runs") == (1,), "the run's id, so that it makes the project no second time"
    assert set(left.values()) == {(0,)}
    async with database.read() as view:
        events = await view.audit.of_project(full.id)
        assert (await view.audit.verify(full.id)).whole
        assert [p.id for p in await view.projects.list()] == [kept.id]
    assert (events[-1].action, events[-1].actor, events[-1].subject) == ("project purged", "ada", "library")
    assert events[-1].detail == {"name": "Library"}
    with pytest.raises(UnknownName):
        async with database.work() as work:
            await work.purge(full.id, "ada")


async def test_a_purge_remembers_the_runs_and_nothing_else(database: Database, full: Project) -> None:
    async with database.work() as work:
        await work.executions.start(full.id, "sdlc", "run-2", origin="run-0")
        await work.executions.start(full.id, "sdlc", "")
        gate = (await work.gates.of_project(full.id))[0]
        attempt = await work.attempts.open(full.id, "Plan", "analyst")
        shown = await work.gates.open(full.id, attempt.id, "Plan", 1, Verdict(decision="pass"), gate.hashes)
        await work.gates.shown(shown.id, "run-3")
    async with database.work() as work:
        await work.purge(full.id, "ada")
    async with database.read() as view:
        assert await view.executions.purged_with(full.id) == ("run-0", "run-1", "run-2", "run-3")
        assert await view.executions.purged("other", "run-0")
        assert not await view.executions.purged("other", "")
    with psycopg.connect(database.url) as connection:
        cursor = connection.execute("SELECT * FROM purged_runs LIMIT 1")
        assert [column.name for column in cursor.description or ()] == ["flow_run_id", "project_id", "purged_at"]
        with pytest.raises(psycopg.Error, match="append-only"):
            connection.execute("DELETE FROM purged_runs")


async def test_purge_of_one_lets_no_other_go(database: Database, full: Project) -> None:
    async with database.work() as work:
        other = await work.projects.create("other", "other", "b", "sdlc")
    with pytest.raises(StorageError, match="append-only"):
        async with database.work() as work:
            await work.purge(other.id, "ada")
            await work.projects._rows("DELETE FROM evidence RETURNING 1")
    async with database.read() as view:
        assert (await view.projects.get(other.id)) == other


async def test_slug_of_a_purged_project_is_free_again(database: Database, project: Project) -> None:
    async with database.work() as work:
        await work.purge(project.id, "ada")
        assert (await work.projects.create("n", "library", "b", "sdlc")).slug == "library"
