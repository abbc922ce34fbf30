"""A sample model: it makes this folder a running service of its own. The generator writes this file anew."""

from __future__ import annotations

from app.schema import Entity, Field, State, Transition

TITLE = "Sample"
LIST_ENVELOPE = True

AUTHOR = Entity(
    name="author",
    collection="authors",
    fields=(Field("name", "string", required=True, unique=True, max_length=80),),
)

BOOK = Entity(
    name="book",
    collection="books",
    fields=(
        Field("title", "string", required=True, min_length=1, max_length=200),
        Field("author_id", "reference", required=True, references="author"),
        Field("pages", "integer", minimum=1, maximum=10000),
        Field("genre", "string", values=("novel", "poetry")),
    ),
    state=State(
        field="status",
        initial="available",
        states=("available", "lent"),
        transitions=(
            Transition("lend", from_states=("available",), to_state="lent"),
            Transition("give_back", from_states=("lent",), to_state="available"),
        ),
    ),
)

ENTITIES = (AUTHOR, BOOK)
