"""The terminal asks at a gate (`--gates ask`)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from shlex import quote

import click

from botarmy.gate_address import address_of
from botarmy.records import GateRequest
from cli.decide import checked_comment
from cli.person import person
from cli.terminal import clean, one_line
from tasks.decide import Answer


async def ask_at_terminal(gate: GateRequest, why_again: str) -> Answer | None:
    """Show the gate and ask; None when the person puts the decision off."""
    return await asyncio.to_thread(_ask, gate, why_again)


def _ask(gate: GateRequest, why_again: str) -> Answer | None:
    if why_again:
        _tell("", f"Asked again: {why_again}")
    _tell("", f"{gate.phase}, attempt {gate.attempt}: {gate.verdict.decision.value}", *_lines(gate))
    try:
        decision = click.prompt("approve, reject or later", type=click.Choice(["approve", "reject", "later"]), err=True)
        comment = click.prompt("What must be different", err=True) if decision == "reject" else ""
    except click.Abort:
        return None
    return None if decision == "later" else Answer(decision=decision, comment=checked_comment(comment), by=person(None))


def _tell(*lines: str) -> None:
    for line in lines:
        click.echo(clean(line), err=True)


def _lines(gate: GateRequest) -> Iterator[str]:
    """Say what was made, what speaks for and against it, and how to look at what the decision binds."""
    if summary := gate.payload.get("summary"):
        yield f"  {one_line(str(summary))}"
    for reason in gate.verdict.reasons:
        yield f"  - {one_line(reason)}"
    for question in gate.payload.get("open_questions", ()):
        yield f"  ? {one_line(str(question))}"
    for each in gate.verdict.criteria:
        got = "unknown" if each.got is None else f"{each.got:g}"
        yield f"  {one_line(each.name)}: {got} of {each.wanted:g}  {'met' if each.met else f'MISSED  {each.advice}'}"
    project = gate.payload.get("project", "")
    for document in gate.payload.get("documents", ()):
        version, kind = document["version"], document["kind"]
        change = f" --diff {version - 1} {version}" if version > 1 else ""
        yield f"  {kind} version {version} {document['sha256'][:12]}: botarmy artifact {project} {kind}{change}"
    if project:
        yield f"  In another terminal: botarmy inbox {quote(address_of(gate, project))} shows it all, botarmy amend changes a document."
