"""What a person gives as the new content of an artifact: it must be one of the gate's, and fit its schema."""

from __future__ import annotations

import json

import pytest

from botarmy.errors import InputError
from tasks.amend import amended_content
from tests.factories import content, gate_request

GATE = gate_request(hashes=dict.fromkeys(("project_plan", "user_requirements", "test_results"), "0" * 64))
PLAN = content("project_plan")


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("project_plan", "{ no JSON", "project_plan is not JSON: .* in line 1, column 3"),
        ("project_plan", json.dumps(PLAN | {"goals": "not a list"}), "does not fit its schema: goals: .*a list"),
        ("project_plan", "[]", "does not fit its schema"),
        ("source_code", "{}", "'source_code' is not at this gate"),
        ("project_plan", json.dumps({"kind": "other", "sha256": "", "content": PLAN}), "does not fit its schema"),
        ("test_results", "{}", "'test_results' is derived from evidence"),
    ],
)
def test_what_cannot_be_used_is_refused_and_says_why(kind: str, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        amended_content(GATE, kind, text)
    assert caught.value.hint


def test_the_content_is_taken_from_what_artifact_prints_as_well() -> None:
    printed = {"kind": "project_plan", "version": 1, "sha256": "0" * 64, "content": PLAN}
    assert amended_content(GATE, "project_plan", json.dumps(printed)) == PLAN
    assert amended_content(GATE, "project_plan", json.dumps(PLAN)) == PLAN
