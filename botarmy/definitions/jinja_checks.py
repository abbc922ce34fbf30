"""Find what is wrong with a Jinja text before it is ever rendered, at its place in the YAML file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from jinja2 import TemplateSyntaxError, meta, nodes

from botarmy.definitions.diagnostics import Problems
from botarmy.definitions.jinja import FILTERS, TESTS, parse
from botarmy.definitions.near import suggestion
from botarmy.definitions.places import line_offset, place_in
from botarmy.definitions.source import Position, Source
from botarmy.definitions.tree import Scalar

OWN_FILTERS = frozenset({"json", "join", "replace", "indent", "string", "map"})
UNCLOSED = ("Unexpected end of template", "Missing end of", "unexpected end of template", "unclosed")


@dataclass(frozen=True, eq=False)
class JinjaText:
    """A text of a file: all of it (scalar None), or a YAML value."""

    source: Source
    text: str
    scalar: Scalar | None = None
    chain: tuple[str, ...] = field(default=())

    def position(self, line: int, pattern: str = "") -> Position:
        """Return the place of a pattern in a 1-based line of the text, or of the line's first word."""
        start = line_offset(self.text, line)
        here = self.text[start:].split("\n", 1)[0]
        found = re.search(pattern, here) if pattern else None
        column = found.start() if found else len(here) - len(here.lstrip())
        if self.scalar is None:
            return self.source.at(line - 1, column)
        return place_in(self.source, self.scalar, start + column)


def parse_text(text: JinjaText, problems: Problems) -> nodes.Template | None:
    """Parse a text; a syntax error is recorded and None returned."""
    try:
        return parse(text.text)
    except TemplateSyntaxError as error:
        _syntax(text, error, problems)
    except RecursionError:
        problems.add(
            "unsafe-template", text.source, text.position(1), "An expression nests too deeply.", chain=text.chain
        )
    return None


def _syntax(text: JinjaText, error: TemplateSyntaxError, problems: Problems) -> None:
    message = (error.message or "The template does not parse.").rstrip(".")
    unclosed = any(word in message for word in UNCLOSED)
    opened = re.search(r"innermost block that needs to be closed is '(\w+)'", message)
    line, pattern = error.lineno, ""
    if opened:
        line, pattern = _last_opening(text.text, opened.group(1), line)
    elif unclosed or "expected token 'end of print statement'" in message:
        line, pattern = _last_line_with(text.text, line, r"\{[{%#]")
    unknown = re.search(r"unknown tag '(\w+)'", message)
    if unknown:
        pattern = rf"\b{unknown.group(1)}\b"
    problems.add(
        "template-unclosed" if unclosed else "template-syntax",
        text.source,
        text.position(line, pattern),
        f"{message}.",
        chain=text.chain,
    )


def _last_opening(text: str, tag: str, line: int) -> tuple[int, str]:
    """Return the line of the last `{% tag` that no `{% endtag` answers."""
    pattern = rf"\{{%[-+]?\s*{tag}\b"
    open_lines: list[int] = []
    for number, here in enumerate(text.split("\n"), 1):
        for found in re.finditer(rf"\{{%[-+]?\s*(end)?{tag}\b", here):
            if found.group(1):
                open_lines[-1:] = []
            else:
                open_lines.append(number)
    return (open_lines[-1] if open_lines else line), pattern


def _last_line_with(text: str, line: int, pattern: str) -> tuple[int, str]:
    lines = text.split("\n")[:line]
    for number in range(len(lines), 0, -1):
        if re.search(pattern, lines[number - 1]):
            return number, pattern
    return line, ""


