"""What the unit tests share: a store in a temporary directory, valid sample records, and checks of one rule each."""

from __future__ import annotations

import itertools
import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

from app.api import Api, Request
from app.models import ENTITIES
from app.schema import Entity, Field
from app.storage import Store
from app.validation import check_value

DOCUMENT = b'{"openapi": "3.1.0"}'
BY_NAME = {entity.name: entity for entity in ENTITIES}
BY_COLLECTION = {entity.collection: entity for entity in ENTITIES}


class ServiceCase(unittest.TestCase):
    """A fresh API over an empty store for each test."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.store = Store(self.folder / "app.db", ENTITIES, durable=False)
        self.addCleanup(self.store.close)
        self.api = Api(self.store, ENTITIES, DOCUMENT)
        self.numbers: dict[str, itertools.count[int]] = {}
        self.targets: dict[str, int] = {}

    def call(self, method: str, target: str, content: Any = None) -> tuple[int, Any]:
        body = b"" if content is None else json.dumps(content).encode()
        response = self.api.handle(Request(method, target, body))
        return response.status, json.loads(response.body) if response.body else None

    def create(self, collection: str, **changes: Any) -> dict[str, Any]:
        status, record = self.call("POST", f"/{collection}", self.sample(collection) | changes)
        self.assertEqual(status, 201, record)
        self.assertIsInstance(record, dict)
        return dict(record)

    def sample(self, collection: str) -> dict[str, Any]:
        """Return a body with every field but optional references, so that every column is written at least once."""
        entity = BY_COLLECTION[collection]
        number = next(self.numbers.setdefault(collection, itertools.count(1)))
        return {field.name: self.value(field, number) for field in entity.fields}

    def value(self, field: Field, number: int) -> Any:
        if field.type == "reference":
            return self.target(field) if field.required else None
        value = sample_value(field, number)
        return None if check_value(field, value) else value

    def target(self, field: Field) -> int:
        """Return the id of a record to refer to: a new one for each reference only where it must be unique."""
        target = BY_NAME[field.references]
        if field.unique or target.name not in self.targets:
            status, record = self.call("POST", f"/{target.collection}", self.sample(target.collection))
            if status == 201:
                self.targets[target.name] = record["id"]
        return self.targets[target.name]

    def content(self, collection: str, record: dict[str, Any]) -> dict[str, Any]:
        """Return the body that would make such a record."""
        return {field.name: record[field.name] for field in BY_COLLECTION[collection].fields}

    def refused(self, collection: str, field: str, value: Any) -> None:
        """Check that neither a new nor an existing record can get the value, and that the answer names the field."""
        record = self.create(collection)
        bad = self.content(collection, record) | {field: value}
        for method, target in (("POST", f"/{collection}"), ("PUT", f"/{collection}/{record['id']}")):
            status, answer = self.call(method, target, bad)
            self.assertEqual(status, 422, answer)
            self.assertIn(field, answer["error"]["fields"])
        self.assertEqual(self.call("GET", f"/{collection}/{record['id']}"), (200, record))
        self.remove(collection, record)

    def accepted(self, collection: str, field: str, *values: Any) -> None:
        """Check that a record can get each of the values."""
        record = self.create(collection)
        for value in values:
            changed = self.content(collection, record) | {field: value}
            status, answer = self.call("PUT", f"/{collection}/{record['id']}", changed)
            self.assertEqual((status, answer), (200, record | changed))
        self.remove(collection, record)

    def remove(self, collection: str, record: dict[str, Any]) -> None:
        """Make room for the next record where a unique field allows only a few."""
        self.assertEqual(self.call("DELETE", f"/{collection}/{record['id']}")[0], 204)

    def check_life(self, collection: str) -> None:
        """Create, read, list, replace and delete a record."""
        record = self.create(collection)
        address = f"/{collection}/{record['id']}"
        self.assertEqual(self.call("GET", address), (200, record))
        self.assertEqual(self.call("GET", f"/{collection}?limit=1")[0], 200)
        self.assertEqual(self.store.find(BY_COLLECTION[collection], {}, 10, 0), ([record], 1))
        body = self.sample(collection)
        self.assertEqual(self.call("PUT", address, body), (200, record | body))
        self.assertEqual(self.call("DELETE", address), (204, None))
        for method, content in (("GET", None), ("PUT", body), ("DELETE", None)):
            self.assertEqual(self.call(method, address, content)[0], 404)

    def check_impossible(self, collection: str) -> None:
        """Check that no record is stored where the rules of the model contradict each other."""
        self.assertEqual(self.call("POST", f"/{collection}", {})[0], 422)
        self.assertEqual(self.store.find(BY_COLLECTION[collection], {}, 10, 0), ([], 0))

    def check_required(self, collection: str, field: str) -> None:
        body = self.sample(collection)
        del body[field]
        status, content = self.call("POST", f"/{collection}", body)
        self.assertEqual(status, 422)
        self.assertIn(field, content["error"]["fields"])
        self.refused(collection, field, None)

    def check_unique(self, collection: str, field: str) -> None:
        """Check that a second record cannot get the value of the first, new or by a change."""
        first, second = self.create(collection), self.create(collection)
        self.assertNotEqual(first[field], second[field])
        taken = self.content(collection, second) | {field: first[field]}
        for method, target in (("POST", f"/{collection}"), ("PUT", f"/{collection}/{second['id']}")):
            status, answer = self.call(method, target, taken)
            self.assertEqual(status, 409, answer)
            self.assertIn(field, answer["error"]["fields"])
        same = self.content(collection, first)
        self.assertEqual(self.call("PUT", f"/{collection}/{first['id']}", same), (200, first))

    def check_only_one(self, collection: str, field: str) -> None:
        """Check that there is no second record where a unique field allows only one value."""
        record = self.create(collection)
        status, answer = self.call("POST", f"/{collection}", self.content(collection, record))
        self.assertEqual(status, 409, answer)
        self.assertIn(field, answer["error"]["fields"])

    def check_kept(self, collection: str, field: str, target: str) -> None:
        """Check that a record is not deleted while another refers to it, and is deleted afterwards."""
        other = self.create(target)
        record = self.create(collection, **{field: other["id"]})
        self.assertEqual(self.call("DELETE", f"/{target}/{other['id']}")[0], 409)
        self.assertEqual(self.call("GET", f"/{target}/{other['id']}"), (200, other))
        self.assertEqual(self.call("DELETE", f"/{collection}/{record['id']}")[0], 204)
        self.assertEqual(self.call("DELETE", f"/{target}/{other['id']}")[0], 204)

    def check_action(self, collection: str, action: str, path: tuple[str, ...], reached: str | None) -> None:
        """Take a new record along a path of actions, then check what the action does there; None means refused."""
        record = self.create(collection)
        address = f"/{collection}/{record['id']}"
        for step in path:
            self.assertEqual(self.call("POST", f"{address}/{step}")[0], 200)
        before = self.call("GET", address)[1]
        state = BY_COLLECTION[collection].state
        name = state.field if state else ""
        status, answer = self.call("POST", f"{address}/{action}")
        if reached is None:
            self.assertEqual(status, 409, answer)
            self.assertEqual(self.call("GET", address), (200, before))
        else:
            self.assertEqual((status, answer), (200, before | {name: reached}))
        self.remove(collection, record)


def is_alone(entity: Entity) -> bool:
    """Return whether a record can be made of sample values, without any other record."""
    required = [field for field in entity.fields if field.required]
    return all(field.type != "reference" and not check_value(field, sample_value(field, 1)) for field in required)


def sample_value(field: Field, number: int) -> Any:
    """Return a value that the field accepts; other numbers give other values where the rules leave room."""
    if field.values:
        return field.values[number % len(field.values)]
    if field.type in ("string", "text"):
        return sample_text(number, field.min_length or 0, field.max_length)
    if field.type in ("integer", "number"):
        return sample_number(number, field.minimum, field.maximum, whole=field.type == "integer")
    if field.type == "boolean":
        return number % 2 == 0
    day = f"{2000 + number}-01-31"
    return day if field.type == "date" else f"{day}T10:00:00Z"


def sample_text(number: int, shortest: int, longest: int | None) -> str:
    """Return text of an allowed length."""
    text = f"sample {number}"
    if longest is not None and len(text) > longest:
        text = str(number).rjust(longest, "0")[-longest:] if longest else ""
    return text.ljust(shortest, "x")


def sample_number(number: int, lowest: float | None, highest: float | None, *, whole: bool) -> float:
    """Return a number within the bounds."""
    if lowest is None:
        return number if highest is None else highest - number
    if highest is None:
        return lowest + number
    if whole:
        return lowest + number % max(int(highest - lowest) + 1, 1)
    return lowest + (highest - lowest) * (number % 10) / 10
