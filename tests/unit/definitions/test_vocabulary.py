"""The words that definitions may use are those that the code knows."""

from pathlib import Path

import botarmy.measures
from botarmy.agents.registry import AGENTS
from botarmy.definitions.codes import CODES
from botarmy.definitions.purposes import MEASURES
from botarmy.definitions.references import BUILT_IN_AGENTS

ELSEWHERE = {"sections_filled", "checklist_met", "tree_valid"}
"""Measures of documents, and of files before they are a product."""
ROOT = Path(__file__).parents[3]


def test_gates_can_name_every_measure_and_no_other() -> None:
    computed = set(botarmy.measures.__all__) - {"DOCUMENT_MEASURES", "measure_documents"}
    assert set(MEASURES) == computed | ELSEWHERE


def test_built_in_agents_are_those_with_code() -> None:
    assert set(BUILT_IN_AGENTS) == set(AGENTS)


def test_every_code_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "lint-codes.md").read_text(encoding="utf-8")
    for code, entry in CODES.items():
        assert f"| `{code}` | {entry.severity} | {entry.meaning} | {entry.hint} |" in page.replace("\\|", "|")
    assert page.count("\n| `") == len(CODES)
