"""What all vendor adapters share: the deadline, the mapping of errors, the judgement on the reply.

An adapter brings four things: `body` (our request in the vendor's form), `_send` and `_stream` (the SDK), and `_fault`
(the vendor's exceptions). Clients are made at the first call and belong to the event loop that made them.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from botarmy.completion import Completion, CompletionRequest, OnProgress, Progress
from botarmy.errors import BotArmyError, ProviderError, ProviderTimeout, StreamCut
from botarmy.schema_compiler import CompiledSchema, Dialect, compile_schema
from providers.faults import Fault, error_of, transport_error
from providers.outcome import completion_of
from providers.reply import Reply

CONNECT_TIMEOUT_S = 10.0
OnText = Callable[[int], None]
"""Called with the number of characters that have just arrived."""


class Cut(Exception):
    """A stream ended without a stop reason."""


class Adapter(ABC):
    """A provider that talks to a vendor by its SDK.

    Args:
        model: the vendor's name of the model.
        streaming: whether answers are streamed; the result is the same, progress is only seen when they are.
        secrets: what must never be seen in an error.
    """

    name: str
    dialect: Dialect
    deterministic: bool = False

    def __init__(self, model: str, *, streaming: bool = True, secrets: tuple[str, ...] = ()) -> None:
        self.model = model
        self.streaming = streaming
        self.secrets = secrets
        self._clients: dict[int, tuple[asyncio.AbstractEventLoop, Any]] = {}

    # -- what a vendor's adapter brings

    @abstractmethod
    def body(self, request: CompletionRequest, schema: CompiledSchema) -> dict[str, Any]:
        """Return the request in the vendor's wire form."""

    @abstractmethod
    def _connect(self) -> Any:
        """Make the SDK's client, without retries of its own."""

    @abstractmethod
    async def _disconnect(self, client: Any) -> None: ...

    @abstractmethod
    async def _send(self, client: Any, body: Mapping[str, Any], timeout_s: float) -> Reply: ...

    @abstractmethod
    async def _stream(self, client: Any, body: Mapping[str, Any], timeout_s: float, on_text: OnText) -> Reply:
        """Stream the reply. Raises Cut when it ends without a stop reason."""

    @abstractmethod
    def _fault(self, error: Exception) -> Fault | None:
        """Return what the vendor's exception says; None for exceptions that carry no reply."""

    # -- what callers use

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer the request. See botarmy.completion.Provider."""
        return await self.complete_with_progress(request, _unseen)

    async def complete_with_progress(self, request: CompletionRequest, on_progress: OnProgress) -> Completion:
        """Answer the request and tell how far the answer is while it arrives."""
        schema = compile_schema(request.output_schema, self.dialect)
        started = time.monotonic()
        reply = await self.exchange(
            self.body(request, schema),
            streaming=self.streaming,
            timeout_s=request.timeout_s,
            on_progress=on_progress,
        )
        return completion_of(reply, schema, provider=self.name, model=self.model, latency_s=time.monotonic() - started)

    async def exchange(
        self,
        body: Mapping[str, Any],
        *,
        streaming: bool,
        timeout_s: float,
        on_progress: OnProgress | None = None,
    ) -> Reply:
        """Send a body in the vendor's wire form and return what came back, unjudged.

        Raises:
            ProviderError: every failure, mapped; secrets are masked.
        """
        counter = _Counter(on_progress or _unseen)
        try:
            async with asyncio.timeout(timeout_s):
                client = await self._client()
                if streaming:
                    return await self._stream(client, body, timeout_s, counter)
                return await self._send(client, body, timeout_s)
        except BotArmyError:
            raise
        except Cut as cut:
            raise self._cut(counter.characters) from cut
        except Exception as error:  # noqa: BLE001 - whatever an SDK raises has a place in the tree, the last is "unknown"
            # The chain is cut: an SDK's exception holds the request, and with it the key.
            raise self._mapped(error, timeout_s) from None

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        _, client = self._clients.pop(id(asyncio.get_running_loop()), (None, None))
        if client is not None:
            await self._disconnect(client)

    # -- inner works

    async def _client(self) -> Any:
        loop = asyncio.get_running_loop()
        known, client = self._clients.get(id(loop), (None, None))
        if known is not loop:
            client = self._connect()
            # Clients of loops that are gone cannot be closed any more, only let go.
            self._clients = {key: pair for key, pair in self._clients.items() if not pair[0].is_closed()}
            self._clients[id(loop)] = (loop, client)
        return client

    def _mapped(self, error: Exception, timeout_s: float) -> ProviderError:
        fault = self._fault(error)
        if fault is not None:
            return error_of(fault, provider=self.name, model=self.model, secrets=self.secrets)
        mapped = transport_error(error, provider=self.name, model=self.model, secrets=self.secrets)
        if isinstance(mapped, ProviderTimeout):
            mapped.message = f"{self.name} ({self.model}) did not answer within {timeout_s:g} s"
            mapped.args = (mapped.message,)
        return mapped

    def _cut(self, characters: int) -> StreamCut:
        return StreamCut(
            f"the stream of {self.name} ({self.model}) ended without a stop reason;"
            f" the partial answer of {characters} characters is discarded",
            provider=self.name,
            model=self.model,
        )


class KeyedAdapter(Adapter):
    """An adapter that signs in with a key.

    Args:
        model: the vendor's name of the model.
        api_key: the key; a server of one's own may take any.
        base_url: another address than the vendor's; None for the vendor's own.
        streaming: see Adapter.
        options: fields to add to every request, e.g. {"temperature": 0}.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str,
        base_url: str | None = None,
        streaming: bool = True,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, streaming=streaming, secrets=(api_key,))
        self.base_url = base_url
        self._api_key = api_key
        self._options = dict(options or {})


class _Counter:
    """Counts what arrives, for progress and for the message on a cut stream."""

    def __init__(self, on_progress: OnProgress) -> None:
        self.characters = 0
        self._on_progress = on_progress
        self._started = time.monotonic()

    def __call__(self, characters: int) -> None:
        self.characters += characters
        self._on_progress(Progress(characters=self.characters, elapsed_s=time.monotonic() - self._started))


def _unseen(_: Progress) -> None:
    pass
