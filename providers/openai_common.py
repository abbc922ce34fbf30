"""The client and the exceptions that OpenAI's two APIs share."""

from __future__ import annotations

import re
from typing import Any

from botarmy.errors import SettingsError
from providers.faults import Fault, fault_of

CONNECT_TIMEOUT_S = 10.0


def connect(api_key: str, base_url: str | None) -> Any:
    """Return a client without retries of its own; proxies and certificates come from the environment."""
    try:
        from openai import AsyncOpenAI  # noqa: PLC0415 - 0.4 s, only when used
    except ImportError as error:
        raise SettingsError(
            "provider openai needs the package openai, which is not installed",
            hint="Install it (make install), or use provider offline, which needs nothing.",
        ) from error
    # The SDK reads an organisation and project from the environment by itself.
    return AsyncOpenAI(api_key=api_key, base_url=base_url, max_retries=0)


async def disconnect(client: Any) -> None:
    """Close the client's connections."""
    await client.close()


def request_timeout(timeout_s: float) -> dict[str, Any]:
    """Return the SDK's request options: the deadline counts for reading, connecting has its own limit."""
    import httpx2  # noqa: PLC0415 - comes with the SDK

    return {"timeout": httpx2.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S))}


def fault_of_openai(error: Exception) -> Fault | None:
    """Return what an exception of the SDK says about the reply; None where there was no reply."""
    import openai  # noqa: PLC0415 - loaded already: it raised the exception

    if isinstance(error, openai.APIStatusError):
        body = error.body if error.body is not None else error.response.text
        return fault_of(error.status_code, body, error.response.headers, error.request_id or "")
    if isinstance(error, openai.APIConnectionError | openai.APIResponseValidationError):
        return None
    if isinstance(error, openai.APIError):  # an error event inside a stream
        return fault_of(None, error.body or {"message": error.message}, {})
    return None


def schema_name(purpose: str) -> str:
    """Return the purpose as a name that the API accepts: letters, digits, _ and -, at most 64."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", purpose)[:64] or "answer"
