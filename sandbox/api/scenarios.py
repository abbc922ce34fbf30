"""Which requests to send, in which order: each operation with what it needs, then the same with one thing wrong.

A step is JSON that sandbox/probes/exchange.py carries out: {"op", "method", "path", "query", "body" or "raw", "intent",
"about", "save", "keys"}. {{name}} in a path and {"$saved": name} in a body stand for what an earlier step saved.
Intents: valid (the document allows it), invalid (the document forbids it), missing (a row that is not there), other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.api.document import PARAMETER, Document, Operation, Schema
from sandbox.api.values import OMIT, Values, broken, kind_of

Step = dict[str, Any]
Scenario = dict[str, Any]
MAX_BROKEN = 60  # bodies of one operation
MAX_DEPTH = 4  # rows that a row may need before it
MAX_ORDERS = 40  # orders of actions that are tried to reach one
ABSENT = 987_654_321
WRITES = 60  # timed requests that make a row


class Planner:
    """Makes the steps for one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._creators = {op.path: op for op in document.operations if op.method == "POST" and op.path[-1:] != "}"}
        self._rows = itertools.count(1)
        self._numbers = itertools.count(1)
        self.shared: dict[str, str] | None = None  # path -> name of the one row of its kind, where one is enough

    def creator_of(self, field: str) -> Operation | None:
        """Return the operation that makes the rows which a field such as author_id refers to."""
        target = field.removesuffix("_id").removesuffix("Id").lower()
        if target == field.lower():
            return None
        for operation in self._creators.values():
            collection = operation.path.strip("/").split("/")[-1].lower()
            known = {f"create_{target}", f"create{target}", f"add_{target}", f"post_{target}"}
            if not operation.path_parameters and (operation.id.lower() in known or collection in plurals(target)):
                return operation
        return None

    def _target(self, field: str, schema: Schema) -> Operation | None:
        """Return what makes the rows that a property refers to: by its x-references, else by its name."""
        if kind_of(schema) not in {"integer", "string"}:
            return None
        named = schema.get("x-references")
        return self.creator_of(f"{named}_id" if isinstance(named, str) else field)

    def _leads_back(self, creator: Operation, above: Sequence[str]) -> bool:
        """Return whether a row cannot be made before one of those that are being made just now."""
        if creator.path in above:
            return True
        values = Values(self.document, self._numbers)
        known = values.flat(creator.body) if creator.body is not None else {}
        properties = known.get("properties", {})
        needed = [(name, values.flat(properties[name])) for name in known.get("required", ()) if name in properties]
        targets = [self._target(name, schema) for name, schema in needed]
        return any(self._leads_back(target, (*above, creator.path)) for target in targets if target is not None)

    def creators(self) -> tuple[Operation, ...]:
        """Return the operations that make a row in a collection, in the document's order."""
        return tuple(self._creators.values())

    def create(self, operation: Operation, above: Sequence[str] = ()) -> tuple[list[Step], str]:
        """Return the steps that make a row with all it needs, and the name under which its id is saved."""
        steps, step = self.call(operation, above)
        name = f"row{next(self._rows)}"
        return [*steps, {**step, "save": name, "keys": ["id", "uuid", "key", "name"]}], name

    def call(self, operation: Operation, above: Sequence[str] = (), place: str = "") -> tuple[list[Step], Step]:
        """Return the steps that an operation needs before it, and the valid step itself.

        Args:
            operation: what to call.
            above: the paths of the rows that are being made, so that no circle begins.
            place: its address, where that is known already.
        """
        steps, path = ([], place) if place else self.address(operation, above)
        step: Step = {"op": operation.id, "method": operation.method, "path": path, "intent": "valid"}
        query = self._query(operation)
        if query:
            step["query"] = query
        if operation.body is not None:
            step["body"] = self.body(operation, steps, above)
        return steps, step

    def values(self, steps: list[Step], above: Sequence[str] = ()) -> Values:
        """Return a maker of values; the steps that references need are added to `steps`."""

        def special(field: str, schema: Schema) -> Any:
            creator = self._target(field, schema)
            if creator is None:
                return None
            if len(above) >= MAX_DEPTH or self._leads_back(creator, above):
                return OMIT
            name = (self.shared or {}).get(creator.path, "")
            if not name:
                more, name = self.create(creator, above)
                steps.extend(more)
            if self.shared is not None:
                self.shared[creator.path] = name
            return {"$saved": name}

        return Values(self.document, self._numbers, special)

    def body(self, operation: Operation, steps: list[Step], above: Sequence[str] = ()) -> Any:
        """Return a valid body; the steps that it needs are added to `steps`."""
        return self.values(steps, (*above, operation.path)).valid(operation.body)

    def address(self, operation: Operation, above: Sequence[str] = ()) -> tuple[list[Step], str]:
        """Return the steps that an address needs, and the address with placeholders."""
        steps: list[Step] = []
        path = operation.path
        for match in PARAMETER.finditer(operation.path):
            prefix = path[: path.index(match[0])].rstrip("/")
            creator = self._creators.get(operation.path[: match.start()].rstrip("/"))
            if creator is None or len(above) >= MAX_DEPTH:
                path = path.replace(match[0], str(self._parameter(operation, match[1])), 1)
                continue
            more, step = self.call(creator, (*above, operation.path), place=prefix)
            name = f"row{next(self._rows)}"
            steps += [*more, {**step, "save": name, "keys": ["id", match[1], "uuid", "key", "name"]}]
            path = path.replace(match[0], "{{" + name + "}}", 1)
        return steps, path

    def _parameter(self, operation: Operation, name: str) -> Any:
        schema = next((part.get("schema", {}) for part in operation.parameters if part.get("name") == name), None)
        return self.values([]).valid(schema) if schema else 1

    def _query(self, operation: Operation) -> dict[str, Any]:
        needed = [part for part in operation.parameters if part.get("in") == "query" and part.get("required")]
        return {part["name"]: self.values([]).valid(part.get("schema", {})) for part in needed}


