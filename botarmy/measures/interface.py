"""Design: does the interface speak of the same records as the data models?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from botarmy.artifacts import ApiSpecifications, DataField, DataModels, Entity
from botarmy.measures.openapi import operations
from botarmy.measures.share import share
from botarmy.records import Measure

_MAX_STEPS = 12
_WRITING = ("post", "put", "patch")
_LIMITS = (
    ("minimum", "minimum"),
    ("maximum", "maximum"),
    ("min_length", "minLength"),
    ("max_length", "maxLength"),
)
_NOTHING = ("min_length", 0)
"""A least length that says nothing; a text that must be there has a character at least."""
_PARAMETER = re.compile(r"\{([^{}]*)\}")


class _Operations:
    """What the operations of one entity say: of which fields, and what they take.

    Attributes:
        named: the plain names of all properties and path parameters.
        taken: plain name -> (name, schema) of what creating and changing takes.
    """

    def __init__(self, entity: Entity, document: Mapping[str, Any]) -> None:
        self.named: set[str] = set()
        self.taken: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.found = False
        for method, path, operation in operations(document):
            if _kind_of(path) in {_plain(entity.collection), _plain(entity.name)}:
                self.found = True
                self._read(method, path, operation, document)

    def _read(self, method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> None:
        self.named.update(_plain(name) for name in _PARAMETER.findall(path))
        for name, schema in _properties(operation.get("requestBody"), document):
            self.named.add(_plain(name))
            if method in _WRITING:
                self.taken.setdefault(_plain(name), (name, schema))
        responses = operation.get("responses")
        for status, response in responses.items() if isinstance(responses, Mapping) else ():
            if str(status).startswith("2"):
                self.named.update(_plain(name) for name, _ in _properties(response, document, inner=True))


def interface_matches_models(models: DataModels, specification: ApiSpecifications) -> Measure:
    """Share of the fields of the data models that the interface has as they are; what it takes beyond them are misses.

    An entity's operations are those whose path ends in its collection (or name), with an id or without. A field is there
    when they take or give a property, or have a path parameter, of that name; limits and values that both state must be
    the same. An entity without any operation is one miss.
    """
    problems = []
    total = 0
    for entity in models.entities:
        total += max(len(entity.fields), 1)
        known = _Operations(entity, specification.openapi)
        if not known.found:
            problems.append(f"The interface has no operation for {entity.name}, an entity of the data models")
            continue
        problems += [fault for field in entity.fields if (fault := _fault(entity, field, known))]
        beyond = list(_beyond(entity, known))
        total += len(beyond)
        problems += beyond
    return share("interface_matches_models", total, problems, nothing="There is no entity.")


def _fault(entity: Entity, field: DataField, known: _Operations) -> str:
    name = _plain(field.name)
    if name not in known.named:
        return f"The interface has no field {field.name} of {entity.name}, which the data models have"
    _, schema = known.taken.get(name, ("", {}))
    for ours, theirs in _LIMITS:
        wanted, stated = getattr(field, ours), schema.get(theirs)
        if wanted is not None and isinstance(stated, int | float) and stated != wanted and (ours, wanted) != _NOTHING:
            return f"{theirs} of {field.name} of {entity.name} is {wanted:g} in the data models, {stated:g} in the interface"
    stated = schema.get("enum")
    if (
        field.values
        and isinstance(stated, list)
        and {str(one) for one in stated if one is not None} != set(map(str, field.values))
    ):
        return f"The values of {field.name} of {entity.name} are others in the interface than in the data models"
    return ""


def _beyond(entity: Entity, known: _Operations) -> Iterator[str]:
    own = {_plain(field.name) for field in entity.fields} | {"id"}
    own |= {_plain(entity.state.field)} if entity.state else set()
    for plain, (name, _) in known.taken.items():
        if plain not in own:
            yield f"The interface takes {name} of {entity.name}, which the data models do not have"


def _kind_of(path: str) -> str:
    """Return the plain word that names what a path is about: its last part that is no parameter, before one at most."""
    parts = [part for part in path.split("/") if part]
    if parts and _PARAMETER.fullmatch(parts[-1]):
        parts.pop()
    return _plain(parts[-1]) if parts and not _PARAMETER.fullmatch(parts[-1]) else ""


def _plain(name: str) -> str:
    """Return what is the same in due_date, due-date and dueDate."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _properties(
    holder: Any, document: Mapping[str, Any], *, inner: bool = False
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (name, schema) of the properties in the JSON content of a body or an answer, `inner`: at any depth."""
    content = _resolved(holder, document).get("content")
    waiting = [
        media.get("schema")
        for kind, media in (content.items() if isinstance(content, Mapping) else ())
        if "json" in str(kind) and isinstance(media, Mapping)
    ]
    seen: set[int] = set()
    while waiting:
        schema = _resolved(waiting.pop(), document)
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        waiting += [part for word in ("allOf", "oneOf", "anyOf") for part in _listed(schema.get(word))]
        properties = schema.get("properties")
        for name, part in properties.items() if isinstance(properties, Mapping) else ():
            yield str(name), _resolved(part, document)
            waiting += [part] if inner else []
        waiting += [schema.get("items")] if inner else []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _resolved(value: Any, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference inside the document leads to; nothing where it leads nowhere."""
    for _ in range(_MAX_STEPS):
        reference = value.get("$ref") if isinstance(value, Mapping) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        value = document
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}
