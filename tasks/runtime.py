"""The one place that wires things together: settings, Postgres, definitions, sandbox, providers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from botarmy.checks import Check
from botarmy.completion import Ask
from botarmy.crashpoints import point
from botarmy.errors import BotArmyError
from botarmy.pricing import Prices
from botarmy.progress import Progress, Report
from botarmy.rate_limit import RateLimit
from botarmy.records import Attempt, Phase, Project
from botarmy.retry import Cooldowns
from botarmy.settings import ROLES, Settings, load_settings
from sandbox.checks import SandboxChecks
from sandbox.runner import Sandbox
from storage.connect import open_database
from storage.database import Database
from storage.definitions import Core
from storage.hold import Hold
from storage.options import options_of
from storage.unit import UnitOfWork
from tasks.calls import SystemClock, make_ask
from tasks.exchanges import CallEvent
from tasks.roles import RoleMap, load_prices, load_rate_limits, resolve_roles
from tasks.selection import Selection, agents_of, rows_for

_CALL_WORDS = {"started": "asked", "completed": "answered", "stored": "answered before"}
"""What a person reads for the kinds of a call's events that would be taken for the phase's own."""


def _quiet(_step: Progress) -> None:
    """Report to nobody."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """All that a run needs, made once per process.

    Attributes:
        roles: role -> its providers, in the order of failover.
        prices, limits: price lists, and requests and tokens a minute by provider and model.
        cooldowns: providers that are left alone for a while.
        prefect_url: the database for our Prefect server, or "" for Prefect's own choice.
        opened: role maps whose connections are closed with this runtime.
        started_postgres: whether the embedded server was started for this runtime; it runs on afterwards.
        everyone: "provider" or "provider/model" that serves all agents, whatever else is configured.
        flow_run_id: Prefect's id of this run; "" before the project is known.
        hold: this run's exclusive hold on its project; None before the project is known. Every write goes through it.
        report: takes the steps as they happen.
    """

    settings: Settings
    database: Database
    prefect_url: str
    core: Core
    check: Check
    roles: RoleMap
    prices: Prices
    limits: Mapping[str, RateLimit]
    cooldowns: Cooldowns
    started_postgres: bool = False
    everyone: str | None = None
    report: Report = field(default=_quiet)
    hold: Hold | None = None
    flow_run_id: str = ""
    opened: list[RoleMap] = field(default_factory=list)

    def holding(self, hold: Hold, flow_run_id: str) -> Runtime:
        """Return the same wiring with this run's hold on its project."""
        return replace(self, hold=hold, flow_run_id=flow_run_id)

    async def serving(self, selection: Selection) -> Runtime:
        """Return the wiring of a project that uses these definitions: its workflow, team and providers.

        Raises:
            UnknownName: no such workflow or team.
            DefinitionError: a file is wrong, or the team lacks an agent of the workflow.
            SettingsError: names every agent that cannot be served, before any call is made.
        """
        core = selection.core()
        agents = agents_of(core.workflow(selection.workflow))
        team = core.team(selection.team, selection.workflow) if selection.team else {}
        async with self.database.read() as view:
            stored = await view.provider_configs.list()
        rows = rows_for(agents, self.settings, stored, team)
        roles = resolve_roles(self.settings, rows, everyone=self.everyone, roles=(*ROLES, *agents), prices=self.prices)
        self.opened.append(roles)
        return replace(self, core=core, roles=roles)

    @contextlib.asynccontextmanager
    async def commit(self, name: str, where: str = "") -> AsyncIterator[UnitOfWork]:
        """Open a unit of work under this run's hold, with a crash point on either side of its commit.

        Args:
            name: of the commit point, for botarmy.crashpoints.
            where: the phase, where there is one.
        """
        async with self.database.work(self.hold) as work:
            yield work
            point(f"{name}.before", where)
        point(f"{name}.after", where)

    def ask_of(self, project: Project, phase: Phase, attempt: Attempt) -> Ask:
        """Return the `ask` of one attempt: ledger first, then the role's providers."""

        def tell(event: CallEvent) -> None:
            if event.kind == "started" and self.deterministic(phase.agent):
                return  # answered within milliseconds
            who = f"{event.provider} {event.model}".strip()
            text = ": ".join(word for word in (event.purpose, who, event.message) if word)
            kind = _CALL_WORDS.get(event.kind, event.kind)
            step = {"phase": phase.name, "agent": event.role, "attempt": attempt.number}
            self.report(Progress(**step, step=kind, text=text, cost_usd=event.spent_usd))

        return make_ask(
            database=self.database,
            roles=self.roles,
            project_id=project.id,
            phase=phase.name,
            attempt=attempt.number,
            hold=self.hold,
            on_event=tell,
            prices=self.prices,
            limits=self.limits,
            cooldowns=self.cooldowns,
        )

    def deterministic(self, role: str) -> bool:
        """Tell whether no model is involved in what this role answers."""
        return all(provider.deterministic for provider in self.roles[role])


