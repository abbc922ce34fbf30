"""The outline of a brief: its sentences with the headings, lead-ins and table headers that they stand under.

The reader takes Markdown as people write it and plain text alike: headings (# and underlined), lists of any marker,
tables, fenced code, quotes, hard-wrapped paragraphs and one-sentence-a-line notes. Every function is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

LONGEST = 2_000
"""Longest sentence in characters; longer ones are split at a space, so that no document has a line without end."""

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$|^ {0,3}(#{1,6})$")
_ITEM = re.compile(r"^([ \t]*)(?:[-*+•‣◦·–—▪●○]|\(?(?:\d{1,3}|[a-zA-Z])[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(\S.*)$")
_RULE = re.compile(r"^[ \t]*(?:[-*_=~][ \t]*){3,}$")
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)")
_ROW = re.compile(r"^[ \t]*\|.*\|?[ \t]*$")
_DIVIDER = re.compile(r"^[ \t|:+-]*-[ \t|:+-]*$")
_BOLD_LINE = re.compile(r"^\*\*([^*]{1,80})\*\*:?$|^__([^_]{1,80})__:?$")
_END = re.compile(r"[.!?…؟۔।॥።]+[\"'”’»)\]*_]*(?=\s|$)|[。！？｡]+[」』”’）]*")
# Titles only with a capital ("Ms. Roy", not "300 ms."), numbers only before a number ("max. 80"), initials before a name.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[eE]\.g|[iI]\.e|vs|cf|incl|excl|resp|Mr|Mrs|Ms|Dr|Prof|St|z\.\s?B|d\.\s?h|u\.\s?a|bzw|ca|evtl|ggf|inkl|p\.\s?ej|Sr|Sra|[douz])\.$"
)
_BEFORE_NUMBER = re.compile(r"(?:^|[\s(])(?:no|nr|max|min|approx|fig|art|abs)\.$", re.IGNORECASE)
_INITIAL = re.compile(r"(?:^|[\s(.])[A-Z]\.$")
_STARTERS = frozenset(
    """A An The Each Every It Its No Only If When All Any This These That They There Then Users We I You One Some In On At
    For As""".split()  # noqa: SIM905 (read as text)
)
_NUMBERED = re.compile(r"^\d{1,3}\.$")
_MONTH = re.compile(r"\s(?:jan|feb|m[äa]r|apr|ma[iy]|jun|jul|aug|sep|okt|oct|nov|de[zc])", re.IGNORECASE)
_LABELLED = re.compile(r"^[A-Z][\w-]{0,30}(?: [\w-]{1,30})?: ")
_DEMANDS = re.compile(
    r"\b(?:must|shall|should|cannot|can|may|never|has to|have to|needs? to|muss|müssen|soll|sollen|darf|dürfen|debe|deben|doit|"
    r"doivent)\b",
    re.IGNORECASE,
)
_LABEL_WORDS = 4
GREETING = re.compile(
    r"^(?:subject|betreff|from|to|re|fwd?): .{0,200}$|^(?:hi|hello|hey|dear|good (?:morning|day)|cheers|thanks|thank you|(?:best|kind) regards|regards|sincerely|hallo|liebe[rs]?|"
    r"viele grüße|mit freundlichen grüßen|hola|saludos|bonjour|cordialement)\b[^.!?]{0,40}[,.!]?(?: [A-ZÄÖÜ][^ ]{0,30}){0,3}$",
    re.IGNORECASE,
)
"""A line that greets or takes leave."""
_JUST_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Passage:
    """One sentence of the brief and where it stands.

    Attributes:
        text: the sentence, white space folded, list and quote marks removed.
        kind: prose, item (of a list), row (of a table), code or heading.
        headings: the headings above it, outermost first.
        leads: the lead-in lines that it continues, outermost first, e.g. ("A book has:",).
        cells: for a row, header -> cell.
    """

    text: str
    kind: Literal["prose", "item", "row", "code", "heading"] = "prose"
    headings: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    cells: tuple[tuple[str, str], ...] = ()


@dataclass
class _Reader:
    """Where the reader is while it goes through the lines."""

    found: list[Passage] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    leads: list[tuple[int, str]] = field(default_factory=list)
    paragraph: list[str] = field(default_factory=list)
    in_item: bool = False
    indent: int = -1
    header: tuple[str, ...] = ()
    blank: bool = False


def passages(text: str) -> tuple[Passage, ...]:
    """Return the brief's sentences in order, each with its place in the outline."""
    reader = _Reader()
    lines = text.split("\n")
    position = 0
    while position < len(lines):
        position = _line(reader, lines, position)
    _flush(reader)
    return tuple(_without_headings(reader.found))


