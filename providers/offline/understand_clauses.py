"""Sentences to clauses: what leads in is removed, joined clauses are parted and get the subject they share."""

from __future__ import annotations

from dataclasses import dataclass

from providers.offline import lexicon
from providers.offline.understand_tokens import Token, find, lows, starts

LINKS = frozenset(
    "belongs belong refers refer references reference moves move goes go changes change transitions passes progresses".split()
)
STATIVE = frozenset(
    "lie starts start becomes become begins needs requires require lives lies exceeds exceed defaults consists consist".split()
)
ANCHORS = (
    lexicon.MODAL | lexicon.BE | lexicon.HAS | LINKS | STATIVE | frozenset({"cannot", "does", "do", "isn", "ranges"})
)
_VERBS = lexicon.OPERATION_FORMS.keys() | lexicon.STATE_VERBS | lexicon.FIELD_VERBS.keys() | lexicon.LINKING
_JOINTS = frozenset({"and", "but", ",", ";"})
_PAUSES = frozenset({",", ";", ":", ".", "(", ")", "and", "or", "but", "that", "which", "who", "whose", "where"})
_RATIONALE = (("so", "that"), ("because",), ("in", "order", "to"), ("such", "that"), ("so", "we"), ("so", "they"))
_RATIONALE_STARTS = frozenset(phrase[0] for phrase in _RATIONALE)
_LONGEST_SUBJECT = 7
_OPENERS = frozenset(
    "additionally also furthermore moreover finally however note please then therefore thus besides again".split()
)


@dataclass(frozen=True)
class Clause:
    """One clause. `subject` are the tokens before its anchor (own or shared); `predicate` starts with the anchor."""

    subject: tuple[Token, ...]
    predicate: tuple[Token, ...]

    @property
    def tokens(self) -> list[Token]:
        """The clause as one list."""
        return [*self.subject, *self.predicate]

    @property
    def low(self) -> tuple[str, ...]:
        """Comparison forms of the predicate."""
        return lows(self.predicate)


def clauses(tokens: list[Token]) -> list[Clause]:
    """Split the tokens of one sentence into clauses."""
    tokens = _without_ends(_without_rationale(tokens))
    cuts = [0]
    for index in range(1, len(tokens)):
        if _cuts(tokens, index) and (tokens[index].low == ";" or _has_verb(tokens[cuts[-1] : index])):
            cuts.append(index)
    found: list[Clause] = []
    for number, cut in enumerate(cuts):
        end = cuts[number + 1] if number + 1 < len(cuts) else len(tokens)
        part = _without_ends(tokens[cut:end])
        if part:
            found.append(_clause(part, _shared(found[-1]) if found else ()))
    return found


def _shared(clause: Clause) -> tuple[Token, ...]:
    """Return the subject that a clause hands on: also that of a plain verb, "an enrolment links a pupil to a course"."""
    if clause.subject:
        return clause.subject
    at = next((index for index, token in enumerate(clause.predicate) if token.low in _VERBS), 0)
    return clause.predicate[:at]


def _clause(part: list[Token], shared: tuple[Token, ...]) -> Clause:
    anchor = anchor_in(part)
    if anchor < 0:
        return Clause((), tuple(part))
    start = anchor
    while start and part[start - 1].low in {"always", "also", "then"}:
        start -= 1  # the adverb belongs to the verb
    return Clause(tuple(part[:start]) or shared, (*part[anchor : anchor + 1], *part[start:anchor], *part[anchor + 1 :]))


def anchor_in(tokens: list[Token]) -> int:
    """Return the index of the clause's first anchor outside brackets and relative clauses, or -1."""
    depth, relative = 0, -1
    for index, token in enumerate(tokens):
        depth += (token.low in "([") - (token.low in ")]") if token.kind == "mark" else 0
        if depth > 0 or token.kind != "word" or token.low not in ANCHORS or _is_noun(tokens, index):
            continue
        if index > 1 and tokens[index - 1].low in {"that", "which", "who"} and tokens[index - 2].low != ",":
            relative = relative if relative >= 0 else index  # "items that were lost cannot be found"
            continue
        return index
    return relative


_BEFORE_FIELDS = frozenset("record change reference start store hold move".split())


