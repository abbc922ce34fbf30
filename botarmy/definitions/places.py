"""From an offset in a YAML value back to the line and column of the file."""

from __future__ import annotations

from botarmy.definitions.source import Position, Source
from botarmy.definitions.tree import Scalar


def place_in(source: Source, scalar: Scalar, offset: int) -> Position:
    """Return where the character `offset` of a scalar's text stands in the file.

    Literal blocks map line by line. Folded, quoted and plain texts are aligned with the file: white space and escapes
    differ there, so the place is exact to the character but for characters written as escapes.
    """
    offset = max(0, min(offset, len(scalar.text)))
    if scalar.style == "|":
        return _in_literal(source, scalar, offset)
    return _aligned(source, scalar, offset)


def line_offset(text: str, line: int) -> int:
    """Return the offset at which a 1-based line of a text begins."""
    at = 0
    for _ in range(line - 1):
        found = text.find("\n", at)
        if found < 0:
            break
        at = found + 1
    return at


def _in_literal(source: Source, scalar: Scalar, offset: int) -> Position:
    before = scalar.text[:offset]
    row = before.count("\n")
    column = offset - (before.rfind("\n") + 1)
    line = scalar.line + 1 + row
    value_line = scalar.text.split("\n")[row]
    if line < len(source.lines):
        here = source.lines[line]
        indent = len(here) - len(value_line) if value_line and here.endswith(value_line) else 0
        return source.at(line, indent + column)
    return source.at(scalar.line, scalar.column)


def _aligned(source: Source, scalar: Scalar, offset: int) -> Position:
    line, column = scalar.line, scalar.column
    if scalar.style == ">":
        line, column = line + 1, 0
    elif scalar.style:
        column += 1
    last = scalar.last_line
    for char in scalar.text[:offset]:
        if not char.isspace():
            line, column = _next(source, line, column, char, last)
            column += 1
    wanted = scalar.text[offset : offset + 1]
    if wanted and not wanted.isspace():
        line, column = _next(source, line, column, wanted, last)
    return source.at(line, column)


def _next(source: Source, line: int, column: int, char: str, last: int) -> tuple[int, int]:
    """Return the next place of a character, or the place given when there is none (it was written as an escape)."""
    row, start = line, column
    while row <= last and row < len(source.lines):
        found = source.lines[row].find(char, start)
        if found >= 0:
            return row, found
        row, start = row + 1, 0
    return line, column
