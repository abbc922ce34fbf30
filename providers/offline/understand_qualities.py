"""What is said of a field: required, optional, unique, a type, limits, allowed values, a default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from providers.offline import lexicon
from providers.offline.understand_guard import Quoted, sound_part
from providers.offline.understand_limits import Limit, limit_at
from providers.offline.understand_tokens import Token, find, split_on, starts

_LIST_MARKS = frozenset({",", "/", "|", "or", "and", ";", "、", "bzw"})
_LONGEST_VALUE = 4
_ENDS = frozenset({")", ".", ";", "]"})
_REQUIRED = (
    *(("be", "stored"), ("be", "recorded"), ("be", "saved"), ("be", "known"), ("be", "captured")),
    *(
        ("required",),
        ("mandatory",),
        ("compulsory",),
        ("obligatory",),
        ("needed",),
        ("not", "empty"),
        ("not", "blank"),
        ("non-empty",),
    ),
    *(
        ("not", "be", "empty"),
        ("not", "be", "blank"),
        ("not", "be", "missing"),
        ("not", "be", "left", "empty"),
        ("not", "be", "null"),
    ),
    *(
        ("not", "be", "left", "blank"),
        ("be", "present"),
        ("be", "given"),
        ("be", "provided"),
        ("be", "set"),
        ("be", "specified"),
    ),
    *(
        ("be", "filled", "in"),
        ("be", "entered"),
        ("be", "filled"),
        ("not", "null"),
        ("not", "be", "omitted"),
        ("be", "supplied"),
    ),
    *(
        ("not", "missing"),
        ("always", "present"),
        ("always", "given"),
        ("always", "set"),
        ("nonempty",),
        ("be", "stated"),
    ),
)
_OPTIONAL = (
    ("optional",),
    ("optionally",),
    ("not", "required"),
    ("not", "mandatory"),
    ("may", "be", "empty"),
    ("can", "be", "empty"),
)
_OPTIONAL_MORE = (
    ("may", "be", "left", "empty"),
    ("be", "left", "empty"),
    ("be", "empty"),
    ("if", "any"),
    ("if", "known"),
    ("if", "given"),
    ("if", "present"),
    ("if", "set"),
    ("be", "missing"),
)
_UNIQUE = (
    *(
        ("unique",),
        ("uniquely",),
        ("distinct",),
        ("only", "once"),
        ("not", "be", "used", "twice"),
        ("not", "repeat"),
        ("not", "be", "shared"),
    ),
    *(
        ("not", "be", "duplicated"),
        ("not", "be", "reused"),
        ("no", "duplicates"),
        ("not", "occur", "twice"),
        ("not", "appear", "twice"),
    ),
    *(("not", "be", "taken", "twice"), ("not", "exist", "twice"), ("not", "be", "repeated"), ("used", "only", "once")),
)
_ONE_OF = (
    ("one", "of"),
    ("either",),
    ("any", "of"),
    ("among",),
    ("from", "the", "list"),
    ("limited", "to"),
    ("one", "of", "these"),
)
_VALUE_LABELS = (
    ("allowed", "values"),
    ("possible", "values"),
    ("values",),
    ("choices",),
    ("options",),
    ("allowed",),
    ("enum",),
)
_DEFAULT = (
    ("default", "is"),
    ("defaults", "to"),
    ("default", "to"),
    ("by", "default"),
    ("default",),
    ("initially",),
    ("starts", "as"),
)
_TYPE_PHRASES = tuple(
    sorted((tuple(text.split()) for text in lexicon.TYPE_WORDS), key=lambda phrase: (-len(phrase), phrase))
)
_FILLERS = frozenset(
    """is are be must shall should has have to it they that which who a an the of with value values and always also as in
    field fields single type both whose will then lie lies run runs ranges range goes inclusive , : - – ( ) [ ] . ; = per_item simply exactly itself each""".split()
)
_UNITS = frozenset({"in", "per"})
_WORDS_OF_FLAGS = frozenset({"required", "mandatory", "optional", "unique", "default", "either"})
_EXAMPLES = (("e.g",), ("for", "example"), ("such", "as"), ("i.e",), ("for", "instance"))


@dataclass
class Qualities:
    """What was read. `leftover` holds the words that nothing could be made of."""

    required: bool | None = None
    unique: bool = False
    type: str = ""
    limits: list[Limit] = field(default_factory=list)
    values: tuple[str, ...] = ()
    default: str = ""
    leftover: list[Token] = field(default_factory=list)

    @property
    def says_anything(self) -> bool:
        """Whether at least one quality was read."""
        return bool(self.unique or self.type or self.limits or self.values or self.default) or self.required is not None


def read_qualities(tokens: list[Token], *, values_allowed: bool = True) -> Qualities:
    """Read everything that the tokens say of a field."""
    found = Qualities()
    index = 0
    steps: tuple[Callable[[list[Token], int, Qualities], int], ...] = (
        _no_rule,
        _flag,
        _limit,
        _default,
        _one_of,
        _type,
        _example,
        _unit,
    )
    while index < len(tokens):
        end = next((end for step in steps if (end := step(tokens, index, found))), 0)
        if not end and values_allowed and not found.values:
            end = _bare_values(tokens, index, found)
        if not end:
            if tokens[index].low not in _FILLERS:
                found.leftover.append(tokens[index])
            end = index + 1
        index = end
    if any(limit.characters for limit in found.limits):  # "at least 10 and at most 500 characters"
        found.limits = [limit if limit.unit else replace(limit, characters=True) for limit in found.limits]
    return found


def _any(tokens: list[Token], index: int, phrases: tuple[tuple[str, ...], ...]) -> int:
    return max((index + len(phrase) for phrase in phrases if starts(tokens, index, phrase)), default=0)


def _flag(tokens: list[Token], index: int, found: Qualities) -> int:
    optional = _any(tokens, index, _OPTIONAL) or _any(tokens, index, _OPTIONAL_MORE)
    required = _any(tokens, index, _REQUIRED)
    unique = _any(tokens, index, _UNIQUE)
    if (
        unique
        and unique < len(tokens)
        and tokens[unique].low in {"per", "within", "for", "across", "in", "among", "by"}
    ):
        return 0  # unique within something is another rule than unique
    if required > optional:
        found.required = True
    elif optional:
        found.required = False
    elif unique:
        found.unique = True
    return max(optional, required, unique)


def _limit(tokens: list[Token], index: int, found: Qualities) -> int:
    at = limit_at(tokens, index)
    if at is None:
        return 0
    found.limits.append(at[0])
    return _past_unit(tokens, at[1])


def _past_unit(tokens: list[Token], index: int) -> int:
    """Step over one plain noun that an amount counts: "1 to 40 people"."""
    if index >= len(tokens) or tokens[index].kind != "word":
        return index
    low = tokens[index].low
    known = (
        low in lexicon.STOP
        or low in lexicon.MODAL
        or low in _FILLERS
        or low in lexicon.TYPE_WORDS
        or low in _WORDS_OF_FLAGS
    )
    ends = index + 1 == len(tokens) or tokens[index + 1].kind == "mark" or tokens[index + 1].low in {"and", "or", "but"}
    return (
        index + 1
        if ends
        and not known
        and not any(starts(tokens, index, phrase) for phrase in (*_REQUIRED, *_OPTIONAL, *_UNIQUE))
        else index
    )


def _default(tokens: list[Token], index: int, found: Qualities) -> int:
    start = _any(tokens, index, _DEFAULT)
    if not start:
        return 0
    while start < len(tokens) and tokens[start].low in {"is", ":", "to", "a", "an", "the", "=", "set"}:
        start += 1
    if start >= len(tokens) or tokens[start].kind not in {"word", "number", "quoted"}:
        return 0
    found.default = tokens[start].text
    return start + 1


def _one_of(tokens: list[Token], index: int, found: Qualities) -> int:
    start = _any(tokens, index, _ONE_OF) or _any(tokens, index, _VALUE_LABELS)
    if not start:
        return 0
    while start < len(tokens) and tokens[start].low in {
        ":",
        "the",
        "following",
        "values",
        "are",
        "these",
        "is",
        "(",
        "states",
    }:
        start += 1
    values, end = values_at(tokens, start)
    if not values:
        return 0
    found.values = values
    return end


_NO_RULES = (("may", "be", "negative"), ("can", "be", "negative"), ("may", "be", "zero"), ("can", "be", "zero"))


def _no_rule(tokens: list[Token], index: int, _found: Qualities) -> int:
    """May be negative: what a number may be anyway."""
    return _any(tokens, index, _NO_RULES)


def _type(tokens: list[Token], index: int, found: Qualities) -> int:
    start = index + 1 if starts(tokens, index, ("valid",)) else index
    for phrase in _TYPE_PHRASES:
        if starts(tokens, start, phrase):
            found.type = found.type or lexicon.TYPE_WORDS[" ".join(phrase)]
            return start + len(phrase)
    return 0


def _example(tokens: list[Token], index: int, _found: Qualities) -> int:
    if not _any(tokens, index, _EXAMPLES):
        return 0
    end = find(tokens, frozenset({")", ";"}), index)
    return len(tokens) if end < 0 else end


def _unit(tokens: list[Token], index: int, _found: Qualities) -> int:
    """In euros, in minutes: a unit, not a rule."""
    words = [token for token in tokens[index : index + 3] if token.low not in {"square", "cubic"}]
    if len(words) > 1 and words[0].low in _UNITS and words[1].low in lexicon.UNITS | lexicon.MONEY:
        _found.type = _found.type or ("number" if words[1].low in lexicon.MONEY else "")
        return index + 2 + (tokens[index + 1].low in {"square", "cubic"})
    return index + 1 if tokens[index].low in lexicon.UNITS else 0


def _bare_values(tokens: list[Token], index: int, found: Qualities) -> int:
    """Draft, published or archived: a list of short values, only where nothing else can be read from it."""
    if not index or tokens[index - 1].low not in {"(", "[", ":", "=", "be", "is", "are", "–", "-", "either"}:
        return 0
    values, end = values_at(tokens, index)
    if len(values) < 2 or (end < len(tokens) and not _ends_values(tokens, end, index)):
        return 0
    if any(_is_quality(value) for value in values):
        return 0
    found.values = values
    return end


def _is_quality(value: str) -> bool:
    words = tuple(value.lower().split())
    flags = (*_REQUIRED, *_OPTIONAL, *_UNIQUE)
    return words in flags or " ".join(words) in lexicon.TYPE_WORDS or bool(set(words) & _NEVER_VALUES)


_NEVER_VALUES = lexicon.MODAL | lexicon.BE | lexicon.HAS | lexicon.SUBORDINATE | {"be", "than"}


def _ends_values(tokens: list[Token], at: int, start: int) -> bool:
    """Whether a list of values ends: at a bracket or stop, and where ", default open" says something else."""
    mark = tokens[at].kind == "mark" and (tokens[at].low in _ENDS or (tokens[at].low == "(" and at > start))
    return mark or (at > start and tokens[at].low in _AFTER_VALUES and tokens[at - 1].low == ",")


_AFTER_VALUES = frozenset("default defaults required mandatory optional unique".split())


def values_at(tokens: list[Token], index: int) -> tuple[tuple[str, ...], int]:
    """Read a list of values from the index on; return them and where the list ends."""
    end = next((at for at in range(index, len(tokens)) if _ends_values(tokens, at, index)), len(tokens))
    parts = split_on(tokens[index:end], _LIST_MARKS)
    values: list[str] = []
    for part in parts:
        said = [token for token in part if token.low not in {"a", "an", "the"}] if len(part) > 1 else part
        text = " ".join(token.text for token in said)
        plain = all(token.kind in {"word", "number", "quoted"} or token.low in {"-", "%", "+"} for token in part)
        if not text or not plain or len(part) > _LONGEST_VALUE or not sound_part(said):
            return (), index
        values.append(Quoted(text) if all(token.kind == "quoted" for token in said) else text)
    unique = tuple(dict.fromkeys(values))
    return (unique, end) if unique else ((), index)
