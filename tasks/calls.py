"""`ask` for agents: the ledger first, then the providers of the role, with retries, repairs and failover.

A call that is in the ledger already (the same call of the same attempt, after a crash) returns the stored completion
and costs nothing. This is the one retry loop for provider errors: the SDKs retry nothing, and Prefect retries only
infrastructure.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from botarmy.completion import Ask, Completion, CompletionRequest, Provider
from botarmy.errors import InvalidOutput, ProviderError, ProviderTimeout, SettingsError
from botarmy.pricing import Prices
from botarmy.rate_limit import RateLimit
from botarmy.retry import Action, Clock, Cooldowns, RetryPolicy, Step, next_step, repair_request
from tasks.exchanges import CallDatabase, CallEvent, Exchanges, OnEvent
from tasks.ledger import Call, Place

__all__ = ["CallEvent", "OnEvent", "SystemClock", "make_ask"]


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
    limits: Mapping[str, RateLimit] | None = None,
    spread: Callable[[], float] = random.random,
) -> Ask:
    """Return the `ask` of one attempt. Ordinals count its calls, so make one per attempt and process.

    `ask` raises BudgetExceeded where the next call could pass a limit (a person decides, then the same attempt goes
    on), and ProviderError where no provider of the role gave a usable answer.

    Args:
        database: ledger and budgets.
        roles: role -> its providers, in the order of failover; see tasks.roles.
        project_id: the project.
        phase: the phase's name.
        attempt: the attempt's number.
        hold: the fence that storage gave to the run.
        on_event: told what happens.
        policy: limits of the retry loop.
        prices: the prices in force; genai-prices' where None.
        clock: the time.
        cooldowns: shared between attempts, so that a provider that is away is left alone.
        limits: "provider/model" -> rate limits that hold across workers; see tasks.roles.load_rate_limits.
        spread: randomness of the waits, in [0, 1).
    """
    time_source = clock or SystemClock()
    exchanges = Exchanges(
        database=database,
        hold=hold,
        prices=prices or Prices(),
        clock=time_source,
        on_event=on_event or (lambda _: None),
        limits=limits or {},
    )
    return _Asker(
        exchanges=exchanges,
        roles=roles,
        place=Place(project_id=project_id, phase=phase, attempt=attempt),
        policy=policy or RetryPolicy(),
        clock=time_source,
        cooldowns=cooldowns or Cooldowns(time_source),
        spread=spread,
    )


class _Asker:
    """The ask of one attempt."""

    def __init__(
        self,
        *,
        exchanges: Exchanges,
        roles: Mapping[str, Sequence[Provider]],
        place: Place,
        policy: RetryPolicy,
        clock: Clock,
        cooldowns: Cooldowns,
        spread: Callable[[], float],
    ) -> None:
        self._exchanges = exchanges
        self._roles = roles
        self._place = place
        self._policy = policy
        self._clock = clock
        self._cooldowns = cooldowns
        self._spread = spread
        self._asked = 0

    async def __call__(self, request: CompletionRequest) -> Completion:
        """Answer a request; see botarmy.completion.Ask."""
        # Counted before the first await: calls made side by side keep their order.
        call = Call(place=self._place, ordinal=self._asked, request=request)
        self._asked += 1
        stored = await self._exchanges.find(call)
        if stored is not None:
            return stored
        return await self._answer(call, self._clock.now() + request.timeout_s)

    async def _answer(self, call: Call, deadline: float) -> Completion:
        failures: list[ProviderError] = []
        for provider in self._in_order(call.request.role):
            if failures:
                message = f"after {failures[-1].code}"
                self._exchanges.tell(
                    "failover", call.request, provider=provider.name, model=provider.model, message=message
                )
            try:
                return await self._by(provider, call, deadline)
            except _LeaveProvider as left:
                failures.append(left.error)
                if left.final or self._clock.now() >= deadline:
                    break
        raise _summed_up(failures)

    def _in_order(self, role: str) -> list[Provider]:
        """Return the role's providers as configured, those that cool down last."""
        providers = self._roles.get(role)
        if not providers:
            raise SettingsError(f"no provider is configured for the role {role!r}")
        return sorted(providers, key=lambda p: self._cooldowns.remaining(p.name, p.model))

    async def _by(self, provider: Provider, call: Call, deadline: float) -> Completion:
        """Ask one provider until it answers or it is time to leave it."""
        request, tries, repairs = call.request, 0, 0
        while True:
            tries += request is call.request
            try:
                return await self._exchanges.make(call, provider, self._timed(request, provider, deadline))
            except ProviderError as error:
                step = next_step(
                    self._policy,
                    error,
                    tries=tries,
                    repairs=repairs,
                    remaining_s=deadline - self._clock.now(),
                    random=self._spread,
                )
                if step.action in {Action.fail_over, Action.give_up}:
                    self._cooldowns.start(provider.name, provider.model, step.cooldown_s)
                    raise _LeaveProvider(error, final=step.action is Action.give_up) from error
                if step.action is Action.repair and isinstance(error, InvalidOutput):
                    request, repairs = repair_request(call.request, error), repairs + 1
                await self._pause(step, error, call.request, provider)

    def _timed(self, request: CompletionRequest, provider: Provider, deadline: float) -> CompletionRequest:
        """Return the request with what is left of the total deadline."""
        remaining = deadline - self._clock.now()
        if remaining <= 0:
            raise ProviderTimeout(
                f"{provider.name} ({provider.model}) was not asked: the total deadline of the call has passed",
                provider=provider.name,
                model=provider.model,
            )
        return request.model_copy(update={"timeout_s": remaining})

    async def _pause(self, step: Step, error: ProviderError, request: CompletionRequest, provider: Provider) -> None:
        kind = "repair" if step.action is Action.repair else "retry"
        told = f"{error.message}; waiting {step.wait_s:.1f} s" if step.wait_s else error.message
        self._exchanges.tell(kind, request, provider=provider.name, model=provider.model, message=told)
        if step.wait_s:
            await self._clock.sleep(step.wait_s)


class _LeaveProvider(Exception):
    """This provider is done with; the next one is asked unless `final`."""

    def __init__(self, error: ProviderError, *, final: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.final = final


def _summed_up(failures: list[ProviderError]) -> ProviderError:
    """Return the last failure; where several providers failed, its message names them all."""
    last = failures[-1]
    if len(failures) == 1:
        return last
    told = "; ".join(error.message for error in failures)
    return type(last)(f"no provider answered: {told}", **last.details())
