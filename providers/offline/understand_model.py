"""Facts to one consistent model: entities, fields, states; contradictions are found, not hidden."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from botarmy.artifacts import Rule
from providers.offline import lexicon, words
from providers.offline.understand_facts import Fact, FieldFact, InitialFact, RelationFact, TransitionFact

_STARTING = ("draft", "new", "open", "pending", "available", "active", "free", "planned", "scheduled", "created")
_NORMAL = ("enabled", "active", "available", "unlocked", "unblocked", "visible")
"""States that a record is in before it is ever disabled, locked or hidden."""
_DEFAULT_INITIAL = "open"


@dataclass
class FieldModel:
    """A field with everything that was said of it."""

    name: str
    label: str
    type: str = ""
    required: bool | None = None
    unique: bool = False
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    values: tuple[str, ...] = ()
    references: str = ""


@dataclass
class Move:
    """An action of a state machine while it is put together."""

    action: str
    to_state: str
    from_states: list[str] = field(default_factory=list)
    barred: list[str] = field(default_factory=list)
    assumed: bool = False

    def sources(self, states: Sequence[str]) -> tuple[str, ...]:
        """Return the states from which the action is allowed."""
        given = self.from_states or [state for state in states if state != self.to_state]
        return tuple(state for state in given if state not in self.barred)


@dataclass
class EntityModel:
    """An entity with its fields and, where it has actions, its states."""

    name: str
    label: str
    fields: dict[str, FieldModel] = field(default_factory=dict)
    moves: dict[str, Move] = field(default_factory=dict)
    initial: str = ""
    states: list[str] = field(default_factory=list)
    state_field: str = ""


@dataclass
class Model:
    """All entities, and the assumptions that were needed to make them whole."""

    entities: dict[str, EntityModel] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)

    def entity(self, name: str) -> EntityModel:
        """Return the entity, made where it is new."""
        return self.entities.setdefault(name, EntityModel(name, name.replace("_", " ")))

    def add(self, fact: Fact, *, overrides: bool = False) -> str:
        """Take a fact in; return a sentence that names the contradiction where it does not fit (nothing is changed then)."""
        if isinstance(fact, FieldFact):
            return self._add_field(fact, overrides=overrides)
        if isinstance(fact, RelationFact):
            return self._add_relation(fact)
        if isinstance(fact, TransitionFact):
            return self._add_move(fact)
        entity = self.entity(fact.entity)
        if isinstance(fact, InitialFact):
            if entity.initial and words.snake(entity.initial) != words.snake(fact.state) and not overrides:
                return f"A new {entity.label} is said to be both {entity.initial} and {fact.state}."
            entity.initial = fact.state
        return ""

    def _add_field(self, fact: FieldFact, *, overrides: bool) -> str:
        entity = self.entity(fact.entity)
        old = entity.fields.get(fact.field)
        new = FieldModel(fact.field, fact.label) if old is None else FieldModel(**vars(old))
        problem = (
            _take_type(new, fact)
            or _take_limits(new, fact, overrides=overrides)
            or _take_values(new, fact, overrides=overrides)
        )
        if problem:
            return problem
        if fact.required is not None:
            new.required = fact.required or (bool(new.required) and not overrides)
        new.unique |= fact.unique
        entity.fields[fact.field] = new
        return ""

    def _add_relation(self, fact: RelationFact) -> str:
        entity = self.entity(fact.entity)
        self.entity(fact.target)
        label = fact.field.removesuffix("_id").replace("_", " ")
        known = entity.fields.setdefault(fact.field, FieldModel(fact.field, label, "reference", references=fact.target))
        known.type, known.references = "reference", fact.target
        required = bool(fact.required) and not self._leads_back(fact.target, fact.entity)
        known.required = bool(known.required) or required if fact.required is not None else known.required
        known.unique |= fact.unique
        return ""

    def _leads_back(self, start: str, goal: str) -> bool:
        """Whether required references lead from one entity to the other: then nothing could ever be created."""
        seen, queue = {start}, [start]
        while queue:
            name = queue.pop()
            if name == goal:
                return True
            for other in self.entities[name].fields.values() if name in self.entities else ():
                if other.references and other.required and other.references not in seen:
                    seen.add(other.references)
                    queue.append(other.references)
        return False

    def _add_move(self, fact: TransitionFact) -> str:
        entity = self.entity(fact.entity)
        move = entity.moves.setdefault(fact.action, Move(fact.action, fact.to_state))
        move.from_states.extend(state for state in fact.from_states if state not in move.from_states)
        move.barred.extend(state for state in fact.barred if state not in move.barred)
        return ""


def _take_type(new: FieldModel, fact: FieldFact) -> str:
    if new.references and (fact.limits or fact.values):
        return f"{new.label} is a reference to another record and cannot have limits of its own."
    wanted = fact.type
    numbers = {"integer", "number"}
    if not new.type or (
        new.type in {"string", "text"}
        and wanted in {"string", "text", *numbers, "boolean", "date", "datetime"}
        and wanted != "string"
    ):
        new.type = (new.references and "reference") or wanted
    elif new.type == "integer" and wanted == "number":
        new.type = "number"
    return ""


def _take_limits(new: FieldModel, fact: FieldFact, *, overrides: bool) -> str:
    for limit in fact.limits:
        if limit.characters:
            bounds = limit.bounds(whole=True)
            low, high = _narrowed((new.min_length, new.max_length), bounds, overrides=overrides)
            if _crossed(low, high) or (high is not None and high < 1) or (low or 0) < 0:
                return f"The lengths said of {new.label} contradict each other."
            new.min_length, new.max_length = (None if low is None else int(low)), (None if high is None else int(high))
            if new.type in {"integer", "number", "boolean", "date", "datetime", ""}:
                new.type = "string"
            continue
        if new.type in {"date", "datetime", "boolean"} or new.values:
            return f"A numeric limit does not fit {new.label}, which is a {new.type}."
        if new.max_length is not None or new.min_length is not None:
            return f"{new.label} is a text with a length and cannot have a numeric range as well."
        new.type = new.type if new.type in {"integer", "number"} else "integer"
        low, high = _narrowed(
            (new.minimum, new.maximum), limit.bounds(whole=new.type == "integer"), overrides=overrides
        )
        if _crossed(low, high):
            return f"The limits said of {new.label} contradict each other."
        new.minimum, new.maximum = low, high
    return ""


def _narrowed(
    old: tuple[float | None, float | None], said: tuple[float | None, float | None], *, overrides: bool
) -> tuple[float | None, float | None]:
    if overrides:
        return (said[0] if said[0] is not None else old[0], said[1] if said[1] is not None else old[1])
    lows = [bound for bound in (old[0], said[0]) if bound is not None]
    highs = [bound for bound in (old[1], said[1]) if bound is not None]
    return (max(lows) if lows else None, min(highs) if highs else None)


def _crossed(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and low > high


def _take_values(new: FieldModel, fact: FieldFact, *, overrides: bool) -> str:
    if not fact.values:
        return ""
    if new.values and set(new.values) != set(fact.values) and not overrides:
        return f"Two different lists of values are given for {new.label}."
    new.values = fact.values
    new.type = "string"
    return ""


def complete(model: Model, names: Iterable[tuple[str, str]], spoken: Collection[str]) -> None:
    """Give every entity what it needs to be of use: a field that names it, reachable states, no dangling names.

    Where any statement is understood, an entity of which none speaks (`spoken`) is none: nothing would be built of it.
    """
    for name, label in names:
        model.entity(name).label = label
    model.entities = {name: entity for name, entity in model.entities.items() if name in spoken or not spoken}
    for entity in model.entities.values():
        _complete_states(model, entity)
    for entity in model.entities.values():
        _complete_fields(model, entity)


def _complete_states(model: Model, entity: EntityModel) -> None:
    status = next(
        (
            name
            for name in entity.fields
            if words.singular(name.rsplit("_", 1)[-1]) in lexicon.STATE_NOUNS and entity.fields[name].values
        ),
        "",
    )
    given = list(entity.fields[status].values) if status else []
    if not entity.moves and not entity.initial:
        return
    entity.state_field = status or next((name for name in entity.fields if name in lexicon.STATE_NOUNS), "status")
    _align(entity, given)
    entity.initial = entity.initial or _initial(entity, given)
    entity.states = _ordered(entity, given)
    _reach(model, entity)
    old = entity.fields.pop(entity.state_field, FieldModel(entity.state_field, entity.state_field))
    old.type, old.values, old.required = "string", tuple(entity.states), None
    entity.fields[entity.state_field] = old
    for move in entity.moves.values():
        if not move.from_states and not move.assumed:
            model.assumptions.append(
                f"The brief does not say from which states {words.article(entity.label)} may be {move.to_state}: every other state is allowed."
            )


def _align(entity: EntityModel, given: list[str]) -> None:
    """Use one spelling per state."""
    spelling = {_key(state): state for state in given}

    def one(state: str) -> str:
        key = "open" if words.snake(state) == "reopened" and "open" in spelling else _key(state)
        return spelling.setdefault(key, state)

    for move in entity.moves.values():
        move.from_states = list(dict.fromkeys(one(state) for state in move.from_states))
        move.barred = list(dict.fromkeys(one(state) for state in move.barred))
    for move in entity.moves.values():
        move.to_state = one(move.to_state)
    entity.initial = one(entity.initial) if entity.initial else ""


def _key(state: str) -> str:
    """Return what is the same for two names of one state: "active" and "activated", "open" and "opened"."""
    verb = words.verb_of(state)
    return words.snake(state) if verb.startswith("mark_") else verb


def _initial(entity: EntityModel, given: list[str]) -> str:
    if given:
        return given[0]
    targets = {move.to_state for move in entity.moves.values()}
    normal = [state for state in _NORMAL if state in targets]
    if normal:
        return normal[0]
    origins = [
        state for move in entity.moves.values() for state in (*move.from_states, *move.barred) if state not in targets
    ]
    plain = [state for state in _STARTING if state in origins]
    usual = "active" if entity.name.rsplit("_", 1)[-1] in lexicon.PERSONS else _DEFAULT_INITIAL
    return plain[0] if plain else usual if usual not in targets else "new"


def _ordered(entity: EntityModel, given: list[str]) -> list[str]:
    mentioned = [state for move in entity.moves.values() for state in (*move.from_states, move.to_state, *move.barred)]
    return (
        list(dict.fromkeys([*given, entity.initial, *mentioned]))
        if given
        else list(dict.fromkeys([entity.initial, *mentioned]))
    )


def _reach(model: Model, entity: EntityModel) -> None:
    """Add an action for every state that no action leads to, so that each can be reached."""
    for state in entity.states:
        if state in _reachable(entity):
            continue
        action = words.verb_of(state)
        if action in entity.moves:
            action = f"mark_{words.snake(state)}"
        sources = [entity.initial] if not entity.states.index(state) else []
        entity.moves[action] = Move(action, state, sources, assumed=True)
        model.assumptions.append(
            f"The brief names the state {state} of {words.article(entity.label)} but no way into it: the action {action} is added."
        )


def _reachable(entity: EntityModel) -> set[str]:
    reached, changed = {entity.initial}, True
    while changed:
        changed = False
        for move in entity.moves.values():
            if move.to_state not in reached and reached & set(move.sources(entity.states)):
                reached.add(move.to_state)
                changed = True
    return reached


def _complete_fields(model: Model, entity: EntityModel) -> None:
    plain = [item for item in entity.fields.values() if not item.references and item.name != entity.state_field]
    if not plain and not any(item.references for item in entity.fields.values()):
        usual = lexicon.USUAL_FIELDS.get(entity.name.rsplit("_", 1)[-1], (("name", "string"),))
        own = {
            name: FieldModel(name, name, kind, required=number == 0 or None)
            for number, (name, kind) in enumerate(usual)
        }
        entity.fields = {**own, **entity.fields}
        listed = " and ".join(words.article(name) for name in own)
        model.assumptions.append(f"The brief names no field of {words.article(entity.label)}: each has {listed}.")
    elif plain and not any(item.required for item in entity.fields.values()):
        chosen = next((item for item in plain if item.name in {"title", "name"} and item.required is None), None)
        chosen = chosen or next((item for item in plain if item.required is None), None)
        if chosen:
            chosen.required = True
            model.assumptions.append(
                f"Nothing of {words.article(entity.label)} is said to be required: its {chosen.label} is taken to be."
            )


def rules_of(fact: Fact, model: Model) -> list[Rule]:
    """Return the testable rules that a fact states, as the finished model has them."""
    if isinstance(fact, FieldFact):
        return _field_rules(fact, model)
    if isinstance(fact, RelationFact):
        item = model.entities[fact.entity].fields[fact.field]
        rules = [Rule(kind="relation", entity=fact.entity, field=fact.field, target=fact.target)]
        rules += (
            [Rule(kind="required", entity=fact.entity, field=fact.field)] if fact.required and item.required else []
        )
        return rules + ([Rule(kind="unique", entity=fact.entity, field=fact.field)] if fact.unique else [])
    if isinstance(fact, TransitionFact):
        entity = model.entities[fact.entity]
        return [transition_rule(entity, entity.moves[fact.action])]
    return []


def transition_rule(entity: EntityModel, move: Move) -> Rule:
    """Return the rule of an action."""
    return Rule(
        kind="transition",
        entity=entity.name,
        field=entity.state_field,
        action=move.action,
        from_states=move.sources(entity.states),
        to_state=move.to_state,
    )


def _field_rules(fact: FieldFact, model: Model) -> list[Rule]:
    entity = model.entities[fact.entity]
    item = entity.fields[fact.field]
    rules: list[Rule] = []
    if fact.required and item.required and fact.field != entity.state_field:
        rules.append(Rule(kind="required", entity=fact.entity, field=fact.field))
    if fact.unique:
        rules.append(Rule(kind="unique", entity=fact.entity, field=fact.field))
    for limit in fact.limits:
        whole = limit.characters or item.type == "integer"
        low, high = limit.bounds(whole=whole)
        kind = "length" if limit.characters else "range"
        rules.append(
            Rule.model_validate(
                {"kind": kind, "entity": fact.entity, "field": fact.field, "minimum": low, "maximum": high}
            )
        )
    if fact.values:
        rules.append(Rule(kind="enumeration", entity=fact.entity, field=fact.field, values=item.values))
    return rules
