"""What people see in Prefect: each document, the table of verdicts and cost, the picture of the run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence

from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.logging import get_run_logger

from botarmy.costs import total
from botarmy.diagram import run_diagram
from botarmy.gate_text import document_key
from botarmy.records import Attempt, LLMCall, Phase, Project, Workflow
from tasks.ledger import of_attempt
from tasks.runtime import Runtime

MAX_DOCUMENT = 200_000
"""Characters of a document that go to Prefect; the whole stands in our tables."""


async def publish_documents(runtime: Runtime, project: Project, phase: Phase) -> None:
    """Show the phase's documents in Prefect. They are a view: a failure is logged and loses nothing."""
    async with runtime.database.work() as work:
        heads = await work.artifacts.heads(project.id)
    versions = [heads[kind] for kind in phase.expected_outputs if kind in heads]
    shown = [
        acreate_markdown_artifact(
            key=document_key(project.slug, version.kind),
            markdown=version.markdown[:MAX_DOCUMENT],
            description=f"{project.slug} · {phase.name} · {version.kind} version {version.version} · {version.sha256[:12]}",
        )
        for version in versions
    ]
    await _all_shown(shown)


async def _all_shown(shown: Sequence[Awaitable[object]]) -> None:
    for failure in await asyncio.gather(*shown, return_exceptions=True):
        if isinstance(failure, BaseException):
            get_run_logger().warning("A document is not shown in Prefect: %s", failure)


async def publish_overview(runtime: Runtime, project: Project, workflow: Workflow) -> None:
    """Show the table of verdicts and cost and the run's diagram in Prefect; a failure is logged and loses nothing."""
    async with runtime.database.work() as work:
        attempts = await work.attempts.list(project.id)
        calls = await work.calls.of_project(project.id)
    table = acreate_table_artifact(
        key=document_key(project.slug, "overview"),
        table=[_row(attempt, calls) for attempt in attempts],
        description=f"{project.slug}: attempts, verdicts, cost",
    )
    diagram = acreate_markdown_artifact(
        key=document_key(project.slug, "diagram"),
        markdown=run_diagram(project, workflow, attempts),
        description=f"{project.slug}: the run",
    )
    await _all_shown([table, diagram])


def _row(attempt: Attempt, calls: tuple[LLMCall, ...]) -> dict[str, str]:
    mine = of_attempt(calls, attempt)
    unknown = any(call.cost_usd is None for call in mine)  # of a call under way as well: it is never shown as free
    return {
        "phase": attempt.phase,
        "attempt": str(attempt.number),
        "agent": attempt.agent,
        "status": attempt.status.value,
        "verdict": attempt.verdict.decision.value if attempt.verdict else "",
        "calls": str(len(mine)),
        "cost USD": "unknown" if unknown else str(total(mine).known_usd),
    }
