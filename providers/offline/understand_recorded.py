"""Records described from outside: "for each book we store the title and the author"."""

from __future__ import annotations

from dataclasses import replace

from providers.offline import lexicon
from providers.offline.understand_facts import Fact, FieldFact, bare_phrase
from providers.offline.understand_fields import Scene, listed_fields
from providers.offline.understand_tokens import Token, find, starts

_VERBS = frozenset(
    "store stores record records keep keeps save saves capture captures need needs know note register registers track tracks".split()
)
_STORED = frozenset("stored recorded saved kept captured registered described identified".split())
_SHORT = 4


def recorded_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "for each book we store …", "we record the title and year of each book", "a book is stored with its title"."""
    return _for_each(tokens, scene) or _of_each(tokens, scene) or _stored_with(tokens, scene)


def added_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "please add a publisher to the book": a field that an entity is to have."""
    tokens = tokens[1:] if tokens and tokens[0].low == "please" else tokens
    to = find(tokens, frozenset({"to"}))
    if to < _SHORT - 2 or tokens[0].low not in {"add", "give"}:
        return None
    entity = scene.names.exact(bare_phrase(tokens[to + 1 :]))
    if not entity or scene.names.resolve(bare_phrase(tokens[1:to])):
        return None
    return listed_fields(tokens[1:to], replace(scene, entity=entity, required=None))


def _for_each(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    if (
        len(tokens) < _SHORT
        or tokens[0].low not in {"for", "of", "about"}
        or tokens[1].low not in {"each", "every", "a", "an", "all"}
    ):
        return None
    verb = find(tokens, _VERBS | _STORED | {"has", "have"})
    subject = next(
        (
            index
            for index, token in enumerate(tokens)
            if index > 1 and token.low in {",", "we", "the", "it", "i", "there"}
        ),
        -1,
    )
    if verb < 0 or not 1 < subject <= verb:
        return None
    entity = scene.names.exact(bare_phrase(tokens[2:subject]))
    if not entity:
        return None
    if tokens[verb].low in _STORED:
        middle = [token for token in tokens[subject:verb] if token.low not in lexicon.MODAL | lexicon.BE | {"be"}]
        middle = middle[1:] if middle and middle[0].low == "," else middle
        return listed_fields(middle, replace(scene, entity=entity, required=_demanded(tokens[subject:verb])))
    rest = tokens[verb + 1 :]
    rest = rest[1:] if rest and rest[0].low in {":", "to"} else rest
    return listed_fields(rest, replace(scene, entity=entity, required=_demanded(tokens[subject:verb])))


def _demanded(tokens: list[Token]) -> bool | None:
    return True if any(token.low in {"must", "shall"} for token in tokens) else None


def _of_each(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    verb = find(tokens, _VERBS)
    of = max((index for index, token in enumerate(tokens) if token.low in {"of", "for"}), default=-1)
    if not 0 < verb < of or len(tokens) < of + 2 or tokens[of + 1].low not in {"each", "every", "a", "an", "all"}:
        return None
    if {token.low for token in tokens[:verb]} & (lexicon.NOT | {"can", "may", "only"}):
        return None
    entity = scene.names.exact(bare_phrase(tokens[of + 1 :]))
    return (
        listed_fields(tokens[verb + 1 : of], replace(scene, entity=entity, required=_demanded(tokens[:verb])))
        if entity
        else None
    )


def _stored_with(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    at = next(
        (i for i in range(1, len(tokens) - 2) if tokens[i].low in _STORED and tokens[i + 1].low in {"with", "by"}), -1
    )
    if at < 0 or (starts(tokens, at - 1, ("not",))):
        return None
    subject = [token for token in tokens[:at] if token.low not in lexicon.MODAL | lexicon.BE | {"be", "always"}]
    entity = scene.names.exact(bare_phrase(subject))
    rest = tokens[at + 2 :]
    identified = tokens[at].low == "identified"
    found = (
        listed_fields(rest, replace(scene, entity=entity, required=True if identified else _demanded(tokens[:at])))
        if entity
        else None
    )
    if found and identified and len(found) == 1:
        return [replace(fact, unique=True) for fact in found if isinstance(fact, FieldFact)] or found
    return found
