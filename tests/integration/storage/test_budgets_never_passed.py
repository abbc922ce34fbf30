"""Budgets: reserved before a call, settled after it; no number of concurrent calls passes a limit."""

from __future__ import annotations

import asyncio
import pickle
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from botarmy.errors import BudgetExceeded, Duplicate, InputError, TooLarge, UnknownName
from botarmy.records import LLMCall, Project
from storage.database import Database
from storage.options import Options


async def reserve(database: Database, call: LLMCall, usd: str, limits: dict[str, Decimal] | None = None) -> UUID:
    async with database.work() as work:
        return await work.calls.reserve(call, Decimal(usd), limits)


@pytest.mark.parametrize("usd", ["0.07", "0.1"])
async def test_a_hundred_at_once_never_pass_the_limit(
    database_url: str, project: Project, make_call: Any, usd: str
) -> None:
    limit = Decimal("2.50")
    databases = [Database(database_url, Options(pool_size=10, pool_wait_s=60)) for _ in range(4)]  # as four processes
    async with databases[0].work() as work:
        await work.budgets.set(project.id, limit, by="ada")

    async def call(number: int) -> Decimal:
        database, row = databases[number % 4], make_call(project.id, ordinal=number)
        try:
            await reserve(database, row, usd)
        except BudgetExceeded:
            return Decimal(0)
        async with database.read() as view:
            assert (await view.calls.spent(project.id)).counted_usd <= limit
        async with database.work() as work:
            done = row.model_copy(update={"cost_usd": Decimal(usd)})
            await work.calls.settle(row.id, done)
        return Decimal(usd)

    paid = await asyncio.gather(*(call(number) for number in range(100)))
    async with databases[0].read() as view:
        spent = await view.calls.spent(project.id)
    assert spent.known_usd == sum(paid) <= limit
    assert spent.known_usd + Decimal(usd) > limit  # and the room there was is used
    assert spent.reserved_usd == 0
    for database in databases:
        await database.close()


async def test_reservation_becomes_the_settled_row(database: Database, project: Project, make_call: Any) -> None:
    draft = make_call(project.id)
    assert await reserve(database, draft, "0.5") == draft.id
    async with database.read() as view:
        assert (await view.calls.spent(project.id)).reserved_usd == Decimal("0.5")
        assert await view.calls.find(draft.key) is None
        assert (await view.calls.of_project(project.id))[0].outcome == "reserved"
    async with database.work() as work:
        settled = await work.calls.settle(
            draft.id, draft.model_copy(update={"cost_usd": Decimal("0.123456789012345678")})
        )
    async with database.read() as view:
        spent = await view.calls.spent(project.id)
        assert await view.calls.find(draft.key) == settled
    assert (spent.known_usd, spent.reserved_usd, spent.calls) == (Decimal("0.123456789012345678"), Decimal(0), 1)
    assert settled.reserved_usd == Decimal("0.5")
    with pytest.raises(Duplicate, match="is settled already: completed"):
        async with database.work() as work:
            await work.calls.settle(draft.id, draft)
    with pytest.raises(UnknownName, match="no reserved call"):
        async with database.work() as work:
            await work.calls.settle(make_call(project.id).id, draft)


@pytest.mark.parametrize(
    ("limits", "scope"),
    [
        ({"project": "1"}, "project"),
        ({"project": "9", "phase:Discovery": "1"}, "phase:Discovery"),
        ({"project": "9", "role:analyst": "1", "phase:Build": "0"}, "role:analyst"),
    ],
)
async def test_the_tightest_limit_counts_and_is_named(
    database: Database, project: Project, make_call: Any, limits: dict[str, str], scope: str
) -> None:
    given = {name: Decimal(limit) for name, limit in limits.items()}
    await reserve(database, make_call(project.id), "0.75", given)
    with pytest.raises(BudgetExceeded) as caught:
        await reserve(database, make_call(project.id), "0.26", given)
    error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - as Prefect carries it between processes
    assert (error.scope, error.limit, error.committed, error.wanted) == (
        scope, Decimal(1), Decimal("0.75"), Decimal("0.26"),
    )  # fmt: skip
    await reserve(database, make_call(project.id), "0.25", given)  # exactly the limit is allowed
    async with database.read() as view:
        assert len(await view.calls.of_project(project.id)) == 2


async def test_stored_budgets_are_used_and_can_be_raised(database: Database, project: Project, make_call: Any) -> None:
    async with database.work() as work:
        await work.budgets.set(project.id, Decimal("0.10"), scope="role", name="analyst", by="ada")
    with pytest.raises(BudgetExceeded, match=r"of the role:analyst budget of 0.10 USD, 0 USD are spent"):
        await reserve(database, make_call(project.id), "0.11")
    await reserve(database, make_call(project.id, role="coder"), "0.11")
    async with database.work() as work:
        await work.budgets.set(project.id, Decimal(1), scope="role", name="analyst", by="grace")
    await reserve(database, make_call(project.id), "0.11")
    async with database.work() as work:
        await work.budgets.remove(project.id, scope="role", name="analyst", by="grace")
        assert await work.budgets.of_project(project.id) == ()
    async with database.read() as view:
        told = [(e.actor, e.action, e.subject, e.detail) for e in await view.audit.of_project(project.id)][1:]
    assert told == [
        ("ada", "budget set", "role:analyst", {"limit_usd": "0.10", "before": None}),
        ("grace", "budget set", "role:analyst", {"limit_usd": "1", "before": "0.10"}),
        ("grace", "budget removed", "role:analyst", {"before": "1"}),
    ]


