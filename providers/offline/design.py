"""The architect's data models, structure, steps and risks. Pure functions of their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botarmy.artifacts import (
    Component,
    DataField,
    DataModels,
    DesignDecision,
    Entity,
    Feature,
    FeatureBreakdown,
    ImplementationPlan,
    PlanStep,
    Requirement,
    Risk,
    RiskAssessment,
    Rule,
    StateMachine,
    TechnicalArchitecture,
    Transition,
    UserRequirements,
)
from providers.offline import lexicon, words
from providers.offline.understand import Statement, Understanding, understand
from providers.offline.understand_model import EntityModel, FieldModel
from providers.offline.understand_qualities import Qualities
from providers.offline.understand_types import infer_type

_RESERVED = frozenset({"health", "openapi"})
_OPEN_COMPONENT = "Open wishes"


@dataclass
class _Basis:
    """What entities are made from, by the entity's name.

    Attributes:
        read: the reading of the brief.
        rules: its rules, each with the id of the requirement that states it ("" for a reviewer's comment).
        asked_by: the requirements that speak of it.
        named_by: (entity, field) -> the requirements whose sentences name the field.
    """

    read: Understanding
    rules: dict[str, list[tuple[Rule, str]]] = field(default_factory=dict)
    asked_by: dict[str, list[str]] = field(default_factory=dict)
    named_by: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def add(self, rule: Rule, requirement: str) -> None:
        """Take a rule in; what it refers to is an entity, too."""
        self.rules.setdefault(words.entity_name(rule.entity), []).append((rule, requirement))
        if rule.target:
            self.rules.setdefault(words.entity_name(rule.target), [])


def build_data_models(inputs: Mapping[str, Any]) -> DataModels:
    """Write the data models: the rules are those of the requirements, the fields those of the brief."""
    requirements = UserRequirements.model_validate(inputs["user_requirements"]).requirements
    read = understand(inputs)
    return DataModels(entities=tuple(_entities(requirements, read)))


def _entities(requirements: Sequence[Requirement], read: Understanding) -> list[Entity]:
    basis = _basis(requirements, read)
    wanted = [name for name in dict.fromkeys([*basis.asked_by, *basis.rules]) if name] or list(read.model.entities)
    taken: set[str] = set()
    return [_entity(name, basis, taken, frozenset(wanted)) for name in wanted]


def _basis(requirements: Sequence[Requirement], read: Understanding) -> _Basis:
    basis = _Basis(read)
    by_source: dict[str, list[str]] = {}
    for item in requirements:
        for name in item.entities:
            basis.asked_by.setdefault(words.entity_name(name), []).append(item.id)
        for rule in item.rules:
            basis.add(rule, item.id)
        for source in item.sources if item.understood else ():
            by_source.setdefault(source, []).append(item.id)
    for statement in read.statements:
        _add_statement(basis, statement, by_source)
    return basis


def _add_statement(basis: _Basis, statement: Statement, by_source: Mapping[str, list[str]]) -> None:
    ids = [name for source in statement.sources for name in by_source.get(source, ())]
    for place in statement.fields:
        basis.named_by.setdefault(place, []).extend(ids)
    if any(source.startswith("FB") for source in statement.sources):
        for rule in statement.rules:
            basis.add(rule, "")


def _entity(name: str, basis: _Basis, taken: set[str], known: frozenset[str]) -> Entity:
    model = basis.read.model.entities.get(name, EntityModel(name, name.replace("_", " ")))
    own = basis.rules.get(name, [])
    state = _state(model, [rule for rule, _ in own if rule.kind == "transition"])
    return Entity(
        name=name,
        collection=_collection(name, taken),
        description=model.label,
        fields=_fields(model, basis, state, known),
        state=state,
        requirement_ids=tuple(dict.fromkeys(basis.asked_by.get(name, ()))),
    )


def _collection(name: str, taken: set[str]) -> str:
    *before, last = name.split("_")
    collection = "_".join((*before, words.plural(last)))
    while collection in taken or collection in _RESERVED:
        collection += "_list"
    taken.add(collection)
    return collection


def _fields(
    model: EntityModel, basis: _Basis, state: StateMachine | None, known: frozenset[str]
) -> tuple[DataField, ...]:
    own = basis.rules.get(model.name, [])
    by_field: dict[str, list[tuple[Rule, str]]] = {name: [] for name in model.fields}
    for rule, number in own:
        by_field.setdefault(rule.field, []).append((rule, number))
    if state is not None:
        by_field.pop(state.field, None)
    ruled = any(rule.kind == "required" for rules in by_field.values() for rule, _ in rules)
    fields: list[DataField] = []
    for name, rules in by_field.items():
        said = model.fields.get(name, FieldModel(name, name.replace("_", " ")))
        found = _field(said, rules, basis.named_by.get((model.name, name), []), assumed=not ruled)
        if found.type != "reference" or found.references in known:
            fields.append(found)
    if state is not None:
        ids = tuple(dict.fromkeys(number for rule, number in own if rule.kind == "transition" and number))
        fields.append(DataField(name=state.field, type="string", values=state.states, requirement_ids=ids))
    return tuple(fields) or (DataField(name="name", type="string", required=True),)


def _field(said: FieldModel, rules: Sequence[tuple[Rule, str]], sources: Sequence[str], *, assumed: bool) -> DataField:
    kinds: set[str] = {rule.kind for rule, _ in rules}
    ranges = [rule for rule, _ in rules if rule.kind == "range"]
    lengths = [rule for rule, _ in rules if rule.kind == "length"]
    values = next((rule.values for rule, _ in reversed(rules) if rule.kind == "enumeration"), ())
    target = next((rule.target for rule, _ in rules if rule.kind == "relation"), "") or said.references
    low, high = _bounds(ranges)
    shortest, longest = _bounds(lengths)
    return DataField.model_validate(
        {
            "name": said.name,
            "type": "reference" if target else _type(said, kinds),
            "required": "required" in kinds or (assumed and bool(said.required)),
            "unique": "unique" in kinds,
            "minimum": low,
            "maximum": high,
            "min_length": None if shortest is None else int(shortest),
            "max_length": None if longest is None else int(longest),
            "values": values,
            "references": words.entity_name(target) if target else "",
            "requirement_ids": tuple(dict.fromkeys([*sources, *(number for _, number in rules if number)])),
        }
    )


def _bounds(rules: Sequence[Rule]) -> tuple[float | None, float | None]:
    lows = [rule.minimum for rule in rules if rule.minimum is not None]
    highs = [rule.maximum for rule in rules if rule.maximum is not None]
    return (max(lows) if lows else None, min(highs) if highs else None)


def _type(said: FieldModel, kinds: set[str]) -> str:
    if "range" in kinds and said.type not in {"integer", "number"}:
        return "number"
    if said.type and not (kinds & {"length", "enumeration"} and said.type not in {"string", "text"}):
        return said.type
    return (
        "string"
        if kinds & {"length", "enumeration"}
        else infer_type(tuple(said.name.split("_")), Qualities()) or "string"
    )


def _state(model: EntityModel, rules: Sequence[Rule]) -> StateMachine | None:
    if not rules and not model.initial:
        return None
    field = next((rule.field for rule in rules if rule.field), model.state_field or "status")
    moves = {
        rule.action: Transition(action=rule.action, from_states=rule.from_states, to_state=rule.to_state)
        for rule in rules
    }
    states = list(
        dict.fromkeys(
            [*model.states, *(state for move in moves.values() for state in (*move.from_states, move.to_state))]
        )
    )
    for move in model.moves.values():
        moves.setdefault(
            move.action, Transition(action=move.action, from_states=move.sources(model.states), to_state=move.to_state)
        )
    targets = {move.to_state for move in moves.values()}
    initial = model.initial or next((state for state in states if state not in targets), "new")
    states = list(dict.fromkeys([initial, *states])) if initial not in states else states
    full = [
        move
        if move.from_states
        else move.model_copy(update={"from_states": tuple(s for s in states if s != move.to_state)})
        for move in moves.values()
    ]
    return StateMachine(field=field, states=tuple(states), initial=initial, transitions=tuple(full))


# ---------------------------------------------------------------- structure, steps, risks


def build_technical_architecture(inputs: Mapping[str, Any]) -> TechnicalArchitecture:
    """Describe the parts of the service and the choices behind them."""
    entities = DataModels.model_validate(inputs["data_models"]).entities
    features = FeatureBreakdown.model_validate(inputs["feature_breakdown"]).features
    served, unserved = _parted(features, inputs)
    ids = tuple(item.id for item in served)
    collections = ", ".join(item.collection for item in entities)
    components = [
        Component(
            name="HTTP server",
            responsibility="Takes requests, limits their size and time, stops in order.",
            depends_on=("API",),
        ),
        Component(
            name="API",
            responsibility=f"Routes to {collections}; turns errors into answers.",
            feature_ids=ids,
            depends_on=("Validation", "Storage"),
        ),
        Component(
            name="Validation",
            responsibility="Checks every value against the data models.",
            feature_ids=ids,
            depends_on=("Data models",),
        ),
        Component(
            name="Storage",
            responsibility="Keeps records, uniqueness, references and states in SQLite.",
            feature_ids=ids,
            depends_on=("Data models",),
        ),
        Component(name="Data models", responsibility="The entities, fields and states as data.", feature_ids=ids),
        Component(
            name="Command line", responsibility="Starts the service; lists and adds records.", depends_on=("API",)
        ),
    ]
    if unserved:
        lost = tuple(item.id for item in unserved)
        components.append(
            Component(
                name=_OPEN_COMPONENT,
                responsibility="No part of the service: what a person still has to decide or build.",
                feature_ids=lost,
            )
        )
    return TechnicalArchitecture(
        overview=(
            f"One process serves JSON over HTTP for {len(entities)} kinds of records ({collections}) and keeps them in one SQLite "
            "file. The rules stand in the data models as data; validation and tables are derived from them."
        ),
        components=tuple(components),
        decisions=(*_DECISIONS, *_asked(inputs)),
        technologies=("Python 3.11 or later, standard library only", "SQLite", "HTTP/1.1 with JSON", "OpenAPI 3.1"),
    )


_DECISIONS = (
    DesignDecision(
        title="Dependencies",
        choice="The standard library only.",
        reason="It starts anywhere Python is and needs no updates of others.",
    ),
    DesignDecision(
        title="Storage",
        choice="SQLite in write-ahead mode.",
        reason="Constraints and foreign keys hold even against other writers; no server to run.",
    ),
    DesignDecision(
        title="States",
        choice="A state changes by named actions only.",
        reason="A forbidden change is then refused in one place.",
    ),
)


def _asked(inputs: Mapping[str, Any]) -> list[DesignDecision]:
    """What reviewers said of an earlier attempt, and what became of it."""
    read = understand(inputs)
    applied = [
        statement for statement in read.statements if any(source.startswith("FB") for source in statement.sources)
    ]
    made = [
        DesignDecision(
            title="Reviewer's comment", choice=s.text, reason="Applied to the data models and the interface."
        )
        for s in applied
    ]
    left = [question for question in read.questions if question.startswith("A reviewer's comment")]
    return made + [
        DesignDecision(
            title="Reviewer's comment, open", choice=text, reason="The words are not understood; a person decides."
        )
        for text in left
    ]


def _parted(features: Sequence[Feature], inputs: Mapping[str, Any]) -> tuple[list[Feature], list[Feature]]:
    """Part the features into those that the service serves and those that nobody knows how to serve."""
    specification = inputs.get("api_specifications")
    if isinstance(specification, Mapping):
        mapped = {item["feature_id"] for item in specification.get("feature_map", ()) if item.get("operation_ids")}
        return [item for item in features if item.id in mapped], [item for item in features if item.id not in mapped]
    return list(features), []


def build_implementation_plan(inputs: Mapping[str, Any]) -> ImplementationPlan:
    """Order the work."""
    features = FeatureBreakdown.model_validate(inputs["feature_breakdown"]).features
    architecture = TechnicalArchitecture.model_validate(inputs["technical_architecture"])
    lost = {name for part in architecture.components if part.name == _OPEN_COMPONENT for name in part.feature_ids}
    ids = tuple(item.id for item in features if item.id not in lost)
    steps = [
        PlanStep(
            id="P1",
            title="Write the entities, fields, rules and states as data",
            feature_ids=ids,
            files=("app/models.py", "app/schema.py"),
        ),
        PlanStep(
            id="P2",
            title="Check values against the rules",
            feature_ids=ids,
            files=("app/validation.py",),
            depends_on=("P1",),
        ),
        PlanStep(
            id="P3",
            title="Store records and keep them consistent",
            feature_ids=ids,
            files=("app/storage.py", "app/tables.py"),
            depends_on=("P1",),
        ),
        PlanStep(
            id="P4",
            title="Answer requests",
            feature_ids=ids,
            files=("app/api.py", "app/server.py"),
            depends_on=("P2", "P3"),
        ),
        PlanStep(
            id="P5",
            title="Command line and configuration",
            feature_ids=(),
            files=("app/__main__.py", "app/config.py"),
            depends_on=("P4",),
        ),
        PlanStep(
            id="P6",
            title="Tests of every rule, and the README",
            feature_ids=ids,
            files=("tests/", "README.md"),
            depends_on=("P4", "P5"),
        ),
    ]
    if lost:
        steps.append(
            PlanStep(
                id="P7",
                title="Decide on the open wishes with the people who asked",
                feature_ids=tuple(sorted(lost)),
                depends_on=("P6",),
            )
        )
    return ImplementationPlan(steps=tuple(steps))


def build_risk_assessment(inputs: Mapping[str, Any]) -> RiskAssessment:
    """Name what can go wrong, from what is known of the requirements."""
    requirements = UserRequirements.model_validate(inputs["user_requirements"]).requirements
    lost = [item for item in requirements if not item.understood and item.kind != "context"]
    musts = tuple(item.id for item in lost if item.priority == "must")
    others = tuple(item.id for item in lost if item.priority != "must")
    ruled = tuple(item.id for item in requirements if item.rules)
    found: list[tuple[str, str, str, str, tuple[str, ...]]] = []
    if musts:
        text = f"{len(musts)} demanded sentences are not understood, so the product does not do them."
        found.append(
            (
                text,
                "high",
                "high",
                "A person reads each and rejects, rewords or accepts it; the launch does not pass by itself.",
                musts,
            )
        )
    if others:
        text = f"{len(others)} wishes are not understood and are not built."
        found.append((text, "high", "low", "They are listed as uncovered; build them later if they matter.", others))
    text = "A sentence is read in another sense than it was meant."
    found.append(
        (
            text,
            "medium",
            "medium",
            "Every sentence names its rules in the requirements; read them before approving.",
            ruled,
        )
    )
    if any(word in lexicon.PERSONS for item in requirements for word in item.text.lower().split()):
        text = "Everyone who reaches the service may do everything; records about persons may be read by others."
        found.append(
            (
                text,
                "medium",
                "high",
                "Bind it to loopback or put access control in front; delete what is no longer needed.",
                (),
            )
        )
    found.append(
        (
            "One process and one file serve all requests.",
            "low",
            "medium",
            "Back up the data folder; move on when the load asks for it.",
            (),
        )
    )
    return RiskAssessment(
        risks=tuple(
            Risk.model_validate(
                {"id": f"K{n}", "description": a, "likelihood": b, "impact": c, "mitigation": d, "requirement_ids": ids}
            )
            for n, (a, b, c, d, ids) in enumerate(found, 1)
        )
    )
