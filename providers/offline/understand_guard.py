"""The last line of defence: a name or a value that holds a number, a verb or a preposition is none. Pure functions.

Whatever a reader makes of a sentence, a fact with such a name or value is a misreading; the sentence is then not
understood. What a brief puts in quotes is a value as it stands, as long as it stands in a list of values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from providers.offline import lexicon, words
from providers.offline.understand_facts import Fact, FieldFact, InitialFact, RelationFact, TransitionFact
from providers.offline.understand_tokens import Token

_PREPOSITIONS = frozenset(
    """across among amongst throughout toward towards via versus per within without between beyond despite by for from with
    into onto upon against until than as to in on at of off up under over about after before during through along since
    above below behind beside""".split()
)
_VERBS: frozenset[str] = (
    lexicon.BE
    | lexicon.MODAL
    | frozenset(
        """has have had does do did lies lie lives becomes become requires require exceeds exceed defaults consists consist
        belongs belong refers refer works contains includes comprises gets takes makes gives keeps goes moves happens occurs
        applies costs lasts weighs looks cares lets allows links connects joins assigns frees wants""".split()
    )
)
_FLAGS = frozenset("required mandatory obligatory optional unique distinct default defaults".split())
_NEVER_IN_NAMES = (
    frozenset(
        "across among amongst throughout toward towards via versus within without between beyond despite into onto upon pro je innerhalb por para con sin entre dans pour avec sans".split()
    )
    | (lexicon.STOP - frozenset("of on at off up first last per in by for to from until since own".split()))
    | _VERBS
    | _FLAGS
)
_TEXTS = frozenset(word for word, kind in lexicon.FIELD_TYPES.items() if kind in {"text", "boolean"}) | frozenset(
    """name title email e-mail mail address city country street url website link username surname nickname author publisher
    firstname lastname vorname nachname titel autor verlag stadt land nombre titre adresse""".split()
)
_COUNTED = frozenset(lexicon.NUMBER_WORDS) - frozenset("null ein eine einen".split())
_NEVER_ALONE = (
    lexicon.MODAL
    | lexicon.BE
    | lexicon.SUBORDINATE
    | _FLAGS
    | frozenset("a an the every each be than has have had between across per at by for from with of to and or".split())
)
_LEADING = frozenset("in on off out under up at not no to very non".split())
_PARTICLES = frozenset("in out up off on over back away down".split())
_BOUND = frozenset("ready waiting out sent free due open back".split())
_BINDING = frozenset("for of to".split())


class Quoted(str):
    """A value as the brief quotes it: it may hold whatever it holds."""

    __slots__ = ()


def sound(fact: Fact) -> bool:
    """Say whether the names and values of a fact can be names and values at all."""
    if isinstance(fact, FieldFact):
        named = sound_name(fact.label.lower().split())
        return named and _sound_limits(fact) and (not fact.values or sound_values(fact.values))
    if isinstance(fact, RelationFact):
        return sound_name(fact.field.removesuffix("_id").split("_"))
    if isinstance(fact, TransitionFact):
        return _sound_states((fact.to_state, *fact.from_states, *fact.barred))
    return _sound_states((fact.state,)) if isinstance(fact, InitialFact) else True


def _sound_limits(fact: FieldFact) -> bool:
    """Whether what can only be a text is not limited like a number: "the name is at most 50"."""
    return fact.label.lower().split()[-1] not in _TEXTS or all(limit.characters for limit in fact.limits)


def sound_name(phrase: Sequence[str]) -> bool:
    """Say whether the words can name a field: no number, no verb, no preposition that leads them.

    What the brief writes as one identifier, "in_stock", is one word and may begin as it likes; so may "is active".
    """
    phrase = phrase[1:] if len(phrase) > 1 and phrase[0] in {"is", "has"} else phrase
    if not phrase or phrase[0] in _PREPOSITIONS | _FLAGS or set(phrase) & _NEVER_IN_NAMES:
        return False
    return not any(word in _COUNTED or _is_number(word) for word in phrase)


def sound_values(values: Iterable[str]) -> bool:
    """Say whether all are values in words; a list of nothing but numbers is no enumeration of texts."""
    found = [value.lower().split() for value in values if not isinstance(value, Quoted)]
    numeric = [len(value) == 1 and _is_number(value[0]) for value in found]
    plain = not found or not all(numeric)
    return plain and all(sure or _sound_value(value) for sure, value in zip(numeric, found, strict=True))


def sound_part(part: Sequence[Token]) -> bool:
    """Say whether the tokens of one part of a list can be a value."""
    if all(token.kind == "quoted" for token in part):
        return True
    low = [token.low for token in part]
    return (len(low) == 1 and part[0].kind == "number") or _sound_value(low)


def _sound_states(states: Iterable[str]) -> bool:
    return all(_sound_value(state.lower().split()) for state in states)


def _is_number(word: str) -> bool:
    return re.fullmatch(r"[-−+]?\d+(?:[.,]\d+)*%?", word) is not None


def _sound_value(value: list[str]) -> bool:
    if not value or any(_is_number(word) for word in value):
        return False
    if len(value) == 1:
        return len(value[0]) == 1 or value[0] not in _NEVER_ALONE
    if set(value) & (_VERBS | _FLAGS | _COUNTED):
        return False
    first, rest = value[0], value[1:]
    if first in lexicon.STOP | _PREPOSITIONS and first not in _LEADING:
        return False
    return all(_sound_inner(value, index) for index in range(1, len(rest) + 1))


def _sound_inner(value: list[str], index: int) -> bool:
    """Whether a word behind the first can stand in a value: "picked up", "ready for pickup", "in progress"."""
    word, before, last = value[index], value[index - 1], index + 1 == len(value)
    if word not in lexicon.STOP | _PREPOSITIONS:
        return True
    if last:
        return word in _PARTICLES and (words.is_participle(before) or before.endswith("ed"))
    return word in _BINDING and before in _BOUND
