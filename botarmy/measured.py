"""How measures are told: what was measured, and what the gate's criteria made of it. A measure by itself fails nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botarmy.records import Criterion, Evidence, Record

MEASURED = "measures"
"""Name of the evidence row that keeps what was measured on the artifacts themselves, without a process."""

MET, MISSED, UNKNOWN, NO_CRITERION = "met", "missed", "unknown", "no criterion"


class MeasureLine(Record):
    """One measure of a phase.

    Attributes:
        value: a share from 0 to 1; None where it could not be measured.
        wanted: what the gate wants of it; None where no criterion names it.
        criterion: "met", "missed" or "unknown"; "no criterion" where the gate has none for it (it may count in the quality).
    """

    name: str
    value: float | None
    wanted: float | None
    criterion: str


def shown_outcome(check: str, outcome: str) -> str:
    """Return the word for an evidence row: "measured" for measures, which only the gate's criteria judge."""
    return "measured" if check == MEASURED else outcome


def measure_lines(evidence: Iterable[Evidence], criteria: Iterable[Criterion]) -> tuple[MeasureLine, ...]:
    """Return the measures of an attempt, each with what the verdict's criteria made of it.

    Args:
        evidence: the attempt's rows; where an amendment was measured again, the last counts.
        criteria: those of the verdict; empty before there is one.
    """
    rows = [each for each in evidence if each.check == MEASURED]
    return lines_of(rows[-1].figures, criteria) if rows else ()


def lines_of(figures: Mapping[str, Any], criteria: Iterable[Criterion]) -> tuple[MeasureLine, ...]:
    """Return a line for each measured figure, in the order of the figures."""
    judged = {each.name: each for each in criteria}
    return tuple(_line(name, value, judged.get(name)) for name, value in figures.items())


def _line(name: str, value: float | None, judged: Criterion | None) -> MeasureLine:
    if judged is None:
        return MeasureLine(name=name, value=value, wanted=None, criterion=NO_CRITERION)
    word = MET if judged.met else MISSED if judged.got is not None else UNKNOWN
    return MeasureLine(name=name, value=value, wanted=judged.wanted, criterion=word)


def value_words(value: float | None) -> str:
    """Write a measured share; unknown is not zero."""
    return UNKNOWN if value is None else f"{value:.4g}"


def line_words(line: MeasureLine) -> str:
    """Write a measure in a few words: "coverage 0.74 (met: 0.7 wanted)"."""
    wanted = "" if line.wanted is None else f": {line.wanted:.4g} wanted"
    return f"{line.name} {value_words(line.value)} ({line.criterion}{wanted})"
