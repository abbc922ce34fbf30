"""`botarmy costs`: what a project cost, by phase, role, provider, model; the sum equals the ledger's rows exactly."""

from __future__ import annotations

from typing import Any

import click

from botarmy.costs import DIMENSIONS, UNDER_WAY, CostLine, budget_entry, budget_text, cost_lines, total, usd_text
from botarmy.records import Budget, LLMCall, Project, Record, Spending
from cli.reading import fetch_budgets, reading, run
from cli.terminal import say, when, write_json, write_table

_COLUMNS = ("CALLS", "FAILED", "INPUT", "CACHED", "OUTPUT", "REASONING", "COST (USD)")


class _Ledger(Record):
    """What is read of a project: its calls, its budgets and what was spent under each."""

    project: Project
    calls: tuple[LLMCall, ...]
    budgets: tuple[tuple[Budget, Spending], ...]


@click.command()
@click.argument("project")
@click.option(
    "--by",
    "dimensions",
    multiple=True,
    type=click.Choice(DIMENSIONS),
    help="Add up by this; may be given several times. [default: phase, role, provider, model]",
)
@click.option("--calls", "each_call", is_flag=True, help="List every call instead of sums.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; amounts are exact decimal texts.")
def costs(project: str, dimensions: tuple[str, ...], each_call: bool, as_json: bool) -> None:
    """Show what PROJECT cost. A cost that is not known is counted as unknown, never as 0."""
    ledger = run(_read(project))
    chosen = tuple(dict.fromkeys(dimensions)) or DIMENSIONS
    if as_json:
        write_json(_as_json(ledger, chosen, each_call))
        return
    if each_call:
        _write_calls(ledger.calls)
    else:
        lines = cost_lines(ledger.calls, chosen)
        rows = [(*line.key, *_cells(line)) for line in lines]
        closing = (*("total", *[""] * (len(chosen) - 1)), *_cells(total(ledger.calls)))
        write_table((*(name.upper() for name in chosen), *_COLUMNS), [*rows, closing])
    _write_notes(ledger)


command = costs


async def _read(name: str) -> _Ledger:
    async with reading() as view:
        project = await view.projects.get(name)
        return _Ledger(
            project=project,
            calls=await view.calls.of_project(project.id),
            budgets=await fetch_budgets(view, project.id),
        )


def _cells(line: CostLine) -> tuple[str, ...]:
    counts = (line.calls, line.failed, line.input_tokens, line.cached_tokens, line.output_tokens, line.reasoning_tokens)
    return (*(f"{count:,}" for count in counts), _cost(line))


def _cost(line: CostLine) -> str:
    if not line.unknown:
        return usd_text(line.known_usd)
    unknown = f"{line.unknown} unknown"
    return unknown if line.unknown == line.calls else f"{usd_text(line.known_usd)} + {unknown}"


def _write_calls(calls: tuple[LLMCall, ...]) -> None:
    columns = (
        "TIME (UTC)",
        "PHASE",
        "ATTEMPT",
        "ROLE",
        "PURPOSE",
        "PROVIDER",
        "MODEL",
        "OUTCOME",
        "TOKENS",
        "COST (USD)",
    )
    rows = [
        (
            when(call.created_at),
            call.phase,
            str(call.attempt),
            call.role,
            call.purpose,
            call.provider,
            call.model,
            call.outcome,
            f"{call.input_tokens:,} + {call.output_tokens:,}",
            "unknown" if call.cost_usd is None else usd_text(call.cost_usd),
        )
        for call in calls
    ]
    write_table(columns, rows)


def _write_notes(ledger: _Ledger) -> None:
    under_way = sum(call.outcome == UNDER_WAY for call in ledger.calls)
    if under_way:
        say(f"{under_way} calls are under way and not in the sums.")
    for budget, spent in ledger.budgets:
        say(f"Budget of {budget_text(budget, spent)}.")
    if not ledger.budgets:
        say("No budget is set: nothing limits what may be spent.")


def _as_json(ledger: _Ledger, dimensions: tuple[str, ...], each_call: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "project": {"id": str(ledger.project.id), "name": ledger.project.name, "slug": ledger.project.slug},
        "by": list(dimensions),
        "lines": [_line_json(line, dimensions) for line in cost_lines(ledger.calls, dimensions)],
        "total": _line_json(total(ledger.calls), ()),
        "under_way": sum(call.outcome == UNDER_WAY for call in ledger.calls),
        "budgets": [budget_entry(budget, spent) for budget, spent in ledger.budgets],
    }
    if each_call:
        found["calls"] = [call.model_dump(mode="json", exclude={"text", "key"}) for call in ledger.calls]
    return found


def _line_json(line: CostLine, dimensions: tuple[str, ...]) -> dict[str, Any]:
    return {
        **dict(zip(dimensions, line.key, strict=True)),
        **line.model_dump(exclude={"key", "known_usd"}),
        "known_usd": usd_text(line.known_usd),
    }
