"""Whether the service keeps the rules of the requirements, and what its README and tests say of it."""

from __future__ import annotations

from typing import Any

import pytest

from botarmy.artifacts import Requirement, Rule
from providers.offline.service_contract import Lists, read_lists
from providers.offline.service_coverage import asked_by, keeps, missing
from providers.offline.service_model import read_model
from providers.offline.software import build_documentation
from providers.offline.unit_tests import build_unit_tests
from tests.factories.service_designs import inputs_of, library

MODEL = read_model(inputs_of(library()))


def rule(kind: str, entity: str, field: str, **more: Any) -> Rule:
    return Rule.model_validate({"kind": kind, "entity": entity, "field": field, **more})


def requirement(number: str, *rules: Rule, **more: Any) -> Requirement:
    known: dict[str, Any] = {"kind": "functional", "priority": "must", "sources": ("S1",), **more}
    return Requirement(id=number, text=f"text of {number}", rules=rules, **known)


KEPT = [
    rule("required", "book", "title"),
    rule("unique", "book", "isbn"),
    rule("range", "loan", "days", minimum=1, maximum=90),
    rule("range", "loan", "days", minimum=0),
    rule("range", "book", "stars", minimum=1, maximum=3),
    rule("length", "book", "title", maximum=200),
    rule("length", "book", "title", minimum=1),
    rule("enumeration", "book", "stars", values=("1", "2", "3")),
    rule("enumeration", "loan", "status", values=("open", "returned", "lost")),
    rule("relation", "loan", "book_id", target="book"),
    rule("transition", "loan", "status", action="return", from_states=("open", "lost"), to_state="returned"),
]
BROKEN = [
    rule("required", "book", "summary"),
    rule("unique", "book", "title"),
    rule("range", "loan", "days", minimum=2),
    rule("range", "loan", "days", maximum=89),
    rule("range", "book", "price", maximum=5),
    rule("length", "book", "isbn", minimum=11),
    rule("length", "book", "summary", maximum=10),
    rule("enumeration", "book", "stars", values=("1", "2")),
    rule("enumeration", "book", "summary", values=("a",)),
    rule("relation", "loan", "book_id", target="member"),
    rule("transition", "loan", "status", action="lose", from_states=("returned",), to_state="lost"),
    rule("transition", "loan", "status", action="burn", from_states=("open",), to_state="lost"),
    rule("transition", "book", "status", action="burn", to_state="ash"),
    rule("unique", "loan", "status"),
    rule("required", "shelf", "label"),
    rule("required", "book", "weight"),
]


@pytest.mark.parametrize("kept", KEPT)
def test_a_rule_that_the_model_has_is_kept(kept: Rule) -> None:
    assert keeps(MODEL, kept)


@pytest.mark.parametrize("broken", BROKEN)
def test_a_rule_that_the_model_lacks_is_not_kept(broken: Rule) -> None:
    assert not keeps(MODEL, broken)


def test_what_is_missing_is_named_with_its_reason() -> None:
    requirements = [
        requirement("R1", KEPT[0], BROKEN[1]),
        requirement("R2", understood=False),
        requirement("R3", understood=False, kind="context"),
        requirement("R4", KEPT[1]),
    ]
    assert [(one.id, reason) for one, reason in missing(requirements, MODEL)] == [
        ("R1", "the design has no such unique rule for title of book"),
        ("R2", "it was not understood"),
    ]
    documentation = build_documentation(inputs_of(library(), requirements=requirements))
    text = documentation.files[0].content.split("## Not implemented")[1]
    assert "R1" in text
    assert "R2" in text
    assert "R4" not in text


def test_the_tests_name_the_requirements_they_show() -> None:
    requirements = [requirement("R7", KEPT[0]), requirement("R8", KEPT[0], KEPT[-1])]
    assert asked_by(requirements)["book", "title", "required"] == ("R7", "R8")
    files = {
        file.path: file.content for file in build_unit_tests(inputs_of(library(), requirements=requirements)).files
    }
    assert '"""R7, R8: title is required."""' in files["tests/test_rules_of_books.py"]
    assert '"""R8: return is possible only from the right states."""' in files["tests/test_rules_of_loans.py"]


def list_document(schema: dict[str, Any], *parameters: str, **more: Any) -> dict[str, Any]:
    answer = {"content": {"application/json": {"schema": schema}}}
    query = [{"name": name, "in": "query"} for name in parameters]
    return {"paths": {"/books": {"get": {"parameters": query, "responses": {"200": answer}}}}, **more}


@pytest.mark.parametrize(
    ("document", "lists"),
    [
        ({}, Lists(envelope=False, paged=False, filtered=False)),
        (list_document({"type": "array"}, "limit"), Lists(envelope=False, paged=False, filtered=False)),
        (list_document({"type": "object"}, "limit", "offset"), Lists(envelope=True, paged=True, filtered=False)),
        (
            list_document(
                {"$ref": "#/components/schemas/Page"},
                "limit",
                "offset",
                "title",
                components={"schemas": {"Page": {"type": "object"}}},
            ),
            Lists(envelope=True, paged=True, filtered=True),
        ),
        (list_document({"$ref": "#/nowhere"}), Lists(envelope=False, paged=False, filtered=False)),
    ],
)
def test_lists_are_as_the_document_says(document: dict[str, Any], lists: Lists) -> None:
    assert read_lists(document) == lists
