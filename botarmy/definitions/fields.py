"""Read a mapping key by key: wrong types, missing and unknown keys become diagnostics at their place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from botarmy.definitions.diagnostics import Problems, Severity
from botarmy.definitions.near import near_match, suggestion
from botarmy.definitions.source import Position, Source
from botarmy.definitions.tree import Mapping, Node, Scalar, Sequence, plain

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z")


def kind_of(node: Node) -> str:
    """Return what a value is, in words for a message."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    value = node.value if isinstance(node, Scalar) else None
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a boolean"
    return "a number" if isinstance(value, int | float) else "text"


def is_null(node: Node | None) -> bool:
    """Say whether a value is absent or null."""
    return node is None or (isinstance(node, Scalar) and node.value is None)


class Fields:
    """The keys of one mapping, read once each; `finish` reports what was never asked for."""

    def __init__(self, node: Mapping, source: Source, problems: Problems, where: str) -> None:
        self.node = node
        self.source = source
        self.problems = problems
        self.where = where
        self.known: set[str] = set()

    def position(self, key: str | None = None) -> Position:
        """Return the place of a key's value, or of the mapping."""
        found = self.node.get(key) if key is not None else None
        node = found if found is not None else self.node
        return self.source.at(node.line, node.column)

    def key_position(self, key: str) -> Position:
        """Return the place of a key."""
        pair = self.node.pairs.get(key)
        node: Node = pair[0] if pair else self.node
        return self.source.at(node.line, node.column)

    def at(self, node: Node) -> Position:
        """Return the place of a node."""
        return self.source.at(node.line, node.column)

    def problem(self, code: str, node: Node, message: str, hint: str = "", severity: Severity | None = None) -> None:
        """Record a problem at a node."""
        self.problems.add(code, self.source, self.at(node), message, hint=hint, severity=severity)

    def has(self, key: str) -> bool:
        """Say whether the key is there and not null."""
        return not is_null(self.node.get(key))

    def take(self, key: str, *, required: bool = False) -> Node | None:
        """Return the value of a key, None where it is absent or null; required keys are reported when so."""
        self.known.add(key)
        node = self.node.get(key)
        if node is None:
            if required:
                self._missing(key)
            return None
        if is_null(node):
            if required:
                self.problems.add(
                    "empty-value", self.source, self.key_position(key), f'"{key}" of {self.where} holds nothing.'
                )
            return None
        return node

    def _missing(self, key: str) -> None:
        """Report an absent key: at the key that was probably meant, else at the mapping."""
        near = near_match(key, [name for name in self.node.pairs if name not in self.known], cutoff=0.75)
        hint = f'Did you mean this key by "{near}"?' if near else ""
        message = f'{self.where[:1].upper()}{self.where[1:]} has no "{key}".'
        where = self.key_position(near) if near else self.position()
        self.problems.add("missing-key", self.source, where, message, hint=hint)

    def wrong(self, key: str, node: Node, wanted: str) -> None:
        """Report a value of the wrong type."""
        self.problem("wrong-type", node, f'"{key}" of {self.where} is {kind_of(node)}; it must be {wanted}.')

    def scalar(self, key: str, *, required: bool = False) -> Scalar | None:
        """Return a text value's node."""
        node = self.take(key, required=required)
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.wrong(key, node, "text")
            return None
        if required and not node.text.strip():
            self.problem("empty-value", node, f'"{key}" of {self.where} is empty.')
            return None
        return node

    def text(self, key: str, *, required: bool = False, default: str = "") -> str:
        """Return a text; numbers and booleans count as the text they were written as."""
        node = self.scalar(key, required=required)
        return node.text if node is not None else default

    def name(self, key: str, *, required: bool = False) -> Scalar | None:
        """Return a text value's node that is usable as a name."""
        node = self.scalar(key, required=required)
        if node is not None and not NAME.match(node.text):
            self.problem("bad-name", node, f'"{node.text[:80]}" cannot be a name ({key} of {self.where}).')
            return None
        return node

    def nodes(self, key: str, *, required: bool = False, single: bool = False) -> list[Node]:
        """Return the items of a list; with `single` one value counts as a list of one."""
        node = self.take(key, required=required)
        if node is None:
            return []
        if isinstance(node, Sequence):
            return node.items
        if single and isinstance(node, Scalar):
            return [node]
        self.wrong(key, node, "text or a list of texts" if single else "a list")
        return []

    def scalars(self, key: str, *, required: bool = False, single: bool = False) -> list[Scalar]:
        """Return the texts of a list; other items are reported."""
        found = []
        for item in self.nodes(key, required=required, single=single):
            if isinstance(item, Scalar) and item.value is not None:
                found.append(item)
            else:
                self.problem(
                    "wrong-type", item, f'An item of "{key}" of {self.where} is {kind_of(item)}; text is wanted.'
                )
        return found

    def fields(self, key: str, *, required: bool = False) -> Fields | None:
        """Return a mapping's own fields."""
        node = self.take(key, required=required)
        if node is None:
            return None
        if not isinstance(node, Mapping):
            self.wrong(key, node, "a mapping")
            return None
        return Fields(node, self.source, self.problems, f"{key} of {self.where}")

    def pairs(self, key: str, *, required: bool = False) -> list[tuple[Scalar, Node]]:
        """Return the pairs of a free mapping."""
        fields = self.fields(key, required=required)
        return list(fields.node.pairs.values()) if fields else []

    def number(self, key: str, default: float, low: float, high: float, *, whole: bool = False) -> float:
        """Return a number within bounds, else the default."""
        node = self.take(key)
        if node is None:
            return default
        value = node.value if isinstance(node, Scalar) else None
        kinds = int if whole else int | float
        if isinstance(value, bool) or not isinstance(value, kinds):
            self.wrong(key, node, "a whole number" if whole else "a number")
            return default
        if not low <= value <= high:
            self.problem("bad-value", node, f'"{key}" of {self.where} is {value}; it must be {low:g} to {high:g}.')
            return default
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return a boolean."""
        node = self.take(key)
        if node is None:
            return default
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        self.wrong(key, node, "true or false")
        return default

    def choice(self, key: str, allowed: Iterable[str], default: str) -> str:
        """Return one of the allowed words."""
        node = self.scalar(key)
        if node is None:
            return default
        names = tuple(allowed)
        if node.text in names:
            return node.text
        self.problem(
            "bad-value",
            node,
            f'"{key}" of {self.where} cannot be "{node.text[:80]}".',
            suggestion(node.text, names, "allowed"),
        )
        return default

    def data(self, key: str) -> Any:
        """Return a value of any shape as plain data."""
        node = self.take(key)
        return plain(node) if node is not None else None

    def finish(self) -> dict[str, Any]:
        """Report keys that nobody asked for; they are returned as plain data."""
        extra: dict[str, Any] = {}
        for name, (key, value) in self.node.pairs.items():
            if name in self.known:
                continue
            extra[name] = plain(value)
            near = near_match(name, self.known - set(self.node.pairs))
            hint = f'Did you mean "{near}"?' if near else ""
            self.problem("unknown-key", key, f'{self.where} has the key "{name[:80]}", which nothing reads.', hint)
        return extra


def root_fields(source: Source, problems: Problems, root: Node | None, what: str) -> Fields | None:
    """Return the fields of a document whose root must be a mapping."""
    if root is None:
        return None
    if isinstance(root, Mapping):
        return Fields(root, source, problems, what)
    problems.add(
        "wrong-type", source, source.at(root.line, root.column), f"{what} is {kind_of(root)}; it must be a mapping."
    )
    return None
