"""Which limits hold where several sentences speak of one field: the narrowest of the brief, or a reviewer's later word.

A sentence whose limit does not hold any more must not demand it: its facts get the limit that holds, and where a
reviewer's comment has changed it, its text says which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from providers.offline.understand_facts import Fact, FieldFact, InitialFact
from providers.offline.understand_limits import Limit

_SHOWN = 100
_CHANGED = re.compile(r" \(changed by FB\d+ “.*”\)$", re.DOTALL)
_Bound = tuple[float, bool]
"""A bound, and whether it is no part of the range itself."""


class _Said(Protocol):
    text: str
    sources: tuple[str, ...]
    facts: tuple[Fact, ...]


def as_said(text: str) -> str:
    """Return a sentence without the note that comments have changed what it demands."""
    return _CHANGED.sub("", text)


def let_hold(statements: Sequence[_Said]) -> None:
    """Give every statement the limits that hold, and say in its text which comments have changed its own."""
    fields: dict[tuple[str, str], list[tuple[_Said, FieldFact]]] = {}
    for statement in statements:
        for fact in statement.facts:
            if isinstance(fact, FieldFact):
                fields.setdefault((fact.entity, fact.field), []).append((statement, fact))
    notes = {id(one): note for one in statements if (note := _note(one, statements))}
    for statement in statements:
        statement.facts = tuple(_holding(fact, fields) for fact in statement.facts)
    for statement in statements:
        statement.text += notes.get(id(statement), "")


def _is_comment(statement: _Said) -> bool:
    return any(source.startswith("FB") for source in statement.sources)


def _holding(fact: Fact, fields: dict[tuple[str, str], list[tuple[_Said, FieldFact]]]) -> Fact:
    if not isinstance(fact, FieldFact) or not fact.limits:
        return fact
    said = [
        (limit, _is_comment(statement))
        for statement, other in fields[fact.entity, fact.field]
        for limit in other.limits
    ]
    return replace(fact, limits=tuple(_held(limit, said) for limit in fact.limits))


def _held(limit: Limit, said: Sequence[tuple[Limit, bool]]) -> Limit:
    """Return the limit with those of its bounds that hold; a bound that it does not give stays away."""
    alike = [(other, comment) for other, comment in said if other.characters == limit.characters]
    low = _bound([(_low(other), comment) for other, comment in alike], max) if limit.low is not None else None
    high = _bound([(_high(other), comment) for other, comment in alike], min) if limit.high is not None else None
    return replace(
        limit,
        low=low and low[0],
        open_low=bool(low and low[1]),
        high=high and high[0],
        open_high=bool(high and not high[1]),
    )


def _low(limit: Limit) -> _Bound | None:
    """Return the lower bound; of two equal ones the open one is the larger."""
    return None if limit.low is None else (limit.low, limit.open_low)


def _high(limit: Limit) -> _Bound | None:
    """Return the upper bound; of two equal ones the open one is the smaller."""
    return None if limit.high is None else (limit.high, not limit.open_high)


def _bound(said: Sequence[tuple[_Bound | None, bool]], narrower: Callable[[list[_Bound]], _Bound]) -> _Bound | None:
    """Return the bound that holds: the narrowest of the brief, or the last that a comment gave."""
    held: _Bound | None = None
    for bound, comment in said:
        if bound is not None:
            held = bound if comment or held is None else narrower([held, bound])
    return held


def _note(statement: _Said, statements: Sequence[_Said]) -> str:
    """Name the comments that have changed what the statement demands; empty where none has."""
    place = next(number for number, one in enumerate(statements) if one is statement)
    later = [one for one in statements[place + 1 :] if _is_comment(one) and any(_changes(statement, one))]
    shown = ", ".join(f"{one.sources[0]} “{_excerpt(one.text)}”" for one in later)
    return f" (changed by {shown})" if shown else ""


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1].rstrip() + "…"


def _changes(old: _Said, new: _Said) -> Iterator[bool]:
    for fact in old.facts:
        for other in new.facts:
            if isinstance(fact, FieldFact) and isinstance(other, FieldFact):
                same = (fact.entity, fact.field) == (other.entity, other.field)
                yield same and (_other_limits(fact, other) or _other_demands(fact, other))
            elif isinstance(fact, InitialFact) and isinstance(other, InitialFact):
                yield fact.entity == other.entity and fact.state != other.state


def _other_limits(old: FieldFact, new: FieldFact) -> bool:
    return any(
        differ
        for one in old.limits
        for other in new.limits
        if one.characters == other.characters
        for differ in (_differs(_low(one), _low(other)), _differs(_high(one), _high(other)))
    )


def _differs(old: _Bound | None, new: _Bound | None) -> bool:
    return old is not None and new is not None and old != new


def _other_demands(old: FieldFact, new: FieldFact) -> bool:
    other_values = bool(old.values and new.values) and set(old.values) != set(new.values)
    return other_values or (bool(old.required) and new.required is False)
