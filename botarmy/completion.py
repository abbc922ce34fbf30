"""One request, one answer: the seam between agents and language models."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, runtime_checkable

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
        """Hash of all that decides the answer; ids and times never enter a request, and the deadline decides nothing."""
        return digest(self.model_dump(mode="json", exclude={"timeout_s"}))


class Usage(Record):
    """Token counts in inclusive buckets: cached and cache-written are parts of input, reasoning is part of output."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


class Completion(Record):
    """One response of a model.

    Attributes:
        text: `parsed` as canonical JSON.
        parsed: the JSON object; it fits the request's schema.
        stop_reason: "end", or "stop_sequence" and the like; see providers.reply.
        usage_known: False where the vendor reported no token counts; the cost is then unknown.
        confidence: what the model says of itself (0..1), asked for beside the answer; None where not applicable
            (deterministic providers).
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
    usage_known: bool = True


class Progress(Record):
    """How far a streamed answer is: characters of text so far, and seconds since the request was sent."""

    characters: int
    elapsed_s: float


OnProgress = Callable[[Progress], None]


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


@runtime_checkable
class StreamingProvider(Provider, Protocol):
    """A provider that can tell how far an answer is."""

    async def complete_with_progress(self, request: CompletionRequest, on_progress: OnProgress) -> Completion:
        """Answer the request like `complete`, and call `on_progress` while the answer arrives."""
        ...


Ask = Callable[[CompletionRequest], Awaitable[Completion]]
