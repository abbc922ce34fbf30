"""The curl examples of the product's README: in their order, on an empty service, every one of them works."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from providers.offline.service_model import Entity, Model
from providers.offline.service_samples import body
from providers.offline.service_text import shown_json

ADDRESS = "127.0.0.1:8080"


@dataclass
class Examples:
    """The commands for each entity, and those that delete what the others have made.

    Attributes:
        of_entity: entity name -> commands.
        deletions: commands, the last record first.
        unshown: (entity, action) -> why there is no example.
    """

    of_entity: dict[str, list[str]] = field(default_factory=dict)
    deletions: list[str] = field(default_factory=list)
    unshown: dict[tuple[str, str], str] = field(default_factory=dict)


def examples(model: Model) -> Examples:
    """Return the examples for all entities that can have records."""
    found = Examples()
    for entity in model.ordered:
        found.of_entity[entity.name] = list(_commands(entity, frozenset(found.of_entity), found))
    found.deletions.reverse()
    return found


def curl(method: str, path: str, content: Any = None) -> str:
    """Return one command."""
    words = ["curl", "-sS", *([] if method == "GET" else ["-X", method]), ADDRESS + path]
    if content is not None:
        words += ["-H", "Content-Type: application/json", "-d", shown_json(content)]
    return shlex.join(words)


def adding(model: Model) -> str:
    """Return the command that adds a first record on the command line; only its form where no example can be shown."""
    for entity in model.ordered[:1]:
        values = body(entity, 1, frozenset())
        words = [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items()]
        if all(word.isprintable() and not set("`<>") & set(word) for word in words):
            return shlex.join(["python", "-m", "app", "add", entity.collection, *words])
    return f"python -m app add {(model.ordered or model.entities)[0].collection} field=value"


def address(entity: Entity, *parts: object) -> str:
    """Return the address of a collection or of something in it."""
    return "/" + "/".join(quote(str(part), safe="") for part in (entity.collection, *parts))


def _commands(entity: Entity, known: frozenset[str], found: Examples) -> Iterator[str]:
    yield _create(entity, 1, known, found)
    yield curl("GET", address(entity))
    yield curl("GET", address(entity, 1))
    number = 1 if any(one.unique for one in entity.fields) else 2
    yield curl("PUT", address(entity, 1), body(entity, number, known))
    if entity.state:
        yield from _actions(entity, known, found)


def _create(entity: Entity, number: int, known: frozenset[str], found: Examples) -> str:
    found.deletions.append(curl("DELETE", address(entity, number)))
    return curl("POST", address(entity), body(entity, number, known))


def _actions(entity: Entity, known: frozenset[str], found: Examples) -> Iterator[str]:
    """Show each action once, on the record at hand where its state allows it, else on a new one."""
    if not entity.state:
        return
    paths = entity.state.paths()
    number, current = 1, entity.state.initial
    shown: set[str] = set()
    for action in entity.state.actions:
        before = next((state for state in paths if entity.state.after(state, action) is not None), None)
        if before is None:
            found.unshown[entity.name, action] = "no record can come to a state from which it is allowed"
            continue
        if action in shown:
            continue
        steps = [action]
        if entity.state.after(current, action) is None:
            if not _has_room(entity, number + 1):
                found.unshown[entity.name, action] = "needs a further record"
                continue
            number, current = number + 1, entity.state.initial
            yield _create(entity, number, known, found)
            steps = [*paths[before], action]
        for step in steps:
            yield curl("POST", address(entity, number, step))
            current = entity.state.after(current, step) or current
            shown.add(step)


def _has_room(entity: Entity, number: int) -> bool:
    return entity.room >= number and not any(one.unique and one.required and one.references for one in entity.fields)
