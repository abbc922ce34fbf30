"""Values that fit a schema, and values that break exactly one rule of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.api.document import Document, Schema

MAX_DEPTH = 8
OMIT = object()
"""What a `Special` returns for a property that is better left out."""
Special = Callable[[str, Schema], Any]
FORMATS: dict[str, Callable[[int], str]] = {
    "date": lambda n: f"20{n // 336 % 60 + 24:02d}-{n // 28 % 12 + 1:02d}-{n % 28 + 1:02d}",
    "date-time": lambda n: f"2024-{n // 28 % 12 + 1:02d}-{n % 28 + 1:02d}T{n % 24:02d}:30:00Z",
    "time": lambda n: f"{n % 24:02d}:30:00Z",
    "email": lambda n: f"person{n}@example.org",
    "uuid": lambda n: f"00000000-0000-4000-8000-{n:012d}",
    "uri": lambda n: f"https://example.org/{n}",
    "hostname": lambda n: f"host{n}.example.org",
    "ipv4": lambda n: f"192.0.2.{n % 254 + 1}",
    "ipv6": lambda n: f"2001:db8::{n:x}",
}


def kind_of(schema: Schema) -> str:
    """Return the JSON type that a schema asks for, as well as it says."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        kinds = next((kind for kind in kinds if kind != "null"), "null")
    if isinstance(kinds, str):
        return kinds
    for word, kind in (("properties", "object"), ("items", "array"), ("minLength", "string"), ("minimum", "number")):
        if word in schema:
            return kind
    return "string"


