"""From a vendor's reply to an answer, or to the typed error that says why it is none."""

from __future__ import annotations

from typing import Any

from botarmy.completion import Completion
from botarmy.errors import (
    EmptyAnswer,
    Filtered,
    InvalidOutput,
    Refused,
    ToolCallsOnly,
    Truncated,
)
from botarmy.records import canonical_json
from botarmy.schema_compiler import AnswerError, CompiledSchema
from providers.reply import Reply, Stop

_SHOWN = 300  # characters of a refusal that go into the message


def completion_of(reply: Reply, schema: CompiledSchema, *, provider: str, model: str, latency_s: float) -> Completion:
    """Return the validated answer.

    Raises:
        InvalidOutput: or one of its kinds, with the model's text, the problems, and the usage that is to be paid.
    """
    details: dict[str, Any] = {
        "provider": provider,
        "model": reply.model or model,
        "request_id": reply.request_id,
        "usage": reply.usage if reply.usage_known else None,
    }
    _refuse_unusable(reply, details)
    try:
        answer = schema.read(reply.text)
    except AnswerError as error:
        message = f"the answer of {provider} ({model}) does not fit the schema: {error.problems[0]}"
        raise InvalidOutput(message, text=reply.text, problems=error.problems, **details) from error
    return Completion(
        text=canonical_json(answer.parsed),
        parsed=answer.parsed,
        stop_reason=reply.stop.value,
        usage=reply.usage,
        usage_known=reply.usage_known,
        provider=provider,
        model=reply.model or model,
        request_id=reply.request_id,
        latency_s=latency_s,
        confidence=answer.confidence,
    )


def _refuse_unusable(reply: Reply, details: dict[str, Any]) -> None:
    who = f"{details['provider']} ({details['model']})"
    if reply.stop is Stop.refusal or reply.refusal:
        said = (reply.refusal or reply.text)[:_SHOWN]
        raise Refused(
            f"{who} declined to answer" + (f": {said}" if said else ""),
            hint="Reword the brief, or give the role another provider.",
            text=reply.text,
            **details,
        )
    if reply.stop is Stop.filtered:
        raise Filtered(
            f"a safety filter of {who} withheld the answer ({reply.finish})",
            hint="Reword the brief, or give the role another provider.",
            text=reply.text,
            **details,
        )
    if reply.stop is Stop.length:
        raise Truncated(
            f"the answer of {who} was cut off at the limit of its length",
            hint="Raise max_output_tokens, or give the role a model with a larger output.",
            text=reply.text,
            **details,
        )
    if not reply.text.strip():
        if reply.tool_calls:
            names = ", ".join(call.name for call in reply.tool_calls)
            raise ToolCallsOnly(f"{who} called tools ({names}) instead of answering", **details)
        raise EmptyAnswer(f"{who} sent an empty answer ({reply.finish or 'no reason given'})", **details)
