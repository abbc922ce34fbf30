"""Documents of Design as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator

from botarmy.artifacts import (
    ApiSpecifications,
    DataField,
    DataModels,
    Entity,
    ImplementationPlan,
    RiskAssessment,
    StateMachine,
    TechnicalArchitecture,
)
from botarmy.measures.openapi import operations
from botarmy.render_parts import block, bullets, code, document, listed, number, paragraphs, table, text


def technical_architecture(architecture: TechnicalArchitecture) -> str:
    """Return overview, components, decisions with their reasons, and technologies."""
    components = (
        (code(one.name), text(one.responsibility), listed(one.feature_ids), listed(one.depends_on))
        for one in architecture.components
    )
    decisions = ((text(one.title), text(one.choice), text(one.reason)) for one in architecture.decisions)
    return document(
        "Technical architecture",
        ("Overview", paragraphs(architecture.overview)),
        ("Components", table(("Component", "Responsibility", "Features", "Depends on"), components)),
        ("Decisions", table(("Decision", "Choice", "Reason"), decisions)),
        ("Technologies", bullets(text(one) for one in architecture.technologies)),
    )


def api_specifications(specification: ApiSpecifications) -> str:
    """Return the operations as a table, those of each feature, and the whole OpenAPI document."""
    rows = (
        (
            code(f"{method.upper()} {path}"),
            code(str(operation.get("operationId", ""))),
            text(str(operation.get("summary", ""))),
            listed(str(status) for status in operation.get("responses", ())),
        )
        for method, path, operation in operations(specification.openapi)
    )
    features = ((code(one.feature_id), listed(one.operation_ids)) for one in specification.feature_map)
    source = json.dumps(specification.openapi, indent=2, sort_keys=True, ensure_ascii=False)
    return document(
        "API specifications",
        ("Operations", table(("Request", "Operation", "Summary", "Answers"), rows)),
        ("Features", table(("Feature", "Operations"), features)),
        ("OpenAPI document", block(source, "json")),
    )


def data_models(models: DataModels) -> str:
    """Return each entity with its fields and states."""
    return document("Data models", *((code(entity.name), _entity(entity)) for entity in models.entities))


def _entity(entity: Entity) -> str:
    rows = (
        (code(field.name), _type(field), "; ".join(_constraints(field)) or "–", listed(field.requirement_ids))
        for field in entity.fields
    )
    parts = [
        paragraphs(entity.description),
        f"Collection: {code(entity.collection)}. Requirements: {listed(entity.requirement_ids)}.",
        table(("Field", "Type", "Constraints", "Requirements"), rows),
    ]
    if entity.state is not None:
        parts.append(_states(entity.state))
    return "\n\n".join(parts)


def _type(field: DataField) -> str:
    return f"reference to {code(field.references)}" if field.type == "reference" else field.type


def _constraints(field: DataField) -> Iterator[str]:
    if field.required:
        yield "required"
    if field.unique:
        yield "unique"
    for words, value in (
        ("at least", field.minimum),
        ("at most", field.maximum),
        ("min. length", field.min_length),
        ("max. length", field.max_length),
    ):
        if value is not None:
            yield f"{words} {number(value)}"
    if field.values:
        yield f"one of {listed(field.values)}"


def _states(machine: StateMachine) -> str:
    lines = [f"{code(machine.field)} is one of {listed(machine.states)}; it begins as {code(machine.initial)}."]
    lines += [
        f"{code(one.action)}: from {listed(one.from_states)} to {code(one.to_state)}" for one in machine.transitions
    ]
    return "States:\n\n" + bullets(lines)


def implementation_plan(plan: ImplementationPlan) -> str:
    """Return the steps in order."""
    rows = (
        (code(one.id), text(one.title), listed(one.feature_ids), listed(one.files), listed(one.depends_on))
        for one in plan.steps
    )
    heads = ("Id", "Step", "Features", "Files", "Depends on")
    return document("Implementation plan", ("", table(heads, rows)))


def risk_assessment(assessment: RiskAssessment) -> str:
    """Return the risks with what is done about them."""
    rows = (
        (
            code(one.id),
            text(one.description),
            one.likelihood,
            one.impact,
            text(one.mitigation),
            listed(one.requirement_ids),
        )
        for one in assessment.risks
    )
    heads = ("Id", "Risk", "Likelihood", "Impact", "Mitigation", "Requirements")
    return document("Risk assessment", ("", table(heads, rows)))
