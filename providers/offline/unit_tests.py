"""Purpose unit_tests: the fixed tests of the machinery, and for each entity one test for each of its rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from botarmy.artifacts import UnitTests, UserRequirements
from botarmy.checks import FileText
from providers.offline.service_coverage import Asked, asked_by
from providers.offline.service_model import NUMBERS, TEXTS, Entity, Field, Model, State, read_model
from providers.offline.service_skeleton import skeleton
from providers.offline.service_text import LINE, camel, distinct, docstring, literal, name_part

LONGEST_SAMPLE = 100_000
"""Characters of a text that a test still makes to pass a length limit."""

FEW = 3
"""Records of one entity that a test may need at the same time."""

WRONG_TYPES: Mapping[str, Any] = {
    "string": 7,
    "text": 7,
    "integer": "many",
    "number": "many",
    "boolean": "perhaps",
    "date": "tomorrow",
    "datetime": "tomorrow",
    "reference": "first",
}


@dataclass(frozen=True)
class Case:
    """One test method.

    Attributes:
        name: the method's, without test_.
        text: what it shows.
        lines: its statements.
        rule: the field or action and the kind of rule that it shows, if it shows one of the brief.
    """

    name: str
    text: str
    lines: tuple[str, ...]
    rule: tuple[str, str] = ("", "")


def build_unit_tests(inputs: Mapping[str, Any]) -> UnitTests:
    """Write the tests of the service.

    Raises:
        InvalidOutput: the data models cannot be served.
    """
    model = read_model(inputs)
    asked = asked_by(UserRequirements.model_validate(inputs["user_requirements"]).requirements)
    names = distinct((entity.collection for entity in model.entities), "records")
    written = [
        FileText(path=f"tests/test_rules_of_{name}.py", content=_module(name, entity, model, asked))
        for name, entity in zip(names, model.entities, strict=True)
    ]
    return UnitTests(files=tuple(sorted((*skeleton("tests"), *written), key=lambda file: file.path)))


def _module(name: str, entity: Entity, model: Model, asked: Asked) -> str:
    cases = [_traced(case, entity.name, asked) for case in _cases(entity, model)]
    methods = distinct((case.name for case in cases), "test")
    parts = [
        f'"""{docstring(entity.collection)}: the rules of app/models.py, one by one."""\n\n'
        "from __future__ import annotations\n\nfrom tests.support import ServiceCase\n\n\n"
        f"class {camel(name)}Test(ServiceCase):\n"
        f'    """What {docstring(entity.name)} allows and refuses."""\n',
        *(_method(method, case) for method, case in zip(methods, cases, strict=True)),
    ]
    return "\n".join(parts)


def _traced(case: Case, entity: str, asked: Asked) -> Case:
    """Put the ids of the requirements that ask for the rule before the case's text."""
    ids = asked.get((entity, *case.rule), ())
    return replace(case, text=f"{', '.join(ids)}: {case.text}") if ids else case


def _method(name: str, case: Case) -> str:
    body = "".join(f"        {line}\n" for line in case.lines)
    return f'    def test_{name}(self) -> None:\n        """{docstring(case.text)}"""\n{body}'


def _cases(entity: Entity, model: Model) -> Iterator[Case]:
    place = literal(entity.collection)
    if not entity.possible:
        yield Case("no_record_is_possible", "The rules contradict each other.", (_call("check_impossible", place),))
        return
    yield Case("life", "A record is created, read, listed, replaced, deleted.", (_call("check_life", place),))
    strangers = [_call("refused", place, literal(name), "1") for name in ("id", _stranger(entity))]
    yield Case("strangers", "Fields that are not the client's are refused.", tuple(strangers))
    for field in entity.fields:
        yield from _cases_of_field(place, field, entity, model)
    if entity.state:
        yield from _cases_of_state(place, entity.state)


def _stranger(entity: Entity) -> str:
    name = "no_such_field"
    while any(field.name.lower() == name for field in entity.fields):
        name += "_"
    return name


def _call(method: str, *words: str) -> str:
    line = f"self.{method}({', '.join(words)})"
    if len(line) + 8 <= LINE + 20:
        return line
    pad = " " * 12
    return f"self.{method}(\n" + "".join(f"{pad}{word},\n" for word in words) + " " * 8 + ")"


