"""Build, Validate, Launch: what the executed checks show about the product."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from botarmy.artifacts import Documentation, QualityReport, Requirement, SourceCode, UnitTests, UserRequirements
from botarmy.measures.share import bounded, excerpt, share
from botarmy.records import Evidence, Measure, Record

TEST_CHECKS = ("tests", "acceptance")
_TEST = re.compile(r"^\s*(?:async\s+)?def\s+test", re.MULTILINE)
_ALL = 1_000
_DEMAND = re.compile(
    r"\b(?:must|shall|cannot|never|always|(?:has|have|needs?) to|is not allowed|are not allowed|may not)\b",
    re.IGNORECASE,
)


class TestCounts(Record):
    """Tests that ran and could be trusted to have run, by outcome."""

    __test__ = False

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.passed + self.failed + self.skipped


def figure(evidence: Evidence, name: str) -> float | None:
    """Return a measured number, or None if the check did not measure it."""
    value = evidence.figures.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def counts_of_tests(evidence: Iterable[Evidence]) -> TestCounts:
    """Add up the tests of all test runs whose outcome could be verified."""
    runs = [one for one in evidence if one.check in TEST_CHECKS and one.outcome != "unverified"]
    return TestCounts(
        **{name: sum(int(figure(run, name) or 0) for run in runs) for name in ("passed", "failed", "skipped")}
    )


def product_complete(source: SourceCode, tests: UnitTests, documents: Documentation) -> Measure:
    """Share of what a product must have: source files, a start command, a health path, a test function, a README."""
    parts = {
        "There are no source files": bool(source.files),
        "There is no command that starts the product": bool(source.start),
        "The health path does not begin with a slash": source.health_path.startswith("/"),
        "No unit test file holds a test function": any(_TEST.search(file.content) for file in tests.files),
        "There is no README.md with text": any(
            file.path.lower() == "readme.md" and file.content.strip() for file in documents.files
        ),
    }
    problems = [fault for fault, there in parts.items() if not there]
    return share("product_complete", len(parts), problems, nothing="")


def checks_passed(evidence: Sequence[Evidence], names: Sequence[str]) -> Measure:
    """Share of the named checks that passed; unknown when none failed but some did not run or could not be verified."""
    outcomes = {name: [one.outcome for one in evidence if one.check == name] for name in names}
    failed = [name for name, found in outcomes.items() if "failed" in found]
    open_ones = [name for name, found in outcomes.items() if name not in failed and set(found) != {"passed"}]
    reasons = (
        *(f"{name} failed" for name in failed),
        *(f"{name} {'could not be verified' if outcomes[name] else 'did not run'}" for name in open_ones),
    )
    if not names:
        return Measure(name="checks_passed", value=None, reasons=("The phase names no checks.",))
    if open_ones and not failed:
        return Measure(name="checks_passed", value=None, reasons=reasons)
    value = (len(names) - len(failed) - len(open_ones)) / len(names)
    return Measure(name="checks_passed", value=value, reasons=reasons)


def tests_passed(evidence: Sequence[Evidence]) -> Measure:
    """Share of the executed unit and acceptance tests that passed.

    A skipped test proves nothing and counts as not passed. Unknown when no test ran, or when a run without failures
    could not be verified.
    """
    counts = counts_of_tests(evidence)
    unverified = [one.check for one in evidence if one.check in TEST_CHECKS and one.outcome == "unverified"]
    reasons = [f"The run of {check} could not be verified" for check in unverified]
    if counts.failed:
        reasons.append(f"{counts.failed} of {counts.total} tests failed")
    if counts.skipped:
        reasons.append(f"{counts.skipped} of {counts.total} tests were skipped")
    if not counts.total:
        reasons.append("No test was executed.")
    reasons += [reason for one in evidence if one.check in TEST_CHECKS for reason in one.reasons]
    known = counts.total > 0 and (counts.failed > 0 or not unverified)
    return Measure(name="tests_passed", value=counts.passed / counts.total if known else None, reasons=bounded(reasons))


def coverage(evidence: Sequence[Evidence]) -> Measure:
    """Share of the product's lines that the unit tests execute; unknown when it was not measured."""
    values = [figure(one, "coverage") for one in evidence if one.check == "tests" and one.outcome != "unverified"]
    known = [value for value in values if value is not None]
    if not known:
        return Measure(name="coverage", value=None, reasons=("No test run measured the coverage.",))
    value = min(known)
    reasons = () if value >= 1 else (f"The tests execute {value:.0%} of the product's lines",)
    return Measure(name="coverage", value=min(max(value, 0.0), 1.0), reasons=reasons)


def healthy(evidence: Sequence[Evidence]) -> Measure:
    """1 when the product started, answered and kept its data; 0 when not; unknown when that was not tried."""
    return _of_check("healthy", "health", evidence)


def config_valid(evidence: Sequence[Evidence]) -> Measure:
    """1 when the product starts with the configuration of each environment; 0 when not; unknown when not tried."""
    return _of_check("config_valid", "config", evidence)


def _of_check(name: str, check: str, evidence: Sequence[Evidence]) -> Measure:
    runs = [one for one in evidence if one.check == check]
    reasons = bounded(reason for one in runs for reason in one.reasons)
    outcomes = {one.outcome for one in runs}
    if "failed" in outcomes:
        return Measure(name=name, value=0.0, reasons=reasons or (f"The check {check} failed.",))
    if outcomes != {"passed"}:
        why = "could not be verified" if runs else "did not run"
        return Measure(name=name, value=None, reasons=(f"The check {check} {why}.", *reasons))
    return Measure(name=name, value=1.0, reasons=reasons)


def requirements_verified(requirements: UserRequirements, report: QualityReport) -> Measure:
    """Share of the musts that an executed, passing test names.

    Musts are functional requirements and constraints; and background that demands something all the same ("must",
    "never"): nothing gets around its proof by being called background. Unproven musts of quality cost nothing here
    (tests of behaviour cannot show them), but are listed.
    """
    every = [one for one in requirements.requirements if one.priority == "must"]
    musts = [one for one in every if one.kind in ("functional", "constraint") or _demanding_background(one)]
    status = {one.requirement_id: one.status for one in report.requirements}
    problems = [_unproven(one, status) for one in musts if status.get(one.id) != "verified"]
    measure = share("requirements_verified", len(musts), problems, nothing="There is no must to verify.", limit=_ALL)
    qualities = [one for one in every if one.kind == "quality" and status.get(one.id) != "verified"]
    notes = (f"{_unproven(one, status)} (a quality, not counted)" for one in qualities)
    return measure.model_copy(update={"reasons": (*measure.reasons, *notes)})


def _demanding_background(requirement: Requirement) -> bool:
    return requirement.kind == "context" and _DEMAND.search(requirement.text) is not None


def _unproven(requirement: Requirement, status: Mapping[str, str]) -> str:
    failed = status.get(requirement.id) == "failed"
    words = "contradicted by a failing test" if failed else "proven by no executed test"
    return f"{requirement.id} is {words}: “{excerpt(requirement.text, 200)}”"
