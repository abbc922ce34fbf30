"""OpenAI's chat completions by the real SDK against a server on loopback."""

from __future__ import annotations

import json

import pytest

from botarmy.completion import CompletionRequest, Message, Progress, Usage
from botarmy.errors import InvalidOutput, RateLimited, StreamCut
from providers.fake_server import FakeServer, Say, stream
from providers.openai_chat import OpenAIChat

KEY = "sk-canary-0123456789abcdef"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "minLength": 2}, "extra": {"type": "object"}},
    "required": ["city"],
    "additionalProperties": False,
}
REQUEST = CompletionRequest(
    role="analyst",
    purpose="capital",
    inputs={},
    messages=(Message(role="system", content="Be brief."), Message(role="user", content="Capital of France?")),
    output_schema=SCHEMA,
    timeout_s=5,
)
ANSWER = json.dumps({"answer": {"city": "Paris", "extra": '{"people": 2}'}, "confidence": 0.75})


def answered(text: str = ANSWER, finish: str = "stop") -> Say:
    return Say(
        headers={"x-request-id": "req_1"},
        body={
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-x-2026",
            "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}],
            "usage": {
                "prompt_tokens": 20,
                "completion_tokens": 9,
                "total_tokens": 29,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
        },
    )


def chunks(text: str, finish: str | None = "stop") -> list[object]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-x-2026"}
    parts = [text[:10], text[10:]]
    said: list[object] = [{**head, "choices": [{"index": 0, "delta": {"content": part}}]} for part in parts]
    if finish:
        said.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        said.append({**head, "choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29}})
        said.append("[DONE]")
    return said


def adapter(server: FakeServer, *, streaming: bool = False) -> OpenAIChat:
    return OpenAIChat("gpt-x", api_key=KEY, base_url=f"{server.url}/v1", streaming=streaming)


async def test_answer_is_validated_and_usage_is_inclusive() -> None:
    async with FakeServer([answered()]) as server:
        done = await adapter(server).complete(REQUEST)
    assert done.parsed == {"city": "Paris", "extra": {"people": 2}}
    assert done.text == '{"city":"Paris","extra":{"people":2}}'
    assert (done.confidence, done.request_id, done.model, done.stop_reason) == (0.75, "req_1", "gpt-x-2026", "end")
    assert done.usage == Usage(input_tokens=20, output_tokens=9, cached_tokens=4, reasoning_tokens=3)


async def test_strict_schema_and_words_are_sent() -> None:
    async with FakeServer([answered()]) as server:
        await adapter(server).complete(REQUEST)
    asked = server.asked[0]
    assert asked.path == "/v1/chat/completions"
    sent = asked.body["response_format"]["json_schema"]
    assert sent["strict"] is True
    answer = sent["schema"]["properties"]["answer"]
    assert answer["required"] == ["city", "extra"]
    assert answer["properties"]["city"] == {"type": "string", "description": "(minLength 2)"}
    assert '"confidence"' in asked.body["messages"][0]["content"]


async def test_stream_gives_the_same_answer_and_progress() -> None:
    seen: list[Progress] = []
    async with FakeServer([stream(*chunks(ANSWER))]) as server:
        done = await adapter(server, streaming=True).complete_with_progress(REQUEST, seen.append)
    assert done.parsed["city"] == "Paris"
    assert done.usage == Usage(input_tokens=20, output_tokens=9)
    assert seen[-1].characters == len(ANSWER)


async def test_stream_without_a_stop_reason_is_no_answer() -> None:
    async with FakeServer([stream(*chunks(ANSWER, finish=None))]) as server:
        with pytest.raises(StreamCut, match=f"partial answer of {len(ANSWER)} characters is discarded"):
            await adapter(server, streaming=True).complete(REQUEST)


async def test_wrong_answer_names_the_place() -> None:
    wrong = json.dumps({"answer": {"city": "P", "extra": "{}"}, "confidence": 0.5})
    async with FakeServer([answered(wrong)]) as server:
        with pytest.raises(InvalidOutput) as caught:
            await adapter(server).complete(REQUEST)
    assert caught.value.problems == ("answer.city: 'P' is too short",)
    assert caught.value.usage == Usage(input_tokens=20, output_tokens=9, cached_tokens=4, reasoning_tokens=3)


async def test_rate_limit_is_mapped_once_without_the_key() -> None:
    said = Say(
        429, {"error": {"message": f"slow down, {KEY}", "code": "rate_limit_exceeded"}}, {"retry-after-ms": "1500"}
    )
    async with FakeServer([said]) as server:
        with pytest.raises(RateLimited) as caught:
            await adapter(server).complete(REQUEST)
    assert len(server.asked) == 1
    assert caught.value.retry_after == 1.5
    assert caught.value.status == 429
    assert KEY not in str(caught.value)
