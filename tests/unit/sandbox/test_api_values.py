"""Values made from schemas: valid ones fit, broken ones do not."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sandbox.api.document import Document
from sandbox.api.values import OMIT, Values, broken

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {},
    "components": {
        "schemas": {
            "Name": {"type": "string", "minLength": 3, "maxLength": 5},
            "Tree": {"type": "object", "properties": {"child": {"$ref": "#/components/schemas/Tree"}}},
            "Circle": {"$ref": "#/components/schemas/Circle"},
        }
    },
}
SCHEMAS: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "string", "minLength": 13, "maxLength": 13},
    {"type": "string", "maxLength": 1},
    {"type": "string", "minLength": 300},
    {"type": "string", "format": "date"},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "email"},
    {"type": "string", "format": "uuid"},
    {"type": "string", "pattern": "^[A-Z]{3}$", "example": "ABC"},
    {"type": "integer"},
    {"type": "integer", "minimum": 1, "maximum": 5},
    {"type": "integer", "minimum": 7, "maximum": 7},
    {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
    {"type": "integer", "minimum": 5, "multipleOf": 4},
    {"type": "integer", "maximum": -3},
    {"type": "number", "minimum": 0, "maximum": 1},
    {"type": "number", "minimum": 0.5},
    {"type": "number", "exclusiveMinimum": 0},
    {"type": "boolean"},
    {"type": ["string", "null"], "maxLength": 9},
    {"type": "null"},
    {"enum": ["a", "b"]},
    {"const": 4},
    {"type": "array", "items": {"type": "integer"}, "minItems": 2},
    {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}},
    {"$ref": "#/components/schemas/Name"},
    {"$ref": "#/components/schemas/Tree"},
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}},
            {"required": ["b"], "properties": {"b": {"const": 1}}},
        ]
    },
    {"oneOf": [{"type": "null"}, {"type": "integer", "minimum": 3}]},
    {"anyOf": [{"$ref": "#/components/schemas/Name"}, {"type": "integer"}]},
]


@pytest.fixture
def document() -> Document:
    return Document(DOCUMENT)


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_valid_values_fit(document: Document, schema: dict[str, Any]) -> None:
    values = Values(document, itertools.count(1))
    for _ in range(30):
        value = values.valid(schema)
        errors = [error.message for error in document.validator(schema).iter_errors(value)]
        assert errors == []


@pytest.mark.parametrize("schema", [SCHEMAS[0], SCHEMAS[1], SCHEMAS[4], SCHEMAS[6], SCHEMAS[7], SCHEMAS[9]], ids=str)
def test_values_differ(document: Document, schema: dict[str, Any]) -> None:
    values = Values(document, itertools.count(1))
    assert len({values.valid(schema) for _ in range(100)}) == 100


def test_a_special_value_is_taken_and_an_omitted_one_left_out(document: Document) -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {}, "b": {}, "c": {"type": "integer"}}}
    special = {"a": OMIT, "b": OMIT, "c": {"$saved": "row"}}
    value = Values(document, itertools.count(1), lambda name, _: special[name]).valid(schema)
    assert value == {"a": 1, "c": {"$saved": "row"}}


def test_read_only_fields_are_not_sent(document: Document) -> None:
    schema = {"type": "object", "properties": {"id": {"type": "integer", "readOnly": True}, "a": {"type": "integer"}}}
    assert set(Values(document, itertools.count(1)).valid(schema)) == {"a"}


def test_references_in_a_circle_are_an_error(document: Document) -> None:
    with pytest.raises(ValueError, match="circle"):
        document.resolve({"$ref": "#/components/schemas/Circle"})


BOOK = {
    "type": "object",
    "additionalProperties": False,
    "required": ["title"],
    "properties": {
        "title": {"type": "string", "minLength": 2, "maxLength": 4},
        "pages": {"type": "integer", "minimum": 1, "maximum": 9},
        "state": {"enum": ["new", "old"]},
        "due": {"type": "string", "format": "date"},
    },
}


def test_each_rule_is_broken_once(document: Document) -> None:
    values = Values(document, itertools.count(1))
    valid = values.valid(BOOK)
    found = {about: body for about, body in broken(values, BOOK, valid) if not document.validator(BOOK).is_valid(body)}
    assert found["without title"] == {key: part for key, part in valid.items() if key != "title"}
    assert found["with title too short"]["title"] == "x"
    assert found["with title too long"]["title"] == "xxxxx"
    assert found["with pages too small"]["pages"] == 0
    assert found["with pages too great"]["pages"] == 10
    assert found["with state outside its allowed values"]["state"] == "no such value"
    assert found["with due that is no date"]["due"] == "not a date"
    assert "with an unknown field" in found
    assert "a list in place of an object" in found
    assert len(found) == 17
