"""A vendor's server on loopback for tests and benchmarks: it says what it is told to, and remembers what it was asked.

It speaks just enough HTTP/1.1 to misbehave on purpose: late, cut off before, in or after the body, not JSON.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

_REASONS = {200: "OK", 400: "Bad Request", 429: "Too Many Requests", 500: "Internal Server Error"}


@dataclass(frozen=True)
class Asked:
    """A request that the server got."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Say:
    """One reply.

    Attributes:
        status: HTTP status.
        body: bytes as they are, text, or a JSON value.
        headers: beside content-type and content-length.
        cut_at: bytes of the body after which the connection breaks; -1 = before the status line; None = never.
        delay_s: seconds before the status line.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    delay_s: float = 0.0

    def payload(self) -> bytes:
        """Return the body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


def events(*items: Any) -> str:
    """Return items as a server-sent event stream; a pair is (event name, data), text stays as it is."""
    lines = []
    for item in items:
        name, data = item if isinstance(item, tuple) else ("", item)
        text = data if isinstance(data, str) else json.dumps(data)
        lines.append((f"event: {name}\n" if name else "") + f"data: {text}\n\n")
    return "".join(lines)


def stream(*items: Any, cut_at: int | None = None) -> Say:
    """Return a reply that is a server-sent event stream."""
    return Say(body=events(*items), headers={"content-type": "text/event-stream"}, cut_at=cut_at)


class FakeServer:
    """Use as `async with FakeServer([Say(...), ...]) as server`; the last reply is repeated.

    Args:
        replies: what to say, in turn.
        respond: makes the reply to a request, where a list cannot.

    Attributes:
        asked: what came, in order.
        url: the address without a slash at the end.
    """

    def __init__(self, replies: Iterable[Say] = (), *, respond: Callable[[Asked], Say] | None = None) -> None:
        self._respond = respond or self._next
        self.replies = list(replies)
        self.asked: list[Asked] = []
        self.url = ""
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.StreamWriter, asyncio.Task[Any] | None] = {}

    async def __aenter__(self) -> Self:
        """Start on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**24)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and drop what is still connected."""
        if self._server is not None:
            self._server.close()
            serving = list(self._open.items())
            for writer, task in serving:
                writer.transport.abort()
                if task:
                    task.cancel()
            await asyncio.gather(*(task for _, task in serving if task), return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = asyncio.current_task()
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client is gone, which is its right, or the server stops
        finally:
            self._open.pop(writer, None)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        raw = await _read_body(reader, headers)
        asked = Asked(method, path, headers, _json(raw))
        self.asked.append(asked)
        return await _reply(writer, self._respond(asked))

    def _next(self, _: Asked) -> Say:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    parts = []
    while size := int((await reader.readline()).strip() or b"0", 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readline()
    return b"".join(parts)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode("utf-8", "replace")


async def _reply(writer: asyncio.StreamWriter, say: Say) -> bool:
    """Write the reply; return whether the connection lives on."""
    if say.delay_s:
        await asyncio.sleep(say.delay_s)
    payload = say.payload()
    if say.cut_at is None or say.cut_at >= 0:
        headers = {"content-type": "application/json", **say.headers, "content-length": str(len(payload))}
        if say.cut_at is not None and headers["content-type"].startswith("text/event-stream"):
            # An event stream has no length: the client cannot know that more was to come.
            del headers["content-length"]
            headers["connection"] = "close"
        lines = [
            f"HTTP/1.1 {say.status} {_REASONS.get(say.status, 'Status')}",
            *(f"{k}: {v}" for k, v in headers.items()),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + payload[: say.cut_at])
        await writer.drain()
    return say.cut_at is None
