"""What evidence says, as artifacts: test results, quality report, performance metrics, deployment log. No model writes these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count

from botarmy.artifacts import (
    AcceptanceTests,
    Defect,
    DeploymentFiles,
    DeploymentLog,
    Figure,
    PerformanceMetrics,
    QualityReport,
    RequirementStatus,
    TestCase,
    TestResults,
    UserRequirements,
)
from botarmy.measures.product import TEST_CHECKS, counts_of_tests, coverage, figure, healthy
from botarmy.measures.share import excerpt
from botarmy.records import Evidence, digest

_SEVERITY = {"must": "critical", "should": "major", "could": "minor"}
_CRITICAL_CHECKS = ("compile", "security", "health")
_UNITS = {"_ms": "ms", "_s": "s", "_mb": "MB", "per_second": "1/s"}


def results_of_tests(acceptance: AcceptanceTests, evidence: Sequence[Evidence]) -> TestResults:
    """Return the test cases that really ran. Those of a run that could not be verified are not counted."""
    runs = [one for one in evidence if one.check in TEST_CHECKS]
    counts = counts_of_tests(runs)
    return TestResults(
        files=acceptance.files,
        cases=tuple(_cases(acceptance, runs)),
        passed=counts.passed,
        failed=counts.failed,
        skipped=counts.skipped,
        coverage=coverage(runs).value,
        evidence=references(runs),
    )


def _cases(acceptance: AcceptanceTests, runs: Iterable[Evidence]) -> Iterator[TestCase]:
    for run in runs:
        cases = run.figures.get("cases") if run.outcome != "unverified" else None
        for case in cases if isinstance(cases, list | tuple) else ():
            name, outcome = str(case["id"]), case["outcome"]
            # Only the tester's tests speak for requirements: unit tests come from the one who wrote the code.
            covers = acceptance.covers.get(name, ()) if run.check == "acceptance" else ()
            known = outcome if outcome in ("passed", "skipped") else "failed"
            yield TestCase(id=name, outcome=known, requirement_ids=covers)


def quality_report(requirements: UserRequirements, results: TestResults, evidence: Sequence[Evidence]) -> QualityReport:
    """Return the defects that checks found and, for each requirement but background, what tests say about it.

    Severity: a failing test of a must is critical, of a should major, of a could minor; a failing test that names no
    requirement is major. A failing check is critical for compile, security and health, else major. Skipped tests and
    runs that could not be verified are minor defects.
    """
    statuses = tuple(_status(one.id, results.cases) for one in requirements.requirements if one.kind != "context")
    executed = [one for one in evidence if one.outcome != "unverified"]
    passed = sum(one.outcome == "passed" for one in executed)
    defects = tuple(_defects(requirements, results, evidence))
    return QualityReport(
        quality=passed / len(executed) if executed else None,
        defects=defects,
        requirements=statuses,
        summary=_summary(passed, executed, results, statuses, defects),
    )


def _status(requirement: str, cases: Iterable[TestCase]) -> RequirementStatus:
    named = [case for case in cases if requirement in case.requirement_ids]
    outcomes = {case.outcome for case in named}
    tests = tuple(case.id for case in named if case.outcome != "skipped")
    if "failed" in outcomes:
        return RequirementStatus(requirement_id=requirement, status="failed", tests=tests)
    if "passed" in outcomes:
        return RequirementStatus(requirement_id=requirement, status="verified", tests=tests)
    return RequirementStatus(requirement_id=requirement, status="uncovered")


def _defects(requirements: UserRequirements, results: TestResults, evidence: Sequence[Evidence]) -> Iterator[Defect]:
    numbers = count(1)
    priority = {one.id: one.priority for one in requirements.requirements}
    proofs = {one.check: reference(one) for one in evidence}
    test_run = proofs.get("acceptance") or proofs.get("tests") or ""
    for case in results.cases:
        if case.outcome == "passed":
            continue
        severity = _severity_of_case(case, priority)
        words = "was skipped" if case.outcome == "skipped" else "failed"
        yield Defect.model_validate(
            {
                "id": f"D{next(numbers)}",
                "severity": severity,
                "title": f"The test {case.id} {words}",
                "requirement_ids": case.requirement_ids,
                "evidence": test_run,
            }
        )
    for one in evidence:
        if one.outcome == "passed" or _told_by_its_cases(one):
            continue
        yield Defect.model_validate(
            {
                "id": f"D{next(numbers)}",
                "severity": _severity_of_check(one),
                "title": f"The check {one.check} {_how(one)}",
                "evidence": reference(one),
            }
        )


def _told_by_its_cases(evidence: Evidence) -> bool:
    """Whether failing test cases, each a defect of its own, are why this check failed."""
    return evidence.check in TEST_CHECKS and evidence.outcome == "failed" and bool(figure(evidence, "failed"))


def _severity_of_case(case: TestCase, priority: Mapping[str, str]) -> str:
    if case.outcome == "skipped":
        return "minor"
    found = [_SEVERITY[priority[one]] for one in case.requirement_ids if one in priority]
    return next((severity for severity in ("critical", "major", "minor") if severity in found), "major")


def _severity_of_check(evidence: Evidence) -> str:
    if evidence.outcome == "unverified":
        return "minor"
    return "critical" if evidence.check in _CRITICAL_CHECKS else "major"


def _how(evidence: Evidence) -> str:
    words = "failed" if evidence.outcome == "failed" else "could not be verified"
    return words + (f": {excerpt(evidence.reasons[0], 300)}" if evidence.reasons else "")


def _summary(
    passed: int,
    executed: Sequence[Evidence],
    results: TestResults,
    statuses: Sequence[RequirementStatus],
    defects: Sequence[Defect],
) -> str:
    verified = sum(one.status == "verified" for one in statuses)
    covered = f"{results.coverage:.0%} of the lines covered" if results.coverage is not None else "coverage unknown"
    return (
        f"{passed} of {len(executed)} executed checks passed; {results.passed} tests passed, {results.failed} failed, "
        f"{results.skipped} skipped; {covered}; {verified} of {len(statuses)} requirements verified; "
        f"{len(defects)} defects."
    )


def performance_metrics(evidence: Sequence[Evidence]) -> PerformanceMetrics:
    """Return every number that the performance check measured; none when it could not be verified."""
    runs = [one for one in evidence if one.check == "performance" and one.outcome != "unverified"]
    figures = tuple(
        Figure(name=name, value=value, unit=_unit(name))
        for run in runs
        for name in run.figures
        if (value := figure(run, name)) is not None
    )
    return PerformanceMetrics(figures=figures, evidence=references(runs))


def _unit(name: str) -> str:
    return next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), name.replace("_", " "))


def deployment_log(files: DeploymentFiles, evidence: Sequence[Evidence]) -> DeploymentLog:
    """Return what was done to show that the product starts; healthy only if the health check passed."""
    return DeploymentLog(
        files=files.files,
        notes=files.notes,
        steps=tuple(step for one in evidence for step in _steps(one)),
        healthy=healthy(evidence).value == 1.0,
        evidence=references(evidence),
    )


def _steps(evidence: Evidence) -> Iterator[str]:
    ended = "nothing ran" if evidence.exit_code is None else f"exit code {evidence.exit_code}"
    yield f"{evidence.check}: {evidence.outcome} ({ended}): {' '.join(evidence.command)}"
    yield from (f"{evidence.check}: {reason}" for reason in evidence.reasons)


def reference(evidence: Evidence) -> str:
    """Return what names a piece of evidence: the hash of its log."""
    return evidence.log_sha256 or digest(evidence.log)


def references(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    """Return the hashes of several logs, in order."""
    return tuple(reference(one) for one in evidence)
