"""Rows of the ledger, and the way from a stored row back to a completion. Pure but for ids and the time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from botarmy.completion import Completion, CompletionRequest, Provider, Usage
from botarmy.errors import BotArmyError, ProviderError, RecordingMissing
from botarmy.pricing import FREE_PROVIDERS, NOT_BILLED, UNKNOWN, Cost, Prices
from botarmy.records import Attempt, LLMCall, Record, digest

COMPLETED = "completed"
CANCELLED = "cancelled"
_FIRST_ERROR_STATUS = 400


class Place(Record):
    """Where a call is made: its project, phase and attempt."""

    project_id: UUID
    phase: str
    attempt: int


class Call(Record):
    """One call of an agent, whoever answers it and after however many tries.

    `request` is as the agent made it; repair turns are not part of what the call is.
    """

    place: Place
    ordinal: int
    request: CompletionRequest

    @property
    def key(self) -> str:
        """The key that makes a repeated call free: the same call of the same attempt has the same one."""
        place = self.place
        return digest([str(place.project_id), place.phase, place.attempt, self.ordinal, self.request.content_hash])


def of_attempt(calls: Iterable[LLMCall], attempt: Attempt) -> tuple[LLMCall, ...]:
    """Return those of a project's calls that one attempt made, in their order."""
    return tuple(call for call in calls if (call.phase, call.attempt) == (attempt.phase, attempt.number))


def opened_row(call: Call, provider: Provider) -> LLMCall:
    """Return the row of a call that is about to be made."""
    return LLMCall(
        id=uuid4(),
        project_id=call.place.project_id,
        phase=call.place.phase,
        attempt=call.place.attempt,
        ordinal=call.ordinal,
        key=call.key,
        role=call.request.role,
        purpose=call.request.purpose,
        provider=provider.name,
        model=provider.model,
        outcome="reserved",
        created_at=datetime.now(UTC),
    )


def completed_row(row: LLMCall, done: Completion, cost: Cost) -> LLMCall:
    """Return the row of an answered call."""
    return row.model_copy(
        update={
            "model": done.model,
            "outcome": COMPLETED,
            "text": done.text,
            "stop_reason": done.stop_reason,
            **_tokens(done.usage),
            "cost_usd": cost.usd,
            "price_version": cost.price_version,
            "latency_s": done.latency_s,
            "request_id": done.request_id,
            "confidence": done.confidence,
        }
    )


def failed_row(row: LLMCall, error: BotArmyError, cost: Cost, latency_s: float) -> LLMCall:
    """Return the row of a failed try."""
    told: dict[str, Any] = {}
    if isinstance(error, ProviderError):
        told = {"model": error.model or row.model, "request_id": error.request_id, **_tokens(error.usage or Usage())}
    return row.model_copy(
        update={
            "outcome": error.code,
            "error": error.message,
            "cost_usd": cost.usd,
            "price_version": cost.price_version,
            "latency_s": latency_s,
            **told,
        }
    )


def cancelled_row(row: LLMCall, latency_s: float) -> LLMCall:
    """Return the row of a call that was broken off here; the vendor may bill it."""
    return row.model_copy(update={"outcome": CANCELLED, "error": "broken off", "latency_s": latency_s})


def cost_of_completion(prices: Prices, provider: Provider, done: Completion) -> Cost:
    """Return what an answer cost; unknown where the vendor reported no usage."""
    if not done.usage_known and not provider.deterministic:
        return UNKNOWN
    return prices.cost(
        provider.name, provider.model, done.usage, answered_by=done.model, base_url=base_url_of(provider)
    )


def cost_of_failure(prices: Prices, provider: Provider, error: BotArmyError) -> Cost:
    """Return what a failed try cost: by its usage if that was reported; nothing where the vendor refused it."""
    if not isinstance(error, ProviderError) or isinstance(error, RecordingMissing):
        return NOT_BILLED
    if provider.name in FREE_PROVIDERS:  # an invalid answer that is replayed was paid when it was recorded
        return prices.cost(provider.name, provider.model, Usage())
    if error.usage is not None:
        base_url = base_url_of(provider)
        return prices.cost(provider.name, provider.model, error.usage, answered_by=error.model, base_url=base_url)
    refused = error.status is not None and error.status >= _FIRST_ERROR_STATUS
    return NOT_BILLED if refused else UNKNOWN


def base_url_of(provider: Provider) -> str | None:
    """Return the address of a server that is not the vendor's own."""
    address: str | None = getattr(provider, "base_url", None)
    return address


def stored_completion(call: LLMCall) -> Completion:
    """Return the completion that a completed row holds."""
    return Completion(
        text=call.text,
        parsed=json.loads(call.text),
        stop_reason=call.stop_reason,
        usage=Usage(
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            cached_tokens=call.cached_tokens,
            reasoning_tokens=call.reasoning_tokens,
        ),
        provider=call.provider,
        model=call.model,
        request_id=call.request_id,
        latency_s=call.latency_s,
        confidence=call.confidence,
    )


def _tokens(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }
