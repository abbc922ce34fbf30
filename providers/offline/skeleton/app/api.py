"""The API without sockets: a request goes in, a response comes out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from app.errors import Invalid, Malformed, MethodNotAllowed, NotFound, Refusal, UnsupportedType
from app.schema import Entity
from app.storage import Store
from app.validation import INTEGER, LARGEST_INTEGER, read_text, validate

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
JSON_TYPE = re.compile(r"application/([\w.-]+\+)?json", re.ASCII)
RECORD_ID = re.compile(r"[1-9]\d{0,17}", re.ASCII)


@dataclass(frozen=True)
class Request:
    """What a client asks for."""

    method: str
    target: str
    body: bytes = b""
    content_type: str = ""


@dataclass(frozen=True)
class Response:
    """What the client gets; the body is JSON or empty."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Action = Callable[[Request], Response]


class Api:
    """Answers requests on the entities of a store."""

    def __init__(self, store: Store, entities: tuple[Entity, ...], document: bytes, *, envelope: bool = True) -> None:
        self._store = store
        self._collections = {entity.collection: entity for entity in entities}
        self._document = document
        self._envelope = envelope

    def handle(self, request: Request) -> Response:
        """Answer a request; every refusal becomes an error document."""
        try:
            return self._route(request)
        except Refusal as refusal:
            return refuse(refusal)

    def _route(self, request: Request) -> Response:
        actions = self._actions(request.target.partition("?")[0])
        method = "GET" if request.method == "HEAD" else request.method
        if method not in actions:
            allowed = (*actions, "HEAD") if "GET" in actions else tuple(actions)
            raise MethodNotAllowed(request.method, allowed)
        return actions[method](request)

    def _actions(self, path: str) -> dict[str, Action]:
        if path == "/health":
            return {"GET": self._health}
        if path == "/openapi.json":
            return {"GET": lambda _request: Response(200, self._document)}
        words = [unquote(word) for word in path.split("/")[1:]]
        entity = self._collections.get(words[0]) if words else None
        if entity is None or len(words) > 3:
            raise NotFound("there is nothing at this path")
        if len(words) == 1:
            return self._on_collection(entity)
        if not RECORD_ID.fullmatch(words[1]):
            raise NotFound(f"there is no such {entity.name}")
        record_id = int(words[1])
        return self._on_record(entity, record_id) if len(words) == 2 else self._on_state(entity, record_id, words[2])

    def _health(self, _request: Request) -> Response:
        self._store.ping()
        return answer(200, {"status": "ok"})

    def _on_collection(self, entity: Entity) -> dict[str, Action]:
        def add(request: Request) -> Response:
            record = self._store.add(entity, validate(entity, read_json(request)))
            return answer(201, record, {"Location": f"/{entity.collection}/{record['id']}"})

        return {"GET": lambda request: self._list(entity, request), "POST": add}

    def _list(self, entity: Entity, request: Request) -> Response:
        limit, offset, filters = read_query(entity, request.target.partition("?")[2])
        records, total = self._store.find(entity, filters, limit, offset)
        page: Any = {"items": records, "total": total, "limit": limit, "offset": offset}
        return answer(200, page if self._envelope else records, {"X-Total-Count": str(total)})

    def _on_record(self, entity: Entity, record_id: int) -> dict[str, Action]:
        def replace(request: Request) -> Response:
            self._store.get(entity, record_id)
            values = validate(entity, read_json(request))
            return answer(200, self._store.replace(entity, record_id, values))

        def delete(_request: Request) -> Response:
            self._store.delete(entity, record_id)
            return Response(204)

        return {
            "GET": lambda _request: answer(200, self._store.get(entity, record_id)),
            "PUT": replace,
            "DELETE": delete,
        }

    def _on_state(self, entity: Entity, record_id: int, action: str) -> dict[str, Action]:
        if entity.state is None or not entity.state.steps(action):
            raise NotFound(f"{entity.name} has no such action")
        return {"POST": lambda _request: answer(200, self._store.move(entity, record_id, action))}


def answer(status: int, content: Any, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response."""
    return Response(status, json.dumps(content, ensure_ascii=False).encode(), headers or {})


def refuse(refusal: Refusal) -> Response:
    """Return the error document of a refusal."""
    headers = {"Allow": ", ".join(refusal.allowed)} if isinstance(refusal, MethodNotAllowed) else {}
    error = {"code": refusal.code, "message": refusal.message, "fields": refusal.fields}
    # Names of unknown fields come back from the client and may hold lone surrogates, which UTF-8 cannot carry.
    return Response(refusal.status, json.dumps({"error": error}).encode(), headers)


def read_json(request: Request) -> Any:
    """Parse the body; numbers that JSON does not know (NaN, Infinity) are refused too.

    A declared type other than JSON is refused, so that no form on a foreign web page can write here.
    """
    declared = request.content_type.partition(";")[0].strip().lower()
    if declared and not JSON_TYPE.fullmatch(declared):
        raise UnsupportedType("send the body as application/json")
    try:
        return json.loads(request.body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Malformed("the body is not valid JSON in UTF-8") from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def read_query(entity: Entity, query: str) -> tuple[int, int, dict[str, Any]]:
    """Return limit, offset and the filters of a list request."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        raise Malformed("the query is not valid UTF-8") from None
    filters: dict[str, Any] = {}
    numbers = {"limit": DEFAULT_LIMIT, "offset": 0}
    for name, text in pairs:
        if name in numbers:
            numbers[name] = _read_number(name, text)
        else:
            filters[name] = _read_filter(entity, name, text)
    return numbers["limit"], numbers["offset"], filters


def _read_number(name: str, text: str) -> int:
    lowest, highest = (1, MAX_LIMIT) if name == "limit" else (0, LARGEST_INTEGER)
    number = int(text) if INTEGER.fullmatch(text) else -1
    if not lowest <= number <= highest:
        raise Invalid(f"{name} cannot be used", {name: f"must be a whole number from {lowest} to {highest}"})
    return number


def _read_filter(entity: Entity, name: str, text: str) -> Any:
    if entity.state and name == entity.state.field:
        return text
    known = entity.field(name)
    if known is None:
        raise Invalid("the query cannot be used", {name: f"is not a field of {entity.name}"})
    value = read_text(known, text)
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise Invalid("the query cannot be used", {name: "is too large"})
    return value
