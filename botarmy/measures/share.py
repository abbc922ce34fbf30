"""The one way in which counted things become a measure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from botarmy.records import Measure

MAX_REASONS = 50


def share(name: str, total: int, problems: Sequence[str], *, nothing: str, limit: int = MAX_REASONS) -> Measure:
    """Return the share of `total` things that have no problem, one reason for each that has.

    Args:
        name: the measure's name.
        total: how many things were judged.
        problems: one sentence for each thing that does not hold; at most `total`.
        nothing: the reason to give when there was nothing to judge; the value is then unknown, not 1.
        limit: most reasons that are listed; how many more there are is said.
    """
    if total == 0:
        return Measure(name=name, value=None, reasons=(nothing,))
    return Measure(name=name, value=(total - len(problems)) / total, reasons=bounded(problems, limit))


def bounded(reasons: Iterable[str], limit: int = MAX_REASONS) -> tuple[str, ...]:
    """Return at most `limit` reasons, and how many more there were."""
    found = tuple(reasons)
    return found if len(found) <= limit else (*found[:limit], f"and {len(found) - limit} more")


def unknown(names: Iterable[str], known: Collection[str], what: str) -> str:
    """Return what is wrong with references: none at all, or some that lead nowhere; empty when all is well."""
    named = list(names)
    if not named:
        return f"names no {what}"
    lost = [name for name in named if name not in known]
    return f"names {', '.join(lost)}, which {'is' if len(lost) == 1 else 'are'} no {what} here" if lost else ""


def excerpt(text: str, length: int = 100) -> str:
    """Return text on one line, cut to a length in characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
