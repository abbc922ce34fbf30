"""YAML text as a tree of plain values that know where they stand.

The events of libyaml are read one by one, so that depth, number of values and the growth by aliases are known before
anything is built. Values are plain data: text, numbers, booleans, null, lists, mappings; dates stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml import events as ev
from yaml.resolver import Resolver

from botarmy.definitions.diagnostics import Problems
from botarmy.definitions.limits import LIMITS, Limits
from botarmy.definitions.source import Position, Source
from botarmy.definitions.yaml_errors import LOADER, QUOTES, report_syntax, runs_on

CORE_TAGS = ("null", "bool", "int", "float", "str", "timestamp", "merge", "value")
TAG = "tag:yaml.org,2002:"
TRUE = frozenset({"yes", "true", "on"})


@dataclass(eq=False)
class Node:
    """A value of the tree, at a 0-based line and column. `size` counts the values in it, aliases expanded."""

    line: int
    column: int
    size: int = 1


@dataclass(eq=False)
class Scalar(Node):
    """Text, number, boolean or null. `style` is YAML's: '', ', ", | or >; `last_line` is where it ends."""

    last_line: int = 0
    text: str = ""
    style: str = ""
    value: Any = None


@dataclass(eq=False)
class Sequence(Node):
    """A list."""

    items: list[Node] = field(default_factory=list)


@dataclass(eq=False)
class Mapping(Node):
    """A mapping in file order: key -> (key node, value node)."""

    pairs: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None."""
        pair = self.pairs.get(key)
        return pair[1] if pair else None


def plain(node: Node) -> Any:
    """Return the tree as plain Python data."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, (_, value) in node.pairs.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else None


class _Refused(Exception):
    """The document cannot be read further; the problem is recorded."""


_RESOLVER = Resolver()


