"""One request, one answer: the seam between agents and language models."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from botarmy.records import Record, digest


class Message(Record):
    """One chat message; role is "system", "user" or "assistant"."""

    role: str = Field(pattern="^(system|user|assistant)$")
    content: str


class CompletionRequest(BaseModel):
    """What is asked of a model.

    Attributes:
        role: the agent that asks, e.g. "analyst".
        purpose: what is wanted, e.g. "project_plan": the artifact kind. `offline` answers by it.
        inputs: typed inputs as JSON by name, e.g. {"brief": "...", "user_requirements": {...}}.
        messages: the same, rendered for a language model.
        output_schema: JSON schema that the answer must fit.
        max_output_tokens: limit on the answer.
        timeout_s: total deadline in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    purpose: str
    inputs: dict[str, Any]
    messages: tuple[Message, ...]
    output_schema: dict[str, Any]
    max_output_tokens: int = 32_000
    timeout_s: float = 600.0

    @property
    def content_hash(self) -> str:
        """Hash of all that decides the answer; ids and times never enter a request."""
        return digest(self.model_dump(mode="json"))


class Usage(Record):
    """Token counts in inclusive buckets: cached is part of input, reasoning is part of output."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0


class Completion(Record):
    """One response of a model. `parsed` is the JSON object that fits the request's schema.

    `confidence` is what a model says of itself (0..1); None where not applicable (deterministic providers).
    """

    text: str
    parsed: dict[str, Any]
    stop_reason: str
    usage: Usage
    provider: str
    model: str
    request_id: str = ""
    latency_s: float = 0.0
    confidence: float | None = None


class Provider(Protocol):
    """Adapter to one vendor's API.

    Attributes:
        name: the provider's name, e.g. "openai".
        model: the model's name as the vendor spells it.
        deterministic: True where the same request always gives the same bytes and no model is involved.
    """

    name: str
    model: str
    deterministic: bool

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer the request.

        Raises:
            ProviderError: see botarmy.errors; a truncated, refused or invalid answer is an error, not an answer.
        """
        ...


Ask = Callable[[CompletionRequest], Awaitable[Completion]]
