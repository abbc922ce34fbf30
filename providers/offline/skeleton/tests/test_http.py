"""The service over real sockets, and as a process."""

from __future__ import annotations

import errno
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from app.api import Api
from app.log import start_logging
from app.models import ENTITIES
from app.server import GRACE_SECONDS, MAX_BODY, Server
from app.storage import Store
from tests.support import DOCUMENT

ROOT = Path(__file__).resolve().parent.parent


class HttpTest(unittest.TestCase):
    """One server in a thread for all tests."""

    server: Server

    @classmethod
    def setUpClass(cls) -> None:
        start_logging("ERROR")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        store = Store(Path(folder.name) / "app.db", ENTITIES, durable=False)
        cls.addClassCleanup(store.close)
        cls.server = Server("127.0.0.1", 0, Api(store, ENTITIES, DOCUMENT))
        thread = threading.Thread(target=cls.server.run)
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.server.stop)

    def setUp(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        self.addCleanup(self.connection.close)

    def request(self, method: str, path: str, **options: Any) -> tuple[http.client.HTTPResponse, bytes]:
        self.connection.request(method, path, **options)
        response = self.connection.getresponse()
        return response, response.read()

    def raw(self, data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def test_a_connection_serves_many_requests(self) -> None:
        for _turn in range(3):
            response, body = self.request("GET", "/health")
            self.assertEqual((response.status, json.loads(body)), (200, {"status": "ok"}))
            self.assertEqual(response.getheader("Content-Length"), str(len(body)))
            self.assertFalse(response.will_close)

    def test_every_answer_carries_a_request_id_and_safe_headers(self) -> None:
        response, _body = self.request("GET", "/health", headers={"X-Request-Id": "trace-1"})
        self.assertEqual(response.getheader("X-Request-Id"), "trace-1")
        self.assertEqual(response.getheader("X-Content-Type-Options"), "nosniff")
        for wrong in ("a b", "x" * 65, ""):
            given = self.request("GET", "/health", headers={"X-Request-Id": wrong})[0].getheader("X-Request-Id")
            self.assertRegex(given or "", "^[0-9a-f]{32}$")

    def test_too_many_connections_are_refused(self) -> None:
        server = Server("127.0.0.1", 0, self.server.api, most=1)
        thread = threading.Thread(target=server.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.stop)
        first, second = (http.client.HTTPConnection("127.0.0.1", server.port, timeout=10) for _turn in range(2))
        for connection, status in ((first, 200), (second, 503)):
            self.addCleanup(connection.close)
            connection.request("GET", "/health")
            response = connection.getresponse()
            response.read()
            self.assertEqual(response.status, status)
        self.assertEqual(response.getheader("Retry-After"), "1")

    def test_an_ipv6_address(self) -> None:
        try:
            server = Server("::1", 0, self.server.api)
        except OSError as error:
            self.assertIn(error.errno, (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT))
        else:
            self.assertEqual(server.socket.family, socket.AF_INET6)
            server.server_close()

    def test_a_stopping_server_closes_kept_connections(self) -> None:
        with mock.patch.object(self.server, "stopping", True):
            self.assertTrue(self.request("GET", "/health")[0].will_close)

    def test_what_ends_a_connection_is_logged(self) -> None:
        for error, level in ((BrokenPipeError(), "DEBUG"), (ValueError("a mistake of ours"), "ERROR")):
            with self.assertLogs("app", "DEBUG") as logs:
                try:
                    raise error
                except (OSError, ValueError):
                    self.server.handle_error(None, None)
            self.assertEqual([record.levelname for record in logs.records], [level])

    def test_head_has_the_length_but_no_body(self) -> None:
        response, body = self.request("HEAD", "/openapi.json")
        self.assertEqual((response.status, response.getheader("Content-Length"), body), (200, str(len(DOCUMENT)), b""))
        self.assertEqual(self.request("GET", "/health")[0].status, 200)

    def test_a_body_where_none_is_wanted_does_not_disturb_the_next_request(self) -> None:
        self.assertEqual(self.request("GET", "/health", body=b"GET /nothing HTTP/1.1\r\n\r\n")[0].status, 200)
        self.assertEqual(self.request("GET", "/health")[0].status, 200)

    def test_other_methods_are_refused(self) -> None:
        for method in ("PATCH", "OPTIONS", "TRACE", "DELETE"):
            response, body = self.request(method, "/health")
            self.assertEqual((response.status, response.getheader("Allow")), (405, "GET, HEAD"))
            self.assertEqual(json.loads(body)["error"]["code"], "method_not_allowed")

    def test_large_bodies_are_refused(self) -> None:
        response, body = self.request("POST", "/health", body=b"x" * (MAX_BODY + 1))
        self.assertEqual((response.status, json.loads(body)["error"]["code"]), (413, "too_large"))

    def test_chunked_bodies_are_refused(self) -> None:
        answer = self.raw(b"POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.assertEqual(answer.split()[1], b"411")

    def test_broken_requests_are_refused_in_json(self) -> None:
        for data, status in (
            (b"POST /health HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
            (b"POST /health HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", b"400"),
            (b"POST /health HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n", b"400"),
            (b"nonsense with too many words\r\n\r\n", b"400"),
            (b"BREW /health HTTP/1.1\r\n\r\n", b"501"),
        ):
            answer = self.raw(data)
            self.assertEqual(answer.split()[1], status, answer)
            self.assertIn("error", json.loads(answer.partition(b"\r\n\r\n")[2]))
        self.assertEqual(self.request("GET", "/health")[0].status, 200)

    def test_an_unexpected_error_is_hidden_from_the_client(self) -> None:
        broken = mock.patch.object(self.server.api, "handle", side_effect=AttributeError("a secret"))
        with broken, self.assertLogs("app", "ERROR"):
            response, body = self.request("GET", "/health")
        self.assertEqual((response.status, json.loads(body)["error"]["code"]), (500, "internal"))
        self.assertNotIn(b"secret", body)


class ProcessTest(unittest.TestCase):
    """python -m app serve, as it is run in earnest."""

    def test_it_starts_logs_and_ends_on_sigterm(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            settings = {"HOST": "127.0.0.1", "PORT": "0", "DATA_DIR": folder, "LOG_LEVEL": "INFO"}
            process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve"],
                cwd=ROOT,
                env={**os.environ, **settings},
                stderr=subprocess.PIPE,
                text=True,
            )
            with process:
                self.addCleanup(process.kill)
                stream = process.stderr or io.StringIO()
                port = json.loads(stream.readline())["port"]
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request("GET", "/health")
                self.assertEqual(connection.getresponse().status, 200)
                started = time.monotonic()
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(10), 0)
                self.assertLess(time.monotonic() - started, GRACE_SECONDS)  # an idle connection is not waited for
                lines = [json.loads(line) for line in stream.read().splitlines()]
                connection.close()
        self.assertEqual([line["event"] for line in lines], ["request", "stopped"])
        self.assertEqual((lines[0]["path"], lines[0]["status"]), ("/health", 200))
