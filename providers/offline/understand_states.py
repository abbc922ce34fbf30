"""States and actions in sentences: "a loan can be returned", "only a submitted order can be approved"."""

from __future__ import annotations

import itertools
from dataclasses import replace

from providers.offline import lexicon, words
from providers.offline.understand_clauses import Clause
from providers.offline.understand_facts import Fact, FieldFact, InitialFact, TransitionFact, bare_phrase
from providers.offline.understand_fields import Scene, subject_entity
from providers.offline.understand_tokens import Token, find, lows, split_on, starts

STATUS = "status"
_POLITE = frozenset(
    {
        "again",
        "later",
        "manually",
        "also",
        "then",
        "at",
        "any",
        "time",
        "by",
        "always",
        "still",
        "directly",
        "once",
        "afterwards",
    }
)
_CONDITIONS = (
    *(
        ("only", "if", "it", "is"),
        ("only", "when", "it", "is"),
        ("only", "if", "it", "has", "been"),
        ("only", "if", "they", "are"),
    ),
    *(
        ("only", "when", "they", "are"),
        ("if", "it", "is"),
        ("when", "it", "is"),
        ("once", "it", "is"),
        ("while", "it", "is"),
        ("after", "it", "is"),
    ),
    *(
        ("only", "after", "it", "has", "been"),
        ("once", "it", "has", "been"),
        ("after", "it", "has", "been"),
        ("when", "it", "has", "been"),
    ),
    *(
        ("only", "once", "it", "is"),
        ("as", "long", "as", "it", "is"),
        ("only", "while", "it", "is"),
        ("only", "when"),
        ("only", "if"),
        ("if",),
    ),
    *(
        ("when",),
        ("while",),
        ("once",),
        ("if", "they", "are"),
        ("when", "they", "are"),
        ("while", "they", "are"),
        ("once", "they", "are"),
    ),
    *(
        ("only", "while"),
        ("only", "once"),
        ("only", "from"),
        ("from",),
        ("only", "in", "state"),
        ("in", "state"),
        ("unless", "it", "is"),
    ),
)
_UNTIL = (("unless", "it", "is"), ("unless", "it", "has", "been"), ("unless", "already"))
_LONGEST_STATE = 3
MOVES = frozenset("moves move goes go changes change transitions passes progresses switches advances".split())


def action_clause(clause: Clause, scene: Scene) -> list[Fact] | None:
    """Read a passive that leaves a record in another state: "a (draft) order can be submitted or cancelled"."""
    opened = _passive(clause)
    if opened is None:
        return None
    denied, after = opened
    subject, only = _without_only(clause.subject)
    entity, before = entity_and_state(subject, scene)
    if not entity:
        return None
    rest, condition, negative = _condition(after, scene, entity)
    states = before or condition or ()
    unclear = condition is None or (only and not states) or (denied and (only or not states or negative))
    found = [] if unclear else _participles(rest)
    listed = len(found) > 1 and clause.low[0] in {"must", "shall"}  # "shall be planned, started or done": its states
    if not found or listed:
        return None
    barred = tuple(condition or ()) if negative else ()
    return [
        _transition(entity, verb, state, states, barred=barred, denied=denied, scene=scene) for verb, state in found
    ]


def _passive(clause: Clause) -> tuple[bool, list[Token]] | None:
    """Return whether a passive with a modal is denied, and the tokens after its "be"."""
    predicate = list(clause.predicate)
    low = [token.low for token in predicate]
    if not low or low[0] not in {"can", "may", "must", "shall", "should", "could"} or "be" not in low[:5]:
        return None
    be = low.index("be")
    inner = set(low[1:be])
    if inner - lexicon.NOT - {"only", "also", "then", "always", "later", "no", "longer"}:
        return None
    return bool(inner & (lexicon.NOT | {"no"})), predicate[be + 1 :]


def _transition(
    entity: str, verb: str, state: str, states: tuple[str, ...], *, barred: tuple[str, ...], denied: bool, scene: Scene
) -> TransitionFact:
    known = match_state(state, scene.states_of(entity))
    if denied or barred:
        return TransitionFact(entity, verb, known, (), states or barred)
    return TransitionFact(entity, verb, known, states)


def _without_only(subject: tuple[Token, ...]) -> tuple[list[Token], bool]:
    tokens = list(subject)
    only = bool(tokens) and tokens[0].low == "only"
    return (tokens[1:] if only else tokens), only


