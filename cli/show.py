"""`botarmy show`: a project's phases with their verdicts, artifacts and evidence."""

from __future__ import annotations

import time
from dataclasses import dataclass
from shlex import quote
from typing import Any

import click

from botarmy.costs import budget_text
from botarmy.export_documents import figures
from botarmy.measured import MEASURED, value_words
from botarmy.overview import Snapshot, decisions_of, model_note, overview, phase_order, status_label
from botarmy.person import POLICY
from botarmy.records import AuditEvent, Execution, Project, Status
from cli.reading import fetch_snapshot, reading, run
from cli.terminal import heading, is_terminal, one_line, say, when, write_json, write_table

POLL_S = 1.0
ENDED = frozenset({Status.completed, Status.failed, Status.stopped, Status.cancelled})
WAITING_EXIT = 3
_REASON_WIDTH = 200
_ERROR_WIDTH = 1000
_HASH_WIDTH = 12
_TOLD = ("project", "attempt", "evidence", "gate")
"""How the names of the audit actions begin that a person follows a run by."""


@click.command()
@click.argument("project")
@click.option("--follow", is_flag=True, help="Look again each second until the project ends or waits for a person.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --follow one document a line for each change.")
def show(project: str, follow: bool, as_json: bool) -> None:
    """Show PROJECT: what was built, what proves it, what it cost, what it waits for."""
    if follow:
        _follow(project, as_json)
        return
    write_project(project, as_json=as_json)


async def read_snapshot(project: str) -> Snapshot:
    """Read everything that is told about a project.

    Raises:
        UnknownName: there is no such project.
    """
    async with reading() as view:
        return await fetch_snapshot(view, project)


def _follow(project: str, as_json: bool) -> None:
    import json

    before = ""
    while True:
        snapshot = run(read_snapshot(project))
        document = overview(snapshot)
        text = json.dumps(document)
        if text != before:
            _show_change(snapshot, text, as_json)
        before = text
        if snapshot.project.status in ENDED or snapshot.project.status is Status.waiting:
            return
        time.sleep(POLL_S)


def _show_change(snapshot: Snapshot, text: str, as_json: bool) -> None:
    if as_json:
        click.echo(text)
        return
    if is_terminal():
        click.clear()
    write_overview(snapshot)
    say()


def write_project(project: str, *, as_json: bool) -> None:
    """Print a project by its name, as `botarmy show` does."""
    snapshot = run(read_snapshot(project))
    if as_json:
        write_json(overview(snapshot))
    else:
        write_overview(snapshot)


@dataclass(frozen=True)
class Followed:
    """What is known of a submitted run at one moment.

    Attributes:
        project: its project, None before it has taken one up.
        lines: one cleaned line for each event of the project, oldest first. They only ever grow, so that a caller can
            print those that are new.
        flow_run_id: the flow run that the project hangs on now: upkeep may have begun others since.
        turned_away: whether the submitted run found its project with another run, and did nothing.
    """

    project: Project | None
    lines: tuple[str, ...]
    flow_run_id: str
    turned_away: bool = False


def followed(flow_run_id: str) -> Followed:
    """Return how a submitted flow run stands, by our own tables."""
    return run(_followed(flow_run_id))


async def _followed(flow_run_id: str) -> Followed:
    async with reading() as view:
        execution = await view.executions.of_order(flow_run_id)
        if execution is None:
            return Followed(None, (), flow_run_id)
        project = await view.projects.get(execution.project_id)
        runs = await view.executions.of_project(project.id)
        events = await view.audit.of_project(project.id)
    newest = [each.flow_run_id for each in runs if each.flow_run_id and each.status is not Status.cancelled]
    lines = tuple(_event_line(event) for event in events if event.action.startswith(_TOLD))
    turned_away = execution.status is Status.cancelled
    return Followed(project, lines, flow_run_id if turned_away or not newest else newest[-1], turned_away)


def _event_line(event: AuditEvent) -> str:
    who = f" by {event.actor}" if event.action.startswith("gate") else ""
    return one_line(f"{event.created_at:%H:%M:%S} {event.action}: {event.subject}{who}", _REASON_WIDTH)


def write_overview(snapshot: Snapshot) -> None:
    """Print a project for a person."""
    document = overview(snapshot)
    project = snapshot.project
    heading(f"{project.slug}: {project.name}")
    say(f"status    {status_label(project.status, model_note(snapshot.heads))}")
    _write_error(snapshot.error, project.slug)
    if project.status is Status.stopped:
        say(f"go on     botarmy rerun {project.slug} --from PHASE, with --comment TEXT for what must be different")
    say(f"workflow  {one_line(project.workflow)}")
    say(f"cost      {cost_text(document['cost_usd'])}, {_tokens_text(document['tokens'])}")
    for budget, spent in snapshot.budgets:
        say(f"budget    {one_line(budget_text(budget, spent))}")
    if not snapshot.budgets:
        say("budget    none")
    say(f"export    {one_line(document['export'] or 'none')}")
    if snapshot.runs:
        say(f"run       {one_line(_run_text(snapshot.runs))}")
    say()
    phases = document["phases"]
    write_table(("PHASE", "AGENT", "STATUS", "ATTEMPT", "VERDICT", "DECISION"), [_phase_row(item) for item in phases])
    _write_decisions(snapshot)
    _write_artifacts(phases)
    _write_evidence(phases)
    _write_measures(phases)
    _write_reasons(phases, project.slug)


