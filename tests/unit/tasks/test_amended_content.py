"""What a person may give as an amended document, and what the others are told."""

from __future__ import annotations

import json

import pytest

from botarmy.errors import InputError
from tasks.amend import amended_content
from tests.factories import content, gate_request

GATE = gate_request(hashes={"project_plan": "ab" * 32, "test_results": "cd" * 32})
PLAN = content("project_plan")


def test_the_content_alone_and_the_whole_output_of_the_command_are_taken() -> None:
    assert amended_content(GATE, "project_plan", json.dumps(PLAN)) == PLAN
    output = {"kind": "project_plan", "version": 3, "sha256": "ab" * 32, "content": PLAN, "provenance": {}}
    assert amended_content(GATE, "project_plan", json.dumps(output)) == PLAN


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("project_plan", "{ no JSON", "is not JSON"),
        ("project_plan", json.dumps(PLAN | {"goals": "one"}), "goals: Input should be a list"),
        ("project_plan", json.dumps({"kind": "other", "sha256": "", "content": PLAN}), "title: Field required"),
        ("project_plan", "[]", "does not fit its schema"),
        ("source_code", "{}", "is not at this gate"),
        ("test_results", "{}", "is derived from evidence"),
    ],
)
def test_what_does_not_fit_is_told_with_the_way_to_mend_it(kind: str, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        amended_content(GATE, kind, text)
    assert caught.value.hint
