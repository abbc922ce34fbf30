"""An OpenAI-compatible server on loopback that a whole run can be made with: it answers as a well-behaved model would.

What it says is what the scaffold generator answers for the same brief, so that the product that comes out works; the
wire, the usage figures, the faults and the prices are those of a model's server.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from botarmy.agents.registry import AGENTS
from botarmy.agents.work import PhaseWork
from botarmy.checks import CheckRequest, FileText
from botarmy.completion import Completion, CompletionRequest
from botarmy.records import Evidence
from providers.fake_server import Asked, FakeServer, Say
from providers.fake_vendors import CANARY, ChatVoice
from providers.offline.provider import OfflineProvider
from storage.definitions import core_directories, load_core

MODEL = "model-1"
INPUT_PRICE, OUTPUT_PRICE = Decimal(1), Decimal(2)  # USD for a million tokens
_BYTES_PER_TOKEN = 4
BUSY = "busy"
INVALID = "invalid"


class _SizedVoice(ChatVoice):
    """Speaks with usage figures that follow from what was said."""

    def __init__(self, input_tokens: int, output_tokens: int) -> None:
        self._USAGE = {  # type: ignore[misc]
            "prompt_tokens": input_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
        }


class ModelServer:
    """Answers each purpose by the given answers.

    Args:
        answers: purpose -> the JSON of its answer.
        faults: purpose -> what happens to the first call for it: BUSY (429) or INVALID (an answer that fits no schema).

    Attributes:
        url: the base address with /v1.
        asked: purposes, in the order of the requests.
        cost_usd: what the usage that it reported costs by INPUT_PRICE and OUTPUT_PRICE.
    """

    def __init__(self, answers: Mapping[str, Any], faults: Mapping[str, str] | None = None) -> None:
        self._answers = answers
        self._faults = dict(faults or {})
        self.url = ""
        self.asked: list[str] = []
        self.cost_usd = Decimal(0)

    def environment(self) -> dict[str, str]:
        """Return the settings with which this server serves all roles."""
        roles = ("ANALYST", "ARCHITECT", "CODER", "TESTER", "DEPLOYER")
        return {
            "OPENAI_BASE_URL": self.url,
            "OPENAI_API_KEY": CANARY,
            **{f"{role}_AGENT_PROVIDER": "openai" for role in roles},
            **{f"{role}_AGENT_MODEL": MODEL for role in roles},
        }

    def respond(self, asked: Asked) -> Say:
        """Return the reply to one request."""
        purpose = str(asked.body["response_format"]["json_schema"]["name"])
        self.asked.append(purpose)
        fault = self._faults.pop(purpose, "")
        if fault == BUSY:
            return ChatVoice().error(429, "rate_limit_exceeded", "Slow down.", {"retry-after": "0.1"})
        answer = {"nonsense": True} if fault == INVALID else self._answers[purpose]
        text = json.dumps({"answer": answer, "confidence": 0.9})
        usage = (_tokens(json.dumps(asked.body["messages"])), _tokens(text))
        self.cost_usd += (usage[0] * INPUT_PRICE + usage[1] * OUTPUT_PRICE) / 1_000_000
        return _SizedVoice(*usage).say(text, streaming=bool(asked.body.get("stream")))


def _tokens(text: str) -> int:
    return len(text.encode()) // _BYTES_PER_TOKEN


@contextmanager
def serving(server: ModelServer) -> Iterator[ModelServer]:
    """Serve in a thread of its own, so that the test can wait for child processes meanwhile."""
    loop = asyncio.new_event_loop()
    fake = FakeServer(respond=server.respond)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(fake.__aenter__(), loop).result(timeout=10)
        server.url = f"{fake.url}/v1"
        yield server
        asyncio.run_coroutine_threadsafe(fake.__aexit__(None, None, None), loop).result(timeout=10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


def answers_for(brief: str) -> dict[str, Any]:
    """Return purpose -> answer for every call that the shipped workflow makes for this brief."""
    return asyncio.run(_rehearsed(brief))


async def _rehearsed(brief: str) -> dict[str, Any]:
    core = load_core(*core_directories(None))
    answers: dict[str, Any] = {}
    artifacts: dict[str, Any] = {}

    async def ask(request: CompletionRequest) -> Completion:
        done = await OfflineProvider().complete(request)
        assert request.purpose not in answers, "one answer for each purpose"
        answers[request.purpose] = done.parsed
        return done

    async def passed(_: tuple[FileText, ...], checks: tuple[CheckRequest, ...]) -> tuple[Evidence, ...]:
        return tuple(Evidence(check=check.name.value, command=(), exit_code=0, outcome="passed") for check in checks)

    for phase in core.workflow("sdlc").phases:
        work = PhaseWork(phase=phase, brief=brief, artifacts=artifacts, template=core.template(phase.template))
        artifacts.update((await AGENTS[phase.agent](work, ask, passed)).artifacts)
    return answers
