"""The terminal asks at a gate (`--gates ask`)."""

from __future__ import annotations

import asyncio
import getpass

import click

from botarmy.records import GateRequest
from cli.terminal import clean
from tasks.decide import Answer


async def ask_at_terminal(gate: GateRequest, why_again: str) -> Answer | None:
    """Show the gate and ask; None when the person puts the decision off."""
    return await asyncio.to_thread(_ask, gate, why_again)


def _ask(gate: GateRequest, why_again: str) -> Answer | None:
    click.echo("", err=True)
    if why_again:
        click.echo(f"Asked again: {clean(why_again)}", err=True)
    click.echo(f"{clean(gate.phase)}, attempt {gate.attempt}: {gate.verdict.decision.value}", err=True)
    for line in (str(gate.payload.get("summary", "")), *gate.verdict.reasons):
        if line:
            click.echo(f"  {clean(line)}", err=True)
    for each in gate.verdict.criteria:
        got = "unknown" if each.got is None else f"{each.got:g}"
        mark = "met" if each.met else f"MISSED  {each.advice}"
        click.echo(f"  {clean(each.name)}: {got} of {each.wanted:g}  {clean(mark)}", err=True)
    try:
        decision = click.prompt("approve, reject or later", type=click.Choice(["approve", "reject", "later"]), err=True)
        comment = click.prompt("What must be different", err=True) if decision == "reject" else ""
    except click.Abort:
        return None
    return None if decision == "later" else Answer(decision=decision, comment=comment, by=getpass.getuser())
