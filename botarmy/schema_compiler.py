"""One JSON schema for every vendor: lowered to what its structured mode accepts, and the answer raised back.

Each vendor's native schema mode knows another part of JSON Schema. What none of them can express is lowered alike:
a map (keys unknown beforehand) becomes a list of entries, a free-form value becomes a string that holds JSON. What a
dialect does not enforce (a length, a pattern) moves into the description, so that the model is told. The answer is
raised back to the original form and validated against the original schema: no vendor's promise is trusted.

The model is asked for {"answer": ..., "confidence": 0..1}: confidence is the model's own, and validated like the rest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botarmy.records import Record

Schema = dict[str, Any]

ANSWER = "answer"
CONFIDENCE = "confidence"
MAX_PROBLEMS = 20  # enough to mend an answer by; more only cost tokens
_CONFIDENCE_SCHEMA: Schema = {
    "type": "number",
    "description": "How sure you are that the answer is right and complete: from 0 (a guess) to 1 (certain).",
}
_FREE_NOTE = "A JSON value, encoded as a JSON string."
_MAP_NOTE = "An object, as the list of its entries; each key once."
_DROPPED_SILENTLY = frozenset({"title", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"})
_CONSTRAINTS = (
    *("minLength", "maxLength", "pattern", "format"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems", "uniqueItems"),
)


class Dialect(Record):
    """What a vendor's schema mode enforces.

    Attributes:
        constraints: constraint keywords it accepts; the others go into the description.
        formats: values of "format" it accepts.
        recursive: whether a definition may refer to itself.
    """

    name: str
    constraints: frozenset[str]
    formats: frozenset[str]
    recursive: bool


_NUMERIC = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
OPENAI = Dialect(
    name="openai",
    constraints=_NUMERIC | {"pattern", "format", "minItems", "maxItems"},
    formats=frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}),
    recursive=True,
)
ANTHROPIC = Dialect(
    name="anthropic",
    constraints=frozenset({"format"}),
    formats=frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}),
    recursive=False,
)
GEMINI = Dialect(
    name="gemini",
    constraints=frozenset({"minimum", "maximum", "minItems", "maxItems", "format"}),
    formats=frozenset({"date-time", "date", "time"}),
    recursive=False,
)


class AnswerError(Exception):
    """The answer does not fit. `problems` are sentences for the model."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Answer(Record):
    """A validated answer."""

    parsed: dict[str, Any]
    confidence: float


class Shape(StrEnum):
    """How a schema node is lowered."""

    reference = "reference"
    union = "union"
    struct = "struct"
    map = "map"
    list = "list"
    scalar = "scalar"
    free = "free"


def shape_of(node: Schema) -> Shape:
    """Classify a schema node. What no vendor can express in full is `free`."""
    if "$ref" in node:
        return Shape.reference
    if "anyOf" in node or "oneOf" in node or isinstance(node.get("type"), list):
        return Shape.union
    kind = node.get("type")
    if kind == "object":
        return _object_shape(node)
    if kind == "array":
        return Shape.list if isinstance(node.get("items"), dict) and "prefixItems" not in node else Shape.free
    return Shape.scalar if kind in _SCALARS or "enum" in node or "const" in node else Shape.free


_SCALARS = frozenset({"string", "integer", "number", "boolean", "null"})


def _object_shape(node: Schema) -> Shape:
    if node.get("properties") or node.get("additionalProperties") is False:
        return Shape.struct
    values = node.get("additionalProperties")
    return Shape.map if isinstance(values, dict) and values else Shape.free


def _branches(node: Schema) -> list[Schema]:
    if isinstance(node.get("type"), list):
        rest = {key: value for key, value in node.items() if key != "type"}
        return [{"type": "null"} if kind == "null" else {**rest, "type": kind} for kind in node["type"]]
    return list(node.get("anyOf") or node["oneOf"])


def _target(node: Schema) -> str:
    reference = str(node["$ref"])
    prefix = "#/$defs/"
    if not reference.startswith(prefix):
        raise ValueError(f"the schema refers to {reference!r}; only {prefix}… is understood")
    return reference.removeprefix(prefix)


def _references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {_target(node)} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(_references(value) for key, value in node.items() if key != "$defs"))
    if isinstance(node, list):
        return set().union(*(_references(item) for item in node))
    return set()


