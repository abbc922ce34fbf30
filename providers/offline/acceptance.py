"""The tester's acceptance tests, written from the rules of the requirements and the interface alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from botarmy.artifacts import AcceptanceTests, Requirement, Rule, UserRequirements
from botarmy.checks import FileText
from providers.offline import words
from providers.offline.acceptance_interface import entities_of, interface_of
from providers.offline.service_tests import FOLDER
from providers.offline.understand import Statement, Understanding, understand
from providers.offline.understand_facts import FilterFact, InitialFact

MODULE = f"{FOLDER}.test_rules"
CLASS = "RuleTest"
_TEXT_LENGTH = 200
_Machines = dict[tuple[str, str], list[list[Any]]]
"""(entity, state field) -> all actions as [action, from states, to state]."""
_Bounds = dict[tuple[str, str, str], tuple[float | None, float | None]]
"""(entity, field, kind of rule) -> the bounds that all rules leave."""
_NAME_LENGTH = 90


@dataclass
class _Test:
    """One test method: its name, the call it makes, the requirements it shows."""

    name: str
    call: str
    requirements: list[Requirement] = field(default_factory=list)


def build_acceptance_tests(inputs: Mapping[str, Any]) -> AcceptanceTests:
    """Write one test for every rule, and one for the records and fields that a requirement asks for without a rule."""
    requirements = UserRequirements.model_validate(inputs["user_requirements"]).requirements
    document = inputs.get("api_specifications", {}).get("openapi", {})
    rules = [rule for item in requirements for rule in item.rules]
    tests = list(_tests(requirements, understand(inputs)))
    named = [name for item in requirements for name in item.entities]
    if not tests:
        # Nothing was understood: what there is of a service is tried all the same, and no requirement is claimed by it.
        named = list(entities_of(document))
        tests = [
            _Test(f"test_{n:03}_{words.snake(name)}", f"self.check_kept({name!r}, [])")
            for n, name in enumerate(named, 1)
        ]
    return AcceptanceTests(
        files=(
            FileText(path=f"{FOLDER}/__init__.py", content='"""Black-box tests of the rules of the brief."""\n'),
            FileText(path=f"{FOLDER}/kit.py", content=_kit()),
            FileText(path=f"{FOLDER}/interface.py", content=_interface(interface_of(document, rules, named))),
            FileText(path=f"{FOLDER}/test_rules.py", content=_module(tests)),
        ),
        covers={
            f"{MODULE}.{CLASS}.{test.name}": tuple(dict.fromkeys(item.id for item in test.requirements))
            for test in tests
        },
    )


@cache
def _kit() -> str:
    return (files("providers.offline") / "acceptance_kit" / "kit.py").read_text(encoding="utf-8")


def _tests(requirements: Sequence[Requirement], read: Understanding) -> Iterator[_Test]:
    """Return the tests, each rule once however many requirements state it."""
    machines = _machines(requirements)
    bounds = _all_bounds(rule for item in requirements for rule in item.rules)
    found: dict[str, _Test] = {}
    by_source: dict[str, list[Statement]] = {}
    for statement in (statement for statement in read.statements if statement.understood and statement.facts):
        for source in statement.sources:
            by_source.setdefault(source, []).append(statement)
    for item in requirements:
        for label, call in [*_rule_calls(item, machines, bounds, read), *_kept_calls(item, read, by_source)]:
            number = len(found) + 1
            name = f"test_{number:03}_{words.snake(label) or 'rule'}"[:_NAME_LENGTH]
            found.setdefault(call, _Test(name, call)).requirements.append(item)
    yield from found.values()


def _machines(requirements: Sequence[Requirement]) -> _Machines:
    """Return all actions by (entity, state field): an action that several rules describe is allowed where each allows it."""
    found: dict[tuple[str, str], dict[str, list[Any]]] = {}
    rules = [rule for item in requirements for rule in item.rules if rule.kind == "transition"]
    for rule in rules:
        moves = found.setdefault((rule.entity, rule.field), {})
        sources = list(rule.from_states)
        if rule.action in moves:
            sources = (
                [state for state in moves[rule.action][1] if state in sources] if sources else moves[rule.action][1]
            )
        moves[rule.action] = [rule.action, sources, rule.to_state]
    return {key: _with_any_state(list(moves.values())) for key, moves in found.items()}


def _with_any_state(moves: list[list[Any]]) -> list[list[Any]]:
    """A rule without from states allows every state but its own goal."""
    states = list(dict.fromkeys(state for move in moves for state in (*move[1], move[2])))
    return [[action, sources or [state for state in states if state != goal], goal] for action, sources, goal in moves]


def _rule_calls(
    item: Requirement, machines: _Machines, bounds: _Bounds, read: Understanding
) -> Iterator[tuple[str, str]]:
    for rule in item.rules:
        label = f"{rule.kind} {rule.entity} {rule.action or rule.field}"
        yield label, _call(rule, machines, bounds, read)


def _call(rule: Rule, machines: _Machines, bounds: _Bounds, read: Understanding) -> str:
    place = f"{rule.entity!r}, {rule.field!r}"
    if rule.kind in {"range", "length"}:
        return (
            f"self.check_{rule.kind}({place}, {_number(rule.minimum)}, {_number(rule.maximum)}{_within(rule, bounds)})"
        )
    if rule.kind == "enumeration":
        state = (rule.entity, rule.field) in machines or _state_field(read, rule.entity) == rule.field
        step = "check_states" if state else "check_enumeration"
        return f"self.{step}({place}, {list(rule.values)!r})"
    if rule.kind == "relation":
        return f"self.check_relation({place}, {rule.target!r})"
    if rule.kind == "transition":
        return f"self.check_transition({place}, {rule.action!r}, {machines[rule.entity, rule.field]!r})"
    return f"self.check_{rule.kind}({place})"


def _within(rule: Rule, bounds: _Bounds) -> str:
    """Return the argument for the bounds that all rules on the field leave, where they leave less than this one."""
    low, high = bounds[rule.entity, rule.field, rule.kind]
    left = (low if rule.minimum is not None else None, high if rule.maximum is not None else None)
    return "" if left == (rule.minimum, rule.maximum) else f", ({_number(left[0])}, {_number(left[1])})"


def _all_bounds(rules: Iterable[Rule]) -> _Bounds:
    """Return the narrowest bounds by (entity, field, kind of rule): no requirement may ask for more than all allow."""
    found: _Bounds = {}
    for rule in rules:
        place = (rule.entity, rule.field, rule.kind)
        low, high = found.get(place, (None, None))
        lows = [bound for bound in (low, rule.minimum) if bound is not None]
        highs = [bound for bound in (high, rule.maximum) if bound is not None]
        found[place] = (max(lows, default=None), min(highs, default=None))
    return found


def _number(value: float | None) -> str:
    return repr(int(value)) if value is not None and float(value).is_integer() else repr(value)


def _kept_calls(
    item: Requirement, read: Understanding, by_source: Mapping[str, list[Statement]]
) -> Iterator[tuple[str, str]]:
    """What the requirement's own sentence names beyond rules: records, fields, the first state, lists by a field.

    A requirement that somebody else calls understood gets no such test: that a record can be kept says nothing about
    what its sentence may ask beyond.
    """
    own = [s for source in item.sources for s in by_source.get(source, ()) if s.text == item.text]
    if not item.understood or not own:
        return
    special = [fact for statement in own for fact in statement.facts if isinstance(fact, InitialFact | FilterFact)]
    for fact in special:
        yield _fact_call(fact, read)
    for entity, names in _fields_of(own).items():
        state = _state_field(read, entity)
        if state in names and not any(rule.field == state for rule in item.rules):
            states = read.model.entities[entity].states
            yield f"states of {entity}", f"self.check_states({entity!r}, {state!r}, {states!r})"
        kept = [name for name in dict.fromkeys(names) if name != state]
        if kept or not (item.rules or special):
            yield f"records of {entity}", f"self.check_kept({entity!r}, {kept!r})"


def _fields_of(own: Sequence[Statement]) -> dict[str, list[str]]:
    """Return the entities that the statements speak of, and the fields they name."""
    fields: dict[str, list[str]] = {}
    for statement in own:
        for entity in () if statement.rules else statement.entities:
            fields.setdefault(entity, [])
        for entity, name in statement.fields:
            fields.setdefault(entity, []).append(name)
    return fields


def _state_field(read: Understanding, entity: str) -> str:
    known = read.model.entities.get(entity)
    return known.state_field if known else ""


def _fact_call(fact: InitialFact | FilterFact, read: Understanding) -> tuple[str, str]:
    """Return the test of what no rule can hold: the state of a new record, a list by a field."""
    if isinstance(fact, FilterFact):
        return f"list {fact.entity} by {fact.field}", f"self.check_filter({fact.entity!r}, {fact.field!r})"
    entity = read.model.entities[fact.entity]
    return f"new {fact.entity}", f"self.check_initial({fact.entity!r}, {entity.state_field!r}, {entity.initial!r})"


def _interface(interface: Mapping[str, Any]) -> str:
    lines = ['"""The paths and fields of the service as its interface names them."""', "", "ENTITIES = {"]
    for name, entity in interface.items():
        lines += [f"    {name!r}: {{", f"        'path': {entity['path']!r},", "        'fields': {"]
        lines += [f"            {key!r}: {value!r}," for key, value in entity["fields"].items()]
        lines += ["        },", "    },"]
    return "\n".join([*lines, "}", ""])


def _module(tests: Sequence[_Test]) -> str:
    lines = [
        '"""One test for every rule of the brief; BASE_URL names the running service."""',
        "",
        f"from {FOLDER}.interface import ENTITIES",
        f"from {FOLDER}.kit import ServiceCase",
        "",
        "",
        f"class {CLASS}(ServiceCase):",
        "    interface = ENTITIES",
    ]
    for test in tests:
        shown = ", ".join(repr(_line(item)) for item in test.requirements[:3])
        lines += ["", f"    def {test.name}(self) -> None:"]
        lines += [f"        self.shows({shown})"] if shown else []
        lines += [f"        {test.call}"]
    return "\n".join([*lines, ""])


def _line(item: Requirement) -> str:
    text = " ".join(item.text.split())
    return f"{item.id}: {text if len(text) <= _TEXT_LENGTH else text[: _TEXT_LENGTH - 1] + '…'}"
