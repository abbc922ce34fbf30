"""From one passage to what it says: as a list item, as a whole sentence, else clause by clause. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from botarmy.outline import Passage
from providers.offline import lexicon, understand_context
from providers.offline.understand_clauses import Clause, anchor_in, clauses, label_split
from providers.offline.understand_constraints import (
    all_clause,
    constraint_clause,
    identifying_clause,
    same_clause,
    verb_clause,
    without_clause,
)
from providers.offline.understand_facts import Fact, FieldFact, RelationFact, UnreadPart, bare_phrase
from providers.offline.understand_fields import Scene, has_clause
from providers.offline.understand_guard import sound
from providers.offline.understand_items import read_item
from providers.offline.understand_links import linking_clause, many_clause, protection_clause, relation_clause
from providers.offline.understand_operations import (
    does_clause,
    letting_clause,
    operation_clause,
    passive_operation,
    user_story,
    with_clause,
)
from providers.offline.understand_recorded import added_clause, recorded_clause
from providers.offline.understand_states import action_clause, entity_states, flow_tokens, initial_clause
from providers.offline.understand_tokens import Token, tokenise, written


@dataclass
class Reading:
    """What one passage said: facts, and the texts of the parts that were not understood."""

    facts: list[Fact] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def fields_in(facts: Sequence[Fact]) -> tuple[tuple[str, str], ...]:
    """Return the (entity, field) pairs that the facts speak of."""
    return tuple((fact.entity, fact.field) for fact in facts if isinstance(fact, FieldFact))


def subject_of(facts: Sequence[Fact]) -> str:
    """Return the entity that the facts speak of first."""
    return facts[0].entity if facts else ""


def only_subject(facts: Sequence[Fact], mentioned: str) -> str:
    """Return the one entity that a sentence speaks of, "" where it speaks of several: "a contract belongs to a flat".

    Args:
        facts: What the sentence said.
        mentioned: The entity that it begins with; of "a flat has many tenants" the facts speak of tenants.
    """
    found = {fact.entity for fact in facts}
    others = any(isinstance(fact, RelationFact) and fact.target != fact.entity for fact in facts)
    entity = next(iter(found)) if len(found) == 1 else ""
    return entity if mentioned in {entity, ""} and not others else ""


def _guarded(facts: list[Fact] | None) -> list[Fact] | None:
    """Let nothing through that cannot be: a name or a value with a number, a verb or a preposition in it."""
    return facts if facts and all(sound(fact) for fact in facts) else None


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


def read(passage: Passage, scene: Scene) -> Reading:
    """Read one passage: as a list item, as a whole sentence, else clause by clause."""
    closed = passage.kind == "code" or understand_context.is_question(passage.text)
    if closed or understand_context.out_of_scope(passage) or understand_context.is_restricted(passage):
        return Reading(missed=[passage.text])
    passage = understand_context.sentence_in_row(passage)
    tokens = _without_priority(tokenise(passage.text))
    story = user_story(tokens)
    tokens = story.wish if story else tokens
    facts = _guarded(read_item(passage, tokens, scene))
    if facts is None:
        tokens, scene = _after_label(tokens, scene)
        facts = _guarded(read_item(passage, tokens, scene))
    facts = facts or _guarded(understand_context.purpose_clause(_bare_end(tokens), scene))
    if facts is None:
        readers = _WHOLE if len(clauses(_bare_end(tokens))) == 1 else _ACROSS
        facts = next((found for reader in readers if (found := _guarded(reader(_bare_end(tokens), scene)))), None)
    return _parted(facts) if facts is not None else _by_clause(tokens, passage, scene)


def _parted(facts: Sequence[Fact]) -> Reading:
    """Part what was read from what was not."""
    unread = [fact.text for fact in facts if isinstance(fact, UnreadPart)]
    return Reading([fact for fact in facts if not isinstance(fact, UnreadPart)], unread)


_RESTRICTING = lexicon.NOT | lexicon.SUBORDINATE | frozenset("no only except for on without by in at unless".split())
"""Words by which a label restricts what follows it ("Admins only: …"); such a sentence is not understood."""


def _after_label(tokens: list[Token], scene: Scene) -> tuple[list[Token], Scene]:
    """Step over "Comments:" and "Rule 3:" before a whole sentence; a label that names an entity says what it speaks of."""
    parts = label_split(tokens)
    if parts is None or anchor_in(parts[1]) <= 0 or {token.low for token in parts[0]} & _RESTRICTING:
        return tokens, scene
    if parts[1][0].low in lexicon.TYPE_WORDS:
        return tokens, scene  # "value: number, may be …" says something of the value
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


def _by_clause(tokens: list[Token], passage: Passage, scene: Scene) -> Reading:
    parts = clauses(tokens)
    reading = Reading()
    for clause in parts:
        facts = next((found for reader in _CLAUSES if (found := _guarded(reader(clause, scene)))), None)
        if facts is None:
            facts = next((found for reader in _WHOLE if (found := _guarded(reader(clause.tokens, scene)))), None)
        if facts is None:
            reading.missed.append(written(clause.tokens))
            spoken = scene.names.exact(bare_phrase(clause.subject))
            scene = replace(scene, entity=spoken, near=False) if spoken else scene
        else:
            parted = _parted(facts)
            reading.facts.extend(parted.facts)
            reading.missed.extend(parted.missed)
            entity, recent = subject_of(facts) or scene.entity, fields_in(facts) or scene.recent
            near = only_subject(facts, scene.names.exact(bare_phrase(clause.subject)) or "") == entity
            scene = replace(
                scene, entity=entity, recent=recent, near=near, placed=scene.placed and entity == scene.entity
            )
    if not reading.facts:
        return Reading(missed=[passage.text])
    return reading
