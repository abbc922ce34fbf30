"""Jinja for templates that nobody vouches for: sandboxed, strict, and bounded in time, steps and output.

What a template can do: show values, test them, loop over them, call the filters below, include and define blocks and
macros. What it cannot: reach an attribute that is not data, call anything else, or grow without bound. Values are data:
whatever braces they hold come out unchanged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import SandboxedEnvironment

from botarmy.definitions.limits import LIMITS, Limits

FILTERS = frozenset(
    {"abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "groupby", "int", "items",
     "last", "length", "list", "lower", "max", "min", "reject", "rejectattr", "reverse", "round", "select", "selectattr",
     "sort", "string", "sum", "title", "trim", "truncate", "unique", "upper", "wordcount"}
)  # fmt: skip
TESTS = frozenset(
    {"boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "float", "ge", "greaterthan", "gt", "in",
     "integer", "iterable", "le", "lessthan", "lower", "lt", "mapping", "ne", "none", "number", "odd", "sequence",
     "string", "true", "undefined", "upper", "==", "!=", ">", ">=", "<", "<="}
)  # fmt: skip
METHODS = {
    dict: frozenset({"get", "items", "keys", "values"}),
    str: frozenset({"capitalize", "endswith", "lower", "lstrip", "rstrip", "startswith", "strip", "title", "upper"}),
}
LARGEST_INT = 10**18
LONGEST_RANGE = 10_000


class TooMuch(SecurityError):
    """A limit of the rendering was passed."""


class _Code(CodeGenerator):
    """Puts the bounds into the generated code: a tick per loop round, checked concatenation, flat literals."""

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 - Jinja's visitor protocol
        if node.recursive:
            self.fail("Recursive loops are not allowed.", node.lineno)
        ticked = nodes.EnvironmentAttribute("ticked", lineno=node.lineno)
        node.iter = nodes.Call(ticked, [node.iter], [], None, None, lineno=node.lineno)
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self.write("environment.concat((")
        for part in node.nodes:
            self.write("environment.finalize(")
            self.visit(part, frame)
            self.write("), ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        self.write("environment.flat(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        self.write("environment.flat(")
        super().visit_Dict(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        if node.ctx != "load":
            super().visit_Tuple(node, frame)
            return
        self.write("environment.flat(")
        super().visit_Tuple(node, frame)
        self.write(")")


class _Named(BaseLoader):
    """Finds texts by name and uses the name as file name, so that a traceback tells which text it was."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def get_source(self, _: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        if template not in self.texts:
            raise TemplateNotFound(template)
        return self.texts[template], template, lambda: True


