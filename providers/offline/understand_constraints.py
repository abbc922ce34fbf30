"""What is said of named fields in sentences: "the ISBN must be unique", "no two members share an email address"."""

from __future__ import annotations

from dataclasses import replace

from providers.offline import lexicon, words
from providers.offline.understand_clauses import Clause
from providers.offline.understand_facts import Fact, FieldFact, InitialFact, RelationFact, bare_phrase
from providers.offline.understand_fields import (
    LONGEST_FIELD,
    Scene,
    field_fact,
    known_field,
    listed_fields,
    subject_entity,
)
from providers.offline.understand_qualities import Qualities, read_qualities, values_at
from providers.offline.understand_tokens import Token, find, split_on
from providers.offline.understand_types import field_name_of


def constraint_clause(clause: Clause, scene: Scene) -> list[Fact] | None:
    """Read what is said of one or several named fields: "the title is required and must be unique"."""
    if not clause.subject or clause.subject[0].low in {"no", "two", "only", "if", "when"}:
        return None
    predicate = list(clause.predicate)
    special = _one_of_noun(clause, scene) or _years_old(clause, scene)
    if special:
        return special
    plain = _plain_predicate(predicate)
    if not plain or not any(token.low in _COPULAS for token in plain[:3]):
        return None
    qualities = read_qualities(plain)
    if qualities.leftover or not qualities.says_anything:
        return None
    if qualities.required and set(clause.low[:2]) & {"may", "can", "could"}:
        qualities.required = False  # "may be given"
    refs = _references(list(clause.subject), scene)
    if qualities.default:  # what a record has where nothing is given: only states have a first one
        first = len(refs) == 1 and refs[0][1][-1] in lexicon.STATE_NOUNS and not (qualities.limits or qualities.values)
        return [InitialFact(refs[0][0], qualities.default)] if first else None
    return [_constrained(ref, qualities, scene) for ref in refs] if refs else None


def _references(subject: list[Token], scene: Scene) -> list[tuple[str, tuple[str, ...]]]:
    """Return the fields that a subject names: "the title and the author", "first and last name"; [] where unclear."""
    parts = split_on(subject, frozenset({",", "and", "both"}))
    first = field_reference(parts[0], scene) if parts else None
    within = replace(scene, entity=first[0], placed=True) if first and len(parts) > 1 else scene
    last = field_reference(parts[-1], within) if parts else None
    if last is None:
        return []
    found: list[tuple[str, tuple[str, ...]]] = []
    for part in parts[:-1]:
        shared = (*bare_phrase(part), last[1][-1])
        if len(part) <= 2 and known_field(shared, replace(scene, entity=last[0])):
            found.append((last[0], shared))
            continue
        ref = field_reference(part, replace(within, entity=last[0]))
        if ref is None:
            return []
        found.append(ref)
    return [*found, last]


def all_clause(clause: Clause, scene: Scene) -> list[Fact] | None:
    """Read "all of them are required", "all fields are mandatory": of the fields just named, or of the whole entity."""
    subject = [token.low for token in clause.subject]
    if (
        not subject
        or subject[0] not in {"all", "both"}
        or set(subject) - {"all", "both", "of", "them", "these", "fields", "the", "its"}
    ):
        return None
    fields = list(scene.recent)
    if subject[-1] == "fields" and scene.entity:
        fields = [(scene.entity, name) for name in sorted(scene.names.fields.get(scene.entity, ()))]
    qualities = read_qualities(_plain_predicate(list(clause.predicate)))
    if not fields or qualities.leftover or qualities.required is None or qualities.limits or qualities.values:
        return None
    return [_constrained((entity, tuple(name.split("_"))), qualities, scene) for entity, name in fields]


def _one_of_noun(clause: Clause, scene: Scene) -> list[Fact] | None:
    """Read "each permit lies in one of the zones north, south or centre"."""
    low = list(clause.low)
    at = next((index for index in range(len(low) - 2) if low[index : index + 2] == ["one", "of"]), -1)
    entity = subject_entity(clause.subject, scene) if 0 < at <= 3 else ""
    rest = [token for token in clause.predicate[at + 2 :] if token.low not in {"the", "these", "following", ":"}]
    if not entity or len(rest) < 3 or not words.is_plural(rest[0].low):
        return None
    values, end = values_at(rest, 1)
    if len(values) < 2 or end < len(rest):
        return None
    name = words.singular(rest[0].low)
    return [FieldFact(entity, words.field_name(name), name, "string", values=values)]


def _years_old(clause: Clause, scene: Scene) -> list[Fact] | None:
    """Read "pupils must be at least 5 years old"."""
    entity = subject_entity(clause.subject, scene)
    predicate = list(clause.predicate)
    if not entity or clause.low[-1:] != ("old",):
        return None
    qualities = read_qualities(_plain_predicate(predicate[:-1]), values_allowed=False)
    if qualities.leftover or not qualities.limits:
        return None
    return [FieldFact(entity, "age", "age", "integer", limits=tuple(qualities.limits))]


