"""`botarmy trace`: each requirement and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from botarmy.trace import Approved, TraceRow, accepted_groups, trace_requirements, verified_text
from cli.reading import fetch_heads_and_gates, reading, run
from cli.terminal import heading, one_line, say, write_json, write_table

_TEXT_WIDTH = 60
_LIST_WIDTH = 16


@click.command()
@click.argument("project")
@click.option("--requirement", metavar="ID", help="Show one requirement in full, e.g. R3.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def trace(project: str, requirement: str | None, as_json: bool) -> None:
    """Follow each requirement of PROJECT to features, criteria, files, operations, tests, evidence and approval."""
    rows = run(_trace(project))
    if requirement is not None:
        rows = _only(rows, requirement)
    if as_json:
        write_json({"requirements": [row.model_dump(mode="json") for row in rows]})
    elif not rows:
        say("No requirements yet.")
    elif requirement is not None:
        _write_one(rows[0])
    else:
        _write_all(rows)


async def _trace(project: str) -> tuple[TraceRow, ...]:
    async with reading() as view:
        _, heads, gates = await fetch_heads_and_gates(view, project)
        return trace_requirements(heads, gates)


def _only(rows: Sequence[TraceRow], requirement: str) -> tuple[TraceRow, ...]:
    from botarmy.errors import UnknownName

    found = tuple(row for row in rows if row.id.casefold() == requirement.casefold())
    if not found:
        raise UnknownName(
            f'There is no requirement "{requirement}" in this project.',
            hint=f"It has {rows[0].id} to {rows[-1].id}." if rows else "It has no requirements yet.",
        )
    return found


def _write_all(rows: Sequence[TraceRow]) -> None:
    columns = ("ID", "STATUS", "PRIORITY", "FEATURES", "CRITERIA", "OPS", "FILES", "TESTS", "REQUIREMENT")
    write_table(columns, [_row(row) for row in rows])
    say()
    say(f"{verified_text(rows)} `--requirement ID` shows one in full.")
    approval = next((row.approval for row in rows if row.approval), None)
    if approval is not None:
        say(f"proof decided: {_approval(approval)}")
    for accepted, ids in accepted_groups(rows):
        say(one_line(f"accepted without proof by a test: {', '.join(ids)}: {_approval(accepted)}"))


def _row(row: TraceRow) -> tuple[str, ...]:
    counts = [str(len(items)) for items in (row.operations, row.files, row.tests)]
    return (
        row.id,
        row.status,
        row.priority if row.kind != "context" else "context",
        one_line(" ".join(row.features), _LIST_WIDTH),
        one_line(" ".join(row.criteria), _LIST_WIDTH),
        *counts,
        one_line(row.text, _TEXT_WIDTH),
    )


def _write_one(row: TraceRow) -> None:
    heading(f"{row.id} ({row.priority} {row.kind}, {row.status})")
    say(one_line(row.text))
    if not row.understood:
        say("Nobody knows how to test it as it is written.")
    tests = [f"{test.id} ({test.outcome})" for test in row.tests]
    parts = (
        ("brief", row.sources),
        ("features", row.features),
        ("criteria", row.criteria),
        ("operations", row.operations),
        ("files", row.files),
        ("tests", tests),
        ("evidence", row.evidence),
    )
    for label, items in parts:
        for position, item in enumerate(items or ("none",)):
            say(f"{label if position == 0 else '':<12}{one_line(item)}")
    say(f"{'approval':<12}{_rests_on(row)}")


def _rests_on(row: TraceRow) -> str:
    if row.accepted is not None:
        return f"{_approval(row.accepted)}: accepted without proof by a test"
    return _approval(row.approval) if row.approval else "none"


def _approval(approval: Approved) -> str:
    stale = "" if approval.current else " (the artifact has changed since)"
    decision = f"{approval.decision} by {approval.by}, {approval.phase} attempt {approval.attempt}, {approval.at}"
    return one_line(decision) + stale
