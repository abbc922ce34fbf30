"""What a sentence is about as a whole: background, purpose, quality, scope, priority, roles."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from botarmy.outline import GREETING, Passage
from providers.offline import lexicon
from providers.offline.understand_facts import Fact, OperationFact, bare_phrase
from providers.offline.understand_fields import Scene
from providers.offline.understand_operations import does_clause, letting_clause, operation_clause
from providers.offline.understand_tokens import Token, find, starts, tokenise

Priority = Literal["must", "should", "could"]
_NOW_OR_THEN = frozenset(
    """currently nowadays previously formerly founded background today derzeit bisher heute actuellement actualmente
    hoy""".split()
)
_PAST = frozenset("was were had".split())
"""Words of the past. In the middle of a sentence they also stand in rules: "when the bike was returned", "the day before"."""
_OPENING_WORDS = 5
_RULE_WORDS = frozenset("when whenever if once unless after wenn falls sobald cuando si quand".split())
_FIRST_PERSON = frozenset("we i our us my".split())
_DEMANDS = (lexicon.MODAL - {"will"}) | frozenset(
    "want wants wish required mandatory never always only every each unique".split()
)
_OUT = re.compile(
    r"\b(?:out of scope|not in scope|non-?goals?|won'?t have|will not have|not included|excluded|exclusions?|nicht im umfang|fuera de alcance|hors p[ée]rim[èe]tre)\b",
    re.IGNORECASE,
)
_NOT_NEEDED = re.compile(
    r"^(?:there (?:is|are) no need\b|no need\b|we (?:do not|don't) (?:need|want)\b|(?:it|the \w+) (?:does not|doesn't|do not) (?:need|have) to\b|"
    r"(?:it|the \w+) (?:does not|doesn't) need\b|.{1,60} (?:is|are) (?:not needed|not required|out of scope|not part of)\b)",
    re.IGNORECASE,
)
_COULD = re.compile(
    r"\b(?:could[- ]haves?|nice[- ]to[- ]haves?|would be nice|ideally|could|if time permits|wünschenswert)\b"
    r"|^\W{0,2}(?:optional|bonus|later|stretch)\b\W{0,2}[:–—-]",
    re.IGNORECASE,
)
_COULD_HEADING = re.compile(r"\b(?:optional features?|optional|wish ?list|bonus|later|stretch)\b", re.IGNORECASE)
"""In a sentence these are ordinary words: "a date later than today", "a member's wish list"."""
_SHOULD = re.compile(r"\b(?:should[- ]haves?|should|ought to|preferably|sollte|sollten|soll)\b", re.IGNORECASE)
_MUST = re.compile(
    r"\b(?:must[- ]haves?|must|shall|never|required|mandatory|muss|müssen|darf nicht|debe|deben|doit|doivent)\b",
    re.IGNORECASE,
)
_ASKING_VERBS = frozenset("build create make develop write design implement need want provide deliver".split())
_POLITE = frozenset("please also then always never don't do not bitte".split())
_COMMANDS = (
    _ASKING_VERBS
    | lexicon.STATE_VERBS
    | frozenset(lexicon.OPERATION_FORMS)
    | frozenset(
        """send email e-mail mail text notify remind warn alert inform tell call message print export import download upload
        let allow permit enable prevent forbid avoid refuse stop block show display report calculate compute count sum
        total average sort filter group rank translate convert generate produce make keep store save log record track
        schedule book plan repeat charge bill refund sync synchronise synchronize connect integrate use support handle
        check verify validate ensure protect encrypt hide lock backup restore archive ask offer give put get set write
        schicke sende zeige drucke exportiere erinnere warne envía manda muestra envoie affiche imprime""".split()
    )
)
_ARTICLES = frozenset("a an the some me us our you please to i we would like this it is simple".split())
_TOOLS = lexicon.PRODUCT_KINDS | {"inventory", "crm", "shop", "store", "portal", "wiki"}
_AUDIENCE = frozenset({"for", "in", "at"})
_LONGEST_LEAD = 14


def priority_of(passage: Passage) -> Priority:
    """Read the priority from the sentence's own words, else from the headings it stands under."""
    own = next((cell for header, cell in passage.cells if header.lower() in {"priority", "prio", "moscow"}), "")
    for place in (own, passage.text, *reversed(passage.headings), *reversed(passage.leads)):
        if _MUST.search(place):
            return "must"
        if _SHOULD.search(place):
            return "should"
        if _COULD.search(place) or (place is not passage.text and _COULD_HEADING.search(place)):
            return "could"
    return "must"


