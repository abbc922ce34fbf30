"""Wishes for records: "librarians can add, edit and delete books", user stories, "mark a task as done"."""

from __future__ import annotations

from dataclasses import dataclass, replace

from providers.offline import lexicon, words
from providers.offline.understand_facts import (
    Fact,
    FilterFact,
    OperationFact,
    RelationFact,
    TransitionFact,
    bare_phrase,
)
from providers.offline.understand_fields import Scene, known_field, listed_fields
from providers.offline.understand_states import entity_and_state, match_state
from providers.offline.understand_tokens import Token, find, split_on, starts

_WISHES = (
    *(
        ("must", "be", "able", "to"),
        ("should", "be", "able", "to"),
        ("shall", "be", "able", "to"),
        ("can",),
        ("may",),
        ("could",),
    ),
    *(
        ("want", "to"),
        ("wants", "to"),
        ("need", "to"),
        ("needs", "to"),
        ("is", "able", "to"),
        ("are", "able", "to"),
        ("has", "to"),
    ),
    *(
        ("be", "possible", "to"),
        ("possible", "to"),
        ("would", "like", "to"),
        ("want", "to", "be", "able", "to"),
        ("will", "be", "able", "to"),
    ),
    *(
        ("need", "to", "be", "able", "to"),
        ("must",),
        ("should",),
        ("shall",),
        ("have", "to"),
        ("to", "be", "able", "to"),
        ("wish", "to"),
    ),
    *(("can", "also"), ("able", "to"), ("allows", "to"), ("lets", "you"), ("lets", "me"), ("to",), ("will",)),
)
_LETTING = frozenset("lets let allows allow enables enable permits permit helps help".split())
_KEEPING = frozenset(
    "keeps keep stores store manages manage tracks track records record lists list handles handle organises organizes maintains".split()
)
_PLACES = (
    *(
        ("in", "the", "system"),
        ("to", "the", "system"),
        ("from", "the", "system"),
        ("in", "the", "app"),
        ("in", "the", "database"),
    ),
    *(
        ("to", "the", "catalogue"),
        ("to", "the", "catalog"),
        ("from", "the", "catalogue"),
        ("to", "the", "list"),
        ("from", "the", "list"),
    ),
    *(
        ("to", "my", "list"),
        ("from", "my", "list"),
        ("to", "a", "list"),
        ("at", "any", "time"),
        ("through", "the", "api"),
        ("via", "the", "api"),
    ),
    *(("via", "an", "api"), ("through", "an", "api"), ("over", "http"), ("in", "one", "place")),
)
_PLACE_STARTS = frozenset(phrase[0] for phrase in _PLACES)
_LISTS = frozenset(
    "inventory list overview catalogue catalog register index collection record records database".split()
)
_OBJECT_ENDS = frozenset(
    {
        "by",
        "with",
        "without",
        "for",
        "per",
        "if",
        "when",
        "who",
        "which",
        "that",
        "where",
        "from",
        "sorted",
        "within",
        "than",
    }
)
_DETERMINERS = frozenset(
    "a an the all every each any new existing my our your their its his her these individual single".split()
)
_LONGEST_ROLE = 5
_STORY = frozenset({"as"})


@dataclass(frozen=True)
class Story:
    """A user story: who wants what."""

    role: str
    wish: list[Token]


def user_story(tokens: list[Token]) -> Story | None:
    """Read "As a member, I want to borrow books so that …"."""
    if len(tokens) < 4 or tokens[0].low != "as" or tokens[1].low not in lexicon.DETERMINERS:
        return None
    at = find(tokens, frozenset({"i", "we"}))
    if not 0 < at <= _LONGEST_ROLE + 2:
        return None
    role = " ".join(token.text for token in tokens[2:at] if token.kind == "word")
    return Story(role, tokens[at:])


