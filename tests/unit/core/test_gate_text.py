"""The text above which a person decides: what it says, and that nothing in it can act."""

from __future__ import annotations

import pytest

from botarmy.gate_text import description
from botarmy.records import Criterion, Decision, Verdict
from tests.factories import gate_request


def test_the_text_says_what_was_missed_and_what_would_raise_it() -> None:
    verdict = Verdict(
        decision=Decision.needs_approval,
        reasons=("coverage is below the limit",),
        criteria=(
            Criterion(name="coverage", wanted=0.8, got=0.7123456, met=False, advice="Test the state changes."),
            Criterion(name="quality", wanted=0.85, got=1.0, met=True),
            Criterion(name="confidence", wanted=0.8, got=None, met=True),
        ),
    )
    shown = description(gate_request(verdict=verdict))
    assert "| coverage | 0.8 | 0.712 | Test the state changes. |" in shown
    assert "Met: quality 1 (wanted 0.85), confidence (does not count here)" in shown


def test_the_text_shows_executions_questions_documents_and_changes() -> None:
    change = {"added": 2, "removed": 1, "lines": ["- old", "+ ``` new"]}
    payload = {
        "project": "tool-shed",
        "summary": "Wrote the plan.",
        "open_questions": ["Who may lend?"],
        "evidence": [
            {"check": "measures", "outcome": "failed", "exit_code": None, "figures": {"clarity": 2 / 3}},
            {"check": "tests", "outcome": "passed", "exit_code": 0, "figures": {"passed": 12, "collected": 12}},
        ],
        "documents": [{"kind": "project_plan", "version": 2, "sha256": "ab" * 32, "change": change}],
    }
    shown = description(gate_request(payload=payload, hashes={"project_plan": "ab" * 32}))
    assert "**tool-shed** · **Discovery**, attempt 1" in shown
    assert "- Who may lend?" in shown
    assert "Also measured: clarity 0.667" in shown
    assert "| tests | passed | 0 | passed 12, collected 12 |" in shown
    assert "| measures" not in shown, "a measure is no execution"
    link = "[project_plan](../../artifacts/key/tool-shed-project-plan) version 2 `abababababab`"
    assert f"- {link}; since version 1: 2 lines added, 1 removed" in shown
    assert "````diff\n- old\n+ ``` new\n````" in shown


@pytest.mark.parametrize(
    ("change", "words"),
    [(None, "too long to compare"), ({"added": 0, "removed": 0, "lines": []}, "reads the same as version 1")],
)
def test_a_document_without_a_quoted_change_says_why(change: dict[str, object] | None, words: str) -> None:
    documents = [{"kind": "project_plan", "version": 2, "sha256": "ab" * 32, "change": change}]
    payload = {"project": "tool-shed", "documents": documents}
    shown = description(gate_request(payload=payload, hashes={"project_plan": "ab" * 32}))
    assert words in shown
    assert "Changed in" not in shown


def test_nothing_that_a_model_wrote_becomes_markup() -> None:
    attack = "<img src=x onerror=alert(1)> [prize](https://evil.invalid) **x** | a | `b`\n# Title"
    verdict = Verdict(
        decision=Decision.needs_approval,
        reasons=(attack,),
        criteria=(Criterion(name="quality", wanted=1.0, got=0.5, met=False, advice=attack),),
    )
    evidence = [{"check": attack, "outcome": attack, "exit_code": 1, "figures": {attack: attack}}]
    payload = {"summary": attack, "open_questions": [attack], "evidence": evidence, "project": "tool-shed"}
    shown = description(gate_request(verdict=verdict, payload=payload), why_again=attack)
    assert "<img" not in shown
    assert "[prize]" not in shown
    assert "\n#" not in shown
    assert "**x**" not in shown


def test_a_gate_without_documents_asks_about_none() -> None:
    assert "binds" not in description(gate_request(hashes={}, kind="budget"))
