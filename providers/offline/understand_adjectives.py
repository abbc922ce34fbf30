"""Nouns with a state before them: a healthy animal is an animal, where animals start as healthy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from botarmy.outline import Passage
from providers.offline import lexicon, words
from providers.offline.understand_clauses import clauses
from providers.offline.understand_facts import FieldFact, InitialFact, Names, entity_of
from providers.offline.understand_fields import Scene
from providers.offline.understand_qualities import read_qualities
from providers.offline.understand_states import entity_states, initial_clause
from providers.offline.understand_tokens import find, split_on, tokenise


@dataclass
class _AnyNames(Names):
    """Names by which every noun is an entity: only the states count here."""

    def exact(self, phrase: tuple[str, ...]) -> str | None:
        """Take any phrase."""
        return entity_of(phrase) or None


def without_adjectives(chosen: Mapping[str, str], passages: Iterable[Passage]) -> dict[str, str]:
    """Drop "small loan" and "healthy animal" where the noun stands on its own and what is before it is no name."""
    states = {state for passage in passages for state in _states(passage)}
    kept: dict[str, str] = {}
    for name, label in chosen.items():
        parts = label.split()
        shorter = entity_of(tuple(parts[1:])) if len(parts) > 1 else ""
        if shorter in chosen and (words.is_participle(parts[0]) or parts[0] in lexicon.ADJECTIVES | states):
            continue
        kept[name] = label
    return kept


def _states(passage: Passage) -> Iterator[str]:
    """Return the states that a sentence names: where records start, what they can be, the values of a status."""
    tokens = tokenise(passage.text)
    scene = Scene(_AnyNames())
    for clause in clauses(tokens):
        for fact in [*(initial_clause(clause, scene) or ()), *(entity_states(clause, scene) or ())]:
            yield from (fact.state,) if isinstance(fact, InitialFact) else ()
            yield from fact.values if isinstance(fact, FieldFact) else ()
    if any(token.kind == "arrow" for token in tokens):
        arrows = frozenset(token.low for token in tokens if token.kind == "arrow")
        yield from (part[-1].low for part in split_on(tokens, arrows | {",", ":"}))
    at = find(tokens, lexicon.STATE_NOUNS)
    yield from (value.lower() for value in (read_qualities(tokens[at + 1 :]).values if at >= 0 else ()))