def _line(reader: _Reader, lines: list[str], position: int) -> int:
    """Take the line at the position; return where to go on."""
    line = re.sub(r"^ {0,3}(?:>[ \t]?)+", "", lines[position]).expandtabs(4)
    fence = _FENCE.match(line)
    if fence:
        return _code(reader, lines, position, fence.group(1)[:3])
    if not line.strip():
        _flush(reader)
        reader.header, reader.blank = (), True
        return position + 1
    if _ROW.match(line) and "|" in line.strip()[1:]:
        return _row(reader, lines, position, line)
    heading = _heading_of(line, lines[position + 1] if position + 1 < len(lines) else "", bool(reader.paragraph))
    if heading:
        _open_heading(reader, heading[0], heading[1])
        return position + heading[2]
    _text_line(reader, line)
    reader.blank = False
    return position + 1


def _heading_of(line: str, following: str, within: bool) -> tuple[int, str, int] | None:
    """Return (level, text, lines taken) where the line is a heading."""
    hashes = _HEADING.match(line)
    if hashes:
        return len(hashes.group(1) or hashes.group(3)), _bare(hashes.group(2) or ""), 1
    bold = _BOLD_LINE.match(line.strip())
    if bold and not within:
        return 5, _bare((bold.group(1) or bold.group(2)).rstrip(":")), 1
    underline = following.strip()
    if not within and len(underline) >= 3 and not set(underline) - {"="}:  # noqa: PLR2004 (as in Markdown)
        return 1, _bare(line), 2
    if not within and len(underline) >= 3 and not set(underline) - {"-"} and not _ITEM.match(line):  # noqa: PLR2004
        return 2, _bare(line), 2
    return None


def _open_heading(reader: _Reader, level: int, text: str) -> None:
    _flush(reader)
    while reader.headings and reader.headings[-1][0] >= level:
        reader.headings.pop()
    if text:
        above = tuple(heading for _, heading in reader.headings)
        reader.found.append(Passage(text=text, kind="heading", headings=above))
        reader.headings.append((level, text))
    reader.leads.clear()
    reader.indent, reader.in_item, reader.blank = -1, False, False


def _text_line(reader: _Reader, line: str) -> None:
    if _RULE.match(line):
        _flush(reader)
        return
    item = _ITEM.match(line)
    if item:
        _flush(reader)
        reader.indent, reader.in_item = len(item.group(1)), True
        while reader.leads and reader.leads[-1][0] >= reader.indent:
            reader.leads.pop()
        reader.paragraph.append(item.group(2))
        return
    _outdent(reader, line)
    reader.paragraph.append(line.strip())


def _outdent(reader: _Reader, line: str) -> None:
    """After an empty line, a line that is not indented ends the list above it."""
    if reader.blank and not line.startswith("  "):
        reader.indent, reader.in_item = -1, False
        reader.leads.clear()


def _code(reader: _Reader, lines: list[str], position: int, fence: str) -> int:
    _flush(reader)
    _outdent(reader, lines[position])
    end = position + 1
    while end < len(lines) and not lines[end].strip().startswith(fence):
        end += 1
    body = "\n".join(lines[position + 1 : end]).strip("\n")
    if any(character.isalnum() for character in body):
        reader.found.append(_placed(reader, Passage(text=body, kind="code")))
    return end + 1


