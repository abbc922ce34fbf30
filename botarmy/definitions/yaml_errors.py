"""YAML that does not parse: where the author must look, which is often not where the parser gave up."""

from __future__ import annotations

import re

import yaml

from botarmy.definitions.diagnostics import Problems
from botarmy.definitions.source import Source

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
QUOTES = ("'", '"')
KEY_LINE = re.compile(r"\s*(- )?[A-Za-z_][\w-]*:(\s|$)")
WITHOUT_COLON = re.compile(r"\s*(- )?[A-Za-z_][\w-]*(\s+[^\s:#][^:]*|\s*)$|\s*- [^:]*$")

Blame = tuple[int, int, str]
"""0-based line and column, and what is wrong there."""


def runs_on(source: Source, first: int, last: int) -> bool:
    """Say whether the lines after the first of a quoted text look like keys: a closing quote is missing then."""
    return any(KEY_LINE.match(line) for line in source.lines[first + 1 : last + 1])


def report_syntax(error: yaml.YAMLError, source: Source, problems: Problems) -> None:
    """Record a parser's error at the place that the author must mend."""
    problem = str(getattr(error, "problem", None) or error).strip()
    context = str(getattr(error, "context", None) or "")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = _within(source, mark.line, mark.column) if mark else (0, 0)
    code, column = _code(source.lines[line], problem, column)
    text = f"{context}: {problem}" if context else problem
    text = f"{text[:1].upper()}{text[1:]}."
    if code != "yaml-tab":
        blame = (
            _runaway(source)
            or _without_colon(source, line, column, problem)
            or _indentation(source, line, problem)
            or _opening(error, problem)
        )
        if blame is not None:
            line, column, text = blame
            code = "yaml-syntax"
    problems.add(code, source, source.at(line, column), text)


def _code(here: str, problem: str, column: int) -> tuple[str, int]:
    """Return the code of a parser's problem and the column to show."""
    if "\t" in here[: len(here) - len(here.lstrip())] or "tab" in problem:
        return "yaml-tab", max(here.find("\t"), 0)
    return "yaml-quote" if "mapping values are not allowed" in problem else "yaml-syntax", column


def _runaway(source: Source) -> Blame | None:
    """Blame the last quoted text before the error when it runs over further keys."""
    found = None
    try:
        for token in yaml.scan(source.text, Loader=LOADER):
            quoted = isinstance(token, yaml.ScalarToken) and token.style in QUOTES
            if quoted and runs_on(source, token.start_mark.line, token.end_mark.line):
                found = token
    except yaml.YAMLError:
        pass  # the error that is being reported
    if found is None:
        return None
    last = source.at(found.end_mark.line).line
    message = f"The quoted text that begins here goes on to line {last}: its closing quote is missing."
    return found.start_mark.line, found.start_mark.column, message


def _without_colon(source: Source, line: int, column: int, problem: str) -> Blame | None:
    """Blame a line that ought to be a key: without its colon the parser stumbles further down."""
    missing = "could not find expected ':'" in problem
    if not missing and ("mapping values are not allowed" not in problem or KEY_LINE.match(source.lines[line][:column])):
        return None
    found, at = None, _above(source, line)
    indent = None
    while (
        at is not None and WITHOUT_COLON.match(source.lines[at]) and (indent is None or _indent(source, at) <= indent)
    ):
        found, indent = at, _indent(source, at)
        at = _above(source, at)
    if found is None:
        return None
    return found, _indent(source, found), "This line ought to be a key, but has no colon."


def _indentation(source: Source, line: int, problem: str) -> Blame | None:
    """Blame a first key that is indented unlike its brothers: the parser stumbles over the second."""
    first = _above(source, line)
    parent = _above(source, first) if first is not None else None
    if first is None or parent is None or not source.lines[parent].rstrip().endswith(":"):
        return None
    here, above, after = _indent(source, line), _indent(source, first), _below(source, line)
    if after is None or _indent(source, after) != here:
        return None  # it is the second that differs
    if problem.startswith("did not find expected") and above > here > _indent(source, parent):
        return first, above, "This line is indented further than the lines below it."
    if "mapping values are not allowed" in problem and above < here and KEY_LINE.match(source.lines[first]):
        return first, above, "This line is indented less than the lines below it."
    return None


def _indent(source: Source, line: int) -> int:
    return len(source.lines[line]) - len(source.lines[line].lstrip())


def _below(source: Source, line: int) -> int | None:
    return next((n for n in range(line + 1, len(source.lines)) if source.lines[n].strip()), None)


def _opening(error: yaml.YAMLError, problem: str) -> Blame | None:
    """Blame the opening mark of what is unclosed."""
    opening, context = getattr(error, "context_mark", None), str(getattr(error, "context", None) or "")
    if opening is None or not ("quoted scalar" in context or "flow" in context):
        return None
    if "end of stream" in problem or "expected ',' or" in problem:
        return opening.line, opening.column, f"{context[:1].upper()}{context[1:]}: {problem}."
    return None


def _above(source: Source, line: int) -> int | None:
    """Return the line above that holds something other than a comment."""
    for number in range(line - 1, -1, -1):
        text = source.lines[number].strip()
        if text and not text.startswith("#"):
            return number
    return None


def _within(source: Source, line: int, column: int) -> tuple[int, int]:
    """Move a mark behind the last line to the last line that holds something."""
    if line < len(source.lines) and (source.lines[line].strip() or line == 0):
        return line, column
    line = min(line, len(source.lines) - 1)
    while line > 0 and not source.lines[line].strip():
        line -= 1
    return line, len(source.lines[line].rstrip())
