"""What each vendor can do wrong, by its documentation: outcome, number of tries, waits. No test really waits."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from botarmy import errors
from botarmy.completion import CompletionRequest, Message
from botarmy.retry import RetryPolicy
from providers.fake_server import FakeServer, Say
from providers.fake_vendors import CANARY, VOICES, AnthropicVoice, ChatVoice, Ending, GeminiVoice, ResponsesVoice, Voice
from tasks.calls import CallEvent, make_ask
from tasks.fakes import MemoryLedger, StillClock

TRIES = 3
DOUBLING = [1.0, 2.0]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
REQUEST = CompletionRequest(
    role="analyst",
    purpose="capital",
    inputs={},
    messages=(Message(role="system", content="Be brief."), Message(role="user", content="Capital of France?")),
    output_schema=SCHEMA,
    timeout_s=600,
)
GOOD = json.dumps({"answer": {"city": "Paris"}, "confidence": 0.75})
BOTH = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
EACH = pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)


@dataclass
class Outcome:
    """How an ask ended."""

    code: str
    tries: int
    waits: list[float]
    rows: list[str]
    told: str
    error: errors.ProviderError | None


async def outcome(voice: Voice, *replies: Say, streaming: bool = False, timeout_s: float = 600) -> Outcome:
    ledger, clock = MemoryLedger(), StillClock()
    events: list[CallEvent] = []
    async with FakeServer(replies) as server:
        adapter = voice.adapter(server.url, streaming=streaming)
        ask = make_ask(
            database=ledger,
            roles={"analyst": [adapter]},
            project_id=UUID(int=1),
            phase="Discovery",
            attempt=1,
            policy=RetryPolicy(max_tries=TRIES),
            clock=clock,
            spread=lambda: 0.5,
            on_event=events.append,
        )
        error: errors.ProviderError | None = None
        try:
            await ask(REQUEST.model_copy(update={"timeout_s": timeout_s}))
        except errors.ProviderError as raised:
            error = raised
        await adapter.aclose()
        tries = len(server.asked)
    told = " ".join([str(ledger.rows), str(events), str(error), repr(error), str(error and error.details())])
    assert CANARY not in told
    code = error.code if error else "completed"
    return Outcome(code, tries, clock.waits, [row.outcome for row in ledger.rows], told, error)


STATUSES: dict[type[Voice], list[tuple[int, str, str, str]]] = {
    ChatVoice: [
        (400, "invalid_request_error", "bad", "bad-request"),
        (400, "context_length_exceeded", "maximum context length is 8 tokens", "context-too-long"),
        (400, "content_policy_violation", "no", "filtered"),
        (401, "invalid_api_key", f"Incorrect API key provided: {CANARY}", "authentication-failed"),
        (403, "unsupported_country_region_territory", "no", "permission-denied"),
        (404, "model_not_found", "no such model", "provider-not-found"),
        (413, "request_too_large", "too large", "context-too-long"),
        (422, "invalid_request_error", "bad", "bad-request"),
        (429, "insufficient_quota", "check your plan and billing", "quota-exhausted"),
        (418, "teapot", "odd", "unknown-failure"),
    ],
    AnthropicVoice: [
        (400, "invalid_request_error", "bad", "bad-request"),
        (400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", "context-too-long"),
        (400, "invalid_request_error", "Your credit balance is too low", "quota-exhausted"),
        (401, "authentication_error", f"invalid x-api-key {CANARY}", "authentication-failed"),
        (402, "billing_error", "payment", "quota-exhausted"),
        (403, "permission_error", "no", "permission-denied"),
        (404, "not_found_error", "model: x", "provider-not-found"),
        (413, "request_too_large", "too large", "context-too-long"),
    ],
    GeminiVoice: [
        (400, "INVALID_ARGUMENT", "bad", "bad-request"),
        (400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens", "context-too-long"),
        (400, "INVALID_ARGUMENT", f"API key not valid: {CANARY}", "authentication-failed"),
        (401, "UNAUTHENTICATED", "no", "authentication-failed"),
        (403, "PERMISSION_DENIED", "no", "permission-denied"),
        (404, "NOT_FOUND", "models/x is not found", "provider-not-found"),
        (429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric GenerateRequestsPerDay", "quota-exhausted"),
    ],
}
STATUSES[ResponsesVoice] = STATUSES[ChatVoice]
FINAL = [(voice, *row) for voice in VOICES for row in STATUSES[type(voice)]]


@BOTH
@pytest.mark.parametrize(
    ("voice", "status", "code", "message", "expected"), FINAL, ids=[f"{row[0].name}-{row[1]}-{row[4]}" for row in FINAL]
)
async def test_what_no_retry_mends(
    voice: Voice, status: int, code: str, message: str, expected: str, streaming: bool
) -> None:
    got = await outcome(voice, voice.error(status, code, message), streaming=streaming)
    assert (got.code, got.tries, got.waits, got.rows) == (expected, 1, [], [expected])
    assert got.error is not None
    assert got.error.status == status
    if not isinstance(voice, GeminiVoice):  # Google's error replies carry no id
        assert got.error.request_id == "req_1"
    if not isinstance(got.error, errors.Filtered):
        assert got.error.hint or isinstance(got.error, errors.UnknownFailure)


RETRIED = [
    (500, "server-fault"),
    (502, "server-fault"),
    (503, "overloaded"),
    (504, "provider-timeout"),
    (529, "overloaded"),
]


@EACH
@BOTH
@pytest.mark.parametrize(("status", "expected"), RETRIED, ids=str)
async def test_what_waiting_mends(voice: Voice, streaming: bool, status: int, expected: str) -> None:
    bad = voice.error(status, "api_error", "oops")
    got = await outcome(voice, bad, streaming=streaming)
    assert (got.code, got.tries, got.waits) == (expected, TRIES, DOUBLING)
    good = await outcome(voice, bad, voice.say(GOOD, streaming=streaming), streaming=streaming)
    assert (good.code, good.tries, good.waits, good.rows) == ("completed", 2, [1.0], [expected, "completed"])


@EACH
@BOTH
@pytest.mark.parametrize(
    ("headers", "tries", "waits"),
    [({}, TRIES, DOUBLING), ({"retry-after": "7"}, TRIES, [7.35, 7.35]), ({"retry-after": "120"}, 1, [])],
    ids=["unsaid", "soon", "later than we wait"],
)
async def test_rate_limits(
    voice: Voice, streaming: bool, headers: dict[str, str], tries: int, waits: list[float]
) -> None:
    got = await outcome(voice, voice.error(429, "rate_limit_error", "slow down", headers), streaming=streaming)
    assert (got.code, got.tries, got.waits) == ("rate-limited", tries, pytest.approx(waits))


async def test_google_says_the_wait_in_the_body() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "9s"}]
    body = {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": details}}
    got = await outcome(GeminiVoice(), Say(429, body))
    assert got.waits == pytest.approx([9.45, 9.45])


@EACH
@BOTH
async def test_no_answer_in_time(voice: Voice, streaming: bool) -> None:
    await outcome(voice, voice.say(GOOD, streaming=streaming), streaming=streaming)  # loads the SDK, which takes time
    slow = dataclasses.replace(voice.say(GOOD, streaming=streaming), delay_s=30)
    got = await outcome(voice, slow, streaming=streaming, timeout_s=0.9)
    # The clock stands still, so the first wait of a second is longer than what is left of 0.9 s.
    assert (got.code, got.tries, got.waits) == ("provider-timeout", 1, [])
    assert "within 0.9 s" in got.told


@EACH
@BOTH
async def test_disconnected_before_the_reply(voice: Voice, streaming: bool) -> None:
    got = await outcome(voice, Say(cut_at=-1), streaming=streaming)
    assert (got.code, got.tries, got.waits) == ("connection-failed", TRIES, DOUBLING)


@EACH
async def test_disconnected_in_the_body(voice: Voice) -> None:
    got = await outcome(voice, dataclasses.replace(voice.answer(GOOD), cut_at=20))
    assert (got.code, got.tries, got.waits) == ("connection-failed", TRIES, DOUBLING)


@EACH
async def test_a_stream_cut_between_events_is_discarded(voice: Voice) -> None:
    got = await outcome(voice, voice.streamed(GOOD, "unfinished"), streaming=True)
    assert (got.code, got.tries, got.waits) == ("stream-cut", TRIES, DOUBLING)
    assert f"partial answer of {len(GOOD)} characters is discarded" in got.told


@EACH
async def test_a_stream_cut_within_an_event_is_no_answer(voice: Voice) -> None:
    whole = voice.streamed(GOOD).payload()
    got = await outcome(voice, dataclasses.replace(voice.streamed(GOOD), cut_at=len(whole) // 2), streaming=True)
    assert got.code in {"stream-cut", "server-fault"}
    assert (got.tries, got.waits) == (TRIES, DOUBLING)


@EACH
async def test_disconnected_after_the_answer_is_an_answer(voice: Voice) -> None:
    whole = voice.streamed(GOOD).payload()
    got = await outcome(voice, dataclasses.replace(voice.streamed(GOOD), cut_at=len(whole)), streaming=True)
    assert (got.code, got.tries) == ("completed", 1)


BROKEN: dict[str, Callable[[bool], Say]] = {
    "truncated JSON": lambda streaming: Say(
        body='data: {"choices": [\n\n' if streaming else '{"choices": [',
        headers={"content-type": "text/event-stream"} if streaming else {},
    ),
    "not JSON": lambda _: Say(body="<html>a proxy</html>"),
    "a list": lambda _: Say(body=[1, 2]),
}


@EACH
@BOTH
@pytest.mark.parametrize("what", BROKEN)
async def test_what_is_no_reply(voice: Voice, streaming: bool, what: str) -> None:
    got = await outcome(voice, BROKEN[what](streaming), streaming=streaming)
    assert got.code in {"server-fault", "stream-cut"}
    assert (got.tries, got.waits) == (TRIES, DOUBLING)


@EACH
async def test_an_overload_told_inside_the_stream(voice: Voice) -> None:
    said = {"anthropic": "overloaded_error", "gemini": "UNAVAILABLE"}.get(voice.name, "server_is_overloaded")
    got = await outcome(voice, voice.error_in_stream(said, "The model is overloaded."), streaming=True)
    assert (got.code, got.tries, got.waits) == ("overloaded", TRIES, DOUBLING)


@EACH
@BOTH
@pytest.mark.parametrize(
    ("text", "ending", "expected", "tries"),
    [
        ("", "end", "empty-answer", TRIES),
        ("I would rather not.", "refusal", "refused", 1),
        ("", "filtered", "filtered", 1),
        (GOOD[:20], "length", "truncated", 1),
        ("", "tools", "tool-calls-only", 3),
        ("Paris", "end", "invalid-output", 3),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_no_answer(
    voice: Voice, streaming: bool, text: str, ending: Ending, expected: str, tries: int
) -> None:
    got = await outcome(voice, voice.say(text, ending, streaming=streaming), streaming=streaming)
    by_vendor = {("anthropic", "filtered"): "refused", ("gemini", "refused"): "filtered"}
    assert got.code == by_vendor.get((voice.name, expected), expected)
    assert got.tries == tries
    assert got.waits == (DOUBLING if expected == "empty-answer" else [])
    assert got.error is not None
    assert got.error.usage is not None  # it was paid for
    assert got.error.usage.output_tokens == 9


@EACH
@BOTH
async def test_a_repair_turn_shows_the_answer(voice: Voice, streaming: bool) -> None:
    bad = voice.say('{"answer": {"city": 3}, "confidence": 1}', streaming=streaming)
    got = await outcome(voice, bad, voice.say(GOOD, streaming=streaming), streaming=streaming)
    assert (got.code, got.rows) == ("completed", ["invalid-output", "completed"])
