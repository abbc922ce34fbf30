"""Checks values against the rules of app/models.py before they reach the database."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from app.errors import Invalid
from app.schema import Entity, Field

LARGEST_INTEGER = 2**63 - 1  # what SQLite can hold
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)


def validate(entity: Entity, data: Any) -> dict[str, Any]:
    """Return the value of every field of the entity; what is not given is None.

    Raises:
        Invalid: with a reason for each field that breaks a rule.
    """
    if not isinstance(data, dict):
        raise Invalid("the body must be a JSON object")
    wrong = {name: _stranger(entity, name) for name in data if entity.field(name) is None}
    for field in entity.fields:
        reason = check_value(field, data.get(field.name))
        if reason:
            wrong[field.name] = reason
    if wrong:
        raise Invalid(f"{len(wrong)} field(s) of {entity.name} are not acceptable", wrong)
    return {field.name: data.get(field.name) for field in entity.fields}


def _stranger(entity: Entity, name: str) -> str:
    if name == "id":
        return "is given by the service"
    if entity.state and name == entity.state.field:
        return "changes only by actions"
    return "is not a field of " + entity.name


def check_value(field: Field, value: Any) -> str:
    """Return why the value is not acceptable for the field, or an empty string."""
    if value is None:
        return "is required" if field.required else ""
    return _TYPES[field.type](field, value) or _check_choice(field, value)


def _check_choice(field: Field, value: Any) -> str:
    if field.values and value not in field.values:
        return "must be one of: " + ", ".join(str(choice) for choice in field.values)
    return ""


def _check_string(field: Field, value: Any) -> str:
    reason = _check_text(value)
    if reason:
        return reason
    if field.required and not value.strip():
        return "is required and must not be blank"
    if field.min_length is not None and len(value) < field.min_length:
        return f"must have at least {field.min_length} characters"
    if field.max_length is not None and len(value) > field.max_length:
        return f"must have at most {field.max_length} characters"
    return ""


def _check_text(value: Any) -> str:
    if not isinstance(value, str):
        return "must be text"
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        return "must be valid Unicode text without NUL"
    return ""


def _check_integer(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return "must be a whole number"
    if abs(value) > LARGEST_INTEGER:
        return "is too large"
    return _check_range(field, value)


def _check_number(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    if abs(value) > LARGEST_INTEGER or not math.isfinite(value):
        return "is too large"
    return _check_range(field, value)


def _check_range(field: Field, value: float) -> str:
    if field.minimum is not None and value < field.minimum:
        return f"must be at least {field.minimum:g}"
    if field.maximum is not None and value > field.maximum:
        return f"must be at most {field.maximum:g}"
    return ""


def _check_boolean(_field: Field, value: Any) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _check_date(_field: Field, value: Any) -> str:
    return "" if _is_moment(value, DATE, date.fromisoformat) else "must be a date such as 2026-01-31"


def _check_datetime(_field: Field, value: Any) -> str:
    good = _is_moment(value, DATETIME, lambda text: datetime.fromisoformat(text.upper()))
    return "" if good else "must be a date and time with its offset, such as 2026-01-31T10:00:00Z"


def _is_moment(value: Any, shape: re.Pattern[str], parse: Callable[[str], object]) -> bool:
    if not isinstance(value, str) or not shape.fullmatch(value):
        return False
    try:
        parse(value)
    except ValueError:
        return False
    return True


def _check_reference(_field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return "must be the id of a record"
    return "" if 0 < value <= LARGEST_INTEGER else "does not exist"


_TYPES: dict[str, Callable[[Field, Any], str]] = {
    "string": _check_string,
    "text": _check_string,
    "integer": _check_integer,
    "number": _check_number,
    "boolean": _check_boolean,
    "date": _check_date,
    "datetime": _check_datetime,
    "reference": _check_reference,
}


def read_text(field: Field, text: str) -> Any:
    """Turn the text of a query or of a command line into a value of the field's type.

    Raises:
        Invalid: the text does not denote such a value.
    """
    try:
        return _read_text(field, text)
    except ValueError:
        raise Invalid(f"{field.name} cannot be read", {field.name: f"{text!r} is not of type {field.type}"}) from None


def _read_text(field: Field, text: str) -> Any:
    if field.type in ("integer", "reference"):
        if not INTEGER.fullmatch(text):
            raise ValueError(text)
        return int(text)
    if field.type == "number":
        return float(text)
    if field.type == "boolean":
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    return text