def entity_and_state(subject: list[Token], scene: Scene) -> tuple[str, tuple[str, ...]]:
    """Return the entity of "a submitted order" and ("submitted",)."""
    if subject and subject[-1].low in lexicon.PRONOUNS and len(subject) == 1:
        return scene.entity, ()
    relative = find(subject, frozenset({"that", "which"}))
    if relative > 0 and relative + 2 < len(subject) and subject[relative + 1].low in lexicon.BE | {"has", "have"}:
        states = _state_words(subject[relative + 2 :], scene, "")
        entity = scene.names.exact(bare_phrase(subject[:relative]))
        return (entity, states) if entity and states else ("", ())
    found = scene.names.resolve(bare_phrase(subject))
    if not found:
        return "", ()
    entity, before = found
    if "new" in scene.states_of(entity) and any(token.low == "new" for token in subject):
        before = ("new", *before)
    return (entity, _before_states(before, entity, scene)) if _before_ok(before, entity, scene) else ("", ())


def _before_ok(before: tuple[str, ...], entity: str, scene: Scene) -> bool:
    kept = [word for word in before if word not in lexicon.ADJECTIVES | {"or", "and"} | lexicon.DETERMINERS]
    return all(is_state(word, scene.states_of(entity)) for word in kept)


def _before_states(before: tuple[str, ...], entity: str, scene: Scene) -> tuple[str, ...]:
    kept = [word for word in before if word not in {"or", "and"} | lexicon.DETERMINERS]
    states = [word for word in kept if is_state(word, scene.states_of(entity))]
    return tuple(match_state(word, scene.states_of(entity)) for word in states)


def is_state(word: str, known: tuple[str, ...]) -> bool:
    """Say whether the word can be the name of a state of an entity with these known states."""
    if match_state(word, known) in known:
        return True
    first, *rest = word.split() or [""]
    if rest:
        return (first in _STATE_PREPOSITIONS and len(rest) <= 2) or (
            words.is_participle(first) and rest[-1] in _PARTICLES
        )
    return (words.is_participle(word) and words.verb_of(word) not in lexicon.NOT_STATES) or word in lexicon.PLAIN_STATES


_STATE_PREPOSITIONS = frozenset("in on out under off".split())


def match_state(word: str, known: tuple[str, ...]) -> str:
    """Return the known state that the word means, else the word."""
    return next((state for state in known if words.snake(state) == words.snake(word)), word)


def _condition(rest: list[Token], scene: Scene, entity: str) -> tuple[list[Token], tuple[str, ...] | None, bool]:
    """Part "approved only when it is submitted"; None as states where the condition is not understood."""
    for index in range(len(rest)):
        for phrase in sorted({*_CONDITIONS, *_UNTIL}, key=len, reverse=True):
            if starts(rest, index, phrase):
                tail = rest[index + len(phrase) :]
                states = _state_words(tail, scene, entity)
                return rest[:index], states or None, phrase in _UNTIL
        if _goes_on(rest, index):
            return rest[:index], None, False
    return _without_place(rest), (), False


_PARTICLES = frozenset("in out up off back away down over on".split())
_GOING_ON = lexicon.SUBORDINATE | frozenset("only for without unless per to with on in at than more".split())


def _goes_on(rest: list[Token], index: int) -> bool:
    """Whether the passive goes on with a condition or place that no rule can hold."""
    low = rest[index].low
    before = rest[index - 1].low if index else ""
    if starts(rest, index, ("at", "any", "time")):
        return False
    if low in _PARTICLES and words.is_participle(before):
        return False
    if low in {"as", "to"} and before in {"marked", "flagged", "set"}:
        return False
    return low in _GOING_ON and not (low == "to" and _place(rest, index))


def _place(rest: list[Token], index: int) -> bool:
    """Whether only the place follows where the record goes: "returned to the shelter"."""
    tail = rest[index + 1 :]
    return (
        2 <= len(tail) <= 3 and tail[0].low in {"the", "its", "their"} and all(token.kind == "word" for token in tail)
    )


def _without_place(rest: list[Token]) -> list[Token]:
    places = (index for index in range(1, len(rest)) if rest[index].low == "to" and rest[index - 1].low != "set")
    at = next(places, -1)
    return rest[:at] if at > 0 and _place(rest, at) else rest


def _state_words(tokens: list[Token], scene: Scene, entity: str) -> tuple[str, ...]:
    """Read "submitted or rejected", "in state draft"; () where one of the words is no state."""
    tokens = [
        token
        for token in tokens
        if token.low not in {"the", "its", "in", "state", "status", "still", "already", "is", "a", "be", "been"}
    ]
    if entity:
        names = set(entity.split("_"))
        tokens = [token for token in tokens if words.singular(token.low) not in names]
    known = scene.states_of(entity)
    states: list[str] = []
    for part in split_on(tokens, frozenset({",", "or", "and"})):
        text = " ".join(token.low for token in part)
        if len(part) > _LONGEST_STATE or not is_state(text, known):
            return ()
        states.append(match_state(text, known))
    return tuple(states)


