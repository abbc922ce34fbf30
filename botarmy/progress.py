"""What a run tells while it goes: one small record per step, for the terminal and for the run's log."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from pydantic import Field

from botarmy.records import Record


class Progress(Record):
    """One step of a run.

    Attributes:
        phase: the phase's name, or "" for the run itself.
        agent: the agent's role, or "".
        attempt: number of the attempt, 0 for the run itself.
        step: "started", "asked", "answered", "checked", "saved", "verdict", "gate", "decided", "void", "retry", "ended".
        text: one line for a person.
        cost_usd: what has been spent on the project so far; None is unknown.
    """

    phase: str = ""
    agent: str = ""
    attempt: int = Field(default=0, ge=0)
    step: str
    text: str = ""
    cost_usd: Decimal | None = None


Report = Callable[[Progress], None]
"""Takes a step; must be quick and must not raise."""
