"""The Prefect task of a phase: one per attempt. Our tables are the truth; Prefect retries, shows and caches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prefect import task
from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext

from botarmy.errors import BotArmyError, ProviderError
from botarmy.records import Attempt, Phase, Project, Workflow, digest
from tasks.budget import BudgetExceeded, open_budget_gate
from tasks.gate import is_decided
from tasks.phase import phase_of, upstream_kinds, work_on
from tasks.publish import publish_documents
from tasks.runtime import Runtime, current


@dataclass
class PhaseInputs(CachePolicy):
    """A phase task's result is reused only for the same project, attempt, question, inputs, template and model."""

    def compute_key(
        self,
        task_ctx: TaskRunContext,  # noqa: ARG002 (Prefect's signature)
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> str | None:
        """Return the cache key."""
        return f"botarmy-phase-{digest(inputs)}"


async def is_infrastructure(_task: Any, _run: Any, state: Any) -> bool:
    """Tell whether a retry of the task can help: storage gone, connection lost; never a model's or a user's error."""
    try:
        await state.result()
    except ProviderError:
        return False  # the loop around calls has tried again already, and failed over
    except BotArmyError as error:
        return error.retryable
    except OSError:
        return True
    except Exception:  # noqa: BLE001 (any other error is a defect of ours: a retry would hide it)
        return False
    return False


@task(
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=is_infrastructure,
    cache_policy=PhaseInputs(),
    persist_result=True,
)
async def phase_task(
    project: str,
    phase: str,
    attempt: int,
    ask: int,  # noqa: ARG001 (this and the rest make the cache key and show in the UI)
    inputs: dict[str, str],  # noqa: ARG001
    template: str,  # noqa: ARG001
    model: str,  # noqa: ARG001
) -> dict[str, str]:
    """Do one attempt at a phase and save it.

    Args:
        project: the project's id.
        phase: the phase's name.
        attempt: the attempt's number.
        ask: how many times people were asked in this attempt; after an answer the same attempt goes on.
        inputs: artifact kind -> sha256 of the versions that the phase reads.
        template: sha256 of the prompt template.
        model: provider and model of the agent.

    Returns:
        {"outcome": "done"}, or {"outcome": "needs human", "gate": id} with all work so far saved.
    """
    runtime = current()
    async with runtime.database.work() as work:
        record = await work.projects.get(project)
        attempts = await work.attempts.list(record.id)
    workflow = runtime.core.workflow(record.workflow)
    definition = phase_of(workflow, phase)
    this = next(each for each in attempts if each.phase == phase and each.number == attempt)
    try:
        await work_on(runtime, record, workflow, definition, this)
    except BudgetExceeded as error:
        gate = await open_budget_gate(runtime, record, this, error)
        return {"outcome": "needs human", "gate": str(gate.id)}
    await publish_documents(runtime, record, definition)
    return {"outcome": "done"}


async def run_phase(
    runtime: Runtime, project: Project, workflow: Workflow, phase: Phase, attempt: Attempt
) -> dict[str, str]:
    """Call the phase task under its names and tags; call it afresh where its cached result is not in our tables.

    Where the gate is decided the work is long saved and shown: then no task is run, and the decision is carried out at once.
    """
    if await is_decided(runtime, attempt):
        return {"outcome": "done"}
    async with runtime.database.work() as work:
        heads = await work.artifacts.heads(project.id)
        asked = len(await work.gates.of_attempt(attempt.id))
    provider = runtime.roles[phase.agent][0]
    named = phase_task.with_options(
        name=phase.name,
        task_run_name=f"{project.slug} · {phase.name} · attempt {attempt.number}",
        tags=[f"agent:{phase.agent}", f"provider:{provider.name}", f"project:{project.slug}"],
    )
    arguments: dict[str, Any] = {
        "project": str(project.id),
        "phase": phase.name,
        "attempt": attempt.number,
        "ask": asked,
        "inputs": {kind: heads[kind].sha256 for kind in upstream_kinds(workflow, phase) if kind in heads},
        "template": runtime.core.template(phase.template, phase.agent).sha256,
        "model": f"{provider.name}/{provider.model}",
    }
    outcome: dict[str, str] = await named(**arguments)
    if outcome["outcome"] == "done" and not await _saved(runtime, attempt):
        outcome = await named.with_options(refresh_cache=True)(**arguments)
    return outcome


async def _saved(runtime: Runtime, attempt: Attempt) -> bool:
    async with runtime.database.work() as work:
        return (await work.attempts.get(attempt.id)).result is not None
