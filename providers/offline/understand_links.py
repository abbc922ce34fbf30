"""Relations in sentences: "each loan belongs to a member", "a customer places many orders"."""

from __future__ import annotations

from providers.offline import lexicon, words
from providers.offline.understand_clauses import Clause
from providers.offline.understand_facts import Fact, RelationFact, bare_phrase
from providers.offline.understand_fields import Scene, subject_entity
from providers.offline.understand_tokens import Token, find, split_on, starts

_LINKS = frozenset("belongs belong refers refer references reference".split())
_PREPOSITIONS = frozenset("to by for of in at from with on about under".split())
_MANY = (
    ("many",),
    ("several",),
    ("multiple",),
    ("one", "or", "more"),
    ("zero", "or", "more"),
    ("any", "number", "of"),
    ("at", "least", "one"),
    ("numerous",),
)
# Verbs with a preposition whose objects have one such subject; "attends to", "registers for" and the like may have many.
_KEEPING = {
    (verb, preposition)
    for verbs, preposition in (
        ("cares care responsible", "for"),
        ("consists consist", "of"),
        ("looks look", "after"),
    )
    for verb in verbs.split()
}
_CONFIRMING = frozenset("always also exactly either directly only".split())


def relation_clause(clause: Clause, scene: Scene) -> list[Fact] | None:
    """Read "a loan belongs to a member", "each visit is made by a patient", "a task may be assigned to a person"."""
    predicate = [token for token in clause.predicate if token.low not in _CONFIRMING]
    entity = subject_entity(clause.subject, scene)
    if not entity:
        return None
    modals = [token.low for token in predicate if token.low in lexicon.MODAL | lexicon.NOT]
    if set(modals) & lexicon.NOT:
        return None
    rest = [token for token in predicate if token.low not in modals]
    objects = _objects(rest, allow_by=not set(modals) & {"can", "may", "could"})
    if objects is None:
        return None
    required = not set(modals) & {"can", "may", "could", "might", "should"}
    joints = frozenset({",", "and"}) | ({"for", "by"} if any(token.low == "by" for token in rest) else set())
    facts = [_relation(entity, part, scene, required=required) for part in split_on(objects, joints)]
    return [fact for fact in facts if fact] if facts and all(facts) else None


def _objects(rest: list[Token], *, allow_by: bool) -> list[Token] | None:
    """Return the tokens of what is related to, from a predicate without its modals."""
    if not rest:
        return None
    if rest[0].low in _LINKS:
        return (
            rest[2:]
            if len(rest) > 1 and rest[1].low == "to"
            else (rest[1:] if rest[0].low.startswith("reference") else None)
        )
    if rest[0].low in {"refer", "belong"}:
        return rest[2:] if len(rest) > 1 and rest[1].low == "to" else None
    if rest[0].low not in lexicon.BE | {"be"}:
        return None
    after = 1
    if len(rest) > 2 and (
        words.is_participle(rest[1].low)
        or rest[1].low in {"made", "part", "taught", "given", "held", "run", "led", "written"}
    ):
        after = 2
    if len(rest) > after + 1 and rest[after].low in {"for", "after"} and rest[after + 1].low == "by":
        after += 1  # "cared for by a keeper"
    if len(rest) <= after or rest[after].low not in _PREPOSITIONS or (rest[after].low == "by" and not allow_by):
        return None
    return rest[after + 1 :]


def _relation(entity: str, tokens: list[Token], scene: Scene, *, required: bool) -> Fact | None:
    tokens = [token for token in tokens if token.low not in {"exactly", "one", "single", "existing", "known", "to"}]
    found = scene.names.resolve(bare_phrase(tokens))
    plain = all(token.kind in {"word", "quoted"} for token in tokens)
    if not found or not plain or _plural_object(tokens):
        return None
    target, before = found
    if set(before) & lexicon.STOP or target in lexicon.MACHINE:
        return None
    role = "_".join(word for word in before if word not in lexicon.ADJECTIVES)
    field = words.field_name(f"{role}_{target}_id" if role else f"{target}_id")
    if target == entity:
        return RelationFact(entity, target, field if role else f"parent_{target}_id", required=False)
    return RelationFact(entity, target, field, required)


