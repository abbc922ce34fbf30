"""A measure fails nothing by itself: the gate's criteria say whether it is met, missed, unknown, or not judged."""

from __future__ import annotations

import pytest

from botarmy.measured import MEASURED, line_words, measure_lines, shown_outcome
from botarmy.records import Criterion, GateRule
from tasks.phase import measures_as_evidence
from tests.factories import evidence, measure

RULE = GateRule(measures={"coverage": 0.7})
CRITERIA = (
    Criterion(name="coverage", wanted=0.7, got=0.74, met=True),
    Criterion(name="tree_valid", wanted=1, got=0.5, met=False),
    Criterion(name="healthy", wanted=1, got=None, met=False),
)


@pytest.mark.parametrize(
    ("measures", "outcome"),
    [
        ((measure("coverage", 0.74), measure("requirements_verified", 0.3)), "passed"),
        ((measure("coverage", 0.74), measure("clarity_validation", None)), "passed"),
        ((measure("coverage", 0.69),), "failed"),
        ((measure("coverage", 0.9), measure("tree_valid", 0.5)), "failed"),
        ((measure("coverage", None),), "unverified"),
        ((measure("clarity_validation", 1.0),), "unverified"),
    ],
)
def test_only_what_the_gate_wants_decides_the_outcome(measures, outcome):
    assert measures_as_evidence(measures, RULE).outcome == outcome


def test_each_measure_says_what_its_criterion_made_of_it():
    taken = (
        measure("coverage", 0.74),
        measure("tree_valid", 0.5),
        measure("healthy", None),
        measure("clarity_validation", 0.5),
    )
    first = measures_as_evidence((measure("coverage", 0.1),), RULE)
    lines = measure_lines((first, evidence("tests"), measures_as_evidence(taken, RULE)), CRITERIA)
    assert [line_words(line) for line in lines] == [
        "coverage 0.74 (met: 0.7 wanted)",
        "tree_valid 0.5 (missed: 1 wanted)",
        "healthy unknown (unknown: 1 wanted)",
        "clarity_validation 0.5 (no criterion)",
    ]


def test_without_measures_there_are_no_lines():
    assert measure_lines((evidence("tests"),), CRITERIA) == ()


def test_measures_are_measured_and_checks_keep_their_outcome():
    assert shown_outcome(MEASURED, "failed") == "measured"
    assert shown_outcome("tests", "failed") == "failed"
