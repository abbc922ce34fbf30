"""The operations of an OpenAPI 3.1 document and the schemas they refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
DOCUMENT = "urn:openapi"
PARAMETER = re.compile(r"\{([^}]+)\}")
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        id: its operationId, else "METHOD path".
        path: with {parameters}.
        body: the schema of its JSON body; None when it takes none.
        body_required: whether the body must be there.
        parameters: the resolved path and query parameters.
        responses: status word ("200", "4XX", "default") -> media type -> schema (None: none given).
    """

    id: str
    method: str
    path: str
    body: Schema | None
    body_required: bool
    parameters: tuple[Mapping[str, Any], ...]
    responses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return "GET /books/{id}"."""
        return f"{self.method} {self.path}"

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """Return the names in the path, in order."""
        return tuple(PARAMETER.findall(self.path))

    def documented(self, status: int) -> Mapping[str, Any] | None:
        """Return the media types of a status; None when it is not documented."""
        for word in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if word in self.responses:
                return self.responses[word]
        return None


class Document:
    """A parsed document.

    Attributes:
        operations: all, in the document's order.
    """

    def __init__(self, openapi: Mapping[str, Any]) -> None:
        """Read the document.

        Raises:
            ValueError: it is not one: no paths, or a reference leads nowhere.
        """
        self._root = openapi
        resource: Resource[Any] = DRAFT202012.create_resource(openapi)
        self._registry: Registry[Any] = Registry().with_resource(DOCUMENT, resource)
        self._resolver = self._registry.resolver(DOCUMENT)
        if not isinstance(openapi.get("paths"), Mapping):
            raise ValueError("the OpenAPI document has no paths")  # noqa: TRY004 (what is wrong is the document)
        self.operations = tuple(self._operations())

    def resolve(self, value: Any) -> Any:
        """Follow "$ref" until there is none.

        Raises:
            ValueError: it leads nowhere.
        """
        for _ in range(20):
            if not isinstance(value, Mapping) or "$ref" not in value:
                return value
            value = self._follow(str(value["$ref"]), value)
        raise ValueError(f"the references of {value.get('$ref')!r} go in a circle")

    def _follow(self, reference: str, value: Mapping[str, Any]) -> Any:
        try:
            target = self._resolver.lookup(reference).contents
        except (Unresolvable, ValueError, KeyError) as error:
            raise ValueError(f"the reference {reference!r} leads nowhere") from error
        rest = {key: part for key, part in value.items() if key != "$ref"}
        return {**target, **rest} if rest and isinstance(target, Mapping) else target

    def validator(self, schema: Any) -> Draft202012Validator:
        """Return a validator of a schema whose references are those of the document."""
        return Draft202012Validator(
            {"$id": "urn:schema", "allOf": [_absolute(schema)]},
            registry=self._registry,
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )

    def _operations(self) -> Iterator[Operation]:
        for path, item in self._root["paths"].items():
            entry = self.resolve(item)
            if not isinstance(entry, Mapping):
                raise ValueError(f"the path {path!r} is not an object")  # noqa: TRY004 (as above)
            for method in METHODS:
                if isinstance(entry.get(method), Mapping):
                    yield self._operation(str(path), method.upper(), entry, entry[method])

    def _operation(self, path: str, method: str, item: Mapping[str, Any], entry: Mapping[str, Any]) -> Operation:
        parameters = {}
        for parameter in (*item.get("parameters", ()), *entry.get("parameters", ())):
            known = self.resolve(parameter)
            parameters[(known.get("in"), known.get("name"))] = known
        body = self.resolve(entry.get("requestBody") or {})
        return Operation(
            id=str(entry.get("operationId") or f"{method} {path}"),
            method=method,
            path=path,
            body=_json_schema(body.get("content", {})),
            body_required=bool(body.get("required", False)),
            parameters=tuple(parameters.values()),
            responses={
                str(status): {media: content.get("schema") for media, content in self._content(response).items()}
                for status, response in entry.get("responses", {}).items()
            },
        )

    def _content(self, response: Any) -> Mapping[str, Mapping[str, Any]]:
        content = self.resolve(response).get("content", {})
        return content if isinstance(content, Mapping) else {}


def _json_schema(content: Mapping[str, Any]) -> Schema | None:
    for media, entry in content.items():
        if is_json(media):
            schema = entry.get("schema", {})
            return schema if isinstance(schema, Mapping) else {}
    return None


def is_json(media: str) -> bool:
    """Return whether a media type is JSON."""
    kind = media.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json") or kind in {"*/*", "application/*"}


def _absolute(schema: Any) -> Any:
    """Return the schema with references that name the document."""
    if isinstance(schema, Mapping):
        return {
            key: f"{DOCUMENT}{value}" if key == "$ref" and str(value).startswith("#") else _absolute(value)
            for key, value in schema.items()
        }
    if isinstance(schema, list | tuple):
        return [_absolute(part) for part in schema]
    return schema