def out_of_scope(passage: Passage) -> bool:
    """Whether the sentence says what is not wanted."""
    places = (*passage.headings, *passage.leads)
    return (
        any(_OUT.search(place) for place in places)
        or bool(_NOT_NEEDED.search(passage.text))
        or bool(_OUT.match(passage.text))
    )


def is_question(text: str) -> bool:
    """Whether the sentence asks something."""
    return text.rstrip("\"'*_ )").endswith(("?", "？", "؟"))


def is_restricted(passage: Passage) -> bool:
    """Whether the sentence stands under a lead-in or heading that denies or conditions it: "Users must not be able to:"."""
    for place in (*passage.leads, *passage.headings):
        low = {token.low for token in tokenise(place)}
        if low & _RESTRICTING:
            return True
    return False


_RESTRICTING = lexicon.NOT | frozenset(
    """no only cannot forbidden prohibited disallowed nobody if when unless while except until without limitations
    restrictions nicht nur kein keine verboten prohibido interdit""".split()
)
_FRAME = re.compile(
    r"^(?:this|the following) (?:document|section|chapter|brief|list|specification)\b(?!.*\b(?:must|shall|should|can)\b)|"
    r"^(?:here is|here are|below (?:is|are))\b.{0,60}$|^(?:the following|these) .{0,60}:$",
    re.IGNORECASE,
)


def is_frame(text: str) -> bool:
    """Whether the sentence speaks of the brief itself, greets, or only leads to what follows."""
    return bool(_FRAME.match(text) or GREETING.match(text))


def is_title(text: str) -> bool:
    """Whether the first line is no sentence but the product's name."""
    tokens = tokenise(text)
    words = [token for token in tokens if token.kind == "word"]
    ended = text.rstrip().endswith((".", "!", "?", "。", "！", "？"))
    asks = {token.low for token in tokens} & (
        _ASKING_VERBS | _DEMANDS | lexicon.HAS | lexicon.BE | set(lexicon.OPERATION_FORMS)
    )
    if ended and not any(token.low.isascii() for token in words):
        return False  # a script without spaces: a whole sentence is one word
    return not asks and len(words) <= (3 if ended else 8) and "," not in text


def is_background(tokens: list[Token], *, first: bool) -> bool:
    """Whether the sentence tells how things are or were, and asks for nothing.

    Only what speaks of the writer ("we run a gym") or of the past and present ("today we use paper") counts, so that
    no wish is taken for background.
    """
    said = [token.low for token in tokens if token.kind == "word"]
    low = {token.low for token in tokens}
    if low & (_DEMANDS | _RULE_WORDS | lexicon.PRODUCT) or is_imperative(tokens):
        return False
    opening = set(said[:1])
    if opening & _FIRST_PERSON or low & _NOW_OR_THEN or set(said[:_OPENING_WORDS]) & _PAST:
        return True
    if opening & {"before", "until"} and low & (_FIRST_PERSON | _PAST):
        return True
    return first and len(tokens) > 3 and _describes(tokens)  # a bare noun is no description


def is_imperative(tokens: list[Token]) -> bool:
    """Whether the sentence begins with a verb in its plain form, politely or not: it asks for something."""
    said = [token.low for token in tokens if token.kind == "word"]
    while said and said[0] in _POLITE:
        said = said[1:]
    return bool(said) and said[0] in _COMMANDS


def _describes(tokens: list[Token]) -> bool:
    """The first sentence in the present about one organisation: "A small library lends books to its members."."""
    low = [token.low for token in tokens if token.kind == "word"]
    third = bool(low) and low[0] in {"a", "an", "the", "many", "most"}
    verb = any(word.endswith("s") and not word.endswith("ss") for word in low[1:7])
    counts = any(token.kind == "number" for token in tokens)
    choice = counts or ("or" in low and bool(set(low) & lexicon.BE))
    return third and verb and not choice and not set(low) & _RULING


_RULING = (
    lexicon.HAS
    | lexicon.MODAL
    | lexicon.NOT
    | frozenset(
        """unique required one between without no rejected refused allowed forbidden invalid starts start begins identifies
        least most than exactly belongs refers many several multiple""".split()
    )
)
"""A sentence with one of these may state a rule; it is no description."""


def is_quality(tokens: list[Token]) -> bool:
    """Whether the sentence speaks of speed, safety, ease and the like."""
    return any(token.low in lexicon.QUALITY for token in tokens)


