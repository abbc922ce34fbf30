"""The analyst's first documents: project plan, user requirements, success criteria. Pure functions of their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botarmy.artifacts import ProjectPlan, Requirement, SuccessCriteria, SuccessCriterion, UserRequirements
from providers.offline.understand import Statement, Understanding, understand
from providers.offline.understand_facts import TransitionFact
from providers.offline.understand_model import EntityModel

_CALLERS = (
    "The service does not know who calls it: what the brief allows to one role, every caller may do. "
    "Whoever runs it puts their own access control in front."
)
_LISTED = 200
"""Most open questions that a plan lists; a very large brief has its rest counted among the assumptions."""


def build_project_plan(inputs: Mapping[str, Any]) -> ProjectPlan:
    """Write the project plan from the brief."""
    read = understand(inputs)
    entities = list(read.model.entities.values())
    return ProjectPlan(
        title=read.title,
        purpose=_purpose(read),
        users=read.users or ("Anyone who can reach the service",),
        goals=tuple(f"Keep {entity.label} records by the rules of the brief" for entity in entities),
        scope=tuple(_scope(entity) for entity in entities),
        out_of_scope=(
            *(statement.text for statement in read.statements if not statement.scope),
            "A user interface, accounts and permissions, and anything that needs another system (mail, payment)",
        ),
        constraints=tuple(dict.fromkeys(s.text for s in read.statements if s.understood and s.kind == "constraint")),
        assumptions=(*read.model.assumptions, *((_CALLERS,) if read.users else ()), *_unlisted(read.questions)),
        open_questions=tuple(read.questions[:_LISTED]),
    )


def _unlisted(questions: list[str]) -> tuple[str, ...]:
    more = len(questions) - _LISTED
    return (f"{more} further sentences are not understood; see the user requirements",) if more > 0 else ()


def _purpose(read: Understanding) -> str:
    """Return the brief's own words for what the product is for."""
    for statement in read.statements:
        if statement.kind == "context" and statement.scope:
            return statement.text
    return read.statements[0].text if read.statements else read.title


def _scope(entity: EntityModel) -> str:
    actions = f"; actions: {', '.join(entity.moves)}" if entity.moves else ""
    return f"{entity.label}: create, list, read, replace and delete, with {', '.join(item.label for item in entity.fields.values())}{actions}"


def build_user_requirements(inputs: Mapping[str, Any]) -> UserRequirements:
    """Turn every sentence of the brief into requirements."""
    read = understand(inputs)
    merged: list[Requirement] = []
    places: dict[tuple[object, ...], int] = {}
    for statement in read.statements:
        key = _sameness(statement)
        if key in places:
            old = merged[places[key]]
            merged[places[key]] = old.model_copy(
                update={"sources": tuple(dict.fromkeys([*old.sources, *statement.sources]))}
            )
            continue
        places[key] = len(merged)
        merged.append(_requirement(statement, len(merged) + 1))
    return UserRequirements(requirements=tuple(merged))


def _sameness(statement: Statement) -> tuple[object, ...]:
    """Two sentences in the same words demand the same."""
    return (
        " ".join(statement.text.lower().split()),
        statement.understood,
        statement.kind,
        statement.priority,
        statement.rules,
        statement.entities,
    )


def _requirement(statement: Statement, number: int) -> Requirement:
    return Requirement(
        id=f"R{number}",
        text=statement.text,
        kind=statement.kind,
        priority=statement.priority,
        sources=statement.sources,
        entities=statement.entities,
        rules=statement.rules,
        understood=statement.understood,
    )


def build_success_criteria(inputs: Mapping[str, Any]) -> SuccessCriteria:
    """Write criteria that are counted by the checks that run later."""
    requirements = UserRequirements.model_validate(inputs["user_requirements"]).requirements
    demanded = [item for item in requirements if item.kind != "context"]
    understood = [item for item in demanded if item.understood]
    ruled = [item for item in understood if item.rules]
    found: list[SuccessCriterion] = []

    def add(ids: list[Requirement], text: str, measure: str, target: float, unit: str) -> None:
        if ids:
            number = f"SC{len(found) + 1}"
            chosen = tuple(item.id for item in ids)
            found.append(
                SuccessCriterion(
                    id=number, requirement_ids=chosen, text=text, measure=measure, target=target, unit=unit
                )
            )

    rules = sum(len(item.rules) for item in ruled)
    add(
        ruled,
        "Every rule is shown by an acceptance test of its own that passes.",
        "rules with a passing acceptance test",
        float(rules),
        "rules",
    )
    add(
        understood,
        "Every understood requirement is named by a passing test.",
        "share of understood requirements verified",
        100.0,
        "%",
    )
    lost = [item for item in demanded if not item.understood]
    add(
        lost,
        "Every requirement that no test shows is decided by a person.",
        "uncovered requirements without a decision",
        0.0,
        "requirements",
    )
    basis = understood or demanded or list(requirements[:1])
    add(basis, "The product's own tests reach its lines.", "line coverage of the product's tests", 70.0, "%")
    add(basis, "The service answers quickly on one machine.", "95th percentile of the response time", 250.0, "ms")
    return SuccessCriteria(criteria=tuple(found))


def actions_of(statement: Statement) -> tuple[str, ...]:
    """Return the actions that a statement names."""
    return tuple(fact.action for fact in statement.facts if isinstance(fact, TransitionFact))
