"""What a sentence says, as facts about entities; and the nouns that are known to be entities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from providers.offline import lexicon, words
from providers.offline.understand_limits import Limit
from providers.offline.understand_tokens import Token

_LONGEST_NAME = 4


@dataclass(frozen=True)
class FieldFact:
    """An entity has a field. `required` None = not said."""

    entity: str
    field: str
    label: str
    type: str = ""
    required: bool | None = None
    unique: bool = False
    limits: tuple[Limit, ...] = ()
    values: tuple[str, ...] = ()
    default: str = ""


@dataclass(frozen=True)
class RelationFact:
    """Each record of `entity` refers to one of `target` by `field`."""

    entity: str
    target: str
    field: str
    required: bool | None = None
    unique: bool = False


@dataclass(frozen=True)
class TransitionFact:
    """`action` brings a record of `entity` from one of the states (empty = not said) to `to_state`."""

    entity: str
    action: str
    to_state: str
    from_states: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()


@dataclass(frozen=True)
class InitialFact:
    """A new record is in this state."""

    entity: str
    state: str


@dataclass(frozen=True)
class OperationFact:
    """Records can be created, read, updated, deleted or (manage) all of these."""

    entity: str
    operations: tuple[str, ...]


@dataclass(frozen=True)
class FilterFact:
    """Records can be listed by the value of a field."""

    entity: str
    field: str


@dataclass(frozen=True)
class UnreadPart:
    """A part of a list of fields that is not understood; it loses no other field of the list."""

    entity: str
    text: str


Fact = FieldFact | RelationFact | TransitionFact | InitialFact | OperationFact | FilterFact | UnreadPart


@dataclass
class Names:
    """The nouns that are entities (name -> the brief's words) and the fields each is known to have."""

    entities: dict[str, str] = field(default_factory=dict)
    fields: dict[str, set[str]] = field(default_factory=dict)

    def resolve(self, phrase: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        """Return (entity, words before its name) for a phrase that ends in the name of an entity."""
        for start in range(max(0, len(phrase) - _LONGEST_NAME), len(phrase)):
            name = entity_of(phrase[start:])
            if name in self.entities:
                return name, phrase[:start]
        return None

    def exact(self, phrase: tuple[str, ...]) -> str | None:
        """Return the entity where the phrase names it with nothing but empty adjectives before."""
        found = self.resolve(phrase)
        return found[0] if found and not set(found[1]) - lexicon.ADJECTIVES - lexicon.QUANTITIES else None

    def object(self, phrase: tuple[str, ...], *, determined: bool) -> str | None:  # noqa: ARG002 (of use to OpenNames)
        """Return the entity that a verb's object names; `determined` where an article stands before it."""
        return self.exact(phrase)

    def prefix(self, phrase: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        """Return (entity, the words after its name) for a phrase that starts with the name of an entity."""
        for end in range(min(len(phrase) - 1, _LONGEST_NAME), 0, -1):
            name = entity_of(phrase[:end])
            if name in self.entities:
                return name, phrase[end:]
        return None

    def owner(self, name: str) -> str | None:
        """Return the one entity that has the field."""
        owners = [entity for entity, fields in self.fields.items() if name in fields]
        return owners[0] if len(owners) == 1 else None

    def learn(self, facts: Iterable[Fact]) -> None:
        """Remember the fields that the facts name."""
        for fact in facts:
            if isinstance(fact, FieldFact | RelationFact):
                self.fields.setdefault(fact.entity, set()).add(fact.field)


def entity_of(phrase: tuple[str, ...]) -> str:
    """Return the entity name that the words make: singular snake_case, "" where no ASCII form exists."""
    return words.entity_name(" ".join(words.singular_phrase(phrase)))


def bare_phrase(tokens: Iterable[Token]) -> tuple[str, ...]:
    """Return the words of a noun phrase without determiners, marks and leading empty adjectives."""
    found = [token.low for token in tokens if token.kind in {"word", "quoted"}]
    while found and (
        found[0] in lexicon.DETERMINERS or found[0] in lexicon.ADJECTIVES or found[0] in lexicon.QUANTITIES
    ):
        found.pop(0)
    return tuple(found)


def names_entity(phrase: tuple[str, ...], *, strong: bool = False) -> bool:
    """Say whether the phrase can be the name of an entity; more can where there is strong evidence."""
    if not phrase or len(phrase) > _LONGEST_NAME or set(phrase) & (lexicon.STOP | lexicon.SYSTEM_WORDS):
        return False
    head = words.singular(phrase[-1])
    return head not in (lexicon.NEVER_ENTITIES if strong else lexicon.RARELY_ENTITIES) and bool(entity_of(phrase))