def _participles(tokens: list[Token]) -> list[tuple[str, str]]:
    """Read "approved, rejected or put on hold (by a manager)" as (verb, state) pairs; empty where one is none."""
    agent = find(tokens, frozenset({"by"}))
    if agent >= 0:
        if not _is_role(tokens[agent + 1 :]):
            return []
        tokens = tokens[:agent]
    found: list[tuple[str, str]] = []
    for part in split_on(
        [token for token in tokens if token.low not in {"either", "(", ")"}], frozenset({",", "or", "and", "/"})
    ):
        pair = _participle([token.low for token in part if token.low not in _POLITE])
        if pair is None:
            return []
        found.append(pair)
    return found


def _is_role(tokens: list[Token]) -> bool:
    phrase = bare_phrase(tokens)
    return (
        bool(phrase)
        and len(phrase) <= _LONGEST_STATE
        and not set(phrase) & (lexicon.STOP | {"date", "email", "mail", "name", "title"})
    )


def _participle(low: list[str]) -> tuple[str, str] | None:
    if starts_with(low, ("marked", "as")) or starts_with(low, ("set", "to")) or starts_with(low, ("flagged", "as")):
        state = " ".join(low[2:])
        return (
            (f"mark_{words.snake(state)}", state) if 0 < len(low[2:]) <= _LONGEST_STATE and words.snake(state) else None
        )
    text = " ".join(low)
    if text in lexicon.IRREGULAR_VERBS:
        return (
            (lexicon.IRREGULAR_VERBS[text], text) if lexicon.IRREGULAR_VERBS[text] not in lexicon.NOT_STATES else None
        )
    particle = len(low) == 2 and low[1] in {"in", "out", "up", "off", "back", "away", "down", "over"}
    if (len(low) != 1 and not particle) or not words.is_participle(low[0]):
        return None
    verb = words.verb_of(low[0])
    if verb in lexicon.NOT_STATES and not particle:
        return None
    return (f"{verb}_{low[1]}", text) if particle else (verb, text)


def starts_with(low: list[str], phrase: tuple[str, ...]) -> bool:
    """Say whether the list starts with the phrase."""
    return tuple(low[: len(phrase)]) == phrase


