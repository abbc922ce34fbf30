"""Finding the nouns of a brief that are entities, before its rules are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from botarmy.outline import Passage
from providers.offline import lexicon, words
from providers.offline.understand_adjectives import without_adjectives
from providers.offline.understand_clauses import Clause, anchor_in, clauses, label_split
from providers.offline.understand_constraints import identifying_clause, without_clause
from providers.offline.understand_context import sentence_in_row
from providers.offline.understand_facts import Names, bare_phrase, entity_of, names_entity
from providers.offline.understand_fields import Scene, has_clause, list_items
from providers.offline.understand_links import linking_clause, relation_clause
from providers.offline.understand_operations import (
    letting_clause,
    operation_clause,
    passive_operation,
    user_story,
)
from providers.offline.understand_states import MOVES, initial_clause
from providers.offline.understand_tokens import Token, find, starts, tokenise

_MANY = (("one", "or", "more"), ("zero", "or", "more"), ("any", "number", "of"), ("many",), ("several",), ("multiple",))
_LABELS = lexicon.LABEL_WORDS - {
    "user",
    "users",
    "question",
    "questions",
    "feature",
    "features",
    "role",
    "roles",
    "version",
    "goal",
    "goals",
}
_LONGEST_ITEM = 24
_ENTITY_LABELS = frozenset("entities entity objects resources things nouns".split())
_RECORDED = frozenset("store record save keep capture track note register".split())
_FOR_EACH = frozenset("each every a an".split())
_PURPOSE_STEPS = frozenset({"that", "which", "for", "to", "where"})
_TITLE_ENDS = lexicon.PRODUCT_KINDS | {
    "management",
    "tracking",
    "booking",
    "scheduling",
    "planning",
    "administration",
    "mini",
}


@dataclass
class OpenNames(Names):
    """Names that take every phrase that could be an entity for one, and count how often."""

    votes: Counter[str] = field(default_factory=Counter)
    labels: dict[str, str] = field(default_factory=dict)
    eager: bool = False
    strong: bool = False

    def exact(self, phrase: tuple[str, ...]) -> str | None:
        """Nominate the phrase."""
        return self.nominate(phrase)

    def object(self, phrase: tuple[str, ...], *, determined: bool) -> str | None:
        """Nominate a verb's object: "books", "a book"; a bare singular may be no noun at all."""
        return self.nominate(phrase) if phrase and (determined or words.is_plural(phrase[-1])) else None

    def resolve(self, phrase: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        """Nominate the phrase where eager; else parts of phrases wait until the entities are known."""
        name = self.nominate(phrase) if self.eager else None
        return (name, ()) if name else None

    def nominate(self, phrase: tuple[str, ...], weight: int = 1) -> str | None:
        """Vote for the phrase as an entity; return its name, or None where it cannot be one."""
        while phrase and (phrase[0] in lexicon.ADJECTIVES or phrase[0] in lexicon.DETERMINERS):
            phrase = phrase[1:]
        while len(phrase) > 1 and (words.is_participle(phrase[0]) or phrase[0] in lexicon.PLAIN_STATES):
            phrase = phrase[1:]
        if not names_entity(phrase, strong=self.strong):
            return None
        name = entity_of(phrase)
        self.votes[name] += weight
        self.labels.setdefault(name, " ".join(words.singular_phrase(phrase)))
        return name


def find_entities(passages: Iterable[Passage], title: str) -> dict[str, str]:
    """Return the entities of a brief: name -> the brief's words for it, in the order of mention."""
    found = list(passages)
    votes, labels = Counter[str](), dict[str, str]()
    for passage in found:
        trial = OpenNames()
        _vote(passage, trial)
        votes.update(trial.votes)
        for name, label in trial.labels.items():
            labels.setdefault(name, label)
    for name, label in _headings(found, title).items():
        votes[name] += 1
        labels.setdefault(name, label)
    chosen = {name: labels[name] for name in labels if votes[name] > 0}
    return without_adjectives(chosen, found) or from_title(title) or _from_prose(found)


def _vote(passage: Passage, names: OpenNames) -> None:
    """Let each way of speaking about records nominate its nouns."""
    _table(passage, names)
    passage = sentence_in_row(passage)
    if passage.kind == "row":
        return
    tokens = tokenise(passage.text)
    story = user_story(tokens)
    tokens = story.wish if story else tokens
    label = label_split(tokens)
    if label:
        _label(label[0], label[1], passage, names)
        tokens = label[1]
    _with_fields(tokens, names)
    for clause in clauses(tokens):
        _clause_votes(clause, names)
    _ruled(tokens, names)
    _recorded(tokens, names)
    _flows(tokens, names)
    _purposes(tokens, names)
    for lead in (*passage.leads[-1:], *passage.headings[-1:]):
        if names_entities(lead) and passage.kind == "item" and anchor_in(tokens) < 0:
            names.nominate(bare_phrase(tokens[: _first_mark(tokens)]), 2)


def names_entities(lead: str) -> bool:
    """Say whether a lead-in or heading announces the entities themselves."""
    low = [token.low for token in tokenise(lead)]
    return bool(set(low[-4:]) & _ENTITY_LABELS)


def _first_mark(tokens: list[Token]) -> int:
    return next((index for index, token in enumerate(tokens) if token.kind == "mark"), len(tokens))


def _label(label: list[Token], rest: list[Token], passage: Passage, names: OpenNames) -> None:
    """A label with a list of fields behind it, "Book: title, author", names an entity."""
    heads = [token.low for token in label if token.kind == "word"]
    if (
        heads
        and not {*heads} & _LABELS
        and words.singular(heads[-1]) not in lexicon.FIELD_TYPES
        and not _field_place(passage)
        and rest[0].low not in lexicon.TYPES_ONLY
        and _lists_fields(rest)
    ):
        names.nominate(bare_phrase(label))


def _lists_fields(tokens: list[Token]) -> bool:
    """Whether the tokens list fields: several parts, one of them of a well-known name or with a quality."""
    parts = list_items(tokens)
    return len(parts) > 1 and anchor_in(tokens) < 0 and any(fieldish(part) for part in parts)


def _with_fields(tokens: list[Token], names: OpenNames) -> None:
    """Products with name and price: products are records."""
    at = find(tokens, frozenset({"with"}))
    head = [token for token in tokens[:at] if token.low not in lexicon.OPERATION_FORMS]
    if 0 < at <= 6 and anchor_in(tokens[:at]) < 0 and head and _lists_fields(tokens[at + 1 :]) and _plain(head):
        names.nominate(bare_phrase(head[-2:]))


def _plain(tokens: list[Token]) -> bool:
    return all(token.kind == "word" and token.low not in lexicon.STOP - lexicon.DETERMINERS for token in tokens)


def _table(passage: Passage, names: OpenNames) -> None:
    """A table of entities and their fields."""
    for header, cell in passage.cells:
        if header.lower().strip("*_ ") in {"entity", "object", "resource", "model"}:
            names.nominate(bare_phrase(tokenise(cell)), 2)


def _field_place(passage: Passage) -> bool:
    """Whether the passage stands where fields are listed: below "A book has:" or a heading like "Fields"."""
    if not passage.leads:
        return False
    low = [token.low for token in tokenise(passage.leads[-1])]
    return bool(set(low) & (lexicon.HAS | {"fields", "attributes", "properties", "with", "following"}))


def _clause_votes(clause: Clause, names: OpenNames) -> None:
    if not _organisation(clause.subject) and not _plain_subject(clause):
        trial = OpenNames(strong=clause.subject[0].low in _FOR_EACH)
        if has_clause(clause, Scene(trial)):
            _merge(names, trial)
        elif clause.low[-1:] and clause.low[-1] in lexicon.HAS:
            names.nominate(bare_phrase(clause.subject))
        _many(clause, names)
        trial = OpenNames(eager=True)
        certain = not set(clause.low) & (lexicon.BE | {"be"}) or bool(set(clause.low) & {"exactly", "one"})
        certain |= clause.subject[0].low in {"each", "every"} and not set(clause.low) & lexicon.MACHINE
        if relation_clause(clause, Scene(trial)) and certain:
            _merge(names, trial)
    trial = OpenNames(eager=True)
    if linking_clause(clause.tokens, Scene(trial)):
        _merge(names, trial)
    trial = OpenNames()
    if operation_clause(clause.tokens, Scene(trial)) or letting_clause(clause.tokens, Scene(trial)):
        _merge(names, trial)
    trial = OpenNames()
    if passive_operation(clause.subject, clause.predicate, Scene(trial)) and not _field_word(clause.subject):
        _merge(names, trial)
    _passive_action(clause, names)
    _owners(list(clause.subject), names)


def _merge(names: OpenNames, trial: OpenNames) -> None:
    names.votes.update(trial.votes)
    for name, label in trial.labels.items():
        names.labels.setdefault(name, label)


def _field_word(subject: tuple[Token, ...]) -> bool:
    phrase = bare_phrase(subject)
    return not phrase or words.singular(phrase[-1]) in lexicon.FIELD_TYPES


def _organisation(subject: tuple[Token, ...]) -> bool:
    """The library, our gym: one thing and no record, unless it is named elsewhere with a, each or every."""
    low = [token.low for token in subject]
    return not low or (low[0] in {"the", "our", "this", "my", "no", "only"} and not words.is_plural(low[-1]))


def _plain_subject(clause: Clause) -> bool:
    return bool(
        {token.low for token in clause.subject}
        & {"we", "i", "you", "there", "it", "they", "who", "which", "that", "two"}
    )


def _many(clause: Clause, names: OpenNames) -> None:
    """A book has many copies: copies are records."""
    for index in range(len(clause.predicate)):
        phrase = next((phrase for phrase in _MANY if starts(list(clause.predicate), index, phrase)), None)
        if phrase:
            rest = list(clause.predicate[index + len(phrase) :])
            end = next(
                (
                    at
                    for at, token in enumerate(rest)
                    if token.kind == "mark" or token.low in {"and", "which", "that", "per", "at"}
                ),
                len(rest),
            )
            if 0 < end <= 3 and words.is_plural(rest[end - 1].low):
                names.nominate(bare_phrase(rest[:end]))
            return


def _passive_action(clause: Clause, names: OpenNames) -> None:
    """A loan can be returned: loans are records, unless the word is a field's."""
    low = clause.low
    if len(low) < 3 or low[0] not in {"can", "may", "must"} or low[1] != "be" or not clause.subject:
        return
    if (
        words.is_participle(low[2])
        and words.verb_of(low[2]) not in lexicon.NOT_STATES
        and not _field_word(clause.subject)
    ):
        phrase = tuple(word for word in bare_phrase(clause.subject) if word != "only")
        while len(phrase) > 1 and (
            words.is_participle(phrase[0]) or phrase[0] in {"open", "draft", "pending", "or"} | lexicon.DETERMINERS
        ):
            phrase = phrase[1:]
        names.nominate(phrase)


def _owners(subject: list[Token], names: OpenNames) -> None:
    """The price of a product, a product's price, no two products: products are records."""
    mark = find(subject, frozenset({"'s"}))
    if mark > 0 and mark + 1 < len(subject) and subject[0].low in {"a", "an", "each", "every"}:
        names.nominate(bare_phrase(subject[:mark]))
    of = find(subject, frozenset({"of"}))
    if (
        of > 0
        and of + 1 < len(subject)
        and subject[of + 1].low in _FOR_EACH
        and words.singular(subject[of - 1].low) in lexicon.FIELD_TYPES
    ):
        names.nominate(bare_phrase(subject[of + 1 :]))
    low = [token.low for token in subject]
    if "two" in low[:2] and len(low) > low.index("two") + 1:
        names.nominate(bare_phrase(subject[low.index("two") + 1 :]))


def _recorded(tokens: list[Token], names: OpenNames) -> None:
    """For each visit we record the date."""
    if tokens and tokens[0].low in {"for", "about", "of"} and len(tokens) > 3 and tokens[1].low in _FOR_EACH | {"all"}:
        end = next(
            (at for at, token in enumerate(tokens) if token.low in {",", "we", "the", "it", ":", "there"} and at > 1), 0
        )
        if (
            end
            and find(
                tokens,
                _RECORDED
                | {"stores", "records", "need", "know", "saved", "stored", "recorded", "must", "is", "are", ":"},
                end,
            )
            >= 0
        ):
            names.nominate(bare_phrase(tokens[2:end]))


def _ruled(tokens: list[Token], names: OpenNames) -> None:
    """A part without a number is rejected; the SKU identifies a product; a permit starts as pending: these are records."""
    said = clauses(tokens)
    whole = said[0].tokens if len(said) == 1 else []
    opened = bool(whole) and whole[0].low in {*_FOR_EACH, "no", "two", "the"}
    for reader in (without_clause, identifying_clause) if opened else ():
        trial = OpenNames(strong=True)
        if reader(whole, Scene(trial)):
            _merge(names, trial)
    if whole and whole[0].low in _FOR_EACH and "as" in said[0].low[:3]:
        trial = OpenNames(strong=True)
        if initial_clause(said[0], Scene(trial)):
            _merge(names, trial)


def _flows(tokens: list[Token], names: OpenNames) -> None:
    """An order moves from new to paid: orders are records."""
    at = find(tokens, MOVES)
    if 0 < at <= 5 and find(tokens, frozenset({"from"}), at) > 0 and not _field_word(tuple(tokens[:at])):
        names.nominate(bare_phrase(tokens[:at]))


def _purposes(tokens: list[Token], names: OpenNames) -> None:
    """A tool that tracks parcels; an app for managing recipes; to keep track of tools."""
    for index in range(1, len(tokens)):
        kind = lexicon.OPERATION_FORMS.get(tokens[index].low)
        if kind in {"manage", "create"} and tokens[index - 1].low in _PURPOSE_STEPS:
            start = index + 1
            if starts(tokens, start, ("track", "of")):
                start += 2
            _objects(tokens[start:], names)
            return


def _objects(tokens: list[Token], names: OpenNames) -> None:
    run: list[Token] = []
    for token in [*tokens, Token(".", ".", "mark")]:
        if (
            token.kind in {"word", "quoted"}
            and token.low not in {"and", "or"}
            and token.low not in lexicon.STOP - lexicon.DETERMINERS
        ):
            run.append(token)
            continue
        while run and run[0].low in lexicon.OPERATION_FORMS:
            run.pop(0)
        if run and words.is_plural(run[-1].low):
            names.nominate(bare_phrase(run))
        run = []
        if token.low not in {",", "and", "or"}:
            return


def _headings(passages: list[Passage], title: str) -> dict[str, str]:
    """Headings (and short lead-ins) with field-like items below name entities."""
    found: dict[str, str] = {}
    for passage in passages:
        places = (*passage.headings[-1:], *passage.leads[-1:])
        said = tokenise(passage.text)
        fields = passage.kind == "row" or (
            passage.kind == "item" and anchor_in(said[: _first_mark(said)]) < 0 and len(said) <= _LONGEST_ITEM
        )
        for place in places:
            tokens = [token for token in tokenise(place) if token.kind in {"word", "quoted"}]
            phrase = heading_phrase(tokens)
            if (
                fields
                and place != title
                and phrase
                and names_entity(phrase)
                and not set(phrase) & (lexicon.LABEL_WORDS | lexicon.MODAL)
                and _fieldish(passage)
            ):
                found.setdefault(entity_of(phrase), " ".join(words.singular_phrase(phrase)))
    return found


def heading_phrase(tokens: list[Token]) -> tuple[str, ...]:
    """Return the noun of a heading: "Books", "The book entity", "Book fields"."""
    phrase = list(bare_phrase(tokens))
    while phrase and phrase[-1] in {
        "entity",
        "fields",
        "data",
        "record",
        "records",
        "model",
        "table",
        "resource",
        "object",
        "attributes",
        "details",
    }:
        phrase.pop()
    while phrase and phrase[0] in {"entity", "fields", "of", "model", "table", "resource", "about", "the", "a", "an"}:
        phrase.pop(0)
    return tuple(phrase) if len(phrase) <= 2 else ()  # longer headings are titles


def _fieldish(passage: Passage) -> bool:
    if passage.kind == "row":
        return bool(passage.cells) and passage.cells[0][0].lower() in {
            "field",
            "name",
            "attribute",
            "property",
            "column",
            "feld",
        }
    return fieldish(tokenise(passage.text))


def fieldish(tokens: list[Token]) -> bool:
    """Whether a list item reads like a field: a known field word first, or qualities behind the name."""
    arrow = next((index for index, token in enumerate(tokens) if token.kind == "arrow"), len(tokens))
    head = bare_phrase(tokens[: min(_first_mark(tokens), arrow)])
    known = bool(head) and (head[-1] in lexicon.FIELD_TYPES or words.singular(head[-1]) in lexicon.FIELD_TYPES)
    flags = {
        "required",
        "unique",
        "optional",
        "mandatory",
        "text",
        "number",
        "date",
        "string",
        "integer",
        "boolean",
        "characters",
        "percentage",
        "decimal",
        "enum",
    }
    wish = bool(tokens) and (
        tokens[0].low in lexicon.OPERATION_FORMS or tokens[0].low in lexicon.STATE_VERBS | lexicon.NOT_STATES
    )
    verb = wish and not (len(head) > 1 and known and tokens[0].low in lexicon.STATE_VERBS | {"list", "order", "record"})
    return not verb and (known or bool({token.low for token in tokens} & flags))


def from_title(title: str) -> dict[str, str]:
    """Return the entity that a title names: "Todo app", "Recipe manager", "Inventory of tools"."""
    phrase = [token.low for token in tokenise(title) if token.kind in {"word", "quoted"}]
    if "of" in phrase[1:] or "for" in phrase[1:]:
        at = next(index for index, word in enumerate(phrase) if index and word in {"of", "for"})
        tail = tuple(word for word in phrase[at + 1 :] if word not in lexicon.DETERMINERS)
        if names_entity(tail[:3]) and words.is_plural(tail[-1]):
            return {entity_of(tail): " ".join(words.singular_phrase(tail))}
        phrase = phrase[:at]
    while phrase and phrase[-1] in _TITLE_ENDS:
        phrase.pop()
    if phrase[-1:] and phrase[-1] in lexicon.GENERIC_TITLES:
        return {"item": "item"}
    while phrase and phrase[0] in lexicon.ADJECTIVES | lexicon.DETERMINERS:
        phrase.pop(0)
    tail = tuple(phrase[-2:])
    return {entity_of(tail): " ".join(words.singular_phrase(tail))} if names_entity(tail) else {}


def _from_prose(passages: list[Passage]) -> dict[str, str]:
    """Return the first plural noun after a verb-like word as a last resort: "The library lends books"."""
    for passage in passages:
        tokens = tokenise(passage.text)
        for token in tokens[1:]:
            phrase = (token.low,)
            plain = token.kind == "word" and token.low.isascii() and len(token.low) > 3
            if (
                plain
                and words.is_plural(token.low)
                and names_entity(phrase)
                and words.singular(token.low) not in lexicon.OPERATION_FORMS
            ):
                return {entity_of(phrase): words.singular(token.low)}
    return {}
