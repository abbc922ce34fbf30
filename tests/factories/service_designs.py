"""Designs of products, written by hand, with the OpenAPI documents that go with them: inputs of the service generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botarmy.artifacts import (
    ApiSpecifications,
    DataField,
    DataModels,
    Entity,
    ImplementationPlan,
    ProjectPlan,
    Requirement,
    StateMachine,
    Transition,
    UserRequirements,
)
from botarmy.checks import FileText

Json = dict[str, Any]
BODY_TYPES = {"text": "string", "date": "string", "datetime": "string", "reference": "integer"}
FORMATS = {"date": "date", "datetime": "date-time"}


def inputs_of(
    entities: Sequence[Entity],
    *,
    title: str = "Library",
    purpose: str = "Keeps books.",
    requirements: Sequence[Requirement] = (),
    envelope: bool = True,
    source: Sequence[FileText] = (),
) -> Json:
    """Return the inputs of every purpose of the generator, as JSON."""
    models = DataModels(entities=tuple(entities))
    plan = ProjectPlan(title=title, purpose=purpose, goals=("Keep books",), scope=("Books",))
    return {
        "project_plan": plan.model_dump(mode="json"),
        "user_requirements": UserRequirements(requirements=tuple(requirements)).model_dump(mode="json"),
        "data_models": models.model_dump(mode="json"),
        "api_specifications": ApiSpecifications(
            openapi=openapi(title, models, envelope=envelope), feature_map=()
        ).model_dump(mode="json"),
        "implementation_plan": ImplementationPlan(steps=()).model_dump(mode="json"),
        "source_code": {"files": [file.model_dump() for file in source], "start": ["python", "-m", "app", "serve"]},
        "feedback": [],
    }


def library() -> tuple[Entity, ...]:
    """Return a design with every kind of rule."""
    return (
        Entity(
            name="loan",
            collection="loans",
            description="A book in the hands of a member.",
            fields=(
                DataField(name="book_id", type="reference", required=True, references="book", requirement_ids=("R4",)),
                DataField(name="member_id", type="reference", required=True, references="member"),
                DataField(name="days", type="integer", minimum=1, maximum=90),
                DataField(name="due", type="date"),
            ),
            state=StateMachine(
                field="status",
                states=("open", "returned", "lost"),
                initial="open",
                transitions=(
                    Transition(action="return", from_states=("open", "lost"), to_state="returned"),
                    Transition(action="lose", from_states=("open",), to_state="lost"),
                ),
            ),
            requirement_ids=("R3",),
        ),
        Entity(
            name="book",
            collection="books",
            fields=(
                DataField(name="title", type="string", required=True, max_length=200, requirement_ids=("R1",)),
                DataField(name="isbn", type="string", required=True, unique=True, min_length=10, max_length=13),
                DataField(name="genre", type="string", values=("novel", 'it\'s "poetry"', "小説")),
                DataField(name="price", type="number", minimum=0),
                DataField(name="stars", type="integer", values=("1", "2", "3")),
                DataField(name="summary", type="text"),
                DataField(name="reference_only", type="boolean"),
                DataField(name="book_id", type="reference", references="book"),
            ),
        ),
        Entity(
            name="member",
            collection="members",
            fields=(
                DataField(name="name", type="string", required=True),
                DataField(name="email", type="string", unique=True),
                DataField(name="joined", type="datetime"),
                DataField(name="book_id", type="reference", unique=True, references="book"),
            ),
        ),
    )


def openapi(title: str, models: DataModels, *, envelope: bool) -> Json:
    """Return the OpenAPI document that the conventions ask for."""
    paths: Json = {
        "/health": {"get": _operation("health", {"200": _body({"type": "object"})})},
        "/openapi.json": {"get": _operation("openapi", {"200": _body({"type": "object"})})},
    }
    for entity in models.entities:
        paths |= _paths(entity, envelope=envelope)
    return {"openapi": "3.1.0", "info": {"title": title, "version": "1.0.0"}, "paths": paths}


def _operation(name: str, responses: Json) -> Json:
    return {"operationId": name, "responses": responses}


def _body(schema: Json) -> Json:
    return {"description": "JSON", "content": {"application/json": {"schema": schema}}}


def _paths(entity: Entity, *, envelope: bool) -> Json:
    record, given = _record(entity), _given(entity)
    rows: Json = {"type": "array", "items": record}
    page = {"type": "object", "properties": {"items": rows}, "required": ["items"]} if envelope else rows
    refusals = {str(status): _body({"type": "object", "required": ["error"]}) for status in (400, 404, 409, 422)}
    sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": given}}}}
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    one: Json = {
        "parameters": [number],
        "get": _operation(f"get_{entity.name}", {"200": _body(record), "404": refusals["404"]}),
        "put": _operation(f"replace_{entity.name}", {"200": _body(record), **refusals}) | sent,
        "delete": _operation(
            f"delete_{entity.name}",
            {"204": {"description": "gone"}, "404": refusals["404"], "409": refusals["409"]},
        ),
    }
    found: Json = {
        f"/{entity.collection}": {
            "get": _operation(f"list_{entity.collection}", {"200": _body(page)}),
            "post": _operation(f"create_{entity.name}", {"201": _body(record), **refusals}) | sent,
        },
        f"/{entity.collection}/{{id}}": one,
    }
    for action in dict.fromkeys(step.action for step in entity.state.transitions) if entity.state else ():
        responses = {"200": _body(record), "404": refusals["404"], "409": refusals["409"]}
        operation = _operation(f"{action}_{entity.name}", responses)
        found[f"/{entity.collection}/{{id}}/{action}"] = {"parameters": [number], "post": operation}
    return found


def _given(entity: Entity) -> Json:
    fields = [field for field in entity.fields if entity.state is None or field.name != entity.state.field]
    return {
        "type": "object",
        "properties": {field.name: _schema(field) for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def _record(entity: Entity) -> Json:
    given = _given(entity)
    properties = {"id": {"type": "integer"}, **given["properties"]}
    if entity.state:
        properties[entity.state.field] = {"type": "string", "enum": list(entity.state.states)}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _value(field: DataField, text: str) -> Any:
    if field.type not in {"integer", "number"}:
        return text
    return int(float(text)) if float(text).is_integer() else float(text)


def _schema(field: DataField) -> Json:
    kind = BODY_TYPES.get(field.type, field.type)
    schema: Json = {"type": kind if field.required else [kind, "null"]}
    if field.type in FORMATS:
        schema["format"] = FORMATS[field.type]
    names = (
        ("minimum", field.minimum),
        ("maximum", field.maximum),
        ("minLength", field.min_length),
        ("maxLength", field.max_length),
    )
    schema |= {name: value for name, value in names if value is not None}
    if field.values:
        values: list[Any] = [_value(field, value) for value in field.values]
        schema["enum"] = values if field.required else [*values, None]
    return schema
