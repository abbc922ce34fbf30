"""From a brief to what it demands: statements with testable rules, and one model of entities. Pure functions.

Every sentence becomes at least one statement. What the grammar explains to the last word carries facts and rules; all
else is kept as a statement that is not understood. Nothing is dropped and nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from botarmy.artifacts import Rule
from botarmy.brief import clean, comments
from botarmy.brief import title as title_of
from botarmy.outline import Passage, passages
from providers.offline import lexicon, understand_context, words
from providers.offline.understand_clauses import clauses
from providers.offline.understand_facts import (
    Fact,
    FieldFact,
    FilterFact,
    InitialFact,
    Names,
    OperationFact,
    RelationFact,
    TransitionFact,
    bare_phrase,
)
from providers.offline.understand_fields import Scene
from providers.offline.understand_holding import as_said, let_hold
from providers.offline.understand_languages import localise
from providers.offline.understand_model import EntityModel, Model, complete, rules_of, transition_rule
from providers.offline.understand_nouns import find_entities, heading_phrase
from providers.offline.understand_operations import (
    roles_in,
    user_story,
)
from providers.offline.understand_reading import Reading, fields_in, only_subject, read, subject_of
from providers.offline.understand_states import with_states
from providers.offline.understand_tokens import tokenise

Kind = Literal["functional", "constraint", "quality", "context"]
_LEAD_WORDS = 8
_PASSES = 2  # the first learns fields and states, the second reads with them


@dataclass
class Statement:
    """What one sentence, or a part of it, demands."""

    text: str
    sources: tuple[str, ...]
    kind: Kind
    priority: understand_context.Priority
    understood: bool
    facts: tuple[Fact, ...] = ()
    rules: tuple[Rule, ...] = ()
    note: str = ""
    scope: bool = True

    @property
    def entities(self) -> tuple[str, ...]:
        """The entities that the facts speak of."""
        found = [fact.entity for fact in self.facts]
        found += [fact.target for fact in self.facts if isinstance(fact, RelationFact)]
        return tuple(dict.fromkeys(found))

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The (entity, field) pairs that the facts speak of."""
        return tuple(
            dict.fromkeys(
                (fact.entity, fact.field) for fact in self.facts if isinstance(fact, FieldFact | RelationFact)
            )
        )


@dataclass
class Understanding:
    """All that was read from a brief and from the feedback on an earlier attempt."""

    title: str
    statements: list[Statement]
    model: Model
    users: tuple[str, ...] = ()
    questions: list[str] = field(default_factory=list)


def understand(inputs: Mapping[str, Any]) -> Understanding:
    """Read the brief (and feedback) of a request's inputs."""
    brief = clean(str(inputs.get("brief", "")))
    given = tuple(
        (str(item.get("id", "")), str(item.get("text", "")))
        for item in inputs.get("sentences") or ()
        if isinstance(item, Mapping)
    )
    return _understand(brief, given, _comments(inputs))


