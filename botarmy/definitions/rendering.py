"""Templates to chat messages: the inputs in front as delimited data, then the task."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from botarmy.artifacts import DRAFTS, KINDS, DocumentDraft, schema_of
from botarmy.completion import Message
from botarmy.definitions.jinja import RenderFailed, render
from botarmy.definitions.limits import LIMITS, Limits
from botarmy.definitions.models import Place, Template
from botarmy.definitions.near import suggestion
from botarmy.definitions.purposes import DOCUMENT_VALUES, PURPOSE_INPUTS
from botarmy.errors import DefinitionError

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
GIVEN = ("all_inputs", "example", "output_schema", "purpose", "feedback")
"""Names that every prompt can use beside its inputs."""


def render_prompt(
    template: Template, purpose: str, inputs: Mapping[str, Any], limits: Limits = LIMITS
) -> tuple[Message, ...]:
    """Render the system and the user message of a purpose.

    Raises:
        DefinitionError: no such prompt, an input is missing, the template passes a limit.
    """
    if purpose not in template.purposes:
        raise DefinitionError(
            f'Template "{template.name}" has no prompt for "{purpose}".',
            hint=suggestion(purpose, template.purposes, "prompts"),
        )
    values = _values(template, purpose, inputs)
    system = _text(template, "system", template.system, values, limits)
    system = f"{template.preamble}\n\n{system}" if template.preamble else system
    user = _text(template, f"prompts.{purpose}", template.purposes[purpose], values, limits)
    messages = (Message(role="system", content=system), Message(role="user", content=user))
    return tuple(message for message in messages if message.content.strip())


def _values(template: Template, purpose: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"feedback": [], "purpose": purpose, "example": "", "output_schema": ""}
    values["output_schema"] = _schema(purpose)
    if purpose in template.examples:
        values["example"] = json.dumps(template.examples[purpose], ensure_ascii=False, indent=1)
    values |= template.bound
    for name, variable in template.variables.items():
        if variable.required and name not in inputs:
            raise DefinitionError(f'Template "{template.name}" needs the variable "{name}".', hint="Give it a value.")
        values[name] = variable.default
    values |= inputs
    hidden = {*template.variables, *template.bound, *DOCUMENT_VALUES}
    values["all_inputs"] = all_inputs(ordered(purpose, inputs, hidden))
    return values


def ordered(purpose: str, inputs: Mapping[str, Any], hidden: Collection[str]) -> dict[str, Any]:
    """Return the inputs in the order in which a prompt shows them; feedback and hidden ones are no part."""
    first = [name for name in ("brief", "sentences", *PURPOSE_INPUTS.get(purpose, ())) if name in inputs]
    rest = [name for name in inputs if name not in first and name != "feedback" and name not in hidden]
    return {name: inputs[name] for name in dict.fromkeys([*first, *rest])}


@lru_cache(maxsize=64)
def _schema(purpose: str) -> str:
    schema = schema_of(purpose) if purpose in KINDS or purpose in DRAFTS else DocumentDraft
    return json.dumps(schema.model_json_schema(), ensure_ascii=False, indent=1)


# -- inputs as delimited data


def all_inputs(inputs: Mapping[str, Any]) -> str:
    """Write every input between tags of its name."""
    return "\n\n".join(delimited(name, as_text(value)) for name, value in inputs.items())


def delimited(name: str, text: str) -> str:
    """Put a text between an opening and a closing tag; the tag is one that the text does not hold."""
    tag, number = name, 1
    while f"</{tag}>" in text:
        number += 1
        tag = f"{name}-{number}"
    return f"<{tag}>\n{text}\n</{tag}>"


def as_text(value: Any) -> str:
    """Write an input: text as it is, numbered sentences line by line, files with their paths, all else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(_is_sentence(item) for item in value):
        return "\n".join(f"{item['id']}: {item['text']}" for item in value)
    if isinstance(value, dict) and "markdown" in value and "sections" in value:
        files = [_file(one["path"], one["content"]) for one in value.get("files") or ()]
        return "\n".join([str(value["markdown"]), *files])
    if isinstance(value, dict) and _is_files(value.get("files")):
        rest = {name: one for name, one in value.items() if name != "files"}
        files = [_file(one["path"], one["content"]) for one in value["files"]]
        return "\n".join([*files, *([json.dumps(rest, ensure_ascii=False, indent=1)] if rest else [])])
    return json.dumps(value, ensure_ascii=False, indent=1)


def _is_sentence(item: Any) -> bool:
    return isinstance(item, dict) and set(item) == {"id", "text"}


def _is_files(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) and {"path", "content"} <= set(one) for one in value)


def _file(path: str, content: str) -> str:
    tag, number = "file", 1
    while f"</{tag}>" in content:
        number += 1
        tag = f"file-{number}"
    return f"<{tag} path={json.dumps(path, ensure_ascii=False)}>\n{content}\n</{tag}>"


# -- the phases dialect: Jinja


def _text(template: Template, part: str, text: str, values: Mapping[str, Any], limits: Limits) -> str:
    texts = {name: include.text for name, include in template.includes.items()}
    start, lines = _with_blocks(template, part, text, texts)
    try:
        return render(texts, start, values, limits).strip("\n") + "\n"
    except RenderFailed as failed:
        place = _place(template, failed, lines)
        raise DefinitionError(
            f'{place}: template "{template.name}", {part}: {failed.reason} [{failed.code}]',
            hint="`botarmy lint` checks every template before a run; docs/lint-codes.md explains the codes.",
        ) from failed


def _with_blocks(
    template: Template, part: str, text: str, texts: dict[str, str]
) -> tuple[str, dict[str, list[tuple[int, Place]]]]:
    """Add the text and one child per level of block overrides; return the last one's name and where its lines come from."""
    texts[part] = text
    lines = {part: [(1, template.parts.get(part, Place(file=template.name)))]}
    start = part
    for level, blocks in enumerate(template.blocks):
        child, known = f"{{% extends {json.dumps(start)} %}}", []
        for name, block in blocks.items():
            known.append((child.count("\n") + 1, block.place))
            child += f"{{% block {name} %}}{block.text}{{% endblock %}}"
        start = f"blocks of {part} ({level + 1})"
        texts[start], lines[start] = child, known
    return start, lines


def _place(template: Template, failed: RenderFailed, lines: Mapping[str, list[tuple[int, Place]]]) -> Place:
    if failed.text_name in template.includes:
        place = template.includes[failed.text_name].place
        return Place(file=place.file, line=place.line + failed.line - 1)
    known = [one for one in lines.get(failed.text_name, ()) if one[0] <= failed.line]
    if not known:
        return Place(file=template.name)
    start, place = known[-1]
    return Place(file=place.file, line=place.line + failed.line - start)


# -- foreign text


def fill(text: str, values: Mapping[str, Any]) -> str:
    """Replace `{{identifier}}` in a foreign text by the text or number of that name; everything else stays as it is."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match.group(1))
        return str(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else match.group(0)

    return PLACEHOLDER.sub(value, text)
