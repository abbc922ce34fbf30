"""Google's Gemini by google-genai, with an API key or on Vertex. The one file that imports that SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botarmy.completion import CompletionRequest, Usage
from botarmy.errors import SettingsError
from botarmy.records import Record
from botarmy.schema_compiler import GEMINI, CompiledSchema
from providers.adapter import CONNECT_TIMEOUT_S, Adapter, Cut, OnText
from providers.faults import Fault, fault_of
from providers.reply import Reply, Stop, ToolCall

_FILTERS = (
    *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "MODEL_ARMOR"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
)
_STOPS = {"STOP": Stop.end, "MAX_TOKENS": Stop.length, **dict.fromkeys(_FILTERS, Stop.filtered)}
_NUMBERED = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
_ROLES = {"user": "user", "assistant": "model"}
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class Vertex(Record):
    """Where and as whom Vertex is used.

    Attributes:
        credentials_file: the service account's JSON file (GOOGLE_APPLICATION_CREDENTIALS).
        project: the Google Cloud project.
        location: e.g. "europe-west4" or "global".
    """

    credentials_file: Path
    project: str
    location: str


class Gemini(Adapter):
    """generateContent with a JSON schema.

    Args:
        model: e.g. "gemini-3-flash-preview".
        api_key: the key; None where Vertex is used.
        vertex: service account, project and location; None where a key is used.
        base_url: another address than the vendor's.
        options: fields to add to every generationConfig, e.g. {"temperature": 0}.
    """

    name = "gemini"
    dialect = GEMINI

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        vertex: Vertex | None = None,
        base_url: str | None = None,
        streaming: bool = True,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, streaming=streaming, secrets=(api_key,) if api_key else ())
        self.base_url = base_url
        self._api_key = api_key
        self._vertex = vertex
        self._options = dict(options or {})

    def body(self, request: CompletionRequest, schema: CompiledSchema) -> dict[str, Any]:
        """Return the wire form; system messages have a place of their own, "assistant" is called "model"."""
        system = "\n\n".join(m.content for m in request.messages if m.role == "system")
        turns = [
            {"role": _ROLES[m.role], "parts": [{"text": m.content}]} for m in request.messages if m.role != "system"
        ]
        return {
            **({"systemInstruction": {"parts": [{"text": system}]}} if system else {}),
            "contents": turns,
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseJsonSchema": schema.wire,
                "maxOutputTokens": request.max_output_tokens,
                **self._options,
            },
        }

    def _connect(self) -> Any:
        try:
            from google import genai  # noqa: PLC0415 - 0.3 s, only when used
        except ImportError as error:
            raise SettingsError(
                "provider gemini needs the package google-genai, which is not installed",
                hint="Install it (make install), or use provider offline, which needs nothing.",
            ) from error
        import httpx2  # noqa: PLC0415 - comes with the SDK

        # The SDK would take aiohttp where that happens to be installed; one transport means one set of errors.
        http_options = genai.types.HttpOptions(
            base_url=self.base_url,
            api_version="v1beta1" if self._vertex else "v1beta",
            httpx_async_client=httpx2.AsyncClient(timeout=httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S)),
        )
        if self._vertex is None:
            return genai.Client(vertexai=False, api_key=self._api_key, http_options=http_options)
        return genai.Client(
            vertexai=True,
            project=self._vertex.project,
            location=self._vertex.location,
            credentials=_credentials(self._vertex.credentials_file),
            http_options=http_options,
        )

    async def _disconnect(self, client: Any) -> None:
        await client.aio.aclose()
        transport = client._api_client._http_options.httpx_async_client  # ours: the SDK leaves it open
        await transport.aclose()

    async def _send(self, client: Any, body: Mapping[str, Any], timeout_s: float) -> Reply:
        arguments = self._arguments(body, timeout_s)
        arguments[
            "config"
        ].should_return_http_response = True  # as it is: the SDK's types know fewer words than servers
        answer = await client.aio.models.generate_content(**arguments)
        return _reply(_object(json.loads(answer.sdk_http_response.body)))

    async def _stream(self, client: Any, body: Mapping[str, Any], timeout_s: float, on_text: OnText) -> Reply:
        parts = _Parts()
        async for chunk in await client.aio.models.generate_content_stream(**self._arguments(body, timeout_s)):
            on_text(parts.add(_plain(chunk)))
        return _reply(parts.whole())

    def _arguments(self, body: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """Return a wire body as the SDK's arguments.

        The wire form is made and tested here, as for the other vendors: extra_body replaces what the SDK would build
        from the placeholder, field by field and whole lists.
        """
        from google.genai import types  # noqa: PLC0415 - loaded already

        options = types.HttpOptions(timeout=max(1, int(timeout_s * 1000)), extra_body=dict(body))
        return {
            "model": self.model,
            "contents": "(replaced)",
            "config": types.GenerateContentConfig(
                http_options=options, automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
            ),
        }

    def _fault(self, error: Exception) -> Fault | None:
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - loaded already
        from google.genai.errors import APIError  # noqa: PLC0415

        if isinstance(error, GoogleAuthError):
            return _fault_of_sign_in(error)
        if not isinstance(error, APIError):
            return None
        return fault_of(error.code or None, error.details, getattr(error.response, "headers", None) or {})


def _credentials(file: Path) -> Any:
    from google.oauth2 import service_account  # noqa: PLC0415 - only on Vertex

    credentials: Any = service_account.Credentials  # the package has no types
    try:
        return credentials.from_service_account_file(str(file), scopes=[_SCOPE])
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"GOOGLE_APPLICATION_CREDENTIALS names {file}, which is no service account's key file",
            hint="Download the JSON key of a service account that may use Vertex AI, or set GEMINI_API_KEY.",
        ) from error


def _fault_of_sign_in(error: Exception) -> Fault | None:
    """A service account that cannot sign in has a wrong key, unless the network is at fault."""
    from google.auth.exceptions import TransportError  # noqa: PLC0415

    if isinstance(error, TransportError):
        return None
    return fault_of(401, {"error": {"message": f"the service account could not sign in: {error.args[:1]}"}}, {})


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise json.JSONDecodeError("the reply is no JSON object", str(value)[:200], 0)
    return value


def _plain(answer: Any) -> dict[str, Any]:
    fields: dict[str, Any] = answer.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"sdk_http_response", "parsed"}
    )
    return fields


class _Parts:
    """Collects the chunks of a stream into the form of an unstreamed answer."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._parts: list[dict[str, Any]] = []
        self._finish: str | None = None

    def add(self, chunk: dict[str, Any]) -> int:
        """Take a chunk; return how many characters of text it brought. Its counts are totals, not additions."""
        self._head.update({key: value for key, value in chunk.items() if key != "candidates"})
        candidate = (chunk.get("candidates") or [{}])[0]
        parts = (candidate.get("content") or {}).get("parts") or []
        self._parts += parts
        self._finish = candidate.get("finishReason") or self._finish
        return len(_text(parts))

    def whole(self) -> dict[str, Any]:
        """Return the answer.

        Raises:
            Cut: no chunk brought a finish reason, and the prompt was not blocked either.
        """
        if self._finish is None and not (self._head.get("promptFeedback") or {}).get("blockReason"):
            raise Cut
        candidate = {"content": {"parts": self._parts}, "finishReason": self._finish}
        return {**self._head, "candidates": [candidate]}


