"""How each vendor's server speaks: answers, streams and errors in its wire form, for tests beside fake_server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

from providers.adapter import Adapter
from providers.anthropic_messages import AnthropicMessages
from providers.fake_server import Say, events
from providers.gemini import Gemini
from providers.openai_chat import OpenAIChat
from providers.openai_responses import OpenAIResponses

Ending = Literal["end", "length", "refusal", "filtered", "tools", "unfinished"]
CANARY = "sk-canary-0123456789abcdefghij"
"""The key that the adapters made here use; it must be seen nowhere but in the request's header."""


def _sse(*items: Any) -> Say:
    ids = {"x-request-id": "req_1", "request-id": "req_1"}  # OpenAI's header and Anthropic's
    return Say(body=events(*items), headers={"content-type": "text/event-stream", **ids})


class Voice(ABC):
    """One vendor's way to speak. Usage is always 20 input (4 cached) and 9 output tokens (3 reasoning)."""

    name: str

    @abstractmethod
    def adapter(self, url: str, *, streaming: bool) -> Adapter:
        """Return the adapter against a server at that address."""

    @abstractmethod
    def answer(self, text: str, ending: Ending = "end") -> Say:
        """Return an answer in one piece."""

    @abstractmethod
    def streamed(self, text: str, ending: Ending = "end") -> Say:
        """Return the same answer as a stream; "unfinished" leaves the stop reason and all after it out."""

    @abstractmethod
    def error(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Say:
        """Return an error reply."""

    @abstractmethod
    def error_in_stream(self, code: str, message: str) -> Say:
        """Return a stream that begins well and then tells an error."""

    def say(self, text: str, ending: Ending = "end", *, streaming: bool) -> Say:
        """Return the answer in the form that was asked for."""
        return self.streamed(text, ending) if streaming else self.answer(text, ending)


class ChatVoice(Voice):
    """OpenAI's chat completions."""

    name = "openai chat"
    _FINISH: ClassVar[dict[str, str]] = {"length": "length", "filtered": "content_filter", "tools": "tool_calls"}
    _USAGE: ClassVar[dict[str, Any]] = {
        "prompt_tokens": 20,
        "completion_tokens": 9,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    _CALL: ClassVar[dict[str, Any]] = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{}"}}

    def adapter(self, url: str, *, streaming: bool) -> Adapter:
        """Return the adapter."""
        return OpenAIChat("gpt-test", api_key=CANARY, base_url=f"{url}/v1", streaming=streaming)

    def _message(self, text: str, ending: Ending) -> dict[str, Any]:
        if ending == "refusal":
            return {"role": "assistant", "content": None, "refusal": text}
        if ending == "tools":
            return {"role": "assistant", "content": text or None, "tool_calls": [self._CALL]}
        return {"role": "assistant", "content": text}

    def answer(self, text: str, ending: Ending = "end") -> Say:
        """Return an answer in one piece."""
        finish = None if ending == "unfinished" else self._FINISH.get(ending, "stop")
        choice = {"index": 0, "finish_reason": finish, "message": self._message(text, ending)}
        body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-test-1", "choices": [choice]}
        return Say(body={**body, "usage": self._USAGE}, headers={"x-request-id": "req_1"})

    def streamed(self, text: str, ending: Ending = "end") -> Say:
        """Return a stream of chunks."""
        head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-test-1"}

        def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
            return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

        message = self._message(text, ending)
        if ending == "tools":
            message["tool_calls"] = [{**self._CALL, "index": 0}]
        content = message.pop("content", None) or ""
        parts = [chunk(message), *(chunk({"content": part}) for part in _parts(content))]
        if ending != "unfinished":
            usage = {**head, "choices": [], "usage": self._USAGE}
            parts += [chunk({}, self._FINISH.get(ending, "stop")), usage]
            return _sse(*parts, "[DONE]")
        return _sse(*parts)

    def error(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Say:
        """Return an error reply."""
        body = {"error": {"message": message, "type": code, "param": None, "code": code}}
        return Say(status, body, {"x-request-id": "req_1", **(headers or {})})

    def error_in_stream(self, code: str, message: str) -> Say:
        """Return a stream with an error event."""
        head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-test-1"}
        first = {**head, "choices": [{"index": 0, "delta": {"content": '{"answer'}}]}
        return _sse(first, {"error": {"message": message, "type": code, "code": code}})


class ResponsesVoice(Voice):
    """OpenAI's responses."""

    name = "openai responses"
    _USAGE: ClassVar[dict[str, Any]] = {
        "input_tokens": 20,
        "output_tokens": 9,
        "total_tokens": 29,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    _REASONS: ClassVar[dict[str, str]] = {"length": "max_output_tokens", "filtered": "content_filter"}

    def adapter(self, url: str, *, streaming: bool) -> Adapter:
        """Return the adapter."""
        return OpenAIResponses("gpt-test", api_key=CANARY, base_url=f"{url}/v1", streaming=streaming)

    def _response(self, text: str, ending: Ending) -> dict[str, Any]:
        part = {"type": "refusal", "refusal": text} if ending == "refusal" else {"type": "output_text", "text": text}
        output: list[dict[str, Any]] = [{"id": "m1", "type": "message", "role": "assistant", "content": [part]}]
        if ending == "tools":
            output = [{"id": "f1", "type": "function_call", "call_id": "t1", "name": "look", "arguments": "{}"}]
        reason = self._REASONS.get(ending)
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "model": "gpt-test-1",
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "output": output,
            "usage": self._USAGE,
        }

    def answer(self, text: str, ending: Ending = "end") -> Say:
        """Return an answer in one piece."""
        return Say(body=self._response(text, ending), headers={"x-request-id": "req_1"})

    def streamed(self, text: str, ending: Ending = "end") -> Say:
        """Return a stream of events."""
        whole = self._response(text, ending)
        kind = f"response.{whole['status']}"
        told = [("response.created", {"type": "response.created", "response": {**whole, "output": [], "usage": None}})]
        for part in _parts(text):
            told.append(("response.output_text.delta", {"type": "response.output_text.delta", "delta": part}))
        if ending != "unfinished":
            told.append((kind, {"type": kind, "response": whole}))
        return _sse(*told)

    def error(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Say:
        """Return an error reply."""
        return ChatVoice().error(status, code, message, headers)

    def error_in_stream(self, code: str, message: str) -> Say:
        """Return a stream with an error event."""
        return _sse(("error", {"type": "error", "code": code, "message": message, "param": None}))


class AnthropicVoice(Voice):
    """Anthropic's messages."""

    name = "anthropic"
    _USAGE: ClassVar[dict[str, Any]] = {
        "input_tokens": 16,
        "cache_read_input_tokens": 4,
        "cache_creation_input_tokens": 0,
        "output_tokens": 9,
    }
    _STOPS: ClassVar[dict[str, str]] = {
        "length": "max_tokens",
        "refusal": "refusal",
        "filtered": "refusal",
        "tools": "tool_use",
    }

    def adapter(self, url: str, *, streaming: bool) -> Adapter:
        """Return the adapter."""
        return AnthropicMessages("claude-test", api_key=CANARY, base_url=url, streaming=streaming)

    def _message(self, text: str, ending: Ending) -> dict[str, Any]:
        content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
        if ending == "tools":
            content.append({"type": "tool_use", "id": "t1", "name": "look", "input": {}})
        stop = None if ending == "unfinished" else self._STOPS.get(ending, "end_turn")
        usage = {**self._USAGE, "output_tokens_details": {"thinking_tokens": 3}}
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-test-1",
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage,
        }

    def answer(self, text: str, ending: Ending = "end") -> Say:
        """Return an answer in one piece."""
        return Say(body=self._message(text, ending), headers={"request-id": "req_1"})

    def streamed(self, text: str, ending: Ending = "end") -> Say:
        """Return a stream of events."""
        whole = self._message(text, ending)
        start = {**whole, "content": [], "stop_reason": None, "usage": {**self._USAGE, "output_tokens": 1}}
        told: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
        for index, block in enumerate(whole["content"]):
            empty = {**block, "text": ""} if block["type"] == "text" else block
            told.append({"type": "content_block_start", "index": index, "content_block": empty})
            for part in _parts(block.get("text", "")):
                delta = {"type": "text_delta", "text": part}
                told.append({"type": "content_block_delta", "index": index, "delta": delta})
            told.append({"type": "content_block_stop", "index": index})
        if ending != "unfinished":
            usage = {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 3}}
            stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
            told += [{"type": "message_delta", "delta": stop, "usage": usage}, {"type": "message_stop"}]
        return _sse(*((event["type"], event) for event in told))

    def error(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Say:
        """Return an error reply."""
        body = {"type": "error", "error": {"type": code, "message": message}, "request_id": "req_1"}
        return Say(status, body, {"request-id": "req_1", **(headers or {})})

    def error_in_stream(self, code: str, message: str) -> Say:
        """Return a stream with an error event."""
        return _sse(("error", {"type": "error", "error": {"type": code, "message": message}}))


class GeminiVoice(Voice):
    """Google's generateContent."""

    name = "gemini"
    _USAGE: ClassVar[dict[str, Any]] = {
        "promptTokenCount": 20,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 6,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 29,
    }
    _STOPS: ClassVar[dict[str, str]] = {"length": "MAX_TOKENS", "filtered": "SAFETY", "refusal": "PROHIBITED_CONTENT"}

    def adapter(self, url: str, *, streaming: bool) -> Adapter:
        """Return the adapter."""
        return Gemini("gemini-test", api_key=CANARY, base_url=url, streaming=streaming)

    def _chunk(self, parts: list[dict[str, Any]], finish: str | None = None) -> dict[str, Any]:
        candidate = {"index": 0, "content": {"role": "model", "parts": parts}}
        return {
            "candidates": [{**candidate, "finishReason": finish} if finish else candidate],
            "usageMetadata": self._USAGE,
            "modelVersion": "gemini-test-1",
            "responseId": "req_1",
        }

    def answer(self, text: str, ending: Ending = "end") -> Say:
        """Return an answer in one piece."""
        parts: list[dict[str, Any]] = [{"text": text}] if text else []
        if ending == "tools":
            parts.append({"functionCall": {"name": "look", "args": {}}})
        finish = None if ending == "unfinished" else self._STOPS.get(ending, "STOP")
        return Say(body=self._chunk(parts, finish))

    def streamed(self, text: str, ending: Ending = "end") -> Say:
        """Return a stream of chunks."""
        told = [self._chunk([{"text": part}]) for part in _parts(text)]
        if ending == "tools":
            told.append(self._chunk([{"functionCall": {"name": "look", "args": {}}}]))
        if ending != "unfinished":
            told.append(self._chunk([], self._STOPS.get(ending, "STOP")))
        return _sse(*told)

    def error(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Say:
        """Return an error reply."""
        return Say(status, {"error": {"code": status, "message": message, "status": code}}, headers or {})

    def error_in_stream(self, code: str, message: str) -> Say:
        """Return a stream with an error."""
        return _sse(self._chunk([{"text": '{"answer'}]), {"error": {"code": 503, "message": message, "status": code}})


def _parts(text: str) -> list[str]:
    return [text[:10], text[10:]] if len(text) > 10 else [text] if text else []  # noqa: PLR2004 - anywhere within


VOICES: tuple[Voice, ...] = (ChatVoice(), ResponsesVoice(), AnthropicVoice(), GeminiVoice())
