"""From a brief to what it demands: statements with testable rules, and one model of entities. Pure functions.

Every sentence becomes at least one statement. What the grammar explains to the last word carries facts and rules; all
else is kept as a statement that is not understood. Nothing is dropped and nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from botarmy.artifacts import Rule
from botarmy.brief import clean, comments
from botarmy.brief import title as title_of
from botarmy.outline import Passage, passages
from providers.offline import lexicon, understand_context, words
from providers.offline.understand_clauses import Clause, anchor_in, clauses, label_split
from providers.offline.understand_constraints import (
    all_clause,
    constraint_clause,
    identifying_clause,
    same_clause,
    verb_clause,
    without_clause,
)
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
from providers.offline.understand_fields import Scene, has_clause
from providers.offline.understand_holding import as_said, let_hold
from providers.offline.understand_items import read_item
from providers.offline.understand_languages import localise
from providers.offline.understand_links import linking_clause, many_clause, protection_clause, relation_clause
from providers.offline.understand_model import EntityModel, Model, complete, rules_of, transition_rule
from providers.offline.understand_nouns import find_entities, heading_phrase
from providers.offline.understand_operations import (
    does_clause,
    letting_clause,
    operation_clause,
    passive_operation,
    roles_in,
    user_story,
    with_clause,
)
from providers.offline.understand_recorded import added_clause, recorded_clause
from providers.offline.understand_states import action_clause, entity_states, flow_tokens, initial_clause, with_states
from providers.offline.understand_tokens import Token, tokenise, written

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


@dataclass
class _Read:
    """What one passage said: facts, and the texts of the parts that were not understood."""

    facts: list[Fact] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


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


def _read_all(found: Sequence[Passage], originals: Sequence[str], names: Names) -> list[_Read]:
    states: dict[str, tuple[str, ...]] = {}
    readings: list[_Read] = []
    for _ in range(_PASSES):
        readings, current = [], ""
        recent: tuple[tuple[str, str], ...] = ()
        place: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        for passage, original in zip(found, originals, strict=True):
            here = (passage.headings, passage.leads if passage.kind == "item" else ())
            current = current if here[0] == place[0] else ""
            place_entity = _entity_of_place(passage, names)
            scene = with_states(Scene(names, place_entity or current, placed=bool(place_entity), recent=recent), states)
            reading = _in_own_words(_read(passage, scene), passage.text, original)
            names.learn(reading.facts)
            _learn_states(reading.facts, states)
            current, place = _subject_of(reading.facts) or _mentioned(passage, names) or current, here
            recent = _fields_in(reading.facts)
            readings.append(reading)
    return readings


def _in_own_words(reading: _Read, text: str, original: str) -> _Read:
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


def _fields_in(facts: Sequence[Fact]) -> tuple[tuple[str, str], ...]:
    return tuple((fact.entity, fact.field) for fact in facts if isinstance(fact, FieldFact))


def _subject_of(facts: Sequence[Fact]) -> str:
    return facts[0].entity if facts else ""


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


_CLAUSES: tuple[Callable[[Clause, Scene], list[Fact] | None], ...] = (
    initial_clause,
    action_clause,
    lambda clause, scene: passive_operation(clause.subject, clause.predicate, scene),
    relation_clause,
    has_clause,
    all_clause,
    constraint_clause,
    entity_states,
    lambda clause, scene: many_clause(clause.tokens, scene),
    lambda clause, scene: letting_clause(clause.tokens, scene),
    lambda clause, scene: operation_clause(clause.tokens, scene),
)
_WHOLE: tuple[Callable[[list[Token], Scene], list[Fact] | None], ...] = (
    flow_tokens,
    same_clause,
    without_clause,
    recorded_clause,
    added_clause,
    linking_clause,
    protection_clause,
    verb_clause,
    identifying_clause,
    letting_clause,
    operation_clause,
    does_clause,
    with_clause,
    understand_context.api_clause,
)


_ACROSS: tuple[Callable[[list[Token], Scene], list[Fact] | None], ...] = (flow_tokens, same_clause, recorded_clause)
"""Readers that take a sentence of several clauses whole; each refuses words that it cannot account for."""


def _read(passage: Passage, scene: Scene) -> _Read:
    """Read one passage: as a list item, as a whole sentence, else clause by clause."""
    closed = passage.kind == "code" or understand_context.is_question(passage.text)
    if closed or understand_context.out_of_scope(passage) or understand_context.is_restricted(passage):
        return _Read(missed=[passage.text])
    passage = understand_context.sentence_in_row(passage)
    tokens = _without_priority(tokenise(passage.text))
    story = user_story(tokens)
    tokens = story.wish if story else tokens
    tokens, scene = _after_label(tokens, scene)
    facts = read_item(passage, tokens, scene) or understand_context.purpose_clause(_bare_end(tokens), scene)
    if facts is None:
        readers = _WHOLE if len(clauses(_bare_end(tokens))) == 1 else _ACROSS
        facts = next((found for reader in readers if (found := reader(_bare_end(tokens), scene))), None)
    return _Read(list(facts)) if facts is not None else _by_clause(tokens, passage, scene)


_RESTRICTING = lexicon.NOT | lexicon.SUBORDINATE | frozenset("no only except for on without by in at unless".split())
"""Words by which a label restricts what follows it ("Admins only: …"); such a sentence is not understood."""


def _after_label(tokens: list[Token], scene: Scene) -> tuple[list[Token], Scene]:
    """Step over "Comments:" and "Rule 3:" before a whole sentence; a label that names an entity says what it speaks of."""
    parts = label_split(tokens)
    if parts is None or anchor_in(parts[1]) <= 0 or {token.low for token in parts[0]} & _RESTRICTING:
        return tokens, scene
    entity = scene.names.exact(bare_phrase(parts[0]))
    return parts[1], replace(scene, entity=entity) if entity else scene


def _bare_end(tokens: list[Token]) -> list[Token]:
    end = len(tokens)
    while end and tokens[end - 1].low in {".", "!", ";", ",", "。"}:
        end -= 1
    parted = clauses(tokens[:end])
    return parted[0].tokens if len(parted) == 1 else tokens[:end]


def _without_priority(tokens: list[Token]) -> list[Token]:
    """Drop "Must:", "[Should]", "(optional)" and the like at the start."""
    words_only = [token.low for token in tokens[:3]]
    for lead in (
        ("must", ":"),
        ("should", ":"),
        ("could", ":"),
        ("[", "must", "]"),
        ("[", "should", "]"),
        ("[", "could", "]"),
        ("(", "optional", ")"),
    ):
        if tuple(words_only[: len(lead)]) == lead:
            return tokens[len(lead) :]
    return tokens


def _by_clause(tokens: list[Token], passage: Passage, scene: Scene) -> _Read:
    parts = clauses(tokens)
    reading = _Read()
    for clause in parts:
        facts = next((found for reader in _CLAUSES if (found := reader(clause, scene))), None)
        if facts is None:
            facts = next((found for reader in _WHOLE if (found := reader(clause.tokens, scene))), None)
        if facts is None:
            reading.missed.append(written(clause.tokens))
            spoken = scene.names.exact(bare_phrase(clause.subject))
            scene = replace(scene, entity=spoken) if spoken else scene
        else:
            reading.facts.extend(facts)
            scene = replace(scene, entity=_subject_of(facts) or scene.entity, recent=_fields_in(facts) or scene.recent)
    if not reading.facts:
        return _Read(missed=[passage.text])
    return reading


# ---------------------------------------------------------------- statements


def _finish(
    title: str,
    names: Names,
    found: Sequence[tuple[str, Passage]],
    comments: Sequence[tuple[str, Passage]],
    readings: Sequence[_Read],
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


def _taken(reading: _Read, model: Model, *, overrides: bool) -> tuple[list[Fact], list[str]]:
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
    source: str, passage: Passage, reading: _Read, kept: list[Fact], *, first: bool, comment: bool, notes: list[str]
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
    shown = text if not part or text == passage.text else f"{text} (part of: {passage.text})"
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
