"""Amounts and limits in English: "between 1 and 10", "at most 200 characters", "no longer than", "positive"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from providers.offline import lexicon
from providers.offline.understand_tokens import Token, starts

EXCLUSIVE_STEP = 0.01
"""What "more than 0" means for a decimal number: two places are assumed, as with money."""


@dataclass(frozen=True)
class Limit:
    """A limit as said. `open_low` and `open_high` mark bounds that are not part of the range themselves."""

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    characters: bool = False
    unit: str = ""
    decimal: bool = False

    def bounds(self, *, whole: bool) -> tuple[float | None, float | None]:
        """Return the inclusive bounds for whole or decimal numbers."""
        step = 1.0 if whole else EXCLUSIVE_STEP
        low = self.low + step if self.low is not None and self.open_low else self.low
        high = self.high - step if self.high is not None and self.open_high else self.high
        return (None if low is None else round(low, 6), None if high is None else round(high, 6))


def _phrases(text: str) -> tuple[tuple[str, ...], ...]:
    found = {tuple(phrase.split()) for phrase in text.split("|")}
    return tuple(sorted(found, key=lambda phrase: (-len(phrase), phrase)))


def _denied(text: str) -> str:
    return "|".join(
        f"{word} {phrase}" for word in ("no", "not", "never", "not be", "never be") for phrase in text.split("|")
    )


_MORE = "more than|greater than|over|above|larger than|higher than|bigger than|longer than|exceed|exceeding|later than"
_LESS = "less than|fewer than|under|below|smaller than|lower than|shorter than|beneath"
_AT_MOST = _phrases(
    "at most|up to|maximum of|a maximum of|maximum|max of|max|≤|<=|less than or equal to|limited to|at the most|cannot exceed|"
    + _denied(_MORE)
)
_AT_LEAST = _phrases(
    "at least|minimum of|a minimum of|minimum|min of|min|≥|>=|greater than or equal to|more than or equal to|at the least|"
    + _denied(_LESS)
)
_BELOW = _phrases(_LESS + "|<")
_ABOVE = _phrases(_MORE + "|>")
_EXACTLY = _phrases("exactly|precisely")
_TO = frozenset({"to", "-", "–", "—", "and", "until", "through", "till"})
_AFTER_AT_MOST = _phrases(
    "or less|or fewer|or below|or under|or lower|or shorter|at most|maximum|max|and below|at the most|or smaller"
)
_AFTER_AT_LEAST = _phrases(
    "or more|or above|or greater|or higher|and above|and up|or over|at least|minimum|min|or longer|+|and more|or larger"
)
_MONEY = frozenset("€ $ £ ¥ eur usd gbp chf".split())
_SCALE = {"thousand": 1_000.0, "million": 1_000_000.0}
_TAILS = frozenset({"long", "inclusive", "(inclusive)", "in", "length", "only", "each", "altogether"})
_LENGTH_WORDS = lexicon.CHARACTER_UNITS | {"digits", "digit"}

_WORDS: dict[tuple[str, ...], Limit] = {
    ("positive",): Limit(low=0.0, open_low=True),
    ("greater", "than", "zero"): Limit(low=0.0, open_low=True),
    ("non-negative",): Limit(low=0.0),
    ("nonnegative",): Limit(low=0.0),
    ("not", "negative"): Limit(low=0.0),
    ("not", "be", "negative"): Limit(low=0.0),
    ("never", "negative"): Limit(low=0.0),
    ("never", "be", "negative"): Limit(low=0.0),
    ("not", "go", "below", "zero"): Limit(low=0.0),
    ("not", "below", "zero"): Limit(low=0.0),
}


def amount(tokens: list[Token], index: int) -> tuple[float, int] | None:
    """Return the number at the index and where it ends."""
    while index < len(tokens) and tokens[index].low in _MONEY:
        index += 1
    if index >= len(tokens):
        return None
    token = tokens[index]
    if token.kind == "number":
        value = token.number
    elif token.kind == "word" and token.low in lexicon.NUMBER_WORDS:
        value = float(lexicon.NUMBER_WORDS[token.low])
    else:
        return None
    scale = _SCALE.get(tokens[index + 1].low) if index + 1 < len(tokens) else None
    return (value * scale, index + 2) if scale else (value, index + 1)


def limit_at(tokens: list[Token], index: int) -> tuple[Limit, int] | None:
    """Return the limit that stands at the index and where it ends; None where none does."""
    for phrase, limit in _WORDS.items():
        if starts(tokens, index, phrase):
            return _with_tail(tokens, index + len(phrase), limit)
    found = _range(tokens, index) or _one_sided(tokens, index) or _trailing(tokens, index)
    if found is None:
        return None
    limit, end = _with_tail(tokens, found[1], found[0])
    return replace(limit, decimal=any(_decimal(token) for token in tokens[index:end])), end


def _decimal(token: Token) -> bool:
    return token.kind == "number" and re.search(r"[.,]\d{1,2}$", token.text) is not None


def _range(tokens: list[Token], index: int) -> tuple[Limit, int] | None:
    if index < len(tokens) and tokens[index].low in {"between", "from", "range", "ranges", "ranging", "within"}:
        index += 1
        if index < len(tokens) and tokens[index].low in {"from", "of", "between"}:
            index += 1
    first = amount(tokens, index)
    if first is None:
        return None
    index = _past_aside(tokens, _past_units(tokens, first[1]))
    if starts(tokens, index, (".", ".")):
        index += 1
    elif index >= len(tokens) or tokens[index].low not in _TO:
        return None
    second = amount(tokens, index + 1)
    if second is None or second[0] < first[0]:
        return None
    return Limit(low=first[0], high=second[0]), _past_aside(tokens, second[1])


def _past_aside(tokens: list[Token], index: int) -> int:
    """Step over what an end of a scale means: 1 (low) to 5 (urgent)."""
    aside = starts(tokens, index, ("(",)) and index + 2 < len(tokens) and tokens[index + 2].low == ")"
    plain = aside and tokens[index + 1].kind in {"word", "quoted"} and tokens[index + 1].low not in _SAID_IN_BRACKETS
    return index + 3 if plain else index


_SAID_IN_BRACKETS = lexicon.UNITS | _LENGTH_WORDS | frozenset("required optional mandatory unique exclusive".split())
"""What says more of the field than what an end of its scale means."""


def _one_sided(tokens: list[Token], index: int) -> tuple[Limit, int] | None:
    for phrases, side in (
        (_AT_MOST, "most"),
        (_AT_LEAST, "least"),
        (_BELOW, "below"),
        (_ABOVE, "above"),
        (_EXACTLY, "exactly"),
    ):
        end = _match(tokens, index, phrases)
        if end:
            found = amount(tokens, _past(tokens, end, {"of", ":", "the", "is", "="}))
            if found:
                return _limit(side, found[0]), found[1]
    return None


def _limit(side: str, value: float) -> Limit:
    low = value if side in {"least", "above", "exactly"} else None
    high = value if side in {"most", "below", "exactly"} else None
    return Limit(low=low, high=high, open_low=side == "above", open_high=side == "below")


def _trailing(tokens: list[Token], index: int) -> tuple[Limit, int] | None:
    """5 or more; 13 characters."""
    found = amount(tokens, index)
    if found is None:
        return None
    value, end = found
    after = _past_units(tokens, end)
    for phrases, side in ((_AFTER_AT_MOST, "most"), (_AFTER_AT_LEAST, "least")):
        past = _match(tokens, after, phrases)
        if past:
            characters = any(token.low in _LENGTH_WORDS for token in tokens[end:after])
            limit = _limit(side, value)
            return Limit(low=limit.low, high=limit.high, characters=characters), past
    if end < len(tokens) and tokens[end].low in _LENGTH_WORDS:
        return _limit("exactly", value), end
    return None


def _match(tokens: list[Token], index: int, phrases: Iterable[tuple[str, ...]]) -> int:
    return next((index + len(phrase) for phrase in phrases if starts(tokens, index, phrase)), 0)


def _past(tokens: list[Token], index: int, words: Iterable[str]) -> int:
    while index < len(tokens) and tokens[index].low in words:
        index += 1
    return index


def _past_units(tokens: list[Token], index: int) -> int:
    return _past(tokens, index, lexicon.UNITS | _LENGTH_WORDS | {"square", "cubic"})


def _with_tail(tokens: list[Token], index: int, limit: Limit) -> tuple[Limit, int]:
    """Take the unit and the words that may follow an amount."""
    end = _past_units(tokens, index)
    units = [token.low for token in tokens[index:end]]
    characters = limit.characters or any(unit in _LENGTH_WORDS for unit in units)
    if starts(tokens, end, ("(", "inclusive", ")")):
        end += 3
    end = _past(tokens, end, _TAILS) if characters or starts(tokens, end, ("inclusive",)) else end
    return replace(limit, characters=characters, unit=units[0] if units else ""), end