def _row(reader: _Reader, lines: list[str], position: int, line: str) -> int:
    _flush(reader)
    _outdent(reader, line)
    cells = tuple(_bare(cell) for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")))
    following = lines[position + 1] if position + 1 < len(lines) else ""
    if not reader.header and "|" in following and _DIVIDER.match(following):
        reader.header = cells
        below = lines[position + 2] if position + 2 < len(lines) else ""
        if _ROW.match(below):
            return position + 2
    if not any(character.isalnum() for cell in cells for character in cell):
        return position + 1
    names = (*reader.header, *("" for _ in cells[len(reader.header) :]))
    pairs = tuple(zip(names, cells, strict=False))
    text = "; ".join(f"{name}: {cell}" if name else cell for name, cell in pairs if cell)
    reader.found.append(_placed(reader, Passage(text=text, kind="row", cells=pairs)))
    return position + 1


def _placed(reader: _Reader, passage: Passage) -> Passage:
    return replace(
        passage,
        headings=tuple(text for _, text in reader.headings),
        leads=tuple(text for _, text in reader.leads),
    )


def _flush(reader: _Reader) -> None:
    """Turn the collected lines into sentences."""
    if not reader.paragraph:
        return
    kind: Literal["prose", "item"] = "item" if reader.in_item else "prose"
    texts = [text for part in _joined(reader.paragraph) for text in split_sentences(part)]
    reader.paragraph = []
    label = texts[0].strip("*_ ") if len(texts) == 1 else ""
    if kind == "prose" and label.endswith((":", "：")) and len(label.split()) < _LABEL_WORDS and label.count(":") == 1:
        _open_heading(reader, 6, _bare(label.rstrip(":：")))
        return
    for text in texts:
        reader.found.append(_placed(reader, Passage(text=text, kind=kind)))
    if texts and (kind == "item" or texts[-1].endswith((":", "："))):
        reader.leads.append((reader.indent, texts[-1]))


def _joined(lines: list[str]) -> Iterator[str]:
    """Join wrapped lines; keep a line apart where the next one was not pushed down by the paragraph's width."""
    width = max(len(line) for line in lines)
    current: list[str] = []
    for line in lines:
        if current and _breaks(current[-1], line, width):
            yield " ".join(current)
            current = []
        current.append(line)
    yield " ".join(current)


def _breaks(line: str, following: str, width: int) -> bool:
    story = line.startswith("As a") or following.startswith(("So that", "In order to"))
    if following[:1].islower() or line.endswith((",", ";", "，", "、")) or story:
        return False
    if _LABELLED.match(following):
        return True
    first = following.split(" ", 1)[0]
    return len(line) + 1 + len(first) <= width or line.endswith((":", "："))


def split_sentences(text: str) -> list[str]:
    """Split prose into sentences at the terminators of many scripts; abbreviations and dates do not end one."""
    parts: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if text[end.start()] == "." and _goes_on(text, start, end.end()):
            continue
        parts.append(text[start : end.end()])
        start = end.end()
    parts.append(text[start:])
    return [piece for part in parts for piece in _pieces(_bare(part)) if any(c.isalnum() for c in piece)]


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether the full stop before `end` belongs to an abbreviation, a number or a date."""
    before, after = text[max(start, end - 12) : end], text[end : end + 40].split()
    following = after[0] if after else ""
    if following[:1].islower() or _ABBREVIATION.search(before):
        return True
    if _BEFORE_NUMBER.search(before):
        return following[:1].isdigit()
    if _INITIAL.search(before) and len(before) > 2:  # noqa: PLR2004 (a lone letter starts a list)
        return following[:1].isupper() and following not in _STARTERS
    numbered = _NUMBERED.match(text[start:end].strip()) is not None
    return numbered or (text[end - 2 : end - 1].isdigit() and _MONTH.match(text, end) is not None)


def _pieces(text: str) -> Iterator[str]:
    while len(text) > LONGEST:
        cut = text.rfind(" ", LONGEST // 2, LONGEST)
        cut = LONGEST if cut < 0 else cut
        yield text[:cut].strip()
        text = text[cut:].strip()
    yield text


def _bare(text: str) -> str:
    return _JUST_SPACE.sub(" ", text).strip()


def _without_headings(found: list[Passage]) -> Iterator[Passage]:
    """Leave out headings that only name what stands below them."""
    for number, passage in enumerate(found):
        following = found[number + 1] if number + 1 < len(found) else None
        inner = following is not None and len(following.headings) > len(passage.headings)
        if passage.kind != "heading" or not inner or _is_sentence(passage.text):
            yield passage


def _is_sentence(text: str) -> bool:
    """Whether a heading demands something itself: it ends like a sentence, or has a modal verb and more than a label's words."""
    return text.endswith((".", "!", "?")) or (len(text.split()) >= _LABEL_WORDS and bool(_DEMANDS.search(text)))
