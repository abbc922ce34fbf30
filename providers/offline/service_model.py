"""The data models as the generated service can serve them: checked, without contradictions, in a usable order.

What reads the same to the outside is simplified (an enumeration drops the values that its own bounds forbid); what
cannot be served at all (two fields of one name, a reference to nothing) is an error, never left out silently.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botarmy.artifacts import DataField, DataModels, StateMachine
from botarmy.artifacts import Entity as DesignedEntity
from botarmy.errors import InvalidOutput

LARGEST_INTEGER = 2**63 - 1
RESERVED_PATHS = frozenset({"health", "openapi.json"})
TEXTS = frozenset({"string", "text"})
NUMBERS = frozenset({"integer", "number"})
PLENTY = 10
"""From how many possible values on a unique field is taken to have enough of them for samples."""

Value = str | int | float


@dataclass(frozen=True)
class Field:
    """A field as app/schema.py knows it, and the requirements that ask for it."""

    name: str
    type: str
    required: bool
    unique: bool
    minimum: float | None
    maximum: float | None
    min_length: int | None
    max_length: int | None
    values: tuple[Value, ...]
    references: str
    requirement_ids: tuple[str, ...]

    @property
    def possible(self) -> bool:
        """Whether the rules allow any value at all."""
        return self.room > 0 and (not self.values or any(_within(self, value) for value in self.values))

    @property
    def room(self) -> int:
        """How many different values the rules allow, counted up to PLENTY."""
        if self.values:
            return min(len(set(self.values)), PLENTY)
        if self.type in TEXTS:
            return self._text_room()
        if self.type in NUMBERS:
            return self._number_room()
        return 2 if self.type == "boolean" else PLENTY

    def _text_room(self) -> int:
        longest = PLENTY if self.max_length is None else self.max_length
        if longest < (self.min_length or 0):
            return 0
        return PLENTY if longest else int(not self.required)

    def _number_room(self) -> int:
        low = -LARGEST_INTEGER if self.minimum is None else self.minimum
        high = LARGEST_INTEGER if self.maximum is None else self.maximum
        if low > LARGEST_INTEGER or high < -LARGEST_INTEGER:
            return 0
        if self.type == "number" and high > low:
            return PLENTY
        return max(0, min(PLENTY, math.floor(high - low) + 1))


@dataclass(frozen=True)
class Step:
    """A transition."""

    action: str
    from_states: tuple[str, ...]
    to_state: str


@dataclass(frozen=True)
class State:
    """A state machine with all its states named."""

    field: str
    initial: str
    states: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of the actions, each once."""
        return tuple(dict.fromkeys(step.action for step in self.steps))

    def after(self, state: str, action: str) -> str | None:
        """Return the state that an action leads to; None where it is refused."""
        fitting = (step for step in self.steps if step.action == action)
        return next((step.to_state for step in fitting if not step.from_states or state in step.from_states), None)

    def paths(self) -> dict[str, tuple[str, ...]]:
        """Return the shortest sequence of actions to every state that can be reached."""
        known: dict[str, tuple[str, ...]] = {self.initial: ()}
        waiting = [self.initial]
        for state in waiting:
            for action in self.actions:
                reached = self.after(state, action)
                if reached is not None and reached not in known:
                    known[reached] = (*known[state], action)
                    waiting.append(reached)
        return known


@dataclass(frozen=True)
class Entity:
    """An entity as app/schema.py knows it.

    Attributes:
        possible: whether a record can ever be stored: False where a required field allows no value, or needs a record
            that itself cannot be stored first.
        requirement_ids: the requirements that ask for the entity as a whole.
    """

    name: str
    collection: str
    description: str
    fields: tuple[Field, ...]
    state: State | None
    requirement_ids: tuple[str, ...]
    possible: bool = True

    @property
    def room(self) -> int:
        """How many records with all their fields filled the unique ones allow, counted up to PLENTY."""
        filled = [field for field in self.fields if field.required or (field.possible and not field.references)]
        return min((field.room for field in filled if field.unique), default=PLENTY)


