"""What reaches a screen. All text from the database is untrusted: it can show itself, and do nothing else.

rich is imported only when stdout is a terminal; a pipe gets plain columns.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import click

from botarmy.unsafe_text import UNSAFE

NO_NOTES: Mapping[int, str] = MappingProxyType({})
_STATUS_COLOURS = {
    "completed": "green",
    "approved": "green",
    "passed": "green",
    "pass": "green",
    "verified": "green",
    "ok": "green",
    "met": "green",
    "running": "cyan",
    "waiting": "yellow",
    "needs approval": "yellow",
    "warn": "yellow",
    "unverified": "yellow",
    "uncovered": "yellow",
    "missed": "red",
    "failed": "red",
    "fail": "red",
    "rejected": "red",
    "reject": "red",
    "stopped": "red",
}


def clean(text: str) -> str:
    """Remove what would move the cursor, hide or reorder text; newlines and tabs stay."""
    return UNSAFE.sub("", text.replace("\r\n", "\n"))


def one_line(text: str, limit: int = 0) -> str:
    """Clean text on one line, cut to `limit` characters with an ellipsis (0: not cut)."""
    line = " ".join(clean(text).split())
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def to_json(value: Any) -> str:
    """Serialise for scripts: readable characters stay, the unsafe ones are escaped, as JSON allows."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
    return UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def write_json(value: Any) -> None:
    """Print a value as JSON on stdout."""
    click.echo(to_json(value))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def say(text: str = "") -> None:
    """Print cleaned text on stdout."""
    click.echo(clean(text))


def is_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout.isatty()


def heading(text: str) -> None:
    """Print a heading: bold on a terminal, plain elsewhere."""
    click.secho(one_line(text), bold=True)


def when(moment: datetime | None) -> str:
    """Show a time in UTC to the second; empty for none."""
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")


def write_table(columns: Sequence[str], rows: Sequence[Sequence[str]], notes: Mapping[int, str] = NO_NOTES) -> None:
    """Print rows under their columns; every cell is one cleaned line.

    Args:
        columns: the heads of the columns.
        rows: the cells.
        notes: number of a row, from 0 -> what is said below it on a line of its own, in full.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    said = {row: one_line(note) for row, note in notes.items()}
    if is_terminal():
        _write_rich(columns, cells, said)
    else:
        _write_plain(columns, cells, said)


def _write_rich(columns: Sequence[str], rows: list[list[str]], notes: Mapping[int, str]) -> None:
    from rich.console import Console  # only a terminal needs it
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # The last column takes what room is left and folds; words of the others are never broken where it can be helped.
        table.add_column(column, overflow="fold", no_wrap=column != columns[-1])
    for at, row in enumerate(rows):
        table.add_row(*(Text(cell, style=_STATUS_COLOURS.get(cell, "")) for cell in row))
        if at in notes:
            table.add_row(*[""] * (len(columns) - 1), Text(notes[at]))
    Console().print(table)


def _write_plain(columns: Sequence[str], rows: list[list[str]], notes: Mapping[int, str]) -> None:
    widths = [max(_width(row[index]) for row in [list(columns), *rows]) for index in range(len(columns))]
    for at, row in enumerate([list(columns), *rows], start=-1):
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(padded).rstrip())
        if at in notes:
            click.echo(f"    {notes[at]}")


def _width(text: str) -> int:
    """Columns that the text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
