"""When the supervisor starts again what ended: later after each short life, soon again after a good one."""

from __future__ import annotations

from flows.children import Restarts


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def die_and_restart(restarts: Restarts, clock: Clock, lived_s: float) -> float:
    clock.now += lived_s
    pause = restarts.ended()
    assert pause is not None
    assert restarts.ended() is None, "one death is noted once"
    assert not restarts.due
    clock.now += pause
    assert restarts.due
    restarts.started()
    assert not restarts.due
    return pause


def test_short_lives_make_the_pause_longer_up_to_a_limit() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    assert [die_and_restart(restarts, clock, 0.1) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_good_life_makes_the_pause_short_again() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    pauses = [die_and_restart(restarts, clock, lived) for lived in (0.1, 0.1, 0.1, 61.0, 0.1)]
    assert pauses == [1, 2, 4, 1, 2]


def test_a_start_that_comes_to_nothing_waits_longer() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    assert restarts.ended() == 1
    clock.now += 20  # the start itself takes its time
    assert restarts.failed() == 2
    assert not restarts.due
    clock.now += 2
    assert restarts.due
