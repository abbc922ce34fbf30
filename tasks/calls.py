"""`ask` for agents: ledger first, then the providers of the role, with retries, repairs and failover.

Every exchange leaves a row in the ledger, failures included. A call that is in the ledger already (the same call of
the same attempt, after a crash) returns the stored completion and costs nothing.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol
from uuid import UUID

from botarmy.completion import Ask, Completion, CompletionRequest, Progress, Provider, StreamingProvider
from botarmy.errors import InvalidOutput, ProviderError, ProviderTimeout, SettingsError
from botarmy.pricing import UNKNOWN, Prices
from botarmy.records import LLMCall, Record
from botarmy.retry import Action, Clock, Cooldowns, RetryPolicy, Step, next_step, repair_request
from tasks.ledger import Place, call_key, completed_row, failed_row, stored_completion


class CallEvent(Record):
    """Something that a person who watches wants to know.

    kind: stored | started | progress | retry | repair | failover | completed.
    """

    kind: str
    role: str
    purpose: str
    provider: str = ""
    model: str = ""
    message: str = ""


OnEvent = Callable[[CallEvent], None]


class CallStore(Protocol):
    """The ledger, as storage offers it."""

    async def find(self, key: str) -> LLMCall | None:
        """Return the completed row of that key."""
        ...

    async def record(self, call: LLMCall) -> Any:
        """Add a row."""
        ...


class Work(Protocol):
    """A unit of work."""

    @property
    def calls(self) -> CallStore:
        """The ledger."""
        ...


class CallDatabase(Protocol):
    """Where units of work come from."""

    def work(self, hold: Any = None) -> AbstractAsyncContextManager[Work]:
        """Begin one: it commits on success and rolls back on error."""
        ...


class SystemClock:
    """The real time."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def make_ask(
    *,
    database: CallDatabase,
    roles: Mapping[str, Sequence[Provider]],
    project_id: UUID,
    phase: str,
    attempt: int,
    hold: Any = None,
    on_event: OnEvent | None = None,
    policy: RetryPolicy | None = None,
    prices: Prices | None = None,
    clock: Clock | None = None,
    cooldowns: Cooldowns | None = None,
    spread: Callable[[], float] = random.random,
) -> Ask:
    """Return the `ask` of one attempt. Ordinals count its calls, so use one per attempt and process.

    Args:
        database: the ledger's.
        roles: role -> its providers, in the order of failover.
        project_id: the project.
        phase: the phase's name.
        attempt: the attempt's number.
        hold: the fence that storage gave to the run.
        on_event: told what happens.
        policy: limits of the retry loop.
        prices: price lists; genai-prices' where None.
        clock: the time.
        cooldowns: shared between attempts, so that a provider that is away is left alone.
        spread: randomness of the waits.
    """
    time_source = clock or SystemClock()
    return _Asker(
        database=database,
        roles=roles,
        place=Place(project_id=project_id, phase=phase, attempt=attempt),
        hold=hold,
        on_event=on_event or _unheard,
        policy=policy or RetryPolicy(),
        prices=prices or Prices(),
        clock=time_source,
        cooldowns=cooldowns or Cooldowns(time_source),
        spread=spread,
    )


def _unheard(_: CallEvent) -> None:
    pass


class _Call:
    """One call while it is being made."""

    def __init__(self, request: CompletionRequest, ordinal: int, key: str, deadline: float) -> None:
        self.request = request  # as the agent made it; repairs are turns after it
        self.ordinal = ordinal
        self.key = key
        self.deadline = deadline


