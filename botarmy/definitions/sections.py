"""The sections of a document template, BMAD's `sections:` to any depth."""

from __future__ import annotations

import re
from typing import Any

from botarmy.definitions.diagnostics import Severity
from botarmy.definitions.fields import Fields, kind_of
from botarmy.definitions.models import Section
from botarmy.definitions.near import near_match
from botarmy.definitions.places import place_in
from botarmy.definitions.tree import Mapping, Node, Scalar, plain

UNCLOSED = re.compile(r"\{\{(?!\{)(?:(?!\}\})[^\n])*(?=\n|\Z)")
TYPES = (
    "bullet-list",
    "checklist",
    "choice",
    "code",
    "mermaid",
    "numbered-list",
    "paragraphs",
    "table",
    "template-text",
)


def read_sections(parent: Fields, key: str = "sections", *, required: bool = False) -> tuple[Section, ...]:
    """Read a list of sections; ids that stand twice beside each other are reported."""
    found: list[Section] = []
    seen: dict[str, int] = {}
    for item in parent.nodes(key, required=required):
        if not isinstance(item, Mapping):
            parent.problem("wrong-type", item, f"A section of {parent.where} is {kind_of(item)}; it must be a mapping.")
            continue
        section = read_section(Fields(item, parent.source, parent.problems, _where(item)))
        line = seen.setdefault(section.id, item.line)
        if section.id and line != item.line:
            place = item.pairs["id"][1]
            parent.problem(
                "duplicate-id",
                place,
                f'The section id "{section.id}" is already in line {parent.source.at(line).line}.',
            )
        found.append(section)
    return tuple(found)


def _where(item: Mapping) -> str:
    node = item.get("id")
    return f'section "{node.text[:60]}"' if isinstance(node, Scalar) else "a section"


def read_section(fields: Fields) -> Section:
    """Read one section and those below it."""
    identifier = fields.scalar("id", required=True)
    section = Section(
        id=identifier.text if identifier else "",
        title=fields.text("title"),
        instruction=fields.text("instruction"),
        template=fields.text("template"),
        content=fields.text("content"),
        type=_type(fields),
        elicit=fields.flag("elicit"),
        repeatable=fields.flag("repeatable"),
        condition=fields.text("condition"),
        examples=tuple(plain(one) for one in fields.nodes("examples", single=True)),
        columns=tuple(one.text for one in fields.scalars("columns")),
        rows=tuple(plain(one) for one in fields.nodes("rows")),
        items=tuple(_items(fields)),
        choices=_choices(fields),
        language=fields.text("language"),
        mermaid_type=fields.text("mermaid_type"),
        item_template=fields.text("item_template"),
        prefix=fields.text("prefix"),
        owner=fields.text("owner"),
        editors=tuple(one.text for one in fields.scalars("editors", single=True)),
        sections=read_sections(fields),
    )
    _check_table(fields, section)
    for key in ("title", "instruction", "template", "content", "item_template"):
        check_placeholders(fields, key)
    return section.model_copy(update={"extra": fields.finish()})


def check_placeholders(fields: Fields, key: str) -> None:
    """Report a '{{' that is not closed on its line."""
    node = fields.node.get(key)
    found = UNCLOSED.search(node.text) if isinstance(node, Scalar) else None
    if found and isinstance(node, Scalar):
        where = place_in(fields.source, node, found.start())
        shown = found.group().split("\n")[0][:60]
        fields.problems.add("placeholder-unclosed", fields.source, where, f'The placeholder "{shown}" is not closed.')


def _type(fields: Fields) -> str:
    node = fields.scalar("type")
    if node is None:
        return "paragraphs"
    if node.text not in TYPES:
        near = near_match(node.text, TYPES)
        hint = f'Did you mean "{near}"?' if near else f"Known types: {', '.join(TYPES)}."
        message = f'"{node.text[:60]}" is no known section type; it is treated as text.'
        fields.problem("bad-value", node, message, hint, Severity.warning)
    return node.text


def _items(fields: Fields) -> list[Any]:
    """Items are texts or mappings; `- Words [[LLM: …]]` parses as a mapping of one key and is read as text."""
    found = []
    for item in fields.nodes("items"):
        value = plain(item)
        if isinstance(item, Mapping) and len(item.pairs) == 1:
            key, inner = next(iter(item.pairs.values()))
            value = f"{key.text}: {plain(inner)}" if "[[" in key.text else value
        found.append(value)
    return found


def _choices(fields: Fields) -> Any:
    node = fields.take("choices")
    if isinstance(node, Scalar):
        fields.wrong("choices", node, "a list, or a mapping of lists")
        return None
    return plain(node) if node is not None else None


def _check_table(fields: Fields, section: Section) -> None:
    """A row as a list must have as many cells as there are columns."""
    if not section.columns:
        return
    rows: list[Node] = fields.nodes("rows")
    for node, row in zip(rows, section.rows, strict=True):
        if isinstance(row, list) and len(row) != len(section.columns):
            message = f"The row has {len(row)} cells; the table has {len(section.columns)} columns."
            fields.problem("bad-value", node, message, severity=Severity.warning)
