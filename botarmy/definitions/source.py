"""A text with a name: turns positions into lines, columns and excerpts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from botarmy.records import digest

EXCERPT_WIDTH = 160
INVISIBLE = {ord(c): "\N{REPLACEMENT CHARACTER}" for c in map(chr, [*range(32), 127, *range(128, 160)])}


@dataclass(frozen=True)
class Position:
    """A place in a file; line and column count from 1, in characters."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True)
class Source:
    """The text of one file.

    Attributes:
        file: the path to show.
        text: the content, decoded.
        first_line: line of the file at which `text` begins (an embedded YAML block begins later).
    """

    file: str
    text: str
    first_line: int = 1
    sha256: str = field(default="")

    def __post_init__(self) -> None:
        if not self.sha256:
            object.__setattr__(self, "sha256", digest(self.text))

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends; only line feeds (and carriage returns before them) end a line."""
        return [line.removesuffix("\r") for line in self.text.split("\n")]

    def at(self, line: int, column: int = 0) -> Position:
        """Return the position of a 0-based line and column of `text`."""
        return Position(line + self.first_line, column + 1)

    def excerpt(self, position: Position) -> tuple[str, ...]:
        """Return the line of a position with a caret below it, control characters made harmless."""
        index = position.line - self.first_line
        if not 0 <= index < len(self.lines):
            return ()
        line = self.lines[index].replace("\t", " ").translate(INVISIBLE)
        start = max(0, position.column - EXCERPT_WIDTH // 2)
        number = str(position.line)
        shown = line[start : start + EXCERPT_WIDTH].rstrip()
        caret = " " * (position.column - 1 - start) + "^"
        return (f"{number} | {shown}", f"{' ' * len(number)} | {caret}")
