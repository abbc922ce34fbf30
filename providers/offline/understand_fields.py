"""Fields in sentences: "a book has a title and a year", "title (required)", "the ISBN must be unique"."""

from __future__ import annotations

from dataclasses import dataclass, replace

from providers.offline import lexicon, words
from providers.offline.understand_clauses import Clause
from providers.offline.understand_facts import (
    Fact,
    FieldFact,
    InitialFact,
    Names,
    RelationFact,
    UnreadPart,
    bare_phrase,
)
from providers.offline.understand_limits import limit_at
from providers.offline.understand_qualities import Qualities, read_qualities
from providers.offline.understand_tokens import Token, find, split_on, starts, written
from providers.offline.understand_types import field_name_of, infer_type

_SEPARATORS = frozenset({",", ";", "and", "plus", "&", "+"})
_FLAGS = {"required": True, "mandatory": True, "obligatory": True, "optional": False}
_NAME_ENDS = (
    lexicon.BE
    | lexicon.MODAL
    | frozenset(
        {
            "that",
            "which",
            "who",
            "whose",
            "whether",
            "between",
            "at",
            "up",
            "max",
            "maximum",
            "min",
            "minimum",
            "no",
            "not",
            "never",
        }
    )
    | frozenset(
        {
            "greater",
            "less",
            "more",
            "over",
            "under",
            "exactly",
            "with",
            "to",
            "for",
            "required",
            "mandatory",
            "optional",
            "unique",
        }
    )
    | frozenset(
        {
            "if",
            "when",
            "where",
            "default",
            "defaults",
            "as",
            "so",
            "without",
            "above",
            "below",
            "either",
            "one",
            "only",
            "limited",
        }
    )
)
_MANY = (
    ("one", "or", "more"),
    ("zero", "or", "more"),
    ("any", "number", "of"),
    ("a", "number", "of"),
    ("a", "list", "of"),
    ("a", "set", "of"),
)
_MANY_MORE = (
    ("at", "least", "one"),
    ("one", "or", "several"),
    ("a", "collection", "of"),
    ("multiple",),
    ("many",),
    ("several",),
    ("lots", "of"),
)
LONGEST_FIELD = 6
_HAVING = lexicon.HAS | frozenset("needs need requires require consists consist have".split())
_BEFORE_HAVING = lexicon.MODAL | frozenset("always also optionally to".split())
_ONES = frozenset({"one", "single", "exactly", "own", "zero", "or"})


@dataclass(frozen=True)
class Scene:
    """What is known while a sentence is read.

    Attributes:
        names: entities and fields known so far.
        entity: the entity that "it", "its" and list items mean; "" where none is.
        placed: whether a lead-in or a heading names the entity (and not just the sentence before).
        required: whether a field that is merely listed is demanded (None = not said).
        near: whether the sentence or clause just before has the entity as its only subject.
        states: entity -> its states in the order of mention.
        recent: (entity, field) of the fields named just before.
        plural: whether the subject is plural, "members have names", so that a plural field is one value each.
    """

    names: Names
    entity: str = ""
    placed: bool = False
    near: bool = False
    required: bool | None = None
    states: tuple[tuple[str, tuple[str, ...]], ...] = ()
    plural: bool = False
    recent: tuple[tuple[str, str], ...] = ()

    def states_of(self, entity: str) -> tuple[str, ...]:
        """Return the known states of an entity."""
        return next((states for name, states in self.states if name == entity), ())


