"""The interface as an OpenAPI 3.1 document: schemas carry the rules, every answer is documented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botarmy.artifacts import (
    ApiSpecifications,
    DataField,
    DataModels,
    Entity,
    FeatureBreakdown,
    OperationMap,
    Requirement,
    UserRequirements,
)
from providers.offline import words
from providers.offline.understand import understand

_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "reference": {"type": "integer", "minimum": 1},
}
_ANSWERS = {
    "400": "The request is malformed: no valid JSON in UTF-8.",
    "404": "There is no such record or address.",
    "405": "The address does not know this method.",
    "409": "The record conflicts with others or with its own state.",
    "413": "The body is too large.",
    "415": "The body is not declared as JSON.",
    "422": "A value breaks a rule; fields names each and says why.",
    "503": "The storage does not answer now.",
}
_READ = ("400", "422", "503")
_ONE = ("404", "503")
_WRITE = ("400", "409", "413", "415", "422", "503")
_LARGEST_PAGE = 1000
_PAGE = 100


def build_api_specifications(inputs: Mapping[str, Any]) -> ApiSpecifications:
    """Write the OpenAPI document and say which operations serve which feature."""
    entities = DataModels.model_validate(inputs["data_models"]).entities
    features = FeatureBreakdown.model_validate(inputs["feature_breakdown"]).features
    requirements = {item.id: item for item in UserRequirements.model_validate(inputs["user_requirements"]).requirements}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": understand(inputs).title, "version": "1.0.0", "description": _INFO},
        "servers": [{"url": "/"}],
        "paths": {**_service_paths(), **{path: item for entity in entities for path, item in _paths(entity).items()}},
        "components": {
            "schemas": {
                "Error": _error(),
                **{name: schema for entity in entities for name, schema in _schemas(entity).items()},
            },
            "responses": {
                name: _answer(status, text) for status, text in _ANSWERS.items() for name in [_response_name(status)]
            },
        },
        "tags": [{"name": entity.collection, "description": entity.description or entity.name} for entity in entities],
    }
    served = tuple(
        OperationMap(
            feature_id=feature.id,
            operation_ids=_operations(
                [requirements[i] for i in feature.requirement_ids if i in requirements], entities
            ),
        )
        for feature in features
    )
    return ApiSpecifications(openapi=document, feature_map=tuple(item for item in served if item.operation_ids))


_INFO = (
    "Records over JSON. A field that is not given is null. Lists are pages; every field can be given as a query parameter to list "
    "only the records that equal it. A state changes only by its actions. Other methods than those listed are answered with 405."
)


def _operations(requirements: list[Requirement], entities: tuple[Entity, ...]) -> tuple[str, ...]:
    names = {
        name
        for item in requirements
        if item.understood
        for name in (*item.entities, *(rule.entity for rule in item.rules))
    }
    return tuple(name for entity in entities if entity.name in names for name in operation_ids(entity))


def operation_ids(entity: Entity) -> tuple[str, ...]:
    """Return the ids of all operations of an entity."""
    actions = tuple(f"{move.action}_{entity.name}" for move in entity.state.transitions) if entity.state else ()
    return (
        f"list_{entity.collection}",
        *(f"{word}_{entity.name}" for word in ("create", "get", "replace", "delete")),
        *(f"do_{name}" if _taken(name, entity) else name for name in actions),
    )


def _taken(name: str, entity: Entity) -> bool:
    return name in {f"{word}_{entity.name}" for word in ("create", "get", "replace", "delete")}


def _response_name(status: str) -> str:
    return f"Answer{status}"


def _answer(_status: str, text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}


def _error() -> dict[str, Any]:
    inner = {
        "type": "object",
        "properties": {
            "code": {"type": "string"},
            "message": {"type": "string"},
            "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["code", "message", "fields"],
    }
    return {"type": "object", "properties": {"error": inner}, "required": ["error"]}


def _service_paths() -> dict[str, Any]:
    status = {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}
    return {
        "/health": {
            "get": {
                "operationId": "health",
                "summary": "Whether the service works",
                "responses": {**_ok("200", "It works.", status), **_refusals(("503",))},
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "openapi",
                "summary": "This document",
                "responses": _ok("200", "The document.", {"type": "object"}),
            }
        },
    }


def _ok(status: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {status: {"description": text, "content": {"application/json": {"schema": schema}}}}


def _refusals(statuses: tuple[str, ...]) -> dict[str, Any]:
    return {status: {"$ref": f"#/components/responses/{_response_name(status)}"} for status in statuses}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _paths(entity: Entity) -> dict[str, Any]:
    label, many = entity.name.replace("_", " "), entity.collection.replace("_", " ")
    kind = words.pascal(entity.name)
    ids = dict(zip(("list", "create", "get", "replace", "delete"), operation_ids(entity), strict=False))
    body = {"required": True, "content": {"application/json": {"schema": _ref(f"{kind}Input")}}}
    record = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}

    def operation(
        name: str, summary: str, good: dict[str, Any], refused: tuple[str, ...], **more: Any
    ) -> dict[str, Any]:
        return {
            "operationId": name,
            "summary": summary,
            "tags": [entity.collection],
            **more,
            "responses": {**good, **_refusals(refused)},
        }

    paths: dict[str, Any] = {
        f"/{entity.collection}": {
            "get": operation(
                ids["list"], f"List {many}", _ok("200", "A page.", _page(kind)), _READ, parameters=_query(entity)
            ),
            "post": operation(
                ids["create"], f"Create a {label}", _ok("201", "Created.", _ref(kind)), _WRITE, requestBody=body
            ),
        },
        f"/{entity.collection}/{{id}}": {
            "parameters": [record],
            "get": operation(ids["get"], f"Read a {label}", _ok("200", "The record.", _ref(kind)), _ONE),
            "put": operation(
                ids["replace"],
                f"Replace a {label}",
                _ok("200", "Replaced.", _ref(kind)),
                (*_WRITE, "404"),
                requestBody=body,
            ),
            "delete": operation(
                ids["delete"], f"Delete a {label}", {"204": {"description": "Deleted."}}, (*_ONE, "409")
            ),
        },
    }
    if entity.state:
        for move, name in zip(entity.state.transitions, operation_ids(entity)[5:], strict=True):
            text = f"Bring a {label} from {', '.join(move.from_states) or 'any state'} to {move.to_state}"
            good = _ok("200", f"It is now {move.to_state}.", _ref(kind))
            paths[f"/{entity.collection}/{{id}}/{move.action}"] = {
                "parameters": [record],
                "post": operation(name, text, good, (*_ONE, "409", "413")),
            }
    return paths


def _page(kind: str) -> dict[str, Any]:
    count = {"type": "integer", "minimum": 0}
    names = ("items", "total", "limit", "offset")
    return {
        "type": "object",
        "properties": {"items": {"type": "array", "items": _ref(kind)}, **dict.fromkeys(names[1:], count)},
        "required": list(names),
    }


def _query(entity: Entity) -> list[dict[str, Any]]:
    limit = {"type": "integer", "minimum": 1, "maximum": _LARGEST_PAGE, "default": _PAGE}
    found = [
        {"name": "limit", "in": "query", "required": False, "schema": limit},
        {"name": "offset", "in": "query", "required": False, "schema": {"type": "integer", "minimum": 0, "default": 0}},
    ]
    for field in entity.fields:
        text = f"Only records whose {field.name} equals this"
        found.append(
            {
                "name": field.name,
                "in": "query",
                "required": False,
                "description": text,
                "schema": dict(_TYPES[field.type]),
            }
        )
    return found


def _schemas(entity: Entity) -> dict[str, Any]:
    kind = words.pascal(entity.name)
    state = entity.state
    written = [field for field in entity.fields if state is None or field.name != state.field]
    own = {field.name: _property(field) for field in written}
    read: dict[str, Any] = {"id": {"type": "integer", "minimum": 1, "readOnly": True}, **own}
    if state:
        text = f"Changes only by actions; a new record is {state.initial}"
        read[state.field] = {"type": "string", "enum": list(state.states), "readOnly": True, "description": text}
    required = [field.name for field in written if field.required]
    given = {"type": "object", "properties": own, "additionalProperties": False}
    return {
        f"{kind}Input": {**given, "required": required} if required else given,
        kind: {"type": "object", "description": entity.description, "properties": read, "required": list(read)},
    }


def _property(field: DataField) -> dict[str, Any]:
    schema = dict(_TYPES[field.type])
    schema.update(_limits(field))
    if field.values:
        schema["enum"] = list(field.values)
    if field.unique:
        schema["x-unique"] = True
    if field.references:
        schema["x-references"] = field.references
    notes = [note for note in (_note(field),) if note]
    if notes:
        schema["description"] = notes[0]
    if not field.required:
        schema["type"] = [schema["type"], "null"]
        if field.values:
            schema["enum"] = [*field.values, None]
    return schema


def _limits(field: DataField) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if field.type in {"string", "text"} and not field.values:
        shortest = max(field.min_length or 0, 1) if field.required else field.min_length
        found |= {
            key: value for key, value in (("minLength", shortest), ("maxLength", field.max_length)) if value is not None
        }
    for key, value in (("minimum", field.minimum), ("maximum", field.maximum)):
        if value is not None and field.type in {"integer", "number"}:
            found[key] = int(value) if float(value).is_integer() else value
    return found


def _note(field: DataField) -> str:
    notes = []
    if field.unique:
        notes.append("No two records may have the same.")
    if field.references:
        notes.append(f"The id of a {field.references.replace('_', ' ')}.")
    return " ".join(notes)
