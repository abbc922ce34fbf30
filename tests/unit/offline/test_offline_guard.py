"""The last line of defence: no name and no value that is made of a number, a verb or a preposition."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botarmy.brief import clean
from providers.offline.understand import understand
from providers.offline.understand_facts import FieldFact, InitialFact, RelationFact, TransitionFact
from providers.offline.understand_guard import Quoted, sound, sound_name, sound_values

STRANGE = """lies between 34.0|42.5 degrees|percentage between 0|default 100|in one|more rooms|of at least 10|per building
|across the zoo|at most 500 characters|frobnicates every day|belongs to a device|works in one|from 1|up to 5|is required
|may be negative|unique|required|default""".replace("\n", "").split("|")


@pytest.mark.parametrize("text", STRANGE)
def test_what_holds_a_number_a_verb_or_a_preposition_is_neither_value_nor_name(text: str) -> None:
    assert not sound_values(["red", text])
    assert not sound_name(text.split())
    assert not sound(FieldFact("box", "colour", "colour", values=("red", text)))
    assert not sound(FieldFact("box", re.sub(r"\W", "_", text), text))
    assert not sound(TransitionFact("box", "pack", text))
    assert not sound(InitialFact("box", text))


@pytest.mark.parametrize(
    "values",
    [
        ("in progress", "on hold", "done"),
        ("not started", "ready for pickup", "picked up"),
        ("A", "B", "AB", "0"),
        ("yes", "no", "other"),
        ("district heating", "very low", "out of stock"),
        (Quoted("from"), Quoted("between 1 and 2")),
    ],
)
def test_values_that_people_do_use_are_let_through(values: tuple[str, ...]) -> None:
    assert sound_values(values)


@pytest.mark.parametrize("name", ["date of birth", "price per hour", "created at", "first name", "number of copies"])
def test_names_that_people_do_use_are_let_through(name: str) -> None:
    assert sound_name(name.split())


def test_numbers_alone_are_no_enumeration_of_texts() -> None:
    assert not sound_values(["20", "40", "60"])


def test_a_reference_is_not_named_by_a_preposition() -> None:
    assert not sound(RelationFact("desk", "room", "in_one_room_id"))
    assert sound(RelationFact("match", "team", "home_team_id"))


_WORDS = [
    "size",
    "colour",
    "temperature",
    "unique",
    "required",
    "per",
    "across",
    "between",
    "1",
    "and",
    "100",
    "0",
    "default",
    "building",
    "zoo",
    "lies",
    "is",
    "in",
    "one",
    "or",
    "more",
    "rooms",
    "at",
    "least",
    "most",
    "5",
    "characters",
    ",",
    ":",
    "(",
    ")",
    "of",
    "a",
    "the",
    "name",
    "percentage",
    "either",
    "red",
    "blue",
    "to",
    "from",
    "value",
    "works",
    "belongs",
    "with",
]
_NUMBER = re.compile(r"\b\d")


@given(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=9), st.sampled_from(["A box has a name, ", "The ", "- "]))
def test_no_sentence_of_such_words_makes_such_a_name_or_value(said: list[str], opening: str) -> None:
    found = understand({"brief": clean(f"# Store\n\n## Box\n\n- name\n- code: text\n\n{opening}{' '.join(said)}.")})
    for entity in found.model.entities.values():
        for item in entity.fields.values():
            assert sound_name(item.label.removesuffix("_id").split()), item.label
            if item.values and item.name != entity.state_field:
                assert sound_values(item.values)
                assert not any(_NUMBER.search(value) and " " in value for value in item.values)
