"""What JSONB makes of a value, done before hashing: what is read back then has the hash that was stored."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from botarmy.errors import InputError

_LARGEST_PLAIN = 1e16
"""From here on Python writes floats with an exponent, and Postgres gives whole ones back as integers."""


def plain(value: Any) -> Any:
    """Return the JSON value as JSONB will give it back.

    Raises:
        InputError: it holds something that JSONB cannot: NUL characters, NaN, infinity, other types.
    """
    if isinstance(value, dict):
        return {_text(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str | Decimal | UUID):
        return _text(str(value))
    if isinstance(value, datetime):
        return value.isoformat()
    raise InputError(f"A {type(value).__name__} cannot be stored as JSON.")


def _text(value: str) -> str:
    if "\0" in value:
        raise InputError("The text has a NUL character, which Postgres cannot store.")
    return value


def _number(value: float) -> float | int:
    if not math.isfinite(value):
        raise InputError("NaN and infinity cannot be stored as JSON.")
    if abs(value) >= _LARGEST_PLAIN:
        return int(Decimal(repr(value)))
    return value + 0.0  # minus zero becomes zero