class Values:
    """Makes values for one document; every value of a string or number differs from the last where its schema allows."""

    def __init__(self, document: Document, numbers: Iterator[int], special: Special | None = None) -> None:
        """Take a source of numbers that differ, and what to ask first for the value of an object's property.

        `special` returns None where it has no value (it has one for references to other rows, which only exist once the
        service made them), or OMIT where the property is better left out.
        """
        self._document = document
        self._numbers = numbers
        self._number = 0
        self._special = special or (lambda _name, _schema: None)

    def flat(self, schema: Any) -> dict[str, Any]:
        """Return a schema without references and allOf, with the first of its alternatives."""
        known = self._document.resolve(schema)
        if not isinstance(known, Mapping):
            return {}
        merged = {key: value for key, value in known.items() if key not in {"allOf", "oneOf", "anyOf"}}
        parts = list(known.get("allOf", ()))
        for word in ("oneOf", "anyOf"):
            alternatives = [self._document.resolve(part) for part in known.get(word, ())]
            parts += [part for part in alternatives if part.get("type") != "null"][:1]
        for part in parts:
            merged = _merge(merged, self.flat(part))
        return merged

    def valid(self, schema: Any, depth: int = 0) -> Any:
        """Return a value that fits, as well as the schema says it."""
        known = self.flat(schema)
        for word in ("const", "default") if depth else ("const",):
            if word in known:
                return known[word]
        if known.get("enum"):
            return known["enum"][0]
        self._number = next(self._numbers)
        makers = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number_value,
        }
        maker = makers.get(kind_of(known))
        if maker is None:
            return True if kind_of(known) == "boolean" else None
        return maker(known, depth)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        value = {}
        for name, part in schema.get("properties", {}).items():
            required = name in schema.get("required", ())
            if self.flat(part).get("readOnly") or (depth >= MAX_DEPTH and not required):
                continue
            special = self._special(name, self.flat(part))
            if special is None:
                value[name] = self.valid(part, depth + 1)
            elif special is not OMIT or required:
                value[name] = 1 if special is OMIT else special
        return value

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        if depth >= MAX_DEPTH:
            return []
        return [self.valid(schema.get("items", {}), depth + 1) for _ in range(max(1, int(schema.get("minItems", 1))))]

    def _string(self, schema: Schema, _depth: int) -> str:
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]](self._number)
        if schema.get("pattern"):
            return _example(schema, f"{self._number}")
        least, most = int(schema.get("minLength", 0)), int(schema.get("maxLength", 40))
        text = f"text {self._number}"
        if len(text) > most:
            text = f"{self._number:0{most}d}"[-most:] if most else ""
        return text + "x" * max(0, least - len(text))

    def _integer(self, schema: Schema, _depth: int) -> int:
        step = int(schema.get("multipleOf", 1)) or 1
        low, high = bounds(schema, 1)
        first = -(-int(low) // step) * step if low is not None else 0
        if high is None:
            return first + step * self._number
        if low is None:
            return int(high) // step * step - step * self._number
        room = max(0, int(high) - first) // step
        return first + step * (self._number % (room + 1))

    def _number_value(self, schema: Schema, depth: int) -> float:
        if schema.get("multipleOf") or not isinstance(schema.get("minimum", 0), int):
            low, _ = bounds(schema, 0.5)
            return float(schema.get("multipleOf", 0) or low or 1)
        return float(self._integer({**schema, "multipleOf": 1}, depth))


def bounds(schema: Schema, step: float) -> tuple[float | None, float | None]:
    """Return the least and the greatest allowed number; None where open."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(schema.get("exclusiveMinimum"), int | float):
        low = schema["exclusiveMinimum"] + step
    if isinstance(schema.get("exclusiveMaximum"), int | float):
        high = schema["exclusiveMaximum"] - step
    return low, high


def _example(schema: Schema, otherwise: str) -> str:
    examples = schema.get("examples") or [schema.get("example", schema.get("default", otherwise))]
    return str(examples[0])


def _merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**first, **second}
    if "properties" in first and "properties" in second:
        merged["properties"] = {**first["properties"], **second["properties"]}
    if "required" in first and "required" in second:
        merged["required"] = [*first["required"], *second["required"]]
    return merged


def broken(values: Values, schema: Any, valid: Any) -> Iterator[tuple[str, Any]]:
    """Yield (what is wrong, body) for bodies that differ from a valid one in one rule.

    Whether each really breaks the schema is for the caller to check with a validator.
    """
    known = values.flat(schema)
    if kind_of(known) != "object" or not isinstance(valid, dict):
        yield "of the wrong type", [] if not isinstance(valid, list) else {}
        return
    yield "a list in place of an object", [valid]
    for name in known.get("required", ()):
        yield f"without {name}", {key: value for key, value in valid.items() if key != name}
    for name, part in known.get("properties", {}).items():
        for about, value in _broken_values(values.flat(part)):
            yield f"with {name} {about}", {**valid, name: value}
    yield "with an unknown field", {**valid, "unknown_field_of_the_contract_check": 1}


def _broken_values(schema: Schema) -> Iterator[tuple[str, Any]]:
    kind = kind_of(schema)
    wrong = {"string": 7, "integer": "many", "number": "many", "boolean": "perhaps", "array": "one", "object": "one"}
    yield f"of the wrong type ({kind} wanted)", wrong.get(kind)
    yield "null", None
    if schema.get("enum"):
        yield "outside its allowed values", "no such value"
    if kind == "string":
        yield from _broken_strings(schema)
    if kind in {"integer", "number"}:
        yield from _broken_numbers(schema)


def _broken_strings(schema: Schema) -> Iterator[tuple[str, Any]]:
    if schema.get("minLength"):
        yield "too short", "x" * (int(schema["minLength"]) - 1)
    if "maxLength" in schema:
        yield "too long", "x" * (int(schema["maxLength"]) + 1)
    if schema.get("format") in {"date", "date-time"}:
        yield "that is no date", "not a date"


def _broken_numbers(schema: Schema) -> Iterator[tuple[str, Any]]:
    low, high = bounds(schema, 1)
    if low is not None:
        yield "too small", low - 1
    if high is not None:
        yield "too great", high + 1
