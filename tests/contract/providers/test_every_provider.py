"""One contract for every provider: the adapters by their real SDKs, the recorder, the replayer and the fake."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from botarmy.artifacts import ApiSpecifications
from botarmy.completion import Completion, CompletionRequest, Message, Progress, Provider, Usage
from botarmy.errors import InvalidOutput, RecordingMissing, ServerFault
from providers.fake import ScriptedProvider
from providers.fake_server import FakeServer
from providers.fake_vendors import CANARY, VOICES, Voice
from providers.recorded import Recorded, Recorder

EACH = pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
BOTH = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
REQUEST = CompletionRequest(
    role="architect",
    purpose="api_specifications",
    inputs={"brief": "A shop."},
    messages=(Message(role="system", content="Be exact."), Message(role="user", content="Write the API.")),
    output_schema=ApiSpecifications.model_json_schema(),
    max_output_tokens=4000,
    timeout_s=20,
)
API: dict[str, Any] = {
    "openapi": {"openapi": "3.1.0", "info": {"title": "Geschäft", "version": "1"}, "paths": {"/x": {"get": {}}}},
    "feature_map": [{"feature_id": "F1", "operation_ids": ["a", "b"]}],
}
WRITTEN = json.dumps({"answer": {**API, "openapi": json.dumps(API["openapi"])}, "confidence": 0.75})
USAGE = Usage(input_tokens=20, output_tokens=9, cached_tokens=4, reasoning_tokens=3)


def check_contract(done: Completion) -> None:
    assert done.parsed == API
    assert json.loads(done.text) == API
    assert done.text == json.dumps(API, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert done.confidence == 0.75
    assert done.usage == USAGE
    assert done.stop_reason == "end"
    assert done.request_id == "req_1"


def written(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in sorted(folder.iterdir())}


@EACH
@BOTH
async def test_adapters_give_the_same_completion(voice: Voice, streaming: bool) -> None:
    seen: list[Progress] = []
    async with FakeServer([voice.say(WRITTEN, streaming=streaming)]) as server:
        adapter = voice.adapter(server.url, streaming=streaming)
        done = await adapter.complete_with_progress(REQUEST, seen.append)
        await adapter.aclose()
    check_contract(done)
    assert done.provider == adapter.name
    assert done.model.endswith("-test-1")
    assert done.latency_s > 0
    assert [progress.characters for progress in seen][-1:] == ([len(WRITTEN)] if streaming else [])


@EACH
async def test_the_key_is_only_in_the_header(voice: Voice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with FakeServer([voice.answer(WRITTEN)]) as server:
        adapter = voice.adapter(server.url, streaming=False)
        await adapter.complete(REQUEST)
        await adapter.aclose()
    asked = server.asked[0]
    assert [name for name, value in asked.headers.items() if CANARY in value]
    assert CANARY not in asked.path + json.dumps(asked.body)
    assert CANARY not in caplog.text


@EACH
async def test_the_request_says_all_that_it_should(voice: Voice) -> None:
    async with FakeServer([voice.answer(WRITTEN)]) as server:
        adapter = voice.adapter(server.url, streaming=False)
        await adapter.complete(REQUEST)
        await adapter.aclose()
    body = json.dumps(server.asked[0].body)
    for told in ("Be exact.", "Write the API.", "4000", '"confidence"', "feature_map", adapter.model):
        assert told in body + server.asked[0].path


@EACH
async def test_an_adapter_outlives_an_event_loop(voice: Voice) -> None:
    """Prefect runs tasks in loops of their own; a client of a loop that is gone must not be used again."""

    async with FakeServer([voice.answer(WRITTEN)]) as server:
        adapter = voice.adapter(server.url, streaming=False)
        here = await adapter.complete(REQUEST)
        there = await asyncio.to_thread(asyncio.run, adapter.complete(REQUEST))
        again = await adapter.complete(REQUEST)
        await adapter.aclose()
    assert here.parsed == there.parsed == again.parsed == API


@EACH
@BOTH
async def test_recording_and_replaying_give_the_same_bytes(voice: Voice, streaming: bool, tmp_path: Path) -> None:
    async with FakeServer([voice.say(WRITTEN, streaming=streaming)]) as server:
        recorder = Recorder(voice.adapter(server.url, streaming=streaming), tmp_path, [CANARY])
        done = await recorder.complete(REQUEST)
        await recorder.aclose()
    again = await Recorded(tmp_path).complete(REQUEST.model_copy(update={"timeout_s": 1.0}))
    assert again.text.encode() == done.text.encode()
    check_contract(again)
    assert (again.provider, again.latency_s) == ("recorded", 0.0)
    assert CANARY not in "".join(written(tmp_path).values())


async def test_the_fake_keeps_the_contract() -> None:
    provider: Provider = ScriptedProvider([API], usage=USAGE)
    done = await provider.complete(REQUEST)
    assert (done.parsed, done.usage, done.text) == (API, USAGE, (await provider.complete(REQUEST)).text)


async def test_what_is_recorded_holds_no_secret(tmp_path: Path) -> None:
    leaky = ScriptedProvider([{"note": f"key {CANARY}"}, ServerFault(f"bad {CANARY}", status=500)])
    recorder = Recorder(leaky, tmp_path, [CANARY])
    request = REQUEST.model_copy(update={"inputs": {"brief": CANARY}})
    await recorder.complete(request)
    with pytest.raises(ServerFault):
        await recorder.complete(request)
    files = written(tmp_path)
    assert [name[-8:] for name in files] == ["001.json", "002.json"]
    assert CANARY not in "".join(files.values())


async def test_the_same_request_in_a_later_attempt_replays_the_later_answer(tmp_path: Path) -> None:
    recorder = Recorder(ScriptedProvider([{"n": 1}, ServerFault("busy"), {"n": 2}]), tmp_path)
    await recorder.complete(REQUEST)
    with pytest.raises(ServerFault):
        await recorder.complete(REQUEST)
    await recorder.complete(REQUEST)
    replay = Recorded(tmp_path)
    assert [(await replay.complete(REQUEST)).parsed["n"] for _ in range(3)] == [1, 2, 2]


async def test_a_repaired_answer_is_replayed_through_its_repair(tmp_path: Path) -> None:
    recorder = Recorder(ScriptedProvider([InvalidOutput("bad", text="{", problems=("p",))]), tmp_path)
    with pytest.raises(InvalidOutput):
        await recorder.complete(REQUEST)
    with pytest.raises(InvalidOutput) as caught:
        await Recorded(tmp_path).complete(REQUEST)
    assert (caught.value.text, caught.value.problems) == ("{", ("p",))


async def test_a_miss_shows_what_changed(tmp_path: Path) -> None:
    await Recorder(ScriptedProvider([API]), tmp_path).complete(REQUEST)
    messages = (REQUEST.messages[0], Message(role="user", content="Write the API, please."))
    with pytest.raises(RecordingMissing) as caught:
        await Recorded(tmp_path).complete(REQUEST.model_copy(update={"messages": messages}))
    lines = caught.value.message.splitlines()
    assert "-user: Write the API." in lines
    assert "+user: Write the API, please." in lines
    with pytest.raises(RecordingMissing, match="nothing of that purpose was recorded"):
        await Recorded(tmp_path).complete(REQUEST.model_copy(update={"purpose": "other"}))