def _cases_of_field(place: str, field: Field, entity: Entity, model: Model) -> Iterator[Case]:
    name = literal(field.name)
    base = name_part(field.name) or "field"
    wrong = _call("refused", place, name, literal(WRONG_TYPES[field.type]))
    yield Case(f"{base}_has_a_type", f"{field.name} is of type {field.type}.", (wrong,))
    if field.required:
        required = _call("check_required", place, name)
        yield Case(f"{base}_is_required", f"{field.name} is required.", (required,), (field.name, "required"))
    if field.unique and field.possible and not _is_unset(field):
        check = "check_unique" if model.room(entity) > 1 else "check_only_one"
        unique = _call(check, place, name)
        yield Case(f"{base}_is_unique", f"{field.name} is unique.", (unique,), (field.name, "unique"))
    for kind, word, lines in _rules(place, name, field):
        yield Case(f"{base}_{word}", f"The {word} of {field.name}.", lines, (field.name, kind))
    if field.references:
        yield from _cases_of_reference(place, base, field, entity, model)


def _is_unset(field: Field) -> bool:
    """Whether the sample records leave the field empty."""
    return bool(field.references) and not field.required


def _rules(place: str, name: str, field: Field) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield for each rule its kind, a word for it, and the statements that show it."""

    def lines(wrong: str, *right: str) -> tuple[str, ...]:
        return _lines(place, name, field, wrong, *right)

    if field.values:
        yield "enumeration", "choices", lines(_outside(field), *(literal(value) for value in field.values))
    if field.minimum is not None:
        yield "range", "minimum", lines(repr(_beside(field, field.minimum, -1)), repr(field.minimum))
    if field.maximum is not None:
        yield "range", "maximum", lines(repr(_beside(field, field.maximum, 1)), repr(field.maximum))
    if field.min_length and field.min_length <= LONGEST_SAMPLE:
        yield "length", "shortest", lines(_text(field.min_length - 1), _text(field.min_length))
    if field.max_length is not None and field.max_length <= LONGEST_SAMPLE:
        right = [_text(field.max_length)] if field.max_length else []
        yield "length", "longest", lines(_text(field.max_length + 1), *right)


def _lines(place: str, name: str, field: Field, wrong: str, *right: str) -> tuple[str, ...]:
    refused = _call("refused", place, name, wrong)
    return (refused, _call("accepted", place, name, *right)) if field.possible and right else (refused,)


def _text(length: int) -> str:
    return f'"x" * {length}'


def _outside(field: Field) -> str:
    if field.type in TEXTS or field.type not in NUMBERS:
        wrong = "no such value"
        while wrong in field.values:
            wrong += "!"
        return literal(wrong)
    return repr(max(value for value in field.values if not isinstance(value, str)) + 1)


def _beside(field: Field, bound: float, direction: int) -> float:
    """Return the nearest readable number outside a bound."""
    if field.type == "integer":
        return bound + direction
    near = round(bound + direction * 0.01, 6)
    return near if (near - bound) * direction > 0 else math.nextafter(bound, direction * math.inf)


def _cases_of_reference(place: str, base: str, field: Field, entity: Entity, model: Model) -> Iterator[Case]:
    target = model.by_name(field.references)
    rule = (field.name, "relation")
    absent = _call("refused", place, literal(field.name), "999_999")
    yield Case(f"{base}_must_exist", f"{field.name} refers to an existing {target.name}.", (absent,), rule)
    if target.possible and model.room(target) >= FEW and model.room(entity) >= FEW:
        kept = _call("check_kept", place, literal(field.name), literal(target.collection))
        text = f"A {target.name} that is referred to is not deleted."
        yield Case(f"{base}_keeps_its_record", text, (kept,), rule)


def _cases_of_state(place: str, state: State) -> Iterator[Case]:
    direct = _call("refused", place, literal(state.field), literal(state.states[-1]))
    yield Case("state_is_not_set", f"{state.field} is changed only by actions.", (direct,))
    first = _call("assertEqual", f"self.create({place})[{literal(state.field)}]", literal(state.initial))
    yield Case("state_at_first", f"{state.field} is {state.initial} at first.", (first,))
    paths = state.paths()
    for action in state.actions:
        lines = tuple(_action(place, action, path, state.after(before, action)) for before, path in paths.items())
        text = f"{action} is possible only from the right states."
        yield Case(f"action_{name_part(action)}", text, lines, (action, "transition"))


def _action(place: str, action: str, path: tuple[str, ...], reached: str | None) -> str:
    steps = "(" + ", ".join(literal(step) for step in path) + ("," if len(path) == 1 else "") + ")"
    return _call("check_action", place, literal(action), steps, literal(reached))
