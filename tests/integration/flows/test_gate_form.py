"""The form in which a person decides, as the JSON Schema that Prefect checks an answer against."""

from __future__ import annotations

import jsonschema
import pytest

from flows.form import GateForm

SCHEMA = GateForm.model_json_schema()


def accepts(answer: dict[str, str]) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(answer)


def test_neither_decision_nor_name_is_prefilled() -> None:
    assert SCHEMA["required"] == ["decision", "reviewer"]
    assert not {"default", "const"} & SCHEMA["properties"]["decision"].keys()


def test_the_fields_stand_in_the_order_in_which_a_person_thinks() -> None:
    assert list(SCHEMA["properties"])[:3] == ["decision", "reviewer", "comment"]


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        ({"decision": "approve", "reviewer": "Ann"}, True),
        ({"decision": "reject", "reviewer": "Ann", "comment": "no"}, True),
        ({"decision": "approve"}, False),
        ({"decision": "approve", "reviewer": ""}, False),
        ({"decision": "Approve", "reviewer": "Ann"}, False),
        ({"reviewer": "Ann"}, False),
        ({}, False),
        ({"decision": "approve", "reviewer": "Ann", "role": "admin"}, False),
        ({"decision": "reject", "reviewer": "Ann", "comment": "x" * 20_001}, False),
        ({"decision": "approve", "reviewer": "x" * 101}, False),
    ],
)
def test_what_the_schema_can_say_it_says(answer: dict[str, str], taken: bool) -> None:
    assert accepts(answer) is taken