def _is_noun(tokens: list[Token], index: int) -> bool:
    """A record, the change, each reference, the start date: a noun after all, by the word before it."""
    noun_too = {
        "record",
        "records",
        "change",
        "changes",
        "reference",
        "references",
        "start",
        "starts",
        "stores",
        "store",
        "holds",
    }
    noun_too |= {"hold", "will", "need", "needs", "move", "moves", "lies", "lives", "go", "passes", "may", "defaults"}
    if tokens[index].low not in noun_too:
        return False
    if index + 1 < len(tokens) and tokens[index + 1].low in lexicon.FIELD_TYPES and tokens[index].low in _BEFORE_FIELDS:
        return True  # start time, record number
    if index == 0:
        nominal = tokens[0].low not in lexicon.MODAL and tokens[0].low not in lexicon.HAS - {
            "record",
            "records",
            "store",
            "stores",
        }
        return nominal and len(tokens) > 1 and tokens[1].low in ANCHORS
    before = tokens[index - 1].low
    return before in lexicon.DETERMINERS | {"of", "for", "to", "no", "two", "new", "'s"} | lexicon.QUANTITIES


def _has_verb(tokens: list[Token]) -> bool:
    """Whether the tokens can be a clause of their own."""
    cares = any(starts(tokens, index, phrase) for index in range(1, len(tokens)) for phrase in _CARING)
    return cares or anchor_in(tokens) >= 0 or any(token.low in _VERBS or token.kind == "arrow" for token in tokens[1:])


_CARING = (("cares", "for"), ("care", "for"), ("looks", "after"), ("look", "after"))


def _cuts(tokens: list[Token], index: int) -> bool:
    if tokens[index].low == ";" and not _within_brackets(tokens, index):
        return True
    return tokens[index].low in _JOINTS and _opens_clause(tokens, index)


def _opens_clause(tokens: list[Token], index: int) -> bool:
    """Whether a clause of its own follows the joint: a short subject, or none, and an anchor."""
    start = index + 1
    while start < len(tokens) and tokens[start].low in _JOINTS:
        return False
    for at in range(start, min(len(tokens), start + _LONGEST_SUBJECT)):
        token = tokens[at]
        if token.low in _PAUSES:
            return False
        if token.low in ANCHORS and token.kind == "word" and not _is_noun(tokens, at):
            return not _within_brackets(tokens, index) and not (at == start and _within_relative(tokens, index))
    return False


def _within_relative(tokens: list[Token], index: int) -> bool:
    """Whether the joint stands in a relative clause, "…, which has to be unique and must not be long": no new clause."""
    for token in reversed(tokens[:index]):
        if token.low in {"which", "that"}:
            return True
        if token.low in {";", ":", "a", "an"}:
            return False
    return False


def _within_brackets(tokens: list[Token], index: int) -> bool:
    marks = [token.low for token in tokens[:index] if token.kind == "mark"]
    return marks.count("(") > marks.count(")")


def _without_rationale(tokens: list[Token]) -> list[Token]:
    """Drop the reason that a sentence gives: it asks for nothing."""
    for index in range(1, len(tokens)):
        if tokens[index].low in _RATIONALE_STARTS and any(starts(tokens, index, phrase) for phrase in _RATIONALE):
            return tokens[:index]
    return tokens


def _without_ends(tokens: list[Token]) -> list[Token]:
    start, end = 0, len(tokens)
    while start < end and (
        tokens[start].low in _JOINTS or tokens[start].low in _OPENERS or tokens[start].low in {".", ":", "-", "–", "—"}
    ):
        start += 1
    while end > start and tokens[end - 1].low in {".", ",", ";", "!", "?", ":", "and", "。", "…"}:
        end -= 1
    return tokens[start:end]


def label_split(tokens: list[Token]) -> tuple[list[Token], list[Token]] | None:
    """Split "Label: rest" and "Label - rest"; None where the label is too long to be one."""
    at = find(tokens, frozenset({":", "–", "—", "-"}))
    if at <= 0 or at > _LONGEST_SUBJECT or at + 1 >= len(tokens):
        return None
    label = tokens[:at]
    if (
        any(token.kind not in {"word", "quoted"} and token.low not in "()'s/" for token in label)
        or anchor_in(label) >= 0
    ):
        return None
    return label, tokens[at + 1 :]
