"""Black-box steps against the running service at BASE_URL: each rule is kept on its good side and broken on its bad side.

Nothing of the product is imported. What a record looks like comes from the interface (paths, types, required fields);
what must hold comes from the requirements and is handed to the steps by the tests.
"""

from __future__ import annotations

import itertools
import json
import os
import unittest
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

TIMEOUT_S = 10
NOWHERE = 999_999_999
"""An id that no record has."""

NEEDS = (
    "The acceptance tests need a running service: start it (python -m app serve), then "
    "BASE_URL=http://127.0.0.1:8080 python -m unittest discover -s tests_acceptance -t ."
)

Answer = tuple[int, Any]
Bounds = tuple[float | None, float | None]
ANY: Bounds = (None, None)
_numbers = itertools.count(1)


def call(method: str, path: str, body: Any = None) -> Answer:
    """Send a request; return the status and the JSON of the answer (None where it has none)."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if data is not None else {}
    request = urllib.request.Request(os.environ["BASE_URL"].rstrip("/") + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return response.status, _json(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _json(error.read())


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None


class ServiceCase(unittest.TestCase):
    """Steps for one service. `interface` says for each entity its path and the fields a client writes."""

    interface: Mapping[str, Any] = MappingProxyType({})
    requirement = ""

    @classmethod
    def setUpClass(cls) -> None:
        """Fail once, with what is needed, where no service is named."""
        if not os.environ.get("BASE_URL"):
            raise cls.failureException(NEEDS)

    def setUp(self) -> None:
        """Start without a requirement."""
        self.requirement = ""

    def shows(self, *requirements: str) -> None:
        """Name the requirements that the test shows, for its messages."""
        self.requirement = " | ".join(requirements)

    # ---------------------------------------------------------------- records

    def entity(self, name: str) -> dict[str, Any]:
        """Return what the interface says of an entity; fail where it offers none."""
        found = self.interface.get(name)
        if found is None or not found["path"]:
            raise self.failureException(f"the interface has no collection for {name!r} ({self.requirement})")
        offered: dict[str, Any] = found
        return offered

    def field(self, entity: str, name: str) -> dict[str, Any]:
        """Return what is known of a field; fail where the interface does not have it."""
        found = self.entity(entity)["fields"].get(name)
        if found is None:
            raise self.failureException(f"the interface has no field {name!r} of {entity} ({self.requirement})")
        known: dict[str, Any] = found
        return known

    def value(self, field: dict[str, Any], depth: int = 0) -> Any:
        """Return a new value that fits the field."""
        if field["values"]:
            return field["values"][next(_numbers) % len(field["values"])]
        kind = field["type"]
        if kind == "reference":
            return self.create(field["target"], depth=depth + 1)["id"]
        if kind in {"integer", "number"}:
            return _number(field)
        plain = {"boolean": True, "date": _date(), "datetime": f"{_date()}T10:00:00Z"}
        return plain[kind] if kind in plain else _text(field, next(_numbers))

    def body(self, entity: str, *, full: bool = False, depth: int = 0) -> dict[str, Any]:
        """Return values for a new record: the required fields, or all where full."""
        if depth > 12:
            raise self.failureException(f"a {entity} needs records that need a {entity} in turn: none can be created")
        fields = self.entity(entity)["fields"]
        wanted = {
            name: field for name, field in fields.items() if field["required"] or (full and field["target"] != entity)
        }
        return {name: self.value(field, depth) for name, field in wanted.items()}

    def create(self, entity: str, values: dict[str, Any] | None = None, *, depth: int = 0) -> dict[str, Any]:
        """Create a record, which is deleted after the test."""
        values = self.body(entity, depth=depth) if values is None else values
        record: dict[str, Any] = self.expect(201, "POST", self.entity(entity)["path"], values)
        self.addCleanup(call, "DELETE", f"{self.entity(entity)['path']}/{record['id']}")
        return record

    def read(self, entity: str, number: int) -> dict[str, Any]:
        """Read a record."""
        record: dict[str, Any] = self.expect(200, "GET", f"{self.entity(entity)['path']}/{number}")
        return record

    def expect(self, status: int, method: str, path: str, body: Any = None) -> Any:
        """Call and fail where the status is another."""
        got, answer = call(method, path, body)
        if got != status:
            raise self.failureException(
                f"{method} {path} {body!r}: {got} instead of {status}, {answer!r} ({self.requirement})"
            )
        return answer

    def refused(self, entity: str, values: dict[str, Any], field: str, number: int | None = None) -> None:
        """The values are refused with 422 and the answer names the field."""
        path = self.entity(entity)["path"]
        answer = self.expect(
            422, "POST" if number is None else "PUT", path if number is None else f"{path}/{number}", values
        )
        named = answer.get("error", {}).get("fields", {}) if isinstance(answer, dict) else {}
        self.assertIn(field, named, f"the answer does not name the field: {answer!r} ({self.requirement})")

    def accepted(self, entity: str, field: str, value: Any) -> None:
        """A record with this value is created and keeps it; it is deleted at once, so that others may have the value."""
        record = self.expect(201, "POST", self.entity(entity)["path"], {**self.body(entity), field: value})
        kept = self.read(entity, record["id"])[field]
        self.assertEqual(kept, value, self.requirement)
        self.expect(204, "DELETE", f"{self.entity(entity)['path']}/{record['id']}")

    # ---------------------------------------------------------------- rules

    def check_kept(self, entity: str, fields: list[str]) -> None:
        """Records can be created, read, listed, replaced and deleted, and the named fields come back as given."""
        path = self.entity(entity)["path"]
        for name in fields:
            self.field(entity, name)
        values = self.body(entity, full=True)
        record = self.create(entity, values)
        again = self.read(entity, record["id"])
        for name, value in values.items():
            self.assertEqual(again[name], value, f"{name} ({self.requirement})")
        total = self.expect(200, "GET", f"{path}?limit=1")["total"]
        page = self.expect(200, "GET", f"{path}?limit=1&offset={total - 1}")
        self.assertEqual([item["id"] for item in page["items"]], [record["id"]], self.requirement)
        changed = self.body(entity, full=True)
        self.expect(200, "PUT", f"{path}/{record['id']}", changed)
        again = self.read(entity, record["id"])
        for name, value in changed.items():
            self.assertEqual(again[name], value, f"{name} after replacing ({self.requirement})")
        self.expect(204, "DELETE", f"{path}/{record['id']}")
        self.expect(404, "GET", f"{path}/{record['id']}")

    def check_required(self, entity: str, field: str) -> None:
        """Without the field, or with an empty value, a record is refused; with it, it is created."""
        known = self.field(entity, field)
        values = self.body(entity)
        values.setdefault(field, self.value(known))
        record = self.create(entity, values)
        other = {name: value for name, value in self.body(entity).items() if name != field}
        empty = ["", "   "] if known["type"] in {"string", "text"} else []
        self.refused(entity, other, field)
        self.refused(entity, other, field, record["id"])
        for value in (None, *empty):
            self.refused(entity, {**other, field: value}, field)

    def check_unique(self, entity: str, field: str) -> None:
        """A second record with the same value is a conflict, also by replacing; the record itself may keep it."""
        path = self.entity(entity)["path"]
        value = self.value(self.field(entity, field))
        first = {**self.body(entity), field: value}
        record = self.create(entity, first)
        self.expect(409, "POST", path, {**self.body(entity), field: value})
        other_value = self.value(self.field(entity, field))
        self.assertNotEqual(other_value, value, f"no second value for {field} is known ({self.requirement})")
        other = {**self.body(entity), field: other_value}
        second = self.create(entity, other)
        self.expect(409, "PUT", f"{path}/{second['id']}", {**other, field: value})
        self.expect(200, "PUT", f"{path}/{record['id']}", first)
        self.assertEqual(self.read(entity, second["id"])[field], other_value, self.requirement)

    def check_range(
        self, entity: str, field: str, least: float | None, most: float | None, within: Bounds = ANY
    ) -> None:
        """The bounds themselves are accepted, the next values beyond them are refused; `within` holds as well."""
        step = 1 if self.field(entity, field)["type"] == "integer" else 0.01
        if least is not None:
            self.accepted(entity, field, least if within[0] is None else max(least, within[0]))
            for value in (least - step, least - 1_000):
                self.refused(entity, {**self.body(entity), field: round(value, 6)}, field)
        if most is not None:
            self.accepted(entity, field, most if within[1] is None else min(most, within[1]))
            for value in (most + step, most + 1_000):
                self.refused(entity, {**self.body(entity), field: round(value, 6)}, field)
        self.refused(entity, {**self.body(entity), field: "text"}, field)

    def check_length(self, entity: str, field: str, least: int | None, most: int | None, within: Bounds = ANY) -> None:
        """Texts of the bounds' lengths are accepted, one character less or more is refused; `within` holds as well."""
        if least is not None and least > 0:
            self.accepted(entity, field, "x" * int(max(least, within[0] or 0)))
            if least > 1:
                self.refused(entity, {**self.body(entity), field: "x" * (least - 1)}, field)
        if most is not None:
            self.accepted(entity, field, "é" * int(most if within[1] is None else min(most, within[1])))
            self.refused(entity, {**self.body(entity), field: "x" * (most + 1)}, field)

    def check_enumeration(self, entity: str, field: str, values: list[Any]) -> None:
        """Every value is accepted, another is refused."""
        known = self.field(entity, field)
        for value in values:
            if value in known["values"]:
                self.accepted(entity, field, value)
        for value in ("no such value", f"{values[0]} ", 7):
            self.refused(entity, {**self.body(entity), field: value}, field)

    def check_states(self, entity: str, field: str, values: list[str]) -> None:
        """A new record is in one of the states, and no client can write the state itself."""
        record = self.create(entity)
        self.assertIn(record.get(field), values, self.requirement)
        for value in (*values, "no such state"):
            self.refused(entity, {**self.body(entity), field: value}, field)
            self.refused(entity, {**self.body(entity), field: value}, field, record["id"])
        self.assertEqual(self.read(entity, record["id"])[field], record[field], self.requirement)

    def check_initial(self, entity: str, field: str, state: str) -> None:
        """A new record is in this state."""
        record = self.create(entity)
        self.assertEqual(record.get(field), state, self.requirement)
        self.assertEqual(self.read(entity, record["id"])[field], state, self.requirement)

    def check_filter(self, entity: str, field: str) -> None:
        """A list by a value of the field holds the records with it and no others."""
        known = self.field(entity, field)
        values = [self.value(known) for _ in range(2)]
        records = [self.create(entity, {**self.body(entity), field: value}) for value in values]
        self.assertNotEqual(values[0], values[1], f"no second value for {field} is known ({self.requirement})")
        for record, value in zip(records, values, strict=True):
            text = urllib.parse.quote(json.dumps(value) if not isinstance(value, str) else value, safe="")
            page = self.expect(200, "GET", f"{self.entity(entity)['path']}?{field}={text}")
            self.assertIn(record["id"], [item["id"] for item in page["items"]], self.requirement)
            self.assertEqual({item[field] for item in page["items"]}, {value}, self.requirement)

    def check_relation(self, entity: str, field: str, target: str) -> None:
        """A reference to a record that exists is kept and protects it; a reference to none is refused."""
        self.field(entity, field)
        other = self.create(target)
        record = self.create(entity, {**self.body(entity), field: other["id"]})
        self.assertEqual(self.read(entity, record["id"])[field], other["id"], self.requirement)
        for value in (NOWHERE, 0, "x"):
            self.refused(entity, {**self.body(entity), field: value}, field)
        self.refused(entity, {**self.body(entity), field: NOWHERE}, field, record["id"])
        self.expect(409, "DELETE", f"{self.entity(target)['path']}/{other['id']}")

    def check_transition(self, entity: str, field: str, action: str, moves: list[list[Any]]) -> None:
        """The action works from each of its states and from no other; what it leads to is kept.

        Args:
            entity: whose records.
            field: the field that holds the state.
            action: the action to show.
            moves: all actions of the entity as [action, from states, to state].
        """
        sources, goal = next((set(move[1]), move[2]) for move in moves if move[0] == action)
        states = list(dict.fromkeys(state for move in moves for state in (*move[1], move[2])))
        shown: set[str] = set()
        for state in [self.create(entity)[field], *states]:
            if state in shown:
                continue
            number = self.bring(entity, field, state, moves)
            if number is None:
                self.assertNotIn(
                    state, sources, f"no {entity} can be brought into the state {state} ({self.requirement})"
                )
                continue
            shown.add(state)
            address = f"{self.entity(entity)['path']}/{number}"
            allowed = state in sources
            answer = self.expect(200 if allowed else 409, "POST", f"{address}/{action}")
            if allowed:
                self.assertEqual(answer[field], goal, self.requirement)
            self.assertEqual(self.read(entity, number)[field], goal if allowed else state, self.requirement)
        self.assertTrue(shown & sources, f"{action} could be shown from no state ({self.requirement})")
        self.expect(404, "POST", f"{self.entity(entity)['path']}/{NOWHERE}/{action}")

    def bring(self, entity: str, field: str, state: str, moves: list[list[Any]]) -> int | None:
        """Create a record and bring it into the state by the shortest way; None where no way leads there."""
        record = self.create(entity)
        self.assertIn(field, record, f"a {entity} has no {field} ({self.requirement})")
        ways: dict[str, list[str]] = {record[field]: []}
        waiting = [record[field]]
        for current in waiting:
            for action, sources, goal in moves:
                if current in sources and goal not in ways:
                    ways[goal] = [*ways[current], action]
                    waiting.append(goal)
        if state not in ways:
            return None
        for action in ways[state]:
            self.expect(200, "POST", f"{self.entity(entity)['path']}/{record['id']}/{action}")
        return int(record["id"])


def _date() -> str:
    number = next(_numbers)
    return f"2031-{number % 12 + 1:02}-{number % 28 + 1:02}"


def _number(field: dict[str, Any]) -> Any:
    """Return a number within the field's bounds, another at each call as far as there is room."""
    low, high = field["minimum"], field["maximum"]
    number = next(_numbers)
    if low is None and high is None:
        return number
    if low is None:
        return high - number % 50
    room = 50 if high is None else int(high - low)
    return low + number % (room + 1)


def _text(field: dict[str, Any], number: int) -> str:
    """Return a text within the field's lengths, another at each call as far as there is room."""
    text = f"text {number}"
    least, most = field["min_length"] or 0, field["max_length"]
    if most is not None and len(text) > most:
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"
        text = ""
        while number and len(text) < most:
            text = digits[number % 36] + text
            number //= 36
    return text + "x" * (least - len(text))
