"""The words in which app/models.py describes the entities."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One field of an entity and the rules its values obey; bounds are inclusive, None means open."""

    name: str
    type: str
    required: bool = False
    unique: bool = False
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    values: tuple[str | int | float, ...] = ()
    references: str = ""


@dataclass(frozen=True)
class Transition:
    """A named change of state; no from_states means: from any state."""

    action: str
    from_states: tuple[str, ...]
    to_state: str


@dataclass(frozen=True)
class State:
    """The state field of an entity. Clients never set it; transitions change it."""

    field: str
    initial: str
    states: tuple[str, ...]
    transitions: tuple[Transition, ...] = ()

    def steps(self, action: str) -> tuple[Transition, ...]:
        """Return the transitions with this name; one action may lead elsewhere from another state."""
        return tuple(step for step in self.transitions if step.action == action)


@dataclass(frozen=True)
class Entity:
    """One kind of record; `collection` is its address. The service adds a whole number `id`."""

    name: str
    collection: str
    fields: tuple[Field, ...]
    state: State | None = None

    @property
    def table(self) -> str:
        """The table's name; SQLite keeps names that begin with sqlite_ for itself."""
        return f"_{self.collection}" if self.collection.lower().startswith("sqlite_") else self.collection

    def field(self, name: str) -> Field | None:
        """Return the field with this name, or None."""
        return next((field for field in self.fields if field.name == name), None)