@dataclass(frozen=True)
class Model:
    """All entities, in the order of the design; `ordered` has those that others need first."""

    entities: tuple[Entity, ...]

    @property
    def ordered(self) -> tuple[Entity, ...]:
        """The entities that can be stored, each after those it requires."""
        return tuple(_order(self.entities))

    def room(self, entity: Entity, above: frozenset[str] = frozenset()) -> int:
        """Return how many records of an entity there can be at the same time, counted up to PLENTY.

        A unique required reference allows no more records than its target has.
        """
        names = [field.references for field in entity.fields if field.references and field.unique and field.required]
        inner = above | {entity.name}
        targets = [self.room(self.by_name(name), inner) for name in names if name not in inner]
        return min([entity.room, *targets])

    def by_name(self, name: str) -> Entity:
        """Return an entity."""
        return next(entity for entity in self.entities if entity.name == name)


def read_model(inputs: Mapping[str, Any]) -> Model:
    """Return the model of `data_models`.

    Raises:
        InvalidOutput: the design cannot be served; the message names every reason.
    """
    designed = DataModels.model_validate(inputs["data_models"])
    faults = list(_faults(designed.entities))
    if faults:
        raise InvalidOutput(
            "the data models cannot be served: " + "; ".join(faults),
            hint="Amend the artifact data_models, or say in the brief what these things are called.",
        )
    entities = tuple(_entity(entity) for entity in designed.entities)
    possible = {entity.name for entity in _order(entities)}
    return Model(tuple(replace(entity, possible=entity.name in possible) for entity in entities))


def _faults(entities: Sequence[DesignedEntity]) -> Iterator[str]:
    if not entities:
        yield "there is no entity"
    names = {entity.name for entity in entities}
    yield from (f"two entities are called {name}" for name in _doubles(entity.name for entity in entities))
    yield from (f"two collections are called {name}" for name in _doubles(entity.collection for entity in entities))
    for entity in entities:
        yield from _faults_of_entity(entity, names)


def _faults_of_entity(entity: DesignedEntity, names: set[str]) -> Iterator[str]:
    if entity.collection in RESERVED_PATHS or not _is_path(entity.collection):
        yield f"the collection {entity.collection!r} cannot be an address"
    fields = [field.name for field in entity.fields]
    others = [entity.state.field] if entity.state and entity.state.field not in fields else []
    yield from (f"{entity.name} has two fields called {double}" for double in _doubles(["id", *fields, *others]))
    unnamed = [name for name in fields if not _is_path(name)]
    yield from (f"the field {name!r} of {entity.name} cannot be named in a query" for name in unnamed)
    unsaid = [action for action in _actions(entity.state) if not _is_path(action)]
    yield from (f"the action {action!r} of {entity.name} cannot be an address" for action in unsaid)
    for field in entity.fields:
        if field.type == "reference" and field.references not in names:
            yield f"{entity.name}.{field.name} refers to {field.references!r}, which is no entity"
        for text in field.values:
            if not _fits(field, text):
                yield f"{text!r} cannot be a value of {entity.name}.{field.name}, which is of type {field.type}"


def _fits(field: DataField, text: str) -> bool:
    if field.type in NUMBERS:
        number = _number(text)
        return number is not None and (field.type == "number" or isinstance(number, int))
    if field.type == "boolean":
        return text.lower() in {"true", "false", "yes", "no"}
    return field.type != "reference"


def _actions(state: StateMachine | None) -> tuple[str, ...]:
    return tuple(step.action for step in state.transitions) if state else ()


def _is_path(text: str) -> bool:
    return bool(text) and text.isprintable() and not set(text) & set(" /?#%&=\"'<>\\") and text not in {".", ".."}


def _doubles(names: Iterable[str]) -> list[str]:
    """Return the names that come twice; SQLite does not tell capitals apart."""
    seen: set[str] = set()
    doubles = []
    for name in names:
        if name.lower() in seen:
            doubles.append(name)
        seen.add(name.lower())
    return doubles


