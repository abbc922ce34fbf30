"""The deployer: container, environments and monitors, shown by starting the whole product (Launch)."""

from __future__ import annotations

from botarmy.agents.dialogue import Dialogue
from botarmy.agents.documents import outputs_of
from botarmy.agents.findings import deployment_log
from botarmy.agents.product import product_parts, tree_valid
from botarmy.agents.proving import Subject, prove
from botarmy.agents.work import PhaseResult, PhaseWork
from botarmy.artifacts import (
    ApiSpecifications,
    DeploymentFiles,
    EnvironmentConfig,
    MonitoringSetup,
    QualityReport,
    SourceCode,
    UserRequirements,
)
from botarmy.checks import Check
from botarmy.completion import Ask
from botarmy.measures import config_valid, healthy, requirements_verified

ABLE = ("deployment_log", "environment_config", "monitoring_setup")
_BUILT = ("source_code", "unit_tests", "documentation", "test_results")


async def launch(work: PhaseWork, ask: Ask, check: Check) -> PhaseResult:
    """Ask for what a deployment needs, start the product in the sandbox, and derive the log from the evidence.

    Raises:
        DefinitionError: the phase expects other outputs, or lacks an input of a request or of a check.
        ProviderError: the model gave no usable answer.
        SandboxError: generated code cannot be run safely on this machine.
    """
    wanted = outputs_of(work.phase, ABLE)
    dialogue = Dialogue(work, ask)
    requirements, report = dialogue.known(UserRequirements), dialogue.known(QualityReport)
    files = await dialogue.ask(DeploymentFiles)
    configuration = await dialogue.ask(EnvironmentConfig)
    monitoring = await dialogue.ask(MonitoringSetup)
    built = {kind: work.artifacts[kind] for kind in _BUILT if kind in work.artifacts}
    subject = Subject(
        source=dialogue.known(SourceCode), api=dialogue.known(ApiSpecifications), configuration=configuration
    )
    parts = {**product_parts(built), "deployment_files": files.files}
    tree, proof = await prove(work.phase.checks, parts, subject, check)
    log = deployment_log(files, proof.evidence)
    made = {"deployment_log": log, "environment_config": configuration, "monitoring_setup": monitoring}
    return PhaseResult(
        artifacts={kind: made[kind].model_dump(mode="json") for kind in wanted},
        evidence=proof.evidence,
        measures=(
            tree_valid(proof.faults),
            healthy(proof.evidence),
            config_valid(proof.evidence),
            requirements_verified(requirements, report),
        ),
        confidence=dialogue.confidence,
        summary=f"{len(tree.files)} files, {len(configuration.environments)} environments, "
        f"{len(monitoring.monitors)} monitors; the product {'started and answered' if log.healthy else 'is not shown to run'}.",
    )