def operation_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read a wish for records in the active: (role) can verb objects; or a bare "add and edit books"."""
    tokens = _without_places(tokens)
    return _bare_wish(tokens, scene) or _after_wish(tokens, scene) or _kept(tokens, scene)


def _without_places(tokens: list[Token]) -> list[Token]:
    for index, token in enumerate(tokens):
        if token.low in _PLACE_STARTS:
            phrase = next((phrase for phrase in _PLACES if starts(tokens, index, phrase)), None)
            if phrase:
                return tokens[:index] + tokens[index + len(phrase) :]
    return tokens


def _after_wish(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    for index in range(min(len(tokens), _LONGEST_ROLE + 4)):
        end = max((index + len(phrase) for phrase in _WISHES if starts(tokens, index, phrase)), default=0)
        if end:
            role = [token.low for token in tokens[:index]]
            if {"only", "no", "not", "never", "without"} & {*role, *(token.low for token in tokens[index:end])}:
                return None
            return _bare_wish(tokens[end:], scene)
    return None


def _kept(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """The library keeps a list of books; a list of all members; the app tracks parcels."""
    at = find(tokens, _KEEPING)
    if 0 < at <= _LONGEST_ROLE:
        subject = [token.low for token in tokens[:at]]
        if not set(subject) & (lexicon.NOT | {"no", "only", "can", "must"}):
            return _objects(after_list(tokens[at + 1 :]), scene, ("manage",))
    listed = after_list(tokens)
    return _objects(listed, scene, ("read",)) if listed is not tokens else None


def after_list(tokens: list[Token]) -> list[Token]:
    """Step over "a list of", "track of", "inventory of"."""
    start = 0
    while start < len(tokens) and tokens[start].low in _DETERMINERS | {"simple"}:
        start += 1
    if start + 1 < len(tokens) and tokens[start].low in _LISTS | {"track"} and tokens[start + 1].low in {"of", "for"}:
        return tokens[start + 2 :]
    return tokens


def _bare_wish(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read verbs and their objects, several times over: "add books, edit and delete them"."""
    facts: list[Fact] = []
    index = 0
    while index < len(tokens):
        verbs, start = _verbs(tokens, index)
        if not verbs:
            return None
        end = _next_verb(tokens, start)
        found = _wish(verbs, tokens[start:end], scene)
        if found is None:
            return None
        facts.extend(found)
        index = end
        while index < len(tokens) and tokens[index].low in {",", "and", "or", ";", "to", "then", "also"}:
            index += 1
    return facts or None


_VERB_JOINTS = frozenset({",", "and", "or", "/", "&"})


def _verbs(tokens: list[Token], index: int) -> tuple[list[str], int]:
    """Read joined verbs; a second verb needs a joint, so that the "books" of "delete books" are its objects."""
    found: list[str] = []
    joined = True
    while index < len(tokens):
        low = tokens[index].low
        particle = low + "_" + tokens[index + 1].low if index + 1 < len(tokens) else low
        if joined and particle in lexicon.STATE_VERBS:
            found.append(particle)
            index += 2
        elif joined and _is_verb(low):
            found.append(low)
            index += 1
        elif low in _VERB_JOINTS and found:
            index += 1
        else:
            break
        joined = low in _VERB_JOINTS
    return found, index


def _is_verb(low: str) -> bool:
    known = low in lexicon.OPERATION_FORMS or base_of(low) in lexicon.STATE_VERBS
    return known or low in {"mark", "set"} or low in _ASSIGNING


def _next_verb(tokens: list[Token], start: int) -> int:
    """Return where the next verb group begins, after a joint."""
    for index in range(start, len(tokens) - 1):
        following = tokens[index + 1].low
        verb = following in lexicon.OPERATION_FORMS or base_of(following) in lexicon.STATE_VERBS or following == "mark"
        if verb and tokens[index].low in {"and", ",", "or", ";"}:
            return index
    return len(tokens)


def _wish(verbs: list[str], objects: list[Token], scene: Scene) -> list[Fact] | None:
    if verbs[-1] in {"mark", "set"}:
        return _mark(objects, scene) if len(verbs) == 1 else None
    if verbs[-1] in _ASSIGNING:
        return _assigned(objects, scene) if len(verbs) == 1 else None
    objects = after_list(objects)
    operations = tuple(lexicon.OPERATION_FORMS[verb] for verb in verbs if verb in lexicon.OPERATION_FORMS)
    states = [verb for verb in verbs if verb not in lexicon.OPERATION_FORMS]
    facts: list[Fact] = []
    if operations:
        found = _objects(objects, scene, operations)
        if found is None:
            return None
        facts.extend(found)
    if states:
        moved = _moved(states, objects, scene)
        if moved is None:
            return None
        facts.extend(moved)
    return facts


_ASSIGNING = frozenset({"assign", "assigns", "allocate", "link", "attach"})


