"""Document templates to outlines for prompts and to Markdown; documents to Markdown, shards and measures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from botarmy.artifacts import Document, DocumentDraft, DocumentSection
from botarmy.brief import slugify
from botarmy.checks import FileText
from botarmy.definitions.models import DocumentTask, Section, Template
from botarmy.definitions.rendering import PLACEHOLDER, fill
from botarmy.records import Measure

EPIC = re.compile(r"^#{1,6}\s+(?:\d+[.)]?\s+)?(Epic\s+\d+\b[^\n]*?)\s*#*$", re.IGNORECASE | re.MULTILINE)
HEADING = re.compile(r"^(#{1,6})\s+(.*\S)\s*$")
TAG = re.compile(r"<(?=[A-Za-z/!?])")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
MOST_EPICS = 20

SHAPES = {
    "bullet-list": "a bullet list",
    "numbered-list": "a numbered list",
    "table": "a Markdown table",
    "mermaid": "a Mermaid diagram in a fenced block",
    "code": "a fenced code block",
    "checklist": "a list of '- [ ]' items",
    "choice": "exactly one of the choices",
}


# -- templates


def outline(template: Template, values: Mapping[str, Any]) -> str:
    """Return what a model must write, section by section: heading, id, form, instruction, examples."""
    lines: list[str] = []
    for section in template.sections:
        for depth, one in section.walk():
            lines += [
                f"{'#' * min(depth, 6)} {fill(one.title, values) or one.id}  [id: {one.id}]",
                *_guidance(one, values),
            ]
            lines.append("")
    return "\n".join(lines).strip()


def _guidance(one: Section, values: Mapping[str, Any]) -> list[str]:
    lines = [f"Only if: {one.condition}"] if one.condition else []
    lines += ["May be repeated: one section for each, all with this id."] if one.repeatable else []
    lines += [_form(one)] if _form(one) else []
    lines += [fill(one.instruction, values).strip()] if one.instruction else []
    lines += [f"Its text begins from:\n{fill(text, values).strip()}" for text in (one.template, one.content) if text]
    lines += [f"Each item looks like: {one.item_template}"] if one.item_template else []
    lines += _choices(one) + _rows(one)
    lines += [f"Example: {_flat(example)}" for example in one.examples]
    if one.owner or one.editors:
        lines.append(f"Owner: {one.owner or 'nobody'}; may be edited by: {', '.join(one.editors) or one.owner}.")
    return lines


def _form(one: Section) -> str:
    shape = SHAPES.get(one.type, "")
    if one.type == "table" and one.columns:
        return f"Form: {shape} with the columns {' | '.join(one.columns)}."
    if one.type == "numbered-list" and one.prefix:
        return f"Form: {shape}; the items are numbered {one.prefix}1, {one.prefix}2, …"
    if one.type in {"code", "mermaid"} and (one.language or one.mermaid_type):
        return f"Form: {shape} ({one.language or one.mermaid_type})."
    return f"Form: {shape}." if shape else ""


def _choices(one: Section) -> list[str]:
    if isinstance(one.choices, dict):
        return [f"Choices for {name}: {_flat(choices)}" for name, choices in one.choices.items()]
    return [f"Choices: {_flat(one.choices)}"] if one.choices else []


def _rows(one: Section) -> list[str]:
    lines = [f"Row: {_flat(row)}" for row in one.rows]
    return lines + [f"Item: {_flat(item)}" for item in one.items]


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_flat(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return " | ".join(_flat(one) for one in value)
    return "" if value is None else str(value)


def skeleton(template: Template, values: Mapping[str, Any]) -> str:
    """Return the empty document of a template as Markdown: headings, tables, list starts, texts with what is known filled in."""
    title = fill(template.output.title or template.title, values)
    blocks = [f"# {title}"]
    for section in template.sections:
        for depth, one in section.walk():
            blocks.append(f"{'#' * min(depth, 6)} {fill(one.title, values) or one.id}")
            blocks += [text for text in _body(one, values) if text]
    return "\n\n".join(blocks) + "\n"


def _body(one: Section, values: Mapping[str, Any]) -> list[str]:
    texts = [f"_Only if: {one.condition}_" if one.condition else "", f"_Owner: {one.owner}_" if one.owner else ""]
    texts += [fill(one.template or one.content, values).strip()]
    if one.columns:
        texts.append(table(one.columns, one.rows))
    elif one.items:
        mark = "- [ ] " if one.type == "checklist" else "- "
        texts.append("\n".join(f"{mark}{_flat(item)}" for item in one.items))
    texts += [f"- {line}" for line in _choices(one)]
    return texts


def table(columns: Iterable[str], rows: Iterable[Any]) -> str:
    """Return a Markdown table; rows are lists, or mappings by column."""
    names = list(columns)
    lines = [_row(names), _row("---" for _ in names)]
    for row in rows:
        cells = (
            [row.get(name, "") for name in names]
            if isinstance(row, dict)
            else list(row)
            if isinstance(row, list)
            else [row]
        )
        lines.append(_row(_flat(cell) for cell in cells[: len(names)]))
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


# -- documents


def assemble(drafts: Mapping[str, DocumentDraft], task: DocumentTask) -> Document:
    """Put the drafts of one document together; several drafts are its parts, in order.

    Args:
        drafts: part title -> draft; the part of an unrepeated document is "".
        task: the step's task: levels of the headings, title.
    """
    first = next(iter(drafts.values()))
    blocks = [f"# {_line(task.title if len(drafts) > 1 and task.title else first.title)}"]
    for part, draft in drafts.items():
        deeper = 1 if part else 0
        blocks += [f"## {_line(part)}"] if part else []
        for section in draft.sections:
            level = min(task.levels.get(section.id, 2) + deeper, 6)
            blocks.append(f"{'#' * level} {_line(section.title)}")
            blocks += [safe_markdown(section.markdown).strip()] if section.markdown.strip() else []
        blocks += [_answers(draft)] if draft.answers else []
    drafted = list(drafts.values())
    return Document(
        title=first.title,
        summary=first.summary,
        markdown="\n\n".join(blocks) + "\n",
        sections=tuple(section for draft in drafted for section in draft.sections),
        parts=tuple(part for part in drafts if part),
        answers=tuple(answer for draft in drafted for answer in draft.answers),
        files=_files(drafted),
        open_questions=tuple(dict.fromkeys(question for draft in drafted for question in draft.open_questions)),
    )


def _files(drafts: Iterable[DocumentDraft]) -> tuple[FileText, ...]:
    """Return the files of all drafts; a later draft's file replaces one of the same path."""
    return tuple({file.path: file for draft in drafts for file in draft.files}.values())


