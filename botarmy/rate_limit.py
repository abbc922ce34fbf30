"""Rate limits as a schedule: when may the next call begin? The generic cell rate algorithm, pure.

One number per limit is kept: the time until which it is booked. Each call books its share of a minute after it; a
call may begin when no more than a small burst is booked ahead. Whoever books must hold the number exclusively.
"""

from __future__ import annotations

from pydantic import Field, ValidationError, model_validator

from botarmy.errors import SettingsError
from botarmy.records import Record

MINUTE_S = 60.0
_BURST_SHARE = 10  # a tenth of a minute's calls may come at once


class RateLimit(Record):
    """Limits of one provider and model. None is no limit.

    In no span of a minute do more than `requests` calls begin. Tokens are booked as estimated before a call and put
    right after it, so a minute can pass `tokens` by what is wrong with the estimates that are under way.
    """

    requests: int | None = Field(default=None, ge=1)
    tokens: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _limits_something(self) -> RateLimit:
        if self.requests is None and self.tokens is None:
            raise ValueError("must limit requests or tokens")
        return self


class Booking(Record):
    """Until when each limit is booked, in seconds of one clock that all workers share."""

    requests_until: float = 0.0
    tokens_until: float = 0.0


def share_s(limit: int, amount: int) -> float:
    """Return how many seconds of the schedule an amount takes, so that no minute holds more than the limit."""
    return amount * MINUTE_S / (limit - _burst(limit) + 1)


def _burst(limit: int) -> int:
    return max(1, limit // _BURST_SHARE)


def _wait(limit: int, until: float, now: float) -> float:
    ahead = (_burst(limit) - 1) * share_s(limit, 1)
    return max(0.0, until - ahead - now)


def set_back(booking: Booking, seconds: float) -> Booking:
    """Return the booking on a clock that was set back by so many seconds since it was written; 0 or less: it was not.

    Otherwise nobody would get a turn until the clock is where it was before.
    """
    back = max(0.0, seconds)
    return Booking(requests_until=booking.requests_until - back, tokens_until=booking.tokens_until - back)


def wait_s(limit: RateLimit, booking: Booking, now: float) -> float:
    """Return how long a call must wait before it may begin."""
    waits = [0.0]
    if limit.requests is not None:
        waits.append(_wait(limit.requests, booking.requests_until, now))
    if limit.tokens is not None:
        waits.append(_wait(limit.tokens, booking.tokens_until, now))
    return max(waits)


def booked(limit: RateLimit, booking: Booking, now: float, tokens: int) -> Booking:
    """Return the booking with one more call of so many tokens, which begins after its wait."""
    start = now + wait_s(limit, booking, now)
    requests, token_limit = booking.requests_until, booking.tokens_until
    if limit.requests is not None:
        requests = max(requests, start) + share_s(limit.requests, 1)
    if limit.tokens is not None:
        token_limit = max(token_limit, start) + share_s(limit.tokens, tokens)
    return Booking(requests_until=requests, tokens_until=token_limit)


def parse_rate_limits(data: object, source: str) -> dict[str, RateLimit]:
    """Read {"provider/model": {"requests": 500, "tokens": 200000}}, limits a minute.

    Raises:
        SettingsError: every problem in one message.
    """
    hint = 'It must look like {"openai/gpt-4o": {"requests": 500, "tokens": 200000}}.'
    if not isinstance(data, dict):
        raise SettingsError(f"the rate limits in {source} are no object", hint=hint)
    limits: dict[str, RateLimit] = {}
    problems: list[str] = []
    for name, value in data.items():
        try:
            limits[name] = RateLimit.model_validate(value)
        except ValidationError as error:
            problems += [
                f"{name}: {'.'.join(map(str, e['loc']))} {e['msg']}".replace(":  ", ": ") for e in error.errors()
            ]
        if "/" not in name:
            problems.append(f"{name!r} is not of the form provider/model")
    if problems:
        raise SettingsError(f"the rate limits in {source} are wrong: " + "; ".join(problems), hint=hint)
    return limits
