"""HTTP around app/api.py: threads, limits, timeouts, and an orderly end."""

from __future__ import annotations

import logging
import re
import socket
import sys
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from app.api import Api, Request, Response, refuse
from app.errors import Failure, LengthRequired, Malformed, Refusal, TooLarge
from app.log import LOGGER, log

MAX_BODY = 1_000_000
MAX_DRAIN = 16_000_000
MAX_CONNECTIONS = 256
GRACE_SECONDS = 5.0
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Server(ThreadingHTTPServer):
    """Serves an API; stop() lets running requests end."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, api: Api, most: int = MAX_CONNECTIONS) -> None:
        self.api = api
        self.stopping = False
        self._busy = 0
        self._idle = threading.Condition()
        self._places = threading.BoundedSemaphore(most)
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), Handler)

    def server_bind(self) -> None:
        """Take the address without asking a name server who we are, which the base class does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.port

    @property
    def port(self) -> int:
        """The port in use, also when 0 was asked for."""
        return int(self.server_address[1])

    def begin(self) -> None:
        """Note that a request is being served."""
        with self._idle:
            self._busy += 1

    def end(self) -> None:
        """Note that a request has been served."""
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()

    def run(self) -> None:
        """Serve until stop() is called, then give running requests a moment to end."""
        try:
            self.serve_forever(poll_interval=0.1)
        finally:
            self.server_close()
            with self._idle:
                self._idle.wait_for(lambda: self._busy == 0, timeout=GRACE_SECONDS)

    def stop(self) -> None:
        """Stop serving; safe to call from a signal handler, which runs in the serving thread itself."""
        self.stopping = True
        threading.Thread(target=self.shutdown, daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread of its own, or refuse it when there are too many."""
        if not self._places.acquire(blocking=False):
            with suppress(OSError):
                request.sendall(FULL)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:
            # The system gives no more threads.
            self._places.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what ended a connection, instead of printing it: most often the client went away."""
        level = logging.DEBUG if isinstance(sys.exception(), OSError) else logging.ERROR
        LOGGER.log(level, "connection broken", exc_info=True)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "app"
    sys_version = ""
    timeout = 30
    wbufsize = -1  # one packet per response
    disable_nagle_algorithm = True
    request_id = ""

    def do_GET(self) -> None:
        """Serve one request, whatever its method."""
        started = time.perf_counter()
        given = self.headers.get("X-Request-Id", "")
        self.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        self.server.begin()
        try:
            response = self._answer()
            self.close_connection = self.close_connection or self.server.stopping
            self._send(response)
            # Before end(): a server that stops waits until no request is being served, and this line belongs to it.
            self._log_request(response, time.perf_counter() - started)
        finally:
            self.server.end()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_GET

    def _log_request(self, response: Response, seconds: float) -> None:
        path = self.path.partition("?")[0]
        facts = {"method": self.command, "path": path, "status": response.status, "ms": round(seconds * 1000, 2)}
        log(logging.INFO, "request", **facts, request_id=self.request_id)

    def _answer(self) -> Response:
        try:
            body = self._read_body()
            return self.server.api.handle(Request(self.command, self.path, body, self.headers.get("Content-Type", "")))
        except Refusal as refusal:
            self.close_connection = True
            return refuse(refusal)
        except OSError:
            raise
        except Exception:
            LOGGER.exception("unexpected error", extra={"facts": {"request_id": self.request_id}})
            return refuse(Failure("the service failed; its log says why"))

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise LengthRequired("send the body with Content-Length instead of in chunks")
        # Two different lengths are how one request is smuggled into another behind a proxy.
        lengths = {text.strip() for text in self.headers.get_all("Content-Length", ["0"])}
        text = lengths.pop()
        if lengths or not (text.isascii() and text.isdigit() and len(text) < 16):
            raise Malformed("Content-Length is not one number")
        length = int(text)
        if length > MAX_BODY:
            self._drain(length)
            raise TooLarge(f"the body is larger than {MAX_BODY} bytes")
        body = self.rfile.read(length)
        if len(body) < length:
            raise Malformed("the body is shorter than Content-Length says")
        return body

    def _drain(self, length: int) -> None:
        # A client that is still sending would see a broken connection instead of the answer.
        left = min(length, MAX_DRAIN)
        with suppress(OSError):
            while left > 0:
                chunk = self.rfile.read(min(left, 65536))
                if not chunk:
                    break
                left -= len(chunk)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(response.body)))
        for name, value in SAFE_HEADERS.items():
            self.send_header(name, value)
        if self.request_id:
            self.send_header("X-Request-Id", self.request_id)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the HTTP parser refused in the same form as every other refusal."""
        refused = refuse(Malformed(message or explain or "the request cannot be read"))
        self.close_connection = True
        self.command = self.command or ""
        # What could not be parsed counts as HTTP/0.9 in the base class, which would leave out the status line.
        self.request_version = self.protocol_version
        self._send(replace(refused, status=int(code)))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep the base class from printing; do_GET logs each request."""
        LOGGER.debug("http: %s", format % arguments)