def _scalar_value(text: str, tag: str) -> Any:
    """Turn plain text into its value by YAML's own rules; what does not convert stays text."""
    kind = tag.removeprefix(TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in TRUE
    if kind in {"int", "float"}:
        return _number(text, kind)
    return text


def _number(text: str, kind: str) -> Any:
    digits = text.replace("_", "").lower()
    try:
        if kind == "float":
            return float(digits.replace(".inf", "inf").replace(".nan", "nan"))
        sign = digits.lstrip("+-")
        base = 16 if sign.startswith("0x") else 2 if sign.startswith("0b") else 8 if re.match(r"0[0-7]", sign) else 10
        return int(digits, base)
    except ValueError:
        return text  # sexagesimal (12:30) and the like: what the author wrote


class _Builder:
    """Builds the tree from events."""

    def __init__(self, source: Source, problems: Problems, limits: Limits) -> None:
        self.source = source
        self.problems = problems
        self.limits = limits
        self.anchors: dict[str, Node | None] = {}
        self.events: Iterator[Any] = iter(())

    def refuse(self, code: str, mark: Any, message: str) -> _Refused:
        self.problems.add(code, self.source, self.source.at(mark.line, mark.column), message)
        return _Refused()

    def document(self, text: str) -> Node | None:
        self.events = yaml.parse(text, Loader=LOADER)
        root: Node | None = None
        for event in self.events:
            if isinstance(event, ev.DocumentStartEvent):
                if root is not None:
                    raise self.refuse("yaml-documents", event.start_mark, "A second YAML document begins here.")
                root = self.node(next(self.events), 1)
        return root

    def node(self, event: Any, depth: int) -> Node:
        if depth > self.limits.depth:
            raise self.refuse("yaml-depth", event.start_mark, f"More than {self.limits.depth} levels of nesting.")
        if isinstance(event, ev.AliasEvent):
            return self.alias(event)
        if event.anchor:
            self.anchors[event.anchor] = None
        if isinstance(event, ev.ScalarEvent):
            node: Node = self.scalar(event)
        elif isinstance(event, ev.SequenceStartEvent):
            node = self.sequence(event, depth)
        else:
            node = self.mapping(event, depth)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: Any) -> Node:
        node = self.anchors.get(event.anchor)
        if node is None:
            what = "refers to itself" if event.anchor in self.anchors else "names no anchor before it"
            raise self.refuse("yaml-alias", event.start_mark, f"The alias *{event.anchor} {what}.")
        return node

    def tag(self, event: Any, allowed: tuple[str, ...]) -> None:
        if event.tag and event.tag != "!" and event.tag.removeprefix(TAG) not in allowed:
            shown = event.tag.replace(TAG, "!!")
            self.problems.add(
                "yaml-tag",
                self.source,
                self.source.at(event.start_mark.line, event.start_mark.column),
                f"The tag {shown} is not allowed: only plain data are read.",
            )

    def scalar(self, event: Any) -> Scalar:
        self.tag(event, CORE_TAGS)
        mark = event.start_mark
        tag = event.tag
        if not tag or tag == "!":
            tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        value = _scalar_value(event.value, str(tag))
        last, style = event.end_mark.line, event.style or ""
        if style in QUOTES and runs_on(self.source, mark.line, last):
            where = self.source.at(mark.line, mark.column)
            message = f"The quoted text goes on to line {self.source.at(last).line} over what looks like further keys."
            self.problems.add("yaml-quote-runs-on", self.source, where, message)
        return Scalar(mark.line, mark.column, last_line=last, text=event.value, style=style, value=value)

    def grown(self, node: Node, child: Node, event: Any) -> None:
        node.size += child.size
        if node.size > self.limits.nodes:
            raise self.refuse("yaml-bomb", event.start_mark, f"More than {self.limits.nodes} values.")

    def sequence(self, event: Any, depth: int) -> Sequence:
        self.tag(event, ("seq",))
        node = Sequence(event.start_mark.line, event.start_mark.column)
        item: Any = next(self.events)
        while not isinstance(item, ev.SequenceEndEvent):
            child = self.node(item, depth + 1)
            self.grown(node, child, item)
            node.items.append(child)
            item = next(self.events)
        return node

    def mapping(self, event: Any, depth: int) -> Mapping:
        self.tag(event, ("map",))
        node = Mapping(event.start_mark.line, event.start_mark.column)
        merged: list[Mapping] = []
        item: Any = next(self.events)
        while not isinstance(item, ev.MappingEndEvent):
            key = self.node(item, depth + 1)
            value_event = next(self.events)
            value = self.node(value_event, depth + 1)
            self.grown(node, value, value_event)
            if isinstance(key, Scalar) and key.text == "<<" and not key.style:
                merged += self.merge(value, value_event)
            else:
                self.pair(node, key, value)
            item = next(self.events)
        for other in merged:
            for name, pair in other.pairs.items():
                node.pairs.setdefault(name, pair)
        return node

    def merge(self, value: Node, event: Any) -> list[Mapping]:
        wanted = value.items if isinstance(value, Sequence) else [value]
        if not all(isinstance(one, Mapping) for one in wanted):
            raise self.refuse("wrong-type", event.start_mark, "The merge key << takes a mapping or a list of mappings.")
        return [one for one in wanted if isinstance(one, Mapping)]

    def pair(self, node: Mapping, key: Node, value: Node) -> None:
        where = self.source.at(key.line, key.column)
        if not isinstance(key, Scalar):
            self.problems.add("bad-key", self.source, where, "A list or mapping cannot be a key.")
        elif key.text in node.pairs:
            first = node.pairs[key.text][0]
            line = self.source.at(first.line).line
            message = f'The key "{key.text}" stands here again; it is already in line {line}.'
            self.problems.add("duplicate-key", self.source, where, message)
        else:
            node.pairs[key.text] = (key, value)


def parse_tree(source: Source, problems: Problems, limits: Limits = LIMITS) -> Node | None:
    """Parse YAML text; problems are recorded, and None is returned when there is no usable tree."""
    builder = _Builder(source, problems, limits)
    try:
        root = builder.document(source.text)
    except _Refused:
        return None
    except yaml.YAMLError as error:
        report_syntax(error, source, problems)
        return None
    if root is None or (isinstance(root, Scalar) and root.value is None):
        problems.add("empty-file", source, Position(source.first_line, 1), "The file holds no YAML value.")
        return None
    return root
