"""One attempt at a phase: gather inputs, let the agent work, save all of it in one transaction."""

from __future__ import annotations

from typing import Any

from botarmy.agents.choosing import agent_of
from botarmy.agents.work import PhaseResult, PhaseWork
from botarmy.checks import Check, CheckRequest, FileText
from botarmy.errors import UnknownName
from botarmy.gates import wanted_measures
from botarmy.measured import MEASURED
from botarmy.progress import Progress
from botarmy.records import (
    ArtifactVersion,
    Attempt,
    Evidence,
    GateRule,
    LLMCall,
    Measure,
    Phase,
    Project,
    Provenance,
    Workflow,
    WorkResult,
    canonical_json,
    digest,
)
from botarmy.render import render_markdown
from storage.unit import UnitOfWork
from tasks.ledger import of_attempt
from tasks.runtime import Runtime


def phase_of(workflow: Workflow, name: str) -> Phase:
    """Return the phase with this name.

    Raises:
        UnknownName: the workflow has none.
    """
    for phase in workflow.phases:
        if phase.name == name:
            return phase
    names = ", ".join(phase.name for phase in workflow.phases)
    raise UnknownName(f"The workflow {workflow.name} has no phase {name!r}.", hint=f"Its phases are: {names}.")


def upstream_kinds(workflow: Workflow, phase: Phase) -> tuple[str, ...]:
    """Return the artifact kinds that the phase may read: those of its dependencies and of theirs."""
    wanted = set(phase.dependencies)
    for earlier in reversed(workflow.phases):
        if earlier.name in wanted:
            wanted.update(earlier.dependencies)
    return tuple(kind for earlier in workflow.phases if earlier.name in wanted for kind in earlier.expected_outputs)


async def work_on(runtime: Runtime, project: Project, workflow: Workflow, phase: Phase, attempt: Attempt) -> None:
    """Do the attempt's work and save it; do nothing where it was saved before.

    Raises:
        BudgetExceeded: a call would pass a limit; the calls made so far are kept and are not paid again.
        ProviderError: a model gave no usable answer.
        Fenced: another run took the project over; nothing was written.
    """
    if attempt.result is not None:
        return
    heads = await _inputs(runtime, project, upstream_kinds(workflow, phase))
    ask = runtime.ask_of(project, phase, attempt)
    template = runtime.core.template(phase.template, phase.agent)
    work = PhaseWork(
        phase=phase,
        brief=project.brief,
        artifacts={kind: head.content for kind, head in heads.items()},
        feedback=attempt.feedback,
        template=template,
    )
    result = await agent_of(phase, template)(work, ask, _reporting(runtime, phase, attempt))
    await save(runtime, project, phase, attempt, result, heads)


async def _inputs(runtime: Runtime, project: Project, kinds: tuple[str, ...]) -> dict[str, ArtifactVersion]:
    async with runtime.database.work() as work:
        heads = await work.artifacts.heads(project.id)
    return {kind: heads[kind] for kind in kinds if kind in heads}


def _reporting(runtime: Runtime, phase: Phase, attempt: Attempt) -> Check:
    """Wrap the sandbox so that each check shows in the progress."""

    async def check(files: tuple[FileText, ...], requests: tuple[CheckRequest, ...]) -> tuple[Evidence, ...]:
        names = ", ".join(request.name for request in requests)
        step = {"phase": phase.name, "agent": phase.agent, "attempt": attempt.number}
        runtime.report(Progress(**step, step="checking", text=names))
        evidence = await runtime.check(files, requests)
        for found in evidence:
            runtime.report(Progress(**step, step="checked", text=f"{found.check}: {found.outcome}"))
        return evidence

    return check


async def save(
    runtime: Runtime,
    project: Project,
    phase: Phase,
    attempt: Attempt,
    result: PhaseResult,
    heads: dict[str, ArtifactVersion],
) -> None:
    """Write artifacts, evidence and figures of an attempt in one transaction: all of it is there, or none."""
    async with runtime.commit("save", phase.name) as work:
        calls = await calls_of(work, project, attempt)
        sources = tuple(sorted(head.sha256 for head in heads.values()))
        for kind in phase.expected_outputs:
            content = result.artifacts[kind]
            provenance = _provenance(runtime, phase, attempt, kind, calls, sources)
            await work.artifacts.save(
                project.id, kind, content, render_markdown(kind, content), provenance, links=sources
            )
        await save_evidence(runtime, work, phase, attempt, result, asked=bool(calls))
    text = f"{len(phase.expected_outputs)} artifacts, {len(result.evidence)} executions"
    runtime.report(Progress(phase=phase.name, agent=phase.agent, attempt=attempt.number, step="saved", text=text))


async def calls_of(work: UnitOfWork, project: Project, attempt: Attempt) -> tuple[LLMCall, ...]:
    """Return the ledger's rows of one attempt, in the order of the calls."""
    return of_attempt(await work.calls.of_project(project.id), attempt)


async def save_evidence(
    runtime: Runtime, work: UnitOfWork, phase: Phase, attempt: Attempt, result: PhaseResult, *, asked: bool
) -> None:
    """Write the executions and the figures of an attempt; `asked`: its work has called a provider."""
    for found in result.evidence:
        await work.evidence.add(attempt.id, found)
    if result.measures:
        await work.evidence.add(attempt.id, measures_as_evidence(result.measures, phase.gate))
    await work.attempts.record_result(
        attempt.id,
        WorkResult(
            measures=result.measures,
            confidence=result.confidence,
            deterministic=not asked or runtime.deterministic(attempt.agent),
            summary=result.summary,
            open_questions=result.open_questions,
        ),
    )


def measures_as_evidence(measures: tuple[Measure, ...], rule: GateRule) -> Evidence:
    """Return what was measured in this process as an evidence row; it has no exit code because no process ran.

    Only what the gate wants decides the outcome: a measure that it has no criterion for fails nothing.
    """
    figures: dict[str, Any] = {measure.name: measure.value for measure in measures}
    log = canonical_json([measure.model_dump(mode="json") for measure in measures])
    return Evidence(
        check=MEASURED,
        command=("measure", *figures),
        exit_code=None,
        outcome=_outcome(measures, rule),
        log=log,
        log_sha256=digest(log),
        figures=figures,
        reasons=tuple(reason for measure in measures for reason in measure.reasons),
    )


def _outcome(measures: tuple[Measure, ...], rule: GateRule) -> str:
    values = {measure.name: measure.value for measure in measures}
    wanted = wanted_measures(rule, values)
    known = [(value, least) for name, least in wanted.items() if (value := values.get(name)) is not None]
    if len(known) < len(wanted):
        return "unverified"
    return "passed" if all(value >= least for value, least in known) else "failed"


def _provenance(
    runtime: Runtime, phase: Phase, attempt: Attempt, kind: str, calls: tuple[LLMCall, ...], sources: tuple[str, ...]
) -> Provenance:
    """Say who made this version: the calls that asked for it, or, for a derived kind, all calls of the attempt."""
    completed = [call for call in calls if call.outcome == "completed"]
    made_by = [call for call in completed if call.purpose == kind] or completed
    template = runtime.core.template(phase.template, phase.agent)
    provider = runtime.roles[phase.agent][0]
    return Provenance(
        phase=phase.name,
        attempt=attempt.number,
        agent=phase.agent,
        provider=made_by[-1].provider if made_by else provider.name,
        model=made_by[-1].model if made_by else provider.model,
        template=f"{template.name}@{template.version}",
        template_sha256=template.sha256,
        call_ids=tuple(call.id for call in made_by),
        inputs=sources,
    )
