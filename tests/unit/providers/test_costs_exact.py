"""Sums of costs equal the rows to the last digit, however they are grouped."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, localcontext
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from botarmy.costs import DIMENSIONS, cost_lines, total
from botarmy.records import LLMCall


def call(outcome: str = "completed", cost: Decimal | None = None, **fields: object) -> LLMCall:
    common: dict[str, object] = {
        "id": UUID(int=1),
        "project_id": UUID(int=1),
        "phase": "Plan",
        "attempt": 1,
        "ordinal": 0,
        "key": "k",
        "role": "analyst",
        "purpose": "p",
        "provider": "openai",
        "model": "m",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return LLMCall.model_validate({**common, "outcome": outcome, "cost_usd": cost, **fields})


COSTS = st.none() | st.decimals(0, 10**12, allow_nan=False, allow_infinity=False, places=28)
CALLS = st.builds(
    call,
    outcome=st.sampled_from(["completed", "repeated", "rate-limited", "reserved", "abandoned"]),
    cost=COSTS,
    phase=st.sampled_from(["Plan", "Build"]),
    role=st.sampled_from(["analyst", "coder"]),
    model=st.sampled_from(["m", "n"]),
    input_tokens=st.integers(0, 10**9),
)


@given(st.lists(CALLS, max_size=30), st.lists(st.sampled_from(DIMENSIONS), unique=True))
def test_the_sum_equals_the_rows(calls: list[LLMCall], dimensions: list[str]) -> None:
    ended = [one for one in calls if one.outcome != "reserved"]
    lines = cost_lines(calls, dimensions)
    with localcontext(prec=300):
        exact = sum((one.cost_usd for one in ended if one.cost_usd is not None), Decimal(0))
        assert sum((line.known_usd for line in lines), Decimal(0)) == exact == total(calls).known_usd
    assert sum(line.calls for line in lines) == len(ended)
    assert sum(line.unknown for line in lines) == sum(one.cost_usd is None for one in ended)
    assert sum(line.input_tokens for line in lines) == sum(one.input_tokens for one in ended)


def test_lines_are_grouped_and_sorted() -> None:
    lines = cost_lines(
        [call(cost=Decimal(1)), call(cost=Decimal(2), role="coder"), call("refused", role="coder")], ("role", "model")
    )
    assert [(line.key, line.calls, line.failed, line.unknown) for line in lines] == [
        (("coder", "m"), 2, 1, 1),
        (("analyst", "m"), 1, 0, 0),
    ]


def test_nothing_is_nothing() -> None:
    assert total([]).calls == 0
    assert cost_lines([], ("role",)) == ()
