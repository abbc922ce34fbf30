"""How reading stores reach the database: one callable, with one implementation here and one in a unit of work."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import psycopg
from psycopg.rows import namedtuple_row

_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")


class Rows(Protocol):
    """Runs a query with `:name` parameters; rows have their columns as attributes."""

    async def __call__(self, query: str, /, **values: Any) -> Sequence[Any]:
        """Return all rows."""
        ...


class PlainRows:
    """Rows from a bare psycopg connection."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def __call__(self, query: str, /, **values: Any) -> Sequence[Any]:
        """Return all rows."""
        spelled = _PARAMETER.sub(r"%(\1)s", query.replace("%", "%%"))
        async with self._connection.cursor(row_factory=namedtuple_row) as cursor:
            await cursor.execute(spelled.encode(), values)
            return await cursor.fetchall()


def near(wanted: str, known: Iterable[str]) -> str:
    """Return a hint with the names most like the wanted one, or ""."""
    like = difflib.get_close_matches(wanted, list(known), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(like)}?" if like else ""
