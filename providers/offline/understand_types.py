"""From the words of a field to its identifier and its type. Pure functions."""

from __future__ import annotations

from providers.offline import lexicon, words
from providers.offline.understand_qualities import Qualities


def field_name_of(phrase: tuple[str, ...], *, plural: bool = True) -> str:
    """Return the identifier of a field from its words; where plural, "titles" are one title each."""
    kept = [word for word in phrase if word not in lexicon.DETERMINERS]
    if len(kept) > 2 and kept[0] == "number" and kept[1] == "of":  # number of copies
        kept = kept[2:]
        return (
            words.field_name("_".join(["number", "of", *kept]))
            if kept[-1] not in lexicon.PLURAL_FIELDS
            else words.field_name("_".join(kept))
        )
    last = kept[-1] if kept else ""
    if kept and plural and last not in lexicon.PLURAL_FIELDS:
        kept[-1] = words.singular(last)
    return words.field_name(" ".join(kept))


def infer_type(phrase: tuple[str, ...], qualities: Qualities) -> str:
    """Infer a field's type from its words and limits."""
    if qualities.values or any(limit.characters for limit in qualities.limits):
        return "text" if _by_words(phrase) == "text" else "string"
    by_words = _by_words(phrase)
    if qualities.limits and by_words not in {"date", "datetime"}:
        bounds = [bound for limit in qualities.limits for bound in (limit.low, limit.high) if bound is not None]
        money = any(limit.unit in lexicon.MONEY for limit in qualities.limits)
        whole = all(bound.is_integer() for bound in bounds) and not money
        whole = whole and not any(limit.decimal for limit in qualities.limits)
        return "number" if by_words == "number" or not whole else "integer"
    return by_words or "string"


def _by_words(phrase: tuple[str, ...]) -> str:
    joint = next(
        (index for index, word in enumerate(phrase) if index and word in {"of", "per", "de", "du", "des"}), len(phrase)
    )
    last = phrase[joint - 1]
    if last.rsplit("_", 1)[-1] in {"number", "no", "nummer"}:
        return "string" if phrase[:2] != ("number", "of") else "integer"  # a number that names: 12b, 0049 30 …
    return "boolean" if phrase[0].startswith(("is_", "has_", "can_")) else _by_head(last)


def _by_head(last: str) -> str:
    if last == "at" or last.endswith("_at"):
        return "datetime"
    for word in (last, words.singular(last)):
        for key in (word, word.rsplit("_", 1)[-1]):
            if key in lexicon.FIELD_TYPES:
                return lexicon.FIELD_TYPES[key]
    endings = {
        "datum": "date",
        "preis": "number",
        "betrag": "number",
        "beitrag": "number",
        "kaution": "number",
        "nummer": "string",
        "anzahl": "integer",
    }
    return next((kind for ending, kind in endings.items() if last.endswith(ending)), "")