def _assigned(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Assign a task to a person: the task refers to a person, once that is done."""
    at = find(tokens, frozenset({"to", "with"}))
    if at <= 0:
        return None
    entity = scene.names.exact(_phrase(tokens[:at]))
    target = scene.names.exact(_phrase(tokens[at + 1 :]))
    return (
        [RelationFact(entity, target, f"{target}_id", required=False)]
        if entity and target and entity != target
        else None
    )


def _phrase(tokens: list[Token]) -> tuple[str, ...]:
    low = [token.low for token in tokens]
    while low and low[0] in _DETERMINERS:
        low.pop(0)
    return tuple(low)


def _moved(verbs: list[str], objects: list[Token], scene: Scene) -> list[Fact] | None:
    """Read what "resolve" does to "an open ticket": (open) -> resolved."""
    found: list[Fact] = []
    for part in split_on(objects, frozenset({",", "and"})):
        pronoun = [token.low for token in part] in (["it"], ["them"])
        entity, states = (scene.entity, ()) if pronoun else entity_and_state(part, scene)
        if not entity or any(token.kind != "word" for token in part):
            return None
        known = scene.states_of(entity)
        found.extend(
            TransitionFact(entity, base_of(verb), match_state(_state_of(base_of(verb)), known), states)
            for verb in verbs
        )
    return found or None


def base_of(verb: str) -> str:
    """Return the base form of a verb: approves -> approve."""
    if verb in lexicon.STATE_VERBS:
        return verb
    candidates = (verb.removesuffix("s"), verb.removesuffix("es"), verb.removesuffix("ies") + "y")
    return next((base for base in candidates if base in lexicon.STATE_VERBS), verb)


def does_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read a statement of who does what: "employees submit claims", "a manager approves or rejects them"."""
    for index in range(1, min(len(tokens), _LONGEST_ROLE)):
        low = tokens[index].low
        if low not in lexicon.OPERATION_FORMS and base_of(low) not in lexicon.STATE_VERBS:
            continue
        role = [token.low for token in tokens[:index] if token.low not in lexicon.DETERMINERS]
        if (
            not role
            or set(role) & lexicon.OPERATION_FORMS.keys()
            or set(role) & (lexicon.STOP | lexicon.MODAL | lexicon.BE | {"only", "no"})
        ):
            return None
        if not (words.is_plural(role[-1]) or role[-1] in lexicon.PERSONS or low.endswith("s")):
            return None
        return _bare_wish(_without_places(tokens[index:]), scene)
    return None


def _state_of(verb: str) -> str:
    head, _, particle = verb.partition("_")
    return f"{words.participle_of(head)} {particle}".strip()


def _mark(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Mark a task as done."""
    at = find(tokens, frozenset({"as", "to"}))
    if at <= 0 or not 0 < len(tokens) - at - 1 <= 3:  # a state has at most three words
        return None
    found = _objects(tokens[:at], scene, ("read",))
    facts: list[Fact] = []
    for part in split_on(tokens[at + 1 :], frozenset({"or", ",", "and"})):
        state = " ".join(token.low for token in part)
        if not words.snake(state) or set(state.split()) & lexicon.SUBORDINATE:
            return None
        facts.extend(
            TransitionFact(fact.entity, f"mark_{words.snake(state)}", match_state(state, scene.states_of(fact.entity)))
            for fact in found or []
        )
    return facts or None


def _objects(tokens: list[Token], scene: Scene, operations: tuple[str, ...]) -> list[Fact] | None:
    """Read "books and members", "a new book with a title", "them"; None where a word is left over."""
    by = find(tokens, frozenset({"by"}))
    if by > 0 and set(operations) <= {"read", "filter"}:
        return _filtered(tokens[:by], tokens[by + 1 :], scene)
    at = find(tokens, frozenset({"with", "including"}))
    if at > 0:
        return _with_fields(tokens[:at], tokens[at + 1 :], scene, operations)
    if not tokens or any(token.kind not in {"word", "quoted"} and token.low not in {",", "/", "&"} for token in tokens):
        return None
    found: list[Fact] = []
    for part in split_on(tokens, frozenset({",", "and", "or", "/", "&"})):
        low = [token.low for token in part]
        if low in (["it"], ["them"], ["these"]) and (found or scene.entity):
            found.append(OperationFact(found[-1].entity if found else scene.entity, operations))
            continue
        entity = (
            None
            if set(low) & _OBJECT_ENDS
            else scene.names.object(_phrase(part), determined=part[0].low in _DETERMINERS)
        )
        if not entity:
            return None
        found.append(OperationFact(entity, operations))
    return found or None


def _filtered(before: list[Token], after: list[Token], scene: Scene) -> list[Fact] | None:
    """List contacts by company or by name: fields that the entity has."""
    entity = scene.names.exact(_phrase(before))
    if not entity:
        return None
    found: list[Fact] = []
    for part in split_on(
        [token for token in after if token.low not in {"by", "its", "their"}], frozenset({",", "and", "or"})
    ):
        name = known_field(bare_phrase(part), replace(scene, entity=entity))
        related = scene.names.exact(bare_phrase(part))
        name = name or (f"{related}_id" if related and f"{related}_id" in scene.names.fields.get(entity, ()) else "")
        if not name:
            return None
        found.append(FilterFact(entity, name))
    return found or None


def with_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "products with name, SKU and price"."""
    at = find(tokens, frozenset({"with"}))
    return _with_fields(tokens[:at], tokens[at + 1 :], scene, ("manage",)) if at > 0 else None


def _with_fields(
    before: list[Token], after: list[Token], scene: Scene, operations: tuple[str, ...]
) -> list[Fact] | None:
    """Create tasks with a title and a due date."""
    entity = scene.names.exact(_phrase(before))
    after = after[1:] if after and after[0].low in {"their", "its"} else after
    fields = listed_fields(after, replace(scene, entity=entity, required=None)) if entity else None
    return [OperationFact(entity, operations), *fields] if entity and fields else None


def passive_operation(subject: tuple[Token, ...], predicate: tuple[Token, ...], scene: Scene) -> list[Fact] | None:
    """Read "books can be added, changed and deleted", "members are managed (by the librarian)"."""
    low = [token.low for token in predicate]
    be = next((index for index, word in enumerate(low[:5]) if word in {"be", "is", "are"}), -1)
    if (
        be < 0
        or set(low[:be]) & {"not", "never", "only", "no"}
        or set(low[: be + 1]) - lexicon.MODAL - {"be", "is", "are", "also"}
    ):
        return None
    entity = scene.names.exact(bare_phrase(subject)) if subject and subject[0].low not in {"only", "no"} else None
    by = low.index("by") if "by" in low else len(low)
    verbs = [word for word in low[be + 1 : by] if word not in {",", "and", "or", "/", "also"}]
    role = bare_phrase(predicate[by + 1 :])
    if not entity or not verbs or len(role) > _LONGEST_ROLE or set(role) & lexicon.STOP:
        return None
    forms = [lexicon.OPERATION_FORMS.get(verb, "") for verb in verbs]
    return (
        [OperationFact(entity, tuple(forms))]
        if all(forms) and all(verb in lexicon.CRUD_PARTICIPLES or _participle(verb) for verb in verbs)
        else None
    )


def _participle(verb: str) -> bool:
    return verb.endswith("ed") or verb in {"kept", "seen", "shown"}


def roles_in(tokens: list[Token]) -> str:
    """Return the role that a sentence names as its subject: "librarians can …" -> "librarians"; "" where none."""
    for phrase in (
        ("can",),
        ("must", "be", "able"),
        ("want", "to"),
        ("wants", "to"),
        ("needs", "to"),
        ("should", "be", "able"),
        ("may",),
    ):
        for index in range(1, min(len(tokens), _LONGEST_ROLE)):
            if starts(tokens, index, phrase):
                role = bare_phrase(tokens[:index]) if tokens[0].low not in {"only", "no", "two", "nobody"} else ()
                heads = set(role[-1:])
                return " ".join(role) if heads & lexicon.PERSONS else ""
    return ""


def letting_clause(tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read "the app lets users add and list tasks"."""
    at = find(tokens, _LETTING)
    if not 0 <= at <= _LONGEST_ROLE:
        return None
    for index in range(at + 1, min(len(tokens), at + _LONGEST_ROLE)):
        if tokens[index].low in lexicon.OPERATION_FORMS or tokens[index].low in lexicon.STATE_VERBS:
            return _bare_wish(_without_places(tokens[index:]), scene)
    return None
