"""Tasks, data and checklists: free Markdown, checked for what would silently swallow text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from botarmy.checks import CheckName
from botarmy.definitions.diagnostics import Problems
from botarmy.definitions.models import Checklist, ChecklistItem, Instruction
from botarmy.definitions.near import suggestion
from botarmy.definitions.purposes import MEASURES
from botarmy.definitions.source import Position, Source
from botarmy.definitions.templates import stem_of

FENCE = re.compile(r"^(\s*(?:[-*+]\s+|\d+[.)]\s+|>\s*)*)(`{3,}|~{3,})\s*([^`]*)$")
HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.*\S)\s*$")
ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[( |x|X)\]\s+(\S.*)$")
ALMOST_ITEM = re.compile(
    r"^\s*(?:[-*+]\s*\[(?![^\]]*\])|[-*+]\s*\[[ xX]?\s*\]\S?|[-*+]\[[ xX]?\]|[-*+]\s*\[(?: {2,}|)\]\s).*$"
)
DECIDED = re.compile(r"\s*\((measure|check):\s*([\w-]+)(?:\s*>=\s*([0-9.]+))?\)\s*$")
CONFLICT = re.compile(r"^(<{7}|>{7})( |$)")
REFERENCE = re.compile(
    r"(?:\{root\}|\.bmad-core|bmad-core)/(tasks|templates|checklists|data|agents|agent-teams|workflows|utils)/"
    r"([\w.-]+?\.(?:md|yaml|yml))\b"
)


PAIRS = (("<!--", "-->", "comment-unclosed"), ("[[LLM:", "]]", "instruction-unclosed"))


@dataclass(frozen=True)
class Line:
    """A line of Markdown; `fenced` lines are code, the fences included."""

    index: int
    text: str
    fenced: bool


@dataclass(frozen=True)
class Fence:
    """A fenced block: 0-based line of its opening fence, its language, its text, whether it is closed."""

    index: int
    language: str
    text: str
    closed: bool


def scan(source: Source) -> tuple[list[Line], list[Fence]]:
    """Split Markdown into lines and fenced blocks; a closing fence is as long as its opening one and bare."""
    lines: list[Line] = []
    fences: list[Fence] = []
    opened: tuple[int, str, str] | None = None
    for index, text in enumerate(source.lines):
        found = FENCE.match(text)
        lines.append(Line(index, text, opened is not None or found is not None))
        if opened is None:
            if found:
                opened = (index, found.group(2), found.group(3).strip())
        elif found and _closes(found, opened[1]):
            body = "\n".join(source.lines[opened[0] + 1 : index]) + "\n"
            fences.append(Fence(opened[0], opened[2], body, closed=True))
            opened = None
    if opened is not None:
        body = "\n".join(source.lines[opened[0] + 1 :])
        fences.append(Fence(opened[0], opened[2], body, closed=False))
    return lines, fences


def _closes(found: re.Match[str], opening: str) -> bool:
    fence = found.group(2)
    return fence[0] == opening[0] and len(fence) >= len(opening) and not found.group(3).strip()


def check_markdown(source: Source, problems: Problems, *, fragment: bool = False) -> list[Line]:
    """Report unclosed fences, comments and instructions, and a missing heading."""
    lines, fences = scan(source)
    for fence in fences:
        if not fence.closed:
            _report_fence(source, fence, problems)
    for start, end, code in PAIRS:
        opened = _left_open(lines, start, end)
        if opened is not None:
            problems.add(code, source, source.at(*opened), f"'{start}' begins here and is not closed by '{end}'.")
    if not fragment and not any(HEADING.match(line.text) for line in lines if not line.fenced):
        problems.add("no-heading", source, Position(source.first_line, 1), "The file has no heading.")
    return lines


def _report_fence(source: Source, fence: Fence, problems: Problems) -> None:
    """Point at the opening fence that has no end."""
    column = len(source.lines[fence.index]) - len(source.lines[fence.index].lstrip())
    where = source.at(fence.index, column)
    problems.add("fence-unclosed", source, where, "The code fence that begins here is not closed.")


def _left_open(lines: list[Line], start: str, end: str) -> tuple[int, int] | None:
    """Return the 0-based place of a mark that is never closed; code does not count."""
    opened: tuple[int, int] | None = None
    marks = re.compile(rf"{re.escape(start)}|\[\[(?!LLM:)[^\[\]]*\]\]|{re.escape(end)}")
    for line in lines:
        for found in marks.finditer(line.text) if not line.fenced else ():
            if found.group() == end:
                opened = None
            elif found.group() != start:
                continue  # brackets that close themselves: [[BROWNFIELD ONLY]]
            elif opened is not None:
                return opened  # another begins before this one ended
            elif line.text[: found.start()].count("`") % 2 == 0:
                opened = (line.index, found.start())
    return opened


def check_conflicts(source: Source, problems: Problems) -> None:
    """Report the marks that a merge leaves in a file."""
    for index, line in enumerate(source.lines):
        if CONFLICT.match(line):
            problems.add("conflict-marker", source, source.at(index), "A merge conflict was not resolved here.")


def title_of(lines: list[Line], default: str) -> str:
    """Return the first heading without comments."""
    for line in lines:
        found = HEADING.match(line.text) if not line.fenced else None
        title = re.sub(r"<!--.*?-->", "", found.group(2)).strip() if found else ""
        if title:
            return title
    return default


def read_instruction(source: Source, problems: Problems) -> Instruction:
    """Read a task, a data file or a utility."""
    lines = check_markdown(source, problems)
    name = stem_of(source.file)
    title = title_of(lines, name)
    return Instruction(name=name, title=title, text=source.text, sha256=source.sha256, file=source.file)


def read_checklist(source: Source, problems: Problems) -> Checklist:
    """Read a checklist; items may end in "(measure: NAME >= 0.9)" or "(check: NAME)": evidence decides those."""
    lines = check_markdown(source, problems)
    name = stem_of(source.file)
    items: list[ChecklistItem] = []
    section = ""
    for line in lines:
        if line.fenced:
            continue
        heading, item = HEADING.match(line.text), ITEM.match(line.text)
        if heading:
            section = heading.group(2)
        elif item:
            items.append(_item(source, line, item, section, problems))
        elif ALMOST_ITEM.match(line.text):
            column = len(line.text) - len(line.text.lstrip())
            problems.add("bad-item", source, source.at(line.index, column), "This looks like an item but is none.")
    if not items:
        problems.add("no-items", source, Position(), "The checklist has no item.")
    return Checklist(
        name=name,
        title=title_of(lines, name),
        items=tuple(items),
        instructions=tuple(one.strip() for one in re.findall(r"\[\[LLM:(.*?)\]\]", source.text, re.DOTALL)),
        text=source.text,
        sha256=source.sha256,
        file=source.file,
    )


def _item(source: Source, line: Line, item: re.Match[str], section: str, problems: Problems) -> ChecklistItem:
    text = item.group(2)
    decided = DECIDED.search(text)
    if decided is None:
        return ChecklistItem(text=text, section=section)
    what, name = decided.group(1), decided.group(2)
    known = list(MEASURES) if what == "measure" else [one.value for one in CheckName]
    where = source.at(line.index, item.start(2) + decided.start(2))
    if name not in known:
        problems.add(
            f"unknown-{what}",
            source,
            where,
            f'"{name}" is no known {what}.',
            hint=suggestion(name, known, f"{what}s"),
        )
        return ChecklistItem(text=text, section=section)
    bare = text[: decided.start()]
    if what == "check":
        return ChecklistItem(text=bare, section=section, check=name)
    return ChecklistItem(text=bare, section=section, measure=name, least=_least(source, where, decided, problems))


def _least(source: Source, where: Position, decided: re.Match[str], problems: Problems) -> float:
    written = decided.group(3) or "1"
    try:
        least = float(written)
    except ValueError:
        least = -1.0
    if 0 <= least <= 1:
        return least
    problems.add("bad-value", source, where, f"The least value {written} must be a number from 0 to 1.")
    return 1.0


def references(source: Source) -> list[tuple[int, int, str, str]]:
    """Return the files of the directory that a text names: line, column (0-based), folder, file name."""
    found = []
    for index, line in enumerate(source.lines):
        for one in REFERENCE.finditer(line):
            found.append((index, one.start(), one.group(1), one.group(2)))
    return found