def _entity(designed: DesignedEntity) -> Entity:
    state = _state(designed.state) if designed.state else None
    fields = tuple(_field(field) for field in designed.fields if state is None or field.name != state.field)
    words = designed.description.strip()
    description = "" if words.lower().replace(" ", "_") in {designed.name, designed.collection} else words
    return Entity(designed.name, designed.collection, description, fields, state, designed.requirement_ids)


def _state(designed: StateMachine) -> State:
    steps = tuple(Step(step.action, step.from_states, step.to_state) for step in designed.transitions)
    named = [state for step in steps for state in (*step.from_states, step.to_state)]
    states = tuple(dict.fromkeys([*designed.states, designed.initial, *named]))
    return State(designed.field, designed.initial, states, steps)


def _field(designed: DataField) -> Field:
    whole = designed.type == "integer"
    texts, numbers = designed.type in TEXTS, designed.type in NUMBERS
    field = Field(
        name=designed.name,
        type=designed.type,
        required=designed.required,
        unique=designed.unique,
        minimum=_bound(designed.minimum, up=True, whole=whole) if numbers else None,
        maximum=_bound(designed.maximum, up=False, whole=whole) if numbers else None,
        min_length=designed.min_length if texts and designed.min_length else None,
        max_length=designed.max_length if texts else None,
        values=tuple(_values(designed)),
        references=designed.references if designed.type == "reference" else "",
        requirement_ids=designed.requirement_ids,
    )
    return _without_idle_bounds(field) if field.values else field


def _bound(bound: float | None, *, up: bool, whole: bool) -> float | None:
    # A bound beyond what can be stored says nothing, unless it forbids everything.
    if bound is None or not math.isfinite(bound) or (bound < -LARGEST_INTEGER if up else bound > LARGEST_INTEGER):
        return None
    if whole:
        near = math.ceil(bound) if up else math.floor(bound)
        return max(-LARGEST_INTEGER - 1, min(LARGEST_INTEGER + 1, near))
    return int(bound) if float(bound).is_integer() and abs(bound) <= LARGEST_INTEGER else bound


def _values(designed: DataField) -> Iterator[Value]:
    for text in dict.fromkeys(designed.values):
        number = _number(text) if designed.type in NUMBERS else None
        if number is not None:
            yield number
        elif designed.type in TEXTS or designed.type in {"date", "datetime"}:
            yield text


def _number(text: str) -> int | float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number) or abs(number) > LARGEST_INTEGER:
        return None
    return int(number) if number.is_integer() else number


def _without_idle_bounds(field: Field) -> Field:
    """Keep the values that the bounds allow; the bounds then say nothing more. If none is left, keep both."""
    kept = tuple(value for value in field.values if _within(field, value))
    if not kept:
        return field
    return replace(field, values=kept, minimum=None, maximum=None, min_length=None, max_length=None)


def _within(field: Field, value: Value) -> bool:
    size, low, high = (
        (len(value), field.min_length, field.max_length)
        if isinstance(value, str)
        else (value, field.minimum, field.maximum)
    )
    if isinstance(value, str) and field.required and not value.strip():
        return False
    return (low is None or size >= low) and (high is None or size <= high)


def _order(entities: Sequence[Entity]) -> Iterator[Entity]:
    """Yield the entities whose records can be made, as soon as those that they require have come."""
    made: set[str] = set()
    waiting = [entity for entity in entities if _has_values(entity)]
    while True:
        ready = [entity for entity in waiting if all(name in made for name in required_names(entity))]
        if not ready:
            return
        yield from ready
        made.update(entity.name for entity in ready)
        waiting = [entity for entity in waiting if entity.name not in made]


def _has_values(entity: Entity) -> bool:
    return all(field.possible for field in entity.fields if field.required)


def required_names(entity: Entity) -> tuple[str, ...]:
    """Return the entities whose records a record of this one must refer to."""
    return tuple(dict.fromkeys(field.references for field in entity.fields if field.references and field.required))