def _answers(draft: DocumentDraft) -> str:
    marks = {"yes": "[x]", "no": "[ ]", "not applicable": "[N/A]"}
    lines = [
        f"- {marks[one.met]} {_line(one.item)}" + (f": {_line(one.note)}" if one.note else "") for one in draft.answers
    ]
    return "\n".join(lines)


def _line(text: str) -> str:
    return safe_markdown(" ".join(text.split()))


def safe_markdown(text: str) -> str:
    """Make HTML tags and control characters of a model's Markdown harmless; fenced code stays as it is."""
    lines, fenced = [], False
    for line in CONTROL.sub("", text).split("\n"):
        fence = line.lstrip().startswith(("```", "~~~"))
        lines.append(line if fenced or fence else TAG.sub("&lt;", line))
        fenced = fenced != fence
    return "\n".join(lines)


def epics(documents: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the titles of the epics that the documents' headings name, in order, at most MOST_EPICS."""
    found: dict[str, str] = {}
    for document in documents:
        texts = [
            str(document.get("markdown", "")),
            *(str(one.get("content", "")) for one in document.get("files") or ()),
        ]
        for title in (match.group(1) for text in texts for match in EPIC.finditer(text)):
            number = re.findall(r"\d+", title)[0]
            found.setdefault(number, title.strip())
    return tuple(found.values())[:MOST_EPICS]


def shards(documents: Mapping[str, Mapping[str, Any]]) -> Document:
    """Split documents at their second-level headings into files docs/KIND/NN-TITLE.md, nothing lost, nothing changed."""
    files: list[FileText] = []
    sections: list[DocumentSection] = []
    for kind, document in documents.items():
        names = []
        for number, (title, text) in enumerate(_split(str(document["markdown"]))):
            path = f"docs/{kind}/{number:02}-{slugify(title)}.md"
            files.append(FileText(path=path, content=text))
            names.append(f"- {title}: `{path}`")
        sections.append(DocumentSection(title=kind, markdown="\n".join(names)))
    draft = DocumentDraft(title="Sharded documents", sections=tuple(sections), files=tuple(files))
    return assemble({"": draft}, DocumentTask(mode="shard"))


def shards_lacking(documents: Mapping[str, Mapping[str, Any]], made: Document) -> list[str]:
    """Return the documents whose shards, put together in order, are not the document again."""
    lost = []
    for kind, document in documents.items():
        parts = [file.content for file in made.files if file.path.startswith(f"docs/{kind}/")]
        if "".join(parts) != str(document["markdown"]):
            lost.append(kind)
    return lost


def _split(text: str) -> list[tuple[str, str]]:
    """Split Markdown before each second-level heading that is no code; the parts joined are the text again."""
    parts: list[tuple[str, list[str]]] = []
    fenced = False
    for line in text.splitlines(keepends=True):
        fenced = fenced != line.lstrip().startswith(("```", "~~~"))
        heading = HEADING.match(line.rstrip("\n")) if not fenced else None
        if not parts or (heading and len(heading.group(1)) == 2):  # noqa: PLR2004 - second level
            parts.append((heading.group(2) if heading else "index", []))
        parts[-1][1].append(line)
    return [(title, "".join(lines)) for title, lines in parts]


# -- measures


def sections_filled(draft: DocumentDraft | Document, task: DocumentTask) -> Measure:
    """Return the share of the template's sections that the document fills, in the wanted form and without placeholders.

    Without a template, the sections that the document itself has are what counts.
    """
    by_id: dict[str, list[DocumentSection]] = {}
    for section in draft.sections:
        by_id.setdefault(section.id, []).append(section)
    wanted = task.sections or {one.id or one.title: one.title for one in draft.sections}
    reasons = []
    for identifier, title in wanted.items():
        found = by_id.get(identifier) or [one for one in draft.sections if one.title == title]
        reason = _lacking(found, identifier, task)
        if reason:
            reasons.append(f'section "{title or identifier}" [id: {identifier}] {reason}')
    if not wanted:
        return Measure(name="sections_filled", value=0.0, reasons=("the document has no section",))
    return Measure(name="sections_filled", value=1 - len(reasons) / len(wanted), reasons=tuple(reasons))


def _lacking(found: list[DocumentSection], identifier: str, task: DocumentTask) -> str:
    if not found:
        return "is missing"
    if not any(one.markdown.strip() for one in found) and identifier not in _parents(task):
        return "is empty"
    left = sorted({name for one in found for name in PLACEHOLDER.findall(one.markdown)})
    if left:
        return f"still holds the placeholder {', '.join(left)}"
    columns = task.tables.get(identifier, ())
    if columns and not any(_has_columns(one.markdown, columns) for one in found):
        return f"has no table with the columns {', '.join(columns)}"
    return ""


def _parents(task: DocumentTask) -> set[str]:
    """Return the sections whose content stands in the sections below them."""
    return {name for name, after in pairwise(task.levels) if task.levels[after] > task.levels[name]}


def _has_columns(markdown: str, columns: tuple[str, ...]) -> bool:
    for line in markdown.split("\n"):
        cells = [cell.strip().strip("*").casefold() for cell in line.strip().strip("|").split("|")]
        if line.strip().startswith("|") and {one.casefold() for one in columns} <= set(cells):
            return True
    return False


def checklist_met(document: DocumentDraft | Document, task: DocumentTask) -> Measure:
    """Return the share of the checklist's items that are answered with yes or do not apply; unanswered ones count as no."""
    given = {" ".join(one.item.split()).casefold(): one for one in document.answers}
    reasons = []
    for item in task.checklist:
        answer = given.get(" ".join(item.split()).casefold())
        if answer is None:
            reasons.append(f"not answered: {item}")
        elif answer.met == "no":
            reasons.append(f"not met: {item}" + (f" ({answer.note})" if answer.note else ""))
    if not task.checklist:
        return Measure(name="checklist_met", value=None, reasons=("there is no checklist",))
    return Measure(name="checklist_met", value=1 - len(reasons) / len(task.checklist), reasons=tuple(reasons))
