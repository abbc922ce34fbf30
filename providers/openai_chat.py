"""OpenAI's chat completions, and every server that speaks them: vLLM, llama.cpp, Ollama, gateways.

The one file that imports the SDK for this API. Answers are asked for by the strict schema mode; a server behind
another base address may enforce it or not, so it is also told the schema in words, and the answer is validated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botarmy.completion import CompletionRequest, Usage
from botarmy.records import canonical_json
from botarmy.schema_compiler import OPENAI, CompiledSchema
from providers.adapter import Cut, KeyedAdapter, OnText
from providers.faults import Fault
from providers.openai_common import connect, disconnect, fault_of_openai, request_timeout, schema_name
from providers.reply import Reply, Stop, ToolCall
from providers.wire import decoded, plain

_STOPS = {
    "stop": Stop.end,
    "length": Stop.length,
    "tool_calls": Stop.tool_calls,
    "function_call": Stop.tool_calls,
    "content_filter": Stop.filtered,
}


class OpenAIChat(KeyedAdapter):
    """Chat completions.

    Args:
        model: e.g. "gpt-5.2", or whatever the server calls it.
        api_key: the key; a server of one's own may take any.
        base_url: the server's address with /v1; None for the vendor's own.
        options: fields to add to every request, e.g. {"temperature": 0}.
    """

    name = "openai"
    dialect = OPENAI

    def body(self, request: CompletionRequest, schema: CompiledSchema) -> dict[str, Any]:
        """Return the wire form; the vendor's own servers want the newer name of the output limit."""
        limit = "max_tokens" if self.base_url else "max_completion_tokens"
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        if self.base_url:
            messages = _with_schema_in_words(messages, schema)
        return {
            "model": self.model,
            "messages": messages,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": schema_name(request.purpose), "schema": schema.wire, "strict": True},
            },
            limit: request.max_output_tokens,
            **self._options,
        }

    def _connect(self) -> Any:
        return connect(self._api_key, self.base_url)

    async def _disconnect(self, client: Any) -> None:
        await disconnect(client)

    async def _send(self, client: Any, body: Mapping[str, Any], timeout_s: float) -> Reply:
        from openai.types.chat import ChatCompletion  # noqa: PLC0415 - the SDK costs 0.4 s, only when used

        answer = await client.post(
            "/chat/completions", body=dict(body), cast_to=ChatCompletion, options=request_timeout(timeout_s)
        )
        return _reply(plain(answer), answer._request_id or "")

    async def _stream(self, client: Any, body: Mapping[str, Any], timeout_s: float, on_text: OnText) -> Reply:
        from openai import AsyncStream  # noqa: PLC0415
        from openai.types.chat import ChatCompletionChunk  # noqa: PLC0415

        stream = await client.post(
            "/chat/completions",
            body={"stream_options": {"include_usage": True}, **body, "stream": True},
            cast_to=ChatCompletionChunk,
            options=request_timeout(timeout_s),
            stream=True,
            stream_cls=AsyncStream[ChatCompletionChunk],
        )
        request_id = stream.response.headers.get("x-request-id", "")
        parts = _Parts()
        async with stream:
            async for chunk in stream:
                on_text(parts.add(plain(chunk)))
        return _reply(parts.whole(), request_id)

    def _fault(self, error: Exception) -> Fault | None:
        return fault_of_openai(error)


def _with_schema_in_words(messages: list[dict[str, str]], schema: CompiledSchema) -> list[dict[str, str]]:
    words = f"Answer with one JSON object, and nothing else, that fits this JSON schema:\n{canonical_json(schema.wire)}"
    if messages and messages[0]["role"] == "system":
        return [{"role": "system", "content": f"{messages[0]['content']}\n\n{words}"}, *messages[1:]]
    return [{"role": "system", "content": words}, *messages]


class _Parts:
    """Collects the chunks of a stream into the form of an unstreamed answer."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._finish: str | None = None
        self._usage: dict[str, Any] | None = None

    def add(self, chunk: dict[str, Any]) -> int:
        """Take a chunk; return how many characters of text it brought."""
        self._head = {**self._head, **{key: chunk[key] for key in ("id", "model") if chunk.get(key)}}
        self._usage = chunk.get("usage") or self._usage
        choice = next((choice for choice in chunk.get("choices") or () if not choice.get("index")), None)
        if choice is None:
            return 0
        self._finish = choice.get("finish_reason") or self._finish
        delta = choice.get("delta") or {}
        text = delta.get("content") or ""
        self._text.append(text)
        self._refusal.append(delta.get("refusal") or "")
        for position, call in enumerate(delta.get("tool_calls") or ()):
            self._add_call(call, position)
        return len(text)

    def _add_call(self, call: dict[str, Any], position: int) -> None:
        kept = self._calls.setdefault(call.get("index", position), {"id": "", "name": "", "arguments": ""})
        function = call.get("function") or {}
        kept["id"] = call.get("id") or kept["id"]
        kept["name"] = function.get("name") or kept["name"]
        kept["arguments"] += function.get("arguments") or ""

    def whole(self) -> dict[str, Any]:
        """Return the answer.

        Raises:
            Cut: no chunk brought a finish reason.
        """
        if self._finish is None:
            raise Cut
        calls = [
            {"id": call["id"], "function": {"name": call["name"], "arguments": call["arguments"]}}
            for _, call in sorted(self._calls.items())
        ]
        message = {"content": "".join(self._text), "refusal": "".join(self._refusal), "tool_calls": calls}
        return {
            **self._head,
            "choices": [{"index": 0, "finish_reason": self._finish, "message": message}],
            "usage": self._usage,
        }


def _reply(answer: dict[str, Any], request_id: str) -> Reply:
    choices = answer.get("choices") or [{}]
    message = choices[0].get("message") or {}
    finish = choices[0].get("finish_reason") or ""
    usage = answer.get("usage")
    return Reply(
        text=message.get("content") or "",
        refusal=message.get("refusal") or "",
        tool_calls=tuple(_tool_call(call) for call in message.get("tool_calls") or ()),
        stop=_STOPS.get(finish, Stop.other),
        finish=finish,
        usage=_usage(usage or {}),
        usage_known=bool(usage),
        model=answer.get("model") or "",
        request_id=request_id or answer.get("id") or "",
    )


def _tool_call(call: dict[str, Any]) -> ToolCall:
    function = call.get("function") or call.get("custom") or {}
    arguments = function.get("arguments", function.get("input"))
    return ToolCall(id=call.get("id") or "", name=function.get("name") or "", arguments=decoded(arguments))


def _usage(usage: dict[str, Any]) -> Usage:
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    return Usage(
        input_tokens=usage.get("prompt_tokens") or 0,
        output_tokens=usage.get("completion_tokens") or 0,
        cached_tokens=prompt.get("cached_tokens") or 0,
        cache_write_tokens=prompt.get("cache_write_tokens") or 0,
        reasoning_tokens=completion.get("reasoning_tokens") or 0,
    )