class Sandbox(SandboxedEnvironment):
    """One rendering's environment: it counts what the rendering uses up."""

    code_generator_class = _Code
    intercepted_binops = frozenset({"+", "*", "**", "%", "//", "/", "-"})
    intercepted_unops: frozenset[str] = frozenset()

    def __init__(self, texts: Mapping[str, str], limits: Limits = LIMITS) -> None:
        super().__init__(
            undefined=StrictUndefined,
            loader=_Named(texts),
            autoescape=False,
            keep_trailing_newline=False,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=0,
            finalize=self.shown,
        )
        self.limits = limits
        self.steps = 0
        self.deadline: float | None = None
        self.concat = self.bounded  # type: ignore[method-assign]
        self.globals = {"range": self.bounded_range, "namespace": self.globals["namespace"]}
        self.filters = {name: one for name, one in self.filters.items() if name in FILTERS}
        self.filters |= {"json": self.json, "join": self.join, "replace": self.replace, "indent": self.indent}
        self.filters |= {"string": self.string, "map": self.map}
        self.tests = {name: one for name, one in self.tests.items() if name in TESTS}

    # -- bounds

    def tick(self) -> None:
        """Count one step; the clock starts with the first."""
        self.steps += 1
        if self.steps > self.limits.steps:
            raise TooMuch(f"The template takes more than {self.limits.steps} steps.")
        now = time.monotonic()
        if self.deadline is None:
            self.deadline = now + self.limits.seconds
        if now > self.deadline:
            raise TooMuch(f"The template takes longer than {self.limits.seconds:g} s.")

    def ticked(self, values: Iterable[Any]) -> Iterator[Any]:
        """Count every round of a loop."""
        if isinstance(values, Undefined):
            iter(values)  # raises the undefined error with its own words
        for value in values:
            self.tick()
            yield value

    def room(self, size: int) -> None:
        """Refuse a text that would be longer than allowed."""
        if size > self.limits.output_chars:
            raise TooMuch(f"The template makes a text of more than {self.limits.output_chars} characters.")

    def bounded(self, parts: Iterable[str]) -> str:
        """Join texts, at most as long as allowed."""
        kept, size = [], 0
        for part in parts:
            size += len(part)
            self.room(size)
            kept.append(part)
        return "".join(kept)

    def bounded_range(self, *bounds: int) -> range:
        """Return Python's range, at most LONGEST_RANGE long."""
        made = range(*bounds)
        if len(made) > LONGEST_RANGE:
            raise TooMuch(f"A range of more than {LONGEST_RANGE} numbers.")
        return made

    def flat(self, made: Any) -> Any:
        """Refuse literals that hold containers: nested ones double with every step."""
        values = made.values() if isinstance(made, dict) else made
        if any(isinstance(value, list | dict | tuple) for value in values):
            raise SecurityError("Lists and mappings cannot be built out of others in a template.")
        return made

    def shown(self, value: Any) -> Any:
        """Turn an output into text; what would show Python's notation is refused."""
        if isinstance(value, Undefined):
            return str(value)  # raises
        if value is None or isinstance(value, bool):
            return {None: "", True: "true", False: "false"}[value]
        if isinstance(value, str | int | float):
            return str(value)
        raise SecurityError(f"A {type(value).__name__} cannot be shown as text; write it with the filter json or join.")

    # -- what a template may reach

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - Jinja's signature
        """Allow a few methods of texts and mappings, and the loop's own attributes."""
        if attr.startswith("_"):
            return False
        for kind, names in METHODS.items():
            if isinstance(obj, kind):
                return attr in names
        return type(obj).__module__ == "jinja2.runtime" or type(obj).__name__ == "Namespace"

    def wrap_str_format(self, value: Any) -> None:
        """Refuse str.format: a width in a format string makes texts of any size."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Prefer a mapping's key over its method, so that data never hide behind a method's name."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call(self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Count every call."""
        self.tick()
        return super().call(__context, __obj, *args, **kwargs)

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:
        """Count every include."""
        self.tick()
        return super().get_template(name, parent, globals)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Do sums with numbers of bounded size and join texts and lists of bounded length."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if not numbers and operator != "+":
            raise SecurityError(f"The operator {operator} works on numbers only.")
        if numbers and operator == "**" and (abs(right) > 64 or abs(left) > LARGEST_INT):  # noqa: PLR2004
            raise TooMuch("A power that is too large.")
        if not numbers and hasattr(left, "__len__") and hasattr(right, "__len__"):
            self.room(len(left) + len(right))
        made = super().call_binop(context, operator, left, right)
        if isinstance(made, int) and abs(made) > LARGEST_INT:
            raise TooMuch(f"A number larger than {LARGEST_INT}.")
        return made

    # -- filters with bounds of their own

    def json(self, value: Any, indent: int | None = None) -> str:
        """Write a value as JSON, keys in the order they came, real characters."""
        if isinstance(value, Undefined):
            return str(value)
        if isinstance(value, Iterator):
            value = list(value)
        text = json.dumps(value, ensure_ascii=False, indent=min(indent, 8) if indent else None, allow_nan=False)
        self.room(len(text))
        return text

    def join(self, values: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
        """Join texts."""
        texts = [self.shown(value[attribute] if attribute is not None else value) for value in self.ticked(values)]
        self.room(sum(map(len, texts)) + len(separator) * len(texts))
        return separator.join(texts)

    def replace(self, text: str, old: str, new: str) -> str:
        """Replace a text by another."""
        text = self.shown(text)
        self.room(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
        return text.replace(old, new)

    def indent(self, text: str, width: int = 4, first: bool = False) -> str:
        """Indent all lines but the first, or all."""
        text = self.shown(text)
        pad = " " * max(0, min(int(width), 100))
        self.room(len(text) + (text.count("\n") + 1) * len(pad))
        return (pad if first else "") + text.replace("\n", "\n" + pad)

    def string(self, value: Any) -> str:
        """Turn a number or text into text."""
        return str(self.shown(value))

    def map(self, values: Iterable[Any], attribute: str) -> Iterator[Any]:
        """Return one attribute of each value."""
        return (self.getitem(value, attribute) for value in self.ticked(values))


class RenderFailed(Exception):
    """A text cannot be rendered.

    Attributes:
        reason: what is wrong, one sentence.
        text_name: the text in which it happened.
        line: 1-based line of that text.
        code: the diagnostic code that fits.
    """

    def __init__(self, reason: str, text_name: str, line: int, code: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.text_name = text_name
        self.line = line
        self.code = code


ORDINARY = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, AssertionError)


def render(texts: Mapping[str, str], start: str, values: Mapping[str, Any], limits: Limits = LIMITS) -> str:
    """Render the text named `start`; includes and bases are found in `texts`.

    Raises:
        RenderFailed: a syntax error, an undefined name, a refused attribute, a limit.
    """
    environment = Sandbox(texts, limits)
    try:
        return environment.bounded(_counted(environment, environment.get_template(start).generate(**values)))
    except (TemplateError, *ORDINARY) as error:
        raise _failure(error, start) from error


def _failure(error: Exception, start: str) -> RenderFailed:
    code = "unsafe-template" if isinstance(error, SecurityError | RecursionError) else "template-syntax"
    if isinstance(error, UndefinedError):
        code = "undefined-variable"
    reason = "The template calls itself without end." if isinstance(error, RecursionError) else str(error)
    if isinstance(error, TemplateSyntaxError):
        return RenderFailed(error.message or reason, error.filename or start, error.lineno, code)
    if isinstance(error, TemplateNotFound):
        return RenderFailed(f'There is no text "{error.name}" to include.', start, 1, "unknown-reference")
    name, line = _place(error.__traceback__, start)
    return RenderFailed(reason[:1].upper() + reason[1:], name, line, code)


def _place(trace: TracebackType | None, start: str) -> tuple[str, int]:
    """Return the template and line of the innermost template frame."""
    place = (start, 1)
    while trace is not None:
        if (
            "__jinja_template__" in trace.tb_frame.f_globals
            or trace.tb_frame.f_code.co_name == "top-level template code"
        ):
            place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return place


def _counted(environment: Sandbox, pieces: Iterable[str]) -> Iterator[str]:
    for number, piece in enumerate(pieces):
        if number % 1000 == 0:
            environment.tick()
        yield piece


def parse(text: str) -> nodes.Template:
    """Return the syntax tree of a text; unknown filters and tests are left in it.

    Raises:
        jinja2.TemplateSyntaxError: with the 1-based line of the text.
    """
    return Sandbox({}).parse(text)