class _Asker:
    """The ask of one attempt."""

    def __init__(
        self,
        *,
        database: CallDatabase,
        roles: Mapping[str, Sequence[Provider]],
        place: Place,
        hold: Any,
        on_event: OnEvent,
        policy: RetryPolicy,
        prices: Prices,
        clock: Clock,
        cooldowns: Cooldowns,
        spread: Callable[[], float],
    ) -> None:
        self._database = database
        self._roles = roles
        self._place = place
        self._hold = hold
        self._on_event = on_event
        self._policy = policy
        self._prices = prices
        self._clock = clock
        self._cooldowns = cooldowns
        self._spread = spread
        self._calls = 0

    async def __call__(self, request: CompletionRequest) -> Completion:
        """Answer a request; see botarmy.completion.Ask."""
        ordinal = self._calls  # counted before the first await: calls made side by side keep their order
        self._calls += 1
        key = call_key(self._place, ordinal, request)
        async with self._database.work(self._hold) as work:
            stored = await work.calls.find(key)
        if stored is not None:
            self._tell("stored", request, message="answered from the ledger", provider=stored.provider)
            return stored_completion(stored)
        return await self._answer(_Call(request, ordinal, key, self._clock.now() + request.timeout_s))

    async def _answer(self, call: _Call) -> Completion:
        failures: list[ProviderError] = []
        for provider in self._in_order(call.request.role):
            if failures:
                self._tell("failover", call.request, provider=provider.name, model=provider.model)
            try:
                return await self._by(provider, call)
            except ProviderError as error:
                failures.append(error)
                if next_is_useless(error) or self._clock.now() >= call.deadline:
                    break
        raise _summed_up(failures)

    def _in_order(self, role: str) -> list[Provider]:
        providers = self._roles.get(role)
        if not providers:
            raise SettingsError(f"no provider is configured for the role {role!r}")
        return sorted(providers, key=lambda p: self._cooldowns.remaining(p.name, p.model))

    async def _by(self, provider: Provider, call: _Call) -> Completion:
        """Ask one provider until it answers or it is time to leave it."""
        request, tries, repairs = call.request, 0, 0
        while True:
            tries += request is call.request
            try:
                return await self._once(provider, call, request)
            except ProviderError as error:
                step = next_step(
                    self._policy,
                    error,
                    tries=tries,
                    repairs=repairs,
                    remaining_s=call.deadline - self._clock.now(),
                    random=self._spread,
                )
                if step.action in {Action.fail_over, Action.give_up}:
                    self._cooldowns.start(provider.name, provider.model, step.cooldown_s)
                    raise
                if step.action is Action.repair and isinstance(error, InvalidOutput):
                    request, repairs = repair_request(call.request, error), repairs + 1
                await self._pause(step, error, call.request, provider)

    async def _pause(self, step: Step, error: ProviderError, request: CompletionRequest, provider: Provider) -> None:
        kind = "repair" if step.action is Action.repair else "retry"
        self._tell(kind, request, provider=provider.name, model=provider.model, message=error.message)
        if step.wait_s:
            await self._clock.sleep(step.wait_s)

    async def _once(self, provider: Provider, call: _Call, request: CompletionRequest) -> Completion:
        """Make one exchange and write its row."""
        remaining = call.deadline - self._clock.now()
        if remaining <= 0:
            raise ProviderTimeout(f"no answer within {call.request.timeout_s:g} s", provider=provider.name)
        started = self._clock.now()
        self._tell("started", request, provider=provider.name, model=provider.model)
        try:
            done = await self._complete(provider, request.model_copy(update={"timeout_s": remaining}))
        except ProviderError as error:
            await self._record(self._failure(provider, call, error, self._clock.now() - started))
            raise
        base_url = getattr(provider, "base_url", None)
        cost = self._prices.cost(provider.name, done.model, done.usage, base_url=base_url)
        await self._record(completed_row(self._place, call.ordinal, call.request, key=call.key, done=done, cost=cost))
        self._tell("completed", request, provider=done.provider, model=done.model)
        return done

    async def _complete(self, provider: Provider, request: CompletionRequest) -> Completion:
        if not isinstance(provider, StreamingProvider):
            return await provider.complete(request)

        def tell(progress: Progress) -> None:
            self._tell("progress", request, provider=provider.name, message=f"{progress.characters} characters")

        return await provider.complete_with_progress(request, tell)

    def _failure(self, provider: Provider, call: _Call, error: ProviderError, latency_s: float) -> LLMCall:
        base_url = getattr(provider, "base_url", None)
        usage = error.usage
        cost = UNKNOWN if usage is None else self._prices.cost(provider.name, error.model, usage, base_url=base_url)
        return failed_row(
            self._place,
            call.ordinal,
            call.request,
            key=call.key,
            error=error,
            provider=provider.name,
            model=provider.model,
            cost=cost,
            latency_s=latency_s,
        )

    async def _record(self, row: LLMCall) -> None:
        async with self._database.work(self._hold) as work:
            await work.calls.record(row)

    def _tell(
        self, kind: str, request: CompletionRequest, *, provider: str = "", model: str = "", message: str = ""
    ) -> None:
        self._on_event(
            CallEvent(
                kind=kind,
                role=request.role,
                purpose=request.purpose,
                provider=provider,
                model=model,
                message=message,
            )
        )


def next_is_useless(error: ProviderError) -> bool:
    """Whether no other provider could do better."""
    return (
        next_step(RetryPolicy(), error, tries=1, repairs=0, remaining_s=0, random=lambda: 0.0).action is Action.give_up
    )


def _summed_up(failures: list[ProviderError]) -> ProviderError:
    """Return the last failure; where several providers failed, its message names them all."""
    last = failures[-1]
    if len(failures) == 1:
        return last
    told = "; ".join(error.message for error in failures)
    return type(last)(f"no provider answered: {told}", **last.details())
