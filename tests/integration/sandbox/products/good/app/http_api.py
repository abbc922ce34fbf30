"""The HTTP face."""

import json
import logging
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from app.service import Library, Refused
from app.store import Conflict

log = logging.getLogger("app")
DOCUMENT = json.loads((Path(__file__).parent / "openapi.json").read_text())
MAX_BODY = 100_000


class Server(ThreadingHTTPServer):
    """Holds the library."""

    daemon_threads = True

    def __init__(self, address: tuple, library: Library) -> None:
        super().__init__(address, Handler)
        self.library = library


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        log.info(format, *args)

    def answer(self, status: int, value: object = None) -> None:
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        if body:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> dict:
        length = int(self.headers.get("Content-Length", "0"))
        if length > MAX_BODY:
            raise Refused(413, "too-large")
        try:
            value = json.loads(self.rfile.read(length))
        except ValueError:
            raise Refused(400, "malformed") from None
        if not isinstance(value, dict):
            raise Refused(422, "invalid", {"body": "must be an object"})
        return value

    def handle_request(self) -> None:
        try:
            self.answer(*self.route())
        except Refused as error:
            self.answer(error.status, {"error": {"code": error.code, "message": str(error), "fields": error.fields}})
        except Conflict as error:
            self.answer(409, {"error": {"code": "conflict", "message": str(error), "fields": {}}})

    do_GET = do_POST = do_PUT = do_DELETE = handle_request  # noqa: N815

    def route(self) -> tuple:
        library, method, path = self.server.library, self.command, self.path
        fixed = {"/health": {"status": "ok"}, "/openapi.json": DOCUMENT}
        if path in fixed:
            return 200, fixed[path]
        found = re.fullmatch(r"/(author|book)s(?:/(\d{1,18})(?:/(lend|return))?)?", path)
        if not found:
            raise Refused(404, "not-found")
        kind, number, action = found[1], int(found[2] or 0), found[3]
        if action and kind == "book" and method == "POST":
            return 200, library.act(number, action)
        return self.rows(kind, number) if not number else self.row(kind, number)

    def rows(self, kind: str, _number: int) -> tuple:
        if self.command == "POST":
            return 201, self.server.library.add(kind, self.body())
        return 200, self.server.library.store.rows(f"list_{kind}s")

    def row(self, kind: str, number: int) -> tuple:
        library = self.server.library
        if self.command == "DELETE":
            library.delete(kind, number)
            return (204,)
        if self.command == "PUT" and kind == "book":
            return 200, library.replace(number, self.body())
        return 200, library.one(kind, number)
