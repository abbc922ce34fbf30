"""A provider for tests that answers by a script."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from botarmy.completion import Completion, CompletionRequest, Usage
from botarmy.errors import ProviderError
from botarmy.records import canonical_json


class ScriptedProvider:
    """Answers with the given objects in turn, or raises the given errors; the last one is repeated.

    Attributes:
        asked: the requests that came.
    """

    def __init__(
        self,
        script: Iterable[dict[str, Any] | ProviderError],
        *,
        name: str = "scripted",
        model: str = "model-1",
        usage: Usage | None = None,
        delay_s: float = 0.0,
    ) -> None:
        self.name = name
        self.model = model
        self.deterministic = False
        self.asked: list[CompletionRequest] = []
        self._script = list(script)
        self._delay_s = delay_s
        self._usage = usage or Usage(input_tokens=10, output_tokens=5)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer by the script."""
        self.asked.append(request)
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        item = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(item, ProviderError):
            raise item
        return Completion(
            text=canonical_json(item),
            parsed=item,
            stop_reason="end",
            usage=self._usage,
            provider=self.name,
            model=self.model,
            request_id=f"request-{len(self.asked)}",
            confidence=0.9,
        )