_current: ContextVar[Runtime] = ContextVar("botarmy_runtime")


def current() -> Runtime:
    """Return the runtime of the flow that is running.

    Prefect parameters are JSON, so a task finds its wiring here and not among its arguments.

    Raises:
        BotArmyError: a phase task was called outside `deliver`.
    """
    try:
        return _current.get()
    except LookupError:
        raise BotArmyError(
            "A phase runs only inside the flow `sdlc`: there is no runtime here.",
            hint="Start it with `botarmy run BRIEF` or `prefect deployment run sdlc/default`.",
        ) from None


def current_or_none() -> Runtime | None:
    """Return the runtime that somebody installed around this flow, or None."""
    return _current.get(None)


@contextlib.contextmanager
def installed(runtime: Runtime) -> Iterator[Runtime]:
    """Make this the current runtime for the body of the `with` statement."""
    token = _current.set(runtime)
    try:
        yield runtime
    finally:
        _current.reset(token)


@contextlib.asynccontextmanager
async def open_runtime(
    settings: Settings | None = None,
    *,
    report: Report = _quiet,
    unsafe_no_sandbox: bool = False,
    provider: str | None = None,
) -> AsyncIterator[Runtime]:
    """Open what a run needs and close it at the end.

    Args:
        settings: read from the environment and `.env` when absent.
        report: takes the steps as they happen.
        provider: "provider" or "provider/model" that serves all roles, whatever else is configured.
        unsafe_no_sandbox: run generated code without isolation where there is none; its evidence is then untrusted.

    Raises:
        SettingsError: a setting is wrong.
        Unavailable: Postgres cannot be reached or started.
        DefinitionError: a .bmad-core file is wrong.
    """
    settings = settings or load_settings()
    core = Selection().core()
    opened = await open_database(
        database_url(settings), settings.botarmy_home, options=options_of(settings), migrate=True
    )
    database = opened.database
    async with contextlib.AsyncExitStack() as closing:
        closing.push_async_callback(database.close)
        async with database.read() as view:
            configs = await view.provider_configs.list()
        prices = load_prices(settings)
        roles = resolve_roles(settings, configs, everyone=provider, prices=prices)
        runtime = Runtime(
            settings=settings,
            database=database,
            prefect_url=opened.prefect_url or "",
            core=core,
            roles=roles,
            prices=prices,
            limits=load_rate_limits(settings),
            cooldowns=Cooldowns(SystemClock()),
            check=SandboxChecks(Sandbox(unsafe=unsafe_no_sandbox)),
            started_postgres=opened.started_here,
            everyone=provider,
            report=report,
            opened=[roles],
        )
        closing.push_async_callback(_close, runtime.opened)
        yield runtime


async def _close(opened: list[RoleMap]) -> None:
    """Close the connections of all providers, also when one of them cannot be closed."""
    async with contextlib.AsyncExitStack() as closing:
        for each in opened:
            closing.push_async_callback(each.aclose)


def database_url(settings: Settings) -> str | None:
    """Return DATABASE_URL in the clear, or None for the embedded server."""
    return settings.database_url.get_secret_value() if settings.database_url else None
