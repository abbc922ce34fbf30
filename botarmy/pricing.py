"""What a call costs: usage x price, in exact decimal USD, or unknown. Unknown is never 0."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import PurePath
from typing import Any

from pydantic import Field, ValidationError

from botarmy.completion import Usage
from botarmy.errors import SettingsError
from botarmy.records import Record, digest

_MILLION = Decimal(1_000_000)
FREE_PROVIDERS = frozenset({"offline", "recorded"})
"""They call no vendor: their cost is known, and 0."""


class OwnPrice(Record):
    """A price by configuration, in USD for a million tokens. What is not given costs as plain input or output."""

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cached_input: Decimal | None = Field(default=None, ge=0)
    cache_write: Decimal | None = Field(default=None, ge=0)

    def of(self, usage: Usage) -> Decimal:
        """Return the exact cost of a usage."""
        cached = self.input if self.cached_input is None else self.cached_input
        written = self.input if self.cache_write is None else self.cache_write
        plain = max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
        total = (
            plain * self.input
            + usage.cached_tokens * cached
            + usage.cache_write_tokens * written
            + usage.output_tokens * self.output
        )
        return total / _MILLION


class Cost(Record):
    """A cost. `usd` None is unknown; `price_version` says by which price list it was reckoned."""

    usd: Decimal | None
    price_version: str


UNKNOWN = Cost(usd=None, price_version="")
NOT_BILLED = Cost(usd=Decimal(0), price_version="not billed")
"""Of a request that the vendor refused with an error status: no vendor charges for those."""


class Prices:
    """The prices in force: those of the configuration first, then the list of genai-prices.

    Args:
        own: "provider/model" -> price.
    """

    def __init__(self, own: dict[str, OwnPrice] | None = None) -> None:
        self.own = dict(own or {})
        self._own_version = "own:" + digest({k: v.model_dump(mode="json") for k, v in self.own.items()})[:12]

    def cost(
        self, provider: str, model: str, usage: Usage, *, answered_by: str = "", base_url: str | None = None
    ) -> Cost:
        """Return what a usage costs.

        Args:
            provider: the adapter's name.
            model: the model that was asked.
            usage: inclusive buckets.
            answered_by: the vendor's name of the model that answered, often one with a date.
            base_url: the server's address where it is not the vendor's own; it then tells who the seller is.
        """
        if provider in FREE_PROVIDERS:
            return Cost(usd=Decimal(0), price_version="free")
        names = [name for name in (answered_by, model) if name]
        for name in names:
            own = self.own.get(f"{provider}/{name}")
            if own is not None:
                return Cost(usd=own.of(usage), price_version=self._own_version)
        listed = (_listed(provider, name, usage, base_url) for name in names)
        return next((cost for cost in listed if cost.usd is not None), UNKNOWN)


_SELLERS = {"openai": "openai", "anthropic": "anthropic", "gemini": "google"}


def _listed(provider: str, model: str, usage: Usage, base_url: str | None) -> Cost:
    import genai_prices  # noqa: PLC0415 - its price list is read at the first use

    seller: dict[str, Any] = {"provider_api_url": base_url} if base_url else {"provider_id": _SELLERS.get(provider)}
    try:
        found = genai_prices.calc_price(
            genai_prices.Usage(
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cache_read_tokens=usage.cached_tokens,
                cache_write_tokens=usage.cache_write_tokens,
            ),
            model_ref=model,
            **seller,
        )
    except (LookupError, ValueError):
        return UNKNOWN
    return Cost(usd=found.total_price, price_version=_list_version())


@cache
def _list_version() -> str:
    from importlib.metadata import version  # noqa: PLC0415

    return f"genai-prices {version('genai-prices')}"


def parse_own_prices(text: str, source: str) -> dict[str, OwnPrice]:
    """Read prices from JSON: {"openai/my-model": {"input": "1.25", "output": "10", "cached_input": "0.125"}}.

    Raises:
        SettingsError: every problem in one message.
    """
    hint = f'{PurePath(source).name} must look like {{"openai/my-model": {{"input": "1.25", "output": "10"}}}}, USD.'
    try:
        data = json.loads(text, parse_float=Decimal)
    except (json.JSONDecodeError, InvalidOperation) as error:
        raise SettingsError(f"the prices in {source} are not JSON: {error}", hint=hint) from error
    if not isinstance(data, dict):
        raise SettingsError(f"the prices in {source} are no object", hint=hint)
    prices: dict[str, OwnPrice] = {}
    problems: list[str] = []
    for name, value in data.items():
        if "/" not in name:
            problems.append(f"{name!r} is not of the form provider/model")
            continue
        try:
            prices[name] = OwnPrice.model_validate(value)
        except ValidationError as error:
            problems.extend(f"{name}: {'.'.join(map(str, e['loc']))} {e['msg']}" for e in error.errors())
    if problems:
        raise SettingsError(f"the prices in {source} are wrong: " + "; ".join(problems), hint=hint)
    return prices
