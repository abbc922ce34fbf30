"""Values that a field accepts, for examples in the product's README."""

from __future__ import annotations

from typing import Any

from providers.offline.service_model import Entity, Field


def sample(field: Field, number: int) -> Any:
    """Return a value that the field accepts; other numbers give other values where the rules leave room."""
    if field.references:
        return 1
    if field.values:
        return field.values[(number - 1) % len(field.values)]
    if field.type in {"integer", "number"}:
        return _number(field, number)
    if field.type == "boolean":
        return number % 2 == 1
    if field.type in {"date", "datetime"}:
        day = f"{2025 + number // 28}-01-{number % 28 + 1:02d}"
        return day if field.type == "date" else f"{day}T10:00:00Z"
    return _text(field, number)


def _number(field: Field, number: int) -> float:
    value = _exact_number(field, number)
    plain = round(value, 6)
    inside = (field.minimum is None or plain >= field.minimum) and (field.maximum is None or plain <= field.maximum)
    return plain if inside else value


def _exact_number(field: Field, number: int) -> float:
    if field.minimum is None:
        return number if field.maximum is None else field.maximum - number + 1
    if field.maximum is None:
        return field.minimum + number - 1
    if field.type == "number":
        return field.minimum + (field.maximum - field.minimum) * ((number - 1) % 8) / 8
    return field.minimum + (number - 1) % (int(field.maximum - field.minimum) + 1)


def _text(field: Field, number: int) -> str:
    text = f"{field.name.replace('_', ' ').capitalize()} {number}"
    if field.max_length is not None and len(text) > field.max_length:
        text = str(number).rjust(field.max_length, "0")[-field.max_length :] if field.max_length else ""
    return text.ljust(field.min_length or 0, "x")


def body(entity: Entity, number: int, known: frozenset[str]) -> dict[str, Any]:
    """Return a body; a reference is given where a record of its entity is known to exist with number 1."""
    return {field.name: sample(field, number) for field in entity.fields if field.required or _is_shown(field, known)}


def _is_shown(field: Field, known: frozenset[str]) -> bool:
    return field.references in known and not field.unique if field.references else field.possible
