"""One table from HTTP status and vendor code to the error tree; the adapters only find out status, code and headers."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from botarmy.errors import (
    AuthenticationFailed,
    BadRequest,
    ConnectionFailed,
    ContextTooLong,
    Filtered,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    ProviderTimeout,
    QuotaExhausted,
    RateLimited,
    ServerFault,
    UnknownFailure,
)
from botarmy.records import Record
from botarmy.redact import redact
from botarmy.retry_after import retry_after_seconds

_MESSAGE_LIMIT = 500
_BY_STATUS: dict[int, type[ProviderError]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: PermissionDenied,
    404: NotFound,
    405: NotFound,
    408: ProviderTimeout,
    409: ServerFault,  # OpenAI: "try again after a brief wait"
    413: ContextTooLong,
    415: BadRequest,
    422: BadRequest,
    425: ServerFault,
    429: RateLimited,
    503: Overloaded,
    504: ProviderTimeout,
    529: Overloaded,
}
_QUOTA_WORDS = ("insufficient_quota", "billing_hard_limit_reached", "credit balance is too low", "perday", "per day")
_CONTEXT_WORDS = (
    *(
        "context_length_exceeded",
        "maximum context length",
        "prompt is too long",
        "exceeds the maximum number of tokens",
    ),
    *("exceed context limit", "exceeds the available context size", "input is too long", "request_too_large"),
)
_KEY_WORDS = ("api_key_invalid", "api key not valid", "invalid_api_key", "api key expired")
_FILTER_WORDS = ("content_filter", "content_policy_violation", "responsibleaipolicyviolation", "cyber_policy")
_OVERLOAD_WORDS = ("overloaded_error", "server_is_overloaded", "slow_down", "model is overloaded")
_RATE_WORDS = ("rate_limit_error", "rate_limit_exceeded")
_HINTS: dict[type[ProviderError], str] = {
    AuthenticationFailed: "Check the key of this provider (botarmy doctor), or use provider offline, which needs none.",
    PermissionDenied: "Ask for access to this model, or give the role another model.",
    NotFound: "Check the name of the model and the base address.",
    QuotaExhausted: "Add credit or raise the quota with the vendor, or give the role another provider.",
    ContextTooLong: "Shorten the brief, or give the role a model with a larger context.",
    ConnectionFailed: "Check the network and the base address.",
    BadRequest: "Check that the model takes structured output and this many output tokens.",
}


class Fault(Record):
    """An error reply of a vendor.

    Attributes:
        status: HTTP status; None where the error came inside a stream.
        codes: all that the vendor calls it: code, type, status word.
        message: the vendor's sentence.
    """

    status: int | None
    codes: tuple[str, ...] = ()
    message: str = ""
    headers: Mapping[str, str]
    body: Any = None
    request_id: str = ""


def fault_of(status: int | None, body: Any, headers: Mapping[str, str], request_id: str = "") -> Fault:
    """Read an error body of any vendor: {"error": {"code", "type", "status", "message", "details"}}, or without it."""
    if isinstance(body, list):  # Google's streams
        body = body[0] if body else None
    error = body.get("error", body) if isinstance(body, dict) else {}
    fields = error if isinstance(error, dict) else {"message": str(error)}
    codes = tuple(str(fields[key]) for key in ("code", "type", "status") if fields.get(key))
    message = str(fields.get("message") or (body if isinstance(body, str) else ""))
    return Fault(
        status=status, codes=codes, message=message, headers=dict(headers), body=_jsonable(body), request_id=request_id
    )


def _jsonable(body: Any) -> Any:
    return body if isinstance(body, dict | list | str) else None


def error_of(fault: Fault, *, provider: str, model: str, secrets: Iterable[str]) -> ProviderError:
    """Return the error of our tree for a vendor's error reply, with secrets masked."""
    kind = _kind(fault)
    text = redact(" ".join(fault.message.split()), secrets)[:_MESSAGE_LIMIT]
    status = f"status {fault.status}" if fault.status else "an error in the stream"
    return kind(
        f"{provider} ({model}) answered with {status}" + (f": {text}" if text else ""),
        hint=_HINTS.get(kind, ""),
        provider=provider,
        model=model,
        status=fault.status,
        request_id=fault.request_id,
        retry_after=retry_after_seconds(fault.headers, fault.body, datetime.now(UTC)),
    )


def _kind(fault: Fault) -> type[ProviderError]:
    """Words before numbers: vendors put an exhausted quota under 429 and a wrong key or a long prompt under 400."""
    words = " ".join((*fault.codes, fault.message, json.dumps(_details(fault.body)))).lower()
    client_fault = fault.status is None or fault.status < 500  # noqa: PLR2004 - HTTP's border
    if client_fault:
        for kind, marks in _MARKS:
            if any(mark in words for mark in marks):
                return kind
    if any(mark in words for mark in _OVERLOAD_WORDS):
        return Overloaded
    if fault.status is None:
        return ServerFault
    return _BY_STATUS.get(fault.status, ServerFault if fault.status >= 500 else UnknownFailure)  # noqa: PLR2004


_MARKS: tuple[tuple[type[ProviderError], tuple[str, ...]], ...] = (
    (QuotaExhausted, _QUOTA_WORDS),
    (ContextTooLong, _CONTEXT_WORDS),
    (AuthenticationFailed, _KEY_WORDS),
    (Filtered, _FILTER_WORDS),
    (RateLimited, _RATE_WORDS),
)


def _details(body: Any) -> Any:
    error = body.get("error", body) if isinstance(body, dict) else None
    return error.get("details") if isinstance(error, dict) else None


def transport_error(error: BaseException, *, provider: str, model: str, secrets: Iterable[str]) -> ProviderError:
    """Return the error of our tree for whatever else went wrong: network, TLS, a body that is no JSON, the unexpected.

    `error` may wrap the cause; the whole chain is looked at.
    """
    kind = next((kind for kind in map(_transport_kind, _chain(error)) if kind), UnknownFailure)
    text = redact(" ".join(str(error).split()), secrets)[:_MESSAGE_LIMIT]
    sentences: dict[type[ProviderError], str] = {
        ProviderTimeout: "did not answer in time",
        ConnectionFailed: "could not be reached, or the connection was lost",
        ServerFault: "sent what is no valid reply",
    }
    words = sentences.get(kind, "failed in an unexpected way")
    return kind(
        f"{provider} ({model}) {words}: {type(error).__name__}" + (f": {text}" if text else ""),
        hint=_HINTS.get(kind, ""),
        provider=provider,
        model=model,
    )


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain


def _transport_kind(error: BaseException) -> type[ProviderError] | None:
    import httpx2  # noqa: PLC0415 - loaded by the SDK that raised this

    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return ProviderTimeout
    if isinstance(error, httpx2.DecodingError | json.JSONDecodeError | UnicodeDecodeError):
        return ServerFault
    if isinstance(error, httpx2.TransportError | OSError | ssl.SSLError):
        return ConnectionFailed
    return None
