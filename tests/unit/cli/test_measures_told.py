"""No view says "failed" of a measure that no criterion of the gate missed."""

from __future__ import annotations

import pytest

from botarmy.export import plan_commits
from botarmy.overview import Snapshot, overview
from botarmy.records import Criterion, Decision, Evidence, Verdict
from cli.inbox import _write_executions
from cli.show import write_overview
from tests.unit.cli.conftest import MakeSnapshot, MakeVersions

CRITERIA = (Criterion(name="coverage", wanted=0.7, got=0.74, met=True),)


@pytest.fixture
def snapshot(make_snapshot: MakeSnapshot) -> Snapshot:
    """A build whose stored row of measures says "failed", as rows of earlier versions do."""
    made = make_snapshot()
    verdict = Verdict(decision=Decision.passed, criteria=CRITERIA)
    build = made.attempts[1].model_copy(update={"verdict": verdict})
    figures = {"coverage": 0.74, "requirements_verified": 1 / 3}
    row = Evidence(check="measures", command=("measure",), exit_code=None, outcome="failed", figures=figures)
    row = row.model_copy(update={"reasons": ("R10 is proven by no executed test",)})
    return made.model_copy(update={"attempts": (made.attempts[0], build), "evidence": {build.id: (row,)}})


def test_show_tells_measures_apart(snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    write_overview(snapshot)
    said = capsys.readouterr().out
    lines = [line.split() for line in said.splitlines()]
    assert ["Build", "coverage", "0.74", "0.7", "met"] in lines
    assert ["Build", "requirements_verified", "0.3333", "no", "criterion"] in lines
    assert "failed" not in said


def test_the_document_says_measured_and_what_was_wanted(snapshot: Snapshot) -> None:
    build = overview(snapshot)["phases"][1]
    assert build["evidence"][0]["outcome"] == "measured"
    assert build["measures"][0] == {"name": "coverage", "value": 0.74, "wanted": 0.7, "criterion": "met"}
    assert build["measures"][1]["criterion"] == "no criterion"


def test_the_export_lists_them_apart_with_what_is_missing(snapshot: Snapshot, make_versions: MakeVersions) -> None:
    commit = plan_commits(snapshot, make_versions(), lambda _: ())[1]
    text = {file.path: file.content for file in commit.files}["docs/evidence.md"]
    assert "| Build | coverage | 0.74 | 0.7 | met |" in text
    assert "- Build, measures: R10 is proven by no executed test" in text
    assert "failed" not in text


def test_the_inbox_shows_what_no_criterion_names(capsys: pytest.CaptureFixture[str]) -> None:
    measures = {"check": "measures", "outcome": "failed", "figures": {"coverage": 0.74, "clarity": 0.5}}
    tests = {"check": "tests", "outcome": "passed", "figures": {"tests": 3}}
    _write_executions([measures, tests], CRITERIA)
    said = capsys.readouterr().out
    assert "Also measured: clarity 0.5 (no criterion)" in said
    assert "failed" not in said
    assert "coverage" not in said