def flow_tokens(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "an order moves from draft to submitted to paid", "status: draft -> submitted -> paid"."""
    arrows = [index for index, token in enumerate(tokens) if token.kind == "arrow"]
    if arrows:
        return _arrow_flow(tokens, arrows, scene)
    low = [token.low for token in tokens]
    verb = find(tokens, MOVES)
    start = low.index("from", verb) if verb >= 0 and "from" in low[verb:] else -1
    if start < 0 or verb < 1:
        return None
    entity = _flow_entity(tokens[:verb], scene)
    steps = split_on(tokens[start + 1 :], frozenset({"to", "then", "finally", "via"}))
    return _steps(entity, steps, scene) if entity else None


def _flow_entity(tokens: list[Token], scene: Scene) -> str:
    kept = [token for token in tokens if token.low not in lexicon.MODAL | {"first", "always", "only", "then"}]
    of = find(kept, frozenset({"of"}))
    if of > 0 and kept[of - 1].low in lexicon.STATE_NOUNS:
        kept = kept[of + 1 :]
    elif kept and kept[-1].low in lexicon.STATE_NOUNS:
        kept = kept[:-1]
    kept = [token for token in kept if token.low not in {"'s", "its"}]
    return subject_entity(tuple(kept), scene) if bare_phrase(kept) else scene.entity


_FLOWS = frozenset("flow flows lifecycle workflow transitions".split())


def _arrow_flow(tokens: list[Token], arrows: list[int], scene: Scene) -> list[Fact] | None:
    first = tokens[: arrows[0]]
    colon = max(
        (index for index, token in enumerate(first) if token.low in {":", "is", "are", "from", "="}), default=-1
    )
    label = [token for token in first[: max(colon, 0)] if token.low not in _FLOWS]
    entity = _flow_entity(label, scene) if colon > 0 else scene.entity
    marks = frozenset(tokens[index].low for index in arrows)
    found: list[Fact] = []
    for flow in split_on([*first[colon + 1 :], *tokens[arrows[0] :]], frozenset({",", ";"})):
        steps = split_on(flow, marks)
        said = any(is_state(lows(step)[-1], scene.states_of(entity)) for step in steps)
        sure = said or colon > 0 or len(steps) > 2  # "place -> shop" may be a field that refers to a shop
        facts = _steps(entity, steps, scene) if entity and sure else None
        if facts is None:
            return None
        found.extend(fact for fact in facts if not found or not isinstance(fact, InitialFact))
    return found or None


def _steps(entity: str, steps: list[list[Token]], scene: Scene) -> list[Fact] | None:
    stages = [_stage(step) for step in steps]
    if any(_is_noun(state, scene) for stage in stages for state in stage):
        return None  # "location -> Room" is a field that refers to a room
    if len(stages) < 2 or any(not stage for stage in stages):  # a move has two ends
        return None
    facts: list[Fact] = [InitialFact(entity, stages[0][0])] if len(stages[0]) == 1 else []
    for before, after in itertools.pairwise(stages):
        facts.extend(TransitionFact(entity, words.verb_of(state), state, tuple(before)) for state in after)
    return facts


def _is_noun(state: str, scene: Scene) -> bool:
    """Whether what stands in a flow is a record or a field and no state."""
    return bool(scene.names.exact((state,))) or lexicon.FIELD_TYPES.get(state, "boolean") != "boolean"


def _stage(tokens: list[Token]) -> list[str]:
    found = []
    for part in split_on(
        [token for token in tokens if token.low not in {"and", "the", "a", ",", "or"} or token.low == "or"],
        frozenset({"or", "/"}),
    ):
        text = " ".join(token.low for token in part)
        if (
            len(part) > _LONGEST_STATE
            or any(token.kind not in {"word", "quoted"} for token in part)
            or set(text.split()) & (lexicon.SUBORDINATE | lexicon.MODAL | lexicon.BE | lexicon.HAS)
        ):
            return []
        found.append(text)
    return found


_STARTS = tuple(
    tuple(text.split())
    for text in (
        "starts out as|start out as|starts as|start as|starts in|start in|begins as|begin as|is created as|are created as|"
        "is created in|are created in|is initially|are initially|starts|start|begins"
    ).split("|")
)


def initial_clause(clause: Clause, scene: Scene) -> list[Fact] | None:
    """Read "a new order starts as draft", "orders are created as draft", "new tasks are open"."""
    low = list(clause.low)
    entity = subject_entity(clause.subject, scene) if clause.subject else ""
    if not entity or not low:
        return None
    phrase = next((phrase for phrase in _STARTS if starts_with(low, phrase)), None)
    if phrase:
        return _initial(entity, list(clause.predicate[len(phrase) :]))
    new = any(token.low in {"new", "newly"} for token in clause.subject)
    first = starts_with(low[-2:], ("at", "first")) or low[-1] in {"initially", "first"}
    if low[0] in {"is", "are"} and (new or first):
        return _initial(entity, [token for token in clause.predicate[1:] if token.low not in {"at", "first"}])
    return None


def _initial(entity: str, tokens: list[Token]) -> list[Fact] | None:
    kept = [
        token
        for token in tokens
        if token.low not in {"a", "an", "the", "state", "status", "in", "as", "always", "initially"}
    ]
    text = " ".join(token.low for token in kept)
    plain = all(token.kind in {"word", "quoted"} for token in kept) and not set(text.split()) & (
        lexicon.STOP - {"new", "on", "off"}
    )
    return [InitialFact(entity, text)] if 0 < len(kept) <= _LONGEST_STATE and plain else None


def entity_states(clause: Clause, scene: Scene) -> list[Fact] | None:
    """Read "an order is (either) draft, submitted or paid", "a loan can be open or returned": the states it can be in."""
    entity = subject_entity(clause.subject, scene) if clause.subject else ""
    predicate = [token for token in clause.predicate if token.low not in {"either", "always", "one", "of", ":"}]
    while predicate and predicate[0].low in {"can", "may", "must", "shall"}:
        predicate = predicate[1:]
    if not entity or not predicate or predicate[0].low not in {"is", "are", "be"}:
        return None
    parts = split_on(predicate[1:], frozenset({",", "or"}))
    values = tuple(" ".join(token.low for token in part) for part in parts)
    if len(values) < 2 or not any(token.low == "or" for token in predicate):
        return None
    if not all(len(part) <= _LONGEST_STATE and is_state(value, ()) for part, value in zip(parts, values, strict=True)):
        return None
    return [FieldFact(entity, STATUS, STATUS, "string", None, values=values)]


def with_states(scene: Scene, states: dict[str, tuple[str, ...]]) -> Scene:
    """Return the scene with the states known so far."""
    return replace(scene, states=tuple(states.items()))
