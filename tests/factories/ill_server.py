"""A proxy on loopback between a command and the real Prefect server, which makes the server look ill."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from typing import Any
from urllib.parse import urlsplit

_ERROR = b'{"exception_message": "the database is away"}'
_BLOCK = 65536


class IllServer:
    """What a client of the proxy sees of the server; may be changed at any time, from any thread.

    Attributes:
        url: the proxy's address, ends in /api.
        requests: how many connections were answered with 500 or refused.
    """

    def __init__(self, real_url: str) -> None:
        parts = urlsplit(real_url)
        self._real = (parts.hostname or "", parts.port or 80)
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._port = 0
        self._delay_s = 0.0
        self._failing = False
        self._healthy_only = False
        self.refused = 0
        self.url = ""

    def slow(self, delay_s: float) -> None:
        """Hold back whatever clients send by so many seconds; 0: do not."""
        self._delay_s = delay_s

    def fail(self, failing: bool = True, *, but_health: bool = False) -> None:
        """Answer every request with 500, except for the health check where that is wanted; or be well again."""
        self._failing, self._healthy_only = failing, but_health
        self._run(self._break())

    def go(self) -> None:
        """Be gone: break what is open, and refuse what comes."""
        self._run(self._close())

    def come_back(self) -> None:
        """Listen again at the same address."""
        self._run(self._listen())

    def _run(self, step: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result(timeout=30)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]
            self.url = f"http://127.0.0.1:{self._port}/api"

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._break()

    async def _break(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if self._failing:
                    await self._answer_ill(reader, writer)
                else:
                    await self._forward(reader, writer, b"")
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer_ill(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if self._healthy_only and b"/health " in head.split(b"\r\n", 1)[0]:
            await self._forward(reader, writer, head.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
            return
        self.refused += 1
        writer.write(
            b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\nconnection: close\r\n"
            + f"content-length: {len(_ERROR)}\r\n\r\n".encode()
            + _ERROR
        )
        await writer.drain()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: bytes) -> None:
        up_reader, up_writer = await asyncio.open_connection(*self._real)
        self._open.add(up_writer)
        try:
            up_writer.write(said)
            sending = asyncio.create_task(self._pipe(reader, up_writer, slowly=True))
            self._tasks.add(sending)
            await self._pipe(up_reader, writer, slowly=False)
            sending.cancel()
            self._tasks.discard(sending)
        finally:
            self._open.discard(up_writer)
            up_writer.close()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slowly: bool) -> None:
        with contextlib.suppress(OSError):
            while block := await reader.read(_BLOCK):
                if slowly and self._delay_s:
                    await asyncio.sleep(self._delay_s)
                writer.write(block)
                await writer.drain()
        writer.close()


@contextlib.contextmanager
def ill_server(real_url: str) -> Iterator[IllServer]:
    """Stand between clients and the server at this address, in a thread of its own."""
    proxy = IllServer(real_url)
    thread = threading.Thread(target=proxy._loop.run_forever, daemon=True)
    thread.start()
    try:
        proxy.come_back()
        yield proxy
        proxy.go()
    finally:
        proxy._loop.call_soon_threadsafe(proxy._loop.stop)
        thread.join(timeout=10)
        proxy._loop.close()