def _recursive_definitions(definitions: dict[str, Schema]) -> frozenset[str]:
    direct = {name: _references(node) for name, node in definitions.items()}
    found = set()
    for name in definitions:
        seen: set[str] = set()
        waiting = list(direct[name])
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen.add(current)
                waiting.extend(direct.get(current, ()))
        if name in seen:
            found.add(name)
    return frozenset(found)


@dataclass(frozen=True)
class CompiledSchema:
    """A schema in a vendor's dialect, and the way back.

    Attributes:
        original: the schema that the answer must fit.
        dialect: the vendor's.
        wire: what is sent to the vendor.
    """

    original: Schema
    dialect: Dialect
    wire: Schema
    _opaque: frozenset[str]

    def read(self, text: str) -> Answer:
        """Return the answer that `text` holds, in the original form.

        Raises:
            AnswerError: it is not JSON, or does not fit the original schema.
        """
        value = _loads(_without_fence(text), "the answer")
        if not isinstance(value, dict) or set(value) != {ANSWER, CONFIDENCE}:
            raise AnswerError((f'the answer must be one JSON object with the keys "{ANSWER}" and "{CONFIDENCE}"',))
        parsed = self._raise(self.original, value[ANSWER], ANSWER)
        problems = self._problems(parsed) + _confidence_problems(value[CONFIDENCE])
        if problems:
            raise AnswerError(tuple(problems[:MAX_PROBLEMS]))
        return Answer(parsed=parsed, confidence=float(value[CONFIDENCE]))

    def _problems(self, parsed: Any) -> list[str]:
        if not isinstance(parsed, dict):
            return [f"{ANSWER} must be an object"]
        return [f"{_place(error.absolute_path)}: {error.message[:300]}" for error in _errors(self.original, parsed)]

    def _definition(self, node: Schema) -> Schema:
        definition: Schema = self.original["$defs"][_target(node)]
        return definition

    def _raise(self, node: Schema, value: Any, place: str) -> Any:
        """Undo the lowering of one node; a value of an unexpected type is left for validation to report."""
        shape = shape_of(node)
        if shape is Shape.reference:
            if _target(node) in self._opaque:
                return _raise_free(value, place)
            return self._raise(self._definition(node), value, place)
        if shape is Shape.free:
            return _raise_free(value, place)
        if shape is Shape.union:
            return self._raise_union(node, value, place)
        return self._raise_container(shape, node, value, place)

    def _raise_container(self, shape: Shape, node: Schema, value: Any, place: str) -> Any:
        if shape is Shape.list and isinstance(value, list):
            return [self._raise(node["items"], item, f"{place}[{i}]") for i, item in enumerate(value)]
        if shape is Shape.map:
            entries = _entries(value, place)
            values = node["additionalProperties"]
            return {key: self._raise(values, item, f"{place}.{key}") for key, item in entries.items()}
        if shape is Shape.struct and isinstance(value, dict):
            fields = node.get("properties", {})
            return {
                key: self._raise(fields[key], item, f"{place}.{key}") if key in fields else item
                for key, item in value.items()
            }
        return value

    def _raise_union(self, node: Schema, value: Any, place: str) -> Any:
        """Take the first branch that the raised value fits; where none does, the first that could be raised."""
        candidates = []
        failures: list[AnswerError] = []
        for branch in _branches(node):
            try:
                raised = self._raise(branch, value, place)
            except AnswerError as error:
                failures.append(error)
                continue
            if not _errors({**branch, "$defs": self.original.get("$defs", {})}, raised):
                return raised
            candidates.append(raised)
        if not candidates:
            raise failures[0]
        return candidates[0]


def compile_schema(schema: Schema, dialect: Dialect) -> CompiledSchema:
    """Lower a schema to a vendor's dialect.

    Raises:
        ValueError: the schema refers to something outside its own definitions.
    """
    definitions: dict[str, Schema] = schema.get("$defs", {})
    opaque = frozenset() if dialect.recursive else _recursive_definitions(definitions)
    lowering = _Lowering(dialect, opaque)
    wire: Schema = {
        "type": "object",
        "properties": {ANSWER: lowering.lower(schema), CONFIDENCE: dict(_CONFIDENCE_SCHEMA)},
        "required": [ANSWER, CONFIDENCE],
        "additionalProperties": False,
    }
    lowered = {name: lowering.lower(node) for name, node in definitions.items() if name not in opaque}
    if lowered:
        wire["$defs"] = lowered
    return CompiledSchema(original=schema, dialect=dialect, wire=wire, _opaque=opaque)


