"""`botarmy inbox`: the gates that wait for a person, and what there is to know before deciding one."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from botarmy.export_documents import figures
from botarmy.gate_address import address_of
from botarmy.measured import MEASURED, line_words, lines_of
from botarmy.records import ArtifactHead, Criterion, GateRequest, Project, Status
from cli.reading import reading, run
from cli.terminal import heading, one_line, say, when, write_json, write_table

if TYPE_CHECKING:
    from storage.reads.view import ReadView

_WHY_WIDTH = 80


@click.command()
@click.argument("gate", required=False)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many to list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inbox(gate: str | None, limit: int, as_json: bool) -> None:
    """List the gates that wait for a decision, the oldest first; with GATE, all there is to know about one."""
    if gate is not None:
        _write_one(*run(_one(gate)), as_json)
        return
    waiting, total = run(_waiting(limit))
    if as_json:
        write_json({"gates": [_entry(each, slug) for each, slug in waiting], "total": total})
    elif not waiting:
        say("Nothing waits for you.")
    else:
        _write_list(waiting, total)


async def _waiting(limit: int) -> tuple[list[tuple[GateRequest, str]], int]:
    async with reading() as view:
        gates = await view.gates.list_open(limit=limit)
        slugs = await view.projects.slugs({gate.project_id for gate in gates})
        return [(gate, slugs[gate.project_id]) for gate in gates], await view.gates.count_open()


def _write_list(waiting: list[tuple[GateRequest, str]], total: int) -> None:
    write_table(("GATE", "KIND", "ATTEMPT", "SINCE (UTC)", "WHY"), [_row(gate, slug) for gate, slug in waiting])
    say()
    if total > len(waiting):
        say(f"{total - len(waiting):,} more wait; --limit shows more.")
    first = quote(address_of(*waiting[0]))
    say(f"Look with `botarmy inbox {first}`; decide with `botarmy approve {first}` or `botarmy reject {first} …`.")


def _row(gate: GateRequest, slug: str) -> tuple[str, ...]:
    why = one_line("; ".join(gate.verdict.reasons), _WHY_WIDTH)
    return (address_of(gate, slug), gate.kind, str(gate.attempt), when(gate.created_at), why)


def _entry(gate: GateRequest, slug: str) -> dict[str, Any]:
    return {
        "id": str(gate.id),
        "address": address_of(gate, slug),
        "project": slug,
        "phase": gate.phase,
        "attempt": gate.attempt,
        "kind": gate.kind,
        "status": gate.status.value,
        "verdict": gate.verdict.model_dump(mode="json"),
        "hashes": gate.hashes,
        "payload": gate.payload,
        "flow_run_id": gate.flow_run_id,
        "created_at": gate.created_at.isoformat(),
    }


async def _one(address: str) -> tuple[GateRequest, Project, tuple[ArtifactHead, ...]]:
    from cli.gate_address import find_gate

    async with reading() as view:
        gate, project, _ = await find_gate(view, address)
        return gate, project, await _shown(view, gate)


async def _shown(view: ReadView, gate: GateRequest) -> tuple[ArtifactHead, ...]:
    return tuple(head for head in await view.artifacts.summaries(gate.project_id) if head.kind in gate.hashes)


def _write_one(gate: GateRequest, project: Project, heads: tuple[ArtifactHead, ...], as_json: bool) -> None:
    if as_json:
        write_json(_entry(gate, project.slug))
        return
    heading(f"{project.slug}/{gate.phase}, attempt {gate.attempt}: {gate.verdict.decision.value}")
    if gate.payload.get("summary"):
        say(one_line(str(gate.payload["summary"])))
    for reason in gate.verdict.reasons:
        say(f"- {one_line(reason)}")
    for question in gate.payload.get("open_questions", ()):
        say(f"? {one_line(str(question))}")
    _write_criteria(gate.verdict.criteria)
    _write_executions(gate.payload.get("evidence", ()), gate.verdict.criteria)
    _write_versions(gate, project.slug, heads)
    _write_how(gate, project.slug)


def _write_criteria(criteria: tuple[Criterion, ...]) -> None:
    if criteria:
        say()
        write_table(
            ("CRITERION", "WANTED", "GOT", "MET", "WHAT WOULD RAISE IT"), [_criterion(each) for each in criteria]
        )


def _criterion(each: Criterion) -> tuple[str, ...]:
    got = "unknown" if each.got is None else f"{each.got:.4g}"
    return (each.name, f"{each.wanted:.4g}", got, "yes" if each.met else "no", each.advice)


def _write_executions(executions: Any, criteria: tuple[Criterion, ...]) -> None:
    """Show the executions; of the measures, which are no execution, those that no criterion above names."""
    rows, also = [], []
    for each in executions:
        found = dict(each.get("figures") or {})
        if each.get("check") == MEASURED:
            also += [line_words(line) for line in lines_of(found, criteria) if line.wanted is None]
        else:
            rows.append((str(each.get("check", "")), str(each.get("outcome", "")), figures(found)))
    if also:
        say(one_line(f"Also measured: {', '.join(also)}"))
    if rows:
        say()
        write_table(("CHECK", "OUTCOME", "FIGURES"), rows)


def _write_versions(gate: GateRequest, slug: str, heads: tuple[ArtifactHead, ...]) -> None:
    rows = []
    for head in heads:
        changed = "" if gate.hashes[head.kind] == head.sha256 else "changed since"
        look = f"botarmy artifact {slug} {head.kind}"
        if head.version > 1:
            look += f" --diff {head.version - 1} {head.version}"
        rows.append((head.kind, str(head.version), gate.hashes[head.kind][:12], changed, look))
    if rows:
        say()
        write_table(("ARTIFACT", "VERSION", "BOUND SHA256", "", "LOOK"), rows)


def _write_how(gate: GateRequest, slug: str) -> None:
    say()
    address = quote(address_of(gate, slug))
    if gate.decision:
        say(
            f"{gate.status.value} by {gate.decided_by} at {when(gate.decided_at)} UTC: {one_line(gate.comment) or 'no comment'}"
        )
    elif gate.status is Status.cancelled:
        say("Void: what it was about has changed, or was cancelled. `botarmy inbox` lists what waits now.")
    else:
        say(f"Decide: `botarmy approve {address}`, `botarmy reject {address} --comment TEXT`,")
        say(f"or `botarmy amend {address} --artifact KIND --file FILE`.")
