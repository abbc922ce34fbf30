"""What to do after a failed call: wait, repair, or fail over. Pure; the loop that acts on it is in tasks/calls.py."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from pydantic import Field

from botarmy.completion import CompletionRequest, Message
from botarmy.errors import (
    AuthenticationFailed,
    EmptyAnswer,
    Filtered,
    InvalidOutput,
    NotFound,
    PermissionDenied,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RecordingMissing,
    Refused,
    ToolCallsOnly,
    Truncated,
)
from botarmy.records import Record

_SHOWN_ANSWER = 20_000  # characters of a wrong answer that the model gets to see again


class Clock(Protocol):
    """Time, injected so that tests never really wait."""

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class RetryPolicy(Record):
    """Limits of the retry loop.

    Attributes:
        max_tries: calls to one provider for one request, repairs not counted.
        base_s: mean of the first wait; it doubles with each try.
        cap_s: longest wait; a vendor that asks for more is left for the next one.
        cooldown_s: how long a provider that gave up comes last.
        quota_cooldown_s: the same after an exhausted quota or a refused key.
        repairs: turns in which a model may mend an answer that does not fit the schema.
    """

    max_tries: int = Field(default=5, ge=1)
    base_s: float = Field(default=1.0, gt=0)
    cap_s: float = Field(default=60.0, gt=0)
    cooldown_s: float = Field(default=60.0, ge=0)
    quota_cooldown_s: float = Field(default=3600.0, ge=0)
    repairs: int = Field(default=2, ge=0)


class Action(StrEnum):
    """What comes next."""

    wait = "wait"
    repair = "repair"
    fail_over = "fail over"
    give_up = "give up"


class Step(Record):
    """What comes next: how long to wait before it, and how long the provider cools down."""

    action: Action
    wait_s: float = 0.0
    cooldown_s: float = 0.0


def next_step(
    policy: RetryPolicy,
    error: ProviderError,
    *,
    tries: int,
    repairs: int,
    remaining_s: float,
    random: Callable[[], float],
) -> Step:
    """Decide after a failure.

    Args:
        policy: the limits.
        error: what happened.
        tries: calls made to this provider for this request, this one included, repairs not counted.
        repairs: repair turns used up.
        remaining_s: seconds until the total deadline.
        random: a number in [0, 1).
    """
    if isinstance(error, RecordingMissing):
        return Step(action=Action.give_up)
    if isinstance(error, InvalidOutput):
        return _after_invalid(policy, error, tries=tries, repairs=repairs, remaining_s=remaining_s, random=random)
    if isinstance(error, QuotaExhausted | AuthenticationFailed | PermissionDenied | NotFound):
        return Step(action=Action.fail_over, cooldown_s=max(policy.quota_cooldown_s, error.retry_after or 0.0))
    if isinstance(error, ProviderUnavailable):
        return _after_unavailable(policy, error, tries=tries, remaining_s=remaining_s, random=random)
    return Step(action=Action.fail_over)


def _after_invalid(
    policy: RetryPolicy,
    error: InvalidOutput,
    *,
    tries: int,
    repairs: int,
    remaining_s: float,
    random: Callable[[], float],
) -> Step:
    if isinstance(error, EmptyAnswer):
        return _after_unavailable(policy, error, tries=tries, remaining_s=remaining_s, random=random)
    if isinstance(error, Refused | Filtered | Truncated) or repairs >= policy.repairs:
        return Step(action=Action.fail_over)
    return Step(action=Action.repair)


def _after_unavailable(
    policy: RetryPolicy, error: ProviderError, *, tries: int, remaining_s: float, random: Callable[[], float]
) -> Step:
    cooldown = max(policy.cooldown_s, error.retry_after or 0.0)
    if tries >= policy.max_tries:
        return Step(action=Action.fail_over, cooldown_s=cooldown)
    wait = delay(policy, tries, error.retry_after, random())
    if (error.retry_after or 0.0) > policy.cap_s or wait >= remaining_s:
        return Step(action=Action.fail_over, cooldown_s=cooldown)
    return Step(action=Action.wait, wait_s=wait)


def delay(policy: RetryPolicy, tries: int, retry_after: float | None, random: float) -> float:
    """Return how long to wait before the next try, in seconds.

    What the vendor asks for is kept to, with up to a tenth more so that clients do not return in step; else the wait
    doubles with each try, spread over half to one and a half of it. It never exceeds the cap, except by that tenth.
    """
    if retry_after is not None:
        return float(min(retry_after, policy.cap_s) * (1 + random / 10))
    # The exponent is bounded: 2.0**1100 would overflow long after the cap is reached.
    mean = policy.base_s * 2.0 ** min(tries - 1, 60)
    return float(min(policy.cap_s, mean * (0.5 + random)))


def repair_request(request: CompletionRequest, error: InvalidOutput) -> CompletionRequest:
    """Return the request that shows the model its answer and what is wrong with it."""
    turns = [*request.messages]
    if error.text.strip():
        turns.append(Message(role="assistant", content=error.text[:_SHOWN_ANSWER]))
    problems = "\n".join(f"- {problem}" for problem in error.problems or (error.message,))
    what = "Do not call tools; answer in JSON." if isinstance(error, ToolCallsOnly) else "Your answer cannot be used:"
    turns.append(Message(role="user", content=f"{what}\n{problems}\nGive the whole answer again, corrected."))
    return request.model_copy(update={"messages": tuple(turns)})


class Cooldowns:
    """Until when which provider comes last. Times are the clock's seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str], float] = {}

    def start(self, provider: str, model: str, seconds: float) -> None:
        """Let a provider's model cool down; a longer cooldown that runs already stays."""
        until = self._clock.now() + seconds
        self._until[provider, model] = max(until, self._until.get((provider, model), 0.0))

    def remaining(self, provider: str, model: str) -> float:
        """Return the seconds left; 0 when it may be used."""
        return max(0.0, self._until.get((provider, model), 0.0) - self._clock.now())
