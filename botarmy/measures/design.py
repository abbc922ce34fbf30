"""Design: is every feature served and planned, and are the data models sound and normalised?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from botarmy.artifacts import (
    ApiSpecifications,
    DataField,
    DataModels,
    Entity,
    FeatureBreakdown,
    ImplementationPlan,
    StateMachine,
    TechnicalArchitecture,
)
from botarmy.measures.openapi import operations
from botarmy.measures.plan import graph_faults
from botarmy.measures.share import bounded, share
from botarmy.records import Measure

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_NUMBERED = re.compile(r"(.+?)_?\d+")


def features_mapped(
    breakdown: FeatureBreakdown,
    specification: ApiSpecifications,
    architecture: TechnicalArchitecture,
    plan: ImplementationPlan,
) -> Measure:
    """Share of the features that something serves and a step of the plan builds.

    A feature is served by operations of the OpenAPI document that exist, or, where it needs none, by a component.
    Invented feature and operation ids count as misses.
    """
    features = [one.id for one in breakdown.features]
    served = _served(specification)
    by_component = {one for component in architecture.components for one in component.feature_ids}
    planned = {one for step in plan.steps for one in step.feature_ids}
    problems = []
    for one in features:
        if one not in served | by_component:
            problems.append(f"{one} is served by no operation and no component")
        elif one not in planned:
            problems.append(f"{one} is in no step of the implementation plan")
    invented = [
        f"{one} is named as a feature, but is none" for one in sorted((served | by_component | planned) - set(features))
    ] + _invented_operations(specification)
    return share(
        "features_mapped", len(features) + len(invented), [*problems, *invented], nothing="There is no feature to map."
    )


def _served(specification: ApiSpecifications) -> set[str]:
    known = _operation_ids(specification)
    return {one.feature_id for one in specification.feature_map if known.intersection(one.operation_ids)}


def _invented_operations(specification: ApiSpecifications) -> list[str]:
    known = _operation_ids(specification)
    return [
        f"{one.feature_id} is mapped to the operation {name}, which the document does not have"
        for one in specification.feature_map
        for name in one.operation_ids
        if name not in known
    ]


def _operation_ids(specification: ApiSpecifications) -> set[str]:
    return {str(operation.get("operationId")) for _, _, operation in operations(specification.openapi)}


def steps_acyclic(plan: ImplementationPlan) -> Measure:
    """1 when the steps of the implementation plan can be done in some order, else 0."""
    if not plan.steps:
        return Measure(name="steps_acyclic", value=None, reasons=("The implementation plan has no step.",))
    faults = graph_faults([(one.id, one.depends_on) for one in plan.steps], "step")
    return Measure(name="steps_acyclic", value=0.0 if faults else 1.0, reasons=bounded(faults))


def models_normalised(models: DataModels) -> Measure:
    """Share of the entities that are sound and normalised.

    Sound: names are snake_case and used once, references lead to entities, limits do not exclude everything, states fit
    together. Normalised: no numbered series of columns (first normal form), no copy of a field of an entity that is
    referenced anyway (third normal form); unless a requirement asks for those very fields, which is then only noted.
    """
    entities = {one.name: one for one in models.entities}
    names = Counter(one.name for one in models.entities)
    collections = Counter(one.collection for one in models.entities)
    problems = []
    notes = []
    for entity in models.entities:
        faults = list(_faults(entity, entities))
        for needed, denormalised in (*_series(entity), *_copies(entity, entities)):
            if needed:
                notes.append(f"{entity.name} {denormalised}; a requirement asks for it")
            else:
                faults.append(denormalised)
        if names[entity.name] > 1 or collections[entity.collection] > 1:
            faults.append("shares its name or collection with another entity")
        if faults:
            problems.append(f"{entity.name} {'; '.join(faults)}")
    measure = share("models_normalised", len(models.entities), problems, nothing="There is no entity.")
    return measure.model_copy(update={"reasons": bounded((*measure.reasons, *notes))})


def _faults(entity: Entity, entities: Mapping[str, Entity]) -> Iterator[str]:
    if not (_NAME.fullmatch(entity.name) and _NAME.fullmatch(entity.collection)):
        yield "is not named in snake_case"
    counts = Counter(field.name for field in entity.fields)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        yield f"has fields twice: {', '.join(twice)}"
    for field in entity.fields:
        yield from (f"field {field.name} {fault}" for fault in _faults_of_field(field, entities))
    if entity.state is not None:
        yield from _faults_of_state(entity.state)


def _faults_of_field(field: DataField, entities: Mapping[str, Entity]) -> Iterator[str]:
    if not _NAME.fullmatch(field.name):
        yield "is not named in snake_case"
    if (field.type == "reference") != bool(field.references):
        yield "is a reference without a target, or has a target without being a reference"
    if field.references and field.references not in entities:
        yield f"refers to {field.references}, which is no entity"
    for low, high in ((field.minimum, field.maximum), (field.min_length, field.max_length)):
        if low is not None and high is not None and low > high:
            yield f"allows nothing: {low:g} is above {high:g}"
    if len(set(field.values)) < len(field.values):
        yield "lists a value twice"


def _series(entity: Entity) -> Iterator[tuple[bool, str]]:
    """Yield numbered series of fields: whether requirements ask for all of them, and the words."""
    stems: dict[str, list[DataField]] = {}
    for field in entity.fields:
        if match := _NUMBERED.fullmatch(field.name):
            stems.setdefault(match[1], []).append(field)
    for stem, fields in stems.items():
        # Lines of an address have an order and a fixed number: not a list in disguise.
        if len(fields) > 1 and not stem.endswith("line"):
            words = f"repeats {stem} in {len(fields)} numbered fields: a list, which belongs in an entity of its own"
            yield all(field.requirement_ids for field in fields), words


def _copies(entity: Entity, entities: Mapping[str, Entity]) -> Iterator[tuple[bool, str]]:
    """Yield fields that a referenced entity holds already: whether a requirement asks for it, and the words."""
    targets = sorted({field.references for field in entity.fields if field.references in entities})
    for target in targets:
        held = {f"{target}_{field.name}" for field in entities[target].fields if field.type != "reference"}
        for field in entity.fields:
            if field.name in held:
                yield bool(field.requirement_ids), f"keeps {field.name}, which {target} holds already"


def _faults_of_state(machine: StateMachine) -> Iterator[str]:
    used = {machine.initial}
    for one in machine.transitions:
        used.update((one.to_state, *one.from_states))
    strange = sorted(used - set(machine.states))
    if strange:
        yield f"uses states that are not in its list: {', '.join(strange)}"
    actions = Counter(one.action for one in machine.transitions)
    twice = sorted(name for name, count in actions.items() if count > 1)
    if twice:
        yield f"has several transitions of the same action: {', '.join(twice)}"
