"""What Build, Validate and Launch made, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from botarmy.artifacts import (
    DeploymentLog,
    Documentation,
    EnvironmentConfig,
    MonitoringSetup,
    PerformanceMetrics,
    QualityReport,
    SourceCode,
    TestResults,
    UnitTests,
)
from botarmy.checks import FileText
from botarmy.render_parts import (
    NOTHING,
    bullets,
    code,
    document,
    file_block,
    listed,
    number,
    share_of,
    table,
    text,
)


def _files(files: Iterable[FileText]) -> tuple[str, str]:
    return "Files", "\n\n".join(file_block(file.path, file.content) for file in files) or NOTHING


def source_code(source: SourceCode) -> str:
    """Return how the software starts, and its files."""
    start = f"Started by {code(' '.join(source.start))}; healthy when {code(source.health_path)} answers."
    return document("Source code", ("", start), _files(source.files))


def unit_tests(tests: UnitTests) -> str:
    """Return the test files."""
    return document("Unit tests", _files(tests.files))


def documentation(documents: Documentation) -> str:
    """Return the product's documents, verbatim."""
    return document("Documentation", _files(documents.files))


def test_results(results: TestResults) -> str:
    """Return the counts, every executed case, the evidence and the acceptance test files."""
    counts = (
        f"{results.passed} passed, {results.failed} failed, {results.skipped} skipped; "
        f"coverage of the lines: {share_of(results.coverage)}."
    )
    rows = ((code(one.id), one.outcome, listed(one.requirement_ids)) for one in results.cases)
    return document(
        "Test results",
        ("", counts),
        ("Executed tests", table(("Test", "Outcome", "Requirements"), rows)),
        _evidence(results.evidence),
        _files(results.files),
    )


def _evidence(hashes: Iterable[str]) -> tuple[str, str]:
    return "Evidence (SHA-256 of the logs)", bullets(code(one) for one in hashes)


def quality_report(report: QualityReport) -> str:
    """Return the quality, the defects, and what is proven of each requirement."""
    defects = (
        (
            code(one.id),
            one.severity,
            text(one.title),
            listed(one.requirement_ids),
            code(one.evidence),
        )
        for one in report.defects
    )
    proven = ((code(one.requirement_id), one.status, listed(one.tests)) for one in report.requirements)
    return document(
        "Quality report",
        ("", f"{text(report.summary)}\n\nShare of executed checks that passed: {share_of(report.quality)}."),
        ("Defects", table(("Id", "Severity", "Defect", "Requirements", "Evidence"), defects)),
        ("Requirements", table(("Requirement", "Status", "Tests"), proven)),
    )


def performance_metrics(metrics: PerformanceMetrics) -> str:
    """Return the measured numbers, or that there are none."""
    rows = ((code(one.name), number(one.value), text(one.unit)) for one in metrics.figures)
    figures = table(("Figure", "Value", "Unit"), rows) if metrics.figures else "Nothing could be measured."
    return document("Performance metrics", ("", figures), _evidence(metrics.evidence))


def deployment_log(log: DeploymentLog) -> str:
    """Return whether the product ran, what was done to show it, and the deployment files."""
    healthy = "The product started and answered." if log.healthy else "**The product was not shown to run.**"
    return document(
        "Deployment log",
        ("", healthy),
        ("Steps", bullets(code(step) for step in log.steps)),
        ("Notes", bullets(text(note) for note in log.notes)),
        _evidence(log.evidence),
        _files(log.files),
    )


def environment_config(configuration: EnvironmentConfig) -> str:
    """Return the variables of each environment."""
    return document(
        "Environment configuration",
        *(
            (
                code(one.name),
                table(
                    ("Variable", "Value"), ((code(name), code(one.variables[name])) for name in sorted(one.variables))
                ),
            )
            for one in configuration.environments
        ),
    )


def monitoring_setup(setup: MonitoringSetup) -> str:
    """Return what is watched, when it alarms, and what to do then."""
    rows = ((text(one.name), code(one.target), text(one.condition), text(one.action)) for one in setup.monitors)
    return document("Monitoring setup", ("", table(("Monitor", "Target", "Alarm when", "Then"), rows)))
