"""The analyst's plan: features that cover every requirement, and criteria in the form given, when, then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botarmy.artifacts import (
    AcceptanceCriteria,
    AcceptanceCriterion,
    Feature,
    FeatureBreakdown,
    Requirement,
    Rule,
    UserRequirements,
)
from providers.offline.understand_rules import described

_OPEN = "Open wishes"
_NAME_LENGTH = 80


def build_feature_breakdown(inputs: Mapping[str, Any]) -> FeatureBreakdown:
    """Group the requirements by the entity that they speak of first; what is not understood makes features of its own."""
    requirements = [item for item in _requirements(inputs) if item.kind != "context"]
    groups: dict[str, list[Requirement]] = {}
    for item in requirements:
        name = _owner(item)
        if item.understood and name:
            groups.setdefault(name, []).append(item)
    entities = list(groups)
    ids = {name: f"F{number}" for number, name in enumerate(entities, 1)}
    needs = {name: _targets(groups[name], name) for name in entities}
    features = [_feature(ids[name], name, groups[name], _acyclic(name, needs, ids)) for name in entities]
    grouped = {item.id for group in groups.values() for item in group}
    rest = [item for item in requirements if item.id not in grouped]
    if rest:
        features.append(
            Feature(
                id=f"F{len(features) + 1}",
                name=_OPEN,
                description="What the brief asks for beyond what is understood. No test can show these; a person decides on each.",
                requirement_ids=tuple(item.id for item in rest),
            )
        )
    return FeatureBreakdown(features=tuple(features or [_only(_requirements(inputs))]))


def _only(requirements: tuple[Requirement, ...]) -> Feature:
    ids = tuple(item.id for item in requirements)
    return Feature(
        id="F1",
        name="The product as the brief describes it",
        description="The brief asks for nothing in particular.",
        requirement_ids=ids,
    )


def _requirements(inputs: Mapping[str, Any]) -> tuple[Requirement, ...]:
    return UserRequirements.model_validate(inputs["user_requirements"]).requirements


def _owner(item: Requirement) -> str:
    return item.entities[0] if item.entities else (item.rules[0].entity if item.rules else "")


def _targets(group: list[Requirement], name: str) -> list[str]:
    found = [rule.target for item in group for rule in item.rules if rule.kind == "relation" and rule.entity == name]
    return [target for target in dict.fromkeys(found) if target != name]


def _acyclic(name: str, needs: Mapping[str, list[str]], ids: Mapping[str, str]) -> tuple[str, ...]:
    """Return the features needed first, leaving out those that would need this one in turn."""

    def reaches(start: str) -> bool:
        seen, queue = set[str](), [start]
        while queue:
            current = queue.pop()
            if current == name:
                return True
            if current not in seen:
                seen.add(current)
                queue.extend(needs.get(current, ()))
        return False

    return tuple(ids[target] for target in needs[name] if target in ids and not reaches(target))


def _feature(number: str, entity: str, group: list[Requirement], depends_on: tuple[str, ...]) -> Feature:
    label = entity.replace("_", " ")
    actions = list(
        dict.fromkeys(
            rule.action.replace("_", " ") for item in group for rule in item.rules if rule.kind == "transition"
        )
    )
    text = f"Create, list, read, replace and delete {label} records by the rules of the brief"
    text += f"; {', '.join(actions)} them." if actions else "."
    return Feature(
        id=number,
        name=f"{label.capitalize()} records",
        description=text,
        requirement_ids=tuple(item.id for item in group),
        depends_on=depends_on,
    )


def build_acceptance_criteria(inputs: Mapping[str, Any]) -> AcceptanceCriteria:
    """Write criteria for every requirement of every feature."""
    by_id = {item.id: item for item in _requirements(inputs)}
    features = FeatureBreakdown.model_validate(inputs["feature_breakdown"]).features
    found: list[AcceptanceCriterion] = []
    for feature in features:
        for name in feature.requirement_ids:
            for given, when, then in _lines(by_id[name]) if name in by_id else ():
                found.append(
                    AcceptanceCriterion(
                        id=f"AC{len(found) + 1}",
                        feature_id=feature.id,
                        requirement_ids=(name,),
                        given=given,
                        when=when,
                        then=then,
                    )
                )
    return AcceptanceCriteria(criteria=tuple(found))


def _lines(item: Requirement) -> Iterator[tuple[str, str, str]]:
    if not item.understood:
        yield "the product runs", f"a person judges: {item.text}", "the person decides, because no test can show it"
        return
    for rule in item.rules:
        yield from described(rule)
    if not item.rules:
        label = (_owner(item) or "record").replace("_", " ")
        yield (
            f"no {label} with these values",
            f"a {label} is created and read again",
            "every value comes back as it was given",
        )


def rules_in(item: Requirement) -> tuple[Rule, ...]:
    """Return the rules of a requirement, each once."""
    return tuple(dict.fromkeys(item.rules))
