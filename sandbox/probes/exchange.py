"""Carrying out planned HTTP steps against the service and writing down what it answered."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from sandbox.probes.service import LOOPBACK, Service

MAX_BODY = 1_000_000  # bytes that are read
MAX_KEPT = 300_000  # characters of one answer that are reported
MAX_ALL_KEPT = 6_000_000  # of all together; then little of each
LITTLE = 2000
TIMEOUT_S = 10
PLACEHOLDER = re.compile(r"\{\{(.+?)\}\}")
SUCCESS = range(200, 400)


class Missing(Exception):
    """A step needs a value that no earlier step gave."""


def fill(value: Any, saved: Mapping[str, Any]) -> Any:
    """Return a planned value with {"$saved": name} replaced by what was saved."""
    if isinstance(value, dict):
        if set(value) == {"$saved"}:
            if value["$saved"] not in saved:
                raise Missing(value["$saved"])
            return saved[value["$saved"]]
        return {key: fill(part, saved) for key, part in value.items()}
    if isinstance(value, list):
        return [fill(part, saved) for part in value]
    return value


def fill_path(path: str, saved: Mapping[str, Any]) -> str:
    """Return a planned path with {{name}} replaced by what was saved."""

    def replace(match: re.Match[str]) -> str:
        if match[1] not in saved:
            raise Missing(match[1])
        return quote(str(saved[match[1]]), safe="")

    return PLACEHOLDER.sub(replace, path)


def request(step: Mapping[str, Any], saved: Mapping[str, Any]) -> tuple[str, bytes | None, dict[str, str]]:
    """Return path, body and headers of a planned step.

    Raises:
        Missing: an earlier step did not give what this one needs.
    """
    path = fill_path(step["path"], saved)
    if step.get("query"):
        path += "?" + urlencode(fill(step["query"], saved), doseq=True)
    headers = dict(step.get("headers", {}))
    body = None
    if "raw" in step:
        body = step["raw"].encode("utf-8")
        headers.setdefault("Content-Type", "application/json")
    elif "body" in step:
        body = json.dumps(fill(step["body"], saved)).encode("utf-8")
        headers.setdefault("Content-Type", "application/json")
    return path, body, headers


def send(port: int, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> dict[str, Any]:
    """Send one request on a new connection; return status, content type, text and milliseconds, or an error."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_S)
    begun = time.perf_counter()
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        response = connection.getresponse()
        data = response.read(MAX_BODY)
    except (OSError, http.client.HTTPException) as error:
        return {"error": f"{type(error).__name__}: {error}", "ms": _since(begun)}
    finally:
        connection.close()
    return {
        "status": response.status,
        "type": response.headers.get("Content-Type", ""),
        "text": data.decode("utf-8", "replace"),
        "ms": _since(begun),
    }


def _since(begun: float) -> float:
    return round((time.perf_counter() - begun) * 1000, 3)


class Exchange:
    """The steps of one check and the values that they gave.

    Attributes:
        records: what was sent and answered, in order.
        succeeded: the operations that answered with success to a valid request.
        exhausted: not all scenarios were played, for lack of time.
    """

    def __init__(self, service: Service, until: float) -> None:
        """Take the started service and the monotonic time after which no step is begun."""
        self.service = service
        self.until = until
        self.records: list[dict[str, Any]] = []
        self.succeeded: set[str] = set()
        self.exhausted = False
        self._kept = 0

    def play(self, scenarios: list[dict[str, Any]]) -> None:
        """Carry out scenarios; one whose purpose is reached already (`unless`) is left out."""
        for scenario in scenarios:
            if scenario.get("unless") in self.succeeded:
                continue
            saved: dict[str, Any] = {}
            for step in scenario["steps"]:
                if time.monotonic() > self.until or not self.service.alive():
                    self.exhausted = self.service.alive()
                    return
                self.step(step, saved)

    def step(self, step: Mapping[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
        """Carry out one step and write it down."""
        record = {name: step[name] for name in ("op", "method", "intent", "about") if name in step}
        try:
            path, body, headers = request(step, saved)
        except Missing as missing:
            record |= {"path": step["path"], "unmet": str(missing)}
            self.records.append(record)
            return record
        before = self.service.written()
        answer = send(self.service.port, step["method"], path, body, headers)
        if "error" in answer:
            self.service.settle()
        text = answer.get("text", "")
        record |= {"path": path, "sent": (body or b"").decode("utf-8", "replace")[:2000], **answer}
        if "error" in answer or answer["status"] >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            record["log"] = self.service.tail(before)
        most = MAX_KEPT if self._kept < MAX_ALL_KEPT else LITTLE
        record |= {"text": text[:most], "cut": len(text) > most}
        self._kept += len(record["text"])
        self.records.append(record)
        if answer.get("status") in SUCCESS and step["intent"] == "valid":
            self.succeeded.add(step["op"])
            self._save(step, text, saved)
        return record

    def _save(self, step: Mapping[str, Any], text: str, saved: dict[str, Any]) -> None:
        if "save" not in step:
            return
        try:
            row = json.loads(text)
        except ValueError:
            return
        if isinstance(row, list) and row:
            row = row[0]
        if not isinstance(row, dict):
            return
        for key in step["keys"]:
            if isinstance(row.get(key), (int, str)):
                saved[step["save"]] = row[key]
                return
