"""What calls cost, added up exactly: by phase, role, provider, model or any of them together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, localcontext
from typing import Any

from botarmy.records import Budget, LLMCall, Record, Spending

DIMENSIONS = ("phase", "role", "provider", "model")
UNDER_WAY = "reserved"
_EXACT = Context(prec=200)  # more digits than any sum of costs has: nothing is ever rounded
_ANSWERED = frozenset({"completed", "repeated"})


class CostLine(Record):
    """The calls that have the same values of the chosen dimensions.

    Attributes:
        key: the values, in the order of the dimensions; empty for the total.
        calls: ended calls, failures included.
        failed: those of them that gave no answer.
        known_usd: the exact sum of all known costs.
        unknown: calls whose cost is not known; they are in no sum.
    """

    key: tuple[str, ...]
    calls: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    known_usd: Decimal = Decimal(0)
    unknown: int = 0


def cost_lines(calls: Iterable[LLMCall], dimensions: Sequence[str]) -> tuple[CostLine, ...]:
    """Group ended calls; the most expensive line first.

    Args:
        calls: rows of the ledger; calls under way are left out.
        dimensions: some of DIMENSIONS; none gives one line for all.
    """
    groups: dict[tuple[str, ...], list[LLMCall]] = {}
    for call in calls:
        if call.outcome != UNDER_WAY:
            groups.setdefault(tuple(str(getattr(call, name)) for name in dimensions), []).append(call)
    return tuple(sorted((_line(key, group) for key, group in groups.items()), key=lambda x: (-x.known_usd, x.key)))


def total(calls: Iterable[LLMCall]) -> CostLine:
    """Return one line for all ended calls."""
    return next(iter(cost_lines(calls, ())), CostLine(key=()))


def _line(key: tuple[str, ...], calls: list[LLMCall]) -> CostLine:
    with localcontext(_EXACT):
        known = sum((call.cost_usd for call in calls if call.cost_usd is not None), Decimal(0))
    return CostLine(
        key=key,
        calls=len(calls),
        failed=sum(call.outcome not in _ANSWERED for call in calls),
        input_tokens=sum(call.input_tokens for call in calls),
        output_tokens=sum(call.output_tokens for call in calls),
        cached_tokens=sum(call.cached_tokens for call in calls),
        reasoning_tokens=sum(call.reasoning_tokens for call in calls),
        known_usd=known,
        unknown=sum(call.cost_usd is None for call in calls),
    )


def usd_text(amount: Decimal) -> str:
    """Write all digits, but neither an exponent nor zeros at the end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def budget_text(budget: Budget, spent: Spending) -> str:
    """Say what a limit is, what is spent and what is reserved: "project: 7 USD; 1.2 spent, 0.3 reserved"."""
    scope = f"{budget.scope} {budget.name}".strip()
    unknown = f", at most {usd_text(spent.unknown_usd)} of unknown cost" if spent.unknown_calls else ""
    amounts = f"{usd_text(spent.known_usd)} spent{unknown}, {usd_text(spent.reserved_usd)} reserved"
    return f"{scope}: {usd_text(budget.limit_usd)} USD; {amounts}"


def budget_entry(budget: Budget, spent: Spending) -> dict[str, Any]:
    """Return a limit as JSON; amounts are exact decimal texts. What is counted against it is the sum of the other three."""
    return {
        "scope": budget.scope,
        "name": budget.name,
        "limit_usd": usd_text(budget.limit_usd),
        "spent_usd": usd_text(spent.known_usd),
        "unknown_usd": usd_text(spent.unknown_usd),
        "reserved_usd": usd_text(spent.reserved_usd),
        "counted_usd": usd_text(spent.counted_usd),
    }
