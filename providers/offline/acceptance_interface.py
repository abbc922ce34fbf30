"""What the acceptance tests need of the OpenAPI document: the path of each entity and the fields a client writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from botarmy.artifacts import Rule
from providers.offline import words

_DEPTH = 10


def interface_of(document: Mapping[str, Any], rules: Sequence[Rule], named: Iterable[str]) -> dict[str, Any]:
    """Return entity -> {"path", "fields"}: names and types from the document, rules from the requirements.

    An entity that the document does not offer has an empty path, so that its tests fail and say so.
    """
    names = [*named, *(rule.entity for rule in rules), *(rule.target for rule in rules if rule.target)]
    found: dict[str, Any] = {}
    offered = _collections(document)
    by_field: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        by_field.setdefault((rule.entity, rule.field), []).append(rule)
    waiting = list(dict.fromkeys(names))
    for name in waiting:
        path, schema = _collection(offered, name)
        fields = {
            key: _field(document, part, key in schema.get("required", ()))
            for key, part in schema.get("properties", {}).items()
        }
        for key, field in fields.items():
            _apply(field, by_field.get((name, key), ()))
            if field["type"] == "reference" and field["target"] not in waiting:
                waiting.append(field["target"])
        found[name] = {"path": path, "fields": fields}
    return found


def entities_of(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the entities that the document offers to create."""
    paths = document.get("paths")
    for item in paths.values() if isinstance(paths, Mapping) else ():
        post = item.get("post") if isinstance(item, Mapping) else None
        name = str(post.get("operationId", "")) if isinstance(post, Mapping) else ""
        if name.startswith("create_"):
            yield name.removeprefix("create_")


def _collections(document: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return path and schema of what can be created, by operation id and by the path's own word."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, Mapping) else ():
        post = item.get("post") if isinstance(item, Mapping) else None
        if isinstance(post, Mapping) and "{" not in path:
            content = _resolved(document, post.get("requestBody", {})).get("content", {})
            schema = _resolved(document, content.get("application/json", {}).get("schema", {}))
            found.setdefault(path.strip("/").replace("-", "_"), (path, schema))
            found[str(post.get("operationId", ""))] = (path, schema)
    return found


def _collection(found: Mapping[str, tuple[str, Mapping[str, Any]]], name: str) -> tuple[str, Mapping[str, Any]]:
    """Return the path where records of the entity are created, and the schema of their values."""
    *before, last = name.split("_")
    plural = "_".join((*before, words.plural(last)))
    return next((found[key] for key in (f"create_{name}", plural, name) if key in found), ("", {}))


def _resolved(document: Mapping[str, Any], schema: Any) -> Mapping[str, Any]:
    for _ in range(_DEPTH):
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        schema = document
        for part in reference[2:].split("/"):
            schema = schema.get(part, {}) if isinstance(schema, Mapping) else {}
    return schema if isinstance(schema, Mapping) else {}


def _field(document: Mapping[str, Any], part: Any, required: bool) -> dict[str, Any]:
    schema = _resolved(document, part)
    kinds = schema.get("type", "string")
    kind = next((word for word in kinds if word != "null"), "string") if isinstance(kinds, list) else str(kinds)
    target = str(schema.get("x-references", ""))
    formats = {"date": "date", "date-time": "datetime"}
    return {
        "type": "reference" if target else formats.get(str(schema.get("format")), kind),
        "required": required,
        "values": [value for value in schema.get("enum", ()) if value is not None],
        "minimum": schema.get("minimum"),
        "maximum": schema.get("maximum"),
        "min_length": schema.get("minLength"),
        "max_length": schema.get("maxLength"),
        "target": target,
    }


def _apply(field: dict[str, Any], rules: Sequence[Rule]) -> None:
    """Let the requirements' rules decide what a good value is."""
    for rule in rules:
        if rule.kind == "relation":
            field["type"], field["target"] = "reference", rule.target
        elif rule.kind == "enumeration":
            field["values"] = [
                value for value in rule.values if not field["values"] or value in field["values"]
            ] or list(rule.values)
        elif rule.kind == "range":
            field["minimum"], field["maximum"] = _narrow(field["minimum"], field["maximum"], rule)
        elif rule.kind == "length":
            low, high = _narrow(field["min_length"], field["max_length"], rule)
            field["min_length"], field["max_length"] = _whole(low), _whole(high)


def _narrow(low: float | None, high: float | None, rule: Rule) -> tuple[float | None, float | None]:
    lows = [bound for bound in (low, rule.minimum) if bound is not None]
    highs = [bound for bound in (high, rule.maximum) if bound is not None]
    return (_plain(max(lows)) if lows else None, _plain(min(highs)) if highs else None)


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
