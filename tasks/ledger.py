"""Rows of the ledger, and the way from a stored row back to a completion. Pure but for ids and the time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from botarmy.completion import Completion, CompletionRequest, Usage
from botarmy.errors import ProviderError
from botarmy.pricing import UNKNOWN, Cost
from botarmy.records import LLMCall, Record, digest

COMPLETED = "completed"


class Place(Record):
    """Where a call is made: its project, phase and attempt."""

    project_id: UUID
    phase: str
    attempt: int


def call_key(place: Place, ordinal: int, request: CompletionRequest) -> str:
    """Return the key that makes a repeated call free: the same call of the same attempt has the same one."""
    return digest([str(place.project_id), place.phase, place.attempt, ordinal, request.content_hash])


def completed_row(
    place: Place, ordinal: int, request: CompletionRequest, *, key: str, done: Completion, cost: Cost
) -> LLMCall:
    """Return the row of an answered call."""
    return LLMCall(
        **_common(place, ordinal, request),
        key=key,
        provider=done.provider,
        model=done.model,
        outcome=COMPLETED,
        text=done.text,
        stop_reason=done.stop_reason,
        **_tokens(done.usage),
        cost_usd=cost.usd if done.usage_known else None,
        price_version=cost.price_version if done.usage_known else "",
        latency_s=done.latency_s,
        request_id=done.request_id,
        confidence=done.confidence,
    )


def failed_row(
    place: Place,
    ordinal: int,
    request: CompletionRequest,
    *,
    key: str,
    error: ProviderError,
    provider: str,
    model: str,
    cost: Cost = UNKNOWN,
    latency_s: float = 0.0,
) -> LLMCall:
    """Return the row of a failed try. What it cost is unknown unless the vendor reported its usage."""
    return LLMCall(
        **_common(place, ordinal, request),
        key=key,
        provider=provider,
        model=error.model or model,
        outcome=error.code,
        **_tokens(error.usage or Usage()),
        cost_usd=cost.usd,
        price_version=cost.price_version,
        latency_s=latency_s,
        request_id=error.request_id,
        error=error.message,
    )


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


def _common(place: Place, ordinal: int, request: CompletionRequest) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "project_id": place.project_id,
        "phase": place.phase,
        "attempt": place.attempt,
        "ordinal": ordinal,
        "role": request.role,
        "purpose": request.purpose,
        "created_at": datetime.now(UTC),
    }


def _tokens(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }
