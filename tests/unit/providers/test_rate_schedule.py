"""The schedule of rate limits: no minute holds more than the limit, whatever comes when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botarmy.errors import SettingsError
from botarmy.rate_limit import Booking, RateLimit, booked, parse_rate_limits, wait_s


def starts(limit: RateLimit, gaps: list[float], tokens: int = 1) -> list[float]:
    """When calls begin that come after these gaps."""
    booking, now, begun = Booking(), 1000.0, []
    for gap in gaps:
        now += gap
        begun.append(now + wait_s(limit, booking, now))
        booking = booked(limit, booking, now, tokens)
    return begun


@given(limit=st.integers(1, 300), gaps=st.lists(st.floats(0, 3) | st.just(0.0), min_size=1, max_size=400))
def test_no_minute_holds_more_requests_than_the_limit(limit: int, gaps: list[float]) -> None:
    begun = sorted(starts(RateLimit(requests=limit), gaps))
    for number, start in enumerate(begun):
        within = [other for other in begun[number:] if other < start + 60 - 1e-6]
        assert len(within) <= limit


@given(st.integers(1, 1000))
def test_the_limit_is_used(limit: int) -> None:
    begun = starts(RateLimit(requests=limit), [0.0] * (limit * 3))
    assert begun[-1] - begun[0] <= 60 * 3 * (1 if limit < 10 else 1.12)


def test_a_tenth_may_come_at_once_and_a_quiet_time_is_not_saved_up() -> None:
    begun = starts(RateLimit(requests=100), [0.0] * 10 + [3600.0] + [0.0] * 11)
    assert begun[9] == pytest.approx(begun[0])
    assert begun[19] == pytest.approx(begun[10])
    assert begun[21] > begun[10] + 0.5


def test_tokens_take_their_time() -> None:
    begun = starts(RateLimit(tokens=6000), [0.0] * 4, tokens=1000)
    waits = [later - begun[0] for later in begun]
    assert waits == pytest.approx([0, 4.45, 15.56, 26.67], abs=0.01)


def test_limits_are_read_with_all_their_problems() -> None:
    assert parse_rate_limits({"openai/gpt-4o": {"requests": 5}}, "f")["openai/gpt-4o"] == RateLimit(requests=5)
    with pytest.raises(SettingsError) as caught:
        parse_rate_limits({"x": {"requests": 0}, "a/b": {}, "a/c": {"tokens": "many"}}, "limits.json")
    for part in ("limits.json", "x: requests", "'x' is not of the form", "a/b: ", "must limit", "a/c: tokens"):
        assert part in caught.value.message
    with pytest.raises(SettingsError, match="are no object"):
        parse_rate_limits([], "f")
