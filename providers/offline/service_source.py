"""Writes app/models.py of a generated service: the entities as typed declarations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from providers.offline.service_model import Entity, Field, Model, State, Step
from providers.offline.service_text import LINE, distinct, docstring, literal, one_line, wrapped_literal

RULES = ("minimum", "maximum", "min_length", "max_length")


def models_source(title: str, model: Model, *, envelope: bool) -> str:
    """Return the text of app/models.py.

    Args:
        title: the product's name, as the brief has it.
        model: the entities.
        envelope: whether lists come in an object with items and total, or as a plain array.
    """
    names = [name.upper() for name in distinct((entity.name for entity in model.entities), "entity")]
    words = [word for word in ("Entity", "Field", "State", "Transition") if word in _used(model)]
    parts = [
        f'"""{docstring(title)}: what is stored, and which values are allowed."""\n\n'
        f"from __future__ import annotations\n\nfrom app.schema import {', '.join(words)}\n\n"
        f"TITLE = {wrapped_literal(one_line(title), 0)}\n"
        f"LIST_ENVELOPE = {envelope}\n",
        *(_entity(name, entity) for name, entity in zip(names, model.entities, strict=True)),
        f"ENTITIES = {_tuple(names, 0)}\n",
    ]
    return "\n".join(parts)


def _used(model: Model) -> set[str]:
    words = {"Entity"}
    for entity in model.entities:
        words |= {"Field"} if entity.fields else set()
        words |= {"State"} if entity.state else set()
        words |= {"Transition"} if entity.state and entity.state.steps else set()
    return words


def _entity(name: str, entity: Entity) -> str:
    comment = "".join(f"# {line}\n" for line in _comments(entity))
    lines = [
        f"{comment}{name} = Entity(",
        f"    name={wrapped_literal(entity.name, 9)},",
        f"    collection={wrapped_literal(entity.collection, 15)},",
        f"    fields={_block([_field(field) for field in entity.fields], 4)},",
    ]
    if entity.state:
        lines.append(f"    state={_state(entity.state)},")
    return "\n".join([*lines, ")"]) + "\n"


def _comments(entity: Entity) -> Iterable[str]:
    if entity.description:
        yield docstring(entity.description)
    if entity.requirement_ids:
        yield docstring(f"Asked for by {', '.join(entity.requirement_ids)}.")


def _field(field: Field) -> tuple[str, str]:
    words = [literal(field.name), literal(field.type)]
    words += [f"{name}=True" for name in ("required", "unique") if getattr(field, name)]
    words += [f"{name}={getattr(field, name)!r}" for name in RULES if getattr(field, name) is not None]
    if field.values:
        words.append(f"values={_tuple([_value(value) for value in field.values], 12)}")
    if field.references:
        words.append(f"references={literal(field.references)}")
    line = f"Field({', '.join(words)})"
    if len(line) + 8 > LINE or "\n" in line:
        line = "Field(\n" + "".join(f"            {word},\n" for word in words) + "        )"
    return line, docstring(", ".join(field.requirement_ids))


def _value(value: str | float) -> str:
    return wrapped_literal(value, 16) if isinstance(value, str) else repr(value)


def _state(state: State) -> str:
    states = _tuple([_value(one) for one in state.states], 8)
    return (
        "State(\n"
        f"        field={literal(state.field)},\n"
        f"        initial={wrapped_literal(state.initial, 16)},\n"
        f"        states={states},\n"
        f"        transitions={_block([_step(step) for step in state.steps], 8)},\n"
        "    )"
    )


def _step(step: Step) -> str:
    words = [
        literal(step.action),
        f"from_states={_tuple([literal(state) for state in step.from_states], 16)}",
        f"to_state={literal(step.to_state)}",
    ]
    line = f"Transition({', '.join(words)})"
    if len(line) + 12 > LINE or "\n" in line:
        line = "Transition(\n" + "".join(f"                {word},\n" for word in words) + "            )"
    return line


def _block(items: Sequence[str | tuple[str, str]], indent: int) -> str:
    """Write a tuple with one item a line; an item may have a comment."""
    if not items:
        return "()"
    pad = " " * (indent + 4)
    pairs = [item if isinstance(item, tuple) else (item, "") for item in items]
    lines = [f"{pad}{item},{'  # ' + comment if comment else ''}\n" for item, comment in pairs]
    return "(\n" + "".join(lines) + " " * indent + ")"


def _tuple(items: list[str], indent: int) -> str:
    """Write a tuple on one line where it fits."""
    line = f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    return line if len(line) + indent + 20 <= LINE and "\n" not in line else _block(items, indent)