def verb_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "tickets cost between 5 and 500 euros", "a lesson lasts at most 90 minutes"."""
    at = find(tokens, frozenset(lexicon.FIELD_VERBS))
    if not 0 < at <= 5:
        return None
    subject = [token for token in tokens[:at] if token.low not in lexicon.MODAL]
    entity = subject_entity(tuple(subject), scene)
    qualities = read_qualities(tokens[at + 1 :], values_allowed=False)
    if not entity or qualities.leftover or not qualities.limits or len(subject) < at - 1:
        return None
    choices = lexicon.FIELD_VERBS[tokens[at].low]
    name = next((name for name in choices if name in scene.names.fields.get(entity, ())), choices[0])
    return [_constrained((entity, (name,)), qualities, scene)]


def identifying_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "the SKU identifies a product (uniquely)"."""
    at = find(tokens, frozenset({"identifies"}))
    rest = [token for token in tokens[at + 1 :] if token.low not in {"uniquely", "exactly", "one", "clearly"}]
    entity = scene.names.exact(bare_phrase(rest)) if at > 0 and rest else None
    ref = field_reference(tokens[:at], replace(scene, entity=entity, placed=True)) if entity else None
    return [_constrained(ref, Qualities(required=True, unique=True), scene)] if ref and ref[0] == entity else None


_COPULAS = frozenset(
    "be is are was lie lies exceed exceeds have has range ranges run runs go goes default defaults contain contains".split()
)


def _plain_predicate(predicate: list[Token]) -> list[Token]:
    """Remove the words that carry no quality: modals, copulas, "its value"."""
    start = 0
    while start < len(predicate) and predicate[start].low in (lexicon.MODAL - {"need", "needs"}) | {
        "always",
        "also",
        "only",
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
    return _plain_reference(tokens, phrase, scene)


def _plain_reference(tokens: list[Token], phrase: tuple[str, ...], scene: Scene) -> tuple[str, tuple[str, ...]] | None:
    if known_field(phrase, scene):
        return scene.entity, phrase
    owner = scene.names.owner(field_name_of(phrase)) or scene.names.owner(field_name_of(phrase, plural=False))
    if owner and not scene.names.exact(phrase):
        return owner, phrase
    prefixed = scene.names.prefix(phrase)
    if prefixed:
        return _checked(*prefixed)
    if scene.names.resolve(phrase):
        return None
    # A field that was never named: only what "the" or "its" points back to belongs to the entity spoken of just before.
    common = phrase[-1] in lexicon.FIELD_TYPES and not words.is_plural(phrase[-1])
    new = tokens[0].low in {"a", "an", "each", "every"}
    back = tokens[0].low in {"the", "its", "their", "this", "der", "die", "das"} or (common and not new)
    pointed = scene.placed or (scene.near and back)
    return _checked(scene.entity, phrase) if scene.entity and pointed else None


def _checked(entity: str, phrase: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    stop = lexicon.STOP - {"of", "in", "on", "at", "up", "first", "last"}
    good = phrase and len(phrase) <= LONGEST_FIELD and not set(phrase) & stop
    return (entity, phrase) if good and words.singular(phrase[-1]) not in lexicon.NO_VALUES else None


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
    within = replace(scene, entity=entity, required=None, plural=True)
    return field_fact(name, phrase, within, qualities, known=known_field(phrase, within))


def same_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "no two books may share the same ISBN", "two members cannot have the same email address"."""
    low = [token.low for token in tokens]
    verb = find(tokens, frozenset({"have", "share", "use"}))
    same = _shared_at(low, verb)
    if same < 0 or "two" not in low[:2]:
        return None
    if set(low[same + 1 :]) & {"and", "but", ";", ",", "at", "on", "within", "per", "for"}:
        return None
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


def _shared_at(low: list[str], verb: int) -> int:
    """Return where "the same" stands, or the article of "share an email"; -1 where neither does."""
    if "same" in low:
        return low.index("same")
    shared = verb > 0 and low[verb] == "share" and low[verb + 1 : verb + 2] in (["a"], ["an"], ["one"])
    return verb + 1 if shared else -1


_REFUSING = frozenset(
    """is are be can could may must shall not never rejected refused invalid forbidden impossible allowed exist created saved
    added stored accepted possible valid permitted""".split()
)


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
    beside = [*tokens[len(subject) : at], *tokens[end:]]
    if not entity or any(token.low not in _REFUSING for token in beside):
        return None
    rest = [
        [token for token in part if token.low != "or"] for part in split_on(tokens[at + 1 : end], frozenset({"or"}))
    ]
    found = [listed_fields(part, replace(scene, entity=entity, required=True)) for part in rest]
    return [fact for facts in found for fact in facts or []] if found and all(found) else None
