"""A budget that is reached asks a person; the decision from the inbox is carried out by whichever run comes next."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest

from botarmy.completion import CompletionRequest, Message
from botarmy.errors import BotArmyError, BudgetExceeded, ConnectionFailed, Unavailable
from botarmy.pricing import OwnPrice, Prices
from botarmy.records import Attempt, Project, Status
from botarmy.settings import Settings
from providers.fake import ScriptedProvider
from storage.database import Database
from tasks.budget import carry_out_budget, due_budget_gate, open_budget_gate
from tasks.calls import make_ask
from tasks.phase_task import is_infrastructure
from tasks.runtime import Runtime

PRICES = Prices({"scripted/model-1": OwnPrice(input=Decimal(1), output=Decimal(1))})
REQUEST = CompletionRequest(
    role="architect",
    purpose="data_models",
    inputs={},
    messages=(Message(role="user", content="q"),),
    output_schema={},
    max_output_tokens=1000,
)


def runtime_of(database: Database) -> Runtime:
    runtime = SimpleNamespace(database=database, hold=None, settings=Settings(gate_expiry_hours=2, _env_file=None))
    runtime.commit = partial(Runtime.commit, cast(Runtime, runtime))
    return cast(Runtime, runtime)


async def reach_the_limit(database: Database, scope: str, name: str) -> tuple[Project, Attempt, BudgetExceeded]:
    async with database.work() as work:
        project = await work.projects.create("Shop", "shop", "A shop.", "sdlc", {})
        attempt = await work.attempts.open(project.id, "Design", "architect")
        await work.budgets.set(project.id, Decimal("0.001"), scope=scope, name=name, by="me")
    with pytest.raises(BudgetExceeded) as caught:
        await ask_of(database, project)(REQUEST)
    return project, attempt, caught.value


def ask_of(database: Database, project: Project) -> Any:
    roles = {"architect": [ScriptedProvider([{"a": 1}])]}
    return make_ask(database=database, roles=roles, project_id=project.id, phase="Design", attempt=1, prices=PRICES)


@pytest.mark.parametrize(("scope", "name"), [("project", ""), ("phase", "Design"), ("role", "architect")])
async def test_an_approval_raises_the_limit_and_the_attempt_goes_on(database: Database, scope: str, name: str) -> None:
    runtime = runtime_of(database)
    project, attempt, error = await reach_the_limit(database, scope, name)
    assert await due_budget_gate(runtime, attempt) is None
    gate = await open_budget_gate(runtime, project, attempt, error)
    waiting = await due_budget_gate(runtime, attempt)
    assert waiting is not None
    assert waiting.decision is None
    assert waiting.expires_at is not None
    assert timedelta(hours=1.9) < waiting.expires_at - waiting.created_at < timedelta(hours=2.1)
    async with database.work() as work:
        await work.gates.decide(gate.id, "approve", "Ada")
    decided = await due_budget_gate(runtime, attempt)
    assert decided is not None
    assert await carry_out_budget(runtime, project, decided) is Status.running
    assert await due_budget_gate(runtime, attempt) is None
    async with database.work() as work:
        raised = await work.budgets.get(project.id, scope, name)
    assert raised is not None
    assert raised.limit_usd == Decimal(gate.payload["proposed_usd"])
    assert raised.set_by == "Ada"
    assert (await ask_of(database, project)(REQUEST)).parsed == {"a": 1}


@pytest.mark.parametrize("limit", ["0.0005", "5"])
@pytest.mark.parametrize("asked_by_the_run", [False, True])
async def test_a_limit_set_after_an_approval_was_carried_out_stays(
    database: Database, limit: str, asked_by_the_run: bool
) -> None:
    runtime = runtime_of(database)
    project, attempt, error = await reach_the_limit(database, "project", "")
    gate = await open_budget_gate(runtime, project, attempt, error)
    async with database.work() as work:
        decided = await work.gates.decide(gate.id, "approve", "Ada", resume=not asked_by_the_run)
    assert await carry_out_budget(runtime, project, decided) is Status.running
    async with database.work() as work:
        await work.budgets.set(project.id, Decimal(limit), by="Bo")
    assert await due_budget_gate(runtime, attempt) is None
    async with database.work() as work:
        budget = await work.budgets.get(project.id)
    assert budget is not None
    assert (budget.limit_usd, budget.set_by) == (Decimal(limit), "Bo")


@pytest.mark.parametrize("limit", ["0.0005", "5"])
async def test_a_limit_set_between_an_approval_and_its_carrying_out_is_the_later_word(
    database: Database, limit: str
) -> None:
    runtime = runtime_of(database)
    project, attempt, error = await reach_the_limit(database, "project", "")
    gate = await open_budget_gate(runtime, project, attempt, error)
    async with database.work() as work:
        await work.gates.decide(gate.id, "approve", "Ada")
    async with database.work() as work:
        await work.budgets.set(project.id, Decimal(limit), by="Bo")
    decided = await due_budget_gate(runtime, attempt)
    assert decided is not None
    assert await carry_out_budget(runtime, project, decided) is Status.running
    assert await due_budget_gate(runtime, attempt) is None
    async with database.work() as work:
        budget = await work.budgets.get(project.id)
    assert budget is not None
    assert (budget.limit_usd, budget.set_by) == (Decimal(limit), "Bo")


async def test_an_approval_never_lowers_a_limit(database: Database) -> None:
    runtime = runtime_of(database)
    project, attempt, error = await reach_the_limit(database, "project", "")
    gate = await open_budget_gate(runtime, project, attempt, error)
    async with database.work() as work:
        await work.budgets.set(project.id, Decimal(5), by="Bo")
    async with database.work() as work:
        decided = await work.gates.decide(gate.id, "approve", "Ada")
    assert await carry_out_budget(runtime, project, decided) is Status.running
    async with database.work() as work:
        budget = await work.budgets.get(project.id)
    assert budget is not None
    assert budget.limit_usd == 5


async def test_a_rejection_stops_the_project(database: Database) -> None:
    runtime = runtime_of(database)
    project, attempt, error = await reach_the_limit(database, "project", "")
    gate = await open_budget_gate(runtime, project, attempt, error)
    async with database.work() as work:
        await work.gates.decide(gate.id, "reject", "Ada", "too dear")
    decided = await due_budget_gate(runtime, attempt)
    assert decided is not None
    assert await carry_out_budget(runtime, project, decided) is Status.stopped
    async with database.work() as work:
        assert (await work.projects.get(str(project.id))).status is Status.stopped


@pytest.mark.parametrize(
    ("error", "again"),
    [(ConnectionFailed("model away"), False), (Unavailable("storage away"), True), (OSError(), True)],
)
async def test_prefect_repeats_a_phase_for_infrastructure_only(error: Exception, again: bool) -> None:
    async def fail() -> None:
        raise error

    assert isinstance(error, BotArmyError | OSError)
    assert await is_infrastructure(None, None, SimpleNamespace(result=fail)) is again