async def test_unknown_cost_counts_as_what_was_reserved(database: Database, project: Project, make_call: Any) -> None:
    draft = make_call(project.id, outcome="provider-timeout")
    await reserve(database, draft, "0.6", {"project": Decimal(1)})
    async with database.work() as work:
        await work.calls.settle(draft.id, draft)
    async with database.read() as view:
        spent = await view.calls.spent(project.id)
    assert (spent.known_usd, spent.unknown_calls, spent.unknown_usd) == (Decimal(0), 1, Decimal("0.6"))
    with pytest.raises(BudgetExceeded):
        await reserve(database, make_call(project.id), "0.5", {"project": Decimal(1)})


async def test_abandoned_reservations_are_closed_not_forgotten(
    database: Database, project: Project, make_call: Any
) -> None:
    draft = make_call(project.id)
    await reserve(database, draft, "0.6")
    async with database.work() as work:
        assert await work.calls.release_abandoned(timedelta(minutes=10)) == ()
    async with database.work() as work:
        closed = await work.calls.release_abandoned(timedelta(0))
        assert await work.calls.release_abandoned(timedelta(0)) == ()
    assert [(c.id, c.outcome, c.cost_usd) for c in closed] == [(draft.id, "abandoned", None)]
    async with database.read() as view:
        spent = await view.calls.spent(project.id)
    assert (spent.reserved_usd, spent.unknown_usd, spent.counted_usd) == (Decimal(0), Decimal("0.6"), Decimal("0.6"))
    with pytest.raises(Duplicate, match="abandoned"):
        async with database.work() as work:
            await work.calls.settle(draft.id, draft)


async def test_second_completion_of_a_key_is_kept_as_repeated(
    database: Database, project: Project, make_call: Any
) -> None:
    first, second = make_call(project.id, cost="0.1", key="k"), make_call(project.id, cost="0.2", key="k")
    await reserve(database, second, "0.5")
    async with database.work() as work:
        await work.calls.record(first)
        assert (await work.calls.settle(second.id, second)).outcome == "repeated"
    async with database.read() as view:
        found = await view.calls.find("k")
        assert found is not None
        assert found.id == first.id
        assert (await view.calls.spent(project.id)).known_usd == Decimal("0.3")


async def test_sums_are_exact_per_phase_and_role(database: Database, project: Project, make_call: Any) -> None:
    costs = ["0.1", "0.2", "0.000000000000000000001", "12345678901234567890.5"]
    async with database.work() as work:
        for number, cost in enumerate(costs):
            role, phase = ("analyst", "Plan") if number % 2 else ("coder", "Build")
            await work.calls.record(make_call(project.id, cost=cost, role=role, phase=phase))
        assert (await work.calls.spent(project.id)).known_usd == Decimal("12345678901234567890.800000000000000000001")
        assert (await work.calls.spent(project.id, role="coder")).known_usd == Decimal("0.100000000000000000001")
        assert (await work.calls.spent(project.id, phase="Plan")).known_usd == Decimal("12345678901234567890.7")
        assert (await work.calls.spent(project.id, phase="Plan", role="coder")).calls == 0


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity"])
async def test_senseless_amounts_are_refused(database: Database, project: Project, make_call: Any, amount: str) -> None:
    with pytest.raises(InputError):
        await reserve(database, make_call(project.id), amount)
    with pytest.raises(InputError):
        async with database.work() as work:
            await work.budgets.set(project.id, Decimal(amount), by="ada")


@pytest.mark.parametrize(("scope", "name"), [("project", "x"), ("phase", ""), ("team", "x")])
async def test_senseless_scopes_are_refused(
    database: Database, project: Project, make_call: Any, scope: str, name: str
) -> None:
    with pytest.raises(InputError, match="scope"):
        async with database.work() as work:
            await work.budgets.set(project.id, Decimal(1), scope=scope, name=name, by="ada")
    with pytest.raises(InputError, match="scope"):
        await reserve(database, make_call(project.id), "0", {f"{scope}:{name}" if name else scope: Decimal(1)})


async def test_answer_larger_than_the_limit_is_refused(database_url: str, project: Project, make_call: Any) -> None:
    small = Database(database_url, Options(max_artifact_bytes=10))
    with pytest.raises(TooLarge, match="answer of some-model"):
        async with small.work() as work:
            await work.calls.record(make_call(project.id, text="x" * 11))
    await small.close()


async def test_settled_rows_cannot_be_changed_by_sql(database: Database, project: Project, make_call: Any) -> None:
    async with database.work() as work:
        await work.calls.record(make_call(project.id, cost="0.5"))
    for query in ("UPDATE llm_calls SET cost_usd = 0", "DELETE FROM llm_calls"):
        with psycopg.connect(database.url) as connection, pytest.raises(psycopg.Error, match="append-only"):
            connection.execute(query)
