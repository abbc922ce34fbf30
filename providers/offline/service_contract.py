"""What the service takes from the OpenAPI document beyond the conventions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Lists:
    """How the document describes lists.

    Attributes:
        envelope: an object with items, total, limit and offset; else, and where the document says nothing, an array.
        paged: limit and offset are documented.
        filtered: further query parameters are documented.
    """

    envelope: bool
    paged: bool
    filtered: bool


def read_lists(openapi: Mapping[str, Any]) -> Lists:
    """Return how the document describes lists."""
    operations = [item["get"] for path, item in _paths(openapi).items() if _is_list(path, item)]
    names = {name for operation in operations for name in _query_names(operation)}
    pages = {"limit", "offset"}
    envelope = "object" in [_list_kind(openapi, operation) for operation in operations]
    return Lists(envelope, paged=pages <= names, filtered=bool(names - pages))


def _query_names(operation: Mapping[str, Any]) -> list[str]:
    parameters = operation.get("parameters")
    known = [one for one in parameters if isinstance(one, Mapping)] if isinstance(parameters, list) else []
    return [str(one.get("name")) for one in known if one.get("in") == "query"]


def _paths(openapi: Mapping[str, Any]) -> Mapping[str, Any]:
    paths = openapi.get("paths")
    return paths if isinstance(paths, Mapping) else {}


def _is_list(path: str, item: Any) -> bool:
    one_word = path.count("/") == 1 and path not in {"/health", "/openapi.json"}
    return one_word and isinstance(item, Mapping) and isinstance(item.get("get"), Mapping)


def _list_kind(openapi: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    schema = _at(operation, "responses", "200", "content", "application/json", "schema")
    for _step in range(10):
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        schema = _at(openapi, *(part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/")))
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    return kind if isinstance(kind, str) else ""


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