def _comments(inputs: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the sentences of people's comments as (id, text): those that requirements carry already, then new ones."""
    requirements = inputs.get("user_requirements")
    carried = requirements.get("requirements", ()) if isinstance(requirements, Mapping) else ()
    found: dict[str, str] = {}
    for item in carried:
        found.update({as_said(clean(item["text"])): source for source in item["sources"] if source.startswith("FB")})
    said = [sentence.text for sentence in comments(map(str, inputs.get("feedback") or ()))]
    number = max((int(name[2:]) for name in found.values() if name[2:].isdigit()), default=0)
    for text in said:
        if text not in found:
            number += 1
            found[text] = f"FB{number}"
    return tuple((name, text) for text, name in found.items())


@lru_cache(maxsize=8)
def _understand(brief: str, given: tuple[tuple[str, str], ...], comments: tuple[tuple[str, str], ...]) -> Understanding:
    found = _numbered(brief, given)
    added = [(name, Passage(text=text)) for name, text in comments]
    title = title_of(brief)
    readable = localise(passage for _, passage in [*found, *added])
    names = Names(find_entities(readable, title))
    if not names.entities:
        names.entities = {"entity_1": title}
    readings = _read_all(readable, [passage.text for _, passage in [*found, *added]], names)
    return _finish(title, names, found, added, readings)


def _numbered(brief: str, given: tuple[tuple[str, str], ...]) -> list[tuple[str, Passage]]:
    """Pair the sentences with their places in the brief; sentences that are not the brief's own stand as prose."""
    own = [(f"S{number}", passage) for number, passage in enumerate(passages(brief), 1)]
    if not given or [(name, passage.text) for name, passage in own] == list(given):
        return own
    return [(name, Passage(text=text)) for name, text in given if name]


def _read_all(found: Sequence[Passage], originals: Sequence[str], names: Names) -> list[Reading]:
    states: dict[str, tuple[str, ...]] = {}
    readings: list[Reading] = []
    for _ in range(_PASSES):
        readings, current, near = [], "", False
        recent: tuple[tuple[str, str], ...] = ()
        place: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        for passage, original in zip(found, originals, strict=True):
            here = (passage.headings, passage.leads if passage.kind == "item" else ())
            current = current if here[0] == place[0] else ""
            near = near and bool(current)
            place_entity = _entity_of_place(passage, names)
            scene = Scene(names, place_entity or current, placed=bool(place_entity), near=near, recent=recent)
            scene = with_states(scene, states)
            reading = _in_own_words(read(passage, scene), passage.text, original)
            names.learn(reading.facts)
            _learn_states(reading.facts, states)
            current, place = subject_of(reading.facts) or _mentioned(passage, names) or current, here
            near = bool(current) and only_subject(reading.facts, _mentioned(passage, names)) == current
            recent = fields_in(reading.facts)
            readings.append(reading)
    return readings


def _in_own_words(reading: Reading, text: str, original: str) -> Reading:
    """Show what was not understood in the brief's own words, where the text was put into English for reading."""
    if reading.missed and text != original:
        reading.missed = [original]
    return reading


def _entity_of_place(passage: Passage, names: Names) -> str:
    """Return the entity that the lead-in or the heading names."""
    for lead in reversed(passage.leads):
        phrase = tuple(token.low for token in tokenise(lead) if token.kind in {"word", "quoted"})
        for end in range(min(len(phrase), _LEAD_WORDS), 0, -1):
            found = names.resolve(phrase[:end])
            if found:
                return found[0]
    for heading in reversed(passage.headings):
        exact = names.exact(heading_phrase([token for token in tokenise(heading) if token.kind in {"word", "quoted"}]))
        if exact:
            return exact
    return ""


def _mentioned(passage: Passage, names: Names) -> str:
    """Return the entity that a sentence begins with, also where the sentence is not understood."""
    parts = clauses(tokenise(passage.text))
    return (names.exact(bare_phrase(parts[0].subject)) or "") if parts else ""


def _learn_states(facts: Sequence[Fact], states: dict[str, tuple[str, ...]]) -> None:
    for fact in facts:
        said: tuple[str, ...] = ()
        if isinstance(fact, TransitionFact):
            said = (*fact.from_states, fact.to_state, *fact.barred)
        elif isinstance(fact, InitialFact):
            said = (fact.state,)
        elif isinstance(fact, FieldFact) and words.singular(fact.field.rsplit("_", 1)[-1]) in lexicon.STATE_NOUNS:
            said = fact.values
        if said:
            states[fact.entity] = tuple(dict.fromkeys([*states.get(fact.entity, ()), *said]))


# ---------------------------------------------------------------- statements


def _finish(
    title: str,
    names: Names,
    found: Sequence[tuple[str, Passage]],
    comments: Sequence[tuple[str, Passage]],
    readings: Sequence[Reading],
) -> Understanding:
    model = Model()
    result = Understanding(title, [], model)
    for number, ((source, passage), reading) in enumerate(zip([*found, *comments], readings, strict=True)):
        comment = number >= len(found)
        kept, notes = _taken(reading, model, overrides=comment)
        result.questions.extend(notes)
        result.statements.extend(
            _statements(source, passage, reading, kept, first=number == 0, comment=comment, notes=notes)
        )
        if comment and (reading.missed or notes):
            result.questions.append(f"A reviewer's comment is not understood and was not applied: {passage.text}")
        elif understand_context.is_question(passage.text):
            result.questions.append(passage.text)
    complete(model, names.entities.items(), {name for one in result.statements for name in one.entities})
    let_hold(result.statements)
    for statement in result.statements:
        rules = [rule for fact in statement.facts for rule in rules_of(fact, model)]
        statement.rules = tuple(dict.fromkeys(rules))
        statement.kind = _kind(statement)
    _own_assumed_moves(result)
    result.users = _users([passage for _, passage in found])
    result.questions = list(dict.fromkeys([*result.questions, *_open(result)]))
    return result


def _own_assumed_moves(result: Understanding) -> None:
    """Let the first statement on an entity's states carry the actions that were added to make them reachable."""
    for entity in result.model.entities.values():
        rules = [transition_rule(entity, move) for move in entity.moves.values() if move.assumed]
        for statement in result.statements if rules else ():
            if any(_on_states(fact, entity) for fact in statement.facts):
                statement.rules = tuple(dict.fromkeys([*statement.rules, *rules]))
                break


def _on_states(fact: Fact, entity: EntityModel) -> bool:
    return fact.entity == entity.name and isinstance(fact, TransitionFact | InitialFact)


def _taken(reading: Reading, model: Model, *, overrides: bool) -> tuple[list[Fact], list[str]]:
    """Put the facts into the model; return those that fit, and what the others contradict."""
    kept: list[Fact] = []
    notes: list[str] = []
    for fact in reading.facts:
        problem = model.add(fact, overrides=overrides)
        if problem:
            notes.append(problem)
        else:
            kept.append(fact)
    return kept, notes


def _statements(
    source: str, passage: Passage, reading: Reading, kept: list[Fact], *, first: bool, comment: bool, notes: list[str]
) -> list[Statement]:
    priority = understand_context.priority_of(passage)
    missed = list(reading.missed)
    if notes:
        missed = [passage.text]
    found: list[Statement] = []
    if kept:
        text = passage.text if not reading.missed else f"{passage.text}"
        found.append(Statement(text, (source,), "functional", priority, understood=True, facts=tuple(kept)))
    if comment and not kept:
        return []  # what a comment means beyond the rules in it is a question to the person, see _finish
    for text in missed:
        found.append(_unread(source, passage, text, priority, first=first, part=bool(kept), note=" ".join(notes)))
    return found


def _unread(
    source: str,
    passage: Passage,
    text: str,
    priority: understand_context.Priority,
    *,
    first: bool,
    part: bool,
    note: str,
) -> Statement:
    tokens = tokenise(text)
    if understand_context.out_of_scope(passage):
        return Statement(text, (source,), "context", priority, understood=True, scope=False)
    if understand_context.is_question(passage.text):
        return Statement(text, (source,), "functional", "could", understood=False)
    if understand_context.is_frame(text) or (
        first and passage.kind == "prose" and understand_context.is_title(passage.text)
    ):
        return Statement(text, (source,), "context", priority, understood=True)
    if not part and understand_context.is_background(tokens, first=first):
        return Statement(text, (source,), "context", priority, understood=True)
    kind: Kind = "quality" if understand_context.is_quality(tokens) else "functional"
    shown = text if not part else f"{text} (part of: {passage.text})"
    shown = f"{text} ({note or 'more than was understood'})" if part and text == passage.text else shown
    return Statement(shown, (source,), kind, priority, understood=False, note=note)


def _kind(statement: Statement) -> Kind:
    if not statement.understood or not statement.facts:
        return statement.kind
    moves = any(isinstance(fact, TransitionFact | InitialFact | OperationFact | FilterFact) for fact in statement.facts)
    return "constraint" if statement.rules and not moves else "functional"


def _users(found: Sequence[Passage]) -> tuple[str, ...]:
    users: list[str] = []
    for passage in found:
        tokens = tokenise(passage.text)
        story = user_story(tokens)
        role = story.role if story else roles_in(tokens)
        if role:
            users.append(" ".join((*role.lower().split()[:-1], words.singular(role.lower().split()[-1]))))
    return tuple(dict.fromkeys(users))


def _open(result: Understanding) -> list[str]:
    return [
        f"How can this be tested? {statement.text}"
        for statement in result.statements
        if not statement.understood and statement.priority == "must"
    ]
