"""Stand-ins for the two callables that agents are given: a model and the checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botarmy.checks import CheckRequest, FileText
from botarmy.completion import Completion, CompletionRequest, Message, Usage
from botarmy.records import Evidence, canonical_json
from tests.factories import content, evidence


class ScriptedModel:
    """An `Ask` that answers each purpose with valid content, or with what the test says; it keeps the requests.

    Attributes:
        answers: purpose -> the parsed answer to give instead of the builder's.
        confidence: what the model says of itself.
        requests: everything that was asked, in order.
    """

    def __init__(self, answers: Mapping[str, dict[str, Any]] | None = None, *, confidence: float | None = 0.9) -> None:
        self.answers = dict(answers or {})
        self.confidence = confidence
        self.requests: list[CompletionRequest] = []

    async def __call__(self, request: CompletionRequest) -> Completion:
        self.requests.append(request)
        answer = self.answers[request.purpose] if request.purpose in self.answers else content(request.purpose)
        return Completion(
            text=canonical_json(answer),
            parsed=answer,
            stop_reason="end",
            usage=Usage(input_tokens=1, output_tokens=1),
            provider="scripted",
            model="scripted-1",
            confidence=self.confidence,
        )

    @property
    def purposes(self) -> list[str]:
        """What was asked for, in order."""
        return [request.purpose for request in self.requests]


class ScriptedChecks:
    """A `Check` that passes everything, or gives the evidence that the test says; it keeps what it was asked to run."""

    def __init__(self, results: Mapping[str, Evidence] | None = None) -> None:
        self.results = dict(results or {})
        self.files: tuple[FileText, ...] = ()
        self.requests: tuple[CheckRequest, ...] = ()

    async def __call__(self, files: tuple[FileText, ...], requests: tuple[CheckRequest, ...]) -> tuple[Evidence, ...]:
        self.files, self.requests = files, requests
        return tuple(self.results.get(one.name, evidence(one.name.value)) for one in requests)


class PlainPrompts:
    """A template that only says what is wanted."""

    def render(self, purpose: str, inputs: dict[str, Any]) -> tuple[Message, ...]:
        return (Message(role="user", content=f"{purpose}: {', '.join(sorted(inputs))}"),)