@dataclass(frozen=True)
class _Lowering:
    dialect: Dialect
    opaque: frozenset[str]

    def lower(self, node: Schema) -> Schema:
        shape = shape_of(node)
        if shape is Shape.reference:
            name = _target(node)
            # A reference may have no siblings in strict modes; the definition describes itself.
            return self._free(node) if name in self.opaque else {"$ref": f"#/$defs/{name}"}
        lowered: Schema = {
            Shape.union: self._union,
            Shape.struct: self._struct,
            Shape.map: self._map,
            Shape.list: self._list,
            Shape.scalar: self._scalar,
            Shape.free: self._free,
        }[shape](node)
        return lowered

    def _described(self, node: Schema, lowered: Schema, note: str = "") -> Schema:
        dropped = [f"{key} {node[key]}" for key in _CONSTRAINTS if key in node and key not in lowered]
        parts = [node.get("description", ""), note, f"({', '.join(dropped)})" if dropped else ""]
        text = " ".join(part.strip() for part in parts if part)
        return {**lowered, "description": text} if text else lowered

    def _kept(self, node: Schema) -> Schema:
        return {
            key: node[key]
            for key in _CONSTRAINTS
            if key in node
            and key in self.dialect.constraints
            and (key != "format" or node[key] in self.dialect.formats)
        }

    def _union(self, node: Schema) -> Schema:
        return self._described(
            {"description": node.get("description", "")}, {"anyOf": [self.lower(branch) for branch in _branches(node)]}
        )

    def _struct(self, node: Schema) -> Schema:
        fields = {name: self.lower(field) for name, field in node.get("properties", {}).items()}
        lowered = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
        return self._described(node, lowered)

    def _map(self, node: Schema) -> Schema:
        entry = {
            "type": "object",
            "properties": {"key": {"type": "string"}, "value": self.lower(node["additionalProperties"])},
            "required": ["key", "value"],
            "additionalProperties": False,
        }
        return self._described(node, {"type": "array", "items": entry}, _MAP_NOTE)

    def _list(self, node: Schema) -> Schema:
        return self._described(node, {"type": "array", "items": self.lower(node["items"]), **self._kept(node)})

    def _scalar(self, node: Schema) -> Schema:
        values = [node["const"]] if "const" in node else node.get("enum")
        lowered: Schema = {"type": node.get("type") or _type_of(values), **self._kept(node)}
        if values:
            lowered["enum"] = values
        return self._described(node, lowered)

    def _free(self, node: Schema) -> Schema:
        return self._described(node, {"type": "string"}, _FREE_NOTE)


def _type_of(values: list[Any] | None) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    return kinds.get(type(values[0]), "string") if values else "string"


def _raise_free(value: Any, place: str) -> Any:
    # A server that does not enforce the schema may send the value itself instead of a string that holds it.
    return _loads(value, place) if isinstance(value, str) else value


def _entries(value: Any, place: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    entries: dict[str, Any] = {}
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, dict) or set(entry) != {"key", "value"} or not isinstance(entry["key"], str):
            raise AnswerError((f'{place} must be a list of {{"key": text, "value": …}} entries',))
        if entry["key"] in entries:
            raise AnswerError((f"{place} has the key {entry['key']!r} twice",))
        entries[entry["key"]] = entry["value"]
    return entries


def _loads(text: str, place: str) -> Any:
    def refuse(constant: str) -> None:
        raise AnswerError((f"{place} holds {constant}, which is no JSON",))

    try:
        return json.loads(text, parse_constant=refuse)
    except (json.JSONDecodeError, RecursionError) as error:
        raise AnswerError((f"{place} is not valid JSON: {error}",)) from error


def _without_fence(text: str) -> str:
    """Strip a Markdown fence around the whole answer; small models write one although they are told not to."""
    stripped = text.strip()
    if stripped.startswith("```") and stripped.endswith("```") and "\n" in stripped:
        return stripped[stripped.index("\n") : -3]
    return stripped


def _errors(schema: Schema, value: Any) -> list[Any]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 40 ms that only a real answer needs

    found = Draft202012Validator(schema).iter_errors(value)
    return sorted(found, key=lambda error: [str(part) for part in error.absolute_path])


def _confidence_problems(value: Any) -> list[str]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return [f"{CONFIDENCE} must be a number from 0 to 1"]
    return []


def _place(path: Any) -> str:
    place = ANSWER
    for part in path:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return place
