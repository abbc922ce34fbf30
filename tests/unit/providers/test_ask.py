"""`ask`: the ledger first, then retries, repairs and failover, with a clock that only the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from botarmy import errors
from botarmy.completion import Ask, CompletionRequest, Message, Usage
from botarmy.pricing import OwnPrice, Prices
from botarmy.rate_limit import RateLimit
from botarmy.records import Budget
from botarmy.retry import Cooldowns
from providers.fake import ScriptedProvider
from tasks.calls import CallEvent, make_ask
from tasks.fakes import MemoryLedger, StillClock

PROJECT = UUID(int=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = CompletionRequest(
    role="analyst",
    purpose="plan",
    inputs={},
    messages=(Message(role="user", content="q"),),
    output_schema={},
    timeout_s=100,
)


class Bench:
    """An ask with everything around it."""

    def __init__(self, *providers: ScriptedProvider) -> None:
        self.ledger = MemoryLedger()
        self.clock = StillClock()
        self.events: list[CallEvent] = []
        self.cooldowns = Cooldowns(self.clock)
        self.providers = providers

    def ask(self, attempt: int = 1, limits: dict[str, RateLimit] | None = None) -> Ask:
        return make_ask(
            database=self.ledger,
            roles={"analyst": self.providers},
            project_id=PROJECT,
            phase="Plan",
            attempt=attempt,
            hold="fence",
            on_event=self.events.append,
            clock=self.clock,
            cooldowns=self.cooldowns,
            prices=Prices({"p0/model-1": OwnPrice(input=Decimal(1), output=Decimal(2))}),
            limits=limits,
            spread=lambda: 0.5,
        )

    def outcomes(self) -> list[tuple[str, str]]:
        return [(row.provider, row.outcome) for row in self.ledger.rows]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


def bench(*scripts: Iterable[Any]) -> Bench:
    return Bench(*(ScriptedProvider(script, name=f"p{i}") for i, script in enumerate(scripts)))


async def test_the_same_call_of_the_same_attempt_is_not_paid_again() -> None:
    b = bench([{"a": 1}])
    first = b.ask()
    done = [await first(REQUEST), await first(REQUEST)]
    again = b.ask()
    assert [await again(REQUEST), await again(REQUEST)] == done
    assert len(b.providers[0].asked) == 2
    assert b.kinds()[-2:] == ["stored", "stored"]
    assert {row.ordinal for row in b.ledger.rows} == {0, 1}
    settled = [hold for hold in b.ledger.holds if hold is None]
    assert len(settled) == 2, "the ledger's row alone is settled without the hold"
    assert set(b.ledger.holds) == {"fence", None}


async def test_a_new_attempt_asks_anew() -> None:
    b = bench([{"a": 1}])
    await b.ask(1)(REQUEST)
    await b.ask(2)(REQUEST)
    assert len(b.providers[0].asked) == 2


async def test_waits_grow_and_every_try_leaves_a_row() -> None:
    b = bench([errors.Overloaded("busy"), errors.RateLimited("slow", retry_after=4.0), {"a": 1}])
    assert (await b.ask()(REQUEST)).parsed == {"a": 1}
    assert b.clock.waits == [1.0, pytest.approx(4.2)]
    assert b.outcomes() == [("p0", "overloaded"), ("p0", "rate-limited"), ("p0", "completed")]
    assert b.ledger.rows[0].error == "busy"
    assert b.ledger.rows[0].cost_usd is None  # nobody said what it cost
    assert b.ledger.rows[2].cost_usd == Decimal("0.00002")


async def test_invalid_output_is_shown_to_the_model() -> None:
    b = bench([errors.InvalidOutput("bad", text="{}", problems=("a is missing",)), {"a": 1}])
    await b.ask()(REQUEST)
    turns = b.providers[0].asked[1].messages
    assert [turn.content for turn in turns][:2] == ["q", "{}"]
    assert "a is missing" in turns[2].content
    assert b.outcomes() == [("p0", "invalid-output"), ("p0", "completed")]


async def test_repairs_are_bounded_then_the_next_provider_answers() -> None:
    b = bench([errors.InvalidOutput("bad", text="{}")], [{"a": 2}])
    assert (await b.ask()(REQUEST)).parsed == {"a": 2}
    assert [outcome for _, outcome in b.outcomes()] == ["invalid-output"] * 3 + ["completed"]
    assert b.clock.waits == []
    assert b.providers[1].asked[0].messages == REQUEST.messages


async def test_an_exhausted_quota_fails_over_at_once_and_cools_down_long() -> None:
    b = bench([errors.QuotaExhausted("no credit")], [{"a": 2}])
    ask = b.ask()
    await ask(REQUEST)
    await ask(REQUEST)
    assert b.outcomes() == [("p0", "quota-exhausted"), ("p1", "completed"), ("p1", "completed")]
    assert b.cooldowns.remaining("p0", "model-1") == 3600


async def test_all_providers_failing_are_named() -> None:
    b = bench([errors.AuthenticationFailed("key wrong", hint="set it")], [errors.BadRequest("schema refused")])
    with pytest.raises(errors.BadRequest, match="no provider answered: key wrong; schema refused"):
        await b.ask()(REQUEST)


async def test_the_deadline_is_total() -> None:
    b = bench([errors.RateLimited("slow", retry_after=45.0)], [errors.RateLimited("slow too", retry_after=45.0)])
    with pytest.raises(errors.RateLimited):
        await b.ask()(REQUEST)
    assert b.clock.time <= 100
    assert [request.timeout_s for request in b.providers[0].asked][:2] == [100, pytest.approx(100 - 45 * 1.05)]


async def test_a_missing_recording_is_final() -> None:
    b = bench([errors.RecordingMissing("changed")], [{"a": 2}])
    with pytest.raises(errors.RecordingMissing):
        await b.ask()(REQUEST)
    assert b.outcomes() == [("p0", "recording-missing")]
    assert b.ledger.rows[0].cost_usd == 0


async def test_a_role_without_provider_is_an_error() -> None:
    b = bench([{"a": 1}])
    with pytest.raises(errors.SettingsError, match="'tester'"):
        await b.ask()(REQUEST.model_copy(update={"role": "tester"}))


async def test_a_refusal_with_a_status_costs_nothing_and_an_invalid_answer_what_it_used() -> None:
    used = Usage(input_tokens=1_000_000, output_tokens=500_000)
    b = bench([errors.RateLimited("slow", status=429), errors.InvalidOutput("bad", usage=used), {"a": 1}])
    await b.ask()(REQUEST)
    assert [row.cost_usd for row in b.ledger.rows] == [0, 2, Decimal("0.00002")]


async def test_a_call_is_reserved_at_its_upper_bound_and_the_soft_limit_is_told_once() -> None:
    b = bench([{"a": 1}])
    b.ledger.budget = Budget(scope="project", name="", limit_usd=Decimal("0.08"), set_by="me", updated_at=NOW)
    ask = b.ask()
    await ask(REQUEST)
    await ask(REQUEST)
    assert b.ledger.rows[0].reserved_usd == Decimal(500 + 1 + 2 * 2 + 2 * 32_000) / 1_000_000
    assert [event.message for event in b.events if event.kind == "budget"] == [
        "0.0645 of the project budget of 0.08 USD are spent or reserved"
    ]


async def test_a_budget_needs_a_price() -> None:
    b = Bench(ScriptedProvider([{"a": 1}], name="nobody"))
    b.ledger.budget = Budget(scope="project", name="", limit_usd=Decimal(1), set_by="me", updated_at=NOW)
    with pytest.raises(errors.SettingsError, match="the price of nobody/model-1 is unknown"):
        await b.ask()(REQUEST)
    assert b.ledger.rows == []


async def test_breaking_off_settles_the_row() -> None:
    b = Bench(ScriptedProvider([{"a": 1}], name="p0", delay_s=30))
    task = asyncio.create_task(b.ask()(REQUEST))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert b.outcomes() == [("p0", "cancelled")]
    assert b.ledger.rows[0].cost_usd is None


async def test_rate_limits_make_calls_wait_their_turn() -> None:
    b = bench([{"a": 1}])
    ask = b.ask(limits={"p0/model-1": RateLimit(requests=6)})
    for _ in range(3):
        await ask(REQUEST)
    assert b.clock.waits == pytest.approx([10, 20])
    assert [request.timeout_s for request in b.providers[0].asked] == pytest.approx([100, 90, 80])


async def test_a_queue_that_is_too_long_fails_over_without_an_exchange() -> None:
    b = bench([{"a": 1}], [{"a": 2}])
    ask = b.ask(limits={"p0/model-1": RateLimit(tokens=1000)})
    assert [(await ask(REQUEST)).parsed for _ in range(2)] == [{"a": 1}, {"a": 1}]
    b.ledger.bookings["p0/model-1"] = b.ledger.bookings["p0/model-1"].model_copy(update={"tokens_until": 500.0})
    assert (await ask(REQUEST)).parsed == {"a": 2}
    assert b.outcomes() == [("p0", "completed"), ("p0", "completed"), ("p1", "completed")]


async def test_a_schedule_that_cannot_be_put_right_loses_no_paid_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench([{"a": 1}])

    async def fail(*_: Any, **__: Any) -> None:
        raise errors.Unavailable("storage is away")

    monkeypatch.setattr(b.ledger, "correct", fail)
    limits = {"p0/model-1": RateLimit(tokens=1_000_000)}
    with pytest.raises(errors.Unavailable):
        await b.ask(limits=limits)(REQUEST)
    assert b.outcomes() == [("p0", "completed")]
    assert (await b.ask(limits=limits)(REQUEST)).parsed == {"a": 1}
    assert len(b.providers[0].asked) == 1