def _text(parts: list[dict[str, Any]]) -> str:
    return "".join(part.get("text") or "" for part in parts if not part.get("thought"))


def _reply(answer: dict[str, Any]) -> Reply:
    candidate = (answer.get("candidates") or [{}])[0]
    parts = (candidate.get("content") or {}).get("parts") or []
    blocked = (answer.get("promptFeedback") or {}).get("blockReason") or ""
    finish = _word(candidate.get("finishReason")) or blocked
    calls = tuple(_call(part["functionCall"]) for part in parts if part.get("functionCall"))
    usage = answer.get("usageMetadata")
    return Reply(
        text=_text(parts),
        tool_calls=calls,
        hosted_calls=tuple(_hosted(part["executableCode"]) for part in parts if part.get("executableCode")),
        stop=Stop.filtered if blocked else _stop(finish, calls),
        finish=finish,
        usage=_usage(usage or {}),
        usage_known=bool(usage),
        model=answer.get("modelVersion") or "",
        request_id=answer.get("responseId") or "",
    )


def _word(finish: str | int | None) -> str:
    """Return the stop word; gateways that encode enums as numbers agree on the first five."""
    return _NUMBERED.get(finish, str(finish)) if isinstance(finish, int) else finish or ""


def _stop(finish: str, calls: tuple[ToolCall, ...]) -> Stop:
    if finish == "STOP" and calls:
        return Stop.tool_calls
    return _STOPS.get(finish, Stop.other)


def _call(call: dict[str, Any]) -> ToolCall:
    return ToolCall(id=call.get("id") or "", name=call.get("name") or "", arguments=call.get("args") or {})


def _hosted(code: dict[str, Any]) -> ToolCall:
    return ToolCall(id=code.get("id") or "", name="code_execution", arguments=code.get("code"))


def _usage(usage: dict[str, Any]) -> Usage:
    """Add up: the vendor counts thoughts beside the answer, and what tools brought in beside the prompt."""
    thoughts = usage.get("thoughtsTokenCount") or 0
    return Usage(
        input_tokens=(usage.get("promptTokenCount") or 0) + (usage.get("toolUsePromptTokenCount") or 0),
        output_tokens=(usage.get("candidatesTokenCount") or 0) + thoughts,
        cached_tokens=usage.get("cachedContentTokenCount") or 0,
        reasoning_tokens=thoughts,
    )