def scenarios(document: Document) -> list[Scenario]:
    """Return all scenarios: first those that show each operation at work, then those with something wrong."""
    planner = Planner(document)
    working = [scenario for operation in document.operations for scenario in _working(planner, operation)]
    wrong = [scenario for operation in document.operations for scenario in _wrong(planner, operation)]
    return working + wrong


def _working(planner: Planner, operation: Operation) -> Iterator[Scenario]:
    steps, step = planner.call(operation)
    yield {"steps": [*steps, step]}
    for order in itertools.islice(_orders(planner.document, operation), MAX_ORDERS):
        steps, step = planner.call(operation)
        before = []
        for action in order:
            more, first = planner.call(
                action, place=step["path"].rsplit("/", 1)[0] + "/" + action.path.rsplit("/", 1)[1]
            )
            before += [*more, first]
        yield {"unless": operation.id, "steps": [*steps, *before, step]}


def _orders(document: Document, operation: Operation) -> Iterator[tuple[Operation, ...]]:
    """Yield orders of the other actions on the same row: a transition may only be open after others."""
    if not is_action(operation):
        return
    place = operation.path.rsplit("/", 1)[0]
    others = [
        other
        for other in document.operations
        if other is not operation and is_action(other) and other.path.rsplit("/", 1)[0] == place
    ]
    for length in (1, 2, 3):
        yield from itertools.permutations(others, length)


def is_action(operation: Operation) -> bool:
    """Return whether an operation changes a row by a named action: POST /loans/{id}/return."""
    parts = operation.path.rsplit("/", 2)
    return operation.method == "POST" and len(parts) == 3 and parts[1].startswith("{") and not parts[2].startswith("{")  # noqa: PLR2004


def _wrong(planner: Planner, operation: Operation) -> Iterator[Scenario]:
    if operation.path_parameters:
        yield {"steps": list(_missing(planner, operation))}
    if operation.body is not None:
        yield {"steps": list(_invalid(planner, operation))}
    if operation.method == "DELETE":
        steps, step = planner.call(operation)
        reads = [op for op in planner.document.operations if op.path == operation.path and op.method == "GET"]
        again = [
            {"op": op.id, "method": "GET", "path": step["path"], "intent": "missing", "about": "a row that was deleted"}
            for op in reads
        ]
        yield {"steps": [*steps, step, *again]}


def _missing(planner: Planner, operation: Operation) -> Iterator[Step]:
    steps, step = planner.call(operation)
    place = PARAMETER.sub(str(ABSENT), operation.path)
    yield from (before for before in steps if "$saved" in str(step.get("body")))
    yield {**step, "path": place, "intent": "missing", "about": "an id that does not exist"}


def _invalid(planner: Planner, operation: Operation) -> Iterator[Step]:
    steps, step = planner.call(operation)
    yield from steps
    body = step.pop("body")
    yield {**step, "raw": '{"broken": ', "intent": "invalid", "about": "malformed JSON"}
    if operation.body_required:
        yield {**step, "raw": "", "intent": "invalid", "about": "no body"}
    validator = planner.document.validator(operation.body)
    found = ((about, wrong) for about, wrong in broken(planner.values([]), operation.body, body))
    forbidden = ((about, wrong) for about, wrong in found if not validator.is_valid(concrete(wrong)))
    for about, wrong in itertools.islice(forbidden, MAX_BROKEN):
        yield {**step, "body": wrong, "intent": "invalid", "about": f"a body {about}"}
    absent = _with_absent_references(body)
    if absent != body:
        yield {**step, "body": absent, "intent": "other", "about": "a reference to a row that does not exist"}


def _with_absent_references(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    return {
        key: ABSENT if isinstance(value, dict) and set(value) == {"$saved"} else value for key, value in body.items()
    }


def concrete(value: Any) -> Any:
    """Return a planned body with a number in place of each reference, for judging it by its schema."""
    if isinstance(value, dict):
        return 1 if set(value) == {"$saved"} else {key: concrete(part) for key, part in value.items()}
    return [concrete(part) for part in value] if isinstance(value, list) else value


def plurals(word: str) -> set[str]:
    """Return the names that a collection of these may have."""
    found = {word, f"{word}s", f"{word}es", word.replace("_", "-") + "s", word.replace("_", "") + "s"}
    return found | {f"{word[:-1]}ies"} if word.endswith("y") else found


@dataclass(frozen=True)
class Load:
    """What is timed: steps that prepare rows, requests that read and may be repeated, requests that write once each."""

    setup: list[Step]
    reads: list[Step]
    writes: list[Step]


def load_plan(document: Document) -> Load:
    """Return what to time."""
    planner = Planner(document)
    planner.shared = {}
    load = Load([], [], [])
    for operation in document.operations:
        if operation.method == "GET" and operation.path != "/openapi.json" and len(operation.path_parameters) <= 1:
            steps, step = planner.call(operation)
            load.setup.extend(steps)
            load.reads.append(step)
    creators = [
        op for op in document.operations if op.method == "POST" and op.body is not None and not op.path_parameters
    ]
    for operation in creators * (WRITES // len(creators) if creators else 0):
        steps, step = planner.call(operation)
        load.setup.extend(steps)
        load.writes.append(step)
    return load