def purpose_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "Build me a todo app", "We need a tool that tracks parcels", "X is a service for managing rooms".

    Returns:
        What is wanted as operations on entities, or None where the sentence is no such sentence or asks for more.
    """
    at = next((index for index, token in enumerate(tokens[:_LONGEST_LEAD]) if token.low in _TOOLS), -1)
    if at < 0 or not _asks_for_product(tokens[:at]):
        return None
    while at + 1 < len(tokens) and tokens[at + 1].low in _TOOLS:
        at += 1
    named = _before(tokens[:at], scene)
    tail = tokens[at + 1 :]
    if not tail or tail[0].low in {".", "!"}:
        return named or [OperationFact(entity, ("manage",)) for entity in list(scene.names.entities)[:1]]
    found = _tail(tail, scene)
    return (
        None
        if found is None
        else [*named, *found] or [OperationFact(entity, ("manage",)) for entity in list(scene.names.entities)[:1]]
    )


def _asks_for_product(lead: list[Token]) -> bool:
    low = [token.low for token in lead]
    if any(token.kind not in {"word", "quoted"} and token.low not in {"-", "'s", ":"} for token in lead):
        return False
    asked = bool(set(low) & _ASKING_VERBS)
    described = "is" in low or (bool(low) and low[0] in {"a", "an"} and len(low) <= 5)
    return (asked or described or len(low) <= 2) and not set(low) & (lexicon.NOT | {"no", "can", "must", "if"})


def _before(lead: list[Token], scene: Scene) -> list[Fact]:
    phrase = tuple(token.low for token in lead if token.kind == "word")
    found = scene.names.resolve(phrase) or (scene.names.resolve(phrase[:-1]) if phrase else None)
    return [OperationFact(found[0], ("manage",))] if found else []


def _tail(tail: list[Token], scene: Scene) -> list[Fact] | None:
    """Read what follows the product's kind: for a library, that tracks parcels, for managing rooms."""
    if tail[0].low in _AUDIENCE and not starts(tail, 0, ("in", "which")):
        rest = tail[1:]
        verb = find(rest, frozenset(lexicon.OPERATION_FORMS))
        if verb == 0:
            return operation_clause(rest, scene)
        phrase = bare_phrase(rest)
        plain = all(token.kind in {"word", "quoted"} or token.low in {"-", "'s", "."} for token in rest)
        if (
            plain
            and 0 < len(phrase) <= 8
            and not set(phrase) & (lexicon.SUBORDINATE | lexicon.MODAL | lexicon.HAS | {"to", "by"})
        ):
            known = scene.names.resolve(phrase)
            return [OperationFact(known[0], ("manage",))] if known else []
        return None
    start = 2 if starts(tail, 0, ("in", "which")) else 1
    if tail[0].low in {"that", "which", "to", "where", "with", "in"}:
        rest = tail[start:]
        return (
            operation_clause(rest, scene)
            or letting_clause(rest, scene)
            or does_clause(rest, scene)
            or _kept_by(rest, scene)
        )
    return None


def _kept_by(rest: list[Token], scene: Scene) -> list[Fact] | None:
    if starts(rest, 0, ("keeps", "track", "of")) or starts(rest, 0, ("keep", "track", "of")):
        return operation_clause([tokenise("manage")[0], *rest[3:]], scene)
    return None


_SENTENCE_HEADERS = frozenset(
    "requirement requirements description text story rule feature anforderung beschreibung requisito exigence".split()
) | {"user story"}
_ASIDE_HEADERS = frozenset("id # no nr number priority prio moscow type category status source nr. owner".split())


def sentence_in_row(passage: Passage) -> Passage:
    """Return the sentence that a row of a table of requirements holds, else the passage as it is.

    Only numbers, priorities and the like may stand beside it: another column could change its meaning.
    """
    if passage.kind != "row":
        return passage
    filled = [(header.lower().strip("*_ "), cell) for header, cell in passage.cells if cell.strip()]
    texts = [cell for header, cell in filled if header in _SENTENCE_HEADERS]
    beside = [header for header, _ in filled if header not in _SENTENCE_HEADERS | _ASIDE_HEADERS]
    return replace(passage, text=texts[0], kind="prose", cells=()) if len(texts) == 1 and not beside else passage


_API_WORDS = frozenset(
    """the system service app application it product backend must shall should will can provide provides offer offers expose
    exposes have has be is are a an and or rest restful http https json api apis web over via with through by accessible
    available reachable use uses simple small endpoint endpoints to of for all data interface as in""".split()
)


def api_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "the system shall provide a REST API": every record can be kept over HTTP as JSON, which is shown by doing so."""
    low = {token.low for token in tokens if token.kind == "word"}
    plain = all(token.kind == "word" or token.low in {",", ".", "(", ")", "/", "-"} for token in tokens)
    if not plain or not low & {"api", "rest", "restful", "http", "json"} or low - _API_WORDS or len(tokens) < _SHORTEST:
        return None
    return [OperationFact(entity, ("manage",)) for entity in scene.names.entities]


_SHORTEST = 3