def check_calls(text: JinjaText, tree: nodes.Template, problems: Problems) -> None:
    """Report unknown filters and tests, and what the sandbox would refuse."""
    for one in tree.find_all(nodes.Filter):
        if one.name not in FILTERS | OWN_FILTERS:
            _unknown(text, one, "filter", FILTERS | OWN_FILTERS, problems)
    for test in tree.find_all(nodes.Test):
        if test.name not in TESTS:
            _unknown(text, test, "test", TESTS, problems)
    for node, name, message in _unsafe(tree):
        where = text.position(node.lineno, re.escape(name) if name else "")
        problems.add("unsafe-template", text.source, where, message, chain=text.chain)


Call = nodes.Filter | nodes.Test


def _unknown(text: JinjaText, call: Call, what: str, known: Collection[str], problems: Problems) -> None:
    problems.add(
        f"unknown-{what}",
        text.source,
        text.position(call.lineno, rf"(?<![\w.]){re.escape(call.name)}\b"),
        f'There is no {what} "{call.name}".',
        hint=suggestion(call.name, [one for one in known if one[0].isalpha()], f"{what}s"),
        chain=text.chain,
    )


Finding = tuple[nodes.Node, str, str]


def _unsafe(tree: nodes.Template) -> Iterator[Finding]:
    yield from _hidden(tree)
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            yield loop, "recursive", "Recursive loops are not allowed."
    for extends in tree.find_all(nodes.Extends):
        yield extends, "extends", "A text cannot extend another by itself; write `extends:` at the top of the file."
    for reference in _references(tree):
        if not isinstance(reference.template, nodes.Const) or not isinstance(reference.template.value, str):
            yield reference, "", "What is included must be named by a literal text."


def _hidden(tree: nodes.Template) -> Iterator[Finding]:
    for attribute in tree.find_all(nodes.Getattr):
        if attribute.attr.startswith("_"):
            yield attribute, attribute.attr, f'The attribute "{attribute.attr}" is no data.'
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.arg, nodes.Const) and str(item.arg.value).startswith("__"):
            yield item, str(item.arg.value), f'The attribute "{item.arg.value}" is no data.'


def check_names(text: JinjaText, tree: nodes.Template, known: Collection[str], problems: Problems) -> set[str]:
    """Report names that nothing gives; return the free names of the text."""
    free = free_names(tree)
    for name in sorted(free - set(known)):
        line = min((one.lineno for one in tree.find_all(nodes.Name) if one.name == name), default=1)
        problems.add(
            "undefined-variable",
            text.source,
            text.position(line, rf"(?<![\w.]){re.escape(name)}\b"),
            f'Nothing gives "{name}" to this text.',
            hint=suggestion(name, known, "names given"),
            chain=text.chain,
        )
    return free


def _stand_in(value: object) -> object:
    """Take the place of an unknown filter or test while names are looked for; nothing calls it."""
    return value


def free_names(tree: nodes.Template) -> set[str]:
    """Return the names that a text takes from outside."""
    environment = tree.environment
    if environment is not None:  # an unknown filter or test is told by check_calls; it must not hide undefined names
        environment.filters.update({one.name: _stand_in for one in tree.find_all(nodes.Filter)})
        environment.tests.update({one.name: _stand_in for one in tree.find_all(nodes.Test)})
    try:
        return set(meta.find_undeclared_variables(tree)) - {"range", "namespace", "loop", "self", "super", "caller"}
    except (TemplateSyntaxError, RecursionError):
        return set()  # reported by check_calls


def included(tree: nodes.Template) -> list[tuple[str, int]]:
    """Return the names that a text includes or imports, with their lines."""
    constants = [(one.template, one.lineno) for one in _references(tree)]
    return [(one.value, line) for one, line in constants if isinstance(one, nodes.Const) and isinstance(one.value, str)]


def _references(tree: nodes.Template) -> list[nodes.Include | nodes.Import | nodes.FromImport]:
    return [*tree.find_all(nodes.Include), *tree.find_all(nodes.Import), *tree.find_all(nodes.FromImport)]


def block_names(tree: nodes.Template) -> set[str]:
    """Return the blocks that a text has."""
    return {block.name for block in tree.find_all(nodes.Block)}
