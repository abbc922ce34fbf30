"""OpenAI's responses: the vendor's own servers are asked this way, other servers by chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botarmy.completion import CompletionRequest, Usage
from botarmy.schema_compiler import OPENAI, CompiledSchema
from providers.adapter import Cut, KeyedAdapter, OnText
from providers.faults import Fault, fault_of
from providers.openai_common import connect, disconnect, fault_of_openai, request_timeout, schema_name
from providers.reply import Reply, Stop, ToolCall
from providers.wire import decoded, plain

_INCOMPLETE = {"max_output_tokens": Stop.length, "content_filter": Stop.filtered}
_FINAL_EVENTS = frozenset({"response.completed", "response.incomplete", "response.failed"})


class Failed(Exception):
    """The vendor reports a failure inside a reply of status 200."""

    def __init__(self, error: dict[str, Any], request_id: str) -> None:
        super().__init__(error.get("message") or "failed")
        self.error = error
        self.request_id = request_id


class OpenAIResponses(KeyedAdapter):
    """The responses API; nothing is stored at the vendor.

    Args:
        model: e.g. "gpt-5.2".
        api_key: the key.
        base_url: another address than the vendor's.
        options: fields to add to every request, e.g. {"reasoning": {"effort": "low"}}.
    """

    name = "openai"
    dialect = OPENAI

    def body(self, request: CompletionRequest, schema: CompiledSchema) -> dict[str, Any]:
        """Return the wire form."""
        return {
            "model": self.model,
            "input": [{"role": message.role, "content": message.content} for message in request.messages],
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": schema_name(request.purpose),
                    "schema": schema.wire,
                    "strict": True,
                }
            },
            "max_output_tokens": request.max_output_tokens,
            "store": False,
            **self._options,
        }

    def _connect(self) -> Any:
        return connect(self._api_key, self.base_url)

    async def _disconnect(self, client: Any) -> None:
        await disconnect(client)

    async def _send(self, client: Any, body: Mapping[str, Any], timeout_s: float) -> Reply:
        from openai.types.responses import Response  # noqa: PLC0415 - the SDK costs 0.4 s, only when used

        answer = await client.post("/responses", body=dict(body), cast_to=Response, options=request_timeout(timeout_s))
        return _reply(plain(answer), answer._request_id or "")

    async def _stream(self, client: Any, body: Mapping[str, Any], timeout_s: float, on_text: OnText) -> Reply:
        from openai import AsyncStream  # noqa: PLC0415
        from openai.types.responses import ResponseStreamEvent  # noqa: PLC0415

        stream = await client.post(
            "/responses",
            body={**body, "stream": True},
            cast_to=ResponseStreamEvent,
            options=request_timeout(timeout_s),
            stream=True,
            stream_cls=AsyncStream[ResponseStreamEvent],
        )
        request_id = stream.response.headers.get("x-request-id", "")
        async with stream:
            async for event in stream:
                kind = getattr(event, "type", "")
                if kind == "response.output_text.delta":
                    on_text(len(event.delta))
                elif kind == "error":
                    raise Failed(plain(event), request_id)
                elif kind in _FINAL_EVENTS:
                    return _reply(plain(event)["response"], request_id)
        raise Cut

    def _fault(self, error: Exception) -> Fault | None:
        if isinstance(error, Failed):
            return fault_of(None, {"error": error.error}, {}, error.request_id)
        return fault_of_openai(error)


def _reply(response: dict[str, Any], request_id: str) -> Reply:
    if response.get("status") == "failed":
        raise Failed(response.get("error") or {}, request_id or response.get("id") or "")
    items = response.get("output") or []
    parts = [part for item in items if item.get("type") == "message" for part in item.get("content") or ()]
    calls = tuple(_tool_call(item) for item in items if item.get("type") in {"function_call", "custom_tool_call"})
    usage = response.get("usage")
    return Reply(
        text="".join(part.get("text") or "" for part in parts if part.get("type") == "output_text"),
        refusal="".join(part.get("refusal") or "" for part in parts if part.get("type") == "refusal"),
        tool_calls=calls,
        hosted_calls=tuple(_hosted_call(item) for item in items if _is_hosted(item.get("type") or "")),
        stop=_stop(response, calls),
        finish=response.get("status") or "",
        usage=_usage(usage or {}),
        usage_known=bool(usage),
        model=response.get("model") or "",
        request_id=request_id or response.get("id") or "",
    )


def _stop(response: dict[str, Any], calls: tuple[ToolCall, ...]) -> Stop:
    status = response.get("status")
    if status == "completed":
        return Stop.tool_calls if calls else Stop.end
    if status == "incomplete":
        return _INCOMPLETE.get((response.get("incomplete_details") or {}).get("reason") or "", Stop.other)
    return Stop.other


def _tool_call(item: dict[str, Any]) -> ToolCall:
    return ToolCall(
        id=item.get("call_id") or item.get("id") or "",
        name=item.get("name") or "",
        arguments=decoded(item.get("arguments", item.get("input"))),
    )


def _is_hosted(kind: str) -> bool:
    return kind.endswith("_call") and kind not in {"function_call", "custom_tool_call"}


def _hosted_call(item: dict[str, Any]) -> ToolCall:
    told = item.get("arguments", item.get("action", item.get("code")))
    return ToolCall(id=item.get("id") or "", name=item.get("name") or item["type"], arguments=decoded(told))


def _usage(usage: dict[str, Any]) -> Usage:
    given = usage.get("input_tokens_details") or {}
    made = usage.get("output_tokens_details") or {}
    return Usage(
        input_tokens=usage.get("input_tokens") or 0,
        output_tokens=usage.get("output_tokens") or 0,
        cached_tokens=given.get("cached_tokens") or 0,
        cache_write_tokens=given.get("cache_write_tokens") or 0,
        reasoning_tokens=made.get("reasoning_tokens") or 0,
    )
