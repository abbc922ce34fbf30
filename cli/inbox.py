"""`botarmy inbox`: the gates that wait for a person."""

from __future__ import annotations

from typing import Any

import click

from botarmy.records import GateRequest
from cli.reading import reading, run
from cli.terminal import one_line, say, when, write_json, write_table


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many to list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inbox(limit: int, as_json: bool) -> None:
    """List the gates that wait for a decision, the oldest first."""
    waiting = run(_waiting(limit))
    if as_json:
        write_json({"gates": [_entry(gate, slug) for gate, slug in waiting]})
    elif not waiting:
        say("Nothing waits for you.")
    else:
        rows = [_row(gate, slug) for gate, slug in waiting]
        write_table(("GATE", "ATTEMPT", "VERDICT", "SINCE (UTC)", "WHY", "ID"), rows)
        say()
        first = f"{waiting[0][1]}/{waiting[0][0].phase}"
        say(f"Decide with `botarmy approve {first}` or `botarmy reject {first} --comment TEXT`.")


async def _waiting(limit: int) -> list[tuple[GateRequest, str]]:
    async with reading() as view:
        gates = await view.gates.list_open(limit=limit)
        slugs = await view.projects.slugs({gate.project_id for gate in gates})
        return [(gate, slugs[gate.project_id]) for gate in gates]


def _row(gate: GateRequest, slug: str) -> tuple[str, ...]:
    return (
        f"{slug}/{gate.phase}",
        str(gate.attempt),
        gate.verdict.decision.value,
        when(gate.created_at),
        one_line("; ".join(gate.verdict.reasons), 80),
        str(gate.id)[:8],
    )


def _entry(gate: GateRequest, slug: str) -> dict[str, Any]:
    return {
        "id": str(gate.id),
        "project": slug,
        "phase": gate.phase,
        "attempt": gate.attempt,
        "verdict": gate.verdict.model_dump(mode="json"),
        "hashes": gate.hashes,
        "created_at": gate.created_at.isoformat(),
    }
