"""Words to names: identifiers, singular and plural, verbs of past participles. Pure and total."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from providers.offline import lexicon

_GERMAN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "ae", "Ö": "oe", "Ü": "ue", "æ": "ae", "ø": "o"}
)
_LONGEST = 40
_CYRILLIC = dict(
    zip(
        map(ord, "абвгдезийклмнопрстуфхцчшщъыьэюяёіїєґ"),
        "a b v g d e z i i k l m n o p r s t u f kh ts ch sh shch  y  e yu ya yo i yi ye g".split(" "),
        strict=True,
    )
) | {ord("ж"): "zh"}
_GREEK = dict(
    zip(
        map(ord, "αβγδεζηθικλμνξοπρσςτυφχψω"),
        "a v g d e z i th i k l m n x o p r s s t y f ch ps o".split(),
        strict=True,
    )
)


@lru_cache(maxsize=20_000)
def snake(text: str) -> str:
    """Return the text as ASCII snake_case, possibly empty (scripts that have no ASCII form)."""
    base = unicodedata.normalize("NFC", text.lower().translate(_GERMAN)).translate(_CYRILLIC)
    plain = "".join(c for c in unicodedata.normalize("NFKD", base) if not unicodedata.combining(c)).translate(_GREEK)
    plain = plain.replace("ł", "l").replace("đ", "d").replace("ø", "o").encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")[:_LONGEST].strip("_")


def field_name(text: str) -> str:
    """Return a safe field identifier, or "" where none can be made."""
    name = snake(text).lstrip("0123456789_")
    return f"{name}_value" if name in lexicon.FORBIDDEN else name


def entity_name(text: str) -> str:
    """Return a safe entity identifier, or "" where none can be made."""
    name = snake(text).lstrip("0123456789_")
    return f"{name}_record" if name in lexicon.FORBIDDEN_ENTITIES else name


@lru_cache(maxsize=20_000)
def singular(word: str) -> str:
    """Return the English singular of one lower-case word."""
    if word in lexicon.IRREGULAR_PLURALS:
        return lexicon.IRREGULAR_PLURALS[word]
    if word in lexicon.UNCOUNTED or len(word) <= 3 or word.endswith(("ss", "us", "is")):  # gas, bus
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zzes", "uses")):
        return word[:-2]
    return word.removesuffix("s")


@lru_cache(maxsize=20_000)
def plural(word: str) -> str:
    """Return the English plural of one lower-case word."""
    for many, one in lexicon.IRREGULAR_PLURALS.items():
        if one == word:
            return many
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "ch", "sh", "z")):
        return word + "es"
    return word + "s"


def singular_phrase(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the phrase with its last word singular."""
    return (*words[:-1], singular(words[-1])) if words else ()


def is_plural(word: str) -> bool:
    """Say whether the English word looks like a plural."""
    return singular(word) != word


def is_plural_of(word: str, entity: str) -> bool:
    """Say whether the word is the plural of the entity's last word."""
    return singular(word) == entity.rsplit("_", 1)[-1]


@lru_cache(maxsize=5_000)
def verb_of(participle: str) -> str:
    """Return the action name for a state or past participle: approved -> approve; else mark_<state>."""
    text = participle.strip().lower()
    if text in lexicon.IRREGULAR_VERBS:
        return lexicon.IRREGULAR_VERBS[text]
    foreign = _foreign_verb(text)
    if foreign:
        return foreign
    if not re.fullmatch(r"[a-z]{2,}ed", text) or text in lexicon.NOT_PARTICIPLES:
        return f"mark_{snake(text)}"
    if text.endswith("ied"):
        return text[:-1] if len(text) < 5 else text[:-3] + "y"
    return _stem(text[:-2])


def _foreign_verb(text: str) -> str:
    """Return the infinitive of a regular German, Spanish or French participle, "" for other words."""
    if re.fullmatch(r"\w+iert", text):
        return snake(text[:-1] + "en")
    german = re.fullmatch(r"ge(\w{3,})t", text)
    if german:
        return snake(german.group(1) + "en")
    spanish = re.fullmatch(r"([a-zñáéíóú]{3,})([ai])d[oa]s?", text)
    if spanish:
        return snake(spanish.group(1) + ("ar" if spanish.group(2) == "a" else "er"))
    french = re.fullmatch(r"(\w{3,})ée?s?", text)
    return snake(french.group(1) + "er") if french else ""


def article(label: str) -> str:
    """Return the label with "a" or "an"."""
    vowel = label[:1].lower() in "aeio" or (
        label[:1].lower() == "u" and not label.lower().startswith(("uni", "use", "usa"))
    )
    return f"{'an' if vowel else 'a'} {label}"


def _stem(stem: str) -> str:
    if len(stem) < 3:
        return stem + "e"  # used, tied
    if stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    doubtful = stem.endswith(_SILENT) and not stem.endswith(_SPOKEN)
    return (
        stem + "e" if doubtful or re.search(r"[bcdfgkptz]l$|[^aeou]in$", stem) else stem
    )  # quarantin-ed, not train-ed


# Ends of stems that have lost an "e" in their participle (resolv-ed, grad-ed), and ends that look so and have not.
_SILENT = tuple(
    """vok ys v c z u at dg rg ng as es is os us rs ns iz ot ur uir um ul ad ak pon bin vid cid sid ud ecut mput rib mov""".split()
)
_SPOKEN = tuple("eat ss ong ocus oat ait ept omat oad ead oak eak aul oul eak reak".split())


@lru_cache(maxsize=5_000)
def participle_of(verb: str) -> str:
    """Return the state that an action leads to: approve -> approved, pay -> paid."""
    for state, base in lexicon.IRREGULAR_VERBS.items():
        if base == verb:
            return state
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return verb[:-1] + "ied"
    short = re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", verb)
    if short or verb.endswith(("mit", "fer")):
        return verb + verb[-1] + "ed"
    return verb + "ed"


def is_participle(text: str) -> bool:
    """Say whether the word is a past participle whose verb is known or regular."""
    return not verb_of(text).startswith("mark_")


def letters_of(text: str) -> str:
    """Return six letters that stand for a text of another script: the same text, the same letters."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return "".join(chr(ord("a") + byte % 26) for byte in digest[:6])


def pascal(name: str) -> str:
    """Return snake_case as PascalCase."""
    return "".join(part.capitalize() for part in name.split("_"))
