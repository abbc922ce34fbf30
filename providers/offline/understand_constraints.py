"""What is said of named fields in sentences: "the ISBN must be unique", "no two members share an email address"."""

from __future__ import annotations

from dataclasses import replace

from providers.offline import lexicon
from providers.offline.understand_clauses import Clause
from providers.offline.understand_facts import Fact, RelationFact, bare_phrase
from providers.offline.understand_fields import LONGEST_FIELD, Scene, field_fact, field_name_of, listed_fields
from providers.offline.understand_qualities import Qualities, read_qualities
from providers.offline.understand_tokens import Token, find, split_on


def constraint_clause(clause: Clause, scene: Scene) -> list[Fact] | None:
    """Read what is said of one or several named fields: "the title is required and must be unique"."""
    if not clause.subject or clause.subject[0].low in {"no", "two", "only", "if", "when"}:
        return None
    predicate = list(clause.predicate)
    qualities = read_qualities(_plain_predicate(predicate))
    if qualities.leftover or not qualities.says_anything:
        return None
    refs = [
        field_reference(part, scene) for part in split_on(list(clause.subject), frozenset({",", "and", "or", "both"}))
    ]
    if not refs or any(ref is None for ref in refs):
        return None
    return [_constrained(ref, qualities, scene) for ref in refs if ref]


def _plain_predicate(predicate: list[Token]) -> list[Token]:
    """Remove the words that carry no quality: modals, copulas, "its value"."""
    start = 0
    while start < len(predicate) and predicate[start].low in (lexicon.MODAL - {"need", "needs"}) | {
        "always",
        "also",
        "only",
        "have",
    }:
        start += 1
    rest = predicate[start:]
    return [Token("be", "be", "word"), *rest[1:]] if rest and rest[0].low in {"is", "are", "was"} else rest


def field_reference(tokens: list[Token], scene: Scene) -> tuple[str, tuple[str, ...]] | None:
    """Return (entity, words of the field) for "the title", "the price of a product", "a book's title", "book title"."""
    possessive = find(tokens, frozenset({"'s", "its", "their"}))
    if possessive > 0:
        owner = scene.names.exact(bare_phrase(tokens[:possessive]))
        return (owner, bare_phrase(tokens[possessive + 1 :])) if owner and tokens[possessive + 1 :] else None
    last_of = max((index for index, token in enumerate(tokens) if token.low in {"of", "for", "in"}), default=-1)
    if last_of > 0:
        owner = scene.names.exact(bare_phrase(tokens[last_of + 1 :]))
        if owner:
            return _checked(owner, bare_phrase(tokens[:last_of]))
    phrase = bare_phrase(tokens)
    if not phrase or any(token.kind not in {"word", "quoted"} for token in tokens):
        return None
    return _plain_reference(phrase, scene)


def _plain_reference(phrase: tuple[str, ...], scene: Scene) -> tuple[str, tuple[str, ...]] | None:
    name = field_name_of(phrase)
    if name in scene.names.fields.get(scene.entity, ()):
        return scene.entity, phrase
    owner = scene.names.owner(name)
    if owner and not scene.names.exact(phrase):
        return owner, phrase
    prefixed = scene.names.prefix(phrase)
    if prefixed:
        return _checked(*prefixed)
    if scene.names.resolve(phrase):
        return None
    return _checked(scene.entity, phrase) if scene.entity else None


def _checked(entity: str, phrase: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    stop = lexicon.STOP - {"of", "in", "on", "at", "up", "first", "last"}
    return (entity, phrase) if phrase and len(phrase) <= LONGEST_FIELD and not set(phrase) & stop else None


def _constrained(ref: tuple[str, tuple[str, ...]], qualities: Qualities, scene: Scene) -> Fact:
    entity, phrase = ref
    related = scene.names.resolve(phrase)
    if (
        related
        and f"{related[0]}_id" in scene.names.fields.get(entity, ())
        and not (qualities.limits or qualities.values)
    ):
        return RelationFact(entity, related[0], f"{related[0]}_id", qualities.required, unique=qualities.unique)
    name = [Token(word, word, "word") for word in phrase]
    return field_fact(name, phrase, replace(scene, entity=entity, required=None), qualities)


def same_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "no two books may share the same ISBN", "two members cannot have the same email address"."""
    low = [token.low for token in tokens]
    if "same" not in low or "two" not in low[:2]:
        return None
    verb = find(tokens, frozenset({"have", "share", "use"}))
    same = low.index("same")
    denied = low[0] == "no" or bool(set(low[:verb]) & {"not", "never"})
    if verb < 0 or same < verb or not denied:
        return None
    first = low.index("two") + 1
    subject_end = min(
        (index for index, word in enumerate(low) if word in lexicon.MODAL | {"have", "share", "use", "not"}),
        default=verb,
    )
    entity = scene.names.exact(bare_phrase(tokens[first:subject_end]))
    phrase = bare_phrase(tokens[same + 1 :])
    if not entity or not phrase or set(phrase) & (lexicon.STOP - {"of"}):
        return None
    return [_constrained((entity, phrase), Qualities(unique=True), scene)]


def without_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "a book without a title is rejected", "a loan cannot exist without a member"."""
    at = find(tokens, frozenset({"without"}))
    low = {token.low for token in tokens}
    refused = low & {"rejected", "refused", "invalid", "forbidden", "impossible"} or (
        low & {"not", "never"}
        and low
        & {"allowed", "exist", "created", "saved", "added", "stored", "accepted", "possible", "valid", "permitted"}
    )
    if at < 0 or not refused:
        return None
    verb = min((index for index, token in enumerate(tokens) if token.low in lexicon.MODAL | lexicon.BE), default=-1)
    subject = tokens[: min(at, verb)] if verb >= 0 else tokens[:at]
    end = verb if verb > at else len(tokens)
    entity = scene.names.exact(bare_phrase(subject))
    if not entity:
        return None
    rest = [
        [token for token in part if token.low != "or"] for part in split_on(tokens[at + 1 : end], frozenset({"or"}))
    ]
    found = [listed_fields(part, replace(scene, entity=entity, required=True)) for part in rest]
    return [fact for facts in found for fact in facts or []] if found and all(found) else None