def listed_fields(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read a list of fields of the scene's entity; a strange part of it alone is not understood.

    Returns:
        The fields and the unread parts; None where no field is read, or where a strange part may speak of the others.
    """
    if not scene.entity:
        return None
    facts: list[Fact] = []
    items = list_items(tokens)
    for item in items:
        found = None if facts and _other_verb(items[0], item) else field_item(item, scene)
        if found is None and not (facts and _strange_alone(item)):
            return None
        facts.extend([UnreadPart(scene.entity, written(item))] if found is None else found)
    return facts or None


def _other_verb(first: list[Token], item: list[Token]) -> bool:
    """Whether a part without an article may be a verb of its own: "has a name and eats 2 kg per day"."""
    low = item[0].low
    noun = low in lexicon.FIELD_TYPES or low in lexicon.PLURAL_FIELDS or not words.is_plural(low)
    return first[0].low in {"a", "an"} and item[0].kind == "word" and not noun and len(item) > 1


def _strange_alone(item: list[Token]) -> bool:
    """Whether a part that is not understood opens with a noun of its own and sets no condition on the others."""
    low = [token.low for token in item]
    noun = low[0] in {"a", "an", "its", "their"} or (item[0].kind == "word" and low[0] not in lexicon.STOP)
    return noun and not set(low) & (_OF_OTHERS | _FLAGS.keys() | lexicon.MODAL | lexicon.OPERATION_FORMS.keys())


_OF_OTHERS = (lexicon.SUBORDINATE - {"that", "which"}) | frozenset(
    "no not never only unless except but all both each every any per across within unique or".split()
)


def list_items(tokens: list[Token]) -> list[list[Token]]:
    """Part a list into its items; a part that only says more of the item before stays with it."""
    items: list[list[Token]] = []
    for part in split_on(_with_ranges_kept(tokens), _SEPARATORS):
        if items and _continues(items[-1], part):
            items[-1] = [*items[-1], Token(",", ",", "mark"), *part]
        else:
            items.append(part)
    return [[replace(token, low="and") if token.low == "\0and" else token for token in item] for item in items]


_REACH = 5


def _with_ranges_kept(tokens: list[Token]) -> list[Token]:
    """Hide the "and" between the two ends of a range from the splitting."""
    hidden = list(tokens)
    for index, token in enumerate(tokens):
        if token.low in {"between", "from"}:
            found = limit_at(tokens, index)
            near = index + _REACH if token.low == "between" else index  # "between small and large"
            for at in range(index, min(len(tokens), found[1] if found else near)):
                if tokens[at].low == "and":
                    hidden[at] = replace(tokens[at], low="\0and")
    return hidden


def _continues(before: list[Token], part: list[Token]) -> bool:
    """Whether a part of a list says more of the item before it, or is a further value of its list of values."""
    first = part[0].low
    if (first in {"a", "an", "the", "its", "their", "optionally"} and len(part) > 1) or _quantity(part)[0]:
        return False
    quality = read_qualities(part, values_allowed=False)
    if _lists_values(before):
        return not quality.says_anything and len(part) <= LONGEST_FIELD
    if first in {"which", "that"} and len(part) > 1 and part[1].low in _COPULAS and len(part) <= LONGEST_FIELD:
        return True  # "a species, which is dog, cat or bird"
    if first in lexicon.TYPE_WORDS and first not in lexicon.TYPES_ONLY:
        return False  # "text up to 200 characters" is a field of that name
    flags = all(token.low in _FLAGS or token.low == "unique" for token in part)
    begins = flags or first in {"which", "that", "default", "defaults"} | lexicon.MODAL or limit_at(part, 0) is not None
    return begins and quality.says_anything and not quality.leftover


_COPULAS = frozenset("is are be can must may".split())


def _lists_values(before: list[Token]) -> bool:
    """Whether an item has begun a list of values that is still open."""
    low = [token.low for token in before]
    relative = next((index for index, word in enumerate(low) if word in {"which", "that"}), -1)
    if relative > 0 and low[relative + 1 : relative + 2] and low[relative + 1] in _COPULAS:
        return not read_qualities(before[relative + 1 :], values_allowed=False).says_anything
    opened = ":" in low[1:-1] and not read_qualities(before[low.index(":") + 1 :], values_allowed=False).says_anything
    return opened or "either" in low or any(low[index : index + 2] == ["one", "of"] for index in range(len(low)))


def field_item(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read one item of a list of fields."""
    tokens = tokens[1:] if tokens and tokens[0].low in {"optionally", "also", "including", "and"} else tokens
    return _whether(tokens[1:], scene) if tokens and tokens[0].low == "whether" else _item(tokens, scene)


def _item(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    counted = not starts(tokens, 0, ("a", "number", "of"))
    many, tokens = _quantity(_without_description(tokens, scene))
    flags, start = _leading(tokens)
    end = _name_end(tokens, start)
    name = [token for token in tokens[start:end] if token.low not in {"the", "a", "an", "its", "'s", "their"}]
    phrase = tuple(token.low for token in name)
    target, rest = referenced(tokens[end:], scene)
    qualities = _lengths(read_qualities(rest))
    # "Must have at least one" counts records: no rule that the product can keep.
    if (many and scene.required) or not _names_field(phrase) or not _explained(qualities, rest):
        return None
    qualities.unique |= flags.unique
    qualities.required = flags.required if qualities.required is None else qualities.required
    related = scene.names.resolve(bare_phrase(name) or phrase)
    plural = bool(related) and words.is_plural(phrase[-1]) and not scene.plural
    if (many and counted and not related) or (plural and scene.required):
        return None  # several values in one field; "must have lines" counts records
    several = (many or plural) or None
    if target and (not related or related[0] != target):
        related = (target, tuple(phrase[:-1] if phrase[-1] == "id" else phrase))
        return _related(related, scene, qualities, many=several, named="_".join(related[1]).removesuffix("_id"))
    if related and "of" not in phrase:
        return _related(related, scene, qualities, many=several)
    return _with_default(field_fact(name, phrase, scene, qualities), phrase, qualities)


def _with_default(fact: FieldFact, phrase: tuple[str, ...], qualities: Qualities) -> list[Fact]:
    """A default is the first state of a state; else nothing that the product keeps."""
    if not qualities.default:
        return [fact]
    if phrase[-1] in lexicon.STATE_NOUNS and qualities.default in qualities.values:
        return [fact, InitialFact(fact.entity, qualities.default)]
    return [fact, UnreadPart(fact.entity, f"{fact.label}: default {qualities.default}")]


_REFERENCES = (
    *(("reference", "to"), ("refers", "to"), ("references",), ("ref", "to"), ("link", "to"), ("belongs", "to")),
    *(("foreign", "key", "to"), ("fk", "to"), ("reference",), ("fk",), ("ref",)),
)


def referenced(tokens: list[Token], scene: Scene) -> tuple[str, list[Token]]:
    """Take "reference to Supplier" or "-> Room" out of what follows a name; "" where no entity is referred to."""
    for index, token in enumerate(tokens):
        phrase = next((phrase for phrase in _REFERENCES if starts(tokens, index, phrase)), None)
        start = index + (1 if token.kind == "arrow" else len(phrase or ()))
        if start == index:
            continue
        end = next((at for at in range(start, len(tokens)) if tokens[at].kind not in {"word", "quoted"}), len(tokens))
        target = scene.names.exact(bare_phrase(tokens[start:end]))
        return (target, [*tokens[:index], *tokens[end:]]) if target else ("", tokens)
    return "", tokens


_WITHIN_NAMES = frozenset("of on at off up first last per".split())


def _names_field(phrase: tuple[str, ...]) -> bool:
    """Whether the words can be the name of a field that holds a value."""
    plain = 0 < len(phrase) <= LONGEST_FIELD and not set(phrase) & (lexicon.STOP - _WITHIN_NAMES)
    return plain and words.singular(phrase[-1]) not in lexicon.NO_VALUES


def _without_description(tokens: list[Token], scene: Scene) -> list[Token]:
    """The vehicle it was given to: an entity and what happened to it; the happening is no rule."""
    at = next((index for index, token in enumerate(tokens) if index and token.low in {"it", "they", "who"}), -1)
    plain = all(token.kind == "word" for token in tokens) and not {token.low for token in tokens} & _DEMANDING
    if at < 0 or not plain or len(tokens) - at > LONGEST_FIELD or not scene.names.exact(bare_phrase(tokens[:at])):
        return tokens
    return tokens[:at]


_DEMANDING = lexicon.MODAL | lexicon.NOT | frozenset("no only if when per unique within required".split())


def _lengths(qualities: Qualities) -> Qualities:
    """Take the bare limits of a field that is said to be a text, "string, 1..60", for lengths."""
    if qualities.type in {"string", "text"}:
        qualities.limits = [limit if limit.unit else replace(limit, characters=True) for limit in qualities.limits]
    return qualities


def _explained(qualities: Qualities, rest: list[Token]) -> bool:
    """Whether what follows a name is understood, or is a remark in brackets that demands nothing."""
    if qualities.type == "enum" and not qualities.values:
        return False
    if not qualities.leftover:
        return True
    if qualities.limits or qualities.values:
        return False
    low = {token.low for token in rest}
    if rest[0].low == "where" and len(rest) <= LONGEST_FIELD and not low & _DEMANDING:
        return not any(token.kind in {"number", "date"} for token in rest)  # "a place where it was found"
    bracketed = bool(rest) and rest[0].low == "(" and rest[-1].low == ")"
    return bracketed and remark(qualities.leftover) and len(rest) <= LONGEST_FIELD


def remark(tokens: list[Token]) -> bool:
    """Whether the tokens demand nothing: no modal, no denial, no condition, no number."""
    numbers = any(token.kind in {"number", "date"} for token in tokens)
    return not numbers and not {token.low for token in tokens} & _DEMANDING


def _quantity(tokens: list[Token]) -> tuple[bool, list[Token]]:
    for phrase in (*_MANY, *_MANY_MORE):
        if starts(tokens, 0, phrase):
            return True, tokens[len(phrase) :]
    return False, tokens


def _leading(tokens: list[Token]) -> tuple[Qualities, int]:
    """Read determiners, adjectives and flags before the name."""
    found, index = Qualities(), 0
    while index < len(tokens) - 1:
        low = tokens[index].low
        if low in _FLAGS and tokens[index + 1].low not in {":", "(", ","}:
            found.required = _FLAGS[low]
        elif low in {"unique", "distinct"}:
            found.unique = True
        elif low not in lexicon.DETERMINERS and low not in lexicon.PLAIN_ADJECTIVES and low not in _ONES:
            break
        index += 1
    return found, index


def _name_end(tokens: list[Token], start: int) -> int:
    for index in range(start, len(tokens)):
        token = tokens[index]
        if token.kind not in {"word", "quoted"} and token.low != "'s":
            return index
        if index > start and token.low in _NAME_ENDS:
            return index
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if token.low in {"of", "from", "in"} and (following is None or _measures(tokens, index + 1)):
            return index
    return len(tokens)


def _measures(tokens: list[Token], index: int) -> bool:
    token = tokens[index]
    return (
        limit_at(tokens, index) is not None
        or token.kind == "number"
        or token.low in lexicon.UNITS | {"square", "cubic"}
    )


def _whether(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    phrase = [
        token
        for token in tokens
        if token.low not in {"it", "they", "is", "are", "has", "been", "a", "an", "the", "or", "not", "he", "she"}
    ]
    name = words.field_name(" ".join(token.low for token in phrase))
    if not name or len(phrase) > LONGEST_FIELD:
        return None
    return [FieldFact(scene.entity, name, " ".join(token.text for token in phrase), "boolean", scene.required)]


def _related(
    related: tuple[str, tuple[str, ...]], scene: Scene, qualities: Qualities, *, many: bool | None, named: str = ""
) -> list[Fact] | None:
    target, before = related
    role = "_".join(word for word in before if word not in lexicon.ADJECTIVES)
    if qualities.limits or qualities.values or qualities.default:
        return None  # "at most three open loans" counts records: no rule that the product can keep
    if many:
        return [RelationFact(target, scene.entity, f"{scene.entity}_id", None)]
    field = words.field_name(f"{named}_id" if named else f"{role}_{target}_id" if role else f"{target}_id")
    required = scene.required if qualities.required is None else qualities.required
    required = True if required is None else required
    if target == scene.entity:
        field, required = (field if role else f"parent_{target}_id"), False
    return [RelationFact(scene.entity, target, field, required, unique=qualities.unique)]


def field_fact(
    name: list[Token], phrase: tuple[str, ...], scene: Scene, qualities: Qualities, *, known: str = ""
) -> FieldFact:
    """Return the fact that the scene's entity has the field, with what was said of it; `known` where it is meant."""
    identifier = known or _same_field(phrase, scene) or field_name_of(phrase, plural=scene.plural)
    own = any("_" in token.text for token in name)  # the brief's own identifier
    label = identifier.replace("_", " ") if scene.plural and identifier and not own else " ".join(t.text for t in name)
    if not identifier:
        identifier = f"field_{words.letters_of(label)}"
    required = scene.required if qualities.required is None else qualities.required
    kind = (qualities.type if qualities.type != "enum" else "") or infer_type(phrase, qualities)
    limits = tuple(qualities.limits)
    return FieldFact(
        scene.entity, identifier, label, kind, required, qualities.unique, limits, qualities.values, qualities.default
    )


def known_field(phrase: tuple[str, ...], scene: Scene) -> str:
    """Return the entity's field that the words mean, in the singular or as written; "" where there is none."""
    fields = scene.names.fields.get(scene.entity, ())
    names = (field_name_of(phrase, plural=False), field_name_of(phrase, plural=True))
    longer = [field for field in sorted(fields) if any(name and field.endswith(f"_{name}") for name in names)]
    return _same_field(phrase, scene) or (longer[0] if len(longer) == 1 else "")


def _same_field(phrase: tuple[str, ...], scene: Scene) -> str:
    """Return the entity's field of just this name; a list with "number" does not mean its "serial number"."""
    fields = scene.names.fields.get(scene.entity, ())
    names = (field_name_of(phrase, plural=False), field_name_of(phrase, plural=True))
    return next((name for name in names if name in fields), "")


def has_clause(clause: Clause, scene: Scene) -> list[Fact] | None:
    """Read "a book has a title", "every loan must have a due date", "a member may have a phone number"."""
    predicate = list(clause.predicate)
    at = find(predicate, _HAVING if predicate and predicate[0].low not in {"must", "shall"} else _HAVING | lexicon.GIVE)
    if at < 0 or any(token.low not in _BEFORE_HAVING for token in predicate[:at]):
        return None
    entity = subject_entity(clause.subject, scene)
    if not entity:
        return None
    before = {token.low for token in predicate[: at + 1]}
    required: bool | None = None
    if before & {"must", "shall", "needs", "need", "requires", "require"} or "always" in before:
        required = True
    elif before & {"may", "can", "could", "optionally", "might"}:
        required = False
    rest = predicate[at + 1 :]
    rest = rest[1:] if rest and rest[0].low in {"of", ":", "always", "to"} else rest
    rest = rest[2:] if starts(rest, 0, ("the", "following")) else rest
    plural = words.is_plural(clause.subject[-1].low)
    return listed_fields(rest, replace(scene, entity=entity, required=required, plural=plural))


def subject_entity(subject: tuple[Token, ...], scene: Scene) -> str:
    """Return the entity that the subject names, "" where it names none."""
    lows = [token.low for token in subject]
    if lows and lows[-1] in lexicon.PRONOUNS | {"this", "these", "each", "all"} and len(lows) <= 2:
        return scene.entity
    if not lows or lows[0] in {"no", "only", "two", "neither"}:
        return ""
    return scene.names.exact(bare_phrase(subject)) or ""
