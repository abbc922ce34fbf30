"""The tester: black-box tests from the requirements, run together with all other tests (Validate)."""

from __future__ import annotations

from typing import Any

from botarmy.agents.dialogue import Dialogue
from botarmy.agents.documents import outputs_of
from botarmy.agents.findings import performance_metrics, quality_report, results_of_tests
from botarmy.agents.product import product_parts, tree_valid
from botarmy.agents.proving import Subject, prove
from botarmy.agents.work import PhaseResult, PhaseWork
from botarmy.artifacts import AcceptanceTests, ApiSpecifications, SourceCode, UserRequirements
from botarmy.checks import Check
from botarmy.completion import Ask
from botarmy.measures import checks_passed, coverage, requirements_verified, tests_passed

ABLE = ("test_results", "quality_report", "performance_metrics")
_BUILT = ("source_code", "unit_tests", "documentation")


async def validate(work: PhaseWork, ask: Ask, check: Check) -> PhaseResult:
    """Ask for acceptance tests, run the phase's checks, and derive all three outputs from the evidence alone.

    Raises:
        DefinitionError: the phase expects other outputs, or lacks an input of a request or of a check.
        ProviderError: the model gave no usable answer.
        SandboxError: generated code cannot be run safely on this machine.
    """
    wanted = outputs_of(work.phase, ABLE)
    dialogue = Dialogue(work, ask)
    requirements = dialogue.known(UserRequirements)
    acceptance = await dialogue.ask(AcceptanceTests)
    built: dict[str, dict[str, Any]] = {kind: work.artifacts[kind] for kind in _BUILT if kind in work.artifacts}
    subject = Subject(source=dialogue.known(SourceCode), api=dialogue.known(ApiSpecifications))
    parts = {**product_parts(built), "acceptance_tests": acceptance.files}
    _, proof = await prove(work.phase.checks, parts, subject, check)
    results = results_of_tests(acceptance, proof.evidence)
    report = quality_report(requirements, results, proof.evidence)
    made = {
        "test_results": results,
        "quality_report": report,
        "performance_metrics": performance_metrics(proof.evidence),
    }
    return PhaseResult(
        artifacts={kind: made[kind].model_dump(mode="json") for kind in wanted},
        evidence=proof.evidence,
        measures=(
            tree_valid(proof.faults),
            checks_passed(proof.evidence, work.phase.checks),
            tests_passed(proof.evidence),
            coverage(proof.evidence),
            requirements_verified(requirements, report),
        ),
        confidence=dialogue.confidence,
        summary=report.summary,
    )
