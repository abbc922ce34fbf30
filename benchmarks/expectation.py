"""What a recorded exchange says, read without any of the adapters' code: the yardstick of the conformance suite."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
ERRORS = {
    400: "bad-request",
    401: "authentication-failed",
    403: "permission-denied",
    404: "provider-not-found",
    413: "context-too-long",
    429: "rate-limited",
    500: "server-fault",
    502: "server-fault",
    503: "overloaded",
    529: "overloaded",
}


def expectation(line: Json) -> Json:
    """Return text, tool_calls, usage and finish of a recorded line, or error and status."""
    body = line["response_body"]
    if line["status"] >= 400:
        return {"error": _error(line["status"], body), "status": line["status"]}
    read = {"chat": _chat, "responses": _responses, "messages": _messages}.get(line["api"], _google)
    said = read(_items(body))
    if isinstance(body, str | list) and not said.get("finish") and "error" not in said:
        return {"error": "stream-cut", "status": None}
    return said


def _error(status: int, body: Any) -> str:
    words = json.dumps(body).lower()
    if status < 500:
        for mark, code in (
            ("insufficient_quota", "quota-exhausted"),
            ("context_length_exceeded", "context-too-long"),
            ("prompt is too long", "context-too-long"),
            ("api_key_invalid", "authentication-failed"),
            ("perday", "quota-exhausted"),
        ):
            if mark in words:
                return code
    return ERRORS.get(status, "server-fault" if status >= 500 else "unknown-failure")


def _items(body: Any) -> list[Json]:
    """Return the whole answer, or the items of a stream."""
    if isinstance(body, str):
        data = [line[5:].strip() for line in body.replace("\r\n", "\n").split("\n") if line.startswith("data:")]
        return [json.loads(item) for item in data if item and item != "[DONE]"]
    return list(body) if isinstance(body, list) else [body]


def _said(text: str, calls: list[Json], finish: str | None, usage: list[int] | None) -> Json:
    return {"text": text, "tool_calls": calls, "finish": finish or "", "usage": usage}


def _value(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def _chat(items: list[Json]) -> Json:
    text, finish, usage = "", None, None
    calls: dict[int, Json] = {}
    for item in items:
        usage = item.get("usage") or usage
        for choice in item.get("choices") or []:
            if choice.get("index", 0) != 0:
                continue
            message = choice.get("message") or choice.get("delta") or {}
            text += message.get("content") or ""
            finish = choice.get("finish_reason") or finish
            for n, call in enumerate(message.get("tool_calls") or []):
                kept = calls.setdefault(call.get("index", n), {"name": "", "arguments": ""})
                kept["name"] = (call.get("function") or {}).get("name") or kept["name"]
                kept["arguments"] += (call.get("function") or {}).get("arguments") or ""
    ordered = [{"name": c["name"], "arguments": _value(c["arguments"])} for _, c in sorted(calls.items())]
    return _said(text, ordered, finish, _openai_usage(usage, "prompt", "completion"))


def _openai_usage(usage: Json | None, given: str, made: str) -> list[int] | None:
    if not usage:
        return None
    return [
        usage.get(f"{given}_tokens") or 0,
        usage.get(f"{made}_tokens") or 0,
        (usage.get(f"{given}_tokens_details") or {}).get("cached_tokens") or 0,
        (usage.get(f"{made}_tokens_details") or {}).get("reasoning_tokens") or 0,
    ]


def _responses(items: list[Json]) -> Json:
    last = items[-1]
    response = last.get("response", last)
    if response.get("status") == "failed":
        return {"error": "server-fault", "status": None}
    text, calls = "", []
    for item in response.get("output") or []:
        if item["type"] == "message":
            text += "".join(part["text"] for part in item["content"] if part["type"] == "output_text")
        if item["type"] in {"function_call", "custom_tool_call"}:
            calls.append({"name": item["name"], "arguments": _value(item.get("arguments", item.get("input")))})
    return _said(text, calls, response.get("status"), _openai_usage(response.get("usage"), "input", "output"))


def _messages(items: list[Json]) -> Json:
    if items[0].get("type") == "message_start":
        return _messages_streamed(items)
    message = items[0]
    text = "".join(block["text"] for block in message["content"] if block["type"] == "text")
    calls = [{"name": b["name"], "arguments": b["input"]} for b in message["content"] if b["type"] == "tool_use"]
    return _said(text, calls, message["stop_reason"], _anthropic_usage(message["usage"]))


def _messages_streamed(items: list[Json]) -> Json:
    text, finish, usage = "", None, {}
    calls: dict[int, Json] = {}
    for item in items:
        if item["type"] == "message_start":
            usage = dict(item["message"]["usage"])
        if item["type"] == "content_block_start":
            block = item["content_block"]
            text += block.get("text") or "" if block["type"] == "text" else ""
            if block["type"] == "tool_use":
                calls[item["index"]] = {"name": block["name"], "arguments": ""}
        if item["type"] == "content_block_delta":
            text += item["delta"].get("text") or ""
            if item["index"] in calls:
                calls[item["index"]]["arguments"] += item["delta"].get("partial_json") or ""
        if item["type"] == "message_delta":
            finish = item["delta"].get("stop_reason") or finish
            usage.update({k: v for k, v in item["usage"].items() if v is not None})
    ordered = [{"name": c["name"], "arguments": _value(c["arguments"] or "{}")} for _, c in sorted(calls.items())]
    return _said(text, ordered, finish, _anthropic_usage(usage))


def _anthropic_usage(usage: Json) -> list[int]:
    cached = usage.get("cache_read_input_tokens") or 0
    given = usage["input_tokens"] + cached + (usage.get("cache_creation_input_tokens") or 0)
    thought = (usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0
    return [given, usage["output_tokens"], cached, thought]


def _google(items: list[Json]) -> Json:
    text, finish, usage = "", None, None
    calls: list[Json] = []
    for item in items:
        usage = item.get("usageMetadata") or usage
        finish = (item.get("promptFeedback") or {}).get("blockReason") or finish
        for candidate in (item.get("candidates") or [])[:1]:
            finish = candidate.get("finishReason") or finish
            finish = "STOP" if finish == 1 else finish  # recorded with enums encoded as numbers
            for part in (candidate.get("content") or {}).get("parts") or []:
                text += "" if part.get("thought") else part.get("text") or ""
                if "functionCall" in part:
                    call = part["functionCall"]
                    calls.append({"name": call["name"], "arguments": call.get("args") or {}})
    return _said(text, calls, finish, _google_usage(usage))


def _google_usage(usage: Json | None) -> list[int] | None:
    if not usage:
        return None
    thought = usage.get("thoughtsTokenCount") or 0
    given = (usage.get("promptTokenCount") or 0) + (usage.get("toolUsePromptTokenCount") or 0)
    made = (usage.get("candidatesTokenCount") or 0) + thought
    return [given, made, usage.get("cachedContentTokenCount") or 0, thought]
