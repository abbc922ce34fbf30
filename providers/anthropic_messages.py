"""Anthropic's messages. The one file that imports the anthropic SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botarmy.completion import CompletionRequest, Usage
from botarmy.errors import SettingsError
from botarmy.schema_compiler import ANTHROPIC, CompiledSchema
from providers.adapter import CONNECT_TIMEOUT_S, Cut, KeyedAdapter, OnText
from providers.faults import Fault, fault_of
from providers.reply import Reply, Stop, ToolCall
from providers.wire import decoded, plain

_STOPS = {
    "end_turn": Stop.end,
    "stop_sequence": Stop.stop_sequence,
    "max_tokens": Stop.length,
    "model_context_window_exceeded": Stop.length,
    "tool_use": Stop.tool_calls,
    "refusal": Stop.refusal,
}


class AnthropicMessages(KeyedAdapter):
    """Messages with native structured output.

    Args:
        model: e.g. "claude-sonnet-4-5".
        api_key: the key.
        base_url: another address than the vendor's.
        options: fields to add to every request, e.g. {"temperature": 0}.
    """

    name = "anthropic"
    dialect = ANTHROPIC

    def body(self, request: CompletionRequest, schema: CompiledSchema) -> dict[str, Any]:
        """Return the wire form; system messages have a place of their own."""
        system = "\n\n".join(m.content for m in request.messages if m.role == "system")
        turns = [{"role": m.role, "content": m.content} for m in request.messages if m.role != "system"]
        return {
            "model": self.model,
            "max_tokens": request.max_output_tokens,
            **({"system": system} if system else {}),
            "messages": turns,
            "output_config": {"format": {"type": "json_schema", "schema": schema.wire}},
            **self._options,
        }

    def _connect(self) -> Any:
        try:
            from anthropic import AsyncAnthropic  # noqa: PLC0415 - a second, only when used
        except ImportError as error:
            raise SettingsError(
                "provider anthropic needs the package anthropic, which is not installed",
                hint="Install it (make install), or use provider offline, which needs nothing.",
            ) from error
        return AsyncAnthropic(api_key=self._api_key, base_url=self.base_url, max_retries=0)

    async def _disconnect(self, client: Any) -> None:
        await client.close()

    async def _send(self, client: Any, body: Mapping[str, Any], timeout_s: float) -> Reply:
        from anthropic.types import Message  # noqa: PLC0415

        # `post` rather than `messages.create`: that one refuses long answers that are not streamed.
        answer = await client.post("/v1/messages", body=dict(body), cast_to=Message, options=_timeout(timeout_s))
        return _reply(plain(answer), answer._request_id or "")

    async def _stream(self, client: Any, body: Mapping[str, Any], timeout_s: float, on_text: OnText) -> Reply:
        from anthropic import AsyncStream  # noqa: PLC0415
        from anthropic.types import RawMessageStreamEvent  # noqa: PLC0415

        stream = await client.post(
            "/v1/messages",
            body={**body, "stream": True},
            cast_to=RawMessageStreamEvent,
            options=_timeout(timeout_s),
            stream=True,
            stream_cls=AsyncStream[RawMessageStreamEvent],
        )
        request_id = stream.response.headers.get("request-id", "")
        parts = _Parts()
        async with stream:
            async for event in stream:
                on_text(parts.add(plain(event)))
        return _reply(parts.whole(), request_id)

    def _fault(self, error: Exception) -> Fault | None:
        import anthropic  # noqa: PLC0415 - loaded already: it raised the exception

        if not isinstance(error, anthropic.APIStatusError):
            return None
        body = error.body if error.body is not None else error.response.text
        # An error event inside a stream comes under the stream's own status, 200.
        status = None if error.status_code < 400 else error.status_code  # noqa: PLR2004 - HTTP's border
        return fault_of(status, body, error.response.headers, error.request_id or "")


def _timeout(timeout_s: float) -> dict[str, Any]:
    import httpx2  # noqa: PLC0415 - comes with the SDK

    return {"timeout": httpx2.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S))}


class _Parts:
    """Collects the events of a stream into the form of an unstreamed message."""

    def __init__(self) -> None:
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._finish: str | None = None
        self._usage: dict[str, Any] = {}

    def add(self, event: dict[str, Any]) -> int:
        """Take an event; return how many characters of text it brought."""
        kind = event.get("type")
        if kind == "message_start":
            self._message = event.get("message") or {}
            self._count(self._message.get("usage"))
        elif kind == "content_block_start":
            self._blocks[event["index"]] = {**event["content_block"], "json": ""}
        elif kind == "content_block_delta":
            return self._add_delta(
                self._blocks.setdefault(event["index"], {"type": "text", "json": ""}), event["delta"]
            )
        elif kind == "message_delta":
            self._finish = (event.get("delta") or {}).get("stop_reason") or self._finish
            self._count(event.get("usage"))
        return 0

    def _count(self, usage: dict[str, Any] | None) -> None:
        # The counts of later events are totals, not additions; what they leave out stays as it was.
        self._usage.update({key: value for key, value in (usage or {}).items() if value is not None})

    @staticmethod
    def _add_delta(block: dict[str, Any], delta: dict[str, Any]) -> int:
        if delta.get("type") == "text_delta":
            block["text"] = block.get("text", "") + delta["text"]
            return len(delta["text"])
        if delta.get("type") == "input_json_delta":
            block["json"] += delta["partial_json"]
        return 0

    def whole(self) -> dict[str, Any]:
        """Return the message.

        Raises:
            Cut: no event brought a stop reason.
        """
        if self._finish is None:
            raise Cut
        content = [_finished(block) for _, block in sorted(self._blocks.items())]
        return {**self._message, "content": content, "stop_reason": self._finish, "usage": self._usage}


def _finished(block: dict[str, Any]) -> dict[str, Any]:
    written = block.pop("json")
    return {**block, "input": decoded(written)} if written else block


def _reply(message: dict[str, Any], request_id: str) -> Reply:
    blocks = message.get("content") or []
    finish = message.get("stop_reason") or ""
    usage = message.get("usage")
    return Reply(
        text="".join(block.get("text") or "" for block in blocks if block.get("type") == "text"),
        tool_calls=_calls(blocks, "tool_use"),
        hosted_calls=_calls(blocks, "server_tool_use"),
        stop=_STOPS.get(finish, Stop.other),
        finish=finish,
        usage=_usage(usage or {}),
        usage_known=bool(usage),
        model=message.get("model") or "",
        request_id=request_id or message.get("id") or "",
    )


def _calls(blocks: list[dict[str, Any]], kind: str) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(id=block.get("id") or "", name=block.get("name") or "", arguments=block.get("input"))
        for block in blocks
        if block.get("type") == kind
    )


def _usage(usage: dict[str, Any]) -> Usage:
    """Add up the input: the vendor counts cached and cache-written tokens beside it."""
    cached = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    return Usage(
        input_tokens=(usage.get("input_tokens") or 0) + cached + written,
        output_tokens=usage.get("output_tokens") or 0,
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=(usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0,
    )