def _plural_object(tokens: list[Token]) -> bool:
    return bool(tokens) and (tokens[0].low in lexicon.QUANTITIES or tokens[0].kind == "number")


def many_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read subject, verb and many objects: "an author writes many books", "a keeper cares for several animals"."""
    for index in range(1, len(tokens)):
        phrase = next((phrase for phrase in _MANY if starts(tokens, index, phrase)), None)
        if phrase:
            break
    else:
        return None
    before, rest = tokens[:index], tokens[index + len(phrase) :]
    if find(before, lexicon.NOT | {"no"}) >= 0:
        return None
    if phrase[0] in {"one", "at"} and find(before, frozenset({"must", "shall", "needs", "need"})) >= 0:
        return None  # "must have at least one" counts records: no rule that the product can keep
    before = [token for token in before if token.low not in lexicon.MODAL | {"have", "has", "also", "be", "is", "are"}]
    verb = 2 if tuple(token.low for token in before[-2:]) in _KEEPING else 1
    owner = scene.names.exact(bare_phrase(before)) or (
        scene.names.exact(bare_phrase(before[:-verb])) if len(before) > verb else None
    )
    items = [scene.names.exact(bare_phrase(part)) for part in split_on(rest, frozenset({",", "and"}))]
    if not owner or not items or not all(items):
        return None
    return [RelationFact(item, owner, f"{owner}_id", None) for item in items if item and item != owner] or None


def linking_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "an enrolment links a pupil to a course", "a contact works for a company"."""
    at = next((index for index in range(1, min(len(tokens), 6)) if tokens[index].low in lexicon.LINKING), -1)
    if at > 0:
        entity = subject_entity(tuple(tokens[:at]), scene)
        parts = split_on(tokens[at + 1 :], frozenset({"to", "with", "and", "on", "in"}))
        facts = [_relation(entity, part, scene, required=True) for part in parts] if entity and len(parts) == 2 else []
        return [fact for fact in facts if fact] if facts and all(facts) else None
    return _works_for(tokens, scene)


def _works_for(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    for index in range(1, min(len(tokens) - 2, 6)):
        low = tokens[index].low
        verb = low.isalpha() and low.endswith("s") and not low.endswith("ss") and tokens[index].kind == "word"
        if (
            verb
            and tokens[index + 1].low in _PREPOSITIONS
            and tokens[index + 2].low in {"a", "an", "one", "exactly", "the"}
        ):
            entity = subject_entity(tuple(tokens[:index]), scene)
            fact = (
                _relation(entity, tokens[index + 2 :], scene, required=True)
                if entity and not words.is_plural_of(low, entity)
                else None
            )
            return [fact] if fact else None
    return None


def protection_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "a supplier that still has products cannot be deleted": references protect what they refer to."""
    low = [token.low for token in tokens]
    if "not" not in low or not {"deleted", "removed"} & set(low):
        return None
    end = next(
        (index for index, word in enumerate(low) if word in {"that", "which", "with", "who", "can", "must", "may"}), -1
    )
    rest = [token for token in tokens[max(end, 0) :] if token.low not in _PROTECTING]
    target = scene.names.exact(bare_phrase(tokens[:end])) if end > 0 and low[0] not in {"only", "no"} else None
    other = scene.names.exact(bare_phrase(rest)) if target and rest else None
    if not target or not other or f"{target}_id" not in scene.names.fields.get(other, ()):
        return None
    return [RelationFact(other, target, f"{target}_id")]


_PROTECTING = frozenset(
    """that which who with still has have can must may not be deleted removed if when while as long it they there are any
    exist belong belongs refer refers to is open""".split()
) - {"open"}
