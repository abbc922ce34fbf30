"""One exchange with a provider, paid from the budget: reserve, ask, settle. Each leaves one row in the ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from botarmy.budget import likely_most, passes_soft_limit, upper_bound
from botarmy.completion import Completion, CompletionRequest, Progress, Provider, StreamingProvider, Usage
from botarmy.crashpoints import point
from botarmy.errors import BotArmyError, RateLimited, SettingsError
from botarmy.pricing import Prices
from botarmy.rate_limit import RateLimit
from botarmy.records import Budget, LLMCall, Record, Spending, canonical_json
from botarmy.retry import Clock
from tasks.ledger import (
    COMPLETED,
    Call,
    base_url_of,
    cancelled_row,
    completed_row,
    cost_of_completion,
    cost_of_failure,
    failed_row,
    opened_row,
    stored_completion,
)

_PROGRESS_EVERY_S = 5.0  # a stream brings many pieces a second
_WAIT_SHARE = 0.5  # of a call's time may pass in the queue; the answer needs time as well


class CallEvent(Record):
    """Something that a person who watches wants to know.

    kind: stored | turn | started | progress | retry | repair | failover | completed | budget.
    spent_usd: what the project has cost so far, told when a model has answered; None where it is not known.
    """

    kind: str
    role: str
    purpose: str
    provider: str = ""
    model: str = ""
    message: str = ""
    spent_usd: Decimal | None = None


OnEvent = Callable[[CallEvent], None]


class Calls(Protocol):
    """The ledger, as storage offers it."""

    async def find(self, key: str) -> LLMCall | None:
        """Return the completed row of that key."""
        ...

    async def reserve(self, call: LLMCall, reserved_usd: Decimal, limits: Mapping[str, Decimal] | None = None) -> UUID:
        """Reserve what a call can cost at most. Raises BudgetExceeded."""
        ...

    async def settle(self, call_id: UUID, call: LLMCall) -> LLMCall:
        """Record how a reserved call went."""
        ...

    async def spent(self, project_id: UUID, *, phase: str | None = None, role: str | None = None) -> Spending:
        """Return what was spent and reserved."""
        ...


class BudgetList(Protocol):
    """The limits, as storage offers them."""

    async def of_project(self, project_id: UUID) -> tuple[Budget, ...]:
        """Return the limits of a project."""
        ...


class Rates(Protocol):
    """The schedule of provider calls that all workers share."""

    async def book(
        self, provider: str, model: str, limit: RateLimit, *, tokens: int, longest_wait_s: float
    ) -> float | None:
        """Book a call; return the seconds to wait, or None where that is too long."""
        ...

    async def correct(
        self, provider: str, model: str, limit: RateLimit, *, booked_tokens: int, used_tokens: int
    ) -> None:
        """Put the booked tokens right."""
        ...


class Work(Protocol):
    """A unit of work."""

    @property
    def calls(self) -> Calls:
        """The ledger."""
        ...

    @property
    def budgets(self) -> BudgetList:
        """The limits."""
        ...

    @property
    def rates(self) -> Rates:
        """The schedule."""
        ...


class CallDatabase(Protocol):
    """Where units of work come from."""

    def work(self, hold: Any = None) -> AbstractAsyncContextManager[Work]:
        """Begin one: it commits on success and rolls back on error."""
        ...


class Exchanges:
    """Makes the exchanges of one attempt.

    Args:
        database: ledger and budgets.
        hold: the fence that storage gave to the run.
        prices: the prices in force.
        clock: the time.
        on_event: told what happens.
        limits: "provider/model" -> requests and tokens a minute, kept by all workers together.
    """

    def __init__(
        self,
        *,
        database: CallDatabase,
        hold: Any,
        prices: Prices,
        clock: Clock,
        on_event: OnEvent,
        limits: Mapping[str, RateLimit],
    ) -> None:
        self._limits = limits
        self._database = database
        self._hold = hold
        self._prices = prices
        self._clock = clock
        self._on_event = on_event
        self._warned: set[str] = set()

    async def find(self, call: Call) -> Completion | None:
        """Return the stored completion of a call that was answered before."""
        async with self._database.work(self._hold) as work:
            stored = await work.calls.find(call.key)
        if stored is None:
            return None
        self.tell("stored", call.request, provider=stored.provider, model=stored.model)
        return stored_completion(stored)

    async def make(self, call: Call, provider: Provider, request: CompletionRequest) -> Completion:
        """Ask a provider, with its row reserved before and settled after, whatever happens.

        Args:
            call: what the row belongs to.
            provider: who is asked.
            request: what is asked: the call's own request, or a repair turn after it.

        Raises:
            BudgetExceeded: the call could pass a limit; it was not made.
            ProviderError: it failed; the row says how.
        """
        request = await self._in_turn(provider, request)
        row = await self._reserve(call, provider, request)
        started = self._clock.now()
        self.tell("started", request, provider=provider.name, model=provider.model)
        try:
            done = _in_canonical_form(await self._ask(provider, request))
        except BotArmyError as error:
            cost = cost_of_failure(self._prices, provider, error)
            await self._settle(failed_row(row, error, cost, self._clock.now() - started))
            raise
        except asyncio.CancelledError:
            await asyncio.shield(self._settle(cancelled_row(row, self._clock.now() - started)))
            raise
        settled = await self._settle(completed_row(row, done, cost_of_completion(self._prices, provider, done)))
        # Only now: what was paid is kept whatever becomes of the schedule, which errs on the side of more when it is not
        # put right.
        await self._correct(provider, request, done)
        await self._tell_completed(provider, request, settled)
        if settled.outcome == COMPLETED:
            return done
        # Another process answered the same call meanwhile; the first answer counts.
        return await self.find(call) or done

    async def _in_turn(self, provider: Provider, request: CompletionRequest) -> CompletionRequest:
        """Wait until the rate limits allow the call; return the request with what is left of its time."""
        limit = self._limits.get(f"{provider.name}/{provider.model}")
        if limit is None:
            return request
        tokens = _tokens(likely_most(request))
        longest = request.timeout_s * _WAIT_SHARE
        async with self._database.work() as work:
            wait = await work.rates.book(provider.name, provider.model, limit, tokens=tokens, longest_wait_s=longest)
        if wait is None:
            raise RateLimited(
                f"{provider.name} ({provider.model}) is booked for more than {longest:.0f} s by the limits of this"
                " installation",
                hint="Raise its limits in BOTARMY_RATE_LIMITS, or give the role a fallback.",
                provider=provider.name,
                model=provider.model,
                retry_after=longest,
            )
        if wait:
            self.tell("turn", request, provider=provider.name, model=provider.model, message=f"waiting {wait:.1f} s")
            await self._clock.sleep(wait)
        return request.model_copy(update={"timeout_s": request.timeout_s - wait})

    async def _correct(self, provider: Provider, request: CompletionRequest, done: Completion) -> None:
        limit = self._limits.get(f"{provider.name}/{provider.model}")
        if limit is None or not done.usage_known:
            return
        booked, used = _tokens(likely_most(request)), _tokens(done.usage)
        async with self._database.work() as work:
            await work.rates.correct(provider.name, provider.model, limit, booked_tokens=booked, used_tokens=used)

    async def _reserve(self, call: Call, provider: Provider, request: CompletionRequest) -> LLMCall:
        row = opened_row(call, provider)
        most = self._prices.cost(provider.name, provider.model, upper_bound(request), base_url=base_url_of(provider))
        async with self._database.work(self._hold) as work:
            budgets = [b for b in await work.budgets.of_project(row.project_id) if _concerns(b, row)]
            if most.usd is None and budgets:
                raise SettingsError(
                    f"the price of {provider.name}/{provider.model} is unknown, so the budget cannot be kept",
                    hint="Give its price in BOTARMY_PRICES (0 for a server of your own), or take the budget away.",
                )
            await work.calls.reserve(row, most.usd or Decimal(0))
            warnings = [await self._warning(work, budget, row) for budget in budgets]
            point("call.reserved.before", row.phase)
        point("call.reserved.after", row.phase)
        for warning in filter(None, warnings):
            self.tell("budget", request, message=warning)
        return row

    async def _warning(self, work: Work, budget: Budget, row: LLMCall) -> str:
        scope = f"{budget.scope}:{budget.name}" if budget.name else budget.scope
        if scope in self._warned:
            return ""
        narrowed = {budget.scope: budget.name} if budget.name else {}
        spent = await work.calls.spent(row.project_id, **narrowed)
        if not passes_soft_limit(spent, budget.limit_usd):
            return ""
        self._warned.add(scope)
        return f"{spent.counted_usd:.4f} of the {scope} budget of {budget.limit_usd} USD are spent or reserved"

    async def _settle(self, row: LLMCall) -> LLMCall:
        """Write how the call went, without the hold: a run that lost its project meanwhile has paid all the same.

        Only the ledger's row is written. The run notices at its next step, which is written with the hold; whoever has
        the project now finds a completed answer under the call's key and need not ask again.
        """
        async with self._database.work() as work:
            settled = await work.calls.settle(row.id, row)
            point("call.settled.before", row.phase)
        point("call.settled.after", row.phase)
        return settled

    async def _ask(self, provider: Provider, request: CompletionRequest) -> Completion:
        if not isinstance(provider, StreamingProvider):
            return await provider.complete(request)

        last_told = self._clock.now()

        def told(progress: Progress) -> None:
            nonlocal last_told
            if self._clock.now() - last_told >= _PROGRESS_EVERY_S:
                last_told = self._clock.now()
                self.tell("progress", request, provider=provider.name, message=f"{progress.characters:,} characters")

        return await provider.complete_with_progress(request, told)

    async def _tell_completed(self, provider: Provider, request: CompletionRequest, row: LLMCall) -> None:
        """Tell that a call was answered and, where a model answered, what it and the project have cost."""
        if provider.deterministic:
            self.tell("completed", request, provider=row.provider, model=row.model)
            return
        async with self._database.work(self._hold) as work:
            spent = await work.calls.spent(row.project_id)
        cost = "cost unknown" if row.cost_usd is None else f"{row.cost_usd:.4f} USD"
        self.tell(
            "completed",
            request,
            provider=row.provider,
            model=row.model,
            message=f"{row.input_tokens:,} tokens in, {row.output_tokens:,} out, {cost}",
            spent_usd=None if spent.unknown_calls else spent.known_usd,
        )

    def tell(
        self,
        kind: str,
        request: CompletionRequest,
        *,
        provider: str = "",
        model: str = "",
        message: str = "",
        spent_usd: Decimal | None = None,
    ) -> None:
        """Tell the one who watches."""
        self._on_event(
            CallEvent(
                kind=kind,
                role=request.role,
                purpose=request.purpose,
                provider=provider,
                model=model,
                message=message,
                spent_usd=spent_usd,
            )
        )


def _in_canonical_form(done: Completion) -> Completion:
    """Return the completion as it will come back from the ledger.

    Answers enter later prompts. Were the order of their keys another after a crash, the prompts would be others too,
    and all that follows would be asked, and paid, again.
    """
    text = canonical_json(done.parsed)
    return done.model_copy(update={"text": text, "parsed": json.loads(text)})


def _tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.output_tokens


def _concerns(budget: Budget, row: LLMCall) -> bool:
    return not budget.name or budget.name == getattr(row, budget.scope)
