"""tests and acceptance: running unittest so that a pass means something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from botarmy.checks import CheckName
from botarmy.records import Evidence
from sandbox.checks.declared import Declared, declared_tests, is_test_file
from sandbox.checks.evidence import Finding, conclude, not_run
from sandbox.checks.job import ACCEPTANCE, Job, Probed, is_acceptance
from sandbox.layout import Layout
from sandbox.limits import Limits

LIMITS = Limits(wall_s=150, cpu_s=120, memory_mb=768, output_bytes=1_000_000)


async def check_tests(job: Job) -> Evidence:
    """Run the product's own tests, measuring the lines that they reach."""
    files = [file for file in job.trees.files if not is_acceptance(file.path)]
    declared = declared_tests(files)
    if not declared.places:
        return not_run(job.request.name, "failed", "no test is declared: there is no test*.py with a unittest.TestCase")
    measured = [file.path for file in files if file.path.endswith(".py") and not _belongs_to_tests(file.path)]

    def plan(layout: Layout, _: str) -> dict[str, Any]:
        data = f"{layout.scratch}/data"
        return {
            "app": layout.app,
            "top": layout.app,
            "start": layout.app,
            "library": layout.library,
            "measure": measured,
            "env": {"DATA_DIR": data},
        }

    probed = await job.probe("run_tests", plan, limits=LIMITS, words=["unittest", "discover", "-p", "test*.py"])
    finding = judge_tests(probed, declared, job.request.name)
    return job.conclude(probed, finding, "coverage")


async def check_acceptance(job: Job) -> Evidence:
    """Run the tester's tests against the started service; they cannot import the product."""
    declared = declared_tests(file for file in job.trees.files if is_acceptance(file.path))
    if not declared.places:
        return not_run(
            job.request.name, "unverified", f"no test is declared in {ACCEPTANCE}/test*.py, so no rule is shown"
        )
    if not job.start:
        return not_run(job.request.name, "unverified", "the request names no start command for the service")

    def plan(layout: Layout, tests: str) -> dict[str, Any]:
        return {
            "app": tests,
            "top": tests,
            "start": f"{tests}/{ACCEPTANCE}",
            "library": layout.library,
            "measure": [],
            "service": job.service(layout),
        }

    words = ["unittest", "discover", "-s", ACCEPTANCE, "-t", "."]
    probed = await job.probe("run_tests", plan, extra=job.trees.acceptance, limits=LIMITS, words=words)
    return job.conclude(probed, judge_tests(probed, declared, job.request.name))


def _belongs_to_tests(path: str) -> bool:
    return "tests" in path.split("/")[:-1] or is_test_file(path)


def judge_tests(probed: Probed, declared: Declared, check: CheckName) -> Finding:
    """Return what a test run shows."""
    report = probed.report
    if report is None:
        return conclude([f"the tests did not run to their end: {probed.why}"])
    if report.get("service"):
        return conclude([f"the service for the tests: {report['service']}"])
    failures = list(_failures(report, declared))
    doubts = list(_doubts(report, declared, failed=bool(failures)))
    cases = [{"id": case["id"], "outcome": case["outcome"]} for case in report["cases"]]
    figures = _figures(report, cases)
    if check is CheckName.acceptance:
        del figures["coverage"]
    log = f"service log:\n{report['service_log']}" if report.get("service_log") else ""
    return conclude(failures, doubts, figures=figures, log=log)


def _figures(report: Mapping[str, Any], cases: list[dict[str, str]]) -> dict[str, Any]:
    counts = Counter(case["outcome"] for case in cases)
    return {
        "tests": len(cases),
        "passed": counts["passed"],
        "failed": counts["failed"],
        "skipped": counts["skipped"],
        "coverage": covered(report.get("coverage")),
        "cases": cases,
    }


def covered(files: Mapping[str, Mapping[str, Any]] | None) -> float | None:
    """Return the share of the product's lines that ran; None where nothing could be measured."""
    if not files or any("error" in file for file in files.values()):
        return None
    statements = sum(file["statements"] for file in files.values())
    missing = sum(len(file["missing"]) for file in files.values())
    return round(1 - missing / statements, 4) if statements else None


def _failures(report: Mapping[str, Any], declared: Declared) -> Iterable[str]:
    if report["error"]:
        yield f"the test run was ended from inside: {report['error']}"
    for trouble in report["trouble"]:
        if trouble["outcome"] == "failed":
            yield f"{trouble['id']}: {trouble['message']}"
    for case in report["cases"]:
        if case["outcome"] == "failed":
            place = declared.places.get(case["id"], "")
            yield f"{case['id']} ({place}): {case['message']}" if place else f"{case['id']}: {case['message']}"
    if report.get("alive") is False:
        yield f"the service ended during the tests: {report.get('service_log', '')[-500:]}"


def _doubts(report: Mapping[str, Any], declared: Declared, *, failed: bool) -> Iterable[str]:
    yield from declared.notes
    for name in report["replaced"]:
        yield f"the tests replace {name}, so their passing shows nothing; remove that"
    for name in report.get("overridden", ()):
        yield f"{name} replaces a part of unittest that decides whether a test fails; remove that"
    for name in report.get("planted", [] if failed else ["all of them"]):
        yield f"a planted test that must fail ({name}) did not, so passing shows nothing here"
    if report["loaded"] or not failed:
        yield from _miscounted(report, declared, failed=failed)
    if report["cases"] and all(case["outcome"] == "skipped" for case in report["cases"]):
        yield "every test was skipped, so nothing is shown"


def _miscounted(report: Mapping[str, Any], declared: Declared, *, failed: bool) -> Iterable[str]:
    """Yield where what was collected and ran is not what the source declares."""
    ran = {case["id"] for case in report["cases"]}
    collected = set(report["collected"])
    for test, place in declared.places.items():
        if test not in collected and not failed:
            yield f"{place}: {test} is declared but was not collected (is an __init__.py missing beside it?)"
        elif test not in ran and not failed:
            yield f"{place}: {test} was collected but has no outcome"
    for test in sorted(ran - set(declared.places)):
        yield f"{test} ran, but no source declares it: tests made at run time cannot be counted; write each as a method"
