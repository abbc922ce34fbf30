"""What the service takes from the OpenAPI document beyond the conventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def lists_have_envelope(openapi: Mapping[str, Any]) -> bool:
    """Return whether lists are documented as an object with items; a document that says nothing means an array."""
    kinds = [_list_kind(openapi, item["get"]) for path, item in _paths(openapi).items() if _is_list(path, item)]
    return "object" in kinds


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