def _write_error(error: dict[str, str] | None, slug: str) -> None:
    """Say why a failed project failed, how to mend it, and how to go on then."""
    if error is None:
        return
    say(f"why       {one_line(error['message'], _ERROR_WIDTH)}")
    if error["hint"]:
        say(f"fix       {one_line(error['hint'], _ERROR_WIDTH)}")
    say(f"go on     botarmy run --project {slug}, or botarmy submit --project {slug}")


def _run_text(runs: tuple[Execution, ...]) -> str:
    last = runs[-1]
    if not last.phase_history:
        return f"{len(runs)}: {last.status.value}"
    visit = last.phase_history[-1]
    at = f"{visit.phase} (attempt {visit.attempt})"
    if last.status is Status.running:
        return f"{len(runs)}: at {at} since {when(visit.started_at)} UTC"
    return f"{len(runs)}: {last.status.value} at {at}, {when(last.updated_at)} UTC"


def cost_text(cost_usd: float | None) -> str:
    """Write a cost in USD; unknown is not zero."""
    return "unknown" if cost_usd is None else f"{cost_usd:.4f} USD"


def _tokens_text(tokens: dict[str, int]) -> str:
    return f"{tokens['input']:,} tokens in, {tokens['output']:,} out"


def _phase_row(item: dict[str, Any]) -> tuple[str, ...]:
    gate = item["gate"] or {}
    decision = f"{gate['status']} by {gate['by']}" if gate.get("decision") else ("open" if gate else "")
    attempt = str(item["attempt"]) if item["attempt"] else ""
    return (item["name"], item["agent"], item["status"], attempt, item["verdict"] or "", decision)


def _write_decisions(snapshot: Snapshot) -> None:
    """Show everything that was decided, phase by phase, and every amendment; in full what a person said."""
    order = {name: at for at, (name, _) in enumerate(phase_order(snapshot))}
    lines = sorted(decisions_of(snapshot), key=lambda line: order.get(line.phase, len(order)))
    rows = [
        (
            line.phase,
            str(line.attempt),
            line.words,
            line.by,
            when(line.at),
            one_line(line.comment, _REASON_WIDTH if line.by == POLICY else 0),
        )
        for line in lines
    ]
    if rows:
        say()
        write_table(("PHASE", "ATTEMPT", "DECISION", "BY (AS CLAIMED)", "WHEN (UTC)", "COMMENT"), rows)


def _write_artifacts(phases: list[dict[str, Any]]) -> None:
    rows = [
        (item["name"], made["kind"], str(made["version"]), made["sha256"][:_HASH_WIDTH])
        for item in phases
        for made in item["artifacts"]
    ]
    if rows:
        say()
        write_table(("PHASE", "ARTIFACT", "VERSION", "SHA256"), rows)


def _write_evidence(phases: list[dict[str, Any]]) -> None:
    rows = [
        _evidence_row(item["name"], evidence)
        for item in phases
        for evidence in item["evidence"]
        if evidence["check"] != MEASURED
    ]
    if rows:
        say()
        write_table(("PHASE", "CHECK", "OUTCOME", "EXIT", "FIGURES", "COMMAND"), rows)


def _evidence_row(phase: str, evidence: dict[str, Any]) -> tuple[str, ...]:
    exit_code = "" if evidence["exit_code"] is None else str(evidence["exit_code"])
    outcome = evidence["outcome"] if evidence["trusted"] else f"{evidence['outcome']} (untrusted)"
    command = one_line(" ".join(evidence["command"]), 60)
    return (phase, evidence["check"], outcome, exit_code, one_line(figures(evidence["figures"]), 80), command)


def _write_measures(phases: list[dict[str, Any]]) -> None:
    """Show what was measured and whether it meets the gate's criterion, if the gate has one for it."""
    rows = [
        (
            item["name"],
            line["name"],
            value_words(line["value"]),
            "" if line["wanted"] is None else value_words(line["wanted"]),
            line["criterion"],
        )
        for item in phases
        for line in item["measures"]
    ]
    if rows:
        say()
        write_table(("PHASE", "MEASURE", "VALUE", "WANTED", "CRITERION"), rows)


def _write_reasons(phases: list[dict[str, Any]], slug: str) -> None:
    if any(item["reasons"] or item["status"] == Status.waiting.value for item in phases):
        say()
    for item in phases:
        for reason in item["reasons"]:
            say(f"{item['name']}: {one_line(reason, _REASON_WIDTH)}")
        if item["status"] == Status.waiting.value:
            address = item["gate"]["address"] if item["gate"] else f"{slug}/{item['name']}"
            say(f"{item['name']} waits for a decision: `botarmy approve {quote(address)}` or `botarmy reject …`")
