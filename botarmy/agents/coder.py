"""The coder: source, unit tests and documentation, compiled, linted, tested and held against the interface (Build)."""

from __future__ import annotations

from botarmy.agents.dialogue import Dialogue
from botarmy.agents.documents import as_json, outputs_of
from botarmy.agents.product import tree_valid
from botarmy.agents.proving import Subject, prove
from botarmy.agents.work import PhaseResult, PhaseWork
from botarmy.artifacts import ApiSpecifications, Documentation, SourceCode, UnitTests
from botarmy.checks import Check
from botarmy.completion import Ask
from botarmy.measures import checks_passed, coverage, product_complete

ABLE = ("source_code", "unit_tests", "documentation")


async def build(work: PhaseWork, ask: Ask, check: Check) -> PhaseResult:
    """Write the software and run the phase's checks over all its files together.

    Raises:
        DefinitionError: the phase expects other outputs, or lacks an input of a request or of a check.
        ProviderError: the model gave no usable answer.
        SandboxError: generated code cannot be run safely on this machine.
    """
    wanted = outputs_of(work.phase, ABLE)
    dialogue = Dialogue(work, ask)
    made = await dialogue.ask_all(wanted)
    source, tests, documents = dialogue.known(SourceCode), dialogue.known(UnitTests), dialogue.known(Documentation)
    subject = Subject(source=source, api=dialogue.known(ApiSpecifications))
    parts = {"source_code": source.files, "unit_tests": tests.files, "documentation": documents.files}
    tree, proof = await prove(work.phase.checks, parts, subject, check)
    return PhaseResult(
        artifacts=as_json(made, wanted),
        evidence=proof.evidence,
        measures=(
            tree_valid(proof.faults),
            product_complete(source, tests, documents),
            checks_passed(proof.evidence, work.phase.checks),
            coverage(proof.evidence),
        ),
        confidence=dialogue.confidence,
        summary=f"Wrote {len(tree.files)} files and ran {len(proof.evidence)} checks over them.",
    )
