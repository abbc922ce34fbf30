"""German, Spanish and French: the little words of the commonest rule forms are put into English, the nouns stay.

"Die Artikelnummer muss eindeutig sein" becomes "the Artikelnummer must be unique" and is then read like English. A
sentence whose words are not in these tables stays as it is, is not understood, and is listed so.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from botarmy.outline import Passage
from providers.offline import lexicon
from providers.offline.lexicon_languages import INFINITIVES, MARKERS, NOUN_GENITIVES, PHRASES
from providers.offline.understand_tokens import Token, tokenise, word, written

_CERTAIN = 2  # function words that a text must hold before it counts as another language
_STEM = 4
_ENDINGS = {
    "de": ("en", "er", "es", "em", "e", "n", "s"),
    "es": ("es", "os", "as", "s", "o", "a"),
    "fr": ("ees", "es", "ee", "s", "x", "e"),
}
_LONGEST_PHRASE = 4


def localise(passages: Iterable[Passage]) -> list[Passage]:
    """Return the passages with their little words in English where they are German, Spanish or French."""
    found = list(passages)
    main = language_of(" ".join(passage.text for passage in found))
    used = [language_of(passage.text, main) for passage in found]
    if not any(used):
        return found
    forms = {name: _canonical(found, name) for name in set(used) if name}
    return [
        _localised(passage, name, forms[name]) if name else passage for passage, name in zip(found, used, strict=True)
    ]


def language_of(text: str, main: str = "") -> str:
    """Return "de", "es", "fr", or "" for English and all else; `main` decides where the text says too little."""
    counts: Counter[str] = Counter()
    for token in tokenise(text):
        counts.update(name for name, markers in MARKERS.items() if token.low in markers)
    best = max(MARKERS, key=lambda name: (counts[name], name == main, name == "en"))
    if counts[best] >= _CERTAIN or (counts[best] and best == main):
        return "" if best == "en" else best
    return main if not counts["en"] else ""


def _localised(passage: Passage, language: str, forms: Mapping[str, str]) -> Passage:
    def english(text: str) -> str:
        return written(_english(tokenise(text), language, forms))

    return replace(
        passage,
        text=english(passage.text) + (passage.text[-1:] if passage.text.endswith(("?", "？")) else ""),
        headings=tuple(english(text) for text in passage.headings),
        leads=tuple(english(text) for text in passage.leads),
        cells=tuple((english(header), english(cell)) for header, cell in passage.cells),
    )


def _english(tokens: list[Token], language: str, forms: Mapping[str, str]) -> list[Token]:
    tokens = _genitives([part for token in tokens for part in _elided(token, language)], language)
    found: list[Token] = []
    index = 0
    while index < len(tokens):
        phrase, length = _phrase_at(tokens, index, language)
        if length:
            found.extend(word(text) for text in phrase)
            index += length
        else:
            found.append(_formed(tokens[index], forms))
            index += 1
    return _in_order(found) if language == "de" else found


def _elided(token: Token, language: str) -> list[Token]:
    """L'email -> the email, d'un -> of un."""
    head, mark, tail = token.low.replace("’", "'").partition("'")
    if language == "fr" and mark and head in {"l", "d", "qu", "n", "s"} and tail:
        first = {"l": "le", "d": "de", "qu": "que", "n": "ne", "s": "se"}[head]
        return [word(first), word(token.text[len(head) + 1 :])]
    return [token]


def _genitives(tokens: list[Token], language: str) -> list[Token]:
    """Der Status einer Bestellung -> der Status of a Bestellung."""
    if language != "de":
        return tokens
    found: list[Token] = []
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else None
        noun = (
            before is not None
            and before.kind == "word"
            and before.text[:1].isupper()
            and before.low not in lexicon.DETERMINERS
        )
        if noun and token.low in NOUN_GENITIVES and token.text.islower():
            found.append(word("of"))
        found.append(token)
    return found


@lru_cache(maxsize=8)
def _table(language: str) -> dict[str, dict[tuple[str, ...], tuple[str, ...]]]:
    """Return first word -> phrase -> English, for quick finding."""
    table: dict[str, dict[tuple[str, ...], tuple[str, ...]]] = {}
    for line in PHRASES[language].strip().splitlines():
        sources, _, english = line.partition("=")
        for source in sources.split("|"):
            phrase = tuple(source.split())
            table.setdefault(phrase[0], {})[phrase] = tuple(english.split())
    return table


def _phrase_at(tokens: list[Token], index: int, language: str) -> tuple[tuple[str, ...], int]:
    choices = _table(language).get(tokens[index].low) if tokens[index].kind != "quoted" else None
    for length in range(min(_LONGEST_PHRASE, len(tokens) - index), 0, -1) if choices else ():
        phrase = tuple(token.low for token in tokens[index : index + length])
        if choices and phrase in choices:
            return choices[phrase], length
    return (), 0


def _formed(token: Token, forms: Mapping[str, str]) -> Token:
    return word(forms[token.low]) if token.kind == "word" and token.low in forms else token


def _in_order(tokens: list[Token]) -> list[Token]:
    """Bring verbs that stand last behind their modal: must unique be -> must be unique."""
    found: list[Token] = []
    modal = -1
    for token in tokens:
        if modal >= 0 and token.low in INFINITIVES:
            at = modal + 1
            while at < len(found) and found[at].low in {"not", "also", "only"}:
                at += 1
            joined = (
                found and found[-1].low in {",", "and", "or"} and at < len(found) - 1 and found[at].low in INFINITIVES
            )
            joint = [found.pop()] if joined else []
            while at < len(found) and (found[at].low in INFINITIVES or found[at].low in {",", "and", "or"}):
                at += 1
            found[at:at] = [*joint, token]
            continue
        if token.low in {"must", "may", "can", "should", "shall"}:
            modal = len(found)
        elif token.low in {".", ";", ":"}:
            modal = -1
        found.append(token)
    return found


def _canonical(passages: Iterable[Passage], language: str) -> dict[str, str]:
    """Return word -> the one form that stands for all forms of it in the brief: Lieferanten -> Lieferant."""
    groups: dict[str, list[str]] = {}
    for passage in passages:
        for token in tokenise(passage.text):
            known = token.low in _table(language) or token.low in MARKERS[language] or token.low in lexicon.FIELD_TYPES
            if token.kind == "word" and token.low.isalpha() and not known:
                groups.setdefault(_stem(token.low, language), []).append(token.low)
    forms: dict[str, str] = {}
    fields = _field_stems(language) if language == "de" else {}
    for stem, group in groups.items():
        shortest = fields.get(stem) or min(group, key=lambda text: (len(text), text))
        forms.update({text: shortest for text in group if text != shortest})
    return forms


@lru_cache(maxsize=8)
def _field_stems(language: str) -> dict[str, str]:
    """Return stem -> the well-known field word, so that "Namen" is a name."""
    return {_stem(text, language): text for text in sorted(lexicon.FIELD_TYPES, reverse=True) if len(text) >= _STEM}


def _stem(text: str, language: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    while True:
        found = (e for e in _ENDINGS[language] if plain.endswith(e) and len(plain) - len(e) >= _STEM)
        ending = next(found, "")
        if not ending:
            return plain
        plain = plain[: -len(ending)]
