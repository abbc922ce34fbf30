"""Replay recorded exchanges through the adapters and compare what comes out with what was recorded.

    python benchmarks/conformance.py DIR [--dump FILE]

Each line of each DIR/*.jsonl is served by a server on loopback, asked for by the real SDK, and read by the adapter.
Text, tool calls, usage (inclusive buckets), the vendor's stop word and errors must equal what the line says, read
independently in expectation.py; and the server must have been sent the recorded request. --dump writes what the adapter returned, one JSON object a line, for comparisons of
your own. Exit code 0 = all equal, 1 = some differ, 2 = nothing to replay.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from expectation import expectation

from botarmy.errors import ProviderError
from providers.adapter import Adapter
from providers.anthropic_messages import AnthropicMessages
from providers.fake_server import FakeServer, Say
from providers.gemini import Gemini
from providers.openai_chat import OpenAIChat
from providers.openai_responses import OpenAIResponses

TIMEOUT_S = 30.0
_SKIPPED_HEADERS = frozenset({"content-length", "content-encoding", "transfer-encoding", "connection"})


def adapters(url: str) -> dict[str, Adapter]:
    """Return the adapter of each recorded API, all against the server on loopback."""
    gemini = Gemini("recorded", api_key="loopback", base_url=url)
    return {
        "chat": OpenAIChat("recorded", api_key="loopback", base_url=f"{url}/v1"),
        "responses": OpenAIResponses("recorded", api_key="loopback", base_url=f"{url}/v1"),
        "messages": AnthropicMessages("recorded", api_key="loopback", base_url=url),
        "generateContent": gemini,
        "streamGenerateContent": gemini,
    }


def say(line: dict[str, Any]) -> Say:
    """Return the recorded reply. A stream that was recorded as a list is sent as the events that it was."""
    headers = {key: value for key, value in line["headers"].items() if key.lower() not in _SKIPPED_HEADERS}
    body = line["response_body"]
    if is_streamed(line):
        headers["content-type"] = "text/event-stream"
        if isinstance(body, list):
            body = "".join(f"data: {json.dumps(item)}\r\n\r\n" for item in body)
    return Say(status=line["status"], body=body, headers=headers)


def is_streamed(line: dict[str, Any]) -> bool:
    """Whether the reply is a stream."""
    return line["status"] == 200 and isinstance(line["response_body"], list | str)


async def replay(line: dict[str, Any], adapter: Adapter, server: FakeServer) -> dict[str, Any]:
    """Return what the adapter makes of a line."""
    server.replies = [say(line)]
    asked = line["request"]["body"]
    try:
        reply = await adapter.exchange(
            asked if isinstance(asked, dict) else {}, streaming=is_streamed(line), timeout_s=TIMEOUT_S
        )
    except ProviderError as error:
        return {"error": error.code, "status": error.status, "message": error.message, "request_id": error.request_id}
    return reply.model_dump(mode="json")


def sent(line: dict[str, Any], server: FakeServer) -> Any:
    """Return the body that the server got, without what is added to every request."""
    body = dict(server.asked[-1].body or {})
    for added in ("stream_options", "generationConfig"):  # ours; google-genai's, which is empty
        if added not in line["request"]["body"]:
            body.pop(added, None)
    return body


def comparable(returned: dict[str, Any]) -> dict[str, Any]:
    """Return the part of what the adapter returned that the recording can be held against."""
    if "error" in returned:
        return {"error": returned["error"], "status": returned["status"]}
    usage = returned["usage"]
    names = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
    return {
        "text": returned["text"],
        "tool_calls": [{"name": c["name"], "arguments": c["arguments"]} for c in returned["tool_calls"]],
        "finish": returned["finish"],
        "usage": [usage[name] for name in names] if returned["usage_known"] else None,
    }


def recordings(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return "file:line" and the recorded exchange, of all files of a folder."""
    files = sorted(folder.glob("*.jsonl"))
    return [
        (f"{file.name}:{number}", json.loads(text))
        for file in files
        for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if text.strip()
    ]


async def run(lines: list[tuple[str, dict[str, Any]]]) -> tuple[int, list[str]]:
    """Replay; print the counts and the failures. Return the exit code, and what was returned as JSON lines."""
    total: Counter[str] = Counter()
    equal: Counter[str] = Counter()
    failures: list[str] = []
    dumped: list[str] = []
    async with FakeServer([Say()]) as server:
        by_api = adapters(server.url)
        for place, line in lines:
            returned = await replay(line, by_api[line["api"]], server)
            wanted = {**expectation(line), "request": line["request"]["body"] or {}}
            got = {**comparable(returned), "request": sent(line, server)}
            key = f"{line['provider']}/{line['api']}"
            total[key] += 1
            equal[key] += wanted == got
            if wanted != got:
                failures.append(f"{place} {difference(wanted, got)}")
            dumped.append(json.dumps({"line": place, "provider": line["provider"], "api": line["api"], **returned}))
        for adapter in set(by_api.values()):
            await adapter.aclose()
    return report(total, equal, failures), dumped


def difference(wanted: dict[str, Any], got: dict[str, Any]) -> str:
    """Return the fields that differ."""
    keys = sorted(key for key in {*wanted, *got} if wanted.get(key) != got.get(key))
    return "; ".join(f"{key}: recorded {wanted.get(key)!r:.200}, returned {got.get(key)!r:.200}" for key in keys)


def report(total: Counter[str], equal: Counter[str], failures: list[str]) -> int:
    """Print the counts and return the exit code."""
    for key in sorted(total):
        print(f"{key}: {equal[key]} of {total[key]} equal")
    for failure in failures:
        print(f"FAILED {failure}")
    print(f"all: {equal.total()} of {total.total()} equal")
    if not total:
        print("no *.jsonl with recordings there", file=sys.stderr)
        return 2
    return 1 if failures else 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Replay recorded exchanges through the adapters.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dump", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # SDKs warn of parts that are no text
    code, dumped = asyncio.run(run(recordings(options.folder)))
    if options.dump:
        options.dump.write_text("".join(f"{item}\n" for item in dumped), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
