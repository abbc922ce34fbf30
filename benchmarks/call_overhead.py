"""What our layer adds to a call: bare SDK against adapter against `ask`, on a server on loopback.

    python benchmarks/call_overhead.py [--calls 200] [--postgres]

The bare SDK sends the same body and reads the same answer. The adapter adds: schema compilation, reading the reply,
local validation. `ask` adds the ledger (in memory; with --postgres in an embedded PostgreSQL, three transactions),
prices and budgets. Calls of the three are interleaved, so that a slow moment of the machine hits all alike.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from botarmy.artifacts import UserRequirements
from botarmy.completion import CompletionRequest, Message
from botarmy.schema_compiler import compile_schema
from providers.adapter import Adapter
from providers.fake_server import FakeServer
from providers.fake_vendors import VOICES, Voice
from storage.database import Database
from storage.embedded import start_embedded, stop_embedded
from storage.migrate import upgrade
from tasks.calls import make_ask
from tasks.fakes import MemoryLedger

REQUIREMENT = {
    "id": "R1",
    "text": "A book has a title.",
    "kind": "functional",
    "priority": "must",
    "sources": ["S1"],
    "entities": ["book"],
    "rules": [],
    "understood": True,
}
ANSWER = json.dumps({"answer": {"requirements": [REQUIREMENT] * 20}, "confidence": 0.9})
REQUEST = CompletionRequest(
    role="analyst",
    purpose="user_requirements",
    inputs={"brief": "x"},
    messages=(Message(role="system", content="Be exact."), Message(role="user", content="A book has a title. " * 200)),
    output_schema=UserRequirements.model_json_schema(),
)
Call = Callable[[], Awaitable[Any]]


def bare(adapter: Adapter, client: Any, body: dict[str, Any]) -> Call:
    """Return the call as one would write it with the SDK alone, unstreamed."""

    async def chat() -> Any:
        return (await client.chat.completions.create(**body)).choices[0].message.content

    async def responses() -> Any:
        return (await client.responses.create(**body)).output_text

    async def messages() -> Any:
        return (await client.messages.create(**body, timeout=600)).content[0].text

    async def generate() -> Any:
        config = {
            "system_instruction": body["systemInstruction"]["parts"][0]["text"],
            "response_mime_type": "application/json",
            "response_json_schema": body["generationConfig"]["responseJsonSchema"],
            "max_output_tokens": body["generationConfig"]["maxOutputTokens"],
        }
        contents = body["contents"][0]["parts"][0]["text"]
        return (await client.aio.models.generate_content(model=adapter.model, contents=contents, config=config)).text

    by_class = {"OpenAIChat": chat, "OpenAIResponses": responses, "AnthropicMessages": messages, "Gemini": generate}
    return by_class[type(adapter).__name__]


@asynccontextmanager
async def ledger(postgres: bool) -> AsyncIterator[tuple[Any, UUID]]:
    """Yield a ledger and a project in it."""
    if not postgres:
        yield MemoryLedger(), UUID(int=1)
        return
    with tempfile.TemporaryDirectory(prefix="bap-") as home:
        server = await start_embedded(Path(home))
        try:
            await asyncio.to_thread(upgrade, server.url)
            database = Database(server.url)
            async with database.work() as work:
                project = await work.projects.create("Bench", "bench", "A bench.", "sdlc-workflow", {})
            yield database, project.id
            await database.close()
        finally:
            await stop_embedded(Path(home))


async def measure(calls: int, kinds: dict[str, Call]) -> dict[str, list[float]]:
    """Return the milliseconds of each call, interleaved, after a warm-up."""
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(calls + 5):
        for name, call in kinds.items():
            started = time.perf_counter()
            await call()
            if number >= 5:
                times[name].append((time.perf_counter() - started) * 1000)
    return times


async def bench(voice: Voice, calls: int, postgres: bool) -> None:
    """Print the lines of one vendor."""
    async with FakeServer([voice.answer(ANSWER)]) as server, ledger(postgres) as (database, project):
        adapter = voice.adapter(server.url, streaming=False)
        ask = make_ask(
            database=database, roles={"analyst": [adapter]}, project_id=project, phase="Discovery", attempt=1
        )
        client = adapter._connect()
        body = adapter.body(REQUEST, compile_schema(REQUEST.output_schema, adapter.dialect))
        times = await measure(
            calls,
            {
                "bare SDK": bare(adapter, client, body),
                "adapter": lambda: adapter.complete(REQUEST),
                "ask": lambda: ask(REQUEST),
            },
        )
        await adapter._disconnect(client)
        await adapter.aclose()
    base = statistics.median(times["bare SDK"])
    for name, values in times.items():
        median, p95 = statistics.median(values), statistics.quantiles(values, n=20)[-1]
        print(
            f"{voice.name:17} {name:9} median {median:6.2f} ms  p95 {p95:6.2f} ms"
            f"  +{median - base:5.2f} ms  x{median / base:4.2f}"
        )


async def main() -> None:
    """Read the command line and measure all vendors."""
    parser = argparse.ArgumentParser(description="What our layer adds to a call.")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    for voice in VOICES:
        await bench(voice, options.calls, options.postgres)


if __name__ == "__main__":
    asyncio.run(main())
