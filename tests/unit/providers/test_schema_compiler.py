"""The schema compiler: every artifact kind in every dialect, there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from botarmy.artifacts import DRAFTS, KINDS
from botarmy.schema_compiler import (
    ANTHROPIC,
    GEMINI,
    OPENAI,
    AnswerError,
    CompiledSchema,
    Dialect,
    Shape,
    compile_schema,
    shape_of,
)

DIALECTS = [OPENAI, ANTHROPIC, GEMINI]
ALL_KINDS = {**KINDS, **DRAFTS}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text('aé\n"', max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=4,
)


def values_of(node: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that fit a schema of the kind that pydantic writes for our artifacts."""
    shape = shape_of(node)
    if shape is Shape.reference:
        return st.deferred(lambda: values_of(definitions[node["$ref"].rsplit("/", 1)[1]], definitions))
    if shape is Shape.union:
        return st.one_of([values_of(branch, definitions) for branch in node["anyOf"]])
    if shape is Shape.scalar:
        return scalars(node)
    return containers(shape, node, definitions)


def containers(shape: Shape, node: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    if shape is Shape.struct:
        fields = {name: values_of(field, definitions) for name, field in node["properties"].items()}
        needed = set(node.get("required", ()))
        return st.fixed_dictionaries(
            {name: field for name, field in fields.items() if name in needed},
            optional={name: field for name, field in fields.items() if name not in needed},
        )
    if shape is Shape.map:
        return st.dictionaries(
            st.text("xyz", max_size=3), values_of(node["additionalProperties"], definitions), max_size=2
        )
    if shape is Shape.list:
        least = node.get("minItems", 0)
        return st.lists(values_of(node["items"], definitions), min_size=least, max_size=least + 2)
    if shape is Shape.free:
        return st.dictionaries(st.text("ab", max_size=2), JSON_VALUES, max_size=2) if "type" in node else JSON_VALUES
    raise AssertionError(shape)


def scalars(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in node or "const" in node:
        return st.sampled_from(node.get("enum") or [node["const"]])
    low, high = node.get("minimum", -100), node.get("maximum", 100)
    return {
        "string": st.text('abc é"\\\n', min_size=node.get("minLength", 0), max_size=node.get("minLength", 0) + 5),
        "integer": st.integers(int(low), int(high)),
        "number": st.integers(int(low), int(high)) | st.floats(low, high, allow_nan=False),
        "boolean": st.booleans(),
        "null": st.none(),
    }[node["type"]]


def lowered(node: dict[str, Any], value: Any, definitions: dict[str, Any]) -> Any:
    """What a model would write for a value."""
    shape = shape_of(node)
    if shape is Shape.reference:
        return lowered(definitions[node["$ref"].rsplit("/", 1)[1]], value, definitions)
    if shape is Shape.union:
        fits = (b for b in node["anyOf"] if Draft202012Validator({**b, "$defs": definitions}).is_valid(value))
        return lowered(next(fits), value, definitions)
    if shape is Shape.struct:
        return {key: lowered(node["properties"][key], item, definitions) for key, item in value.items()}
    if shape is Shape.map:
        values = node["additionalProperties"]
        return [{"key": key, "value": lowered(values, item, definitions)} for key, item in value.items()]
    if shape is Shape.list:
        return [lowered(node["items"], item, definitions) for item in value]
    return json.dumps(value) if shape is Shape.free else value


def said(schema: CompiledSchema, value: Any, confidence: Any = 0.5) -> str:
    definitions = schema.original.get("$defs", {})
    return json.dumps({"answer": lowered(schema.original, value, definitions), "confidence": confidence})


@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_value_comes_back(kind: str, data: st.DataObject) -> None:
    original = ALL_KINDS[kind].model_json_schema()
    value = data.draw(values_of(original, original.get("$defs", {})))
    for dialect in DIALECTS:
        schema = compile_schema(original, dialect)
        answer = schema.read(said(schema, value))
        assert answer.parsed == value
        assert answer.confidence == 0.5


def nodes(schema: Any) -> list[dict[str, Any]]:
    """All schema nodes of a wire schema."""
    found = [schema]
    for key, value in schema.items():
        if key in {"properties", "$defs"}:
            found += [node for child in value.values() for node in nodes(child)]
        elif key == "items":
            found += nodes(value)
        elif key == "anyOf":
            found += [node for child in value for node in nodes(child)]
    return found


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
def test_wire_schema_keeps_to_the_strict_subset(kind: str, dialect: Dialect) -> None:
    wire = compile_schema(ALL_KINDS[kind].model_json_schema(), dialect).wire
    Draft202012Validator.check_schema(wire)
    allowed = {
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "anyOf",
        "enum",
        "description",
        "$defs",
    }
    for node in nodes(wire):
        if "$ref" in node:
            assert set(node) == {"$ref"}
            continue
        assert set(node) <= allowed | dialect.constraints
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])


