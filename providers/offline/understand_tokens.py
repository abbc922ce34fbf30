"""Sentences to tokens: words, numbers, quoted values and marks, with contractions opened and emphasis removed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"(?P<quoted>\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”|„[^“”\n]{1,80}[“”]|«[^»\n]{1,80}»|`[^`\n]{1,80}`|(?<!\w)['‘][^'’\n]{1,60}['’](?!\w))"
    r"|(?P<date>\d{4}-\d{2}-\d{2}(?!\d))"
    r"|(?P<number>(?<![\w.,])[-−]?\d+(?:[.,]\d+)*(?![^\W\d_])|\d+(?:[.,]\d+)*(?![^\W\d_]))"
    r"|(?P<word>[^\W_]+(?:['’][^\W\d_]+|[-_.&][^\W_]+)*)"
    r"|(?P<arrow>-+>|=+>|→|⇒|➔|➜)"
    r"|(?P<mark><=|>=|≤|≥|[^\s\w])"
)
_NEGATED = re.compile(r"(ca|wo|sha|[a-z]+?)n['’]t")
_NEGATED_FORMS = {"ca": "can", "wo": "will", "sha": "shall"}
_OPENED = {"'ll": "will", "'re": "are", "'ve": "have", "'m": "am", "'d": "would"}
_SHORTENED = re.compile(r"\b(max|min|approx|incl|ca)\.(?=\s|\d)", re.IGNORECASE)
_LARGEST = 1e15  # beyond it a JSON number loses digits
_CONTRACTED_IS = frozenset("it that there he she what who here".split())


@dataclass(frozen=True)
class Token:
    """One token: `text` as written, `low` for comparison, `kind` word, number, date, quoted, arrow or mark."""

    text: str
    low: str
    kind: str

    @property
    def number(self) -> float:
        """The value of a number token."""
        return number_of(self.text)


@lru_cache(maxsize=5_000)
def number_of(text: str) -> float:
    """Return the value of digits with thousands marks or a decimal mark of either kind."""
    plain = text.replace("−", "-")
    if re.fullmatch(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain):
        plain = plain.replace(",", "")
    elif re.fullmatch(r"-?\d{1,3}(?:\.\d{3})+(?:,\d+)?", plain) and (plain.count(".") > 1 or "," in plain):
        plain = plain.replace(".", "").replace(",", ".")
    head, *rest = re.split(r"[.,]", plain)
    value = float(f"{head}.{''.join(rest)}") if rest else float(head)
    return max(-_LARGEST, min(_LARGEST, value))


def word(text: str) -> Token:
    """Make a word token."""
    return Token(text, text.lower(), "word")


def tokenise(text: str) -> list[Token]:
    """Split a sentence into tokens. Linear in the text; every text has tokens, possibly none."""
    return list(_tokens(text))


@lru_cache(maxsize=20_000)
def _tokens(text: str) -> tuple[Token, ...]:
    text = _SHORTENED.sub(r"\1", text)
    plain = re.sub(r"(?<!\w)[*_~]{1,3}(?=\w)|(?<=\w)[*_~]{1,3}(?!\w)|(?<=[.,:;!?)])[*_~]{1,3}|<!--|-->", "", text)
    tokens: list[Token] = []
    for match in _TOKEN.finditer(plain):
        kind = match.lastgroup or "mark"
        value = match.group()
        if kind == "quoted":
            tokens.append(Token(value[1:-1].strip(), value[1:-1].strip().lower(), kind))
        elif kind == "word":
            tokens.extend(_opened(value))
        else:
            tokens.append(Token(value, value.lower(), kind))
    return tuple(tokens)


def _opened(text: str) -> Iterable[Token]:
    low = text.lower().replace("’", "'")
    if low == "cannot":
        return (word("can"), word("not"))
    negated = _NEGATED.fullmatch(low)
    if negated:
        return (word(_NEGATED_FORMS.get(negated.group(1), negated.group(1))), word("not"))
    head, mark, tail = low.partition("'")
    if mark and tail == "s":
        own = text[: len(head)]
        return (word(own), word("is")) if head in _CONTRACTED_IS else (word(own), Token("'s", "'s", "mark"))
    if mark and f"'{tail}" in _OPENED:
        return (word(text[: len(head)]), word(_OPENED[f"'{tail}"]))
    return (Token(text, low, "word"),)


def lows(tokens: Iterable[Token]) -> tuple[str, ...]:
    """Return the tokens' comparison forms."""
    return tuple(token.low for token in tokens)


def written(tokens: Iterable[Token]) -> str:
    """Return the tokens as text for a person."""
    text = " ".join(f'"{token.text}"' if token.kind == "quoted" else token.text for token in tokens)
    return re.sub(r"\s+(?=[,.;:!?)\]%'])|(?<=[(\[])\s+", "", text)


def find(tokens: list[Token], words: frozenset[str], start: int = 0) -> int:
    """Return the index of the first token whose form is among the words, or -1."""
    return next((index for index in range(start, len(tokens)) if tokens[index].low in words), -1)


def starts(tokens: list[Token], index: int, phrase: tuple[str, ...]) -> bool:
    """Say whether the phrase stands at the index."""
    if index >= len(tokens) or tokens[index].low != phrase[0]:
        return False
    return tuple(token.low for token in tokens[index : index + len(phrase)]) == phrase


def split_on(tokens: list[Token], words: frozenset[str]) -> list[list[Token]]:
    """Split the tokens at the given words, leaving out empty parts; brackets keep their content together."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.low in "([") - (token.low in ")]")
        if token.low in words and token.kind != "quoted" and depth <= 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]
