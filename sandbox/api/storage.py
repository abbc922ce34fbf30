"""Which row to write and how to read it back, to see whether it survives a restart of the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from sandbox.api.document import Document, Operation, is_json
from sandbox.api.scenarios import Planner, Step
from sandbox.api.values import Values, kind_of

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_WRAPPING = 3  # objects around a list of rows
Plan = tuple[list[Step], Step]


def write_operations(document: Document) -> int:
    """Return how many operations of a document may change what the service keeps."""
    return sum(operation.method in WRITING for operation in document.operations)


def storage_plan(document: Document) -> tuple[list[Step], Step | None]:
    """Return the steps that write a row and the step that reads it back; nothing where the document has no such pair.

    A row at its own address comes first, then one in the list of its collection, then one that PUT makes at an address
    of the caller's choice. The step that reads a list has "within": the properties around the list, "row": the name
    under which the row's id is saved, "keys": where an id may stand, and "like": the body that was sent.
    """
    planner = Planner(document)
    for plans in (_by_address, _by_list, _by_put):
        for plan in plans(planner):
            return plan
    return [], None


def _by_address(planner: Planner) -> Iterator[Plan]:
    reads = [op for op in planner.document.operations if op.method == "GET" and op.path.endswith("}")]
    for operation in sorted(reads, key=lambda op: len(op.path_parameters)):
        steps, step = planner.call(operation)
        if "{{" in step["path"].rsplit("/", 1)[-1]:
            yield steps, step


def _by_list(planner: Planner) -> Iterator[Plan]:
    for creator in sorted(planner.creators(), key=lambda op: len(op.path_parameters)):
        for operation in _of_path(planner, "GET", creator.path):
            within = _list_within(planner.document, operation)
            if within is None:
                continue
            steps, name = planner.create(creator)
            _, read = planner.call(operation, place=steps[-1]["path"])
            row = {"within": within, "row": name, "keys": steps[-1]["keys"], "like": steps[-1].get("body")}
            yield steps, {**read, **row}


def _by_put(planner: Planner) -> Iterator[Plan]:
    puts = [op for op in planner.document.operations if op.method == "PUT" and op.path.endswith("}")]
    for put in puts:
        for operation in _of_path(planner, "GET", put.path):
            steps, write = planner.call(put)
            _, read = planner.call(operation, place=write["path"])
            yield [*steps, write], read


def _of_path(planner: Planner, method: str, path: str) -> Iterator[Operation]:
    return (op for op in planner.document.operations if op.method == method and op.path == path)


def _list_within(document: Document, operation: Operation) -> list[str] | None:
    """Return the properties that lead to the list in an answer: none, or "items"; None where it has no list."""
    answers = operation.documented(200) or {}
    schema = next((schema for media, schema in answers.items() if is_json(media)), None)
    return _way_to_list(Values(document, count()), schema, []) if schema else []


def _way_to_list(values: Values, schema: Any, way: list[str]) -> list[str] | None:
    known = values.flat(schema)
    if kind_of(known) == "array":
        return way
    properties = known.get("properties")
    if not isinstance(properties, Mapping) or len(way) >= MAX_WRAPPING:
        return None
    ways = [_way_to_list(values, part, [*way, name]) for name, part in properties.items()]
    return min((each for each in ways if each is not None), key=len, default=None)