def test_anthropic_gets_no_lengths_but_is_told_them() -> None:
    node = {"type": "object", "properties": {"n": {"type": "string", "maxLength": 3, "description": "A name."}}}
    wire = compile_schema(node, ANTHROPIC).wire
    assert wire["properties"]["answer"]["properties"]["n"] == {"type": "string", "description": "A name. (maxLength 3)"}


def test_a_definition_that_contains_itself_becomes_text_where_recursion_is_refused() -> None:
    tree = {
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/Node"}},
        "$defs": {
            "Node": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}}
        },
    }
    value = {"root": {"next": {"next": None}}}
    told = json.dumps({"answer": {"root": json.dumps(value["root"])}, "confidence": 1})
    assert compile_schema(tree, GEMINI).read(told).parsed == value
    assert "$defs" not in compile_schema(tree, GEMINI).wire
    direct = json.dumps({"answer": value, "confidence": 1})
    assert compile_schema(tree, OPENAI).read(direct).parsed == value


CITY = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 2},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "required": ["city"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the answer is not valid JSON"),
        ('{"answer": {"city": "Pa', "the answer is not valid JSON"),
        ('{"answer": NaN, "confidence": 1}', "holds NaN"),
        ("[" * 100_000, "the answer is not valid JSON"),
        ('{"city": "Paris"}', "the keys"),
        ('{"answer": 3, "confidence": 1}', "answer must be an object"),
        ('{"answer": {"city": "P"}, "confidence": 1}', "answer.city: 'P' is too short"),
        ('{"answer": {"city": "Paris"}, "confidence": 2}', "confidence must be a number from 0 to 1"),
        ('{"answer": {"city": "Paris"}, "confidence": true}', "confidence must be a number from 0 to 1"),
        (
            '{"answer": {"city": "Paris", "counts": [{"key": "a", "value": 1}, {"key": "a", "value": 2}]}, "confidence": 1}',
            "twice",
        ),
        ('{"answer": {"city": "Paris", "counts": ["a"]}, "confidence": 1}', "must be a list of"),
        ('{"answer": {"city": "Paris", "counts": [{"key": "a", "value": "x"}]}, "confidence": 1}', "answer.counts.a"),
    ],
)
def test_wrong_answers_are_told_by_place(text: str, problem: str) -> None:
    with pytest.raises(AnswerError) as caught:
        compile_schema(CITY, OPENAI).read(text)
    assert problem in " ".join(caught.value.problems)


def test_a_fence_and_a_plain_map_are_taken() -> None:
    text = '```json\n{"answer": {"city": "Paris", "counts": {"a": 1}}, "confidence": 0}\n```'
    assert compile_schema(CITY, OPENAI).read(text).parsed == {"city": "Paris", "counts": {"a": 1}}


def test_a_foreign_reference_is_refused() -> None:
    with pytest.raises(ValueError, match="only #/"):
        compile_schema({"type": "object", "properties": {"a": {"$ref": "other.json"}}}, OPENAI)
