"""Diagnostics: what is wrong where, why, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from botarmy.definitions.codes import CODES
from botarmy.definitions.limits import LIMITS
from botarmy.definitions.source import Position, Source
from botarmy.errors import DefinitionError
from botarmy.records import Record


class Severity(StrEnum):
    """An error makes the definition unusable; a warning does not."""

    error = "error"
    warning = "warning"


class Diagnostic(Record):
    """One problem.

    Attributes:
        code: stable word, see botarmy.definitions.codes and docs/lint-codes.md.
        line, column: counted from 1.
        excerpt: the line and a caret below it; empty where the file has no such line.
        chain: how the file was reached, outermost first: "a.yaml:3 extends b.yaml".
        hint: how to mend it.
    """

    code: str
    severity: Severity
    message: str
    file: str
    line: int = 1
    column: int = 1
    excerpt: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    hint: str = ""

    def render(self) -> str:
        """Return the problem as text of several lines."""
        lines = [f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message} [{self.code}]"]
        lines += [f"    {line}" for line in self.excerpt]
        lines += [f"    via {link}" for link in self.chain]
        if self.hint:
            lines.append(f"    hint: {self.hint}")
        return "\n".join(lines)


class InvalidDefinition(DefinitionError):
    """One or more definitions are wrong; every problem is in `diagnostics` and in the message."""

    diagnostics: tuple[Diagnostic, ...] = ()

    @classmethod
    def of(cls, diagnostics: Iterable[Diagnostic]) -> InvalidDefinition:
        """Build the error that tells all problems, errors first."""
        found = tuple(sorted(diagnostics, key=lambda one: (one.severity, one.file, one.line, one.column)))
        errors = [one for one in found if one.severity is Severity.error]
        noun = "problem" if len(errors) == 1 else "problems"
        files = sorted({one.file for one in errors})
        where = files[0] if len(files) == 1 else f"{len(files)} files"
        text = "\n".join([f"{len(errors)} {noun} in {where}.", *(one.render() for one in errors)])
        error = cls(
            text, hint="`botarmy lint` lists every problem of a directory; docs/lint-codes.md explains the codes."
        )
        error.diagnostics = found
        return error


class Problems:
    """Collects the diagnostics of one or more files."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []
        self._count: dict[str, int] = {}

    def add(
        self,
        code: str,
        source: Source,
        position: Position,
        message: str,
        *,
        hint: str = "",
        severity: Severity | None = None,
        chain: tuple[str, ...] = (),
    ) -> None:
        """Record a problem; severity and hint come from the code's entry unless given."""
        entry = CODES[code]
        count = self._count[source.file] = self._count.get(source.file, 0) + 1
        if count > LIMITS.diagnostics:
            return
        self.found.append(
            Diagnostic(
                code=code,
                severity=severity or Severity(entry.severity),
                message=message,
                file=source.file,
                line=position.line,
                column=position.column,
                excerpt=source.excerpt(position),
                chain=chain,
                hint=hint or entry.hint,
            )
        )

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors among the problems."""
        return tuple(one for one in self.found if one.severity is Severity.error)

    def raise_errors(self) -> None:
        """Raise InvalidDefinition when there is an error."""
        if self.errors:
            raise InvalidDefinition.of(self.found)
