"""`botarmy costs`: what a project cost, by phase, role, provider, model; the sum equals the ledger's rows exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import click

from botarmy.costs import DIMENSIONS, UNDER_WAY, CostLine, cost_lines, total
from botarmy.records import Budget, LLMCall, Project, Record, Spending
from cli.reading import reading, run
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
        budgets = await view.budgets.of_project(project.id)
        spent = [
            await view.calls.spent(project.id, **({budget.scope: budget.name} if budget.name else {}))
            for budget in budgets
        ]
        return _Ledger(
            project=project,
            calls=await view.calls.of_project(project.id),
            budgets=tuple(zip(budgets, spent, strict=True)),
        )


def _cells(line: CostLine) -> tuple[str, ...]:
    counts = (line.calls, line.failed, line.input_tokens, line.cached_tokens, line.output_tokens, line.reasoning_tokens)
    return (*(f"{count:,}" for count in counts), _cost(line))


def _cost(line: CostLine) -> str:
    if not line.unknown:
        return _usd(line.known_usd)
    unknown = f"{line.unknown} unknown"
    return unknown if line.unknown == line.calls else f"{_usd(line.known_usd)} + {unknown}"


def _usd(amount: Decimal) -> str:
    """Write all digits, but neither an exponent nor zeros at the end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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
            "unknown" if call.cost_usd is None else _usd(call.cost_usd),
        )
        for call in calls
    ]
    write_table(columns, rows)


def _write_notes(ledger: _Ledger) -> None:
    under_way = sum(call.outcome == UNDER_WAY for call in ledger.calls)
    if under_way:
        say(f"{under_way} calls are under way and not in the sums.")
    for budget, spent in ledger.budgets:
        scope = f"{budget.scope} {budget.name}".strip()
        counted = f"{_usd(spent.counted_usd)} of {_usd(budget.limit_usd)} USD"
        say(f"Budget of {scope}: {counted} spent or reserved; unknown costs count as what was reserved for them.")


def _as_json(ledger: _Ledger, dimensions: tuple[str, ...], each_call: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "project": {"id": str(ledger.project.id), "name": ledger.project.name, "slug": ledger.project.slug},
        "by": list(dimensions),
        "lines": [_line_json(line, dimensions) for line in cost_lines(ledger.calls, dimensions)],
        "total": _line_json(total(ledger.calls), ()),
        "under_way": sum(call.outcome == UNDER_WAY for call in ledger.calls),
        "budgets": [
            {
                "scope": budget.scope,
                "name": budget.name,
                "limit_usd": _usd(budget.limit_usd),
                "counted_usd": _usd(spent.counted_usd),
            }
            for budget, spent in ledger.budgets
        ],
    }
    if each_call:
        found["calls"] = [call.model_dump(mode="json", exclude={"text", "key"}) for call in ledger.calls]
    return found


def _line_json(line: CostLine, dimensions: tuple[str, ...]) -> dict[str, Any]:
    return {
        **dict(zip(dimensions, line.key, strict=True)),
        **line.model_dump(exclude={"key", "known_usd"}),
        "known_usd": _usd(line.known_usd),
    }
