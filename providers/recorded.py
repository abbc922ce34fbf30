"""Record exchanges to a folder, and replay them: a whole project offline, at no cost, answer for answer.

One JSON file for each exchange, secrets masked. A file holds the request without its deadline, and either the
completion or the error. The n-th time that the same request is asked, the n-th recorded completion answers; the last
one is repeated. Failures that a retry or another provider made good are not replayed, only those that led to a
repair turn: the next request is made from them.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from botarmy.completion import Completion, CompletionRequest, OnProgress, Provider, StreamingProvider
from botarmy.errors import InvalidOutput, ProviderError, RecordingMissing, SettingsError, ToolCallsOnly
from botarmy.records import Record
from botarmy.redact import redact

_DIFF_LINES = 80
_REPAIRED = {kind.code: kind for kind in (InvalidOutput, ToolCallsOnly)}


class Failure(Record):
    """A recorded error."""

    code: str
    message: str
    status: int | None = None
    text: str = ""
    problems: tuple[str, ...] = ()


class Exchange(Record):
    """One recorded exchange: a completion or a failure."""

    content_hash: str
    deterministic: bool
    request: dict[str, Any]
    completion: Completion | None = None
    failure: Failure | None = None


class Recorder:
    """A provider that passes everything on to another, and writes each exchange to a folder.

    Args:
        provider: who answers.
        folder: where to write; made if absent.
        secrets: what must not be written.
    """

    def __init__(self, provider: Provider, folder: Path, secrets: Iterable[str] = ()) -> None:
        self.name = provider.name
        self.model = provider.model
        self.deterministic = provider.deterministic
        self.base_url: str | None = getattr(provider, "base_url", None)
        self._provider = provider
        self._folder = folder
        self._secrets = tuple(secrets)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer the request and record the exchange."""
        return await self.complete_with_progress(request, lambda _: None)

    async def complete_with_progress(self, request: CompletionRequest, on_progress: OnProgress) -> Completion:
        """Answer the request, tell how far the answer is, and record the exchange."""
        try:
            if isinstance(self._provider, StreamingProvider):
                done = await self._provider.complete_with_progress(request, on_progress)
            else:
                done = await self._provider.complete(request)
        except ProviderError as error:
            self._write(request, failure=_failure(error))
            raise
        self._write(request, completion=done)
        return done

    async def aclose(self) -> None:
        """Close the other provider's connections."""
        close = getattr(self._provider, "aclose", None)
        if close is not None:
            await close()

    def _write(
        self, request: CompletionRequest, *, completion: Completion | None = None, failure: Failure | None = None
    ) -> None:
        exchange = Exchange(
            content_hash=request.content_hash,
            deterministic=self.deterministic,
            request=request.model_dump(mode="json", exclude={"timeout_s"}),
            completion=completion,
            failure=failure,
        )
        text = json.dumps(exchange.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False)
        stem = re.sub(r"[^A-Za-z0-9_-]", "_", f"{request.role}-{request.purpose}")[:80]
        _write_new(self._folder, f"{stem}-{request.content_hash[:16]}", redact(text, self._secrets) + "\n")


def _failure(error: ProviderError) -> Failure:
    told = {"text": error.text, "problems": error.problems} if isinstance(error, InvalidOutput) else {}
    return Failure.model_validate({"code": error.code, "message": error.message, "status": error.status, **told})


def _write_new(folder: Path, stem: str, text: str) -> None:
    """Write a file under the next free number, whole or not at all; other processes may record here too."""
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{stem}.{os.getpid()}.part"
    half.write_text(text, encoding="utf-8")
    number = 1
    while True:
        try:
            (folder / f"{stem}-{number:03}.json").hardlink_to(half)
            break
        except FileExistsError:
            number += 1
    half.unlink()


class Recorded:
    """A provider that answers from a folder that a Recorder wrote.

    Args:
        folder: the recordings.

    Raises:
        SettingsError: no such folder, nothing in it, or a file in it that is no recording.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._exchanges: dict[str, list[Exchange]] = {}
        self._asked: Counter[str] = Counter()
        for file in sorted(folder.glob("*.json")):
            exchange = _read(file)
            self._exchanges.setdefault(exchange.content_hash, []).append(exchange)
        if not self._exchanges:
            raise SettingsError(
                f"there are no recordings in {folder}",
                hint="Record a project with BOTARMY_RECORD=DIR first, then replay with BOTARMY_REPLAY=DIR.",
            )
        self.name = "recorded"
        self.model = "replay"
        self.deterministic = all(e.deterministic for same in self._exchanges.values() for e in same)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer from the recordings.

        Raises:
            RecordingMissing: this request was never recorded; the message shows how the nearest one differs.
            InvalidOutput: as it was recorded, where the model was asked to repair its answer.
        """
        found = self._exchanges.get(request.content_hash)
        if not found:
            raise RecordingMissing(self._missing(request), hint="Record the project anew.", provider=self.name)
        done = [exchange.completion for exchange in found if exchange.completion is not None]
        if not done:
            raise self._as_recorded(found[-1])
        turn = min(self._asked[request.content_hash], len(done) - 1)
        self._asked[request.content_hash] += 1
        return done[turn].model_copy(update={"provider": self.name, "latency_s": 0.0})

    def _as_recorded(self, exchange: Exchange) -> ProviderError:
        failure = exchange.failure
        if failure is None or failure.code not in _REPAIRED:
            told = failure.message if failure else "nothing"
            return RecordingMissing(
                f"the recordings in {self._folder} hold no answer to this request, only a failure: {told}",
                hint="Record the project anew.",
                provider=self.name,
            )
        return _REPAIRED[failure.code](
            failure.message, text=failure.text, problems=failure.problems, provider=self.name
        )

    def _missing(self, request: CompletionRequest) -> str:
        asked = _lines(request.model_dump(mode="json", exclude={"timeout_s"}))
        what = f"the recordings in {self._folder} hold no answer for {request.role}/{request.purpose}"
        recorded = [
            lines
            for same in self._exchanges.values()
            if (same[0].request["role"], same[0].request["purpose"]) == (request.role, request.purpose)
            and (lines := _lines(same[0].request))
        ]
        if not recorded:
            return f"{what}; nothing of that purpose was recorded"
        nearest = max(recorded, key=lambda lines: len(set(lines) & set(asked)))
        diff = list(difflib.unified_diff(nearest, asked, "recorded", "asked", lineterm="", n=1))
        more = [f"… and {len(diff) - _DIFF_LINES} lines more"] if len(diff) > _DIFF_LINES else []
        return "\n".join([f"{what}; the nearest one differs:", *diff[:_DIFF_LINES], *more])


def _read(file: Path) -> Exchange:
    try:
        return Exchange.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise SettingsError(
            f"{file} is no recording: {str(error).splitlines()[0]}", hint="Take it away, or record anew."
        ) from error


def _lines(request: dict[str, Any]) -> list[str]:
    """Return a request as lines in which a difference shows where it is."""
    lines = [f"max_output_tokens: {request['max_output_tokens']}"]
    for message in request["messages"]:
        lines += [f"{message['role']}: {line}" for line in message["content"].splitlines()]
    for name in ("output_schema", "inputs"):
        text = json.dumps(request[name], indent=1, sort_keys=True, ensure_ascii=False)
        lines += [f"{name}: {line}" for line in text.splitlines()]
    return lines
