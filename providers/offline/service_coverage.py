"""Which rules of the requirements the designed model keeps, and which requirements ask for what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from botarmy.artifacts import Requirement, Rule
from providers.offline.service_model import TEXTS, Entity, Field, Model

Asked = Mapping[tuple[str, str, str], tuple[str, ...]]
"""(entity, field or action, kind of rule) -> ids of the requirements that ask for it."""


def asked_by(requirements: Iterable[Requirement]) -> Asked:
    """Return which requirements ask for which rule."""
    found: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for requirement in requirements:
        for rule in requirement.rules:
            key = (rule.entity, rule.action if rule.kind == "transition" else rule.field, rule.kind)
            found[key] = tuple(dict.fromkeys([*found.get(key, ()), requirement.id]))
    return found


def missing(requirements: Iterable[Requirement], model: Model) -> Iterator[tuple[Requirement, str]]:
    """Yield the requirements that the service does not meet, as far as that can be read, each with the reason."""
    for requirement in requirements:
        if not requirement.understood and requirement.kind != "context":
            yield requirement, "it was not understood"
            continue
        for rule in requirement.rules:
            if not keeps(model, rule):
                about = rule.action if rule.kind == "transition" else rule.field
                yield requirement, f"the design has no such {rule.kind} rule for {about} of {rule.entity}"


def keeps(model: Model, rule: Rule) -> bool:
    """Return whether the service made from the model enforces a rule."""
    entity = next((one for one in model.entities if one.name == rule.entity), None)
    if entity is None:
        return False
    if entity.state and rule.kind != "transition" and rule.field == entity.state.field:
        return _keeps_state(entity, rule)
    if rule.kind == "transition":
        return _keeps_transition(entity, rule)
    field = next((one for one in entity.fields if one.name == rule.field), None)
    return field is not None and _KEEPS[rule.kind](field, rule)


def _keeps_state(entity: Entity, rule: Rule) -> bool:
    """The state is always there and one of its states; nothing else can be asked of it."""
    states = entity.state.states if entity.state else ()
    return rule.kind == "required" or (rule.kind == "enumeration" and set(states) <= set(rule.values))


def _keeps_transition(entity: Entity, rule: Rule) -> bool:
    if entity.state is None or rule.field not in {"", entity.state.field}:
        return False
    before = rule.from_states or entity.state.states
    return all(entity.state.after(state, rule.action) == rule.to_state for state in before)


def _keeps_range(field: Field, rule: Rule) -> bool:
    numbers = [value for value in field.values if not isinstance(value, str)]
    low = min(numbers) if numbers else field.minimum
    high = max(numbers) if numbers else field.maximum
    return _covers(low, high, rule)


def _keeps_length(field: Field, rule: Rule) -> bool:
    sizes = [len(value) for value in field.values if isinstance(value, str)]
    low = min(sizes) if sizes else field.min_length or int(field.required and field.type in TEXTS)
    return _covers(low, max(sizes) if sizes else field.max_length, rule)


def _covers(low: float | None, high: float | None, rule: Rule) -> bool:
    enough = rule.minimum is None or (low is not None and low >= rule.minimum)
    return enough and (rule.maximum is None or (high is not None and high <= rule.maximum))


_KEEPS: Mapping[str, Callable[[Field, Rule], bool]] = {
    "required": lambda field, _rule: field.required,
    "unique": lambda field, _rule: field.unique,
    "range": _keeps_range,
    "length": _keeps_length,
    "enumeration": lambda field, rule: bool(field.values) and {str(one) for one in field.values} <= set(rule.values),
    "relation": lambda field, rule: field.references == rule.target,
}
