"""The retry policy: waits within bounds, and the right step after each failure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botarmy import errors
from botarmy.completion import CompletionRequest, Message
from botarmy.retry import Action, Cooldowns, RetryPolicy, Step, delay, next_step, repair_request
from botarmy.retry_after import retry_after_seconds

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
POLICY = RetryPolicy()


def step(error: errors.ProviderError, *, tries: int = 1, repairs: int = 0, remaining: float = 600.0) -> Step:
    return next_step(POLICY, error, tries=tries, repairs=repairs, remaining_s=remaining, random=lambda: 0.5)


@given(
    tries=st.integers(1, 2000),
    asked=st.none() | st.floats(0, 1e6),
    random=st.floats(0, 1, exclude_max=True),
    cap=st.floats(0.1, 600),
    base=st.floats(0.01, 60),
)
def test_waits_stay_within_bounds(tries: int, asked: float | None, random: float, cap: float, base: float) -> None:
    policy = RetryPolicy(cap_s=cap, base_s=base)
    wait = delay(policy, tries, asked, random)
    assert 0 <= wait <= cap * 1.1
    if asked is not None:
        assert wait >= min(asked, cap)
    else:
        assert wait <= base * 2.0 ** min(tries - 1, 60) * 1.5


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.RateLimited("x", retry_after=7.0), Step(action=Action.wait, wait_s=7.35)),
        (errors.RateLimited("x", retry_after=61.0), Step(action=Action.fail_over, cooldown_s=61.0)),
        (errors.Overloaded("x"), Step(action=Action.wait, wait_s=1.0)),
        (errors.QuotaExhausted("x"), Step(action=Action.fail_over, cooldown_s=3600)),
        (errors.AuthenticationFailed("x"), Step(action=Action.fail_over, cooldown_s=3600)),
        (errors.BadRequest("x"), Step(action=Action.fail_over)),
        (errors.ContextTooLong("x"), Step(action=Action.fail_over)),
        (errors.RecordingMissing("x"), Step(action=Action.give_up)),
        (errors.InvalidOutput("x"), Step(action=Action.repair)),
        (errors.ToolCallsOnly("x"), Step(action=Action.repair)),
        (errors.EmptyAnswer("x"), Step(action=Action.wait, wait_s=1.0)),
        (errors.Truncated("x"), Step(action=Action.fail_over)),
        (errors.Refused("x"), Step(action=Action.fail_over)),
        (errors.Filtered("x"), Step(action=Action.fail_over)),
        (errors.UnknownFailure("x"), Step(action=Action.fail_over)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_step_after_each_failure(error: errors.ProviderError, expected: Step) -> None:
    got = step(error)
    assert got.action is expected.action
    assert (got.wait_s, got.cooldown_s) == pytest.approx((expected.wait_s, expected.cooldown_s))


def test_limits_end_in_failover() -> None:
    assert step(errors.ServerFault("x"), tries=5).action is Action.fail_over
    assert step(errors.ServerFault("x"), remaining=0.5).action is Action.fail_over
    assert step(errors.InvalidOutput("x"), repairs=2).action is Action.fail_over


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After-Ms": "1500", "retry-after": "9"}, None, 1.5),
        ({"retry-after": "9"}, None, 9.0),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT"}, None, 30.0),
        ({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, None, 0.0),
        ({"retry-after": "soon"}, None, None),
        ({"retry-after": "-3"}, None, None),
        ({"retry-after": "inf"}, None, None),
        ({}, {"error": {"details": [{"@type": "x"}, {"@type": "…RetryInfo", "retryDelay": "17.5s"}]}}, 17.5),
        ({}, [{"error": {"details": [{"retryDelay": "2s"}]}}], 2.0),
        ({}, {"error": {"details": [{"retryDelay": "later"}, 3]}}, None),
        ({}, {"error": "text"}, None),
        ({}, [], None),
    ],
)
def test_retry_after_in_every_form(headers: dict[str, str], body: object, seconds: float | None) -> None:
    assert retry_after_seconds(headers, body, NOW) == seconds


def test_repair_shows_the_answer_and_its_problems() -> None:
    request = CompletionRequest(
        role="r", purpose="p", inputs={}, messages=(Message(role="user", content="q"),), output_schema={}
    )
    turns = repair_request(request, errors.InvalidOutput("m", text="{}", problems=("a is missing",))).messages
    assert [turn.role for turn in turns] == ["user", "assistant", "user"]
    assert "- a is missing" in turns[-1].content
    tools = repair_request(request, errors.ToolCallsOnly("m")).messages
    assert [turn.role for turn in tools] == ["user", "user"]


class StillClock:
    time = 100.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_a_longer_cooldown_stays() -> None:
    clock = StillClock()
    cooldowns = Cooldowns(clock)
    cooldowns.start("a", "m", 60)
    cooldowns.start("a", "m", 10)
    assert cooldowns.remaining("a", "m") == 60
    assert cooldowns.remaining("b", "m") == 0
    clock.time += 61
    assert cooldowns.remaining("a", "m") == 0
