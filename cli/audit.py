"""`botarmy audit`: who changed what, when, on which hash."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

import click

from botarmy.errors import UnknownName
from botarmy.records import AuditCheck, AuditEvent
from cli.reading import reading, run
from cli.terminal import one_line, say, when, write_json, write_table

if TYPE_CHECKING:
    from storage.reads.view import ReadView

_SAID = ("comment", "reason")


@click.command()
@click.argument("project")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def audit(project: str, as_json: bool) -> None:
    """List the audit events of PROJECT, oldest first; a purged project is named by its id.

    Each event carries the hash of the one before it; whether that chain is whole is told at the end.
    """
    events, check = run(_events(project))
    if as_json:
        shown = [event.model_dump(mode="json") for event in events]
        write_json({"events": shown, "check": check.model_dump(mode="json")})
        return
    columns = ("TIME (UTC)", "WHO", "WHAT", "ON", "SHA256", "DETAIL")
    notes = {at: note for at, event in enumerate(events) if (note := _note(event))}
    write_table(columns, [_row(event) for event in events], notes)
    say()
    say(
        f"{check.events} events, "
        + ("none changed, removed or inserted." if check.whole else f"NOT WHOLE: {check.reason}")
    )


async def _events(project: str) -> tuple[tuple[AuditEvent, ...], AuditCheck]:
    async with reading() as view:
        project_id = await _project_id(view, project)
        return await view.audit.of_project(project_id), await view.audit.verify(project_id)


async def _project_id(view: ReadView, name: str) -> UUID:
    try:
        return (await view.projects.get(name)).id
    except UnknownName:
        purged = _as_id(name)
        if purged is None or not await view.audit.of_project(purged):
            raise
        return purged


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _note(event: AuditEvent) -> str:
    """Return what somebody said with the event, which stands on a line of its own; "" where nobody said anything."""
    said = {name: str(event.detail.get(name) or "") for name in _SAID}
    return "; ".join(f"{name}: {text}" for name, text in said.items() if text.strip())


def _row(event: AuditEvent) -> tuple[str, ...]:
    rest = {name: value for name, value in event.detail.items() if name not in _SAID}
    detail = json.dumps(rest, ensure_ascii=False) if rest else ""
    return (when(event.created_at), event.actor, event.action, event.subject, event.sha256[:12], one_line(detail, 100))
